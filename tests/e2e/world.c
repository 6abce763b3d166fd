#include "tests/e2e/world.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "schemas/proof/batch.h"

enum { PATHS = 32, SAID_MAX = 64 << 20 };

// ---- folders and verbs ---------------------------------------------------------

const char *
world_path(const struct world *world, const char *format, ...)
{
    static char ring[PATHS][SG_OS_PATH];
    static unsigned next;
    char *out = ring[next++ % PATHS];
    va_list args;

    int at = snprintf(out, SG_OS_PATH, "%s/", world->dir);
    assert_true(at > 0 && at < SG_OS_PATH);
    va_start(args, format);
    (void)vsnprintf(out + at, SG_OS_PATH - (size_t)at, format, args);
    va_end(args);
    return out;
}

void
world_write(const struct world *world, const char *name, struct sg_slice bytes)
{
    assert_int_equal(
        sg_os_file_replace(world_path(world, "%s", name), bytes, false), SG_OK);
}

// In the child: what the verb says goes into one file.
static _Noreturn void
act(const struct world *world, const char *home, char **argv)
{
    int none = open("/dev/null", O_RDONLY);
    int out = open(world_path(world, "said"), O_WRONLY | O_CREAT | O_TRUNC,
                   S_IRUSR | S_IWUSR);

    if (out < 0 || dup2(none, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 ||
        setenv("STATGATE_HOME", world_path(world, "%s", home), 1) != 0)
        _exit(126);
    (void)execv(world->cli, argv);
    _exit(127);
}

int
world_verb(struct world *world, const char *home, ...)
{
    char *argv[WORLD_WORDS + 2] = {world->cli};
    int pid, status = -1;
    va_list args;
    uint8_t *bytes;
    size_t len;

    va_start(args, home);
    raw_words(argv, WORLD_WORDS, args);
    va_end(args);
    (void)fflush(stdout);
    assert_int_equal(sg_os_process_fork(&pid), SG_OK);
    if (pid == 0)
        act(world, home, argv);
    assert_true(sg_os_process_wait(pid, WORLD_MS, &status));
    free(world->said);
    assert_int_equal(
        sg_os_file_read(world_path(world, "said"), SAID_MAX, &bytes, &len),
        SG_OK);
    world->said = (char *)bytes; // a NUL is behind it
    return status;
}

void
world_done(const struct world *world, int exit, const char *file, int line)
{
    if (exit != 0)
        fail_msg("%s:%d: exit %d: %s", file, line, exit, world->said);
}

bool
world_said(const struct world *world, const char *word)
{
    return strstr(world->said, word) != NULL;
}

unsigned
world_log(struct world *world, const char *type, const char *what)
{
    unsigned count = 0;

    world_do(world, "desk", "log", "show",
             world_path(world, "HUB/store/evidence"), NULL);
    for (char *rest = world->said, *line = strtok_r(rest, "\n", &rest);
         line != NULL; line = strtok_r(NULL, "\n", &rest))
        count += strstr(line, type) != NULL && strstr(line, what) != NULL;
    return count;
}

// ---- founding ------------------------------------------------------------------

static const struct member {
    const char *home, *id, *jurisdiction, *class, *role;
    const char *key_role[2], *purpose[2];
} members[] = {
    {"desk",
     "HUB_DESK",
     "INTL",
     "regional_org",
     "operator",
     {"operator", "policy_admin"},
     {"administrative", "audit"}},
    {"board",
     "HUB_DESK",
     "INTL",
     "regional_org",
     "operator",
     {"policy_admin", "policy_admin"},
     {"administrative", "audit"}},
    {"kenya",
     "KE_KNBS",
     "KE",
     "nso",
     "data_provider",
     {"publisher", "consent"},
     {"official_statistics", "sdg_reporting"}},
    {"rwanda",
     "RW_NISR",
     "RW",
     "nso",
     "data_provider",
     {"publisher", "consent"},
     {"official_statistics", "sdg_reporting"}},
    {"norway",
     "NO_OFFICE",
     "NO",
     "nso",
     "data_consumer",
     {"subscriber", "subscriber"},
     {"official_statistics", "sdg_reporting"}},
    {"uganda",
     "UG_UBOS",
     "UG",
     "nso",
     "data_consumer",
     {"subscriber", "publisher"},
     {"official_statistics", "sdg_reporting"}},
    {"research",
     "UG_RESEARCH",
     "UG",
     "research_body",
     "data_consumer",
     {"subscriber", "subscriber"},
     {"scientific_research", "official_statistics"}},
};

static void
join(struct world *world, const struct member *who)
{
    const char *request = world_path(world, "requests/%s", who->home);
    const char *roster = world_path(world, "roster.1");

    world_do(world, who->home, "join", "--gate",
             world_path(world, "HUB/gate.public"), "--id", who->id, "--name",
             who->id, "--jurisdiction", who->jurisdiction, "--class",
             who->class, "--role", who->role, "--person", who->home,
             "--key-role", who->key_role[0], "--key-role", who->key_role[1],
             "--purpose", who->purpose[0], "--purpose", who->purpose[1], "-o",
             request, NULL);
    world_do(world, "HUB", "admit", request, "--roster", roster, "--gate-home",
             world_path(world, "HUB"), "-o", roster, NULL);
}

static void
found(struct world *world)
{
    static const char *const person[] = {"one", "two"};

    assert_int_equal(sg_os_file_make_dirs(world_path(world, "requests")),
                     SG_OK);
    world_do(world, "HUB", "init", world_path(world, "HUB"), "--gate", "HUB",
             "--control", "tcp://127.0.0.1:*", "--data", "tcp://127.0.0.1:*",
             NULL);
    for (int i = 0; i < 2; i++)
        world_do(world, "HUB", "root", "new", person[i], "-o",
                 world_path(world, "%s.key", person[i]), NULL);
    world_do(world, "HUB", "roster", "new", "--gate",
             world_path(world, "HUB/gate.public"), "--root",
             world_path(world, "one.key.pub"), "--root",
             world_path(world, "two.key.pub"), "-o",
             world_path(world, "roster.1"), NULL);
    for (size_t i = 0; i < SG_COUNT_OF(members); i++)
        join(world, &members[i]);
    world_do(world, "HUB", "roster", "instrument",
             world_path(world, "roster.1"), "--kind", "treaty", "--from", "RW",
             "--to", "UG", "-o", world_path(world, "roster.1"), NULL);
    for (int i = 0; i < 2; i++)
        world_do(world, "HUB", "roster", "sign", world_path(world, "roster.1"),
                 "--key", world_path(world, "%s.key", person[i]), NULL);
    world_do(world, "HUB", "init", world_path(world, "HUB"), "--roster",
             world_path(world, "roster.1"), NULL);
}

static void
map_faults(struct world *world)
{
    static const struct faults none;
    const char *path = world_path(world, "faults");

    assert_int_equal(
        sg_os_file_replace(path, sg_slice_of(&none, sizeof none), false),
        SG_OK);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    world->faults =
        mmap(NULL, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(world->faults != MAP_FAILED);
    assert_int_equal(close(fd), 0);
}

// The sanitizer wants to be loaded first; faults.so takes nothing from it.
static void
with_faults(const struct world *world, bool on)
{
    char shim[SG_OS_PATH], options[512];
    const char *had = getenv("ASAN_OPTIONS");
    static char before[400];

    if (on) {
        (void)snprintf(before, sizeof before, "%s", had == NULL ? "" : had);
        (void)snprintf(options, sizeof options, "%s:verify_asan_link_order=0",
                       before);
        assert_true(sg_os_file_path(
            shim, "%.*s/tests/e2e/faults.so",
            (int)(strlen(world->cli) - strlen("/statgate")), world->cli));
        assert_true(sg_os_file_exists(shim));
        assert_int_equal(setenv("ASAN_OPTIONS", options, 1), 0);
        assert_int_equal(setenv("LD_PRELOAD", shim, 1), 0);
        assert_int_equal(setenv(FAULTS_ENV, world_path(world, "faults"), 1), 0);
        return;
    }
    assert_int_equal(setenv("ASAN_OPTIONS", before, 1), 0);
    assert_int_equal(unsetenv("LD_PRELOAD"), 0);
}

void
world_start(struct world *world)
{
    with_faults(world, true);
    raw_gate_start(&world->gate);
    with_faults(world, false);
}

void
world_spawn(struct world *world)
{
    const char *argv[] = {world->gate.program, world->gate.dir, NULL};

    with_faults(world, true);
    world->gate.pid = raw_spawn(argv);
    with_faults(world, false);
}

int
world_wait(struct world *world)
{
    int status = -1;

    assert_true(sg_os_process_wait(world->gate.pid, WORLD_MS, &status));
    world->gate.pid = 0;
    return status;
}

// The system chose the ports; from now on they stay, whoever restarts.
static void
keep_address(struct world *world)
{
    char conf[400];
    int len = snprintf(conf, sizeof conf, "gate HUB\ncontrol %s\ndata %s\n",
                       world->gate.control, world->gate.data);

    world_write(world, "HUB/gate.conf", sg_slice_of(conf, (size_t)len));
    for (size_t i = 0; i < SG_COUNT_OF(members); i++)
        world_do(world, members[i].home, "join", "--control",
                 world->gate.control, "--data", world->gate.data, "--roster",
                 world_path(world, "roster.1"), NULL);
}

void
world_open(struct world *world)
{
    const char *tmp = getenv("TMPDIR");
    char folder[SG_OS_PATH], name[17];
    uint8_t random[8];
    struct raw_gate *gate = &world->gate;

    memset(world, 0, sizeof *world);
    assert_int_equal(sg_crypto_start(), SG_OK);
    gate->arena = sg_arena_new(512u << 20, 1 << 20);
    gate->context = zmq_ctx_new();
    sg_os_random_fill(random, sizeof random);
    sg_encode_hex(random, sizeof random, name);
    assert_true(sg_os_file_path(world->dir, "%s/world-%s",
                                tmp == NULL ? "/tmp" : tmp, name));
    assert_true(sg_os_file_path(gate->dir, "%s/HUB", world->dir));
    assert_int_equal(sg_os_process_folder(folder, sizeof folder), SG_OK);
    assert_true(sg_os_file_path(gate->program, "%s/../../statgated", folder));
    assert_true(sg_os_file_path(world->cli, "%s/../../statgate", folder));
    // Without the dots: faults.so is named from it.
    char *real = realpath(world->cli, NULL);
    assert_non_null(real);
    assert_true(sg_os_file_path(world->cli, "%s", real));
    free(real);
    assert_int_equal(sg_os_file_make_dirs(world->dir), SG_OK);
    map_faults(world);
    found(world);
    assert_int_equal(
        sg_os_keyfile_read(world_path(world, "HUB/identity/transport.key"),
                           "transport", &gate->transport),
        SG_OK);
    world_start(world);
    keep_address(world);
}

void
world_close(struct world *world)
{
    if (world->gate.pid != 0)
        (void)raw_gate_end(&world->gate, true);
    (void)zmq_ctx_term(world->gate.context);
    sg_arena_free(&world->gate.arena);
    free(world->said);
    if (world->faults != NULL)
        (void)munmap(world->faults, sizeof *world->faults);
    if (world->dir[0] != '\0')
        assert_int_equal(sg_os_file_remove_tree(world->dir), SG_OK);
}

// ---- laws and flows ------------------------------------------------------------

void
world_laws(struct world *world)
{
    char sha256[65] = "";

    world_do(world, "desk", "policy", "propose", "policy/examples/hub.policy",
             "policy/examples/export-ke.policy",
             "policy/examples/export-rw.policy",
             "policy/examples/import-default.policy", NULL);
    const char *at = strstr(world->said, "proposed ");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "proposed %64[0-9a-f]", sha256), 1);
    world_do(world, "board", "policy", "approve", sha256, NULL);
}

#define SPOKEN                                                                 \
    "structure STATGATE:SDG(1.0)\ndataflow STATGATE:DF_SDG(1.0)\n"             \
    "localisation none\ngeo_detail country\nvalidation not_needed\n"           \
    "emergency none\ncommunity_consent not_concerned\nquality complete\n"      \
    "sdc_state none\nsensitive none\nspecial_condition none\n"

void
world_flow(struct world *world, const char *home, const char *name,
           const char *terms)
{
    char text[2048];
    int len = snprintf(text, sizeof text, "flow %s\n%s" SPOKEN, name, terms);

    assert_true(len > 0 && (size_t)len < sizeof text);
    world_write(world, "terms", sg_slice_of(text, (size_t)len));
    world_do(world, home, "flow", "new", world_path(world, "terms"), NULL);
}

void
world_flows(struct world *world)
{
    static const char open[] =
        "licence cc_by\nclassification public\ndata_kind aggregate\n"
        "unit person\nidentifiability anonymous\n"
        "lawful_basis statistics_law\nonward allowed\n"
        "purposes official_statistics sdg_reporting\ncommit row\n";

    world_flow(world, "kenya", "KE_SDG", open);
    world_flow(world, "rwanda", "RW_SDG", open);
    for (int i = 0; i < 2; i++)
        world_do(world, "norway", "subscribe", i == 0 ? "KE_SDG" : "RW_SDG",
                 "--purpose", "sdg_reporting", "--promise", "attribute_source",
                 "--promise", "keep_licence", "--promise", "no_onward", NULL);
}

int
world_setup(void **state)
{
    static struct world world;

    *state = &world; // first: what fails half way is closed too
    world_open(&world);
    world_laws(&world);
    world_flows(&world);
    return 0;
}

static void
take_program(struct world *world, const char *folder)
{
    assert_true(sg_os_file_path(
        world->gate.program, "%.*s/tests/e2e/%s/statgated",
        (int)(strlen(world->cli) - strlen("/statgate")), world->cli, folder));
    assert_true(sg_os_file_exists(world->gate.program));
}

int
world_setup_as(void **state, const char *folder)
{
    if (world_setup(state) != 0)
        return 1;
    struct world *world = *state;
    assert_int_equal(raw_gate_end(&world->gate, false), 0);
    take_program(world, folder);
    world_start(world);
    return 0;
}

int
world_teardown(void **state)
{
    world_close(*state);
    return 0;
}

// ---- members -------------------------------------------------------------------

struct statgate *
world_connect(struct world *world, const char *home)
{
    struct statgate *handle = NULL;
    struct statgate_result result;

    if (statgate_open(world_path(world, "%s", home), NULL, WORLD_MS, &handle,
                      &result) != 0)
        fail_msg("%s: %s", home, result.sentence);
    return handle;
}

void
world_key(const struct world *world, const char *home, const char *use,
          struct sg_os_keyfile *key)
{
    assert_int_equal(
        sg_os_keyfile_read(world_path(world, "%s/keys/%s.key", home, use), use,
                           key),
        SG_OK);
}

const char *
world_ask(struct world *world, struct statgate *from, enum sg_wire_lane lane,
          Sgpb__Envelope *envelope, struct sg_slice payload,
          const Sgpb__Envelope **answer)
{
    const Sgpb__Envelope *heard = NULL;
    struct statgate_result result;

    (void)!sg_session_ask(from, lane, envelope, payload,
                          SGPB__ENVELOPE__BODY__NOT_SET, &heard, &result);
    const Sgpb__Refusal *no =
        heard != NULL && heard->body_case == SGPB__ENVELOPE__BODY_RESULT
            ? heard->result->refusal
            : NULL;
    if (no != NULL)
        (void)sg_session_refused(&result, no);
    (void)snprintf(world->code, sizeof world->code, "%s",
                   result.exit == 0 ? "" : result.code);
    (void)snprintf(world->component, sizeof world->component, "%s",
                   result.exit == 0 ? "" : result.component);
    world->seq = result.exit == 0 ? 0 : result.seq;
    if (answer != NULL)
        *answer = heard;
    return world->code;
}

void
world_refused(const struct world *world, const char *code,
              const char *component)
{
    if (strcmp(world->code, code) != 0 ||
        (component != NULL && strcmp(world->component, component) != 0))
        fail_msg("\"%s\" at \"%s\", not \"%s\" at \"%s\"", world->code,
                 world->component, code, component == NULL ? "" : component);
}

void
world_serves(struct world *world)
{
    struct statgate *kenya = world_connect(world, "kenya");
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__CheckpointGet get = SGPB__CHECKPOINT_GET__INIT;

    envelope.body_case = SGPB__ENVELOPE__BODY_CHECKPOINT_GET;
    envelope.checkpoint_get = &get;
    assert_string_equal(world_ask(world, kenya, SG_WIRE_DATA, &envelope,
                                  (struct sg_slice){NULL, 0}, NULL),
                        "");
    statgate_close(&kenya);
}

const char *
world_figures(struct world *world, const char *name, unsigned area,
              size_t bytes)
{
    static char text[1 << 20];
    static const char *const series[] = {"EG_ACS_ELEC", "SI_POV_NAHC",
                                         "SH_STA_STNT"};
    size_t at = (size_t)snprintf(
        text, sizeof text, "%s",
        "DATAFLOW,FREQ,REPORTING_TYPE,SERIES,REF_AREA,SEX,AGE,URBANISATION,"
        "INCOME_WEALTH_QUANTILE,EDUCATION_LEV,OCCUPATION,CUST_BREAKDOWN,"
        "COMPOSITE_BREAKDOWN,DISABILITY_STATUS,ACTIVITY,PRODUCT,TIME_PERIOD,"
        "OBS_VALUE,OBS_STATUS,UNIT_MULT,UNIT_MEASURE,NATURE\n");

    assert_true(bytes + 1024 < sizeof text);
    for (unsigned i = 0; at < bytes && i < 8400; i++)
        at += (size_t)snprintf(
            text + at, sizeof text - at,
            "STATGATE:DF_SDG(1.0),A,N,%s,%u,%s,_T,%s,_T,_T,_T,C%02u,_T,_T,_T,"
            "_T,%u,%u.%u,A,0,NUMBER,C\n",
            series[i / 2800], area, i / 700 % 2 ? "M" : "F",
            i / 1400 % 2 ? "R" : "U", 1 + i / 35 % 20, 1990 + i % 35, i % 97,
            i % 10);
    world_write(world, name, sg_slice_of(text, at));
    return world_path(world, "%s", name);
}

// ---- publishing ----------------------------------------------------------------

struct sg_slice
world_pack(struct world *world, const ProtobufCMessage *what)
{
    struct sg_slice bytes;

    assert_int_equal(sg_codec_pack(what, world->gate.arena, &bytes), SG_OK);
    return bytes;
}

void
world_offer(struct world *world, struct statgate *from, const char *flow,
            const char *file, struct world_offer *offer)
{
    struct statgate_release release = {.flow = flow, .file = file};
    struct sg_content_file content = {.path = file};
    struct statgate_result result;
    struct sg_manifest_made made;
    struct sg_head *head;
    uint8_t *bytes;
    size_t len;
    void *open;

    sg_arena_reset(from->arena);
    assert_int_equal(sg_content_look(&content), SG_OK);
    assert_int_equal(sg_manifest_head(from, flow, true, &head, &result), 0);
    if (sg_manifest_make(from, &release, head, &content, world->gate.arena,
                         &made, &result) != 0)
        fail_msg("manifest: %s", result.sentence);
    assert_int_equal(sg_codec_unpack(&sgpb__manifest__descriptor, made.bytes,
                                     world->gate.arena, &open),
                     SG_OK);
    offer->m = *(Sgpb__Manifest *)open;
    offer->claims = *offer->m.claims;
    offer->m.claims = &offer->claims;
    memcpy(offer->secret, made.secret, sizeof offer->secret);
    assert_int_equal(sg_os_file_read(file, SAID_MAX, &bytes, &len), SG_OK);
    offer->data = sg_arena_copy(world->gate.arena, sg_slice_of(bytes, len + 1));
    offer->data.len = len; // the NUL stays behind it
    free(bytes);
}

void
world_offer_bytes(struct world_offer *offer, struct sg_slice bytes,
                  uint32_t media)
{
    offer->data = bytes;
    offer->m.media = media;
    offer->m.size = bytes.len;
    offer->m.chunk_size = SG_LIMIT_CHUNK;
    offer->m.chunks = (bytes.len + SG_LIMIT_CHUNK - 1) / SG_LIMIT_CHUNK;
}

void
world_sign(const struct statgate *from, struct sg_slice manifest, uint8_t *head,
           uint8_t *sig)
{
    struct sg_batch_head made;
    uint8_t leaf[1][32];

    sg_batch_leaf(manifest, leaf[0]);
    assert_int_equal(sg_batch_sign(from->home.signer,
                                   (const uint8_t(*)[32])leaf, 1, &made, sig),
                     SG_OK);
    sg_batch_head_encode(&made, head);
}

const char *
world_publish_signed(struct world *world, struct statgate *from,
                     const struct world_offer *offer, struct sg_slice manifest,
                     const uint8_t *head, const uint8_t *sig)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Publish body = SGPB__PUBLISH__INIT;
    ProtobufCBinaryData one = sg_codec_bytes(manifest.ptr, manifest.len);
    ProtobufCBinaryData block = sg_codec_bytes(offer->secret, SG_SECRET_LEN);
    uint32_t length = (uint32_t)offer->data.len;

    sg_crypto_sha256(manifest.ptr, manifest.len, world->manifest);
    body.head = sg_codec_bytes(head, SG_BATCH_HEAD_LEN);
    body.sig = sg_codec_bytes(sig, SG_SIG_LEN);
    body.manifests = &one;
    body.secret_blocks = &block;
    body.lengths = &length;
    body.n_manifests = body.n_secret_blocks = body.n_lengths = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_PUBLISH;
    envelope.publish = &body;
    return world_ask(world, from, SG_WIRE_DATA, &envelope, offer->data, NULL);
}

const char *
world_publish(struct world *world, struct statgate *from,
              const struct world_offer *offer)
{
    uint8_t head[SG_BATCH_HEAD_LEN], sig[SG_SIG_LEN];
    struct sg_slice bytes = world_pack(world, &offer->m.base);

    world_sign(from, bytes, head, sig);
    return world_publish_signed(world, from, offer, bytes, head, sig);
}

// ---- chunk by chunk --------------------------------------------------------------

const char *
world_begin(struct world *world, struct statgate *from,
            const struct world_offer *offer, uint64_t *upload, uint64_t *next)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__PublishBegin body = SGPB__PUBLISH_BEGIN__INIT;
    Sgpb__SignedManifest manifest = SGPB__SIGNED_MANIFEST__INIT;
    struct sg_slice bytes = world_pack(world, &offer->m.base);
    uint8_t head[SG_BATCH_HEAD_LEN], sig[SG_SIG_LEN];
    const Sgpb__Envelope *answer;

    world_sign(from, bytes, head, sig);
    sg_crypto_sha256(bytes.ptr, bytes.len, world->manifest);
    manifest.manifest = sg_codec_bytes(bytes.ptr, bytes.len);
    manifest.head = sg_codec_bytes(head, sizeof head);
    manifest.sig = sg_codec_bytes(sig, sizeof sig);
    body.manifest = &manifest;
    body.secret_block = sg_codec_bytes(offer->secret, SG_SECRET_LEN);
    body.bytes = offer->m.size;
    body.chunks = offer->m.chunks;
    envelope.body_case = SGPB__ENVELOPE__BODY_PUBLISH_BEGIN;
    envelope.publish_begin = &body;
    (void)world_ask(world, from, SG_WIRE_DATA, &envelope,
                    (struct sg_slice){NULL, 0}, &answer);
    if (world->code[0] != '\0')
        return world->code;
    assert_int_equal(answer->body_case, SGPB__ENVELOPE__BODY_PUBLISH_READY);
    *upload = answer->publish_ready->upload;
    *next = answer->publish_ready->next_chunk;
    return world->code;
}

void
world_chunk(struct statgate *from, uint64_t upload, uint64_t index,
            struct sg_slice bytes)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Chunk chunk = SGPB__CHUNK__INIT;
    struct statgate_result result;
    uint64_t deadline = sg_session_deadline(WORLD_MS);

    chunk.upload = upload;
    chunk.index = index;
    envelope.body_case = SGPB__ENVELOPE__BODY_CHUNK;
    envelope.chunk = &chunk;
    assert_true(
        sg_session_credit(from, SG_WIRE_DATA, bytes.len, deadline, &result));
    assert_int_equal(
        sg_session_send(from, SG_WIRE_DATA, &envelope, bytes, &result), 0);
}

static void
on_result(void *context, const Sgpb__Envelope *envelope,
          struct sg_slice payload)
{
    struct world *world = context;
    const Sgpb__Refusal *no =
        envelope->body_case == SGPB__ENVELOPE__BODY_RESULT
            ? envelope->result->refusal
        : envelope->body_case == SGPB__ENVELOPE__BODY_REFUSED
            ? envelope->refused
            : NULL;

    (void)payload;
    if (no != NULL) {
        (void)snprintf(world->code, sizeof world->code, "%s", no->code);
        world->seq = no->seq;
    } else if (envelope->body_case == SGPB__ENVELOPE__BODY_RESULT) {
        world->code[0] = '\0';
    }
}

const char *
world_result(struct world *world, struct statgate *from)
{
    uint64_t deadline = sg_session_deadline(WORLD_MS);

    (void)snprintf(world->code, sizeof world->code, "no answer");
    from->other = on_result;
    from->other_context = world;
    while (strcmp(world->code, "no answer") == 0 &&
           sg_os_clock_mono_us() < deadline)
        (void)sg_session_hear(from, 100);
    from->other = NULL;
    return world->code;
}

const char *
world_upload(struct world *world, struct statgate *from,
             const struct world_offer *offer)
{
    uint64_t upload, next;

    if (world_begin(world, from, offer, &upload, &next)[0] != '\0')
        return world->code;
    for (uint64_t at = next * SG_LIMIT_CHUNK; at < offer->data.len;
         at += SG_LIMIT_CHUNK, next++) {
        size_t left = offer->data.len - at;
        world_chunk(from, upload, next,
                    sg_slice_of(offer->data.ptr + at,
                                left < SG_LIMIT_CHUNK ? left : SG_LIMIT_CHUNK));
    }
    return world_result(world, from);
}

const char *
world_good(struct world *world, struct statgate *from, const char *flow,
           const char *file)
{
    struct statgate_release release = {.flow = flow, .file = file, .again = 1};
    struct statgate_receipt receipt;
    struct statgate_result result;

    (void)statgate_publish(from, &release, NULL, NULL, &receipt, &result);
    (void)snprintf(world->code, sizeof world->code, "%s",
                   result.exit == 0 ? "" : result.code);
    world->seq = result.exit == 0 ? receipt.entry : result.seq;
    return world->code;
}
