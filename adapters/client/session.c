#include "adapters/client/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/client/deliver.h"
#include "adapters/client/receive.h"
#include "broker/os/clock.h"
#include "broker/os/log.h"
#include "broker/os/random.h"
#include "schemas/codec/codec.h"
#include "schemas/codec/items.h"
#include "schemas/codec/plain.h"

enum { CALL_ARENA = 128 * 1024 * 1024, SCRATCH_ARENA = 16 * 1024 * 1024 };
enum { BLOCK = 256 * 1024, SLICE_MS = 200, AGAIN_MS = 5000, TURNS = 3 };
enum { ADDRESS_MAX = 256 };
enum { DENIED = 5 }; // times in a row

const char *
statgate_version(void)
{
    return SG_VERSION;
}

uint64_t
sg_session_deadline(uint32_t timeout_ms)
{
    return sg_os_clock_mono_us() + (uint64_t)timeout_ms * 1000;
}

static uint32_t
left_ms(uint64_t deadline, uint32_t most)
{
    uint64_t now = sg_os_clock_mono_us();
    uint64_t left = now >= deadline ? 0 : (deadline - now + 999) / 1000;

    return left > most ? most : (uint32_t)left;
}

// ---- opening -------------------------------------------------------------------

static enum sg_err
connect_gate(struct statgate *handle, const char *address)
{
    struct sg_wire_options options = {
        .endpoint = {handle->home.endpoint[0], handle->home.endpoint[1]}};

    char control[ADDRESS_MAX];
    const char *comma = address == NULL ? NULL : strchr(address, ',');
    if (comma != NULL && (size_t)(comma - address) >= sizeof control)
        return SG_ERR_FULL;
    if (comma != NULL) {
        memcpy(control, address, (size_t)(comma - address));
        control[comma - address] = '\0';
        options.endpoint[SG_WIRE_CONTROL] = control;
        address = comma + 1;
    }
    if (address != NULL)
        options.endpoint[SG_WIRE_DATA] = address;
    memcpy(options.server_key, handle->home.gate_transport, 32);
    memcpy(options.public_key, handle->home.transport.public_key, 32);
    memcpy(options.secret_key, handle->home.transport.secret, 32);
    enum sg_err err = sg_wire_open(&options, &handle->wire);
    sg_crypto_wipe(&options, sizeof options);
    return err;
}

int
statgate_open(const char *home, const char *gate_address, uint32_t timeout_ms,
              struct statgate **handle, struct statgate_result *result)
{
    struct sg_diag diag;
    struct statgate *made = NULL;

    *handle = NULL;
    sg_log_set_level(SG_LOG_OFF); // the application's streams are its own
    enum sg_err err = sg_crypto_start();
    if (err == SG_OK && (made = calloc(1, sizeof *made)) == NULL)
        err = SG_ERR_MEMORY;
    if (err != SG_OK)
        return sg_session_fail(result, err, NULL);
    made->timeout_ms = timeout_ms;
    made->arena = sg_arena_new(CALL_ARENA, BLOCK);
    made->scratch = sg_arena_new(SCRATCH_ARENA, BLOCK);
    err = sg_home_open(home, &made->home, &diag);
    if (err != SG_OK) {
        (void)sg_session_fail_at(result, err, &diag);
    } else {
        err = made->arena == NULL || made->scratch == NULL
                  ? SG_ERR_MEMORY
                  : connect_gate(made, gate_address);
        if (err == SG_ERR_IO) {
            (void)sg_session_fail(result, SG_ERR_SYNTAX, "address");
            (void)snprintf(result->sentence, sizeof result->sentence,
                           "an address of the gate is none; it is written as "
                           "in tcp://gate.example:7171");
        } else if (err != SG_OK) {
            (void)sg_session_fail(result, err, NULL);
        }
    }
    if (err != SG_OK) {
        statgate_close(&made);
        return result->exit;
    }
    // Request numbers of two programs with one home must not meet.
    sg_os_random_fill(&made->requests, sizeof made->requests);
    made->requests >>= 16;
    *handle = made;
    return sg_session_done(result);
}

void
statgate_look_only(struct statgate *handle)
{
    handle->home.look_only = true;
}

void
statgate_close(struct statgate **handle)
{
    struct statgate *one = *handle;

    if (one == NULL)
        return;
    if (one->wire != NULL)
        sg_receive_close(one);
    sg_deliver_free(&one->delivery);
    sg_wire_close(&one->wire);
    for (size_t i = 0; i < SG_COUNT_OF(one->heads); i++)
        sg_arena_free(&one->heads[i].arena);
    sg_home_close(&one->home);
    sg_arena_free(&one->arena);
    sg_arena_free(&one->scratch);
    free(one);
    *handle = NULL;
}

// ---- sending -------------------------------------------------------------------

static int
put(struct statgate *handle, enum sg_wire_lane lane, Sgpb__Envelope *envelope,
    struct sg_slice payload, struct statgate_result *result)
{
    struct sg_slice packed;
    struct sg_slice second = {NULL, 0};

    envelope->proto = 1;
    if (envelope->request == 0)
        envelope->request = ++handle->requests;
    envelope->grant_bytes = handle->grant_bytes;
    envelope->grant_messages = handle->grant_messages;
    handle->grant_bytes = 0;
    handle->grant_messages = 0;
    sg_arena_reset(handle->scratch);
    enum sg_err err = sg_codec_pack(&envelope->base, handle->scratch, &packed);
    if (err != SG_OK)
        return sg_session_fail(result, err, NULL);
    if (payload.len > SG_ITEMS_INLINE_MAX) {
        second = payload;
        payload = (struct sg_slice){NULL, 0};
    }
    size_t room = SG_ITEMS_HEAD_LEN + packed.len + payload.len;
    uint8_t *bytes = sg_arena_take(handle->scratch, room);
    struct sg_writer items = sg_writer_on(bytes, bytes == NULL ? 0 : room);
    if ((err = sg_items_put(&items, packed, payload)) == SG_OK)
        err = sg_wire_send(handle->wire, lane, sg_writer_slice(&items), second,
                           handle->timeout_ms);
    return err == SG_OK ? sg_session_done(result)
                        : sg_session_fail(result, err, NULL);
}

// Of a gate that is behind nothing is asked. false: result says so.
static bool
may_ask(struct statgate *handle, enum sg_wire_lane lane,
        const Sgpb__Envelope *envelope, struct statgate_result *result)
{
    if (!handle->greeted[lane] || !handle->behind ||
        envelope->body_case == SGPB__ENVELOPE__BODY_ROSTER_PUT)
        return true;
    handle->greeted[lane] = false; // it may have got the rosters by then
    (void)sg_session_fail(result, SG_ERR_ROSTER_OLD, NULL);
    return false;
}

int
sg_session_send(struct statgate *handle, enum sg_wire_lane lane,
                Sgpb__Envelope *envelope, struct sg_slice payload,
                struct statgate_result *result)
{
    if (!handle->greeted[lane] && sg_session_greet(handle, lane, result) != 0)
        return result->exit;
    if (!may_ask(handle, lane, envelope, result))
        return result->exit;
    if (payload.len <= handle->credit[lane])
        handle->credit[lane] -= payload.len;
    else
        handle->credit[lane] = 0;
    return put(handle, lane, envelope, payload, result);
}

void
sg_session_renew(struct statgate *handle, enum sg_wire_lane lane)
{
    handle->greeted[lane] = false;
    handle->credit[lane] = 0;
    (void)!sg_wire_reset(handle->wire, lane);
}

// ---- hearing -------------------------------------------------------------------

struct waiting {
    uint64_t request;
    Sgpb__Envelope__BodyCase wanted;
    const Sgpb__Envelope *answer;
    bool malformed; // what came is no answer
};

static bool
of_delivery(const Sgpb__Envelope *envelope)
{
    Sgpb__Envelope__BodyCase body = envelope->body_case;

    return body == SGPB__ENVELOPE__BODY_DELIVERY_BEGIN ||
           body == SGPB__ENVELOPE__BODY_DELIVERY_CHUNK ||
           body == SGPB__ENVELOPE__BODY_DELIVERY_KEY ||
           body == SGPB__ENVELOPE__BODY_DELIVERY_STOP;
}

// An answer to a receipt that was sent and not waited for.
static void
take_owed(struct statgate *handle, uint64_t request)
{
    for (size_t i = 0; i < handle->owed_count; i++) {
        if (handle->owed[i] == request) {
            handle->owed[i] = handle->owed[--handle->owed_count];
            return;
        }
    }
}

static void
heard(struct statgate *handle, enum sg_wire_lane lane,
      const struct sg_item *item, struct waiting *waiting)
{
    void *found = NULL;

    sg_arena_reset(handle->scratch);
    if (sg_codec_unpack(&sgpb__envelope__descriptor, item->envelope,
                        handle->scratch, &found) != SG_OK)
        return; // a gate that sends such things is answered by silence
    const Sgpb__Envelope *envelope = found;
    handle->credit[lane] += envelope->grant_bytes;
    bool ours = waiting != NULL && waiting->answer == NULL &&
                envelope->request == waiting->request &&
                envelope->body_case != SGPB__ENVELOPE__BODY_GRANT &&
                envelope->body_case != SGPB__ENVELOPE__BODY_STATEMENT &&
                envelope->body_case != SGPB__ENVELOPE__BODY_PROGRESS;
    if (!sg_plain_lengths(&envelope->base)) {
        if (ours)
            waiting->malformed = true;
        return;
    }
    if (ours) {
        struct sg_slice kept = sg_arena_copy(handle->arena, item->envelope);
        if (kept.ptr != NULL &&
            sg_codec_unpack(&sgpb__envelope__descriptor, kept, handle->arena,
                            &found) == SG_OK) {
            sg_plain_message(found);
            waiting->answer = found;
        }
        return;
    }
    sg_plain_message(found);
    if (envelope->body_case == SGPB__ENVELOPE__BODY_REFUSED &&
        strcmp(envelope->refused->code, sg_err_code(SG_ERR_PEER_MALFORMED)) ==
            0 &&
        envelope->refused->place != NULL &&
        strcmp(envelope->refused->place->component, "hello") == 0)
        handle->greeted[lane] = false; // it has started again
    if (envelope->body_case == SGPB__ENVELOPE__BODY_REFUSED) {
        (void)sg_session_refused(&handle->late, envelope->refused);
        handle->has_late = true;
    }
    take_owed(handle, envelope->request);
    if (!handle->takes_deliveries && of_delivery(envelope))
        handle->missed = true;
    if (handle->other != NULL)
        handle->other(handle->other_context, envelope, item->payload);
}

static bool
hear(struct statgate *handle, uint32_t timeout_ms, struct waiting *waiting)
{
    static const size_t most = SG_LIMIT_ITEMS;
    struct sg_wire_message message;
    size_t count;

    if (sg_wire_receive(handle->wire, timeout_ms, &message) != SG_OK)
        return false;
    struct sg_item *items = malloc(most * sizeof *items);
    if (items == NULL)
        return false;
    if (sg_items_parse(message.items, message.payload, items, &count) == SG_OK)
        for (size_t i = 0; i < count; i++)
            heard(handle, message.lane, &items[i], waiting);
    free(items);
    return true;
}

bool
sg_session_hear(struct statgate *handle, uint32_t timeout_ms)
{
    return hear(handle, timeout_ms, NULL);
}

// ---- greeting ------------------------------------------------------------------

static enum sg_err
take_roster(struct statgate *handle, enum sg_wire_lane lane,
            struct statgate_result *result)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__RosterGet get = SGPB__ROSTER_GET__INIT;
    struct waiting waiting = {0};
    uint64_t deadline = sg_session_deadline(handle->timeout_ms);

    get.have =
        handle->home.roster.doc == NULL ? 0 : handle->home.roster.doc->version;
    envelope.body_case = SGPB__ENVELOPE__BODY_ROSTER_GET;
    envelope.roster_get = &get;
    if (put(handle, lane, &envelope, (struct sg_slice){NULL, 0}, result) != 0)
        return SG_ERR_UNREACHABLE;
    waiting.request = envelope.request;
    while (waiting.answer == NULL && left_ms(deadline, SLICE_MS) > 0)
        (void)hear(handle, left_ms(deadline, SLICE_MS), &waiting);
    if (waiting.answer == NULL)
        return SG_ERR_UNREACHABLE;
    if (waiting.answer->body_case != SGPB__ENVELOPE__BODY_ROSTER)
        return SG_ERR_ROSTER;
    return sg_home_take_roster(&handle->home,
                               sg_codec_slice(waiting.answer->roster->signed_));
}

static enum sg_err
take_restored(struct statgate *handle, const Sgpb__Welcome *said)
{
    struct sg_home *home = &handle->home;
    uint64_t epoch = home->checkpoint_epoch, size = home->checkpoint_size;

    enum sg_err err =
        sg_home_take_restored(home, sg_codec_slice(said->checkpoint),
                              sg_codec_slice(said->testimony), handle->arena);
    if (err == SG_OK)
        (void)snprintf(
            handle->notice, sizeof handle->notice,
            "the gate %s was brought back from a copy and has lost entries of "
            "its log, of which this home had seen %llu; what it had shown is "
            "kept in checkpoint.%llu. Give it the receipts that it lost: "
            "statgate testify",
            home->gate, (unsigned long long)size, (unsigned long long)epoch);
    return err;
}

static enum sg_err
welcome(struct statgate *handle, enum sg_wire_lane lane,
        const Sgpb__Welcome *said, struct statgate_result *result)
{
    struct sg_home *home = &handle->home;
    enum sg_err err = SG_OK;

    if (said->proto != 1 || said->roster == NULL ||
        strcmp(said->gate, home->gate) != 0)
        return SG_ERR_PEER_PROTO;
    if (strcmp(said->participant, home->participant) != 0)
        return SG_ERR_PEER_UNKNOWN;
    uint64_t held = home->roster.doc == NULL ? 0 : home->roster.doc->version;
    handle->behind = said->roster->version < held;
    if (handle->behind)
        return SG_OK;
    if (said->roster->version > held)
        err = take_roster(handle, lane, result);
    if (err == SG_OK && home->roster.doc == NULL)
        err = SG_ERR_ROSTER; // the gate shows none, and none is held
    if (err == SG_OK &&
        !sg_slice_eq(sg_codec_slice(said->roster->sha256),
                     sg_slice_of(home->roster.sha256, 32)) &&
        said->roster->version == home->roster.doc->version)
        err = SG_ERR_FORK;
    if (err == SG_OK && home->roster.doc->expires <= sg_os_clock_wall_us())
        err = SG_ERR_ROSTER_EXPIRED;
    if (err == SG_OK)
        err = sg_home_take_genesis(home, sg_codec_slice(said->genesis));
    if (err != SG_OK)
        return err;
    if (said->testimony.len > 0 && home->checkpoint_size > 0)
        return take_restored(handle, said);
    return sg_home_take_checkpoint(home, sg_codec_slice(said->checkpoint),
                                   true);
}

static int
not_let_in(const struct statgate *handle, struct statgate_result *result)
{
    (void)sg_session_fail(result, SG_ERR_PEER_UNKNOWN, NULL);
    (void)snprintf(result->sentence, sizeof result->sentence,
                   "the gate %s does not let the keys of this home in: they "
                   "are not in its roster, or were revoked",
                   handle->home.gate);
    (void)snprintf(result->cure, sizeof result->cure,
                   "ask the root key holders whether %s was admitted, and "
                   "whether the roster that they signed was put to the gate",
                   handle->home.participant);
    return result->exit;
}

// Until it is answered. A gate that begins may deny a key once or twice; one
// that goes on denying it means it.
static int
say_hello(struct statgate *handle, enum sg_wire_lane lane,
          Sgpb__Envelope *hello, struct waiting *waiting,
          struct statgate_result *result)
{
    uint64_t deadline = sg_session_deadline(handle->timeout_ms);

    for (int denied = 0; denied < DENIED; denied++) {
        if (put(handle, lane, hello, (struct sg_slice){NULL, 0}, result) != 0)
            return result->exit;
        waiting->request = hello->request;
        while (waiting->answer == NULL && left_ms(deadline, SLICE_MS) > 0 &&
               !sg_wire_denied(handle->wire, lane))
            (void)hear(handle, left_ms(deadline, SLICE_MS), waiting);
        if (waiting->answer != NULL)
            return sg_session_done(result);
        if (left_ms(deadline, SLICE_MS) == 0)
            return sg_session_fail(result, SG_ERR_UNREACHABLE, NULL);
        uint64_t until = sg_session_deadline(SLICE_MS);
        while (left_ms(until, SLICE_MS) > 0)
            (void)hear(handle, left_ms(until, SLICE_MS), NULL);
        sg_session_renew(handle, lane);
    }
    return not_let_in(handle, result);
}

int
sg_session_greet(struct statgate *handle, enum sg_wire_lane lane,
                 struct statgate_result *result)
{
    static char feature[] = "ed25519";
    static char software[] = "libstatgate " SG_VERSION;
    char *features[] = {feature};
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Hello hello = SGPB__HELLO__INIT;
    Sgpb__RosterRef ref = SGPB__ROSTER_REF__INIT;
    struct waiting waiting = {0};
    struct sg_home *home = &handle->home;

    handle->credit[lane] = 0;
    hello.proto_min = hello.proto_max = 1;
    hello.software = software;
    hello.features = features;
    hello.n_features = 1;
    if (home->roster.doc != NULL) {
        ref.version = home->roster.doc->version;
        ref.sha256 = sg_codec_bytes(home->roster.sha256, 32);
        hello.roster = &ref;
    }
    hello.checkpoint = sg_codec_bytes(home->checkpoint, home->checkpoint_len);
    hello.time = sg_os_clock_wall_us();
    envelope.body_case = SGPB__ENVELOPE__BODY_HELLO;
    envelope.hello = &hello;
    if (say_hello(handle, lane, &envelope, &waiting, result) != 0 ||
        waiting.answer == NULL)
        return result->exit;
    if (waiting.answer->body_case == SGPB__ENVELOPE__BODY_REFUSED)
        return sg_session_refused(result, waiting.answer->refused);
    enum sg_err err =
        waiting.answer->body_case != SGPB__ENVELOPE__BODY_WELCOME
            ? SG_ERR_PEER_PROTO
            : welcome(handle, lane, waiting.answer->welcome, result);
    if (err != SG_OK)
        return sg_session_fail(result, err, NULL);
    handle->greeted[lane] = true;
    if (lane == SG_WIRE_DATA) {
        handle->greetings++;
        handle->owed_count = 0; // the gate asks for them when it begins again
    }
    return sg_session_done(result);
}

// ---- asking --------------------------------------------------------------------

// What brings credit is any answer.
bool
sg_session_credit(struct statgate *handle, enum sg_wire_lane lane, size_t bytes,
                  uint64_t deadline, struct statgate_result *result)
{
    while (handle->credit[lane] < bytes || !handle->greeted[lane]) {
        if (!handle->greeted[lane] &&
            sg_session_greet(handle, lane, result) != 0 &&
            (!sg_session_is(result, SG_ERR_UNREACHABLE) ||
             left_ms(deadline, 1) == 0))
            return false;
        if (handle->greeted[lane] && handle->credit[lane] >= bytes)
            break;
        Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
        Sgpb__CheckpointGet get = SGPB__CHECKPOINT_GET__INIT;
        envelope.body_case = SGPB__ENVELOPE__BODY_CHECKPOINT_GET;
        envelope.checkpoint_get = &get;
        if (put(handle, lane, &envelope, (struct sg_slice){NULL, 0}, result) !=
            0)
            return false;
        uint64_t until = sg_session_deadline(SLICE_MS);
        while (handle->credit[lane] < bytes && left_ms(until, SLICE_MS) > 0)
            (void)hear(handle, left_ms(until, SLICE_MS), NULL);
        if (handle->credit[lane] < bytes && left_ms(deadline, 1) == 0) {
            (void)sg_session_fail(result, SG_ERR_UNREACHABLE, NULL);
            return false;
        }
    }
    return true;
}

static bool
ask_once(struct statgate *handle, enum sg_wire_lane lane,
         Sgpb__Envelope *envelope, struct sg_slice payload,
         struct waiting *waiting, uint64_t deadline,
         struct statgate_result *result)
{
    uint64_t until = sg_session_deadline(AGAIN_MS);

    if (until > deadline)
        until = deadline;
    if (payload.len > 0 &&
        !sg_session_credit(handle, lane, payload.len, until, result))
        return false;
    if (sg_session_send(handle, lane, envelope, payload, result) != 0)
        return false;
    waiting->request = envelope->request;
    while (waiting->answer == NULL && !waiting->malformed &&
           left_ms(until, SLICE_MS) > 0 && handle->greeted[lane])
        (void)hear(handle, left_ms(until, SLICE_MS), waiting);
    return waiting->answer != NULL;
}

static bool
wants_hello(const Sgpb__Envelope *answer)
{
    return answer->body_case == SGPB__ENVELOPE__BODY_REFUSED &&
           answer->refused->place != NULL &&
           strcmp(answer->refused->place->component, "hello") == 0;
}

// The gate has answered too much of this participant: waits as long as it says.
// false: it is another answer, or there is not so much time.
static bool
waits_its_turn(struct statgate *handle, const Sgpb__Envelope *answer,
               uint64_t deadline)
{
    if (answer->body_case != SGPB__ENVELOPE__BODY_REFUSED ||
        strcmp(answer->refused->code, sg_err_code(SG_ERR_PEER_RATE)) != 0)
        return false;
    uint32_t wait = answer->refused->retry_after_ms;
    if (wait == 0 || wait >= left_ms(deadline, UINT32_MAX))
        return false;
    uint64_t until = sg_session_deadline(wait);
    while (left_ms(until, SLICE_MS) > 0)
        (void)sg_session_hear(handle, left_ms(until, SLICE_MS));
    return true;
}

int
sg_session_ask(struct statgate *handle, enum sg_wire_lane lane,
               Sgpb__Envelope *envelope, struct sg_slice payload,
               Sgpb__Envelope__BodyCase wanted, const Sgpb__Envelope **answer,
               struct statgate_result *result)
{
    uint64_t deadline = sg_session_deadline(handle->timeout_ms);
    struct waiting waiting = {0};

    *answer = NULL;
    for (int turn = 0; waiting.answer == NULL; turn++) {
        if (!handle->greeted[lane] &&
            sg_session_greet(handle, lane, result) != 0 &&
            !sg_session_is(result, SG_ERR_UNREACHABLE))
            return result->exit;
        if (!may_ask(handle, lane, envelope, result))
            return result->exit;
        if (handle->greeted[lane])
            (void)ask_once(handle, lane, envelope, payload, &waiting, deadline,
                           result);
        if (waiting.answer != NULL && wants_hello(waiting.answer)) {
            handle->greeted[lane] = false;
            waiting.answer = NULL;
            if (turn < TURNS)
                continue;
        }
        if (waiting.malformed)
            return sg_session_fail(result, SG_ERR_PEER_MALFORMED, "answer");
        if (waiting.answer != NULL &&
            waits_its_turn(handle, waiting.answer, deadline)) {
            waiting.answer = NULL;
            continue;
        }
        if (waiting.answer == NULL && left_ms(deadline, 1) == 0)
            return sg_session_fail(result, SG_ERR_UNREACHABLE, NULL);
        if (waiting.answer == NULL)
            sg_session_renew(handle, lane);
    }
    if (handle->behind)
        handle->greeted[lane] = false; // what it has now is another roster
    if (waiting.answer->body_case == SGPB__ENVELOPE__BODY_REFUSED)
        return sg_session_refused(result, waiting.answer->refused);
    if (wanted != 0 && waiting.answer->body_case != wanted)
        return sg_session_fail(result, SG_ERR_PEER_MALFORMED, "answer");
    *answer = waiting.answer;
    return sg_session_done(result);
}
