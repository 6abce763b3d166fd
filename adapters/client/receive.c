// Receiving: attach, hear, ask for keys, hand over what was verified.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/client/deliver.h"
#include "adapters/client/gap.h"
#include "adapters/client/keep.h"
#include "adapters/client/object.h"
#include "adapters/client/receive.h"
#include "adapters/client/subscribe.h"
#include "adapters/client/told.h"
#include "broker/base/encode.h"
#include "broker/os/clock.h"
#include "schemas/codec/codec.h"

enum {
    GRANT_BYTES = 8 * 1024 * 1024,
    GRANT_MESSAGES = 32, // fewer than the gate may queue for one peer
    POKE_MS = 5000,
    SLICE_MS = 200,
    COMING_MAX = 64,
    AT_ONCE = 64,    // messages taken in before the application is served
    CLOSE_MS = 5000, // for answers to the last receipts
    NAME_MAX_LEN = SG_LIMIT_ID + 1,
    DAMAGED_MAX = 16,
};

struct stop { // a delivery that ended without data
    struct statgate_result result;
    uint8_t id[16];
    uint64_t offset;
};

// Lives as long as the handle, since messages come between the calls; kept is
// filled at each call.
struct sg_receiving {
    struct statgate *handle;
    struct sg_subscribe_kept kept;
    char name[NAME_MAX_LEN]; // that is attached; "": none
    uint64_t greeting;       // in which connection
    bool ask_attach;         // the gate has forgotten us
    uint64_t used_bytes;
    uint32_t used_messages;
    struct stop stop[COMING_MAX]; // oldest first
    size_t stops;
    struct sg_told *told;          // NULL: no memory; then all are told again
    struct statgate_result failed; // a delivery that was not what it should be
    bool has_failed;
    unsigned damaged; // times that what came was not what was stated
};

static struct sg_delivery_in *
coming(struct statgate *handle, ProtobufCBinaryData id)
{
    for (struct sg_delivery_in *in = handle->delivery; in != NULL;
         in = in->following) {
        if (id.len == 16 && memcmp(id.data, in->id, 16) == 0)
            return in;
    }
    return NULL;
}

static void
forget(struct statgate *handle, struct sg_delivery_in *gone)
{
    struct sg_delivery_in **at = &handle->delivery;

    while (*at != NULL && *at != gone)
        at = &(*at)->following;
    if (*at == NULL)
        return;
    *at = gone->following;
    gone->following = NULL;
    sg_deliver_free(&gone);
}

static void
append(struct statgate *handle, struct sg_delivery_in *in)
{
    struct sg_delivery_in **at = &handle->delivery;
    size_t count = 0;

    for (; *at != NULL; at = &(*at)->following)
        count++;
    if (count < COMING_MAX) {
        *at = in;
        return;
    }
    sg_deliver_discard(in); // comes again with the next attachment
    sg_deliver_free(&in);
}

static void
fail(struct sg_receiving *r, enum sg_err err, const char *why)
{
    (void)sg_session_fail(&r->failed, err,
                          sg_deliver_here(err) ? "inbox" : NULL);
    if (!sg_deliver_here(err))
        (void)snprintf(r->failed.sentence, sizeof r->failed.sentence,
                       "the delivery was not what it should be and nothing of "
                       "it was kept: %s",
                       why);
    r->has_failed = true;
}

// The statement must stand in the gate's log.
static enum sg_err
check_receipt(struct sg_receiving *r, const struct sg_delivery_in *in,
              const Sgpb__DeliveryBegin *begin)
{
    struct sg_receipt_expect expect = {
        .kind = SG_ENTRY_DELIVERY,
        .manifest_sha256 = sg_slice_of(in->statement.manifest_sha256, 32),
        .participant = sg_slice_text(r->handle->home.participant),
        .delivery_id = sg_slice_of(in->id, 16)};
    struct sg_slice receipt =
        sg_arena_copy(in->arena, sg_codec_slice(begin->receipt));
    uint64_t entry;

    if (receipt.ptr == NULL)
        return SG_ERR_FULL;
    // Unpacking uses the scratch arena that the message lies in: it is not
    // looked at afterwards.
    return sg_session_receipt(r->handle, receipt, &expect, &entry);
}

static bool
same_attempt(const struct sg_delivery_in *a, const struct sg_delivery_in *b)
{
    return memcmp(a->statement.delivery->attempt.data,
                  b->statement.delivery->attempt.data, 16) == 0;
}

static void
on_begin(struct sg_receiving *r, const Sgpb__DeliveryBegin *begin)
{
    struct sg_home *home = &r->handle->home;
    const struct sg_statement_expect expect = {.roster = &home->roster,
                                               .gate = home->gate,
                                               .genesis = home->genesis,
                                               .subscriber = home->participant,
                                               .flow = r->kept.doc->flow,
                                               .subscription_sha256 =
                                                   r->kept.sha256};
    struct sg_delivery_in *in;
    const char *why;

    if (strcmp(begin->subscription, r->kept.id) != 0)
        return;
    enum sg_err err = sg_deliver_begin(home, begin, &expect, &in, &why);
    if (err != SG_OK) {
        fail(r, err, why);
        return;
    }
    struct sg_delivery_in *known =
        coming(r->handle, sg_codec_bytes(in->id, 16));
    if (sg_keep_has(home, in->id)) {
        r->ask_attach |= !sg_keep_again(r->handle, in->id);
        sg_deliver_discard(in);
        sg_deliver_free(&in);
    } else if (known != NULL && known->state >= SG_DELIVER_WHOLE &&
               (known->state == SG_DELIVER_SHOWN || same_attempt(known, in))) {
        // Whole, and the key was asked for: begun again, it would meet its key
        // too early. Or shown, and the application has not yet kept it.
        sg_deliver_free(&in);
    } else if ((err = check_receipt(r, in, begin)) != SG_OK) {
        fail(r, err, "the receipt of the gate's statement does not fit");
        sg_deliver_discard(in);
        sg_deliver_free(&in);
    } else {
        if (known != NULL && !same_attempt(known, in))
            sg_deliver_discard(known); // it was made anew
        if (known != NULL)
            forget(r->handle, known); // begun again
        append(r->handle, in);
    }
}

static void
on_key(struct sg_receiving *r, const Sgpb__DeliveryKey *key,
       struct sg_slice payload)
{
    struct sg_delivery_in *in = coming(r->handle, key->delivery_id);

    if (in == NULL || in->state == SG_DELIVER_SHOWN)
        return;
    enum sg_err err = sg_deliver_key(in, payload);
    if (err == SG_OK)
        return;
    fail(r, err, in->why);
    forget(r->handle, in);
}

static void
on_stop(struct sg_receiving *r, const Sgpb__DeliveryStop *said)
{
    struct sg_delivery_in *in = coming(r->handle, said->delivery_id);
    enum sg_err err = sg_err_by_code(said->code);

    if (strcmp(said->subscription, r->kept.id) != 0)
        return;
    if (in != NULL) {
        if (in->state == SG_DELIVER_SHOWN)
            return; // it has left; what follows is a recall's matter
        sg_deliver_discard(in);
        forget(r->handle, in);
    }
    if (r->told != NULL && said->delivery_id.len == 16 &&
        sg_told_has(r->told, said->delivery_id.data, said->seq))
        return;
    if (r->stops == COMING_MAX) {
        r->ask_attach = true; // said again then
        return;
    }
    struct stop *stop = &r->stop[r->stops++];
    struct statgate_result *to = &stop->result;
    *stop = (struct stop){.offset = said->offset};
    (void)sg_session_fail(to, err == SG_ERR_COUNT ? SG_ERR_STOPPED : err, NULL);
    (void)snprintf(to->code, sizeof to->code, "%s", said->code);
    (void)snprintf(to->sentence, sizeof to->sentence, "%s%s%s", said->sentence,
                   said->rule[0] != '\0' ? "; the gate states the rule " : "",
                   said->rule);
    if (said->reference[0] != '\0')
        (void)snprintf(to->cure, sizeof to->cure, "%s", said->reference);
    if (said->cure[0] != '\0')
        (void)snprintf(to->cure, sizeof to->cure, "%s", said->cure);
    to->seq = said->seq;
    if (said->delivery_id.len == 16)
        memcpy(stop->id, said->delivery_id.data, 16);
}

static void
on_chunk(struct sg_receiving *r, const Sgpb__DeliveryChunk *chunk,
         struct sg_slice payload)
{
    struct sg_delivery_in *in = coming(r->handle, chunk->delivery_id);

    r->used_bytes += payload.len;
    r->used_messages++;
    if (in == NULL || in->state != SG_DELIVER_COMING)
        return;
    enum sg_err err = sg_deliver_chunk(in, chunk->index, payload);
    if (err == SG_ERR_CHUNK_ORDER)
        r->ask_attach = true; // a gap: say what is here and go on
    else if (err != SG_OK)
        fail(r, err, "the inbox cannot be written");
    else if (r->handle->watch != NULL)
        r->handle->watch(r->handle->watch_context, "receiving", in->next,
                         in->chunks);
}

static void
on_message(void *context, const Sgpb__Envelope *envelope,
           struct sg_slice payload)
{
    struct sg_receiving *r = (struct sg_receiving *)context;

    if (envelope->body_case == SGPB__ENVELOPE__BODY_DELIVERY_BEGIN) {
        on_begin(r, envelope->delivery_begin);
    } else if (envelope->body_case == SGPB__ENVELOPE__BODY_DELIVERY_CHUNK) {
        on_chunk(r, envelope->delivery_chunk, payload);
    } else if (envelope->body_case == SGPB__ENVELOPE__BODY_DELIVERY_KEY) {
        on_key(r, envelope->delivery_key, payload);
    } else if (envelope->body_case == SGPB__ENVELOPE__BODY_DELIVERY_STOP) {
        on_stop(r, envelope->delivery_stop);
    }
}

// ---- what we say -----------------------------------------------------------------

static int
attach(struct sg_receiving *r, struct statgate_result *result)
{
    struct statgate *handle = r->handle;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Attach body = SGPB__ATTACH__INIT;
    Sgpb__Have have[COMING_MAX], *pointers[COMING_MAX];
    uint8_t ids[COMING_MAX][16]; // asking hears, and what is told of may end
    const Sgpb__Envelope *answer;

    body.subscription = r->kept.id;
    body.have = pointers;
    for (struct sg_delivery_in *in = handle->delivery;
         in != NULL && body.n_have < COMING_MAX; in = in->following) {
        in->asked = in->state == SG_DELIVER_SHOWN;
        have[body.n_have] = (Sgpb__Have)SGPB__HAVE__INIT;
        memcpy(ids[body.n_have], in->id, 16);
        have[body.n_have].delivery_id = sg_codec_bytes(ids[body.n_have], 16);
        have[body.n_have].next_index = in->next;
        pointers[body.n_have] = &have[body.n_have];
        body.n_have++;
    }
    handle->grant_bytes = GRANT_BYTES;
    handle->grant_messages = GRANT_MESSAGES;
    r->used_bytes = 0;
    r->used_messages = 0;
    r->ask_attach = handle->missed = false;
    r->stops = 0; // all are said again
    envelope.body_case = SGPB__ENVELOPE__BODY_ATTACH;
    envelope.attach = &body;
    if (sg_session_ask(
            handle, SG_WIRE_DATA, &envelope, (struct sg_slice){NULL, 0},
            SGPB__ENVELOPE__BODY_SUBSCRIPTION, &answer, result) != 0) {
        r->ask_attach = true;
        return result->exit;
    }
    r->greeting = handle->greetings;
    return 0;
}

// Rows cannot be verified without the structure that the publisher signed for.
// If the gate does not give it, verifying will say what is missing.
static int
have_structures(struct sg_receiving *r, struct statgate_result *result)
{
    struct sg_delivery_in *in = r->handle->delivery;

    while (in != NULL) {
        struct sg_slice sha256 =
            sg_codec_slice(in->statement.manifest->structure_sha256);
        uint8_t wanted[32];
        if (in->state != SG_DELIVER_WHOLE || in->structured ||
            in->statement.level != SG_CONTENT_ROW || sha256.len != 32) {
            in = in->following;
            continue;
        }
        in->structured = true;
        memcpy(wanted, sha256.ptr, 32);
        if (sg_object_structure(r->handle, sg_slice_of(wanted, 32), result) !=
                0 &&
            sg_session_is(result, SG_ERR_UNREACHABLE))
            return result->exit;
        in = r->handle->delivery; // asking hears, and the list may change
    }
    return sg_session_done(result);
}

// What is shown is given out when nothing before it is missing; what is behind it
// is looked at when the application has kept it.
static int
check_gaps(struct sg_receiving *r, struct statgate_result *result)
{
    struct sg_delivery_in *in = r->handle->delivery;
    uint8_t id[16];

    while (in != NULL && (in->state != SG_DELIVER_SHOWN ||
                          strcmp(in->subscription, r->kept.id) != 0))
        in = in->following;
    if (in == NULL || in->follows)
        return sg_session_done(result);
    memcpy(id, in->id, 16);
    if (sg_gap_check(r->handle, &r->kept, in->statement.manifest, result) != 0)
        return result->exit;
    // Asking hears, and the list may have changed.
    in = coming(r->handle, sg_codec_bytes(id, 16));
    if (in != NULL)
        in->follows = true;
    return sg_session_done(result);
}

// A disk that goes on giving other bytes is no reason to ask for ever.
static void
throw_away(struct sg_receiving *r, struct sg_delivery_in *in)
{
    sg_deliver_discard(in);
    forget(r->handle, in);
    r->ask_attach = true;
    if (++r->damaged > DAMAGED_MAX)
        fail(r, SG_ERR_CORRUPT,
             "the ciphertext is not what the gate's statement names");
}

// More credit once half of it is used; keys for what is whole.
static int
speak(struct sg_receiving *r, struct statgate_result *result)
{
    struct statgate *handle = r->handle;
    const struct sg_slice nothing = {NULL, 0};
    struct sg_delivery_in *in = handle->delivery;

    while (in != NULL) {
        Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
        Sgpb__DeliveryReady ready = SGPB__DELIVERY_READY__INIT;
        uint8_t id[16];
        if (in->state != SG_DELIVER_WHOLE || in->asked) {
            in = in->following;
            continue;
        }
        in->asked = true;
        memcpy(id, in->id, 16);
        ready.delivery_id = sg_codec_bytes(id, 16);
        // The gate looks at its copy, and sends it or another one again.
        ready.damaged = sg_deliver_is_damaged(in);
        envelope.body_case = SGPB__ENVELOPE__BODY_DELIVERY_READY;
        envelope.delivery_ready = &ready;
        if (sg_session_send(handle, SG_WIRE_DATA, &envelope, nothing, result) !=
            0)
            return result->exit;
        // Greeting hears, and the list may have changed.
        in = ready.damaged ? coming(handle, sg_codec_bytes(id, 16)) : NULL;
        if (in != NULL)
            throw_away(r, in);
        in = handle->delivery;
    }
    if (r->used_bytes * 2 >= GRANT_BYTES ||
        r->used_messages * 2 >= GRANT_MESSAGES) {
        Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
        Sgpb__Grant grant = SGPB__GRANT__INIT;
        handle->grant_bytes = r->used_bytes;
        handle->grant_messages = r->used_messages;
        r->used_bytes = 0;
        r->used_messages = 0;
        envelope.body_case = SGPB__ENVELOPE__BODY_GRANT;
        envelope.grant = &grant;
        return sg_session_send(handle, SG_WIRE_DATA, &envelope, nothing,
                               result);
    }
    return sg_session_done(result);
}

// A gate that is silent is asked whether it is there.
static int
poke(struct statgate *handle, struct statgate_result *result)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__CheckpointGet get = SGPB__CHECKPOINT_GET__INIT;
    const Sgpb__Envelope *answer;

    envelope.body_case = SGPB__ENVELOPE__BODY_CHECKPOINT_GET;
    envelope.checkpoint_get = &get;
    if (sg_session_ask(handle, SG_WIRE_DATA, &envelope,
                       (struct sg_slice){NULL, 0},
                       SGPB__ENVELOPE__BODY_CHECKPOINT, &answer, result) != 0)
        return result->exit;
    enum sg_err err = sg_home_take_checkpoint(
        &handle->home, sg_codec_slice(answer->checkpoint->note), true);
    return err == SG_OK ? sg_session_done(result)
                        : sg_session_fail(result, err, "checkpoint");
}

// ---- the loop --------------------------------------------------------------------

static bool
fill(struct sg_receiving *r, struct statgate_delivery *out)
{
    for (struct sg_delivery_in *in = r->handle->delivery; in != NULL;
         in = in->following) {
        const Sgpb__Manifest *m = in->statement.manifest;
        // One of another subscription waits until that is asked for.
        if (in->state != SG_DELIVER_SHOWN || !in->follows ||
            strcmp(in->subscription, r->kept.id) != 0)
            continue;
        (void)snprintf(out->flow, sizeof out->flow, "%s", m->flow);
        (void)snprintf(out->publisher, sizeof out->publisher, "%s",
                       m->publisher);
        (void)snprintf(out->subscription, sizeof out->subscription, "%s",
                       r->kept.id);
        out->revision = m->revision;
        out->offset = in->offset;
        out->observations = in->observations;
        memcpy(out->manifest_sha256, in->statement.manifest_sha256, 32);
        memcpy(out->delivery_id, in->id, 16);
        out->media = sg_obs_media_name(in->statement.media);
        out->data_path = in->data;
        out->sidecar_path = in->sidecar;
        out->statement = in->words;
        return true;
    }
    return false;
}

static bool
idle(struct statgate_result *result)
{
    memset(result, 0, sizeof *result);
    result->exit = sg_err_exit(SG_ERR_HELD);
    (void)snprintf(result->code, sizeof result->code, "gate.idle");
    (void)snprintf(result->sentence, sizeof result->sentence,
                   "nothing came within the time given");
    (void)snprintf(result->cure, sizeof result->cure, "wait longer");
    return true;
}

static void
fill_stop(struct sg_receiving *r, struct statgate_delivery *out,
          struct statgate_result *result)
{
    const struct stop *stop = &r->stop[0];

    out->stopped = 1;
    out->offset = stop->offset;
    memcpy(out->delivery_id, stop->id, 16);
    (void)snprintf(out->subscription, sizeof out->subscription, "%s",
                   r->kept.id);
    (void)snprintf(out->flow, sizeof out->flow, "%s", r->kept.doc->flow);
    *result = stop->result;
    if (r->told != NULL)
        sg_told_add(r->told, stop->id, stop->result.seq);
    memmove(r->stop, r->stop + 1, --r->stops * sizeof *r->stop);
}

// true: the call is over; result and delivery say how.
static bool
outcome(struct sg_receiving *r, struct statgate_delivery *delivery,
        struct statgate_result *result)
{
    if (fill(r, delivery)) {
        (void)sg_session_done(result);
        return true;
    }
    if (r->has_failed) {
        *result = r->failed;
        r->has_failed = false;
        r->ask_attach = true; // it comes again
        return true;
    }
    if (r->stops == 0)
        return false;
    fill_stop(r, delivery, result);
    return true;
}

// What is owed to the gate: an attachment, keys asked for, credit.
static int
answer(struct sg_receiving *r, struct statgate_result *result)
{
    struct statgate *handle = r->handle;

    // A new connection knows nothing of us.
    if ((r->ask_attach || handle->missed || !handle->greeted[SG_WIRE_DATA] ||
         r->greeting != handle->greetings) &&
        attach(r, result) != 0)
        return result->exit;
    if (have_structures(r, result) != 0 || speak(r, result) != 0)
        return result->exit;
    return check_gaps(r, result);
}

// What is here already is taken in first, so that keys are asked for while the
// application works on what it has. The gate is told of what was kept when there
// is nothing left to give out.
static int
wait_next(struct sg_receiving *r, uint32_t timeout_ms,
          struct statgate_delivery *delivery, struct statgate_result *result)
{
    struct statgate *handle = r->handle;
    uint64_t deadline = sg_session_deadline(timeout_ms);
    uint64_t poke_at = sg_session_deadline(POKE_MS);
    int at_once = 0;

    while (at_once++ < AT_ONCE && sg_session_hear(handle, 0))
        continue;
    do {
        if (answer(r, result) != 0)
            return result->exit;
        if (outcome(r, delivery, result) || sg_keep_tell(handle, result) != 0)
            return result->exit;
        uint64_t now = sg_os_clock_mono_us();
        if (now >= deadline) {
            (void)idle(result);
            return result->exit;
        }
        uint32_t left = (uint32_t)((deadline - now + 999) / 1000);
        if (sg_session_hear(handle, left < SLICE_MS ? left : SLICE_MS)) {
            poke_at = sg_session_deadline(POKE_MS);
        } else if (now >= poke_at) {
            if (poke(handle, result) != 0)
                return result->exit;
            poke_at = sg_session_deadline(POKE_MS);
        }
    } while (!outcome(r, delivery, result));
    return result->exit;
}

// What was told of another subscription is put away.
static void
open_told(struct sg_receiving *r)
{
    char path[SG_OS_PATH];

    (void)!sg_told_close(&r->told);
    if (sg_home_path_named(&r->handle->home, "subscriptions", r->name, ".told",
                           path))
        r->told = sg_told_open(path);
}

static struct sg_receiving *
receiver(struct statgate *handle, const char *name)
{
    struct sg_receiving *r = handle->receiving;

    if (r == NULL)
        r = handle->receiving = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->handle = handle;
    if (strcmp(r->name, name) != 0) {
        (void)snprintf(r->name, sizeof r->name, "%s", name);
        r->ask_attach = true;
        open_told(r);
    }
    return r;
}

void
statgate_watch(struct statgate *handle, statgate_progress *progress,
               void *context)
{
    handle->watch = progress;
    handle->watch_context = context;
}

int
statgate_next(struct statgate *handle, const char *name, uint32_t timeout_ms,
              struct statgate_delivery *delivery,
              struct statgate_result *result)
{
    struct sg_receiving *r;

    memset(delivery, 0, sizeof *delivery);
    sg_arena_reset(handle->arena);
    if (strlen(name) >= NAME_MAX_LEN)
        return sg_session_fail(result, SG_ERR_NOT_FOUND, name);
    if ((r = receiver(handle, name)) == NULL)
        return sg_session_fail(result, SG_ERR_MEMORY, NULL);
    sg_subscribe_ask_again(handle, name);
    enum sg_err err = sg_subscribe_read(handle, name, &r->kept);
    if (err != SG_OK)
        return sg_session_fail(result, err, name);
    handle->other = on_message;
    handle->other_context = r;
    handle->takes_deliveries = true;
    (void)wait_next(r, timeout_ms, delivery, result);
    handle->takes_deliveries = false;
    handle->other = NULL;
    return result->exit;
}

void
sg_receive_close(struct statgate *handle)
{
    struct statgate_result result;

    sg_arena_reset(handle->arena);
    (void)sg_keep_tell(handle, &result);
    uint64_t deadline = sg_session_deadline(
        handle->timeout_ms < CLOSE_MS ? handle->timeout_ms : CLOSE_MS);

    while (handle->owed_count > 0 && handle->greeted[SG_WIRE_DATA] &&
           sg_os_clock_mono_us() < deadline)
        (void)sg_session_hear(handle, SLICE_MS);
    if (handle->receiving != NULL)
        (void)!sg_told_close(&handle->receiving->told);
    free(handle->receiving);
    handle->receiving = NULL;
}

// ---- receipts --------------------------------------------------------------------

static int
acknowledge(struct statgate *handle, const struct statgate_delivery *delivery,
            uint32_t kept, const char *code, struct statgate_result *result)
{
    struct sg_delivery_in *in =
        coming(handle, sg_codec_bytes(delivery->delivery_id, 16));
    Sgpb__DeliveryReceipt receipt = SGPB__DELIVERY_RECEIPT__INIT;
    Sgpb__ReceiptAck ack = SGPB__RECEIPT_ACK__INIT;
    Sgpb__Signed document = SGPB__SIGNED__INIT;
    struct sg_slice body, packed;

    sg_arena_reset(handle->arena);
    if (in == NULL || in->state != SG_DELIVER_SHOWN)
        return sg_session_fail(result, SG_ERR_NOT_FOUND, "delivery");
    if (handle->keeping_count == SG_KEEPING_MAX &&
        sg_keep_tell(handle, result) != 0)
        return result->exit;
    ack.delivery_id = sg_codec_bytes(in->id, 16);
    ack.manifest_sha256 = sg_codec_bytes(in->statement.manifest_sha256, 32);
    ack.proof_commit = sg_codec_bytes(in->proof_commit, 32);
    ack.plaintext_commit = sg_codec_bytes(in->plain_commit, 32);
    ack.kept = kept;
    ack.code = sg_arena_printf(handle->arena, "%s", code);
    enum sg_err err = ack.code == NULL
                          ? SG_ERR_FULL
                          : sg_codec_pack(&ack.base, handle->arena, &body);
    if (err == SG_OK)
        err = sg_session_sign(handle, SG_SIGN_RECEIPT_ACK, body, &document);
    receipt.ack = &document;
    receipt.subscription =
        sg_arena_printf(handle->arena, "%s", delivery->subscription);
    receipt.offset = in->offset;
    if (err == SG_OK)
        err = receipt.subscription == NULL
                  ? SG_ERR_FULL
                  : sg_codec_pack(&receipt.base, handle->arena, &packed);
    if (err == SG_OK)
        err = sg_gap_passed(&handle->home, delivery->subscription,
                            in->statement.manifest->revision,
                            in->statement.manifest_sha256);
    // Kept here first: after this it is never shown again.
    if (err == SG_OK)
        err = sg_keep_put(handle, in->id, packed);
    if (err != SG_OK)
        return sg_session_fail(result, err, "acks");
    if (kept != 1) {
        (void)!sg_os_file_remove(in->data);
        (void)!sg_os_file_remove(in->sidecar);
    }
    forget(handle, in);
    return sg_session_done(result);
}

int
statgate_keep(struct statgate *handle, const struct statgate_delivery *delivery,
              struct statgate_result *result)
{
    return acknowledge(handle, delivery, 1, "", result);
}

int
statgate_refuse(struct statgate *handle,
                const struct statgate_delivery *delivery, const char *code,
                struct statgate_result *result)
{
    return acknowledge(handle, delivery, 2, code, result);
}

int
statgate_report(struct statgate *handle, const uint8_t manifest_sha256[32],
                const char **json, struct statgate_result *result)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__ReportGet get = SGPB__REPORT_GET__INIT;
    const Sgpb__Envelope *answer;

    *json = NULL;
    sg_arena_reset(handle->arena);
    get.manifest_sha256 = sg_codec_bytes(manifest_sha256, 32);
    envelope.body_case = SGPB__ENVELOPE__BODY_REPORT_GET;
    envelope.report_get = &get;
    if (sg_session_ask(handle, SG_WIRE_DATA, &envelope,
                       (struct sg_slice){NULL, 0}, SGPB__ENVELOPE__BODY_REPORT,
                       &answer, result) != 0)
        return result->exit;
    *json = sg_session_report_json(handle, answer->report->report);
    return *json == NULL ? sg_session_fail(result, SG_ERR_FULL, NULL)
                         : sg_session_done(result);
}
