#include "broker/wire_zmq.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "broker/base/crypto.h"
#include "broker/base/encode.h"
#include "broker/base/limits.h"
#include "broker/os/log.h"
#include "broker/wire_guard.h"
#include "broker/zap.h"

enum { SLOTS = 256, FDS = 64, BACKLOG = 4096 };

struct sg_wire_held {
    zmq_msg_t message;
};

struct slot {
    zmq_msg_t items, payload;
    bool used;
};

struct sg_wire {
    void *context;
    struct sg_zap *zap;
    void *socket[SG_WIRE_LANES];
    char endpoint[SG_WIRE_LANES][128];
    struct sg_wire_options options;
    struct slot slot[SLOTS];
    uint32_t slots; // in use
    struct sg_wire_guard guard;
    struct sg_wire_counts counts;
};

static bool
set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

// Every default of libzmq that hurts is set here; reasons: reliability.md 0, D.
static bool
configure(void *socket, const struct sg_wire_options *options)
{
    static const struct {
        int option, value;
    } rows[] = {
        {ZMQ_LINGER, 0},
        {ZMQ_ROUTER_MANDATORY, 1}, // a lost peer is an error, not silence
        {ZMQ_ROUTER_HANDOVER, 0},  // nobody takes over another's routing id
        {ZMQ_RCVHWM, (int)SG_LIMIT_HWM},
        {ZMQ_SNDHWM, (int)SG_LIMIT_HWM},
        {ZMQ_BACKLOG, BACKLOG},
        {ZMQ_HANDSHAKE_IVL, SG_LIMIT_HANDSHAKE_MS},
        {ZMQ_HEARTBEAT_IVL, 15000},
        {ZMQ_HEARTBEAT_TIMEOUT, 45000},
        {ZMQ_CURVE_SERVER, 1},
    };
    int64_t message_max = SG_LIMIT_ZMQ_MESSAGE;

    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        if (!set_int(socket, rows[i].option, rows[i].value))
            return false;
    }
    return zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &message_max,
                          sizeof message_max) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, options->secret_key,
                          32) == 0 &&
           zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, "statgate", 8) == 0;
}

// After a reset the old endpoint may need a moment to become free.
static bool
bind_lane(struct sg_wire *wire, int lane, const char *endpoint)
{
    size_t size = sizeof wire->endpoint[lane];

    wire->socket[lane] = zmq_socket(wire->context, ZMQ_ROUTER);
    if (wire->socket[lane] == NULL ||
        !configure(wire->socket[lane], &wire->options))
        return false;
    for (int tries = 0; zmq_bind(wire->socket[lane], endpoint) != 0; tries++) {
        if (tries == 100 || zmq_errno() != EADDRINUSE) {
            sg_log(SG_LOG_ERROR, "gate.bind", "endpoint", endpoint, "reason",
                   zmq_strerror(zmq_errno()), "cure",
                   "write an address of this machine that is free into "
                   "gate.conf: control, or data",
                   NULL);
            return false;
        }
        (void)zmq_poll(NULL, 0, 10);
    }
    return zmq_getsockopt(wire->socket[lane], ZMQ_LAST_ENDPOINT,
                          wire->endpoint[lane], &size) == 0;
}

static bool
bind_all(struct sg_wire *wire, bool again)
{
    for (int lane = 0; lane < SG_WIRE_LANES; lane++) {
        char endpoint[sizeof wire->endpoint[0]];
        (void)snprintf(endpoint, sizeof endpoint, "%s",
                       again ? wire->endpoint[lane]
                             : wire->options.endpoint[lane]);
        if (!bind_lane(wire, lane, endpoint))
            return false;
    }
    return true;
}

static void
unbind_all(struct sg_wire *wire)
{
    for (int lane = 0; lane < SG_WIRE_LANES; lane++) {
        if (wire->socket[lane] != NULL)
            zmq_close(wire->socket[lane]);
        wire->socket[lane] = NULL;
    }
}

enum sg_err
sg_wire_open(const struct sg_wire_options *options, struct sg_wire **wire)
{
    enum sg_err err = SG_ERR_IO;

    *wire = NULL;
    struct sg_wire *made = calloc(1, sizeof *made);
    if (made == NULL)
        return SG_ERR_MEMORY;
    made->options = *options;
    made->context = zmq_ctx_new();
    if (made->context == NULL)
        goto out;
    (void)zmq_ctx_set(made->context, ZMQ_IO_THREADS, 1);
    // ZAP first: a server socket without it would let everybody in (S01).
    err = sg_zap_start(made->context, options->token, &made->zap);
    if (err != SG_OK)
        goto out;
    err = SG_ERR_IO;
    if (!bind_all(made, false))
        goto out;
    *wire = made;
    return SG_OK;

out:
    sg_wire_close(&made);
    return err;
}

static void
drop_slots(struct sg_wire *wire)
{
    for (uint32_t i = 0; i < wire->slots; i++) {
        zmq_msg_close(&wire->slot[i].items);
        zmq_msg_close(&wire->slot[i].payload);
    }
    wire->slots = 0;
}

void
sg_wire_close(struct sg_wire **wire)
{
    if (*wire == NULL)
        return;
    drop_slots(*wire);
    unbind_all(*wire);
    if ((*wire)->zap != NULL)
        sg_zap_stopping((*wire)->zap);
    if ((*wire)->context != NULL)
        (void)zmq_ctx_shutdown((*wire)->context);
    sg_zap_stop(&(*wire)->zap);
    if ((*wire)->context != NULL)
        (void)zmq_ctx_term((*wire)->context);
    sg_crypto_wipe(*wire, sizeof **wire);
    free(*wire);
    *wire = NULL;
}

const char *
sg_wire_endpoint(const struct sg_wire *wire, enum sg_wire_lane lane)
{
    SG_ASSERT((unsigned)lane < SG_WIRE_LANES);
    return wire->endpoint[lane];
}

enum sg_err
sg_wire_admit(struct sg_wire *wire, const uint8_t (*keys)[32], uint32_t count)
{
    return sg_zap_swap(wire->zap, keys, count);
}

bool
sg_wire_wait(struct sg_wire *wire, const int *fds, bool *ready, uint32_t count,
             uint32_t timeout_ms)
{
    zmq_pollitem_t items[SG_WIRE_LANES + FDS];
    bool message = false;

    SG_ASSERT(count <= FDS);
    memset(items, 0, sizeof items);
    for (int lane = 0; lane < SG_WIRE_LANES; lane++) {
        items[lane].socket = wire->socket[lane];
        items[lane].events = ZMQ_POLLIN;
    }
    for (uint32_t i = 0; i < count; i++) {
        items[SG_WIRE_LANES + i].fd = fds[i];
        items[SG_WIRE_LANES + i].events = ZMQ_POLLIN;
        ready[i] = false;
    }
    if (zmq_poll(items, (int)(SG_WIRE_LANES + count), (long)timeout_ms) <= 0)
        return false;
    for (int lane = 0; lane < SG_WIRE_LANES; lane++)
        message |= (items[lane].revents & ZMQ_POLLIN) != 0;
    for (uint32_t i = 0; i < count; i++)
        ready[i] = items[SG_WIRE_LANES + i].revents != 0;
    return message;
}

// User-Id is "token:z85 key", made by our ZAP thread. Everything else that a
// peer may have written into the metadata is never read.
static bool
sender(const struct sg_wire *wire, zmq_msg_t *message, uint8_t key[32])
{
    const char *user = zmq_msg_gets(message, "User-Id");

    return user != NULL && strlen(user) == SG_ZAP_TOKEN_LEN + 1 + 40 &&
           sg_crypto_equal(user, wire->options.token, SG_ZAP_TOKEN_LEN) &&
           user[SG_ZAP_TOKEN_LEN] == ':' &&
           sg_encode_unz85(sg_slice_of(user + SG_ZAP_TOKEN_LEN + 1, 40), key);
}

// One message off the socket into a slot. Frames beyond the second are read and
// thrown away one by one. Returns false when nothing is waiting.
static bool
take(struct sg_wire *wire, int lane, struct slot *slot,
     struct sg_wire_message *out)
{
    zmq_msg_t route;
    int frames = 0;

    memset(out, 0, sizeof *out);
    (void)zmq_msg_init(&route);
    if (zmq_msg_recv(&route, wire->socket[lane], ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&route);
        return false;
    }
    size_t len = zmq_msg_size(&route);
    if (len >= 1 && len < sizeof out->from.bytes) {
        out->from.len = (uint8_t)(len + 1);
        out->from.bytes[0] = (uint8_t)lane;
        memcpy(out->from.bytes + 1, zmq_msg_data(&route), len);
    }
    bool more = zmq_msg_more(&route) != 0;
    zmq_msg_close(&route);

    (void)zmq_msg_init(&slot->items);
    (void)zmq_msg_init(&slot->payload);
    while (more) {
        zmq_msg_t extra;
        zmq_msg_t *to = frames == 0   ? &slot->items
                        : frames == 1 ? &slot->payload
                                      : &extra;
        if (to == &extra)
            (void)zmq_msg_init(&extra);
        // The parts of a message arrive together: this does not block.
        if (zmq_msg_recv(to, wire->socket[lane], 0) < 0)
            break;
        more = zmq_msg_more(to) != 0;
        if (to == &extra)
            zmq_msg_close(&extra);
        frames++;
    }
    out->items =
        sg_slice_of(zmq_msg_data(&slot->items), zmq_msg_size(&slot->items));
    if (frames >= 2) // without one the pointer says so (items.h)
        out->payload = sg_slice_of(zmq_msg_data(&slot->payload),
                                   zmq_msg_size(&slot->payload));
    out->malformed = frames == 0 || frames > 2 || out->items.len == 0;
    return true;
}

uint32_t
sg_wire_receive(struct sg_wire *wire, struct sg_wire_message *messages,
                uint32_t cap)
{
    uint32_t count = 0;
    uint32_t looked = 0; // dropped messages cost turns too

    drop_slots(wire);
    SG_ASSERT(cap <= SLOTS);
    for (int lane = 0; lane < SG_WIRE_LANES; lane++) {
        for (; count < cap && looked < 2 * SLOTS; looked++) {
            struct slot *slot = &wire->slot[count];
            struct sg_wire_message *message = &messages[count];
            if (!take(wire, lane, slot, message))
                break;
            if (message->from.len == 0 ||
                !sender(wire, &slot->items, message->key)) {
                wire->counts.dropped++;
                zmq_msg_close(&slot->items);
                zmq_msg_close(&slot->payload);
                continue;
            }
            wire->counts.malformed += message->malformed;
            sg_wire_guard_saw(&wire->guard, message->key,
                              message->items.len + message->payload.len);
            message->slot = count;
            wire->slots = ++count;
        }
    }
    return count;
}

struct sg_wire_held *
sg_wire_hold(struct sg_wire *wire, uint32_t slot, struct sg_slice *payload)
{
    SG_ASSERT(slot < wire->slots);
    struct sg_wire_held *held = malloc(sizeof *held);
    if (held == NULL)
        return NULL;
    (void)zmq_msg_init(&held->message);
    (void)zmq_msg_move(&held->message, &wire->slot[slot].payload);
    *payload =
        sg_slice_of(zmq_msg_data(&held->message), zmq_msg_size(&held->message));
    return held;
}

void
sg_wire_release(struct sg_wire_held **held)
{
    if (*held == NULL)
        return;
    zmq_msg_close(&(*held)->message);
    free(*held);
    *held = NULL;
}

static enum sg_err
send_error(void)
{
    return zmq_errno() == EHOSTUNREACH ? SG_ERR_UNREACHABLE : SG_ERR_BUSY;
}

enum sg_err
sg_wire_send(struct sg_wire *wire, const struct sg_wire_routing *to,
             struct sg_slice items, size_t payload_len, sg_wire_fill *fill,
             void *context)
{
    zmq_msg_t payload;

    SG_ASSERT(to->len >= 2 && to->bytes[0] < SG_WIRE_LANES);
    SG_ASSERT(items.len > 0 && items.len <= SG_LIMIT_FRAME);
    void *socket = wire->socket[to->bytes[0]];
    if (payload_len > 0) {
        // Filled first: once the routing id is handed over there is no way back.
        if (zmq_msg_init_size(&payload, payload_len) != 0)
            return SG_ERR_MEMORY;
        if (!fill(context, (uint8_t *)zmq_msg_data(&payload), payload_len)) {
            zmq_msg_close(&payload);
            return SG_ERR_CORRUPT;
        }
    }
    const int more = ZMQ_SNDMORE | ZMQ_DONTWAIT;
    if (zmq_send(socket, to->bytes + 1, (size_t)to->len - 1, more) < 0 ||
        zmq_send(socket, items.ptr, items.len,
                 payload_len > 0 ? more : ZMQ_DONTWAIT) < 0 ||
        (payload_len > 0 && zmq_msg_send(&payload, socket, ZMQ_DONTWAIT) < 0)) {
        enum sg_err err = send_error();
        if (payload_len > 0)
            zmq_msg_close(&payload);
        return err;
    }
    return SG_OK;
}

bool
sg_wire_guard(struct sg_wire *wire, uint64_t rss, uint64_t now_us, bool *found,
              uint8_t suspect[32])
{
    *found = false;
    sg_wire_guard_tick(&wire->guard, now_us);
    if (rss <= wire->options.rss_soft)
        return false;
    wire->guard.connected = sg_zap_connected(
        wire->zap, wire->guard.connected_keys, SG_WIRE_GUARD_SUSPECTS);
    uint32_t count = sg_wire_guard_reset(&wire->guard, now_us, found);
    for (uint32_t i = 0; i < count; i++)
        sg_zap_back_off(wire->zap, wire->guard.keep_out[i],
                        wire->guard.until_us, now_us);
    if (*found)
        memcpy(suspect, wire->guard.keep_out[0], 32);
    // Slots, and with them parts of messages that will never be whole, go too.
    drop_slots(wire);
    unbind_all(wire);
    (void)malloc_trim(0);
    if (!bind_all(wire, true))
        abort(); // a gate without a door cannot serve; the unit restarts it
    (void)malloc_trim(0);
    wire->counts.resets++;
    return true;
}

struct sg_wire_counts
sg_wire_counts(const struct sg_wire *wire)
{
    struct sg_wire_counts counts = wire->counts;

    counts.refused = sg_zap_refused(wire->zap);
    return counts;
}
