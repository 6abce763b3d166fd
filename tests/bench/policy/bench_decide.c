// Nanoseconds a decision, uncached, at 50, 500 and 5000 rules, beside a scan of
// the same conditions one rule after the other. Prints ratios in one run.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/crypto.h"
#include "broker/os/clock.h"
#include "policy/ast.h"
#include "policy/decide.h"

static uint64_t state = 20270101;

static uint32_t
below(uint32_t n)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 0x2545f4914f6cdd1dull >> 33) % n);
}

static const char *
code(enum sg_attr attr)
{
    uint16_t c;
    do
        c = (uint16_t)(1 + below(sg_vocabulary_code_count(attr) - 1u));
    while (!sg_vocabulary_is_code(attr, c) || c == SG_PLACE_ANYWHERE);
    return sg_vocabulary_text(attr, c);
}

// Countries come in groups or alone, a quarter forbids: as laws do.
static char *
put_rule(char *at, uint32_t i)
{
    static const char *const groups[] = {"EU", "EAC", "ASEAN", "CBPR"};
    bool forbid = below(4) == 0;
    at += sprintf(at, "rule \"r%u\" %s when ", i, forbid ? "forbid" : "permit");
    at += sprintf(at, "provider_in is %s and ",
                  below(2) ? groups[below(4)] : code(SG_ATTR_PROVIDER_IN));
    at += sprintf(at, "destination is one of %s, %s and ",
                  code(SG_ATTR_DESTINATION),
                  below(3) ? code(SG_ATTR_DESTINATION) : groups[below(4)]);
    at += sprintf(at, "purpose is one of %s, %s and recipient is one of %s, %s",
                  code(SG_ATTR_PURPOSE), code(SG_ATTR_PURPOSE),
                  code(SG_ATTR_RECIPIENT), code(SG_ATTR_RECIPIENT));
    at += sprintf(at, " and data_kind is one of %s, %s",
                  code(SG_ATTR_DATA_KIND), code(SG_ATTR_DATA_KIND));
    if (below(2))
        at += sprintf(at, " and instrument is one of %s, %s",
                      code(SG_ATTR_INSTRUMENT), code(SG_ATTR_INSTRUMENT));
    if (!forbid)
        at +=
            sprintf(at,
                    " and classification is at most %s and identifiability "
                    "is at most %s and consent is one of not_relied_on, "
                    "given and conf_status is one of F, %s and availability "
                    "is released and community_consent is not_concerned "
                    "oblige delete_after_days(%u)",
                    code(SG_ATTR_CLASSIFICATION), code(SG_ATTR_IDENTIFIABILITY),
                    code(SG_ATTR_CONF_STATUS), 1 + below(900));
    return at + sprintf(at, " because \"x\"\n");
}

static char *
make_policy(uint32_t rules)
{
    char *text = malloc(4096 + (size_t)rules * 1024), *at = text;
    if (text == NULL)
        exit(1);
    at += sprintf(
        at, "policy \"b\" version 1 layer hub vocabulary statgate 1\n"
            "define country group EU = AT, BE, BG, HR, CY, CZ, DK, EE, FI, FR, "
            "DE, GR, HU, IE, IT, LV, LT, LU, MT, NL, PL, PT, RO, SK, SI, ES, "
            "SE\ndefine country group EAC = BI, CD, KE, RW, SO, SS, TZ, UG\n"
            "define country group ASEAN = BN, KH, ID, LA, MY, MM, PH, SG, TH, "
            "TL, VN\ndefine country group CBPR = AU, CA, JP, KR, MX, PH, SG, "
            "TW, US\n");
    for (uint32_t i = 0; i < rules; i++)
        at = put_rule(at, i);
    return text;
}

enum { REQUESTS = 4096, ROUNDS = 50 };

static void
make_requests(struct sg_request *q)
{
    for (uint32_t i = 0; i < REQUESTS; i++) {
        for (unsigned a = 0; a < SG_ATTR_COUNT; a++)
            q[i].code[a] = sg_vocabulary_code(
                (enum sg_attr)a,
                sg_slice_text(a == SG_ATTR_PARTY ? "other"
                                                 : code((enum sg_attr)a)));
        q[i].code[SG_ATTR_AVAILABILITY] = SG_AVAILABILITY_RELEASED;
        q[i].code[SG_ATTR_LOCALISATION] = SG_LOCALISATION_NONE;
        q[i].code[SG_ATTR_CONF_REDIST] = SG_CONF_REDIST_NOT_LIMITED;
        q[i].code[SG_ATTR_LAWFUL_BASIS] = SG_LAWFUL_BASIS_STATISTICS_LAW;
        q[i].code[SG_ATTR_SPECIAL_CONDITION] = SG_SPECIAL_CONDITION_NONE;
        q[i].code[SG_ATTR_SENSITIVE] = SG_SENSITIVE_NONE;
        q[i].code[SG_ATTR_CONSENT] = SG_CONSENT_NOT_RELIED_ON;
        q[i].code[SG_ATTR_COMMUNITY_CONSENT] =
            SG_COMMUNITY_CONSENT_NOT_CONCERNED;
    }
}

// Three of four requests are made to fit some permit, so that they pass or are
// stopped late; the fourth is anything.
static void
fit_requests(struct sg_request *q, const struct sg_policy_set *set)
{
    const struct sg_file *file = set->files[0];
    for (uint32_t i = 0; i < REQUESTS; i++) {
        const struct sg_rule *r = file->by_index[below(file->rules_count)];
        if (i % 4 == 0 || r->effect != SG_EFFECT_PERMIT)
            continue;
        for (uint8_t s = 0; s < r->boxes[0].count; s++) {
            const struct sg_side *side = &r->boxes[0].sides[s];
            uint32_t codes = sg_dims_codes(set, side->dim);
            uint32_t at = below(codes);
            while (at == 0 || !sg_ast_has(side->codes, at))
                at = (at + 1) % codes;
            q[i].code[side->dim] = (uint16_t)at;
        }
    }
}

static const struct sg_context anything = {.performs = SG_OBLIGATION_ALL,
                                           .promises_anything = true};

static double
time_rules(const struct sg_rules *rules, const struct sg_request *q,
           uint32_t counts[3])
{
    struct sg_decision d;
    uint64_t begin = sg_os_clock_mono_us();
    for (uint32_t r = 0; r < ROUNDS; r++) {
        for (uint32_t i = 0; i < REQUESTS; i++) {
            sg_decide_alone(rules, 0, &q[i], 20819, &anything, &d);
            counts[d.verdict]++;
        }
    }
    uint64_t end = sg_os_clock_mono_us();
    return (double)(end - begin) * 1000.0 / ((double)REQUESTS * ROUNDS);
}

// The same question, one rule after the other.
static double
time_scan(const struct sg_policy_set *set, const struct sg_request *q,
          uint32_t rounds, uint32_t *permits)
{
    const struct sg_file *file = set->files[0];
    uint64_t begin = sg_os_clock_mono_us();
    for (uint32_t k = 0; k < rounds; k++) {
        for (uint32_t i = 0; i < REQUESTS; i++) {
            bool permit = false, forbid = false;
            for (const struct sg_rule *r = file->rules; r != NULL && !forbid;
                 r = r->next) {
                if (!sg_boxes_rule_holds(set, r, &q[i]))
                    continue;
                permit |= r->effect == SG_EFFECT_PERMIT;
                forbid |= r->effect == SG_EFFECT_FORBID;
            }
            *permits += permit && !forbid;
        }
    }
    uint64_t end = sg_os_clock_mono_us();
    return (double)(end - begin) * 1000.0 / ((double)REQUESTS * rounds);
}

static void
bench(uint32_t count, struct sg_request *q)
{
    struct sg_arena *arena = sg_arena_new(1024u * 1024 * 1024, 1 << 22);
    char *text = make_policy(count);
    struct sg_policy_file file = {SG_SLICE("b.policy"), sg_slice_text(text)};
    struct sg_policy_set *set;
    struct sg_policy_fault fault;
    struct sg_rules *rules;
    uint32_t counts[3] = {0}, permits = 0;
    uint64_t t0 = sg_os_clock_mono_us();
    enum sg_err err = sg_policy_load(arena, &file, 1, NULL, &set, &fault);
    if (err != SG_OK) {
        printf("%u:%u: %s\n", fault.at.line, fault.at.column, fault.at.text);
        exit(1);
    }
    uint64_t t1 = sg_os_clock_mono_us();
    if (sg_compile_slice(arena, set, 20819, 1, &rules) != SG_OK)
        exit(1);
    uint64_t t2 = sg_os_clock_mono_us();
    make_requests(q);
    fit_requests(q, set);
    time_rules(rules, q, counts); // warm
    memset(counts, 0, sizeof counts);
    double fast = time_rules(rules, q, counts);
    for (int i = 0; i < 2; i++) {
        double again = time_rules(rules, q, counts);
        fast = again < fast ? again : fast;
    }
    double slow = time_scan(set, q, count >= 5000 ? 1 : 4, &permits);
    printf("%5u rules: %6.0f ns a decision, scan %8.0f ns (x %.0f); read %llu "
           "ms, compile %llu ms; %.1f %% permits\n",
           count, fast, slow, slow / fast, (unsigned long long)(t1 - t0) / 1000,
           (unsigned long long)(t2 - t1) / 1000,
           100.0 * counts[SG_VERDICT_PERMIT] / (3.0 * REQUESTS * ROUNDS));
    free(text);
    sg_arena_free(&arena);
}

int
main(void)
{
    static struct sg_request q[REQUESTS];
    static const uint32_t counts[] = {50, 500, 5000};
    if (sg_crypto_start() != SG_OK)
        return 1;
    for (size_t i = 0; i < SG_COUNT_OF(counts); i++)
        bench(counts[i], q);
    return 0;
}
