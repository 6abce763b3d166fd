// A gate that has its keys and lies to everybody: the command line and the
// library say so, and nothing else happens.
#include "schemas/proof/entry.h"
#include "tests/e2e/false.h"

static int
setup(void **state)
{
    static struct false_gate gate;

    false_open(&gate);
    *state = &gate;
    return 0;
}

static int
teardown(void **state)
{
    false_close(*state);
    return 0;
}

static void
answer(struct false_gate *gate, const Sgpb__Envelope *asked,
       Sgpb__Envelope *envelope)
{
    envelope->proto = 1;
    envelope->request = asked->request;
    false_say(gate, envelope, (struct sg_slice){NULL, 0});
}

// ---- lengths and counts --------------------------------------------------------

static uint8_t large[60000];

static void
lie_policy(struct false_gate *gate, const Sgpb__Envelope *asked)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__PolicyIs policy = SGPB__POLICY_IS__INIT;

    policy.bundle_sha256 = sg_codec_bytes(large, sizeof large);
    policy.proposed_sha256 = sg_codec_bytes(large, 33);
    envelope.body_case = SGPB__ENVELOPE__BODY_POLICY;
    envelope.policy = &policy;
    answer(gate, asked, &envelope);
}

static void
a_hash_that_is_too_long_is_no_hash(void **state)
{
    struct false_gate *gate = *state;

    assert_int_equal(false_verb(gate, lie_policy, "policy", "status", NULL),
                     65);
    assert_non_null(strstr(gate->said, "(peer.malformed)"));
}

// The entry grows page by page, and then it was a short one all along.
static void
lie_entries(struct false_gate *gate, const Sgpb__Envelope *asked)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Entries page = SGPB__ENTRIES__INIT;
    ProtobufCBinaryData raw = sg_codec_bytes(large, sizeof large);
    const uint64_t most = SG_LIMIT_ENTRY;

    page.raw = &raw;
    page.n_raw = 1;
    page.durable = 9;
    page.size = asked->entries_get->offset + sizeof large < most ? most : 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_ENTRIES;
    envelope.entries = &page;
    answer(gate, asked, &envelope);
}

static void
an_entry_does_not_outgrow_its_own_size(void **state)
{
    struct false_gate *gate = *state;
    char path[SG_OS_PATH];

    assert_true(sg_os_file_path(path, "%s/log", gate->raw.dir));
    assert_int_equal(
        false_verb(gate, lie_entries, "log", "export", "-o", path, NULL), 65);
    assert_non_null(strstr(gate->said, "(peer.malformed)"));
    assert_false(sg_os_file_exists(path));
}

// The gate has more to say than was asked for.
static void
lie_more_entries(struct false_gate *gate, const Sgpb__Envelope *asked)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Entries page = SGPB__ENTRIES__INIT;
    ProtobufCBinaryData raw[2];
    uint8_t bytes[2][512];

    for (uint64_t i = 0; i < 2; i++) {
        const struct sg_entry entry = {.type = SG_ENTRY_ADMIN_ACT,
                                       .sequence = 5 + 2 * i,
                                       .time_us = 1,
                                       .body = SG_SLICE("an act")};
        struct sg_writer w = sg_writer_on(bytes[i], sizeof bytes[i]);
        sg_entry_encode(&entry, &w);
        raw[i] = sg_codec_bytes(bytes[i], w.len);
    }
    page.raw = raw;
    page.n_raw = 2;
    page.next = 8;
    page.durable = 9;
    envelope.body_case = SGPB__ENVELOPE__BODY_ENTRIES;
    envelope.entries = &page;
    answer(gate, asked, &envelope);
}

static void
no_more_entries_are_taken_than_were_asked_for(void **state)
{
    struct false_gate *gate = *state;
    char path[SG_OS_PATH];

    assert_true(sg_os_file_path(path, "%s/log", gate->raw.dir));
    assert_int_equal(false_verb(gate, lie_more_entries, "log", "export", "-o",
                                path, "--count", "1", NULL),
                     65);
    assert_non_null(strstr(gate->said, "(peer.malformed)"));
    assert_int_equal(false_verb(gate, lie_more_entries, "log", "export", "-o",
                                path, "--count", "2", NULL),
                     0);
}

// ---- what is not there -----------------------------------------------------------

static void
lie_flow(struct false_gate *gate, const Sgpb__Envelope *asked)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__FlowIs flow = SGPB__FLOW_IS__INIT;
    Sgpb__CatalogueFlow empty = SGPB__CATALOGUE_FLOW__INIT;

    flow.flow = &empty;
    envelope.body_case = SGPB__ENVELOPE__BODY_FLOW;
    envelope.flow = &flow;
    answer(gate, asked, &envelope);
}

static void
a_flow_without_terms_is_no_flow(void **state)
{
    struct false_gate *gate = *state;

    assert_int_equal(false_verb(gate, lie_flow, "flow", "show", "KE_SDG", NULL),
                     65);
    assert_non_null(strstr(gate->said, "(peer.malformed)"));
}

// And yet it knows its participants.
static void
lie_roster(struct false_gate *gate, const Sgpb__Envelope *asked)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__RosterIs roster = SGPB__ROSTER_IS__INIT;
    char path[SG_OS_PATH];
    uint8_t *bytes;
    size_t len;

    if (asked->body_case == SGPB__ENVELOPE__BODY_FLOW_GET) {
        lie_flow(gate, asked);
        return;
    }
    if (!sg_os_file_path(path, "%s/roster.first", gate->raw.dir) ||
        sg_os_file_read(path, 1 << 20, &bytes, &len) != SG_OK)
        _exit(8);
    roster.signed_ = sg_codec_bytes(bytes, len);
    envelope.body_case = SGPB__ENVELOPE__BODY_ROSTER;
    envelope.roster = &roster;
    answer(gate, asked, &envelope);
    free(bytes);
}

static void
new_terms_follow_a_flow_without_terms_as_the_first(void **state)
{
    static const char terms[] =
        "flow KE_SDG\nlicence cc_by\nclassification public\n"
        "data_kind aggregate\nunit person\nidentifiability anonymous\n"
        "lawful_basis statistics_law\nonward allowed\n"
        "purposes official_statistics sdg_reporting\ncommit row\n"
        "structure STATGATE:SDG(1.0)\ndataflow STATGATE:DF_SDG(1.0)\n"
        "localisation none\ngeo_detail country\nvalidation not_needed\n"
        "emergency none\ncommunity_consent not_concerned\nquality complete\n"
        "sdc_state none\nsensitive none\nspecial_condition none\n";
    struct false_gate *gate = *state;
    char path[SG_OS_PATH];

    raw_write(&gate->raw, "terms", sg_slice_text(terms));
    assert_true(sg_os_file_path(path, "%s/terms", gate->raw.dir));
    assert_int_equal(false_verb(gate, lie_flow, "structure", "import",
                                "schemas/sdg/sdg.xml", NULL),
                     0);
    assert_int_equal(
        false_verb(gate, lie_roster, "flow", "new", path, "--dry-run", NULL),
        0);
    assert_non_null(strstr(gate->said, "send terms version 1 of the flow"));
}

// ---- what does not end -----------------------------------------------------------

static void
lie_pages(struct false_gate *gate, const Sgpb__Envelope *asked)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Catalogue page = SGPB__CATALOGUE__INIT;

    page.next_page = asked->catalogue_get->page < 3 ? 3 : 2;
    envelope.body_case = SGPB__ENVELOPE__BODY_CATALOGUE;
    envelope.catalogue = &page;
    answer(gate, asked, &envelope);
}

static void
a_list_that_goes_in_circles_ends(void **state)
{
    struct false_gate *gate = *state;

    assert_int_equal(false_verb(gate, lie_pages, "flow", "list", NULL), 65);
    assert_non_null(strstr(gate->said, "(peer.malformed)"));
}

// Only the third question is answered.
static void
lie_rate(struct false_gate *gate, const Sgpb__Envelope *asked)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Refusal refusal = SGPB__REFUSAL__INIT;
    Sgpb__Catalogue page = SGPB__CATALOGUE__INIT;

    refusal.code = (char *)(uintptr_t)sg_err_code(SG_ERR_PEER_RATE);
    refusal.retry_after_ms = 50;
    envelope.body_case = SGPB__ENVELOPE__BODY_REFUSED;
    envelope.refused = &refusal;
    if (gate->count > 3) { // with the hello
        envelope.body_case = SGPB__ENVELOPE__BODY_CATALOGUE;
        envelope.catalogue = &page;
    }
    answer(gate, asked, &envelope);
}

// And a time that is longer than anybody waits is no reason to wait.
static void
lie_rate_for_ever(struct false_gate *gate, const Sgpb__Envelope *asked)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Refusal refusal = SGPB__REFUSAL__INIT;

    refusal.code = (char *)(uintptr_t)sg_err_code(SG_ERR_PEER_RATE);
    refusal.retry_after_ms = UINT32_MAX;
    envelope.body_case = SGPB__ENVELOPE__BODY_REFUSED;
    envelope.refused = &refusal;
    answer(gate, asked, &envelope);
}

static void
who_has_asked_too_much_waits_as_long_as_he_is_told(void **state)
{
    struct false_gate *gate = *state;

    assert_int_equal(false_verb(gate, lie_rate, "flow", "list", NULL), 0);
    assert_int_equal(false_verb(gate, lie_rate_for_ever, "flow", "list", NULL),
                     75);
    assert_non_null(strstr(gate->said, "(peer.rate)"));
}

// ---- words -----------------------------------------------------------------------

#define EVIL "\033[2J\xc2\x9b\xe2\x80\xae\x7f\r"

static void
lie_words(struct false_gate *gate, const Sgpb__Envelope *asked)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Refusal refusal = SGPB__REFUSAL__INIT;
    Sgpb__Place place = SGPB__PLACE__INIT;

    refusal.code = (char *)(uintptr_t) "gate.evil" EVIL;
    refusal.sentence = (char *)(uintptr_t) "no" EVIL "\nstatgate: done";
    refusal.cure = (char *)(uintptr_t) "call\nthe operator" EVIL;
    refusal.place = &place;
    place.component = (char *)(uintptr_t) "x" EVIL;
    envelope.body_case = SGPB__ENVELOPE__BODY_REFUSED;
    envelope.refused = &refusal;
    answer(gate, asked, &envelope);
}

static void
is_plain(const char *said)
{
    for (const char *at = said; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 && *at != '\n')
            fail_msg("%s", said);
    assert_null(strchr(said, '\x7f'));
    assert_null(strstr(said, "\xc2\x9b"));
    assert_null(strstr(said, "\xe2\x80\xae"));
}

static void
what_a_gate_says_never_moves_the_cursor(void **state)
{
    struct false_gate *gate = *state;

    assert_int_not_equal(false_verb(gate, lie_words, "flow", "list", NULL), 0);
    is_plain(gate->said);
    assert_null(strstr(gate->said, "\nstatgate: done"));
    assert_non_null(strstr(gate->said, "\nthe operator"));
    assert_int_not_equal(
        false_verb(gate, lie_words, "flow", "list", "--json", NULL), 0);
    is_plain(gate->said);
}

static void
lie_names(struct false_gate *gate, const Sgpb__Envelope *asked)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__PolicyIs policy = SGPB__POLICY_IS__INIT;
    Sgpb__PolicyFileIs file = SGPB__POLICY_FILE_IS__INIT, *files[] = {&file};

    file.layer = (char *)(uintptr_t) "hub\",\"x\":\"" EVIL;
    file.name = (char *)(uintptr_t) "\\\n" EVIL;
    policy.files = files;
    policy.n_files = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_POLICY;
    envelope.policy = &policy;
    answer(gate, asked, &envelope);
}

static void
names_stay_within_their_quotes(void **state)
{
    struct false_gate *gate = *state;

    assert_int_equal(
        false_verb(gate, lie_names, "policy", "status", "--json", NULL), 0);
    is_plain(gate->said);
    assert_non_null(strstr(gate->said, "\"layer\":\"hub\\\",\\\"x"));
    assert_int_equal(false_verb(gate, lie_names, "policy", "status", NULL), 0);
    is_plain(gate->said);
}

static void
lie_status(struct false_gate *gate, const Sgpb__Envelope *asked)
{
    static const char json[] = "{\"gate\":\"\\u001b[2J\",\"\\u001b\":1}";
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Status status = SGPB__STATUS__INIT;

    status.json = sg_codec_bytes(json, sizeof json - 1);
    envelope.body_case = SGPB__ENVELOPE__BODY_STATUS;
    envelope.status = &status;
    answer(gate, asked, &envelope);
}

static void
a_status_is_plain_too(void **state)
{
    struct false_gate *gate = *state;

    assert_int_equal(false_verb(gate, lie_status, "status", NULL), 0);
    is_plain(gate->said);
    assert_int_equal(false_verb(gate, lie_status, "status", "--json", NULL), 0);
    is_plain(gate->said);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_that_is_too_long_is_no_hash),
        cmocka_unit_test(an_entry_does_not_outgrow_its_own_size),
        cmocka_unit_test(no_more_entries_are_taken_than_were_asked_for),
        cmocka_unit_test(a_flow_without_terms_is_no_flow),
        cmocka_unit_test(new_terms_follow_a_flow_without_terms_as_the_first),
        cmocka_unit_test(a_list_that_goes_in_circles_ends),
        cmocka_unit_test(who_has_asked_too_much_waits_as_long_as_he_is_told),
        cmocka_unit_test(what_a_gate_says_never_moves_the_cursor),
        cmocka_unit_test(names_stay_within_their_quotes),
        cmocka_unit_test(a_status_is_plain_too),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
