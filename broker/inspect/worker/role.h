// role - reader, judge, writer, review, choice: what one inspector does with one job.
//
// Each role works through the items of the job one by one and fills their
// answers. Invariant: a role sees only what serve.c opened for it; its answer
// says accept only after everything was read to the end. Memory of an item is
// dropped before the next.
#pragma once

#include "broker/base/arena.h"
#include "broker/inspect/worker/sealed.h"
#include "schemas/proof/secret.h"
#include "schemas/sdmx/obs.h"
#include "schemas/sdmx/report.h"

enum { SG_ROLE_FAILED = 0, SG_ROLE_ACCEPT = 1, SG_ROLE_REJECT = 2 };

struct sg_role_job {
    const Sgpb__Job *job;
    const struct sg_structure *structure;
    struct sg_arena *arena;                                   // of the job
    struct sg_arena *scratch;                                 // of one item
    int input_fd, source_fd, leaves_fd, report_fd, output_fd; // -1: none
    uint64_t input_at, source_at, leaves_at, report_at, output_at;
};

// One item in hand.
struct sg_role_item {
    struct sg_role_job *of;
    const Sgpb__JobItem *item;
    Sgpb__DoneItem *done; // initialised; strings and parts from of->arena
    struct sg_secret secret;
    bool has_secret;
};

typedef enum sg_err sg_role_run(struct sg_role_item *item);
// What each returns is how the work went; what it found stands in done.
enum sg_err sg_role_reader(struct sg_role_item *item);
enum sg_err sg_role_judge(struct sg_role_item *item);
enum sg_err sg_role_writer(struct sg_role_item *item);
enum sg_err sg_role_review(struct sg_role_item *item);
enum sg_err sg_role_choice(struct sg_role_item *item);

// Seals the report of a check into the item's report output (packed Report).
SG_MUST_CHECK enum sg_err sg_role_report(struct sg_role_item *item,
                                         struct sg_report *report,
                                         uint64_t observations, bool accept);
// Reject with the code of an error; component may be empty.
void sg_role_reject(struct sg_role_item *item, enum sg_err err,
                    struct sg_slice component);
