// zmtp - a peer that speaks ZMTP 3.0 with CURVE by hand (RFC 23, 26).
//
// libzmq writes the metadata of the handshake itself; a forger does not leave
// it that choice. So this one opens a plain TCP connection, says whatever it is
// told to in INITIATE, and sends frames one by one. Blocking, with a time limit
// for each read; a refusal is a value, a bug of the test an assert.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "broker/base/bytes.h"

enum { ZMTP_GREETING = 64, ZMTP_COMMAND = 4, ZMTP_LARGE = 2, ZMTP_MORE = 1 };
enum { ZMTP_WAIT_MS = 5000, ZMTP_META = 1024 };

struct zmtp {
    int fd;
    int wait_ms; // for one read; 0: ZMTP_WAIT_MS
    uint8_t public_key[32], secret[32], server[32];
    uint8_t own[32], own_secret[32]; // short-term, C'
    uint8_t theirs[32];              // short-term, S'
    uint8_t cookie[96];
    uint64_t nonce;
};

static inline bool
zmtp_write(struct zmtp *peer, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    while (len > 0) {
        ssize_t sent = send(peer->fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

static inline bool
zmtp_read(struct zmtp *peer, void *bytes, size_t len)
{
    uint8_t *at = bytes;

    while (len > 0) {
        ssize_t got = recv(peer->fd, at, len, 0);
        if (got <= 0)
            return false;
        at += got;
        len -= (size_t)got;
    }
    return true;
}

// flags: ZMTP_COMMAND, ZMTP_MORE.
static inline bool
zmtp_frame(struct zmtp *peer, uint8_t flags, const void *bytes, size_t len)
{
    uint8_t head[9] = {flags};
    struct sg_writer w = sg_writer_on(head + 1, 8);

    if (len < 256) {
        head[1] = (uint8_t)len;
        return zmtp_write(peer, head, 2) && zmtp_write(peer, bytes, len);
    }
    head[0] |= ZMTP_LARGE;
    sg_bytes_put_u64(&w, len);
    return zmtp_write(peer, head, 9) && zmtp_write(peer, bytes, len);
}

// The next frame; its length, or -1: closed, too long or too late.
static inline int
zmtp_hear(struct zmtp *peer, uint8_t *bytes, size_t cap)
{
    uint8_t head[9];
    uint64_t len;

    if (!zmtp_read(peer, head, 2))
        return -1;
    len = head[1];
    if ((head[0] & ZMTP_LARGE) != 0) {
        if (!zmtp_read(peer, head + 2, 7))
            return -1;
        len = sg_bytes_load_u64(head + 1);
    }
    return len <= cap && zmtp_read(peer, bytes, (size_t)len) ? (int)len : -1;
}

// where: "tcp://127.0.0.1:PORT".
static inline void
zmtp_dial(struct zmtp *peer, const char *where)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    int ms = peer->wait_ms == 0 ? ZMTP_WAIT_MS : peer->wait_ms;
    struct timeval wait = {ms / 1000, ms % 1000 * 1000};
    unsigned port;
    int yes = 1;

    assert_int_equal(sscanf(where, "tcp://127.0.0.1:%u", &port), 1);
    to.sin_port = htons((uint16_t)port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(peer->fd >= 0);
    assert_int_equal(
        setsockopt(peer->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
    assert_int_equal(
        setsockopt(peer->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait), 0);
    assert_int_equal(
        setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes), 0);
    assert_int_equal(connect(peer->fd, (struct sockaddr *)&to, sizeof to), 0);
}

static inline bool
zmtp_greet(struct zmtp *peer, const char *mechanism)
{
    uint8_t mine[ZMTP_GREETING] = {0xff}, yours[ZMTP_GREETING];

    mine[9] = 0x7f;
    mine[10] = 3;
    memcpy(mine + 12, mechanism, strlen(mechanism));
    return zmtp_write(peer, mine, sizeof mine) &&
           zmtp_read(peer, yours, sizeof yours) && yours[10] >= 3;
}

static inline void
zmtp_nonce(uint8_t nonce[24], const char *prefix, uint64_t number)
{
    memcpy(nonce, prefix, 16);
    sg_bytes_store_u64(nonce + 16, number);
}

static inline bool
zmtp_say_hello(struct zmtp *peer)
{
    static const uint8_t zeros[64];
    uint8_t body[200] = "\5HELLO\1", nonce[24];

    memcpy(body + 80, peer->own, 32);
    sg_bytes_store_u64(body + 112, ++peer->nonce);
    zmtp_nonce(nonce, "CurveZMQHELLO---", peer->nonce);
    assert_int_equal(crypto_box_easy(body + 120, zeros, sizeof zeros, nonce,
                                     peer->server, peer->own_secret),
                     0);
    return zmtp_frame(peer, ZMTP_COMMAND, body, sizeof body);
}

static inline bool
zmtp_hear_welcome(struct zmtp *peer)
{
    uint8_t body[256], nonce[24] = "WELCOME-", plain[128];

    if (zmtp_hear(peer, body, sizeof body) != 168 ||
        memcmp(body, "\7WELCOME", 8) != 0)
        return false;
    memcpy(nonce + 8, body + 8, 16);
    if (crypto_box_open_easy(plain, body + 24, 144, nonce, peer->server,
                             peer->own_secret) != 0)
        return false;
    memcpy(peer->theirs, plain, 32);
    memcpy(peer->cookie, plain + 32, 96);
    return true;
}

// meta: properties of RFC 23, as they go into INITIATE.
static inline bool
zmtp_initiate(struct zmtp *peer, const uint8_t *meta, size_t meta_len)
{
    uint8_t plain[128 + ZMTP_META], body[113 + 16 + sizeof plain];
    uint8_t vouch[64], nonce[24] = "VOUCH---";

    assert_true(meta_len <= ZMTP_META);
    memcpy(plain, peer->public_key, 32);
    randombytes_buf(nonce + 8, 16);
    memcpy(plain + 32, nonce + 8, 16);
    memcpy(vouch, peer->own, 32);
    memcpy(vouch + 32, peer->server, 32);
    assert_int_equal(crypto_box_easy(plain + 48, vouch, sizeof vouch, nonce,
                                     peer->theirs, peer->secret),
                     0);
    memcpy(plain + 128, meta, meta_len);
    memcpy(body, "\x08INITIATE", 9);
    memcpy(body + 9, peer->cookie, 96);
    sg_bytes_store_u64(body + 105, ++peer->nonce);
    zmtp_nonce(nonce, "CurveZMQINITIATE", peer->nonce);
    assert_int_equal(crypto_box_easy(body + 113, plain, 128 + meta_len, nonce,
                                     peer->theirs, peer->own_secret),
                     0);
    return zmtp_frame(peer, ZMTP_COMMAND, body, 113 + 16 + 128 + meta_len);
}

static inline size_t
zmtp_property(uint8_t *out, const char *name, const char *value)
{
    size_t name_len = strlen(name), len = strlen(value);
    struct sg_writer w = sg_writer_on(out, ZMTP_META);

    sg_bytes_put_u8(&w, (uint8_t)name_len);
    sg_bytes_put(&w, name, name_len);
    sg_bytes_put_u32(&w, (uint32_t)len);
    sg_bytes_put(&w, value, len);
    return w.len;
}

// The handshake as DEALER up to INITIATE, with these properties beside
// Socket-Type. false: it was cut off. The peer is to be closed in any case.
static inline bool
zmtp_knock(struct zmtp *peer, const char *where, const uint8_t *more,
           size_t more_len)
{
    uint8_t meta[ZMTP_META];
    size_t len = zmtp_property(meta, "Socket-Type", "DEALER");

    assert_true(len + more_len <= sizeof meta);
    if (more_len > 0)
        memcpy(meta + len, more, more_len);
    assert_int_equal(crypto_box_keypair(peer->own, peer->own_secret), 0);
    peer->nonce = 0;
    zmtp_dial(peer, where);
    return zmtp_greet(peer, "CURVE") && zmtp_say_hello(peer) &&
           zmtp_hear_welcome(peer) && zmtp_initiate(peer, meta, len + more_len);
}

// What the server says to INITIATE: "READY", "ERROR", or "" when it says
// nothing, or hangs up.
static inline const char *
zmtp_answer(struct zmtp *peer)
{
    uint8_t said[512];
    int len = zmtp_hear(peer, said, sizeof said);

    return len < 6                           ? ""
           : memcmp(said, "\5READY", 6) == 0 ? "READY"
           : memcmp(said, "\5ERROR", 6) == 0 ? "ERROR"
                                             : "?";
}

static inline bool
zmtp_open(struct zmtp *peer, const char *where, const uint8_t *more,
          size_t more_len)
{
    return zmtp_knock(peer, where, more, more_len) &&
           strcmp(zmtp_answer(peer), "READY") == 0;
}

// One frame of a message; more: others follow.
static inline bool
zmtp_send(struct zmtp *peer, bool more, const void *bytes, size_t len)
{
    static uint8_t body[300 * 1024], plain[sizeof body];
    uint8_t nonce[24];

    assert_true(len + 64 < sizeof body);
    plain[0] = more ? ZMTP_MORE : 0;
    memcpy(plain + 1, bytes, len);
    memcpy(body, "\7MESSAGE", 8);
    sg_bytes_store_u64(body + 8, ++peer->nonce);
    zmtp_nonce(nonce, "CurveZMQMESSAGEC", peer->nonce);
    assert_int_equal(crypto_box_easy(body + 16, plain, len + 1, nonce,
                                     peer->theirs, peer->own_secret),
                     0);
    return zmtp_frame(peer, 0, body, 16 + 16 + len + 1);
}

static inline void
zmtp_close(struct zmtp *peer)
{
    (void)close(peer->fd);
    peer->fd = -1;
}
