// Any bytes as a policy: refused with a place, or read, compiled and decided
// without a permit that an unknown request would get.
#include "broker/base/check.h"
#include "broker/base/crypto.h"
#include "policy/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void
decide_some(struct sg_arena *arena, const struct sg_policy_set *set)
{
    static const struct sg_context anything = {.performs = SG_OBLIGATION_ALL,
                                               .promises_anything = true};
    static uint8_t room[65536];
    struct sg_rules *rules;
    struct sg_decision d;
    if (sg_compile_slice(arena, set, 20819, 1, &rules) != SG_OK)
        return;
    for (unsigned i = 0; i < 8; i++) {
        struct sg_request q = {0};
        for (unsigned a = 0; a < SG_ATTR_COUNT; a++)
            q.code[a] = (uint16_t)(i == 0 ? 0 : (i * 7 + a) % 20);
        sg_decide_alone(rules, 0, &q, 20819, &anything, &d);
        SG_ASSERT(i > 0 || d.verdict == SG_VERDICT_DENY);
        struct sg_explained what = {rules, &q, 20819, &d,
                                    i % 2 ? SG_AUDIENCE_PROVIDER
                                          : SG_AUDIENCE_RECIPIENT};
        struct sg_writer w = sg_writer_on(room, sizeof room);
        sg_explain_json(&w, &what);
        w = sg_writer_on(room, sizeof room);
        sg_explain_text(&w, &what);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static bool started;
    struct sg_policy_set *set;
    struct sg_policy_fault fault;
    if (!started && sg_crypto_start() != SG_OK)
        return 0;
    started = true;
    struct sg_arena *arena = sg_arena_new(64u * 1024 * 1024, 256 * 1024);
    struct sg_policy_file file = {SG_SLICE("x.policy"),
                                  sg_slice_of(bytes, len)};
    if (arena == NULL)
        return 0;
    enum sg_err err = sg_policy_load(arena, &file, 1, NULL, &set, &fault);
    SG_ASSERT((err == SG_OK) == (set != NULL));
    SG_ASSERT(err == SG_OK || fault.at.text[0] != '\0' || err == SG_ERR_FULL);
    if (err == SG_OK)
        decide_some(arena, set);
    sg_arena_free(&arena);
    return 0;
}
