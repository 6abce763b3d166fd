// workers - jobs for sandboxed inspectors, one process a job.
//
// Owns: the template process (statgate-inspect, forked from for every job, so
// that a job starts in well under a millisecond), the sockets of running jobs
// and the queue of waiting ones. Invariant: a process sees the descriptors and
// keys of one job and nothing else; its answer is bytes that nobody has
// believed yet. Never: opens payload or keys; reads an answer.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/err.h"
#include "broker/base/slice.h"

struct sg_workers; // opaque

enum {
    SG_WORKERS_MAX = 64, // running at once
    SG_WORKERS_FDS = 6,  // structure input source leaves report output
    SG_WORKERS_PACKET = 512 * 1024, // a job or an answer
};

struct sg_workers_options {
    const char *program; // path of statgate-inspect
    uint32_t running;    // at once, 1..SG_WORKERS_MAX
    uint32_t timeout_ms; // of one job; past it the job has failed
};

// Starts the template. SG_ERR_NOT_FOUND: no such program.
SG_MUST_CHECK enum sg_err
sg_workers_open(const struct sg_workers_options *options,
                struct sg_workers **workers);
// Jobs that run are forgotten; their processes end by themselves.
void sg_workers_close(struct sg_workers **workers);

// Queues a job: its packed Job (copied) and its descriptors, which are taken
// over and closed whatever comes. SG_ERR_BUSY: SG_LIMIT_JOBS wait already.
SG_MUST_CHECK enum sg_err sg_workers_start(struct sg_workers *workers,
                                           uint64_t job, struct sg_slice packed,
                                           const int *fds, size_t count,
                                           uint64_t now_us);
// It will not be reported any more. Unknown: nothing happens.
void sg_workers_cancel(struct sg_workers *workers, uint64_t job);

// Descriptors to wait on; returns how many, at most cap.
size_t sg_workers_fds(const struct sg_workers *workers, int *fds, size_t cap);

struct sg_workers_done {
    uint64_t job;
    enum sg_err err; // SG_ERR_INSPECTION: crashed, timed out, said nothing
    struct sg_slice bytes; // packed Done, unchecked; until the next poll
};
// Never waits. false: nothing has ended.
bool sg_workers_poll(struct sg_workers *workers, uint64_t now_us,
                     struct sg_workers_done *done);
