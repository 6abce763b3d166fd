// false - a gate whose keys are right and that says whatever a test likes.
//
// No statgated: a process of the test answers hello as a gate does, and every
// other question with what `lie` puts in. The home beside it trusts it: the
// roster names its keys. Everything is done once; a failure is an assert.
#pragma once

#include "tests/e2e/raw.h"

#include "schemas/proof/note.h"

enum { FALSE_MS = 60000, FALSE_SAID = 16 << 20, FALSE_WORDS = 12 };

struct false_gate;
// Says something by false_say, once or often, or nothing.
typedef void false_lie(struct false_gate *gate, const Sgpb__Envelope *asked);

struct false_gate {
    struct raw_gate raw;
    struct raw_member member;
    char home[SG_OS_PATH], cli[SG_OS_PATH];
    uint8_t roster_sha256[32];
    char *said; // by the last verb, both streams
    // ---- of the process that lies
    false_lie *lie;
    void *socket; // that the question came by
    uint8_t peer[64];
    size_t peer_len;
    unsigned count; // questions so far
};

// ---- the home ------------------------------------------------------------------

static inline void
false_copy(struct false_gate *gate, const char *from, const char *to)
{
    char path[SG_OS_PATH];
    uint8_t *bytes;
    size_t len;

    assert_true(sg_os_file_path(path, "%s/%s", gate->raw.dir, from));
    assert_int_equal(sg_os_file_read(path, 1 << 20, &bytes, &len), SG_OK);
    raw_write(&gate->raw, to, sg_slice_of(bytes, len));
    free(bytes);
}

static inline void
false_keys(struct false_gate *gate)
{
    char path[SG_OS_PATH], **names, from[SG_OS_PATH];
    size_t count;

    assert_true(sg_os_file_path(path, "%s/members", gate->raw.dir));
    assert_int_equal(sg_os_file_list(path, &names, &count), SG_OK);
    assert_int_equal(count, 2); // sorted: sign before transport
    for (size_t i = 0; i < count; i++) {
        assert_true(sg_os_file_path(from, "members/%s", names[i]));
        false_copy(gate, from,
                   i == 0 ? "home/keys/sign.key" : "home/keys/transport.key");
    }
    free(names);
}

static inline void
false_roster_hash(struct false_gate *gate)
{
    char path[SG_OS_PATH];
    uint8_t *bytes;
    size_t len;
    void *outer;

    assert_true(sg_os_file_path(path, "%s/roster.first", gate->raw.dir));
    assert_int_equal(sg_os_file_read(path, 1 << 20, &bytes, &len), SG_OK);
    assert_int_equal(sg_codec_unpack(&sgpb__signed_roster__descriptor,
                                     sg_slice_of(bytes, len), gate->raw.arena,
                                     &outer),
                     SG_OK);
    const Sgpb__SignedRoster *roster = outer;
    sg_crypto_sha256(roster->roster.data, roster->roster.len,
                     gate->roster_sha256);
    free(bytes);
}

static inline void
false_open(struct false_gate *gate)
{
    char folder[SG_OS_PATH], conf[3 * SG_OS_PATH], key[65], genesis[65];

    memset(gate, 0, sizeof *gate);
    gate->member = (struct raw_member){
        .id = "KE_KNBS",
        .jurisdiction = "KE",
        .class = "nso",
        .role = "publisher,subscriber,consent,auditor,policy_admin"};
    raw_gate_make(&gate->raw, &gate->member, 1);
    (void)zmq_ctx_term(gate->raw.context);
    gate->raw.context = NULL; // the one that lies has its own
    assert_int_equal(sg_os_process_folder(folder, sizeof folder), SG_OK);
    assert_true(sg_os_file_path(gate->cli, "%s/../../statgate", folder));
    assert_true(sg_os_file_path(gate->home, "%s/home", gate->raw.dir));
    assert_true(sg_os_file_path(folder, "%s/keys", gate->home));
    assert_int_equal(sg_os_file_make_dirs(folder), SG_OK);
    false_keys(gate);
    false_copy(gate, "roster.first", "home/roster");
    false_roster_hash(gate);
    sg_encode_hex(gate->raw.genesis, 32, genesis);
    raw_write(&gate->raw, "home/genesis", sg_slice_text(genesis));
    sg_encode_hex(gate->raw.transport.public_key, 32, key);
    (void)snprintf(conf, sizeof conf,
                   "participant KE_KNBS\ngate HUB\ncontrol ipc://%s/control\n"
                   "data ipc://%s/data\ngate_transport %s\n",
                   gate->raw.dir, gate->raw.dir, key);
    raw_write(&gate->raw, "home/home.conf", sg_slice_text(conf));
}

static inline void
false_close(struct false_gate *gate)
{
    free(gate->said);
    sg_arena_free(&gate->raw.arena);
    assert_int_equal(sg_os_file_remove_tree(gate->raw.dir), SG_OK);
}

// ---- the gate --------------------------------------------------------------------

// The answer to what was asked, or something else. In the process that lies.
static inline void
false_say(struct false_gate *gate, const Sgpb__Envelope *envelope,
          struct sg_slice payload)
{
    uint8_t *room = sg_arena_take(gate->raw.arena, SG_LIMIT_FRAME);
    struct sg_writer w = sg_writer_on(room, SG_LIMIT_FRAME);
    struct sg_slice packed, second = {NULL, 0};

    if (payload.len > SG_ITEMS_INLINE_MAX) {
        second = payload;
        payload = (struct sg_slice){NULL, 0};
    }
    if (room == NULL ||
        sg_codec_pack(&envelope->base, gate->raw.arena, &packed) != SG_OK ||
        sg_items_put(&w, packed, payload) != SG_OK ||
        zmq_send(gate->socket, gate->peer, gate->peer_len, ZMQ_SNDMORE) < 0 ||
        zmq_send(gate->socket, room, w.len, second.len > 0 ? ZMQ_SNDMORE : 0) <
            0 ||
        (second.len > 0 &&
         zmq_send(gate->socket, second.ptr, second.len, 0) < 0))
        _exit(3);
}

static inline void
false_welcome(struct false_gate *gate, const Sgpb__Envelope *asked)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Welcome welcome = SGPB__WELCOME__INIT;
    Sgpb__RosterRef roster = SGPB__ROSTER_REF__INIT;
    char origin[SG_NOTE_ORIGIN_MAX];
    uint8_t note[SG_NOTE_MAX];
    struct sg_writer w = sg_writer_on(note, sizeof note);
    struct sg_signer *signer;

    if (sg_crypto_signer_new(gate->raw.log.secret, &signer) != SG_OK ||
        sg_note_origin(SG_SLICE("HUB"), gate->raw.genesis, 1, origin) !=
            SG_OK ||
        sg_note_sign(sg_slice_text(origin), 1, gate->raw.genesis, signer, &w) !=
            SG_OK)
        _exit(4);
    sg_crypto_signer_free(&signer);
    roster.version = 1;
    roster.sha256 = sg_codec_bytes(gate->roster_sha256, 32);
    welcome.proto = 1;
    welcome.gate = (char *)(uintptr_t) "HUB";
    welcome.participant = (char *)(uintptr_t) "KE_KNBS";
    welcome.roster = &roster;
    welcome.genesis = sg_codec_bytes(gate->raw.genesis, 32);
    welcome.checkpoint = sg_codec_bytes(note, w.len);
    envelope.proto = 1;
    envelope.request = asked->request;
    envelope.grant_bytes = SG_LIMIT_CREDIT_POOL;
    envelope.grant_messages = 64;
    envelope.body_case = SGPB__ENVELOPE__BODY_WELCOME;
    envelope.welcome = &welcome;
    false_say(gate, &envelope, (struct sg_slice){NULL, 0});
}

static inline void
false_answer(struct false_gate *gate)
{
    static uint8_t bytes[SG_LIMIT_ZMQ_MESSAGE], payload[SG_LIMIT_ZMQ_MESSAGE];
    static struct sg_item items[SG_LIMIT_ITEMS];
    struct sg_slice second = {NULL, 0};
    size_t count, more_len;
    int more;

    int id = zmq_recv(gate->socket, gate->peer, sizeof gate->peer, 0);
    int len = zmq_recv(gate->socket, bytes, sizeof bytes, 0);
    more_len = sizeof more;
    (void)zmq_getsockopt(gate->socket, ZMQ_RCVMORE, &more, &more_len);
    if (more != 0) {
        int got = zmq_recv(gate->socket, payload, sizeof payload, 0);
        second = sg_slice_of(payload, got < 0 ? 0 : (size_t)got);
    }
    gate->peer_len = (size_t)id;
    if (id <= 0 || len < 0 ||
        sg_items_parse(sg_slice_of(bytes, (size_t)len), second, items,
                       &count) != SG_OK)
        _exit(5);
    for (size_t i = 0; i < count; i++) {
        void *found;
        sg_arena_reset(gate->raw.arena);
        if (sg_codec_unpack(&sgpb__envelope__descriptor, items[i].envelope,
                            gate->raw.arena, &found) != SG_OK)
            _exit(6);
        const Sgpb__Envelope *asked = found;
        gate->count++;
        if (asked->body_case == SGPB__ENVELOPE__BODY_HELLO)
            false_welcome(gate, asked);
        else
            gate->lie(gate, asked);
    }
}

static inline void *
false_bind(struct false_gate *gate, void *context, const char *name)
{
    char path[SG_OS_PATH];
    int server = 1;
    void *socket = zmq_socket(context, ZMQ_ROUTER);

    if (!sg_os_file_path(path, "ipc://%s/%s", gate->raw.dir, name) ||
        zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &server, sizeof server) != 0 ||
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, gate->raw.transport.secret,
                       32) != 0 ||
        zmq_bind(socket, path) != 0)
        _exit(7);
    return socket;
}

// Lies until it is ended. Its pid.
static inline int
false_begin(struct false_gate *gate, false_lie *lie)
{
    int pid;

    (void)fflush(stdout);
    assert_int_equal(sg_os_process_fork(&pid), SG_OK);
    if (pid != 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    void *context = zmq_ctx_new();
    zmq_pollitem_t sockets[2] = {
        {.socket = false_bind(gate, context, "control"), .events = ZMQ_POLLIN},
        {.socket = false_bind(gate, context, "data"), .events = ZMQ_POLLIN}};
    gate->lie = lie;
    for (;;) {
        (void)zmq_poll(sockets, 2, -1);
        for (int i = 0; i < 2; i++) {
            gate->socket = sockets[i].socket;
            if ((sockets[i].revents & ZMQ_POLLIN) != 0)
                false_answer(gate);
        }
    }
}

static inline void
false_end(int pid)
{
    int status;

    sg_os_process_end(pid, true);
    assert_true(sg_os_process_wait(pid, FALSE_MS, &status));
}

// ---- verbs ---------------------------------------------------------------------

static inline void
false_act(const struct false_gate *gate, char *const *argv)
{
    char path[SG_OS_PATH];

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!sg_os_file_path(path, "%s/said", gate->raw.dir) ||
        freopen(path, "wb", stdout) == NULL ||
        dup2(STDOUT_FILENO, STDERR_FILENO) < 0 ||
        setenv("STATGATE_HOME", gate->home, 1) != 0)
        _exit(127);
    (void)execv(argv[0], argv);
    _exit(127);
}

// statgate with these words, NULL last, at a gate that lies so: its exit.
static inline int
false_verb(struct false_gate *gate, false_lie *lie, ...)
{
    char *argv[FALSE_WORDS + 2] = {gate->cli}, path[SG_OS_PATH];
    int pid, status = -1, liar = false_begin(gate, lie);
    va_list args;
    uint8_t *bytes;
    size_t len;

    va_start(args, lie);
    raw_words(argv, FALSE_WORDS, args);
    va_end(args);
    assert_int_equal(sg_os_process_fork(&pid), SG_OK);
    if (pid == 0)
        false_act(gate, argv);
    assert_true(sg_os_process_wait(pid, FALSE_MS, &status));
    false_end(liar);
    free(gate->said);
    assert_true(sg_os_file_path(path, "%s/said", gate->raw.dir));
    assert_int_equal(sg_os_file_read(path, FALSE_SAID, &bytes, &len), SG_OK);
    gate->said = (char *)bytes; // a NUL is behind it
    if (strstr(gate->said, "Sanitizer") != NULL)
        fail_msg("%s", gate->said);
    return status;
}
