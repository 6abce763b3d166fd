// Requests for a decision, as JSON or in words: refused, or all its codes are
// codes of their attributes, and it is decided.
#include "adapters/cli/policy_request.h"
#include "broker/base/check.h"
#include "broker/base/crypto.h"
#include "tests/fuzz/folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DAY = 20819 };

static const char law[] =
    "policy \"x\" version 1\n  owner \"x\"\n  layer hub\n"
    "  in force from 2026-01-01\n  vocabulary statgate 1\n"
    "rule \"r\"\n  permit\n  when classification is public\n"
    "   and availability is any and conf_status is any\n"
    "   and identifiability is any\n"
    "   and consent is any and community_consent is any\n";

static struct sg_policy_set *
one_law(void)
{
    static struct sg_policy_set *set;
    struct sg_policy_file file = {SG_SLICE("x.policy"), SG_SLICE(law)};
    struct sg_policy_fault fault;

    if (set != NULL)
        return set;
    struct sg_arena *arena = sg_arena_new(64u << 20, 1u << 18);
    if (arena == NULL || sg_crypto_start() != SG_OK ||
        sg_policy_load(arena, &file, 1, NULL, &set, &fault) != SG_OK)
        abort();
    return set;
}

static void
decide(const struct sg_policy_set *set, const struct sg_policy_request *r)
{
    struct sg_rules *rules;
    struct sg_decision d;
    struct sg_arena *arena = sg_arena_new(16u << 20, 1u << 18);

    SG_ASSERT(arena != NULL);
    SG_ASSERT(r->context.performed_count <= SG_LIMIT_OBLIGATIONS);
    if (sg_compile_slice(arena, set, r->has_day ? r->day : DAY, 1, &rules) ==
        SG_OK)
        sg_decide_alone(rules, 0, &r->q, r->has_day ? r->day : DAY, &r->context,
                        &d);
    sg_arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sg_context anything = {.performs = SG_OBLIGATION_ALL,
                                               .promises_anything = true};
    const struct sg_policy_set *set = one_law();
    struct sg_policy_request r = {.context = anything};
    int kept = folder_quiet();

    json_t *json = json_loadb((const char *)data, size, 0, NULL);
    if (json != NULL && sg_policy_request_json(set, json, &r))
        decide(set, &r);
    json_decref(json);
    char *words = strndup((const char *)data, size);
    r = (struct sg_policy_request){.context = anything};
    if (words != NULL && sg_policy_request_words(set, words, &r))
        decide(set, &r);
    free(words);
    folder_loud(kept);
    return 0;
}
