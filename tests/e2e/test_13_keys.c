// Who may do what: rosters that roll back, keys that fit everything, keys that
// were taken away while their owner was connected.
#include "tests/e2e/world.h"

#include <sodium.h>

#define DAY_US (24 * 3600 * 1000000ull)

enum { ROSTER_MAX = 1 << 20, ANSWER_MS = 5000, SILENCE_MS = 700 };

// ---- rosters (S05, S06) ----------------------------------------------------------

static struct sg_slice
read_roster(struct world *world)
{
    uint8_t *bytes;
    size_t len;
    assert_int_equal(sg_os_file_read(world_path(world, "roster.1"), ROSTER_MAX,
                                     &bytes, &len),
                     SG_OK);
    struct sg_slice kept =
        sg_arena_copy(world->gate.arena, sg_slice_of(bytes, len));
    free(bytes);
    return kept;
}

static void *
open_as(struct world *world, const ProtobufCMessageDescriptor *shape,
        struct sg_slice bytes)
{
    void *open;
    assert_int_equal(sg_codec_unpack(shape, bytes, world->gate.arena, &open),
                     SG_OK);
    return open;
}

// The roster that follows version 1, in order; a copy that may be spoiled.
static Sgpb__Roster *
next_roster(struct world *world)
{
    const Sgpb__SignedRoster *outer =
        open_as(world, &sgpb__signed_roster__descriptor, read_roster(world));
    struct sg_slice body = sg_codec_slice(outer->roster);
    Sgpb__Roster *roster = open_as(world, &sgpb__roster__descriptor,
                                   sg_arena_copy(world->gate.arena, body));
    uint8_t *sha256 = sg_arena_take(world->gate.arena, 32);
    sg_crypto_sha256(body.ptr, body.len, sha256);
    roster->version = 2;
    roster->prev_sha256 = sg_codec_bytes(sha256, 32);
    return roster;
}

static struct sg_os_keyfile
root_key(struct world *world, const char *name)
{
    struct sg_os_keyfile key;
    assert_int_equal(
        sg_os_keyfile_read(world_path(world, "%s.key", name), "root", &key),
        SG_OK);
    return key;
}

// Signed by these two keys; only the first when both are one.
static struct sg_slice
sign_roster(struct world *world, const Sgpb__Roster *roster,
            const struct sg_os_keyfile *const keys[2])
{
    Sgpb__SignedRoster outer = SGPB__SIGNED_ROSTER__INIT;
    Sgpb__RootSignature sigs[2], *list[2] = {&sigs[0], &sigs[1]};
    uint8_t id[2][32], bytes[2][64];
    struct sg_slice body = world_pack(world, &roster->base);
    outer.roster = sg_codec_bytes(body.ptr, body.len);
    outer.signatures = list;
    for (size_t i = 0; i < 2; i++) {
        struct sg_signer *signer;
        assert_int_equal(sg_crypto_signer_new(keys[i]->secret, &signer), SG_OK);
        assert_int_equal(sg_sign_make(signer, SG_SIGN_ROSTER, body, bytes[i]),
                         SG_OK);
        sg_crypto_signer_free(&signer);
        sg_os_keyfile_id(keys[i], id[i]);
        sigs[i] = (Sgpb__RootSignature)SGPB__ROOT_SIGNATURE__INIT;
        sigs[i].key_id = sg_codec_bytes(id[i], 32);
        sigs[i].sig = sg_codec_bytes(bytes[i], 64);
        outer.n_signatures++;
    }
    return world_pack(world, &outer.base);
}

static const char *
put_roster(struct world *world, struct sg_slice bytes)
{
    struct statgate *desk = world_connect(world, "desk");
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__RosterPut put = SGPB__ROSTER_PUT__INIT;
    put.signed_ = sg_codec_bytes(bytes.ptr, bytes.len);
    envelope.body_case = SGPB__ENVELOPE__BODY_ROSTER_PUT;
    envelope.roster_put = &put;
    (void)world_ask(world, desk, SG_WIRE_CONTROL, &envelope,
                    (struct sg_slice){NULL, 0}, NULL);
    statgate_close(&desk);
    return world->code;
}

static Sgpb__RosterKey *
key_of(Sgpb__Roster *roster, const char *id, const char *use)
{
    for (size_t i = 0; i < roster->n_participants; i++) {
        Sgpb__Participant *who = roster->participants[i];
        for (size_t k = 0; k < who->n_keys; k++)
            if (strcmp(who->id, id) == 0 && strcmp(who->keys[k]->use, use) == 0)
                return who->keys[k];
    }
    fail_msg("%s has no %s key", id, use);
    return NULL;
}

// Points that one signature for every message fits, or that two encodings name.
static uint8_t small_order[][32] = {
    {1}, // identity
    {0}, // order 4
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, // order 2
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}, // order 8
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, // p + 1
};

static void
a_roster_that_does_not_follow_is_refused_by_name_and_the_old_stays(void **state)
{
    struct world *world = *state;
    struct sg_os_keyfile one = root_key(world, "one"),
                         two = root_key(world, "two"), gate, other;
    static uint8_t zeros[32];
    const struct sg_os_keyfile *both[] = {&one, &two}, *same[] = {&one, &one};
    const struct sg_os_keyfile *own[] = {&one, &gate},
                               *new[] = {&other, &other};
    assert_int_equal(
        sg_os_keyfile_read(world_path(world, "HUB/identity/sign.key"), "sign",
                           &gate),
        SG_OK);
    assert_int_equal(
        sg_os_keyfile_make(world_path(world, "other.key"), "root", &other),
        SG_OK);
    unsigned before = world_log(world, " roster ", "version");
#define ROW(change, keys, code, component)                                     \
    do {                                                                       \
        Sgpb__Roster *roster = next_roster(world);                             \
        change;                                                                \
        (void)put_roster(world, sign_roster(world, roster, keys));             \
        world_refused(world, code, component);                                 \
    } while (0)
    ROW(roster->version = 3, both, "gate.roster", "version");
    ROW(roster->prev_sha256 = sg_codec_bytes(zeros, 32), both, "gate.roster",
        "prev_sha256");
    ROW((void)0, same, "gate.roster", "signatures");
    ROW((void)0, own, "gate.roster", "signatures");
    ROW((void)0, new, "gate.roster", "signatures");
    ROW(roster->roots[1]->public_key = sg_codec_bytes(other.public_key, 32),
        new, "gate.roster", "signatures");
    ROW(roster->gate = (char *)(uintptr_t) "HUC", both, "gate.roster", "gate");
    ROW(roster->expires = sg_os_clock_wall_us() - 1, both,
        "gate.roster_expired", "expires");
    ROW(roster->threshold = 1, both, "gate.roster", "threshold");
    ROW(roster->participants[0]->id = (char *)(uintptr_t) "../KE", both,
        "gate.roster", "participants.id");
    ROW(key_of(roster, "NO_OFFICE", "sign")->public_key =
            key_of(roster, "KE_KNBS", "sign")->public_key,
        both, "gate.roster", "participants.keys");
    ROW(key_of(roster, "NO_OFFICE", "transport")->public_key =
            key_of(roster, "KE_KNBS", "transport")->public_key,
        both, "gate.roster", "participants.keys");
    for (size_t i = 0; i < SG_COUNT_OF(small_order); i++)
        ROW(key_of(roster, "UG_UBOS", "sign")->public_key =
                sg_codec_bytes(small_order[i], 32),
            both, "gate.roster", "participants.keys");
#undef ROW
    struct sg_slice good = sign_roster(world, next_roster(world), both);
    (void)put_roster(world, sg_slice_of(good.ptr, good.len - 1));
    world_refused(world, "gate.roster", "signed");
    assert_int_equal(world_log(world, " roster ", "version"), before);
    world_serves(world);
    // And this one follows.
    assert_string_equal(put_roster(world, good), "");
    assert_int_equal(world_log(world, " roster ", "version"), before + 1);
}

// S06: yesterday's roster, and another of today's number.
static void
a_roster_that_rolls_back_is_refused(void **state)
{
    struct world *world = *state;
    struct sg_os_keyfile one = root_key(world, "one"),
                         two = root_key(world, "two");
    const struct sg_os_keyfile *both[] = {&one, &two};
    (void)put_roster(world, read_roster(world));
    world_refused(world, "gate.roster_old", "version");
    Sgpb__Roster *another = next_roster(world);
    another->issued++;
    (void)put_roster(world, sign_roster(world, another, both));
    world_refused(world, "gate.roster", "version");
    struct statgate *kenya = world_connect(world, "kenya");
    assert_string_equal(world_good(world, kenya, "KE_SDG", WORLD_KENYA), "");
    statgate_close(&kenya);
}

// ---- open connections (S02) ------------------------------------------------------

static const Sgpb__Envelope *
ask_raw(struct world *world, void *peer)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__CheckpointGet get = SGPB__CHECKPOINT_GET__INIT;
    envelope.proto = 1;
    envelope.request = 7;
    envelope.body_case = SGPB__ENVELOPE__BODY_CHECKPOINT_GET;
    envelope.checkpoint_get = &get;
    raw_send(&world->gate, peer, &envelope, (struct sg_slice){NULL, 0});
    return raw_receive(&world->gate, peer, ANSWER_MS);
}

static void
revoke_key(struct world *world, const struct sg_os_keyfile *key)
{
    uint8_t id[32];
    char hex[65];
    sg_os_keyfile_id(key, id);
    sg_encode_hex(id, 32, hex);
    world_do(world, "desk", "revoke", hex, "--root",
             world_path(world, "one.key"), "--gate", "HUB", "--reason",
             "stolen", NULL);
}

static void
a_revoked_key_is_refused_at_its_next_word(void **state)
{
    struct world *world = *state;
    struct raw_gate *gate = &world->gate;
    struct sg_os_keyfile stolen, good;
    world_key(world, "uganda", "transport", &stolen);
    world_key(world, "norway", "transport", &good);
    const uint8_t *server = gate->transport.public_key;
    void *thief = raw_dealer(gate, gate->data, &stolen, server);
    void *norway = raw_dealer(gate, gate->data, &good, server);
    assert_true(raw_hello(gate, thief, ANSWER_MS));
    assert_true(raw_hello(gate, norway, ANSWER_MS));
    const Sgpb__Envelope *answer = ask_raw(world, thief);
    assert_non_null(answer);
    assert_int_equal(answer->body_case, SGPB__ENVELOPE__BODY_CHECKPOINT);
    revoke_key(world, &stolen);
    answer = ask_raw(world, thief);
    assert_non_null(answer);
    assert_int_equal(answer->body_case, SGPB__ENVELOPE__BODY_REFUSED);
    assert_string_equal(answer->refused->code, "peer.key_revoked");
    // A new connection gets no answer at all, the other peer all of them.
    void *again = raw_dealer(gate, gate->data, &stolen, server);
    assert_false(raw_hello(gate, again, SILENCE_MS));
    answer = ask_raw(world, norway);
    assert_non_null(answer);
    assert_int_equal(answer->body_case, SGPB__ENVELOPE__BODY_CHECKPOINT);
    zmq_close(thief);
    zmq_close(again);
    zmq_close(norway);
    assert_int_equal(world_log(world, "key revoked", ""), 1);
    assert_int_equal(world_log(world, " refused ", "peer.key_revoked"), 1);
    // It stays so over a restart.
    assert_int_equal(raw_gate_end(gate, true), 137);
    world_start(world);
    again = raw_dealer(gate, gate->data, &stolen, server);
    assert_false(raw_hello(gate, again, SILENCE_MS));
    zmq_close(again);
    world_serves(world);
}

static void
a_manifest_under_a_revoked_key_is_refused_and_recorded(void **state)
{
    struct world *world = *state;
    struct sg_os_keyfile stolen;
    world_key(world, "rwanda", "sign", &stolen);
    struct statgate *rwanda = world_connect(world, "rwanda");
    struct world_offer offer;
    // Signed long ago.
    world_offer(world, rwanda, "RW_SDG", WORLD_RWANDA, &offer);
    revoke_key(world, &stolen);
    assert_string_equal(world_publish(world, rwanda, &offer),
                        "peer.key_revoked");
    assert_int_not_equal(world->seq, 0);
    assert_int_equal(world_log(world, " refused ", "peer.key_revoked"), 2);
    statgate_close(&rwanda);
    world_serves(world);
}

// A peer that has seen a later roster than the gate holds.
static void
a_gate_behind_its_peers_says_so(void **state)
{
    struct world *world = *state;
    struct raw_gate *gate = &world->gate;
    struct sg_os_keyfile key;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Hello hello = SGPB__HELLO__INIT;
    Sgpb__RosterRef roster = SGPB__ROSTER_REF__INIT;
    world_key(world, "norway", "transport", &key);
    void *peer = raw_dealer(gate, gate->data, &key, gate->transport.public_key);
    roster.version = 99;
    hello.proto_min = hello.proto_max = 1;
    hello.roster = &roster;
    envelope.proto = 1;
    envelope.request = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_HELLO;
    envelope.hello = &hello;
    raw_send(gate, peer, &envelope, (struct sg_slice){NULL, 0});
    const Sgpb__Envelope *answer = raw_receive(gate, peer, ANSWER_MS);
    assert_non_null(answer);
    assert_int_equal(answer->body_case, SGPB__ENVELOPE__BODY_REFUSED);
    assert_string_equal(answer->refused->code, "gate.roster_old");
    zmq_close(peer);
    world_serves(world);
}

// ---- joining (S03, S04) ----------------------------------------------------------

// Somebody asks to be admitted with a signing key that one signature fits for
// every message: the box around it is honest.
static void
a_small_order_key_cannot_join(void **state)
{
    struct world *world = *state;
    static uint8_t sig[64] = {1}; // R = 1, S = 0
    uint8_t box[64 + 16], nonce[24];
    Sgpb__JoinFile *file;
    Sgpb__JoinRequest *request;
    struct sg_os_keyfile transport;
    uint8_t *bytes;
    size_t len;
    world_key(world, "norway", "transport", &transport);
    assert_int_equal(sg_os_file_read(world_path(world, "requests/norway"),
                                     ROSTER_MAX, &bytes, &len),
                     SG_OK);
    for (size_t i = 0; i < SG_COUNT_OF(small_order); i++) {
        file = open_as(world, &sgpb__join_file__descriptor,
                       sg_slice_of(bytes, len));
        request = open_as(world, &sgpb__join_request__descriptor,
                          sg_codec_slice(file->request));
        request->participant->id = (char *)(uintptr_t) "MALLORY";
        for (size_t k = 0; k < request->participant->n_keys; k++)
            if (strcmp(request->participant->keys[k]->use, "sign") == 0)
                request->participant->keys[k]->public_key =
                    sg_codec_bytes(small_order[i], 32);
        struct sg_slice packed = world_pack(world, &request->base);
        sg_os_random_fill(nonce, sizeof nonce);
        assert_int_equal(crypto_box_easy(box, sig, sizeof sig, nonce,
                                         world->gate.transport.public_key,
                                         transport.secret),
                         0);
        file->request = sg_codec_bytes(packed.ptr, packed.len);
        file->box = sg_codec_bytes(box, sizeof box);
        file->box_nonce = sg_codec_bytes(nonce, sizeof nonce);
        world_write(world, "requests/mallory", world_pack(world, &file->base));
        assert_int_equal(world_verb(world, "HUB", "admit",
                                    world_path(world, "requests/mallory"),
                                    "--roster", world_path(world, "roster.1"),
                                    "--gate-home", world_path(world, "HUB"),
                                    "-o", world_path(world, "roster.bad"),
                                    NULL),
                         77);
        assert_false(sg_os_file_exists(world_path(world, "roster.bad")));
    }
    free(bytes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_roster_that_does_not_follow_is_refused_by_name_and_the_old_stays),
        cmocka_unit_test(a_roster_that_rolls_back_is_refused),
        cmocka_unit_test(a_gate_behind_its_peers_says_so),
        cmocka_unit_test(a_revoked_key_is_refused_at_its_next_word),
        cmocka_unit_test(
            a_manifest_under_a_revoked_key_is_refused_and_recorded),
        cmocka_unit_test(a_small_order_key_cannot_join),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
