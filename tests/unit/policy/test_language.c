// What a wrong text is told: place, fault, cure.
#include "tests/unit/policy/fixture.h"

static void
refuses(const char *text, unsigned line, unsigned column, const char *message)
{
    struct world w;
    world_begin(&w);
    world_add(&w, "x.policy", text);
    assert_int_equal(world_load(&w), SG_ERR_SYNTAX);
    assert_string_equal(w.fault.at.text, message);
    assert_int_equal(w.fault.at.line, line);
    assert_int_equal(w.fault.at.column, column);
    world_end(&w);
}

static const struct {
    const char *when;
    unsigned line, column;
    const char *message;
} conditions[] = {
    {"destination is no", 2, 37,
     "\"no\" is not a code or group of type country; did you mean "
     "\"NO\"?"},
    {"destination is UK", 2, 37,
     "\"UK\" is not a code or group of type country; the ISO 3166-1 "
     "alpha-2 code is \"GB\""},
    {"destination is 404", 2, 37,
     "\"404\" is not a code or group of type country; the ISO 3166-1 "
     "alpha-2 code is \"KE\""},
    {"destination is Kenya", 2, 37,
     "\"Kenya\" is not a code or group of type country; the ISO 3166-1 "
     "alpha-2 code is \"KE\""},
    {"destination is XX", 2, 37,
     "\"XX\" is not a code or group of type country"},
    {"destination is EU", 2, 37,
     "\"EU\" is not a code or group of type country; the European Union "
     "is a group: define country group EU = ..."},
    {"destinaton is NO", 2, 22,
     "unknown attribute \"destinaton\"; did you mean \"destination\"?"},
    {"personal is NO", 2, 22,
     "unknown attribute \"personal\"; write \"identifiability\""},
    {"purpose is at least commercial", 2, 33,
     "\"purpose\" has no order, so \"at least/at most\" cannot be used "
     "with it"},
    {"classification is at least top", 2, 49,
     "\"top\" is not a code or group of type classification"},
    {"identifiability is anonymous and identifiability is "
     "direct_identifiers",
     2, 55, "conditions on \"identifiability\" can never hold together"},
    {"purpose is audit or purpose is archive and destination is NO", 2, 61,
     "\"and\" and \"or\" are mixed: write \"either A or B and C\""},
    {"purpose is audit and destination is NO or purpose is archive", 2, 61,
     "\"and\" and \"or\" are mixed: write \"either A or B and C\""},
    {"purpose is audit\n oblige notify_origin", 3, 2,
     "only a permit can oblige"},
    {"destination is not unknown", 2, 22,
     "\"unknown\" can be named only after \"is\" or \"is one of\" in the "
     "when of a forbid, hold or never"},
    {"destination is KE unless purpose is unknown", 2, 47,
     "\"unknown\" can be named only after \"is\" or \"is one of\" in the "
     "when of a forbid, hold or never"},
    {"party is KE_KNBS", 2, 31,
     "party is compared with groups only: define party group ... from "
     "\"file\" sha256 \"...\""},
    {"area is same as purpose", 2, 38,
     "\"same as\" compares two of provider_in, area, counterpart, "
     "destination, stored_in"},
    {"conf_status is F unless consent is any", 2, 46,
     "\"is any\" in unless would switch the rule off"},
    {"destination is KE, UG", 2, 39, "a list needs \"is one of\""},
    {"destination KE", 2, 34, "expected \"is\", found \"KE\""},
    {"destination is", 2, 36, "the text ends too early"},
    {"destination is (KE", 2, 37, "\"(\" does not belong here"},
    {"purpose is \xe2\x80\xae"
     "audit",
     2, 33, "control or direction character in a text"},
};

static void
conditions_that_cannot_be_are_named_with_their_cure(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(conditions); i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "policy \"x\" version 1 layer hub\nrule \"r\" forbid when %s",
                 conditions[i].when);
        refuses(text, conditions[i].line, conditions[i].column,
                conditions[i].message);
    }
}

static const struct {
    const char *text;
    unsigned line, column;
    const char *message;
} texts[] = {
    {"policy \"x\" version 1\n", 1, 1,
     "the header names no layer; write \"layer hub\", \"layer export for "
     "NO\" or \"layer import for NO\""},
    {"policy \"x\" version 1 layer export for UK", 1, 39,
     "\"UK\" is not a country; the ISO 3166-1 alpha-2 code is \"GB\""},
    {"policy \"x\" version 1 layer import for EAC", 1, 39,
     "\"EAC\" is neither a country nor a country group of this file"},
    {"policy \"x\" version 1 layer hub layer hub", 1, 32,
     "the header names two layers; exactly one holds"},
    {"policy \"x\" version 1 layer hub vocabulary statgate 2", 1, 52,
     "this gate speaks vocabulary statgate 1; write \"vocabulary statgate "
     "1\""},
    {"policy \"x\" version 1 layer hub in force from 2027-02-29", 1, 46,
     "there is no day 2027-02-29 in the calendar"},
    {"policy \"x version 1", 1, 8,
     "a text in quotes does not end on its line; close it"},
    {HEAD("hub") "define country group KE = UG", 2, 22,
     "\"KE\" is already a code of type country"},
    {HEAD("hub") "define destination group X = UG", 2, 8,
     "unknown type \"destination\"; write \"country\""},
    {HEAD("hub") "define country group A = UG review by 2030-01-01 source "
                 "\"s\"\ndefine country group A = KE",
     3, 22, "group A is defined twice"},
    {HEAD("hub") "rule \"a\" permit when" OPEN "because \"x\"\n"
                 "rule \"a\" permit when" OPEN,
     3, 1, "two rules have the same name"},
    {HEAD("hub") "rule \"a\" permit when purpose is audit", 2, 1,
     "rule \"a\" leaves availability open; constrain it or write "
     "\"availability is any\""},
    {HEAD("hub") "rule \"a\" permit when" OPEN
                 "and purpose is none of commercial",
     2, 170,
     "a permit names what it lets through: list the purpose codes with "
     "\"is one of\" (purpose may get new codes)"},
    {HEAD("hub") "rule \"a\" hold when purpose is audit", 2, 1,
     "rule \"a\" can never open (no event changes its attributes): use "
     "forbid"},
    {HEAD("hub") "rule \"a\" permit when" OPEN "oblige k_anonimity(5)", 2, 173,
     "unknown obligation \"k_anonimity\"; did you mean "
     "\"k_anonymity\"?"},
    {HEAD("hub") "rule \"a\" permit when" OPEN "oblige k_anonymity(1)", 2, 173,
     "\"k_anonymity\" is written k_anonymity(2..1000)"},
    {HEAD("hub") "rule \"a\" permit when" OPEN "oblige no_onward(1)", 2, 173,
     "\"no_onward\" takes no argument"},
    {HEAD("hub") "test \"t\" given example opn expect deny", 2, 24,
     "unknown example \"opn\""},
    {HEAD("hub") "test \"t\" given purpose aud expect deny", 2, 24,
     "\"aud\" is not a code of purpose"},
    {HEAD("hub") "rule \"a\" allow when purpose is audit", 2, 10,
     "expected \"permit\", \"hold\" or \"forbid\", found \"allow\""},
    {HEAD("hub") "Rule \"a\" permit", 2, 1,
     "expected \"define\", \"rule\", \"never\", \"test\" or the end of the "
     "file, found \"Rule\""},
};

static void
texts_that_cannot_be_are_named_with_their_cure(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(texts); i++)
        refuses(texts[i].text, texts[i].line, texts[i].column,
                texts[i].message);
}

static void
a_rule_of_too_many_boxes_is_refused(void **unused)
{
    char text[4096] = HEAD("hub") "rule \"a\" forbid when purpose is audit";
    (void)unused;
    for (int i = 0; i < 7; i++)
        strcat(text, i % 2 ? " and either unit is person or recipient is nso"
                           : " and either nature is C or recipient is ngo");
    refuses(text, 2, 1, "too complex, split the rule (more than 64 boxes)");
}

static void
a_keyword_is_an_ordinary_word_where_a_code_is_wanted(void **unused)
{
    struct world w;
    (void)unused;
    world_of(&w,
             "define example permit = instrument none, sensitive none\n"
             "rule \"when\" permit when instrument is none and lawful_basis is "
             "consent and recipient is public and" OPEN "because \"x\"\n"
             "rule \"of\" forbid when instrument is none of treaty, scc and "
             "emergency is one of none or ended\n",
             ALL_PERMIT);
    struct sg_decision d = decide_words(&w, "");
    assert_true(hit_by(&w, &d, "of"));
    world_end(&w);
}

static void
a_list_ends_in_or_and_a_condition_begins_with_it(void **unused)
{
    struct world w;
    (void)unused;
    world_of(&w,
             "rule \"list\" forbid when destination is one of KE, UG or RW and "
             "purpose is one of audit, archive\n"
             "rule \"or\" forbid when destination is RW or destination is TZ\n"
             "rule \"either\" forbid when either unit is person or unit is "
             "household and purpose is commercial\n" ALL_PERMIT,
             ALL_PERMIT);
    static const struct {
        const char *words, *rule;
    } rows[] = {
        {"purpose audit", "list"},
        {"purpose audit, destination RW", "list"},
        {"destination TZ", "or"},
        {"purpose commercial, unit household", "either"},
        {"purpose commercial, unit holding", NULL},
        {"purpose audit, destination SS", NULL},
    };
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        struct sg_decision d = decide_words(&w, rows[i].words);
        assert_int_equal(d.verdict == SG_VERDICT_PERMIT, rows[i].rule == NULL);
        if (rows[i].rule != NULL)
            assert_true(hit_by(&w, &d, rows[i].rule));
    }
    world_end(&w);
}

// ---- files that name files --------------------------------------------------------
static const char *
digest_of(const char *text)
{
    static char hex[65];
    uint8_t digest[32];
    sg_crypto_sha256(text, strlen(text), digest);
    sg_encode_hex(digest, sizeof digest, hex);
    return hex;
}

static void
includes_and_lists_are_taken_by_their_hash(void **unused)
{
    static const char groups[] =
        "define country group NEAR = UG, TZ review by 2030-01-01 source \"s\"";
    static const char list[] = "# sanctioned\nUG_X\nZZ_BAD  # why\n\nUG_X\n";
    char text[2048], included[65];
    struct world w;
    (void)unused;
    strcpy(included, digest_of(groups));
    snprintf(text, sizeof text,
             "policy \"x\" version 1 layer export for KE include "
             "\"groups.inc\" sha256 \"%s\"\n"
             "define party group BAD from \"bad.txt\" sha256 \"%s\" review by "
             "2030-01-01 source \"s\"\n" ALL_PERMIT
             "rule \"near\" forbid when destination is not NEAR\n"
             "rule \"bad\" forbid when party is BAD\n"
             "test \"t\" given party ZZ_BAD expect deny incomplete\n",
             included, digest_of(list));
    world_begin(&w);
    world_add(&w, "ke.policy", text);
    world_add(&w, "groups.inc", groups);
    world_add(&w, "bad.txt", list);
    world_add(&w, "hub.policy", HEAD("hub") ALL_PERMIT);
    world_must_load(&w);
    assert_int_equal(w.set->party_count, 2);
    static const struct {
        const char *words;
        enum sg_verdict verdict;
    } rows[] = {
        {"", SG_VERDICT_PERMIT},           {"destination RW", SG_VERDICT_DENY},
        {"party ZZ_BAD", SG_VERDICT_DENY}, {"party UG_X", SG_VERDICT_DENY},
        {"party UG_Y", SG_VERDICT_PERMIT}, {"party unknown", SG_VERDICT_DENY},
    };
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        struct sg_request q = request(&w, rows[i].words);
        if (strcmp(rows[i].words, "party unknown") == 0)
            q.code[SG_ATTR_PARTY] = 0;
        struct sg_decision d = decide(&w, &q);
        assert_int_equal(d.verdict, rows[i].verdict);
    }
    w.files[2].text = SG_SLICE("UG_X\n"); // the list was changed
    assert_int_equal(world_load(&w), SG_ERR_SYNTAX);
    assert_string_equal(w.fault.at.text,
                        "\"bad.txt\" has another sha256 than written here");
    world_end(&w);
}

static void
an_included_file_holds_definitions_only_and_ends_somewhere(void **unused)
{
    char text[512], self[512];
    struct world w;
    (void)unused;
    const char *rule = "rule \"r\" forbid when purpose is audit";
    snprintf(text, sizeof text,
             "policy \"x\" version 1 layer hub include \"i\" sha256 \"%s\"",
             digest_of(rule));
    world_begin(&w);
    world_add(&w, "x.policy", text);
    world_add(&w, "i", rule);
    assert_int_equal(world_load(&w), SG_ERR_SYNTAX);
    assert_string_equal(w.fault.at.text,
                        "in \"i\", line 1, column 1: in the included file: "
                        "only definitions may be included, found \"rule\"");
    // Four deep is too deep at the fifth.
    char deep[6][256];
    strcpy(deep[5], "");
    for (int i = 4; i >= 0; i--)
        snprintf(deep[i], sizeof deep[i], "include \"%d\" sha256 \"%s\"", i + 1,
                 digest_of(deep[i + 1]));
    snprintf(self, sizeof self, "policy \"x\" version 1 layer hub %s", deep[0]);
    w.count = 0;
    world_add(&w, "x.policy", self);
    static const char *const names[] = {"0", "1", "2", "3", "4", "5"};
    for (int i = 0; i < 6; i++)
        world_add(&w, names[i], deep[i]);
    assert_int_equal(world_load(&w), SG_ERR_SYNTAX);
    assert_non_null(strstr(w.fault.at.text, "nested more than 4 deep"));
    world_end(&w);
}

static void
what_is_only_unwise_is_remarked_upon(void **unused)
{
    static const char *const wanted[] = {
        "group A has no \"review by DATE\"",
        "group A has no \"source\"",
        "rule \"r\" has neither because nor source",
        "group A is defined and not used",
    };
    struct world w;
    size_t i = 0;
    (void)unused;
    world_begin(&w);
    world_add(&w, "x.policy",
              HEAD("hub") "define country group A = UG\n"
                          "rule \"r\" forbid when purpose is audit");
    world_must_load(&w);
    for (const struct sg_note_link *l = w.set->notes; l != NULL; l = l->next) {
        assert_true(i < SG_COUNT_OF(wanted));
        assert_string_equal(l->note.text, wanted[i++]);
        assert_int_equal(l->note.kind, SG_POLICY_WARNING);
    }
    assert_int_equal(i, SG_COUNT_OF(wanted));
    world_end(&w);
}

static void
every_cut_of_a_policy_is_refused_or_read(void **unused)
{
    static const char whole[] = HEAD(
        "export for KE") "define country group A = UG, TZ except TZ "
                         "review by 2030-01-01 source \"s\"\n" ALL_PERMIT
                         "rule \"h\" hold for at most 9 days when consent is given and "
                         "destination is A unless purpose is audit because \"b\" say en \"s\"\n"
                         "never \"n\" permit when destination is not A\n"
                         "test \"t\" on 2027-01-01 given purpose audit expect deny incomplete";
    (void)unused;
    for (size_t cut = 0; cut < sizeof whole - 1; cut++) {
        struct world w;
        world_begin(&w);
        world_add(&w, "x.policy", whole);
        w.files[0].text.len = cut;
        enum sg_err err = world_load(&w);
        assert_true(err == SG_OK || err == SG_ERR_SYNTAX);
        assert_int_equal(err != SG_OK, w.fault.at.text[0] != '\0');
        world_end(&w);
    }
}

static void
days_are_those_of_the_calendar(void **unused)
{
    static const struct {
        const char *text;
        long day; // -1: no such day
    } rows[] = {
        {"1970-01-01", 0},     {"1970-12-31", 364},   {"2000-02-29", 11016},
        {"2027-01-01", 20819}, {"2100-02-28", 47540}, {"2100-02-29", -1},
        {"1969-12-31", -1},    {"2027-13-01", -1},    {"2027-00-01", -1},
        {"2027-04-31", -1},    {"2027-1-01", -1},     {"2027-01-0x", -1},
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        uint32_t day = 0;
        char text[11];
        bool ok = sg_policy_day_parse(sg_slice_text(rows[i].text), &day);
        assert_int_equal(ok ? (long)day : -1, rows[i].day);
        if (!ok)
            continue;
        sg_policy_day_print(day, text);
        assert_string_equal(text, rows[i].text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_that_cannot_be_are_named_with_their_cure),
        cmocka_unit_test(texts_that_cannot_be_are_named_with_their_cure),
        cmocka_unit_test(a_rule_of_too_many_boxes_is_refused),
        cmocka_unit_test(a_keyword_is_an_ordinary_word_where_a_code_is_wanted),
        cmocka_unit_test(a_list_ends_in_or_and_a_condition_begins_with_it),
        cmocka_unit_test(includes_and_lists_are_taken_by_their_hash),
        cmocka_unit_test(
            an_included_file_holds_definitions_only_and_ends_somewhere),
        cmocka_unit_test(what_is_only_unwise_is_remarked_upon),
        cmocka_unit_test(every_cut_of_a_policy_is_refused_or_read),
        cmocka_unit_test(days_are_those_of_the_calendar),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
