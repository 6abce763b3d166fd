#include "policy/decide.h"

#include "policy/grid.h"

static const char *const why_text[] = {
#define X(name, text) text,
    SG_WHY_TABLE(X)
#undef X
};

const char *
sg_decide_why(enum sg_why why)
{
    return (unsigned)why < SG_WHY_COUNT ? why_text[why] : "no_policy";
}

const char *
sg_decide_verdict(enum sg_verdict verdict)
{
    return verdict == SG_VERDICT_PERMIT ? "permit"
           : verdict == SG_VERDICT_HOLD ? "hold"
                                        : "deny";
}

enum sg_verdict
sg_decide_worst(enum sg_verdict a, enum sg_verdict b)
{
    return a < b ? a : b;
}

// ---- rules that hit -----------------------------------------------------------
struct hits { // the first SG_DECISION_RULES in order of layer and rule
    struct sg_rule_ref ref[SG_DECISION_RULES];
    uint32_t count, total, layer_begin;
};

// Keeps refs of the present layer in rule order, each once.
static void
add_hit(struct hits *h, struct sg_rule_ref ref)
{
    uint32_t at = h->count;
    while (at > h->layer_begin && h->ref[at - 1].rule > ref.rule)
        at--;
    if (at > h->layer_begin && h->ref[at - 1].rule == ref.rule)
        return;
    h->total++;
    if (at == SG_DECISION_RULES)
        return;
    uint32_t moved = h->count - at;
    if (h->count == SG_DECISION_RULES)
        moved--;
    else
        h->count++;
    memmove(&h->ref[at + 1], &h->ref[at], moved * sizeof *h->ref);
    h->ref[at] = ref;
}

// What passing through the layers has found so far.
struct passage {
    const struct sg_rules *rules;
    uint32_t value[SG_DIM_COUNT];
    struct hits forbids, holds, permits;
    uint64_t waits;
    uint32_t deadline;
    struct sg_obligation *obligations; // those of the decision
    size_t obligations_count;
    bool overflow;        // of obligations: cannot be fulfilled
    bool layer_permits;   // a permit of the present layer hits
    uint32_t layer_early; // availability codes that such permits name
    bool express;         // every export layer names the code
};

static void
take_hold(struct passage *p, const struct sg_rule *rule, struct sg_rule_ref ref)
{
    add_hit(&p->holds, ref);
    p->waits |= rule->waits;
    if (p->deadline == 0 || rule->days < p->deadline)
        p->deadline = rule->days;
}

static void
take_permit(struct passage *p, const struct sg_rule *rule,
            struct sg_rule_ref ref)
{
    add_hit(&p->permits, ref);
    p->layer_permits = true;
    p->layer_early |= rule->early;
    for (uint32_t i = 0; i < rule->obligations_count; i++) {
        if (!sg_obligation_merge(p->obligations, &p->obligations_count,
                                 SG_LIMIT_OBLIGATIONS, &rule->obligations[i]))
            p->overflow = true;
    }
}

static void
take_box(struct passage *p, const struct sg_grid *g, uint32_t bit)
{
    struct sg_rule_ref ref = {g->index, g->box_rule[bit]};
    const struct sg_rule *rule = g->file->by_index[ref.rule];
    switch ((enum sg_effect)rule->effect) {
    case SG_EFFECT_FORBID:
        add_hit(&p->forbids, ref);
        return;
    case SG_EFFECT_HOLD:
        take_hold(p, rule, ref);
        return;
    case SG_EFFECT_PERMIT:
        take_permit(p, rule, ref);
        return;
    case SG_EFFECT_NEVER:
        break;
    }
    SG_UNREACHABLE();
}

// All boxes of one block that allow every value.
static void
scan_block(struct passage *p, const struct sg_grid *g,
           const uint64_t *const *rows, uint32_t block)
{
    uint64_t left[SG_GRID_BLOCK_WORDS];
    size_t at = g->summary_words + (size_t)block * SG_GRID_BLOCK_WORDS;
    memcpy(left, rows[0] + at, sizeof left);
    for (uint32_t d = 1; d < g->dims_count; d++) {
        const uint64_t *row = rows[d] + at;
        uint64_t any = 0;
        for (unsigned w = 0; w < SG_GRID_BLOCK_WORDS; w++) {
            left[w] &= row[w];
            any |= left[w];
        }
        if (any == 0)
            return;
    }
    for (uint32_t w = 0; w < SG_GRID_BLOCK_WORDS; w++) {
        for (uint64_t bits = left[w]; bits != 0; bits &= bits - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(bits);
            take_box(p, g, block * SG_GRID_BLOCK_BITS + w * 64 + bit);
        }
    }
}

// Blocks first..end-1; the summaries tell which of them can hold anything.
static void
scan_blocks(struct passage *p, const struct sg_grid *g,
            const uint64_t *const *rows, uint32_t first, uint32_t end)
{
    for (uint32_t word = first / 64; word * 64 < end; word++) {
        uint64_t live = ~0ull;
        for (uint32_t d = 0; d < g->dims_count; d++)
            live &= rows[d][word];
        if (word == first / 64)
            live &= ~0ull << (first % 64);
        for (; live != 0; live &= live - 1) {
            uint32_t block = word * 64 + (uint32_t)__builtin_ctzll(live);
            if (block >= end)
                return;
            scan_block(p, g, rows, block);
        }
    }
}

// A grid without constrained dimensions: every box hits.
static void
take_all(struct passage *p, const struct sg_grid *g)
{
    const struct sg_rule *r;
    for (r = g->file->rules; r != NULL; r = r->next) {
        struct sg_rule_ref ref = {g->index, r->index};
        if (r->boxes_count == 0 || r->from > p->rules->from ||
            p->rules->from >= r->until)
            continue;
        if (r->effect == SG_EFFECT_FORBID)
            add_hit(&p->forbids, ref);
        else if (r->effect == SG_EFFECT_HOLD)
            take_hold(p, r, ref);
        else
            take_permit(p, r, ref);
    }
}

static void
scan_grid(struct passage *p, const struct sg_grid *g)
{
    const uint64_t *rows[SG_DIM_COUNT];
    p->forbids.layer_begin = p->forbids.count;
    p->holds.layer_begin = p->holds.count;
    p->permits.layer_begin = p->permits.count;
    p->layer_permits = false;
    p->layer_early = 0;
    if (g->dims_count == 0) {
        take_all(p, g);
        return;
    }
    for (uint32_t d = 0; d < g->dims_count; d++)
        rows[d] = g->dims[d].rows[p->value[g->dims[d].dim]];
    scan_blocks(p, g, rows, 0, g->forbid_blocks);
    if (p->forbids.count == 0)
        scan_blocks(p, g, rows, g->forbid_blocks, g->blocks);
}

static void
give_hits(struct sg_decision *out, const struct hits *h)
{
    memcpy(out->rules, h->ref, h->count * sizeof *h->ref);
    out->rules_count = (uint8_t)h->count;
    out->rules_total = h->total;
}

static void
deny_at(struct sg_decision *out, enum sg_why why, const struct sg_grid *g)
{
    out->verdict = SG_VERDICT_DENY;
    out->why = (uint8_t)why;
    out->layer = g->file->layer;
    out->layer_place = g->file->place;
    out->layer_file = g->index;
}

static bool
is_export(const struct sg_decision *out, const struct sg_grid *g)
{
    return g->file->layer == SG_LAYER_EXPORT || out->files_count == 1;
}

// Every layer must permit. Sets verdict, why, rules, waits; obligations stay in
// p until the caller has looked at them.
static void
through(struct passage *p, struct sg_decision *out)
{
    uint16_t availability = (uint16_t)p->value[SG_ATTR_AVAILABILITY];
    p->express = true;
    for (uint8_t i = 0; i < out->files_count; i++) {
        const struct sg_grid *g = &p->rules->grids[out->files[i]];
        scan_grid(p, g);
        if (p->forbids.count > 0) {
            deny_at(out, SG_WHY_FORBIDDEN, g);
            give_hits(out, &p->forbids);
            return;
        }
        if (!p->layer_permits) {
            deny_at(out, SG_WHY_NOT_PERMITTED, g);
            return;
        }
        if (is_export(out, g))
            p->express &= (p->layer_early >> availability & 1) != 0;
    }
    if (p->holds.count > 0) {
        out->verdict = SG_VERDICT_HOLD;
        out->why = SG_WHY_HELD;
        out->waiting_for = p->waits;
        out->deadline_days = p->deadline;
        give_hits(out, &p->holds);
        return;
    }
    out->verdict = SG_VERDICT_PERMIT;
    out->why = SG_WHY_PERMITTED;
    give_hits(out, &p->permits);
}

// ---- before policy ------------------------------------------------------------
// Numbers that are no code of their attribute count as unknown. Returns the
// attributes that are unknown, as bits.
static uint64_t
read_values(struct passage *p, const struct sg_request *request)
{
    const struct sg_rules *rules = p->rules;
    uint64_t unknown = 0;
    for (unsigned a = 0; a < SG_ATTR_COUNT; a++) {
        uint32_t code = request->code[a];
        if (code >= rules->codes[a] || (code < SG_PLACE_FIRST_COUNTRY &&
                                        (rules->holes[a] >> code & 1) != 0))
            code = 0;
        p->value[a] = code;
        unknown |= (uint64_t)(code == 0) << a;
    }
    for (unsigned d = SG_ATTR_COUNT; d < SG_DIM_COUNT; d++) {
        uint8_t a, b;
        if ((rules->pairs >> d & 1) == 0)
            continue;
        sg_dims_pair(d, &a, &b);
        p->value[d] =
            sg_vocabulary_same((uint16_t)p->value[a], (uint16_t)p->value[b]);
    }
    return unknown;
}

// Counters only: the arrays behind them are written before they are read.
static void
begin_passage(struct passage *p, const struct sg_rules *rules,
              struct sg_decision *out)
{
    p->obligations = out->obligations;
    p->rules = rules;
    p->forbids.count = p->forbids.total = 0;
    p->holds.count = p->holds.total = 0;
    p->permits.count = p->permits.total = 0;
    p->waits = 0;
    p->deadline = 0;
    p->obligations_count = 0;
    p->overflow = false;
    p->express = true;
}

static bool
on_consent(const uint32_t *v)
{
    return v[SG_ATTR_LAWFUL_BASIS] == SG_LAWFUL_BASIS_CONSENT ||
           v[SG_ATTR_LAWFUL_BASIS] == 0 ||
           v[SG_ATTR_SPECIAL_CONDITION] ==
               SG_SPECIAL_CONDITION_EXPLICIT_CONSENT ||
           v[SG_ATTR_SPECIAL_CONDITION] == 0;
}

static bool
is_given(uint32_t community_consent)
{
    return community_consent == SG_COMMUNITY_CONSENT_GIVEN ||
           community_consent == SG_COMMUNITY_CONSENT_PARTIAL;
}

static bool
stays_home(const uint32_t *v)
{
    uint16_t home = (uint16_t)v[SG_ATTR_PROVIDER_IN];
    return sg_vocabulary_same((uint16_t)v[SG_ATTR_DESTINATION], home) ==
               SG_SAME_YES &&
           sg_vocabulary_same((uint16_t)v[SG_ATTR_STORED_IN], home) ==
               SG_SAME_YES;
}

// Bits of SG_GUARD_*: vocabulary 3, read like forbids.
static uint32_t
guards(const uint32_t *v)
{
    uint32_t consent = v[SG_ATTR_CONSENT], bits = 0;
    uint32_t community = v[SG_ATTR_COMMUNITY_CONSENT];
    if (v[SG_ATTR_AVAILABILITY] == SG_AVAILABILITY_WITHDRAWN ||
        v[SG_ATTR_AVAILABILITY] == 0)
        bits |= 1u << SG_GUARD_WITHDRAWN;
    if (on_consent(v) && consent != SG_CONSENT_GIVEN &&
        consent != SG_CONSENT_PARTIAL)
        bits |= 1u << SG_GUARD_CONSENT;
    if (community != SG_COMMUNITY_CONSENT_NOT_CONCERNED && !is_given(community))
        bits |= 1u << SG_GUARD_COMMUNITY_CONSENT;
    if ((v[SG_ATTR_SENSITIVE] == SG_SENSITIVE_COMMUNITY ||
         v[SG_ATTR_SENSITIVE] == 0) &&
        !is_given(community))
        bits |= 1u << SG_GUARD_COMMUNITY_NOT_ASKED;
    if (v[SG_ATTR_CONF_REDIST] != SG_CONF_REDIST_NOT_LIMITED &&
        v[SG_ATTR_CONF_REDIST] != SG_CONF_REDIST_RECIPIENT_NAMED)
        bits |= 1u << SG_GUARD_REDISTRIBUTION;
    if ((v[SG_ATTR_LOCALISATION] == SG_LOCALISATION_HOME_ONLY ||
         v[SG_ATTR_LOCALISATION] == 0) &&
        !stays_home(v))
        bits |= 1u << SG_GUARD_LOCALISATION;
    if ((v[SG_ATTR_DESTINATION] == SG_PLACE_ANYWHERE ||
         v[SG_ATTR_DESTINATION] == 0) &&
        v[SG_ATTR_RECIPIENT] != SG_RECIPIENT_PUBLIC)
        bits |= 1u << SG_GUARD_OPEN_LANE;
    return bits;
}

static void
deny_guards(struct sg_decision *out, uint32_t bits)
{
    out->verdict = SG_VERDICT_DENY;
    out->why = SG_WHY_GUARD;
    out->rules_count = 0;
    for (uint32_t i = 0; i < SG_GUARD_COUNT; i++) {
        if ((bits >> i & 1) != 0)
            out->rules[out->rules_count++] =
                (struct sg_rule_ref){SG_POLICY_GUARDS, (uint16_t)i};
    }
    out->rules_total = out->rules_count;
}

// ---- layers -------------------------------------------------------------------
static void
add_files(struct sg_decision *out, const struct sg_rules *rules,
          struct sg_grid_span span)
{
    for (uint32_t i = 0; i < span.count; i++) {
        SG_ASSERT(out->files_count < SG_DECISION_LAYERS);
        out->files[out->files_count++] = rules->lists[span.first + i];
    }
}

static bool
lacks(struct sg_decision *out, enum sg_layer layer, uint32_t place,
      struct sg_grid_span span)
{
    if (span.count > 0)
        return false;
    out->why = SG_WHY_NO_POLICY;
    out->layer = (uint8_t)layer;
    out->layer_place = (uint16_t)place;
    return true;
}

// false: one is missing, out says which.
static bool
select_layers(struct sg_decision *out, const struct sg_rules *rules,
              const uint32_t *v, bool law_of_the_area)
{
    uint32_t home = v[SG_ATTR_PROVIDER_IN], area = v[SG_ATTR_AREA];
    uint32_t destination = v[SG_ATTR_DESTINATION];
    if (lacks(out, SG_LAYER_EXPORT, home, rules->export_of[home]) ||
        lacks(out, SG_LAYER_HUB, 0, rules->hubs))
        return false;
    add_files(out, rules, rules->export_of[home]);
    if (law_of_the_area && area != home)
        add_files(out, rules, rules->export_of[area]);
    add_files(out, rules, rules->hubs);
    if (destination == SG_PLACE_ANYWHERE)
        return true;
    struct sg_grid_span import = rules->import_of[destination];
    if (import.count == 0)
        import = rules->import_default;
    if (lacks(out, SG_LAYER_IMPORT, destination, import))
        return false;
    add_files(out, rules, import);
    return true;
}

// ---- after policy -------------------------------------------------------------
static bool
is_promised(const struct sg_context *context, const struct sg_obligation *one)
{
    if (sg_obligation_kind_of((enum sg_obligation_name)one->name) !=
            SG_OBLIGATION_KIND_PROMISE ||
        context->promises_anything)
        return true;
    for (uint32_t i = 0; i < context->promises_count; i++) {
        if (sg_obligation_satisfies(&context->promises[i], one))
            return true;
    }
    return false;
}

static const struct sg_obligation *
find(const struct sg_obligation *list, size_t count,
     enum sg_obligation_name name)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].name == name)
            return &list[i];
    }
    return NULL;
}

bool
sg_decide_conflict(const struct sg_obligation *list, size_t count)
{
    const struct sg_obligation *delete_after =
        find(list, count, SG_OBLIGATION_DELETE_AFTER_DAYS);
    const struct sg_obligation *keep =
        find(list, count, SG_OBLIGATION_KEEP_AT_LEAST_DAYS);

    return delete_after != NULL && keep != NULL &&
           delete_after->arg[0] < keep->arg[0];
}

static bool
was_performed(const struct sg_context *context, const struct sg_obligation *one)
{
    for (uint32_t i = 0; i < context->performed_count; i++) {
        const struct sg_obligation *done = &context->performed[i];
        if (done->name == one->name && done->arg[0] == one->arg[0] &&
            done->arg[1] == one->arg[1] && done->names == one->names)
            return true;
        if (context->united && sg_obligation_satisfies(done, one))
            return true;
    }
    return false;
}

static void
deny_why(struct sg_decision *out, enum sg_why why, uint32_t cannot)
{
    out->verdict = SG_VERDICT_DENY;
    out->why = (uint8_t)why;
    out->cannot = cannot;
    out->rules_count = 0;
    out->rules_total = 0;
}

static uint32_t
unfulfilled(const struct passage *p, const struct sg_context *context)
{
    uint32_t cannot = 0;
    for (size_t i = 0; i < p->obligations_count; i++) {
        const struct sg_obligation *one = &p->obligations[i];
        if ((context->performs >> one->name & 1) == 0 ||
            !is_promised(context, one))
            cannot |= 1u << one->name;
    }
    return cannot;
}

// A permit that cannot be kept is a deny.
static void
look_at_obligations(struct sg_decision *out, const struct passage *p,
                    const struct sg_context *context)
{
    if (on_consent(p->value) &&
        p->value[SG_ATTR_CONSENT] == SG_CONSENT_PARTIAL &&
        find(p->obligations, p->obligations_count,
             SG_OBLIGATION_DROP_UNCONSENTED_ROWS) == NULL) {
        deny_guards(out, 1u << SG_GUARD_PARTIAL_CONSENT);
        return;
    }
    if (sg_decide_conflict(p->obligations, p->obligations_count)) {
        deny_why(out, SG_WHY_CONFLICT,
                 SG_OBLIGATION_BIT(DELETE_AFTER_DAYS) |
                     SG_OBLIGATION_BIT(KEEP_AT_LEAST_DAYS));
        return;
    }
    uint32_t cannot = unfulfilled(p, context);
    if (cannot != 0 || p->overflow) {
        deny_why(out, SG_WHY_CANNOT_FULFIL, cannot);
        return;
    }
    for (size_t i = 0; context->second && i < p->obligations_count; i++) {
        const struct sg_obligation *one = &p->obligations[i];
        if (sg_obligation_kind_of((enum sg_obligation_name)one->name) ==
                SG_OBLIGATION_KIND_CHANGE &&
            !was_performed(context, one)) {
            deny_why(out, SG_WHY_NO_FIXPOINT, 0);
            return;
        }
    }
    out->obligations_count = (uint32_t)p->obligations_count;
}

static bool
is_early(uint32_t availability)
{
    return availability == SG_AVAILABILITY_SCHEDULED ||
           availability == SG_AVAILABILITY_PRE_RELEASE;
}

// Before its time: as it is where every export layer names the code; else as
// if released, and what would pass waits for the calendar.
static void
look_at_calendar(struct passage *p, struct sg_decision *out)
{
    static const struct sg_obligation embargo = {
        .name = SG_OBLIGATION_KEEP_EMBARGO};
    if (out->verdict != SG_VERDICT_DENY && p->express) {
        if (!sg_obligation_merge(p->obligations, &p->obligations_count,
                                 SG_LIMIT_OBLIGATIONS, &embargo))
            p->overflow = true;
        return;
    }
    memset(out->obligations, 0, p->obligations_count * sizeof *p->obligations);
    begin_passage(p, p->rules, out);
    p->value[SG_ATTR_AVAILABILITY] = SG_AVAILABILITY_RELEASED;
    out->rules_count = 0;
    out->rules_total = 0;
    out->layer = SG_LAYER_NONE;
    out->layer_place = 0;
    out->waiting_for = 0;
    out->deadline_days = 0;
    through(p, out);
    if (out->verdict == SG_VERDICT_DENY)
        return;
    out->waiting_for |= 1ull << SG_ATTR_AVAILABILITY;
    if (out->verdict == SG_VERDICT_HOLD)
        return;
    out->verdict = SG_VERDICT_HOLD;
    out->why = SG_WHY_GUARD;
    out->rules_count = 0;
    out->rules_total = 0;
}

static void
decide_in_layers(struct passage *p, const struct sg_context *context,
                 struct sg_decision *out)
{
    through(p, out);
    if (is_early(p->value[SG_ATTR_AVAILABILITY]))
        look_at_calendar(p, out);
    if (out->verdict == SG_VERDICT_HOLD && out->deadline_days != 0 &&
        context->held_days > out->deadline_days) {
        out->verdict = SG_VERDICT_DENY;
        out->why = SG_WHY_HOLD_EXPIRED;
        out->waiting_for = 0;
        out->deadline_days = 0;
    }
    if (out->verdict == SG_VERDICT_PERMIT)
        look_at_obligations(out, p, context);
    // Nothing is owed for what does not go.
    if (out->verdict != SG_VERDICT_PERMIT)
        memset(out->obligations, 0,
               p->obligations_count * sizeof *p->obligations);
}

static void
decide(const struct sg_rules *rules, const struct sg_request *request,
       const struct sg_context *context, int alone, struct sg_decision *out)
{
    struct passage p;
    begin_passage(&p, rules, out);
    uint64_t unknown = read_values(&p, request);
    uint64_t required = rules->required;
    if (context->law_of_the_area)
        required |= 1ull << SG_ATTR_AREA;
    out->missing = unknown & required;
    if (out->missing != 0) {
        out->why = SG_WHY_INCOMPLETE;
        return;
    }
    uint32_t bits = guards(p.value);
    if (bits != 0) {
        deny_guards(out, bits);
        return;
    }
    if (alone >= 0)
        out->files[out->files_count++] = (uint16_t)alone;
    else if (!select_layers(out, rules, p.value, context->law_of_the_area))
        return;
    decide_in_layers(&p, context, out);
}

static void
decide_for(const struct sg_rules *rules, const struct sg_request *request,
           uint32_t day, const struct sg_context *context, int alone,
           struct sg_decision *out)
{
    memset(out, 0, sizeof *out);
    if (rules == NULL || day < rules->from || day >= rules->until)
        return;
    decide(rules, request, context, alone, out);
    if (context->second && out->verdict != SG_VERDICT_PERMIT)
        deny_why(out, SG_WHY_NO_FIXPOINT, 0);
}

void
sg_decide_request(const struct sg_rules *rules,
                  const struct sg_request *request, uint32_t day,
                  const struct sg_context *context, struct sg_decision *out)
{
    decide_for(rules, request, day, context, -1, out);
}

void
sg_decide_alone(const struct sg_rules *rules, uint16_t file,
                const struct sg_request *request, uint32_t day,
                const struct sg_context *context, struct sg_decision *out)
{
    SG_ASSERT(rules == NULL || file < rules->set->count);
    decide_for(rules, request, day, context, file, out);
}
