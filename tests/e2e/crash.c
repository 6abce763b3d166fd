// The real statgated that dies at a point with a name: linked from the same
// objects, with its calls turned here (ld --wrap). Knows from struct faults
// where, and dies there once, as by kill -9.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broker/core/deliver.h"
#include "broker/core/inspect.h"
#include "broker/core/match.h"
#include "broker/core/publish.h"
#include "broker/core/release.h"
#include "broker/core/session.h"
#include "broker/evidence/evidence.h"
#include "broker/recover.h"
#include "broker/wire_zmq.h"
#include "schemas/proof/entry.h"
#include "tests/e2e/crashes.h"
#include "tests/e2e/faults.h"

static struct faults none, *faults = &none;
static bool recovering, answering;

__attribute__((constructor)) static void
find_faults(void)
{
    const char *path = getenv(FAULTS_ENV);
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return;
    faults =
        mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (faults == MAP_FAILED)
        _exit(1);
    (void)close(fd);
}

static void
point(enum crash at)
{
    if (faults->crash_at != (uint32_t)at)
        return;
    faults->crash_at = CRASH_NONE;
    faults->crashed++;
    (void)raise(SIGKILL);
}

// A function of the product, what it takes, what its calls are handed on as.
#define TURN(type, name, takes)                                                \
    type __real_##name takes;                                                  \
    type __wrap_##name takes;                                                  \
    type __wrap_##name takes

// ---- in --------------------------------------------------------------------------

TURN(void, sg_session_message,
     (struct sg_turn * turn, const struct sg_event *event))
{
    if (event->u.message.payload.len > 0)
        point(CRASH_RECEIVED);
    __real_sg_session_message(turn, event);
}

TURN(void, sg_publish_batch, (struct sg_turn * turn))
{
    point(CRASH_DECODED);
    __real_sg_publish_batch(turn);
}

TURN(void, sg_inspect_done,
     (struct sg_turn * turn, const struct sg_event *event))
{
    static unsigned answers;

    answers++;
    point(answers % 2 == 1 ? CRASH_READ : CRASH_JUDGED);
    __real_sg_inspect_done(turn, event);
}

TURN(enum sg_err, sg_release_apply,
     (struct sg_state * state, const struct sg_appended *entry,
      const void *body))
{
    enum sg_err err = __real_sg_release_apply(state, entry, body);

    point(CRASH_ACCEPTED);
    return err;
}

TURN(void, sg_match_decide_on,
     (struct sg_turn * turn, const struct sg_release *release,
      uint32_t subscription, uint64_t first_held, struct sg_outcome *outcome))
{
    __real_sg_match_decide_on(turn, release, subscription, first_held, outcome);
    point(CRASH_POLICY);
}

TURN(enum sg_err, sg_evidence_append,
     (struct sg_evidence * evidence, uint64_t seq, uint16_t type,
      uint64_t time_us, struct sg_slice body))
{
    if (type == SG_ENTRY_ACCEPTED)
        point(CRASH_WRITE);
    enum sg_err err =
        __real_sg_evidence_append(evidence, seq, type, time_us, body);
    if (type == SG_ENTRY_ACCEPTED)
        point(CRASH_WRITTEN);
    return err;
}

TURN(enum sg_err, sg_effect_fill,
     (struct sg_arena * arena, const struct sg_effect_send *send,
      const struct sg_filling *with, struct sg_slice *envelope))
{
    if (send->receipt_of != SG_NO_ENTRY)
        point(CRASH_RECEIPT);
    answering = send->receipt_of != SG_NO_ENTRY;
    return __real_sg_effect_fill(arena, send, with, envelope);
}

TURN(enum sg_err, sg_wire_send,
     (struct sg_wire * wire, const struct sg_wire_routing *to,
      struct sg_slice items, size_t payload_len, sg_wire_fill *fill,
      void *context))
{
    if (payload_len > 0)
        point(CRASH_FORWARD);
    enum sg_err err =
        __real_sg_wire_send(wire, to, items, payload_len, fill, context);

    if (answering)
        point(CRASH_ANSWERED);
    return err;
}

// ---- out -------------------------------------------------------------------------

TURN(enum sg_err, sg_deliver_apply_released,
     (struct sg_state * state, const struct sg_appended *entry,
      const void *body))
{
    enum sg_err err = __real_sg_deliver_apply_released(state, entry, body);

    point(CRASH_KEY);
    return err;
}

TURN(void, sg_deliver_key_sent,
     (struct sg_turn * turn, const struct sg_event *event))
{
    point(CRASH_FORWARDED);
    __real_sg_deliver_key_sent(turn, event);
}

TURN(enum sg_err, sg_deliver_apply_ack,
     (struct sg_state * state, const struct sg_appended *entry,
      const void *body))
{
    enum sg_err err = __real_sg_deliver_apply_ack(state, entry, body);

    point(CRASH_CURSOR);
    return err;
}

// ---- start -----------------------------------------------------------------------

TURN(enum sg_err, sg_core_apply,
     (struct sg_core * core, const struct sg_appended *entry))
{
    static unsigned read;

    if (recovering && ++read > 3)
        point(CRASH_RECOVERY);
    return __real_sg_core_apply(core, entry);
}

TURN(enum sg_err, sg_recover_open,
     (const struct sg_recover_options *options, struct sg_recover *made,
      struct sg_diag *diag))
{
    recovering = true;
    enum sg_err err = __real_sg_recover_open(options, made, diag);
    recovering = false;
    point(CRASH_RECOVERED);
    return err;
}

TURN(void, sg_core_resume,
     (struct sg_core * core, const char *reason, const uint8_t random[32],
      uint64_t now_us, struct sg_output *output))
{
    __real_sg_core_resume(core, reason, random, now_us, output);
    point(CRASH_RESUMED);
}
