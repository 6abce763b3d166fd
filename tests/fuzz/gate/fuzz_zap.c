// Requests to the ZAP thread, any frames in any number: it answers each, and
// "200" only to the one key that it was told, asked for by CURVE.
//
// Input: frames, each a length byte and so many bytes; a length of 255 stands
// for a frame of 300.
#include <errno.h>
#include <zmq.h>

#include "broker/base/check.h"
#include "broker/base/crypto.h"
#include "broker/zap.h"
#include "tests/fuzz/proof/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAMES = 12, FRAME = 300, LONG = 255, ANSWER = 6, CURVE = 5, KEY = 6 };

struct asked {
    uint8_t bytes[FRAME];
    size_t len;
};

static const uint8_t admitted[1][32] = {{'k'}};

static void *
asker(void)
{
    static const char token[] = "0123456789abcdef0123456789abcdef";
    static void *socket;
    struct sg_zap *zap; // lives as long as we do
    int wait = 5000;

    if (socket != NULL)
        return socket;
    void *context = zmq_ctx_new();
    SG_ASSERT(sg_crypto_start() == SG_OK && context != NULL);
    SG_ASSERT(sg_zap_start(context, token, &zap) == SG_OK);
    SG_ASSERT(sg_zap_swap(zap, admitted, 1) == SG_OK);
    socket = zmq_socket(context, ZMQ_REQ);
    SG_ASSERT(socket != NULL);
    SG_ASSERT(zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait, sizeof wait) == 0);
    SG_ASSERT(zmq_connect(socket, "inproc://zeromq.zap.01") == 0);
    return socket;
}

static size_t
split(struct sg_slice all, struct asked frames[FRAMES])
{
    size_t count = 0;

    while (count < FRAMES && all.len > 0) {
        size_t len = all.ptr[0] == LONG ? FRAME : all.ptr[0];
        size_t have = all.len - 1 < len ? all.len - 1 : len;
        memset(frames[count].bytes, 0, FRAME);
        memcpy(frames[count].bytes, all.ptr + 1, have);
        frames[count++].len = len;
        all = sg_slice_of(all.ptr + 1 + have, all.len - 1 - have);
    }
    return count;
}

static bool
may_enter(const struct asked *frames, size_t count)
{
    return count == KEY + 1 && frames[CURVE].len == 5 &&
           memcmp(frames[CURVE].bytes, "CURVE", 5) == 0 &&
           frames[KEY].len == 32 &&
           memcmp(frames[KEY].bytes, admitted[0], 32) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct asked frames[FRAMES];
    uint8_t *made, answer[ANSWER][FRAME];
    void *socket = asker();
    int len[ANSWER];

    size_t count = split(seed_bytes(data, size, &made), frames);
    free(made);
    if (count == 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        int more = i + 1 < count ? ZMQ_SNDMORE : 0, sent;
        do
            sent = zmq_send(socket, frames[i].bytes, frames[i].len, more);
        while (sent < 0 && zmq_errno() == EINTR);
        SG_ASSERT(sent >= 0);
    }
    for (size_t i = 0; i < ANSWER; i++) {
        do // the fuzzer's own alarm comes between
            len[i] = zmq_recv(socket, answer[i], FRAME, 0);
        while (len[i] < 0 && zmq_errno() == EINTR);
        SG_ASSERT(len[i] >= 0);
    }
    SG_ASSERT(len[2] == 3);
    bool yes = memcmp(answer[2], "200", 3) == 0;
    SG_ASSERT(yes == may_enter(frames, count));
    SG_ASSERT(yes == (len[4] > 0)); // a name only for who may enter
    return 0;
}
