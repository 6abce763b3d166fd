// What promise.h promises: the recipient hears which promises he lacks, and
// hears the same whatever the content is.
#include "tests/unit/policy/fixture.h"

#include "policy/promise.h"

static const char export_rules[] =
    "rule \"tables\" permit when data_kind is aggregate and recipient is one "
    "of nso, intl_org and conf_status is F and availability is released and "
    "identifiability is any and consent is any and community_consent is any "
    "and classification is any oblige no_onward, minimum_count(5), "
    "suppress_small_cells(4), statistical_use_only because \"x\"\n"
    "rule \"confidential\" permit when data_kind is aggregate and conf_status "
    "is C and availability is released and identifiability is any and consent "
    "is any and community_consent is any and classification is any oblige "
    "delete_after_days(30) because \"x\"\n"
    "rule \"files\" permit when data_kind is scientific_use_file and "
    "conf_status is any and availability is any and identifiability is any "
    "and consent is any and community_consent is any and classification is "
    "any oblige notify_origin because \"x\"\n"
    "rule \"others\" permit when recipient is private and data_kind is "
    "aggregate and conf_status is any and availability is any and "
    "identifiability is any and consent is any and community_consent is any "
    "and classification is any oblige keep_licence because \"x\"\n";
static const char hub_rules[] =
    "rule \"all\" permit when conf_status is any and availability is any and "
    "identifiability is any and consent is any and community_consent is any "
    "and classification is any unless destination is TZ oblige "
    "attribute_source because \"x\"\n";

static uint64_t
bits(const char *words)
{
    char attr[64];
    uint64_t all = 0;
    int used = 0;

    for (; sscanf(words, " %63[a-z_]%n", attr, &used) == 1; words += used) {
        enum sg_attr a = sg_vocabulary_attr_named(sg_slice_text(attr));
        assert_int_not_equal(a, SG_ATTR_COUNT);
        all |= 1ull << a;
    }
    return all;
}

static const char known[] = "provider_in destination recipient purpose "
                            "data_kind classification";

// "no_onward, delete_after_days(30)"
static const char *
lacking(const struct world *w, const char *words, const char *made)
{
    static char text[512];
    struct sg_obligation list[SG_LIMIT_OBLIGATIONS] = {{0}}, own[4];
    struct sg_context context = {.performs = SG_OBLIGATION_PERFORMED,
                                 .promises = own};
    struct sg_request q = request(w, words);
    char name[64], one[80];
    unsigned arg;

    if (sscanf(made, "%63[a-z_](%u)", name, &arg) == 2)
        own[context.promises_count++] = (struct sg_obligation){
            .name = (uint8_t)sg_obligation_named(sg_slice_text(name)),
            .arg = {arg, 0}};
    else if (made[0] != '\0')
        own[context.promises_count++] = (struct sg_obligation){
            .name = (uint8_t)sg_obligation_named(sg_slice_text(made))};
    size_t count =
        sg_promise_lacking(w->rules, w->day, &q, bits(known), &context, list);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        sg_obligation_print(&list[i], one, sizeof one);
        size_t at = strlen(text);
        snprintf(text + at, sizeof text - at, "%s%s", i == 0 ? "" : ", ", one);
    }
    return text;
}

static void
promises_that_are_wanting_are_named(void **unused)
{
    static const struct {
        const char *words, *made, *wanting;
    } rows[] = {
        {"", "", "attribute_source, no_onward, delete_after_days(30)"},
        {"", "no_onward", "attribute_source, delete_after_days(30)"},
        // A longer time than is asked for does not do; a shorter one does.
        {"", "delete_after_days(60)",
         "attribute_source, no_onward, delete_after_days(30)"},
        {"", "delete_after_days(7)", "attribute_source, no_onward"},
        // Rules for other recipients and other data ask nothing of this one.
        {"recipient private", "",
         "attribute_source, keep_licence, delete_after_days(30)"},
        {"data_kind scientific_use_file", "",
         "attribute_source, notify_origin"},
        // An exception that is known to hold takes the rule away.
        {"destination TZ", "", "no_onward, delete_after_days(30)"},
        // No promise cures that there is no law, or no permit at all.
        {"provider_in NO", "", "attribute_source"},
    };
    struct world w;

    (void)unused;
    world_of(&w, export_rules, hub_rules);
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++)
        assert_string_equal(lacking(&w, rows[i].words, rows[i].made),
                            rows[i].wanting);
    world_end(&w);
}

static void
content_and_the_consent_of_others_change_nothing(void **unused)
{
    static const char *const worlds[] = {
        "conf_status F",
        "conf_status C",
        "conf_status unknown",
        "availability scheduled",
        "lawful_basis consent, consent withdrawn",
        "sdc_state suppressed, nature E",
        "area RW, counterpart UG",
        "community_consent refused, quality none",
    };
    char first[512];
    struct world w;

    (void)unused;
    world_of(&w, export_rules, hub_rules);
    snprintf(first, sizeof first, "%s", lacking(&w, "", ""));
    for (size_t i = 0; i < SG_COUNT_OF(worlds); i++)
        assert_string_equal(lacking(&w, worlds[i], ""), first);
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promises_that_are_wanting_are_named),
        cmocka_unit_test(content_and_the_consent_of_others_change_nothing),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
