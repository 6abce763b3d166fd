// What explain.h promises: all for the provider; for the recipient nothing that
// depends on content, on derived facts or on the consent of others.
#include "tests/unit/policy/fixture.h"

static const char export_rules[] =
    "rule \"all\" permit when classification is at most limited and recipient "
    "is one of nso, intl_org and purpose is one of sdg_reporting, audit and "
    "availability is released and conf_status is any and identifiability is "
    "any and consent is any and community_consent is any oblige "
    "minimum_count(5), suppress_small_cells(4), no_onward, "
    "delete_after_days(30) because \"x\"\n"
    "rule \"sanctioned\" forbid when destination is RW because \"Order 7\" say "
    "en \"Not there.\"\n"
    "rule \"small cells\" forbid when conf_status is one of A, C because "
    "\"Act 9\"\n"
    "rule \"wait\" hold for at most 9 days when validation is in_consultation "
    "and nature is any because \"para 7\"\n"
    "rule \"derived wait\" hold when validation is disputed and nature is M "
    "because \"para 8\"\n";

static struct sg_slice
explained(const struct world *w, const struct sg_request *q,
          enum sg_audience audience, bool json)
{
    static uint8_t room[4][16384];
    static unsigned turn;
    struct sg_decision d = decide(w, q);
    struct sg_explained what = {w->rules, q, w->day, &d, audience};
    struct sg_writer out = sg_writer_on(room[turn % 4], sizeof room[0]);
    turn++;
    if (json)
        sg_explain_json(&out, &what);
    else
        sg_explain_text(&out, &what);
    assert_false(out.full);
    sg_bytes_put_u8(&out, '\0');
    return sg_slice_of(out.ptr, out.len - 1);
}

static const char *
said(const struct world *w, const char *words, enum sg_audience audience,
     bool json)
{
    struct sg_request q = request(w, words);
    return (const char *)explained(w, &q, audience, json).ptr;
}

static void
the_recipient_sees_what_is_its_own(void **unused)
{
    static const struct {
        const char *words, *json;
    } rows[] = {
        {"", "{\"v\":1,\"verdict\":\"permit\",\"obligations\":[\"suppress_"
             "small_cells\",\"no_onward\",\"delete_after_days(30)\"]}"},
        {"destination RW",
         "{\"v\":1,\"verdict\":\"deny\",\"why\":\"policy.forbidden\",\"rules\":"
         "[{\"rule\":\"sanctioned\",\"because\":[\"Order 7\"],\"say\":{\"en\":"
         "\"Not there.\"}}]}"},
        {"conf_status C",
         "{\"v\":1,\"verdict\":\"deny\",\"why\":\"policy.content\"}"},
        {"conf_status C, destination RW",
         "{\"v\":1,\"verdict\":\"deny\",\"why\":\"policy.forbidden\",\"rules\":"
         "[{\"rule\":\"sanctioned\",\"because\":[\"Order 7\"],\"say\":{\"en\":"
         "\"Not there.\"}}]}"},
        {"purpose unknown",
         "{\"v\":1,\"verdict\":\"deny\",\"why\":\"policy.incomplete\",\"needs\":"
         "[\"purpose\"]}"},
        {"classification unknown",
         "{\"v\":1,\"verdict\":\"deny\",\"why\":\"policy.content\"}"},
        {"provider_in NO",
         "{\"v\":1,\"verdict\":\"deny\",\"why\":\"policy.no_policy\"}"},
        {"recipient private",
         "{\"v\":1,\"verdict\":\"deny\",\"why\":\"policy.not_permitted\","
         "\"needs\":[\"recipient\"]}"},
        {"classification secret",
         "{\"v\":1,\"verdict\":\"deny\",\"why\":\"policy.content\"}"},
        {"purpose commercial",
         "{\"v\":1,\"verdict\":\"deny\",\"why\":\"policy.content\"}"},
        {"availability scheduled",
         "{\"v\":1,\"verdict\":\"deny\",\"why\":\"policy.content\"}"},
        {"lawful_basis consent, consent withdrawn",
         "{\"v\":1,\"verdict\":\"deny\",\"why\":\"policy.content\"}"},
        {"localisation home_only",
         "{\"v\":1,\"verdict\":\"deny\",\"why\":\"policy.guard\",\"rules\":[{"
         "\"rule\":\"guard: localisation\",\"because\":[]}]}"},
    };
    struct world w;
    (void)unused;
    world_of(&w, export_rules, ALL_PERMIT);
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++)
        assert_string_equal(
            said(&w, rows[i].words, SG_AUDIENCE_RECIPIENT, true), rows[i].json);
    world_end(&w);
}

// Worlds that differ only in content or in others' consent, and deny both.
static void
two_worlds_that_deny_look_alike_to_the_recipient(void **unused)
{
    static const enum sg_attr hidden[] = {
        SG_ATTR_CONF_STATUS,  SG_ATTR_NATURE,  SG_ATTR_OBS_STATUS,
        SG_ATTR_AREA,         SG_ATTR_CONSENT, SG_ATTR_COMMUNITY_CONSENT,
        SG_ATTR_AVAILABILITY, SG_ATTR_QUALITY, SG_ATTR_SDC_STATE,
        SG_ATTR_CONF_REDIST};
    struct world w;
    uint64_t rnd = 11;
    unsigned pairs = 0;
    (void)unused;
    world_of(&w, export_rules, ALL_PERMIT);
    for (int i = 0; i < 10000; i++) {
        struct sg_request a = request(&w, ""), b;
        if (below(&rnd, 4) == 0)
            facts(&w, &a, "lawful_basis consent");
        b = a;
        for (int k = 0; k < 3; k++) {
            enum sg_attr x = hidden[below(&rnd, SG_COUNT_OF(hidden))];
            uint16_t c = (uint16_t)below(&rnd, sg_vocabulary_code_count(x));
            a.code[x] = sg_vocabulary_is_code(x, c) ? c : 0;
            c = (uint16_t)below(&rnd, sg_vocabulary_code_count(x));
            b.code[x] = sg_vocabulary_is_code(x, c) ? c : 0;
        }
        if (decide(&w, &a).verdict != SG_VERDICT_DENY ||
            decide(&w, &b).verdict != SG_VERDICT_DENY)
            continue;
        pairs++;
        for (int json = 0; json < 2; json++) {
            struct sg_slice x = explained(&w, &a, SG_AUDIENCE_RECIPIENT, json);
            struct sg_slice y = explained(&w, &b, SG_AUDIENCE_RECIPIENT, json);
            assert_true(sg_slice_eq(x, y));
        }
    }
    assert_true(pairs > 1000);
    world_end(&w);
}

static void
the_provider_sees_rules_places_and_what_was_missing(void **unused)
{
    static const struct {
        const char *words, *part;
    } rows[] = {
        {"conf_status C", "\"forbids\":[{\"rule\":\"small cells\",\"at\":"
                          "\"ke.policy:4\",\"because\":[\"Act 9\"],\"held\":["
                          "\"conf_status is one of A, C\"]}]"},
        {"recipient private",
         "\"near\":[{\"rule\":\"all\",\"failed\":1,\"unless\":false,"
         "\"missing\":[{\"attr\":\"recipient\",\"is\":\"private\",\"needs\":["
         "\"recipient is one of nso, intl_org\"]}]}]"},
        {"validation in_consultation",
         "\"waiting_for\":[\"validation\"],\"deadline_days\":9"},
        {"purpose unknown", "\"missing\":[\"purpose\"]"},
        {"", "\"obligations\":[\"minimum_count(5)\",\"suppress_small_cells(4)"
             "\",\"no_onward\",\"delete_after_days(30)\"]"},
        {"", "\"destination\":{\"code\":\"UG\",\"from\":\"verified\"}"},
        {"lawful_basis consent",
         "\"guards\":[{\"rule\":\"guard: consent\",\"because\":[],\"held\":["},
    };
    struct world w;
    (void)unused;
    world_of(&w, export_rules, ALL_PERMIT);
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++)
        assert_non_null(strstr(
            said(&w, rows[i].words, SG_AUDIENCE_PROVIDER, true), rows[i].part));
    world_end(&w);
}

static void
sentences_name_the_rule_and_the_cure(void **unused)
{
    struct world w;
    (void)unused;
    world_of(&w, export_rules, ALL_PERMIT);
    assert_string_equal(
        said(&w, "destination RW", SG_AUDIENCE_PROVIDER, false),
        "DENIED: Kenya -> Rwanda, aggregate.\n"
        "  Forbidden by rule \"sanctioned\" (ke.policy line 3, Order 7).\n"
        "    Not there.\n");
    assert_string_equal(
        said(&w, "recipient private", SG_AUDIENCE_PROVIDER, false),
        "DENIED: Kenya -> Uganda, aggregate. No rule of \"x\" permits it.\n"
        "  Nearest: it would be permitted by rule \"all\" if recipient is one "
        "of nso, intl_org.\n");
    assert_string_equal(
        said(&w, "availability scheduled", SG_AUDIENCE_PROVIDER, false),
        "HELD: Kenya -> Uganda, aggregate. It waits for availability.\n");
    assert_string_equal(said(&w, "conf_status C", SG_AUDIENCE_RECIPIENT, false),
                        "DENIED: Kenya -> Uganda. policy.content.\n");
    assert_string_equal(
        said(&w, "availability scheduled", SG_AUDIENCE_RECIPIENT, false),
        "DENIED: Kenya -> Uganda. policy.content.\n");
    world_end(&w);
}

static void
a_protected_parameter_is_not_shown_to_anybody(void **unused)
{
    struct world w;
    (void)unused;
    world_of(&w,
             "define protected P = 17\nrule \"a\" permit when" OPEN
             "oblige p_percent(P), no_onward because \"x\"\n",
             ALL_PERMIT);
    struct sg_request q = request(&w, "");
    assert_int_equal(decide(&w, &q).obligations[0].arg[0], 17);
    const char *json = said(&w, "", SG_AUDIENCE_PROVIDER, true);
    assert_non_null(strstr(json, "\"p_percent\""));
    assert_null(strstr(json, "17"));
    world_end(&w);
}

static void
a_text_with_quotes_and_backslashes_stays_json(void **unused)
{
    struct world w;
    (void)unused;
    world_of(&w,
             ALL_PERMIT "rule \"a\\b\" forbid when destination is RW because "
                        "\"x\\\"\n",
             ALL_PERMIT);
    const char *json = said(&w, "destination RW", SG_AUDIENCE_RECIPIENT, true);
    assert_non_null(strstr(json, "\"rule\":\"a\\\\b\""));
    assert_non_null(strstr(json, "\"because\":[\"x\\\\\"]"));
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_recipient_sees_what_is_its_own),
        cmocka_unit_test(two_worlds_that_deny_look_alike_to_the_recipient),
        cmocka_unit_test(the_provider_sees_rules_places_and_what_was_missing),
        cmocka_unit_test(sentences_name_the_rule_and_the_cure),
        cmocka_unit_test(a_protected_parameter_is_not_shown_to_anybody),
        cmocka_unit_test(a_text_with_quotes_and_backslashes_stays_json),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
