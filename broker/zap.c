#include "broker/zap.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "broker/base/encode.h"
#include "broker/base/table.h"
#include "broker/os/clock.h"
#include "broker/os/log.h"

enum {
    FRAMES = 7, // version, request, domain, address, identity, mechanism, key
    FRAME_MAX = 256,
    BACK_OFF_MAX = 1024,
    CONNECTED_MAX = 16384,
};

static const char endpoint[] = "inproc://zeromq.zap.01";

struct back_off {
    uint8_t key[32];
    uint64_t until_us;
};

struct sg_zap {
    void *socket;
    pthread_t thread;
    char token[SG_ZAP_TOKEN_LEN + 1];
    atomic_bool stopping;
    atomic_uint_fast64_t refused;

    pthread_cond_t given; // the first keys, or stopping
    pthread_mutex_t lock; // guards what follows; held for one look-up
    uint8_t (*keys)[32];  // NULL: none were given yet
    uint32_t count;
    struct back_off back_off[BACK_OFF_MAX];
    uint32_t back_offs;
    struct sg_table *connected; // keys since the last sg_zap_connected
};

struct frame {
    uint8_t bytes[FRAME_MAX];
    size_t len;
};

static bool
known(const struct sg_zap *zap, const uint8_t *key)
{
    uint32_t low = 0, high = zap->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = memcmp(zap->keys[middle], key, 32);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool
backed_off(struct sg_zap *zap, const uint8_t *key, uint64_t now_us)
{
    for (uint32_t i = 0; i < zap->back_offs; i++) {
        if (memcmp(zap->back_off[i].key, key, 32) == 0)
            return now_us < zap->back_off[i].until_us;
    }
    return false;
}

// Until the first keys were given nobody can be judged, and a refusal would end
// the peer's socket for good: libzmq does not connect again after a 400. So who
// knocks while the gate starts waits in the handshake.
static void
wait_for_keys(struct sg_zap *zap)
{
    pthread_mutex_lock(&zap->lock);
    while (zap->keys == NULL && !atomic_load(&zap->stopping))
        pthread_cond_wait(&zap->given, &zap->lock);
    pthread_mutex_unlock(&zap->lock);
}

// Status of RFC 27. 300: not now, connect again; for keys that are kept away for
// a while, since they may be innocent.
static const char *
status_of(struct sg_zap *zap, const uint8_t *key)
{
    uint64_t now_us = sg_os_clock_mono_us();
    const char *status = "200";

    pthread_mutex_lock(&zap->lock);
    if (!known(zap, key))
        status = "400";
    else if (backed_off(zap, key, now_us))
        status = "300";
    else // a full table only forgets whom to suspect
        (void)!sg_table_put(zap->connected, sg_slice_of(key, 32), 1);
    pthread_mutex_unlock(&zap->lock);
    return status;
}

// One request of at most FRAMES frames. False: the socket is closing.
static bool
receive(void *socket, struct frame *frames, int *count)
{
    int more = 1;

    *count = 0;
    while (more) {
        struct frame scratch;
        struct frame *to = *count < FRAMES ? &frames[*count] : &scratch;
        int len = zmq_recv(socket, to->bytes, FRAME_MAX, 0);
        if (len < 0 && zmq_errno() == EINTR)
            continue;
        if (len < 0)
            return false;
        to->len = (size_t)len > FRAME_MAX ? 0 : (size_t)len; // cut: unusable
        size_t size = sizeof more;
        if (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) != 0)
            return false;
        (*count)++;
    }
    return true;
}

// User-Id is the token and the key: our own proof that ZAP was asked, and the
// only name that a message carries (S01, S02). No other property is emitted.
static bool
answer(struct sg_zap *zap, const struct frame *request, const char *status,
       const uint8_t *key)
{
    char user[SG_ZAP_TOKEN_LEN + 1 + 40 + 1] = "";
    size_t user_len = 0;
    bool yes = status[0] == '2';

    if (yes) {
        memcpy(user, zap->token, SG_ZAP_TOKEN_LEN);
        user[SG_ZAP_TOKEN_LEN] = ':';
        sg_encode_z85(key, user + SG_ZAP_TOKEN_LEN + 1);
        user_len = sizeof user - 1;
    }
    const char *text = yes ? "OK" : "refused";
    return zmq_send(zap->socket, "1.0", 3, ZMQ_SNDMORE) >= 0 &&
           zmq_send(zap->socket, request->bytes, request->len, ZMQ_SNDMORE) >=
               0 &&
           zmq_send(zap->socket, status, 3, ZMQ_SNDMORE) >= 0 &&
           zmq_send(zap->socket, text, strlen(text), ZMQ_SNDMORE) >= 0 &&
           zmq_send(zap->socket, user, user_len, ZMQ_SNDMORE) >= 0 &&
           zmq_send(zap->socket, "", 0, 0) >= 0;
}

static void *
serve(void *argument)
{
    struct sg_zap *zap = (struct sg_zap *)argument;
    struct frame frames[FRAMES];
    int count;

    while (receive(zap->socket, frames, &count)) {
        bool curve = count == FRAMES && frames[5].len == 5 &&
                     memcmp(frames[5].bytes, "CURVE", 5) == 0 &&
                     frames[6].len == 32;
        const char *status = "400";
        if (curve) {
            wait_for_keys(zap);
            status = status_of(zap, frames[6].bytes);
        }
        if (status[0] != '2')
            atomic_fetch_add(&zap->refused, 1);
        if (!answer(zap, &frames[1], status, frames[6].bytes))
            break;
    }
    if (!atomic_load(&zap->stopping)) {
        sg_log(SG_LOG_ERROR, "zap.dead", NULL);
        abort(); // without us libzmq admits everybody
    }
    zmq_close(zap->socket);
    return NULL;
}

static void
release(struct sg_zap *zap)
{
    sg_table_free(&zap->connected);
    free(zap->keys);
    pthread_cond_destroy(&zap->given);
    pthread_mutex_destroy(&zap->lock);
    free(zap);
}

enum sg_err
sg_zap_start(void *context, const char *token, struct sg_zap **zap)
{
    enum sg_err err = SG_ERR_IO;
    int linger = 0;

    *zap = NULL;
    struct sg_zap *made = calloc(1, sizeof *made);
    if (made == NULL)
        return SG_ERR_MEMORY;
    SG_ASSERT(strlen(token) == SG_ZAP_TOKEN_LEN);
    memcpy(made->token, token, SG_ZAP_TOKEN_LEN);
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->given, NULL);
    made->connected = sg_table_new_own(CONNECTED_MAX);
    made->socket = zmq_socket(context, ZMQ_REP);
    if (made->connected == NULL || made->socket == NULL)
        goto out;
    (void)zmq_setsockopt(made->socket, ZMQ_LINGER, &linger, sizeof linger);
    // Bound here, not in the thread: when this returns, somebody answers.
    if (zmq_bind(made->socket, endpoint) != 0)
        goto out;
    if (pthread_create(&made->thread, NULL, serve, made) != 0)
        goto out;
    *zap = made;
    return SG_OK;

out:
    if (made->socket != NULL)
        zmq_close(made->socket);
    release(made);
    return err;
}

void
sg_zap_stop(struct sg_zap **zap)
{
    if (*zap == NULL)
        return;
    SG_ASSERT(atomic_load(&(*zap)->stopping));
    pthread_join((*zap)->thread, NULL);
    release(*zap);
    *zap = NULL;
}

void
sg_zap_stopping(struct sg_zap *zap)
{
    pthread_mutex_lock(&zap->lock);
    atomic_store(&zap->stopping, true);
    pthread_cond_broadcast(&zap->given);
    pthread_mutex_unlock(&zap->lock);
}

enum sg_err
sg_zap_swap(struct sg_zap *zap, const uint8_t (*keys)[32], uint32_t count)
{
    uint8_t(*copy)[32] = calloc(count == 0 ? 1 : count, sizeof *copy);
    if (copy == NULL)
        return SG_ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        SG_ASSERT(i == 0 || memcmp(keys[i - 1], keys[i], 32) < 0);
        memcpy(copy[i], keys[i], 32);
    }
    pthread_mutex_lock(&zap->lock);
    uint8_t(*old)[32] = zap->keys;
    zap->keys = copy;
    zap->count = count;
    pthread_cond_broadcast(&zap->given);
    pthread_mutex_unlock(&zap->lock);
    free(old);
    return SG_OK;
}

void
sg_zap_back_off(struct sg_zap *zap, const uint8_t key[32], uint64_t until_us,
                uint64_t now_us)
{
    pthread_mutex_lock(&zap->lock);
    uint32_t place = zap->back_offs, earliest = 0;
    for (uint32_t i = 0; i < zap->back_offs; i++) {
        if (memcmp(zap->back_off[i].key, key, 32) == 0) {
            place = i;
            break;
        }
        if (zap->back_off[i].until_us <= now_us)
            place = i;
        if (zap->back_off[i].until_us < zap->back_off[earliest].until_us)
            earliest = i;
    }
    if (place == BACK_OFF_MAX)
        place = earliest;
    else if (place == zap->back_offs)
        zap->back_offs++;
    memcpy(zap->back_off[place].key, key, 32);
    zap->back_off[place].until_us = until_us;
    pthread_mutex_unlock(&zap->lock);
}

uint32_t
sg_zap_connected(struct sg_zap *zap, uint8_t (*keys)[32], uint32_t cap)
{
    uint32_t at = 0, count = 0;
    struct sg_slice key;
    uint64_t value;

    pthread_mutex_lock(&zap->lock);
    while (count < cap && sg_table_next(zap->connected, &at, &key, &value))
        memcpy(keys[count++], key.ptr, 32);
    sg_table_clear(zap->connected);
    pthread_mutex_unlock(&zap->lock);
    return count;
}

uint64_t
sg_zap_refused(struct sg_zap *zap)
{
    return atomic_load(&zap->refused);
}
