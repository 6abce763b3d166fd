// Key last, as a receiver sees it: a withdrawal stops what is already there
// (S36), and what is denied for reasons of content or of others' consent reads
// alike, whatever the reason is (S44).
#include "tests/e2e/world.h"

#include "schemas/documents.pb-c.h"

enum { SEEN_MAX = 64, QUIET_MS = 200, HEAR_MS = 10000, SIZE_CLASS = 64 };
enum { BYTES = 1 << 18, GRANT = 8 << 20, RWANDA = 646 };

static const char records[][33] = {"6c1f0a52b7de4d0e9a3358e21b84c701",
                                   "0be97fd2437a4c118d7e5596ac20f302"};

static int
setup(void **state)
{
    static struct world world;
    world_open(&world);
    world_laws(&world);
    *state = &world;
    return 0;
}

static void
consent(struct world *world, const char *verb, const char *agreement,
        const char *of)
{
    world_do(world, "rwanda", "consent", verb, agreement, of, NULL);
}

// A flow that rests on an agreement of its own, and research subscribed to it.
static void
panel(struct world *world, const char *flow, const char *agreement)
{
    char text[600];
    int len = snprintf(
        text, sizeof text,
        "id %s\nrevision 1\npurpose scientific_research\nlawful_basis consent\n"
        "onward forbidden\nvalid_days 365\nretention_days 365\n"
        "categories living_conditions\nrecipients research_body nso\n"
        "languages en rw\n",
        agreement);
    world_write(world, "agreement", sg_slice_of(text, (size_t)len));
    world_do(world, "rwanda", "consent", "agreement",
             world_path(world, "agreement"), NULL);
    (void)snprintf(text, sizeof text,
                   "classification restricted\ndata_kind scientific_use_file\n"
                   "unit household\nidentifiability pseudonymised\n"
                   "lawful_basis consent\nonward forbidden\nlicence custom\n"
                   "purposes scientific_research official_statistics\n"
                   "commit row\nagreements %s\n",
                   agreement);
    world_flow(world, "rwanda", flow, text);
    world_do(world, "research", "subscribe", flow, "--purpose",
             "scientific_research", "--promise", "delete_after_days(365)",
             "--promise", "no_onward", "--promise", "notify_origin", NULL);
}

static void
publish(struct world *world, const char *flow, const char *file,
        uint64_t embargo_us)
{
    struct statgate *rwanda = world_connect(world, "rwanda");
    struct statgate_release release = {
        .flow = flow, .file = file, .embargo_us = embargo_us};
    struct statgate_receipt receipt;
    struct statgate_result result;
    if (statgate_publish(rwanda, &release, NULL, NULL, &receipt, &result) != 0)
        fail_msg("%s: %s at %s", flow, result.code, result.component);
    statgate_close(&rwanda);
}

// ---- what a receiver hears, word by word -----------------------------------------

struct heard {
    struct world *world;
    struct {
        Sgpb__Envelope__BodyCase body;
        char words[400];
        size_t size_class;
    } one[SEEN_MAX];
    size_t count, chunks, keys, stops;
    uint64_t bytes;  // of ciphertext
    uint64_t wanted; // plaintext bytes of the delivery begun
    uint8_t delivery[16];
};

static void
note(struct heard *heard, const Sgpb__Envelope *envelope, const char *words,
     size_t payload)
{
    if (heard->count == SEEN_MAX)
        return;
    heard->one[heard->count].body = envelope->body_case;
    heard->one[heard->count].size_class =
        (protobuf_c_message_get_packed_size(&envelope->base) + payload) /
        SIZE_CLASS;
    (void)snprintf(heard->one[heard->count].words, sizeof heard->one[0].words,
                   "%s", words);
    heard->count++;
}

static void
on_message(void *context, const Sgpb__Envelope *envelope,
           struct sg_slice payload)
{
    struct heard *heard = context;
    char words[400] = "";
    const Sgpb__DeliveryStop *stop;
    switch ((int)envelope->body_case) {
    case SGPB__ENVELOPE__BODY_DELIVERY_BEGIN:
        heard->wanted = envelope->delivery_begin->bytes;
        break;
    case SGPB__ENVELOPE__BODY_DELIVERY_CHUNK:
        heard->chunks++;
        heard->bytes += payload.len;
        assert_int_equal(envelope->delivery_chunk->delivery_id.len, 16);
        memcpy(heard->delivery, envelope->delivery_chunk->delivery_id.data, 16);
        break;
    case SGPB__ENVELOPE__BODY_DELIVERY_KEY:
        heard->keys++;
        break;
    case SGPB__ENVELOPE__BODY_DELIVERY_STOP:
        heard->stops++;
        stop = envelope->delivery_stop;
        (void)snprintf(words, sizeof words, "%s|%s|%s|%s|%llu", stop->code,
                       stop->sentence, stop->rule, stop->reference,
                       (unsigned long long)stop->last_index);
        break;
    default:
        break;
    }
    if (envelope->body_case != SGPB__ENVELOPE__BODY_GRANT)
        note(heard, envelope, words, payload.len);
}

static struct statgate *
attach(struct world *world, const char *flow, struct heard *heard)
{
    struct statgate *research = world_connect(world, "research");
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Attach attach = SGPB__ATTACH__INIT;
    char id[130];
    memset(heard, 0, sizeof *heard);
    heard->world = world;
    (void)snprintf(id, sizeof id, "UG_RESEARCH/%s", flow);
    attach.subscription = id;
    envelope.body_case = SGPB__ENVELOPE__BODY_ATTACH;
    envelope.attach = &attach;
    research->other = on_message;
    research->other_context = heard;
    research->grant_bytes = GRANT;
    research->grant_messages = 1024;
    assert_string_equal(world_ask(world, research, SG_WIRE_DATA, &envelope,
                                  (struct sg_slice){NULL, 0}, NULL),
                        "");
    return research;
}

static void
send_ready(struct statgate *research, const struct heard *heard)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__DeliveryReady ready = SGPB__DELIVERY_READY__INIT;
    struct statgate_result result;
    ready.delivery_id = sg_codec_bytes(heard->delivery, 16);
    envelope.body_case = SGPB__ENVELOPE__BODY_DELIVERY_READY;
    envelope.delivery_ready = &ready;
    assert_int_equal(sg_session_send(research, SG_WIRE_DATA, &envelope,
                                     (struct sg_slice){NULL, 0}, &result),
                     0);
}

// ---- S36 -------------------------------------------------------------------------

// The receiver has every byte of the ciphertext and stalls; then consent ends;
// then it asks for the key, from this connection and from a new one.
static void
a_withdrawal_stops_what_is_already_there(void **state)
{
    struct world *world = *state;
    static struct heard heard;
    panel(world, "RW_PANEL", "RW_CONSENT");
    consent(world, "give", "RW_CONSENT", records[0]);
    consent(world, "give", "RW_CONSENT", records[1]);
    publish(world, "RW_PANEL", world_figures(world, "panel.csv", RWANDA, BYTES),
            0);
    struct statgate *research = attach(world, "RW_PANEL", &heard);
    uint64_t end = sg_session_deadline(HEAR_MS);
    while ((heard.wanted == 0 || heard.bytes < heard.wanted) &&
           sg_os_clock_mono_us() < end)
        (void)sg_session_hear(research, QUIET_MS);
    assert_true(heard.wanted > 0 && heard.bytes > heard.wanted);
    assert_int_equal(heard.keys, 0);
    consent(world, "withdraw", "RW_CONSENT", records[1]);
    assert_int_equal(world_log(world, "withdrawal statement", ""), 1);
    send_ready(research, &heard);
    end = sg_session_deadline(HEAR_MS);
    while (heard.stops == 0 && sg_os_clock_mono_us() < end)
        (void)sg_session_hear(research, QUIET_MS);
    send_ready(research, &heard); // and once more, stopped or not
    (void)sg_session_hear(research, QUIET_MS);
    assert_int_equal(heard.keys, 0);
    assert_true(heard.stops > 0);
    statgate_close(&research);
    // The application is given nothing, whatever it asks.
    assert_int_not_equal(world_verb(world, "research", "receive", "RW_PANEL",
                                    "--once", "--wait", "2", "--out",
                                    world_path(world, "research/got"), NULL),
                         0);
    assert_false(
        sg_os_file_exists(world_path(world, "research/got/RW_PANEL@1.csv")));
    assert_int_equal(world_log(world, "key released", ""), 0);
    assert_int_equal(
        world_log(world, "withdrawal statement", "(ciphertext only)"), 1);
    // A crash does not change it.
    assert_int_equal(raw_gate_end(&world->gate, true), 137);
    world_start(world);
    research = attach(world, "RW_PANEL", &heard);
    send_ready(research, &heard);
    for (int i = 0; i < 3; i++)
        (void)sg_session_hear(research, QUIET_MS);
    assert_int_equal(heard.keys, 0);
    statgate_close(&research);
}

// ---- S44 -------------------------------------------------------------------------

// A receiver's whole view of one flow: what comes, and what `why` answers. The
// name of the flow is taken out of it.
static void
look(struct world *world, const char *flow, struct heard *heard)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Why why = SGPB__WHY__INIT;
    const Sgpb__Envelope *answer;
    char id[130], words[400];
    struct statgate *research = attach(world, flow, heard);
    uint64_t end = sg_session_deadline(HEAR_MS);
    while (heard->stops + heard->chunks == 0 && sg_os_clock_mono_us() < end)
        (void)sg_session_hear(research, QUIET_MS);
    while (sg_session_hear(research, QUIET_MS)) // and what comes behind it
        ;
    (void)snprintf(id, sizeof id, "UG_RESEARCH/%s", flow);
    why.flow = (char *)(uintptr_t)flow;
    why.revision = 1;
    why.subscription = id;
    envelope.body_case = SGPB__ENVELOPE__BODY_WHY;
    envelope.why = &why;
    assert_string_equal(world_ask(world, research, SG_WIRE_DATA, &envelope,
                                  (struct sg_slice){NULL, 0}, &answer),
                        "");
    (void)snprintf(words, sizeof words, "%s", answer->trace->text);
    for (char *at; (at = strstr(words, flow)) != NULL;)
        memset(at, '_', strlen(flow));
    note(heard, answer, words, 0);
    statgate_close(&research);
}

static void
is_alike(const struct heard *a, const struct heard *b, const char *name)
{
    if (a->count != b->count)
        fail_msg("%s: %zu messages, not %zu", name, b->count, a->count);
    for (size_t i = 0; i < a->count; i++)
        if (a->one[i].body != b->one[i].body ||
            a->one[i].size_class != b->one[i].size_class ||
            strcmp(a->one[i].words, b->one[i].words) != 0)
            fail_msg("%s, message %zu: %d \"%s\" %zu, not %d \"%s\" %zu", name,
                     i, (int)b->one[i].body, b->one[i].words,
                     b->one[i].size_class, (int)a->one[i].body, a->one[i].words,
                     a->one[i].size_class);
}

// Worlds that differ in what the receiver must not learn: nobody agreed; the
// only one took it back; one of two did; all agree but the release is under
// embargo; another has ten times the rows. And one where all is well.
static void
what_is_denied_for_reasons_of_others_reads_alike(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *flow, *agreement;
        unsigned given, withdrawn;
        size_t bytes;
        bool embargo;
    } rows[] = {
        {"RW_WORLD_1", "RW_AGREED_1", 0, 0, 2000, false},
        {"RW_WORLD_2", "RW_AGREED_2", 1, 1, 2000, false},
        {"RW_WORLD_3", "RW_AGREED_3", 2, 1, 2000, false},
        {"RW_WORLD_4", "RW_AGREED_4", 2, 0, 2000, true},
        {"RW_WORLD_5", "RW_AGREED_5", 0, 0, 20000, false},
        {"RW_WORLD_6", "RW_AGREED_6", 2, 0, 2000, false}, // delivered
    };
    static struct heard heard[SG_COUNT_OF(rows)];
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        panel(world, rows[i].flow, rows[i].agreement);
        for (unsigned k = 0; k < rows[i].given; k++)
            consent(world, "give", rows[i].agreement, records[k]);
        for (unsigned k = 0; k < rows[i].withdrawn; k++)
            consent(world, "withdraw", rows[i].agreement, records[k]);
        publish(world, rows[i].flow,
                world_figures(world, "world.csv", RWANDA, rows[i].bytes),
                rows[i].embargo ? sg_os_clock_wall_us() + 3600000000ull : 0);
        look(world, rows[i].flow, &heard[i]);
    }
    assert_true(heard[0].stops > 0);
    for (size_t i = 1; i + 1 < SG_COUNT_OF(rows); i++)
        is_alike(&heard[0], &heard[i], rows[i].flow);
    assert_int_equal(heard[SG_COUNT_OF(rows) - 1].stops, 0);
    assert_true(heard[SG_COUNT_OF(rows) - 1].chunks > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_withdrawal_stops_what_is_already_there),
        cmocka_unit_test(what_is_denied_for_reasons_of_others_reads_alike),
    };
    return cmocka_run_group_tests(tests, setup, world_teardown);
}
