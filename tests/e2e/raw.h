// raw - a real gate on loopback and peers that speak to it byte by byte.
//
// For tests that say what no library would: the gate is the real statgated
// beside the test's build folder, with its own home under TMPDIR; it is ended
// by its pid. Everything is done once, in plain order; a failure is an assert.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <zmq.h>

#include "broker/base/encode.h"
#include "broker/evidence/evidence.h"
#include "broker/os/clock.h"
#include "broker/os/file.h"
#include "broker/os/keyfile.h"
#include "broker/os/process.h"
#include "broker/os/random.h"
#include "schemas/codec/codec.h"
#include "schemas/codec/items.h"
#include "schemas/evidence.pb-c.h"
#include "schemas/proof/sign.h"
#include "schemas/roster.pb-c.h"
#include "schemas/wire.pb-c.h"

enum { RAW_MEMBERS = 8, RAW_LOG_BYTES = 1 << 20, RAW_SEND_MS = 5000 };

struct raw_member {
    const char *id, *jurisdiction, *class;
    const char *role; // of its keys, comma after comma: publisher,subscriber
    struct sg_os_keyfile transport, sign;
};

struct raw_gate {
    char dir[SG_OS_PATH], program[SG_OS_PATH];
    struct sg_arena *arena;
    struct sg_os_keyfile transport, log, sign, roots[2];
    struct raw_member *members;
    size_t count;
    uint8_t genesis[32];
    char control[128], data[128];
    int pid;
    bool restored; // start it so
    void *context;
};

static inline void
raw_key(struct raw_gate *gate, const char *folder, const char *use,
        struct sg_os_keyfile *key)
{
    char path[SG_OS_PATH];
    static int number;

    assert_true(sg_os_file_path(path, "%s/%s", gate->dir, folder));
    assert_int_equal(sg_os_file_make_dirs(path), SG_OK);
    assert_true(
        strcmp(folder, "identity") == 0
            ? sg_os_file_path(path, "%s/%s/%s.key", gate->dir, folder, use)
            : sg_os_file_path(path, "%s/%s/%s-%d.key", gate->dir, folder, use,
                              number++));
    assert_int_equal(sg_os_keyfile_make(path, use, key), SG_OK);
}

static inline Sgpb__RosterKey *
raw_roster_key(struct raw_gate *gate, struct sg_os_keyfile *key,
               const char *role, const char *person)
{
    Sgpb__RosterKey *out = sg_arena_take(gate->arena, sizeof *out);
    *out = (Sgpb__RosterKey)SGPB__ROSTER_KEY__INIT;
    out->public_key = sg_codec_bytes(key->public_key, 32);
    out->alg = sg_os_keyfile_alg(key);
    out->use = key->use;
    out->person = (char *)(uintptr_t)person;
    out->roles = sg_arena_take(gate->arena, 8 * sizeof *out->roles);
    char *roles =
        (char *)(uintptr_t)sg_arena_copy(gate->arena, sg_slice_text(role)).ptr;
    for (char *at = strtok_r(roles, ",", &roles); at != NULL;
         at = strtok_r(NULL, ",", &roles))
        out->roles[out->n_roles++] = at;
    return out;
}

static inline Sgpb__Participant *
raw_participant(struct raw_gate *gate, struct raw_member *member)
{
    Sgpb__Participant *out = sg_arena_take(gate->arena, sizeof *out);
    *out = (Sgpb__Participant)SGPB__PARTICIPANT__INIT;
    out->id = (char *)(uintptr_t)member->id;
    out->name = out->id;
    out->jurisdiction = (char *)(uintptr_t)member->jurisdiction;
    out->stored_in = out->jurisdiction;
    out->class_ = (char *)(uintptr_t)member->class;
    out->state = (char *)(uintptr_t) "active";
    out->purposes = sg_arena_take(gate->arena, 2 * sizeof *out->purposes);
    out->purposes[out->n_purposes++] = (char *)(uintptr_t) "sdg_reporting";
    out->keys = sg_arena_take(gate->arena, 2 * sizeof *out->keys);
    raw_key(gate, "members", "transport", &member->transport);
    raw_key(gate, "members", "sign", &member->sign);
    out->keys[out->n_keys++] =
        raw_roster_key(gate, &member->transport, member->role, "");
    out->keys[out->n_keys++] =
        raw_roster_key(gate, &member->sign, member->role, member->id);
    return out;
}

static inline void
raw_write(struct raw_gate *gate, const char *name, struct sg_slice bytes)
{
    char path[SG_OS_PATH];

    assert_true(sg_os_file_path(path, "%s/%s", gate->dir, name));
    assert_int_equal(sg_os_file_replace(path, bytes, true), SG_OK);
}

// The words behind the program, of which most are taken; NULL ends them.
static inline void
raw_words(char **argv, int most, va_list args)
{
    int argc = 1;

    for (char *word = va_arg(args, char *); word != NULL;
         word = va_arg(args, char *)) {
        assert_true(argc <= most);
        argv[argc++] = word;
    }
}

static inline void
raw_roster(struct raw_gate *gate, uint8_t sha256[32])
{
    static const char *const persons[] = {"root one", "root two"};
    Sgpb__Roster roster = SGPB__ROSTER__INIT;
    Sgpb__SignedRoster outer = SGPB__SIGNED_ROSTER__INIT;
    Sgpb__RootKey roots[2], *root_list[2] = {&roots[0], &roots[1]};
    Sgpb__RootSignature sigs[2], *sig_list[2] = {&sigs[0], &sigs[1]};
    Sgpb__Participant *list[RAW_MEMBERS];
    struct sg_slice body, packed;
    uint8_t zeros[32] = {0}, id[2][32], bytes[2][64];

    roster.gate = (char *)(uintptr_t) "HUB";
    roster.version = 1;
    roster.prev_sha256 = sg_codec_bytes(zeros, 32);
    roster.issued = sg_os_clock_wall_us();
    roster.expires = roster.issued + 86400000000ull * 365;
    roster.threshold = 2;
    roster.roots = root_list;
    roster.n_roots = 2;
    roster.gate_transport_key = sg_codec_bytes(gate->transport.public_key, 32);
    roster.gate_log_key = sg_codec_bytes(gate->log.public_key, 32);
    roster.gate_sign_key = sg_codec_bytes(gate->sign.public_key, 32);
    for (size_t i = 0; i < 2; i++) {
        raw_key(gate, "roots", "root", &gate->roots[i]);
        roots[i] = (Sgpb__RootKey)SGPB__ROOT_KEY__INIT;
        roots[i].public_key = sg_codec_bytes(gate->roots[i].public_key, 32);
        roots[i].alg = SG_ALG_ED25519;
        roots[i].person = (char *)(uintptr_t)persons[i];
    }
    for (size_t i = 0; i < gate->count; i++)
        list[i] = raw_participant(gate, &gate->members[i]);
    roster.participants = list;
    roster.n_participants = gate->count;
    assert_int_equal(sg_codec_pack(&roster.base, gate->arena, &body), SG_OK);
    sg_crypto_sha256(body.ptr, body.len, sha256);
    outer.roster = sg_codec_bytes(body.ptr, body.len);
    outer.signatures = sig_list;
    outer.n_signatures = 2;
    for (size_t i = 0; i < 2; i++) {
        struct sg_signer *signer;
        assert_int_equal(sg_crypto_signer_new(gate->roots[i].secret, &signer),
                         SG_OK);
        assert_int_equal(sg_sign_make(signer, SG_SIGN_ROSTER, body, bytes[i]),
                         SG_OK);
        sg_crypto_signer_free(&signer);
        sg_os_keyfile_id(&gate->roots[i], id[i]);
        sigs[i] = (Sgpb__RootSignature)SGPB__ROOT_SIGNATURE__INIT;
        sigs[i].key_id = sg_codec_bytes(id[i], 32);
        sigs[i].sig = sg_codec_bytes(bytes[i], 64);
    }
    assert_int_equal(sg_codec_pack(&outer.base, gate->arena, &packed), SG_OK);
    raw_write(gate, "roster.first", packed);
}

static inline void
raw_store(struct raw_gate *gate, const uint8_t roster_sha256[32])
{
    Sgpb__Genesis genesis = SGPB__GENESIS__INIT;
    char store[SG_OS_PATH];
    uint8_t nonce[16];
    struct sg_slice body;
    struct sg_signer *log_key;

    assert_true(sg_os_file_path(store, "%s/store", gate->dir));
    sg_os_random_fill(nonce, sizeof nonce);
    genesis.gate = (char *)(uintptr_t) "HUB";
    genesis.product = (char *)(uintptr_t) "statgate " SG_VERSION;
    genesis.epoch = 1;
    genesis.roster_sha256 = sg_codec_bytes(roster_sha256, 32);
    genesis.log_public_key = sg_codec_bytes(gate->log.public_key, 32);
    genesis.nonce = sg_codec_bytes(nonce, 16);
    assert_int_equal(sg_codec_pack(&genesis.base, gate->arena, &body), SG_OK);
    assert_int_equal(sg_crypto_signer_new(gate->log.secret, &log_key), SG_OK);
    const struct sg_evidence_options options = {
        .home = store, .gate = "HUB", .log_key = log_key};
    assert_int_equal(sg_evidence_create(&options, sg_os_clock_wall_us(), body,
                                        gate->genesis),
                     SG_OK);
    sg_crypto_signer_free(&log_key);
}

// Makes the home; nothing runs yet.
static inline void
raw_gate_make(struct raw_gate *gate, struct raw_member *members, size_t count)
{
    static const char conf[] = "gate HUB\ncontrol tcp://127.0.0.1:*\n"
                               "data tcp://127.0.0.1:*\n";
    const char *tmp = getenv("TMPDIR");
    char folder[SG_OS_PATH], name[17];
    uint8_t random[8], sha256[32];

    memset(gate, 0, sizeof *gate);
    assert_int_equal(sg_crypto_start(), SG_OK);
    gate->members = members;
    gate->count = count;
    gate->arena = sg_arena_new(64u << 20, 1 << 20);
    gate->context = zmq_ctx_new();
    sg_os_random_fill(random, sizeof random);
    sg_encode_hex(random, sizeof random, name);
    assert_true(sg_os_file_path(gate->dir, "%s/gate-%s",
                                tmp == NULL ? "/tmp" : tmp, name));
    assert_int_equal(sg_os_process_folder(folder, sizeof folder), SG_OK);
    assert_true(sg_os_file_path(gate->program, "%s/../../statgated", folder));
    assert_int_equal(sg_os_file_make_dirs(gate->dir), SG_OK);
    raw_key(gate, "identity", "transport", &gate->transport);
    raw_key(gate, "identity", "log", &gate->log);
    raw_key(gate, "identity", "sign", &gate->sign);
    raw_write(gate, "gate.conf", SG_SLICE(conf));
    raw_roster(gate, sha256);
    raw_store(gate, sha256);
}

// A program that ends with this one, however this one ends. Its pid.
static inline int
raw_spawn(const char *const *argv)
{
    char *words[8] = {NULL};
    int pid;

    for (size_t i = 0; argv[i] != NULL; i++) {
        assert_true(i + 1 < SG_COUNT_OF(words));
        words[i] = (char *)(uintptr_t)argv[i]; // execv does not write them
    }
    (void)fflush(stdout);
    assert_int_equal(sg_os_process_fork(&pid), SG_OK);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)execv(words[0], words);
        _exit(127);
    }
    return pid;
}

static inline void
raw_gate_start(struct raw_gate *gate)
{
    const char *argv[] = {gate->program, gate->dir,
                          gate->restored ? "--restored" : NULL, NULL};
    char path[SG_OS_PATH];
    uint8_t *bytes;
    size_t len;
    int status;

    assert_true(sg_os_file_path(path, "%s/endpoints", gate->dir));
    assert_int_equal(sg_os_file_remove(path), SG_OK);
    gate->pid = raw_spawn(argv);
    for (int i = 0; i < 500 && !sg_os_file_exists(path); i++) {
        if (sg_os_process_wait(gate->pid, 20, &status))
            fail_msg("statgated ended with %d", status);
    }
    assert_int_equal(sg_os_file_read(path, 4096, &bytes, &len), SG_OK);
    assert_int_equal(sscanf((char *)bytes, "control %127s\ndata %127s",
                            gate->control, gate->data),
                     2);
    free(bytes);
}

// now: kill -9. Returns the exit status.
static inline int
raw_gate_end(struct raw_gate *gate, bool now)
{
    int status = -1;

    sg_os_process_end(gate->pid, now);
    assert_true(sg_os_process_wait(gate->pid, 20000, &status));
    gate->pid = 0;
    return status;
}

static inline void
raw_gate_free(struct raw_gate *gate)
{
    if (gate->pid != 0)
        (void)raw_gate_end(gate, true);
    (void)zmq_ctx_term(gate->context);
    sg_arena_free(&gate->arena);
    assert_int_equal(sg_os_file_remove_tree(gate->dir), SG_OK);
}

// ---- peers -----------------------------------------------------------------------

static inline void
raw_set(void *socket, int option, int value)
{
    assert_int_equal(zmq_setsockopt(socket, option, &value, sizeof value), 0);
}

// A DEALER with these CURVE keys; key NULL: NULL mechanism.
static inline void *
raw_dealer(struct raw_gate *gate, const char *endpoint,
           const struct sg_os_keyfile *key, const uint8_t server[32])
{
    void *socket = zmq_socket(gate->context, ZMQ_DEALER);

    raw_set(socket, ZMQ_LINGER, 0);
    raw_set(socket, ZMQ_SNDTIMEO, RAW_SEND_MS);
    if (key != NULL) {
        assert_int_equal(
            zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server, 32), 0);
        assert_int_equal(
            zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, key->public_key, 32),
            0);
        assert_int_equal(
            zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, key->secret, 32), 0);
    }
    assert_int_equal(zmq_connect(socket, endpoint), 0);
    return socket;
}

static inline void *
raw_member_dealer(struct raw_gate *gate, size_t member)
{
    return raw_dealer(gate, gate->data, &gate->members[member].transport,
                      gate->transport.public_key);
}

// false: the gate has refused the key, so libzmq has given the connection up and
// nobody takes what is sent.
static inline bool
raw_try_send(struct raw_gate *gate, void *socket,
             const Sgpb__Envelope *envelope, struct sg_slice payload)
{
    uint8_t *room = sg_arena_take(gate->arena, SG_LIMIT_FRAME);
    struct sg_writer w = sg_writer_on(room, SG_LIMIT_FRAME);
    struct sg_slice packed;

    assert_int_equal(sg_codec_pack(&envelope->base, gate->arena, &packed),
                     SG_OK);
    assert_int_equal(sg_items_put(&w, packed, payload), SG_OK);
    bool sent = zmq_send(socket, room, w.len, 0) >= 0;
    assert_true(sent || zmq_errno() == EAGAIN);
    return sent;
}

static inline void
raw_send(struct raw_gate *gate, void *socket, const Sgpb__Envelope *envelope,
         struct sg_slice payload)
{
    assert_true(raw_try_send(gate, socket, envelope, payload));
}

// The next item within the time; NULL: nothing came.
static inline Sgpb__Envelope *
raw_receive(struct raw_gate *gate, void *socket, int timeout_ms)
{
    uint8_t *bytes = sg_arena_take(gate->arena, SG_LIMIT_FRAME);
    static struct sg_item items[SG_LIMIT_ITEMS];
    size_t count;
    void *message;

    raw_set(socket, ZMQ_RCVTIMEO, timeout_ms);
    int len = zmq_recv(socket, bytes, SG_LIMIT_FRAME, 0);
    if (len < 0)
        return NULL;
    assert_int_equal(sg_items_parse(sg_slice_of(bytes, (size_t)len),
                                    (struct sg_slice){NULL, 0}, items, &count),
                     SG_OK);
    assert_int_equal(sg_codec_unpack(&sgpb__envelope__descriptor,
                                     items[0].envelope, gate->arena, &message),
                     SG_OK);
    return message;
}

// Says hello and takes the welcome.
static inline bool
raw_hello(struct raw_gate *gate, void *socket, int timeout_ms)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Hello hello = SGPB__HELLO__INIT;

    envelope.proto = 1;
    envelope.request = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_HELLO;
    envelope.hello = &hello;
    hello.proto_min = hello.proto_max = 1;
    hello.software = (char *)(uintptr_t) "raw";
    if (!raw_try_send(gate, socket, &envelope, (struct sg_slice){NULL, 0}))
        return false;
    const Sgpb__Envelope *answer = raw_receive(gate, socket, timeout_ms);
    if (answer != NULL && answer->body_case == SGPB__ENVELOPE__BODY_REFUSED)
        print_message("refused: %s\n", answer->refused->code);
    return answer != NULL && answer->body_case == SGPB__ENVELOPE__BODY_WELCOME;
}
