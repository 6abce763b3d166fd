// Who is behind a message: what a peer writes about itself is never believed,
// with ZAP alive, dead, or not yet told whom to admit (S01). Both files are
// compiled in, so that the thread can be ended here and nowhere else.
#include "broker/wire_zmq.c" // NOLINT(bugprone-suspicious-include)

#include <stdatomic.h>

// What becomes of the thread at its next wait for a request.
enum zap_fate { ZAP_LIVES, ZAP_HANGS, ZAP_DIES };
static _Atomic enum zap_fate zap_fate;

static int
recv_or_end(void *socket, void *bytes, size_t len, int flags)
{
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    while (zap_fate != ZAP_DIES) {
        int ready = zmq_poll(&item, 1, 20);
        if (ready != 0 && zap_fate == ZAP_LIVES)
            return zmq_recv(socket, bytes, len, flags);
    }
    // At once, where closing alone leaves it to another thread.
    (void)zmq_unbind(socket, "inproc://zeromq.zap.01");
    return -1;
}
#define zmq_recv recv_or_end
#include "broker/zap.c" // NOLINT(bugprone-suspicious-include)
#undef zmq_recv

#include "broker/os/process.h"
#include "broker/os/random.h"
#include "tests/e2e/zmtp.h"

enum { TRIES_MS = 10000, RANDOM_IDS = 64, ABORTED = 128 + 6 };

static const char token[] = "00112233445566778899aabbccddeeff";

struct keys {
    uint8_t server[32], server_secret[32], peer[1][32], peer_secret[32];
};

static int
setup(void **state)
{
    static struct keys keys;
    assert_int_equal(sg_crypto_start(), SG_OK);
    sg_os_random_fill(keys.server_secret, 32);
    sg_os_random_fill(keys.peer_secret, 32);
    sg_crypto_curve_public(keys.server_secret, keys.server);
    sg_crypto_curve_public(keys.peer_secret, keys.peer[0]);
    *state = &keys;
    return 0;
}

static struct sg_wire_options
options_of(const struct keys *keys)
{
    struct sg_wire_options options = {
        .endpoint = {"tcp://127.0.0.1:*", "tcp://127.0.0.1:*"},
        .rss_soft = UINT64_MAX};
    memcpy(options.public_key, keys->server, 32);
    memcpy(options.secret_key, keys->server_secret, 32);
    memcpy(options.token, token, sizeof token);
    return options;
}

static struct sg_wire *
open_wire(const struct keys *keys, bool admit)
{
    struct sg_wire_options options = options_of(keys);
    struct sg_wire *wire;
    assert_int_equal(sg_wire_open(&options, &wire), SG_OK);
    if (admit)
        assert_int_equal(sg_wire_admit(wire, keys->peer, 1), SG_OK);
    return wire;
}

// Sockets that were bound with nobody to ask.
static struct sg_wire *
open_without_zap(const struct keys *keys)
{
    struct sg_wire *wire = calloc(1, sizeof *wire);
    assert_non_null(wire);
    wire->options = options_of(keys);
    wire->context = zmq_ctx_new();
    assert_true(bind_all(wire, false));
    return wire;
}

// Its thread ends, as asked for, and its socket is gone: libzmq finds nobody.
static void
end_zap(struct sg_wire *wire)
{
    sg_zap_stopping(wire->zap);
    zap_fate = ZAP_DIES;
    sg_zap_stop(&wire->zap);
    zap_fate = ZAP_LIVES;
}

// Messages until one came that passes, or as many were dropped as wanted.
static uint32_t
receive_some(struct sg_wire *wire, uint64_t dropped, uint8_t key[32])
{
    uint64_t end_us = sg_os_clock_mono_us() + TRIES_MS * 1000ull;
    struct sg_wire_message message[4];
    while (sg_os_clock_mono_us() < end_us && wire->counts.dropped < dropped) {
        (void)sg_wire_wait(wire, NULL, NULL, 0, 20);
        uint32_t count = sg_wire_receive(wire, message, 4);
        if (count > 0) {
            memcpy(key, message[0].key, 32);
            return count;
        }
    }
    return 0;
}

// A peer that says these properties of itself and then sends a message.
static bool
forge(const struct keys *keys, const struct sg_wire *wire, struct zmtp *peer,
      const uint8_t *meta, size_t len)
{
    memcpy(peer->public_key, keys->peer[0], 32);
    memcpy(peer->secret, keys->peer_secret, 32);
    memcpy(peer->server, keys->server, 32);
    return zmtp_open(peer, wire->endpoint[SG_WIRE_DATA], meta, len) &&
           zmtp_send(peer, false, "publish", 7);
}

static bool
forge_user(const struct keys *keys, const struct sg_wire *wire,
           struct zmtp *peer, const char *user)
{
    uint8_t meta[ZMTP_META];
    return forge(keys, wire, peer, meta, zmtp_property(meta, "User-Id", user));
}

// A participant's id; a key as ZAP would write it; the same behind a token that
// is not ours; and 64 random ones of the right form.
static void
forged_name(unsigned i, const struct keys *keys, char out[80])
{
    uint8_t random[16];
    char z85[41], hex[33];
    sg_encode_z85(keys->peer[0], z85);
    sg_os_random_fill(random, sizeof random);
    sg_encode_hex(random, sizeof random, hex);
    (void)snprintf(out, 80, "%s%s%s", i == 0 || i == 1 ? "" : hex,
                   i < 2 ? "" : ":", i == 0 ? "KE_KNBS" : z85);
}

static void
no_forged_name_gets_through(const struct keys *keys, struct sg_wire *wire)
{
    uint8_t key[32];
    for (unsigned i = 0; i < RANDOM_IDS + 3; i++) {
        struct zmtp peer = {.fd = -1};
        char name[80];
        forged_name(i, keys, name);
        bool arrived = i == RANDOM_IDS + 2
                           ? forge(keys, wire, &peer, NULL, 0)
                           : forge_user(keys, wire, &peer, name);
        assert_true(arrived); // libzmq lets everybody in: the second line holds
        assert_int_equal(receive_some(wire, i + 1, key), 0);
        assert_int_equal(wire->counts.dropped, i + 1);
        zmtp_close(&peer);
    }
    // The forgery itself works: with the secret of this run it would pass.
    struct zmtp peer = {.fd = -1};
    char name[80], z85[41];
    sg_encode_z85(keys->peer[0], z85);
    (void)snprintf(name, sizeof name, "%s:%s", token, z85);
    assert_true(forge_user(keys, wire, &peer, name));
    assert_int_equal(receive_some(wire, UINT64_MAX, key), 1);
    zmtp_close(&peer);
}

static void
without_zap_no_message_reaches_the_core(void **state)
{
    struct sg_wire *wire = open_without_zap(*state);
    no_forged_name_gets_through(*state, wire);
    sg_wire_close(&wire);
}

static void
after_the_end_of_zap_no_message_reaches_the_core(void **state)
{
    struct sg_wire *wire = open_wire(*state, true);
    end_zap(wire);
    no_forged_name_gets_through(*state, wire);
    sg_wire_close(&wire);
}

static void
with_a_zap_that_hangs_nobody_gets_in(void **state)
{
    struct sg_wire *wire = open_wire(*state, true);
    struct zmtp peer = {.fd = -1, .wait_ms = 300};
    uint8_t key[32];
    zap_fate = ZAP_HANGS;
    assert_false(forge_user(*state, wire, &peer, "KE_KNBS"));
    (void)sg_wire_wait(wire, NULL, NULL, 0, 20);
    assert_int_equal(receive_some(wire, 0, key), 0);
    zmtp_close(&peer);
    zap_fate = ZAP_LIVES;
    sg_wire_close(&wire);
}

// The same peer, admitted: whatever it writes, its key is what counts.
static void
what_a_peer_says_of_itself_is_never_read(void **state)
{
    static const char *const names[] = {"User-Id", "X-Key-Epoch", "Identity",
                                        "Peer-Address"};
    const struct keys *keys = *state;
    struct sg_wire *wire = open_wire(keys, true);
    for (size_t i = 0; i < SG_COUNT_OF(names); i++) {
        struct zmtp peer = {.fd = -1};
        uint8_t meta[ZMTP_META], key[32] = {0};
        size_t len = zmtp_property(meta, names[i], "UG_UBOS");
        assert_true(forge(keys, wire, &peer, meta, len));
        assert_int_equal(receive_some(wire, 1, key), 1);
        assert_memory_equal(key, keys->peer[0], 32);
        zmtp_close(&peer);
    }
    sg_wire_close(&wire);
}

static void
the_end_of_zap_is_the_end_of_the_gate(void **state)
{
    int pid, status = 0;
    assert_int_equal(sg_os_process_fork(&pid), SG_OK);
    if (pid == 0) {
        struct sg_wire *wire = open_wire(*state, true);
        zap_fate = ZAP_DIES; // not asked to stop
        (void)pthread_join(wire->zap->thread, NULL);
        _exit(0);
    }
    assert_true(sg_os_process_wait(pid, TRIES_MS, &status));
    assert_int_equal(status, ABORTED);
}

// ---- who is not let in, and how ------------------------------------------------

static void
knock(const struct keys *keys, const struct sg_wire *wire, struct zmtp *peer)
{
    memcpy(peer->public_key, keys->peer[0], 32);
    memcpy(peer->secret, keys->peer_secret, 32);
    memcpy(peer->server, keys->server, 32);
    assert_true(zmtp_knock(peer, wire->endpoint[SG_WIRE_DATA], NULL, 0));
}

// A gate that starts is bound before it knows its roster: peers that wait for
// it must not be sent away.
static void
who_knocks_before_the_keys_are_there_is_let_in_when_they_are(void **state)
{
    const struct keys *keys = *state;
    struct sg_wire *wire = open_wire(keys, false);
    struct zmtp peer = {.fd = -1, .wait_ms = 200};
    uint8_t key[32];
    knock(keys, wire, &peer);
    assert_string_equal(zmtp_answer(&peer), "");
    assert_int_equal(sg_wire_admit(wire, keys->peer, 1), SG_OK);
    for (int i = 0; i < 25 && strcmp(zmtp_answer(&peer), "READY") != 0; i++)
        ;
    assert_true(zmtp_send(&peer, false, "hello", 5));
    assert_int_equal(receive_some(wire, 1, key), 1);
    assert_memory_equal(key, keys->peer[0], 32);
    assert_int_equal(sg_wire_counts(wire).refused, 0);
    zmtp_close(&peer);
    sg_wire_close(&wire);
}

static void
a_gate_that_was_never_given_keys_stops_with_peers_at_its_door(void **state)
{
    struct sg_wire *wire = open_wire(*state, false);
    struct zmtp peer = {.fd = -1, .wait_ms = 200};
    knock(*state, wire, &peer);
    assert_string_equal(zmtp_answer(&peer), "");
    sg_wire_close(&wire);
    assert_null(wire);
    zmtp_close(&peer);
}

// An unknown key is told so and does not come again. The trial of the memory
// guard keeps innocent keys away too (S54): they must come again.
static void
only_an_unknown_key_is_sent_away_for_good(void **state)
{
    static const uint8_t nobody[1][32];
    const struct keys *keys = *state;
    struct sg_wire *wire = open_wire(keys, true);
    uint64_t now_us = sg_os_clock_mono_us();
    struct zmtp late = {.fd = -1, .wait_ms = 200}, back = {.fd = -1};
    struct zmtp unknown = {.fd = -1};
    sg_zap_back_off(wire->zap, keys->peer[0], UINT64_MAX, now_us);
    knock(keys, wire, &late);
    assert_string_equal(zmtp_answer(&late), "");
    assert_int_equal(sg_wire_counts(wire).refused, 1);
    sg_zap_back_off(wire->zap, keys->peer[0], now_us, now_us);
    knock(keys, wire, &back);
    assert_string_equal(zmtp_answer(&back), "READY");
    assert_int_equal(sg_wire_admit(wire, nobody, 1), SG_OK);
    knock(keys, wire, &unknown);
    assert_string_equal(zmtp_answer(&unknown), "ERROR");
    zmtp_close(&late);
    zmtp_close(&back);
    zmtp_close(&unknown);
    sg_wire_close(&wire);
}

// ---- endless messages (S54) -----------------------------------------------------

enum { BOMB_PART = 32768, ROOM_BYTES = 24 << 20, ROUNDS = 400, PARTS = 64 };

// Some more parts of a message that never ends.
static void
throw_parts(struct zmtp *bomber)
{
    static const uint8_t part[BOMB_PART];
    for (int i = 0; i < PARTS && bomber->fd >= 0; i++)
        if (!zmtp_send(bomber, true, part, sizeof part))
            zmtp_close(bomber);
}

// Memory grows although nobody gets a message; the guard makes the sockets
// anew, keeps the one who did it away, and the other is served.
static void
a_message_that_never_ends_costs_its_sender_the_door(void **state)
{
    const struct keys *keys = *state;
    struct sg_wire *wire = open_wire(keys, true);
    uint8_t both[2][32], secret[32], key[32], suspect[32] = {0};
    struct zmtp bomber = {.fd = -1, .wait_ms = 50}, good = {.fd = -1};
    uint64_t now_us = sg_os_clock_mono_us(), before = sg_os_process_rss();
    bool found = false;
    sg_os_random_fill(secret, 32);
    sg_crypto_curve_public(secret, both[0]);
    memcpy(both[1], keys->peer[0], 32);
    if (memcmp(both[0], both[1], 32) > 0) {
        memcpy(both[1], both[0], 32);
        memcpy(both[0], keys->peer[0], 32);
    }
    assert_int_equal(sg_wire_admit(wire, (const uint8_t(*)[32])both, 2), SG_OK);
    wire->options.rss_soft = before + ROOM_BYTES;
    for (int i = 0; i < ROUNDS && !found; i++) {
        if (bomber.fd < 0) {
            memcpy(bomber.public_key, keys->peer[0], 32);
            memcpy(bomber.secret, keys->peer_secret, 32);
            memcpy(bomber.server, keys->server, 32);
            if (!zmtp_open(&bomber, wire->endpoint[SG_WIRE_DATA], NULL, 0))
                zmtp_close(&bomber);
        }
        throw_parts(&bomber);
        assert_int_equal(receive_some(wire, 0, key), 0);
        now_us += 100000;
        (void)sg_wire_guard(wire, sg_os_process_rss(), now_us, &found, suspect);
    }
    assert_true(found);
    assert_memory_equal(suspect, keys->peer[0], 32);
    assert_true(sg_wire_counts(wire).resets <= 8);
    memcpy(good.server, keys->server, 32);
    memcpy(good.secret, secret, 32);
    sg_crypto_curve_public(secret, good.public_key);
    assert_true(zmtp_open(&good, wire->endpoint[SG_WIRE_DATA], NULL, 0));
    assert_true(zmtp_send(&good, false, "hello", 5));
    assert_int_equal(receive_some(wire, 1, key), 1);
    assert_memory_equal(key, good.public_key, 32);
    zmtp_close(&good);
    if (bomber.fd >= 0)
        zmtp_close(&bomber);
    struct zmtp again = {.fd = -1, .wait_ms = 200};
    knock(keys, wire, &again);
    assert_string_equal(zmtp_answer(&again), ""); // kept away
    zmtp_close(&again);
    sg_wire_close(&wire);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_zap_no_message_reaches_the_core),
        cmocka_unit_test(after_the_end_of_zap_no_message_reaches_the_core),
        cmocka_unit_test(with_a_zap_that_hangs_nobody_gets_in),
        cmocka_unit_test(what_a_peer_says_of_itself_is_never_read),
        cmocka_unit_test(the_end_of_zap_is_the_end_of_the_gate),
        cmocka_unit_test(
            who_knocks_before_the_keys_are_there_is_let_in_when_they_are),
        cmocka_unit_test(
            a_gate_that_was_never_given_keys_stops_with_peers_at_its_door),
        cmocka_unit_test(only_an_unknown_key_is_sent_away_for_good),
        cmocka_unit_test(a_message_that_never_ends_costs_its_sender_the_door),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
