#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "adapters/client/wire.h"
#include "broker/base/crypto.h"
#include "broker/base/limits.h"

struct sg_wire {
    void *context;
    void *socket[SG_WIRE_LANES], *watch[SG_WIRE_LANES];
    bool denied[SG_WIRE_LANES];
    unsigned watches; // names that are not used twice
    char endpoint[SG_WIRE_LANES][256];
    struct sg_wire_options options;
    zmq_msg_t items, payload;
    bool held;
};

// Every default of libzmq that hurts is set, as the gate does on its side.
static bool
configure(void *socket, const struct sg_wire_options *options)
{
    static const struct {
        int option, value;
    } rows[] = {
        {ZMQ_LINGER, 0},
        {ZMQ_RCVHWM, (int)SG_LIMIT_HWM},
        {ZMQ_SNDHWM, (int)SG_LIMIT_HWM},
        {ZMQ_HANDSHAKE_IVL, SG_LIMIT_HANDSHAKE_MS},
        {ZMQ_HEARTBEAT_IVL, 15000},
        {ZMQ_HEARTBEAT_TIMEOUT, 45000},
        {ZMQ_RECONNECT_IVL, 50},
        {ZMQ_RECONNECT_IVL_MAX, 5000},
    };
    int64_t message_max = SG_LIMIT_ZMQ_MESSAGE;

    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        if (zmq_setsockopt(socket, rows[i].option, &rows[i].value,
                           sizeof rows[i].value) != 0)
            return false;
    }
    return zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &message_max,
                          sizeof message_max) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, options->server_key,
                          32) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, options->public_key,
                          32) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, options->secret_key,
                          32) == 0;
}

// A gate that does not let our key in says so in the handshake, and nothing
// more; libzmq tells it to a watcher only.
static bool
watch(struct sg_wire *wire, enum sg_wire_lane lane)
{
    char name[64];
    int none = 0;

    (void)snprintf(name, sizeof name, "inproc://watch-%u", wire->watches++);
    wire->denied[lane] = false;
    wire->watch[lane] = zmq_socket(wire->context, ZMQ_PAIR);
    return wire->watch[lane] != NULL &&
           zmq_setsockopt(wire->watch[lane], ZMQ_LINGER, &none, sizeof none) ==
               0 &&
           zmq_socket_monitor(wire->socket[lane], name,
                              ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) == 0 &&
           zmq_connect(wire->watch[lane], name) == 0;
}

static void
look(struct sg_wire *wire, enum sg_wire_lane lane)
{
    uint8_t event[6], address[256];

    // Two frames an event: what happened, and to which address.
    while (zmq_recv(wire->watch[lane], event, sizeof event, ZMQ_DONTWAIT) >= 0)
        if (zmq_recv(wire->watch[lane], address, sizeof address,
                     ZMQ_DONTWAIT) >= 0)
            wire->denied[lane] = true;
}

static void
close_lane(struct sg_wire *wire, enum sg_wire_lane lane)
{
    if (wire->socket[lane] != NULL) {
        (void)zmq_socket_monitor(wire->socket[lane], NULL, 0);
        zmq_close(wire->socket[lane]);
    }
    if (wire->watch[lane] != NULL)
        zmq_close(wire->watch[lane]);
    wire->socket[lane] = wire->watch[lane] = NULL;
}

static enum sg_err
connect_lane(struct sg_wire *wire, enum sg_wire_lane lane)
{
    wire->socket[lane] = zmq_socket(wire->context, ZMQ_DEALER);
    if (wire->socket[lane] == NULL)
        return SG_ERR_MEMORY;
    if (!configure(wire->socket[lane], &wire->options) || !watch(wire, lane) ||
        zmq_connect(wire->socket[lane], wire->endpoint[lane]) != 0)
        return SG_ERR_IO;
    return SG_OK;
}

static void
drop_held(struct sg_wire *wire)
{
    if (!wire->held)
        return;
    zmq_msg_close(&wire->items);
    zmq_msg_close(&wire->payload);
    wire->held = false;
}

enum sg_err
sg_wire_open(const struct sg_wire_options *options, struct sg_wire **wire)
{
    enum sg_err err = SG_OK;
    struct sg_wire *made = calloc(1, sizeof *made);

    *wire = NULL;
    if (made == NULL)
        return SG_ERR_MEMORY;
    made->options = *options;
    made->context = zmq_ctx_new();
    if (made->context == NULL)
        err = SG_ERR_MEMORY;
    for (int lane = 0; lane < SG_WIRE_LANES && err == SG_OK; lane++) {
        int len = snprintf(made->endpoint[lane], sizeof made->endpoint[lane],
                           "%s", options->endpoint[lane]);
        err = len < 0 || (size_t)len >= sizeof made->endpoint[lane]
                  ? SG_ERR_FULL
                  : connect_lane(made, (enum sg_wire_lane)lane);
    }
    if (err != SG_OK)
        sg_wire_close(&made);
    *wire = made;
    return err;
}

void
sg_wire_close(struct sg_wire **wire)
{
    if (*wire == NULL)
        return;
    drop_held(*wire);
    for (int lane = 0; lane < SG_WIRE_LANES; lane++)
        close_lane(*wire, (enum sg_wire_lane)lane);
    if ((*wire)->context != NULL)
        (void)zmq_ctx_term((*wire)->context);
    sg_crypto_wipe(*wire, sizeof **wire);
    free(*wire);
    *wire = NULL;
}

enum sg_err
sg_wire_reset(struct sg_wire *wire, enum sg_wire_lane lane)
{
    close_lane(wire, lane);
    return connect_lane(wire, lane);
}

bool
sg_wire_denied(struct sg_wire *wire, enum sg_wire_lane lane)
{
    if (wire->watch[lane] != NULL)
        look(wire, lane);
    return wire->denied[lane];
}

// Waits for the lane to take or give a message, whatever signals come.
static bool
ready(void *socket, short events, uint32_t timeout_ms)
{
    zmq_pollitem_t item = {.socket = socket, .events = events};

    return zmq_poll(&item, 1, (long)timeout_ms) > 0;
}

enum sg_err
sg_wire_send(struct sg_wire *wire, enum sg_wire_lane lane,
             struct sg_slice items, struct sg_slice payload,
             uint32_t timeout_ms)
{
    void *socket = wire->socket[lane];

    if (!ready(socket, ZMQ_POLLOUT, timeout_ms))
        return SG_ERR_UNREACHABLE;
    if (zmq_send(socket, items.ptr, items.len,
                 ZMQ_DONTWAIT | (payload.len > 0 ? ZMQ_SNDMORE : 0)) < 0)
        return SG_ERR_UNREACHABLE;
    // The second part of a message that was begun always finds room; when the
    // connection has gone meanwhile, the first is taken back.
    if (payload.len > 0 &&
        zmq_send(socket, payload.ptr, payload.len, ZMQ_DONTWAIT) < 0)
        return SG_ERR_UNREACHABLE;
    return SG_OK;
}

static enum sg_err
take(struct sg_wire *wire, enum sg_wire_lane lane,
     struct sg_wire_message *message)
{
    int frames = 0;
    bool more = true;

    (void)zmq_msg_init(&wire->items);
    (void)zmq_msg_init(&wire->payload);
    wire->held = true;
    while (more) {
        zmq_msg_t extra;
        zmq_msg_t *to = frames == 0   ? &wire->items
                        : frames == 1 ? &wire->payload
                                      : &extra;
        if (to == &extra)
            (void)zmq_msg_init(&extra);
        if (zmq_msg_recv(to, wire->socket[lane],
                         frames == 0 ? ZMQ_DONTWAIT : 0) < 0)
            return SG_ERR_UNREACHABLE;
        more = zmq_msg_more(to) != 0;
        if (to == &extra)
            zmq_msg_close(&extra);
        frames++;
    }
    *message = (struct sg_wire_message){
        .lane = lane,
        .items = sg_slice_of(zmq_msg_data(&wire->items),
                             zmq_msg_size(&wire->items))};
    if (frames == 2)
        message->payload = sg_slice_of(zmq_msg_data(&wire->payload),
                                       zmq_msg_size(&wire->payload));
    return frames > 2 ? SG_ERR_PEER_MALFORMED : SG_OK;
}

enum sg_err
sg_wire_receive(struct sg_wire *wire, uint32_t timeout_ms,
                struct sg_wire_message *message)
{
    zmq_pollitem_t items[SG_WIRE_LANES];

    drop_held(wire);
    memset(items, 0, sizeof items);
    for (int lane = 0; lane < SG_WIRE_LANES; lane++) {
        items[lane].socket = wire->socket[lane];
        items[lane].events = ZMQ_POLLIN;
    }
    if (zmq_poll(items, SG_WIRE_LANES, (long)timeout_ms) <= 0)
        return SG_ERR_UNREACHABLE;
    for (int lane = 0; lane < SG_WIRE_LANES; lane++) {
        if ((items[lane].revents & ZMQ_POLLIN) != 0)
            return take(wire, (enum sg_wire_lane)lane, message);
    }
    return SG_ERR_UNREACHABLE;
}
