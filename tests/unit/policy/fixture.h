// fixture - policies from texts, requests from words.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/base/crypto.h"
#include "broker/base/encode.h"
#include "policy/ast.h"
#include "policy/explain.h"

struct world {
    struct sg_arena *arena;
    struct sg_policy_file files[16];
    size_t count;
    struct sg_policy_set *set;
    struct sg_rules *rules;
    struct sg_policy_fault fault;
    uint32_t day;
};

static const struct sg_context generous = {.performs = SG_OBLIGATION_ALL,
                                           .promises_anything = true};

// A request that nothing but a missing permit denies.
static const char plain[] =
    "provider_in KE, area KE, destination UG, stored_in UG, recipient nso, "
    "party other, classification public, data_kind aggregate, geo_detail none, "
    "unit person, identifiability anonymous, sensitive none, conf_status F, "
    "conf_redist not_limited, obs_status NORMAL, nature C, validation "
    "not_needed, availability released, release_kind first, purpose "
    "sdg_reporting, lawful_basis statistics_law, special_condition none, "
    "instrument none, consent not_relied_on, community_consent not_concerned, "
    "onward allowed, localisation none, emergency none, retention "
    "within_limit, licence cc_by, quality complete, sdc_state none";

#define HEAD(layer)                                                            \
    "policy \"x\" version 1 layer " layer " vocabulary statgate 1\n"
// What a permit must speak of.
#define OPEN                                                                   \
    " availability is any and conf_status is any and identifiability is any "  \
    "and consent is any and community_consent is any and classification is "   \
    "any "
#define ALL_PERMIT "rule \"all\" permit when" OPEN "because \"x\"\n"

static inline void
world_begin(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->arena = sg_arena_new(256u * 1024 * 1024, 1024 * 1024);
    assert_non_null(w->arena);
    assert_true(sg_policy_day_parse(SG_SLICE("2027-01-01"), &w->day));
}

static inline void
world_add(struct world *w, const char *name, const char *text)
{
    assert_true(w->count < SG_COUNT_OF(w->files));
    w->files[w->count++] =
        (struct sg_policy_file){sg_slice_text(name), sg_slice_text(text)};
}

static inline enum sg_err
world_load(struct world *w)
{
    enum sg_err err =
        sg_policy_load(w->arena, w->files, w->count, NULL, &w->set, &w->fault);
    if (err != SG_OK) {
        assert_null(w->set);
        return err;
    }
    return sg_compile_slice(w->arena, w->set, w->day, 7, &w->rules);
}

static inline void
world_must_load(struct world *w)
{
    enum sg_err err = world_load(w);
    if (err != SG_OK)
        print_error("%.*s:%u:%u: %s\n", SG_SLICE_ARG(w->fault.file),
                    w->fault.at.line, w->fault.at.column, w->fault.at.text);
    assert_int_equal(err, SG_OK);
}

static inline void
world_end(struct world *w)
{
    sg_arena_free(&w->arena);
}

// A world of one hub, an export of Kenya that permits all, and these rules.
static inline void
world_of(struct world *w, const char *export_rules, const char *hub_rules)
{
    static char export_text[65536], hub_text[65536];
    snprintf(export_text, sizeof export_text, HEAD("export for KE") "%s",
             export_rules);
    snprintf(hub_text, sizeof hub_text, HEAD("hub") "%s", hub_rules);
    world_begin(w);
    world_add(w, "ke.policy", export_text);
    world_add(w, "hub.policy", hub_text);
    world_must_load(w);
}

static inline void
facts(const struct world *w, struct sg_request *q, const char *words)
{
    while (*words != '\0') {
        char attr[64], code[64];
        int used = 0;
        assert_int_equal(
            sscanf(words, " %63[a-z_] %63[A-Za-z_0-9]%n", attr, code, &used),
            2);
        enum sg_attr a = sg_vocabulary_attr_named(sg_slice_text(attr));
        assert_int_not_equal(a, SG_ATTR_COUNT);
        q->code[a] = sg_vocabulary_code(a, sg_slice_text(code));
        if (a == SG_ATTR_PARTY && w->set != NULL)
            q->code[a] = sg_policy_party(w->set, sg_slice_text(code));
        assert_true(q->code[a] != 0 || strcmp(code, "unknown") == 0);
        words += used;
        words += strspn(words, " ,\n");
    }
}

// plain, changed by words.
static inline struct sg_request
request(const struct world *w, const char *words)
{
    struct sg_request q = {0};
    facts(w, &q, plain);
    facts(w, &q, words);
    return q;
}

static inline struct sg_decision
decide(const struct world *w, const struct sg_request *q)
{
    struct sg_decision d;
    sg_decide_request(w->rules, q, w->day, &generous, &d);
    return d;
}

static inline struct sg_decision
decide_words(const struct world *w, const char *words)
{
    struct sg_request q = request(w, words);
    return decide(w, &q);
}

static inline bool
hit_by(const struct world *w, const struct sg_decision *d, const char *name)
{
    for (uint8_t i = 0; i < d->rules_count; i++) {
        if (sg_slice_eq(sg_policy_rule_name(w->set, d->rules[i]),
                        sg_slice_text(name)))
            return true;
    }
    return false;
}

// xorshift64*: the same on every run.
static inline uint64_t
draw(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}
static inline uint32_t
below(uint64_t *state, uint32_t n)
{
    return (uint32_t)((draw(state) >> 33) % n);
}

static inline int
start_crypto(void **unused)
{
    (void)unused;
    return sg_crypto_start() == SG_OK ? 0 : -1;
}
