#include "broker/inspect/workers.h"

#include <stdio.h>
#include <stdlib.h>

#include "broker/base/crypto.h"
#include "broker/base/limits.h"
#include "broker/os/channel.h"
#include "broker/os/file.h"
#include "broker/os/log.h"
#include "broker/os/process.h"

struct waiting {
    struct waiting *next;
    uint64_t job;
    int fds[SG_WORKERS_FDS];
    size_t count;
    size_t len;
    uint8_t packed[]; // len bytes
};

struct running {
    uint64_t job; // 0: the place is free
    int socket;
    uint64_t due_us;
};

struct sg_workers {
    struct sg_workers_options options;
    char program[SG_OS_PATH];
    int control; // to the template
    int template_pid;
    struct running running[SG_WORKERS_MAX];
    uint32_t running_count;
    struct waiting *first, **last;
    uint32_t waiting_count;
    uint8_t *answer; // SG_WORKERS_PACKET
};

static enum sg_err
start_template(struct sg_workers *workers)
{
    char number[16];
    int ends[2];

    enum sg_err err = sg_os_channel_pair(ends);
    if (err != SG_OK)
        return err;
    (void)snprintf(number, sizeof number, "%d", ends[1]);
    const char *argv[] = {workers->program, "--template", number, NULL};
    int keep[] = {ends[1], -1};
    err = sg_os_process_spawn(argv, keep, &workers->template_pid);
    sg_os_file_close(&ends[1]);
    if (err != SG_OK) {
        sg_os_file_close(&ends[0]);
        return err;
    }
    workers->control = ends[0];
    return SG_OK;
}

enum sg_err
sg_workers_open(const struct sg_workers_options *options,
                struct sg_workers **workers)
{
    SG_ASSERT(options->running >= 1 && options->running <= SG_WORKERS_MAX);
    *workers = NULL;
    struct sg_workers *made = calloc(1, sizeof *made);
    if (made == NULL)
        return SG_ERR_MEMORY;
    made->options = *options;
    made->control = -1;
    made->last = &made->first;
    made->answer = malloc(SG_WORKERS_PACKET);
    if (made->answer == NULL ||
        !sg_os_file_path(made->program, "%s", options->program)) {
        sg_workers_close(&made);
        return SG_ERR_MEMORY;
    }
    enum sg_err err = start_template(made);
    if (err != SG_OK) {
        sg_workers_close(&made);
        return err;
    }
    *workers = made;
    return SG_OK;
}

static void
drop_waiting(struct waiting *waiting)
{
    for (size_t i = 0; i < waiting->count; i++)
        sg_os_file_close(&waiting->fds[i]);
    sg_crypto_wipe(waiting->packed, waiting->len); // it holds keys
    free(waiting);
}

void
sg_workers_close(struct sg_workers **workers)
{
    int status;

    if (*workers == NULL)
        return;
    while ((*workers)->first != NULL) {
        struct waiting *next = (*workers)->first->next;
        drop_waiting((*workers)->first);
        (*workers)->first = next;
    }
    for (size_t i = 0; i < SG_WORKERS_MAX; i++) {
        if ((*workers)->running[i].job != 0)
            sg_os_file_close(&(*workers)->running[i].socket);
    }
    sg_os_file_close(&(*workers)->control); // the template ends at this
    if ((*workers)->template_pid > 0 &&
        !sg_os_process_wait((*workers)->template_pid, 2000, &status))
        sg_os_process_end((*workers)->template_pid, true);
    free((*workers)->answer);
    free(*workers);
    *workers = NULL;
}

// A socket pair: one end to the template, which forks the inspector that holds
// it, the job into the other.
static enum sg_err
hand_over(struct sg_workers *workers, struct running *place,
          struct waiting *waiting, uint64_t now_us)
{
    static const uint8_t fork_please[] = {'F'};
    int ends[2];

    enum sg_err err = sg_os_channel_pair(ends);
    if (err != SG_OK)
        return err;
    if ((err = sg_os_channel_room(ends[0], SG_WORKERS_PACKET)) == SG_OK &&
        (err = sg_os_channel_room(ends[1], SG_WORKERS_PACKET)) == SG_OK &&
        (err = sg_os_channel_send(ends[0],
                                  sg_slice_of(waiting->packed, waiting->len),
                                  waiting->fds, waiting->count)) == SG_OK)
        err = sg_os_channel_send(workers->control, sg_slice_of(fork_please, 1),
                                 &ends[1], 1);
    sg_os_file_close(&ends[1]);
    if (err != SG_OK) {
        sg_os_file_close(&ends[0]);
        return err;
    }
    place->job = waiting->job;
    place->socket = ends[0];
    place->due_us = now_us + (uint64_t)workers->options.timeout_ms * 1000;
    workers->running_count++;
    return SG_OK;
}

static struct running *
free_place(struct sg_workers *workers)
{
    if (workers->running_count == workers->options.running)
        return NULL;
    for (size_t i = 0; i < SG_WORKERS_MAX; i++) {
        if (workers->running[i].job == 0)
            return &workers->running[i];
    }
    return NULL;
}

// A template that died is started anew, once a call.
static void
start_next(struct sg_workers *workers, uint64_t now_us)
{
    struct running *place;

    while (workers->first != NULL && (place = free_place(workers)) != NULL) {
        struct waiting *waiting = workers->first;
        enum sg_err err = hand_over(workers, place, waiting, now_us);
        if (err == SG_ERR_UNREACHABLE) {
            int status;
            sg_log(SG_LOG_ERROR, "inspect.template_lost", NULL);
            (void)sg_os_process_wait(workers->template_pid, 100, &status);
            sg_os_file_close(&workers->control);
            if (start_template(workers) == SG_OK)
                err = hand_over(workers, place, waiting, now_us);
        }
        if (err != SG_OK)
            return; // tried again at the next poll
        workers->first = waiting->next;
        if (workers->first == NULL)
            workers->last = &workers->first;
        workers->waiting_count--;
        drop_waiting(waiting);
    }
}

enum sg_err
sg_workers_start(struct sg_workers *workers, uint64_t job,
                 struct sg_slice packed, const int *fds, size_t count,
                 uint64_t now_us)
{
    SG_ASSERT(job != 0 && count <= SG_WORKERS_FDS);
    struct waiting *waiting = packed.len > SG_WORKERS_PACKET ||
                                      workers->waiting_count >= SG_LIMIT_JOBS
                                  ? NULL
                                  : malloc(sizeof *waiting + packed.len);
    if (waiting == NULL) {
        for (size_t i = 0; i < count; i++) {
            int fd = fds[i];
            sg_os_file_close(&fd);
        }
        return SG_ERR_BUSY;
    }
    *waiting = (struct waiting){.job = job, .count = count, .len = packed.len};
    memcpy(waiting->fds, fds, count * sizeof fds[0]);
    memcpy(waiting->packed, packed.ptr, packed.len);
    *workers->last = waiting;
    workers->last = &waiting->next;
    workers->waiting_count++;
    start_next(workers, now_us);
    return SG_OK;
}

static void
end_place(struct sg_workers *workers, struct running *place)
{
    sg_os_file_close(&place->socket);
    place->job = 0;
    workers->running_count--;
}

void
sg_workers_cancel(struct sg_workers *workers, uint64_t job)
{
    for (size_t i = 0; i < SG_WORKERS_MAX; i++) {
        if (workers->running[i].job == job)
            end_place(workers, &workers->running[i]);
    }
    for (struct waiting **at = &workers->first; *at != NULL;
         at = &(*at)->next) {
        if ((*at)->job != job)
            continue;
        struct waiting *gone = *at;
        *at = gone->next;
        if (*at == NULL)
            workers->last = at;
        workers->waiting_count--;
        drop_waiting(gone);
        return;
    }
}

size_t
sg_workers_fds(const struct sg_workers *workers, int *fds, size_t cap)
{
    size_t count = 0;

    for (size_t i = 0; i < SG_WORKERS_MAX && count < cap; i++) {
        if (workers->running[i].job != 0)
            fds[count++] = workers->running[i].socket;
    }
    return count;
}

// true: place has ended, done is filled.
static bool
look(struct sg_workers *workers, struct running *place, uint64_t now_us,
     struct sg_workers_done *done)
{
    size_t len;
    enum sg_err err = sg_os_channel_poll(place->socket, workers->answer,
                                         SG_WORKERS_PACKET, &len, NULL);

    if (err == SG_ERR_BUSY && now_us < place->due_us)
        return false;
    bool fine = err == SG_OK && len > 0;
    *done = (struct sg_workers_done){
        .job = place->job,
        .err = fine ? SG_OK : SG_ERR_INSPECTION,
        .bytes = sg_slice_of(workers->answer, fine ? len : 0),
    };
    end_place(workers, place);
    return true;
}

bool
sg_workers_poll(struct sg_workers *workers, uint64_t now_us,
                struct sg_workers_done *done)
{
    for (size_t i = 0; i < SG_WORKERS_MAX; i++) {
        if (workers->running[i].job != 0 &&
            look(workers, &workers->running[i], now_us, done)) {
            start_next(workers, now_us);
            return true;
        }
    }
    start_next(workers, now_us);
    return false;
}
