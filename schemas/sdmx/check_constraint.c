#include "schemas/sdmx/check_constraint.h"

#include <stdio.h>

#include "broker/base/bytes.h"
#include "schemas/sdmx/check_parts.h"
#include "schemas/sdmx/timeperiod.h"

// Sets of a limit: of values that no part names, of a component without a
// value, then one for each value that a part names.
enum { OTHER, ABSENT, NAMED };

// Parts of a constraint: what a row must be in, what it must not be in.
enum { REGIONS, KEYS, EXCLUDED, GROUPS };

struct span { // a time range of one part, in days
    uint32_t part;
    bool include;
    int64_t first, last;
};

// What the parts of one constraint say of one component.
struct limit {
    uint32_t component;
    uint64_t *sets;          // of parts, one after the other
    uint32_t *set_of;        // coded: by ordinal; 0: OTHER
    struct sg_keyset *texts; // not coded: set by hash of the text
    struct span *spans;      // NULL: no part has a time range
    uint32_t span_count;
    uint64_t *own;       // of several values, or of a period
    const uint64_t *now; // of the row; NULL: not looked up
};

struct sg_check_rule { // one constraint
    const struct sg_constraint *from;
    bool active;
    bool fine; // the row before was, and nothing of it has changed
    uint32_t words;
    bool any[GROUPS]; // has it such parts?
    uint64_t *groups[GROUPS];
    uint64_t components[SG_OBS_CHANGED_WORDS];
    struct limit *limits; // in the order of the structure
    uint32_t limit_count;
    uint64_t *left; // room for one set
};

// ---- plan: which values ----------------------------------------------------------

// Calls back for each list of values, of all parts, about this component.
struct visit {
    struct sg_check *check;
    struct sg_check_rule *rule;
    struct limit *limit;
    const struct sg_code_list *list; // NULL: not coded
    uint32_t count;                  // values named so far
    enum sg_err err;
};

// false: the structure asks for more work than it may.
static bool
spend(struct visit *v, uint64_t steps)
{
    if (v->err == SG_OK && steps > v->check->steps)
        v->err = SG_ERR_FULL;
    if (v->err != SG_OK)
        return false;
    v->check->steps -= steps;
    return true;
}

typedef void visitor(struct visit *v, uint32_t part,
                     const struct sg_constraint_values *values);

static void
each_values(struct visit *v, visitor *call)
{
    const struct sg_structure *s = v->check->structure;
    struct sg_slice id = s->components[v->limit->component].id;
    for (uint32_t p = 0; p < v->rule->from->parts; p++) {
        struct sg_constraint_part part =
            sg_structure_constraint_part(s, v->rule->from, p);
        for (uint32_t i = 0; spend(v, 1) && i < part.count; i++) {
            struct sg_constraint_values values =
                sg_structure_constraint_values(s, &part, i);
            if (values.count > 0 && sg_slice_eq(values.component, id))
                call(v, p, &values);
        }
    }
}

// Is the code below (or, if it may be, the same as) root? A list that goes in a
// circle ends at its length.
static bool
lies_below(struct visit *v, uint32_t code, uint32_t root)
{
    uint32_t list = (uint32_t)(v->list - v->check->structure->lists);
    int32_t at = (int32_t)code;
    for (uint32_t i = 0; i < v->list->count && at >= 0 && spend(v, 1); i++) {
        at = sg_structure_code_parent(v->check->structure, list, (uint32_t)at);
        if (at == (int32_t)root)
            return true;
    }
    return false;
}

// Calls back for each ordinal that the values name, with those below them where
// the constraint cascades.
static void
each_code(struct visit *v, const struct sg_constraint_values *values,
          void (*call)(struct visit *v, uint32_t ordinal, void *context),
          void *context)
{
    for (uint32_t i = 0; i < values->count && spend(v, 1); i++) {
        struct sg_slice text =
            sg_structure_constraint_value(v->check->structure, values, i);
        int32_t root =
            sg_structure_list_code(v->check->structure, v->list, text);
        if (root < 0)
            continue; // no code: no value is this one
        if (!values->below_only)
            call(v, (uint32_t)root, context);
        for (uint32_t c = 0; values->cascade && c < v->list->count; c++)
            if (lies_below(v, c, (uint32_t)root))
                call(v, c, context);
    }
}

static void
number_code(struct visit *v, uint32_t ordinal, void *context)
{
    (void)context;
    if (v->limit->set_of[ordinal] == OTHER)
        v->limit->set_of[ordinal] = NAMED + v->count++;
}

static struct sg_siphash
text_key(const struct sg_check *check, struct sg_slice text)
{
    return sg_siphash_word(check->options.key, 0, text);
}

static void
number_text(struct visit *v, struct sg_slice text)
{
    uint64_t set = NAMED + v->count;
    bool known;
    v->err =
        sg_keyset_put(v->limit->texts, text_key(v->check, text), &set, &known);
    v->count += !known;
}

static void
number_values(struct visit *v, uint32_t part,
              const struct sg_constraint_values *values)
{
    (void)part;
    if (values->time_range) {
        v->limit->span_count++;
    } else if (v->list != NULL) {
        each_code(v, values, number_code, NULL);
    } else {
        for (uint32_t i = 0; i < values->count && spend(v, 1); i++)
            number_text(v, sg_structure_constraint_value(v->check->structure,
                                                         values, i));
    }
}

// Set of a text that is not coded.
static uint32_t
set_of_text(const struct sg_check *check, const struct limit *l,
            struct sg_slice text)
{
    uint64_t set = OTHER;
    return sg_keyset_get(l->texts, text_key(check, text), &set) ? (uint32_t)set
                                                                : OTHER;
}

// ---- plan: sets ------------------------------------------------------------------

static void
put_bit(uint64_t *set, uint32_t bit)
{
    set[bit / 64] |= 1ull << bit % 64;
}

static uint64_t *
set_at(const struct sg_check_rule *rule, const struct limit *l, uint32_t set)
{
    return l->sets + (size_t)set * rule->words;
}

struct put {
    uint32_t part;
    bool include;
};

static void
put_set(const struct visit *v, uint32_t set, const struct put *put)
{
    uint64_t *words = set_at(v->rule, v->limit, set);
    uint64_t bit = 1ull << put->part % 64;
    if (put->include)
        words[put->part / 64] |= bit;
    else
        words[put->part / 64] &= ~bit;
}

static void
put_code(struct visit *v, uint32_t ordinal, void *context)
{
    put_set(v, v->limit->set_of[ordinal], context);
}

// A day behind all, and one before all.
static const int64_t never = INT64_MAX, ever = INT64_MIN;

static void
put_span(const struct visit *v, uint32_t part,
         const struct sg_constraint_values *values)
{
    const struct sg_structure *s = v->check->structure;
    struct sg_timeperiod period;
    struct span *span = &v->limit->spans[v->limit->span_count++];
    struct sg_slice start = sg_structure_constraint_value(s, values, 0);
    struct sg_slice end = sg_structure_constraint_value(s, values, 1);
    int64_t first, last;
    *span = (struct span){part, values->include, ever, never};
    if (start.len > 0) { // one that cannot be read: nothing lies behind it
        span->first = never;
        if (sg_timeperiod_parse(start, &period)) {
            sg_timeperiod_days(&period, &first, &last);
            span->first = values->start_open ? last + 1 : first;
        }
    }
    if (end.len > 0) {
        span->last = ever;
        if (sg_timeperiod_parse(end, &period)) {
            sg_timeperiod_days(&period, &first, &last);
            span->last = values->end_open ? first - 1 : last;
        }
    }
}

// What is said of a component before its values are: an include begins with
// none, an exclude with all.
static void
clear_values(struct visit *v, uint32_t part,
             const struct sg_constraint_values *values)
{
    struct put put = {part, !values->include};
    if (!spend(v, NAMED + v->count))
        return;
    for (uint32_t set = 0; set < NAMED + v->count; set++)
        if (set != ABSENT)
            put_set(v, set, &put);
    // What a row lacks it cannot be excluded for.
    struct sg_constraint_part p =
        sg_structure_constraint_part(v->check->structure, v->rule->from, part);
    put.include = p.include;
    put_set(v, ABSENT, &put);
}

static void
put_values(struct visit *v, uint32_t part,
           const struct sg_constraint_values *values)
{
    struct put put = {part, values->include};
    if (values->time_range) {
        put_span(v, part, values);
    } else if (v->list != NULL) {
        each_code(v, values, put_code, &put);
    } else {
        for (uint32_t i = 0; i < values->count && spend(v, 1); i++)
            put_set(v,
                    set_of_text(v->check, v->limit,
                                sg_structure_constraint_value(
                                    v->check->structure, values, i)),
                    &put);
    }
}

static enum sg_err
plan_limit(struct visit *v)
{
    struct sg_arena *arena = v->check->arena;
    struct limit *l = v->limit;
    uint32_t words = v->rule->words;
    if (v->list != NULL) {
        l->set_of =
            sg_arena_take(arena, (v->list->count + 1) * sizeof *l->set_of);
        if (l->set_of == NULL)
            return SG_ERR_FULL;
    } else {
        l->texts = sg_keyset_new(arena, true);
        if (l->texts == NULL)
            return SG_ERR_FULL;
    }
    each_values(v, number_values);
    if (!spend(v, (uint64_t)v->rule->from->parts * (NAMED + v->count)))
        return v->err;
    l->sets = sg_arena_take(arena, (size_t)(NAMED + v->count) * words *
                                       sizeof *l->sets);
    l->own = sg_arena_take(arena, words * sizeof *l->own);
    if (l->span_count > 0)
        l->spans = sg_arena_take(arena, l->span_count * sizeof *l->spans);
    if (l->sets == NULL || l->own == NULL ||
        (l->span_count > 0 && l->spans == NULL))
        return SG_ERR_FULL;
    l->span_count = 0;
    for (uint32_t p = 0; p < v->rule->from->parts; p++)
        for (uint32_t set = 0; set < NAMED + v->count; set++)
            put_bit(set_at(v->rule, l, set), p);
    each_values(v, clear_values);
    each_values(v, put_values);
    return v->err;
}

// ---- plan: constraints -----------------------------------------------------------

static void
note_component(struct visit *v, uint32_t part,
               const struct sg_constraint_values *values)
{
    (void)part;
    (void)values;
    v->count++;
}

static enum sg_err
plan_limits(struct sg_check *check, struct sg_check_rule *rule)
{
    const struct sg_structure *s = check->structure;
    rule->limits =
        sg_arena_take(check->arena, check->count * sizeof *rule->limits);
    if (rule->limits == NULL)
        return SG_ERR_FULL;
    for (uint32_t i = 0; i < check->count; i++) {
        int32_t list = s->components[i].list;
        struct visit v = {.check = check,
                          .rule = rule,
                          .limit = &rule->limits[rule->limit_count],
                          .list = list < 0 ? NULL : &s->lists[list]};
        v.limit->component = i;
        each_values(&v, note_component);
        if (v.err != SG_OK)
            return v.err;
        if (v.count == 0)
            continue;
        v.count = 0;
        rule->limit_count++;
        put_bit(rule->components, i);
        enum sg_err err = plan_limit(&v);
        if (err != SG_OK)
            return err;
    }
    return SG_OK;
}

static enum sg_err
plan_rule(struct sg_check *check, struct sg_check_rule *rule)
{
    const struct sg_structure *s = check->structure;
    uint32_t parts = rule->from->parts;
    rule->words = parts / 64 + 1;
    size_t bytes = rule->words * sizeof(uint64_t);
    rule->left = sg_arena_take(check->arena, bytes);
    for (size_t g = 0; g < GROUPS; g++)
        rule->groups[g] = sg_arena_take(check->arena, bytes);
    if (rule->left == NULL || rule->groups[REGIONS] == NULL ||
        rule->groups[KEYS] == NULL || rule->groups[EXCLUDED] == NULL)
        return SG_ERR_FULL;
    for (uint32_t p = 0; p < parts; p++) {
        struct sg_constraint_part part =
            sg_structure_constraint_part(s, rule->from, p);
        size_t group = !part.include ? EXCLUDED : part.key ? KEYS : REGIONS;
        put_bit(rule->groups[group], p);
        rule->any[group] = true;
    }
    return plan_limits(check, rule);
}

// The class of a target, "Dataflow=...": what stands before it is split off.
static struct sg_slice
target_class(struct sg_slice target, struct sg_slice *rest)
{
    *rest = target;
    if (target.len == 0)
        return target;
    const uint8_t *at = memchr(target.ptr, '=', target.len);
    size_t len = at == NULL ? target.len : (size_t)(at - target.ptr);
    size_t skip = at == NULL ? len : len + 1;
    *rest = sg_slice_of(target.ptr + skip, target.len - skip);
    return sg_slice_of(target.ptr, len);
}

enum sg_err
sg_check_constraint_plan(struct sg_check *check)
{
    const struct sg_structure *s = check->structure;
    check->rules = sg_arena_take(check->arena, (s->constraint_count + 1) *
                                                   sizeof *check->rules);
    if (check->rules == NULL)
        return SG_ERR_FULL;
    check->steps = SG_LIMIT_CONSTRAINT_STEPS;
    for (uint32_t i = 0; i < s->constraint_count; i++) {
        if (!s->constraints[i].allowed || s->constraints[i].parts == 0)
            continue;
        struct sg_check_rule *rule = &check->rules[check->rule_count++];
        rule->from = &s->constraints[i];
        enum sg_err err = plan_rule(check, rule);
        if (err != SG_OK)
            return err;
    }
    sg_check_named(check, NULL, 0);
    return SG_OK;
}

static bool
is_open(struct sg_slice version)
{
    return version.len == 0 || memchr(version.ptr, '*', version.len) != NULL ||
           memchr(version.ptr, '+', version.len) != NULL;
}

static bool
holds_for(struct sg_slice target, const struct sg_obs_ref *ref)
{
    static const char *const classes[] = {
        [SG_OBS_REF_DATAFLOW] = "Dataflow",
        [SG_OBS_REF_DATASTRUCTURE] = "DataStructure",
        [SG_OBS_REF_DATAPROVISION] = "ProvisionAgreement",
    };
    struct sg_obs_ref own;
    struct sg_slice name, class = target_class(target, &name);
    return ref->kind != SG_OBS_REF_NONE &&
           sg_slice_eq(class, sg_slice_text(classes[ref->kind])) &&
           sg_obs_ref_parse(name, &own) &&
           sg_slice_eq(own.agency, ref->agency) &&
           sg_slice_eq(own.id, ref->id) &&
           (is_open(own.version) || is_open(ref->version) ||
            sg_slice_eq(own.version, ref->version));
}

void
sg_check_constraint_forget(struct sg_check *check)
{
    for (uint32_t r = 0; r < check->rule_count; r++) {
        struct sg_check_rule *rule = &check->rules[r];
        rule->fine = false;
        for (uint32_t l = 0; l < rule->limit_count; l++)
            rule->limits[l].now = NULL;
    }
}

void
sg_check_named(struct sg_check *check, const struct sg_obs_ref *refs,
               size_t count)
{
    for (uint32_t r = 0; r < check->rule_count; r++) {
        struct sg_check_rule *rule = &check->rules[r];
        struct sg_slice name;
        rule->active = sg_slice_eq(target_class(rule->from->target, &name),
                                   SG_SLICE("DataStructure"));
        for (size_t i = 0; i < count; i++)
            rule->active |= holds_for(rule->from->target, &refs[i]);
    }
    sg_check_constraint_forget(check);
}

// ---- a row -----------------------------------------------------------------------

static uint32_t
set_of(const struct sg_check *check, const struct limit *l,
       struct sg_slice text)
{
    if (l->set_of == NULL)
        return set_of_text(check, l, text);
    int32_t code = sg_structure_code(check->structure, l->component, text);
    return code < 0 ? OTHER : l->set_of[code];
}

// Every one of several values must be allowed.
static const uint64_t *
all_items(const struct sg_check *check, const struct sg_check_rule *rule,
          struct limit *l, const struct sg_value *value)
{
    struct sg_reader r = sg_reader_on(sg_obs_value_bytes(value));
    uint64_t n = sg_bytes_varint(&r);
    memset(l->own, 0xff, rule->words * sizeof *l->own);
    for (uint64_t i = 0; i < n && !r.failed; i++) {
        uint64_t len = sg_bytes_varint(&r);
        struct sg_slice item = sg_bytes_take(&r, len);
        const uint64_t *set = set_at(rule, l, set_of(check, l, item));
        for (uint32_t w = 0; w < rule->words; w++)
            l->own[w] &= set[w];
    }
    return l->own;
}

static const uint64_t *
with_spans(const struct sg_check_rule *rule, struct limit *l,
           const uint64_t *set, struct sg_slice text)
{
    struct sg_timeperiod period;
    int64_t first, last;
    if (!sg_timeperiod_parse(text, &period))
        return set;
    sg_timeperiod_days(&period, &first, &last);
    memcpy(l->own, set, rule->words * sizeof *l->own);
    for (uint32_t i = 0; i < l->span_count; i++) {
        const struct span *s = &l->spans[i];
        uint64_t bit = 1ull << s->part % 64;
        bool in = first >= s->first && last <= s->last;
        bool out = last < s->first || first > s->last;
        // A period that only touches the range is not within what is allowed,
        // and not without what is excluded.
        bool excluded = (rule->groups[EXCLUDED][s->part / 64] & bit) != 0;
        bool holds =
            s->include ? (excluded ? !out : in) : (excluded ? !in : out);
        if (s->include && holds)
            l->own[s->part / 64] |= bit;
        if (!s->include && !holds)
            l->own[s->part / 64] &= ~bit;
    }
    return l->own;
}

static const uint64_t *
look_up(const struct sg_check *check, const struct sg_check_rule *rule,
        struct limit *l, const struct sg_value *value)
{
    uint32_t i = l->component;
    bool bad = (check->bad[i / 64] >> i % 64 & 1) != 0; // said already
    if (value->kind == SG_VALUE_ABSENT || value->kind == SG_VALUE_OFF || bad)
        return set_at(rule, l, ABSENT);
    if (value->kind == SG_VALUE_SEVERAL)
        return all_items(check, rule, l, value);
    if (value->kind != SG_VALUE_TEXT)
        return set_at(rule, l, OTHER);
    struct sg_slice text = sg_obs_value_bytes(value);
    const uint64_t *set = set_at(rule, l, set_of(check, l, text));
    return l->spans == NULL ? set : with_spans(rule, l, set, text);
}

// ---- saying so -------------------------------------------------------------------

static bool
meets(const uint64_t *a, const uint64_t *b, uint32_t words)
{
    uint64_t any = 0;
    for (uint32_t w = 0; w < words; w++)
        any |= a[w] & b[w];
    return any != 0;
}

static uint32_t
first_of(const uint64_t *a, const uint64_t *b, uint32_t words)
{
    for (uint32_t w = 0; w < words; w++)
        if ((a[w] & b[w]) != 0)
            return w * 64 + (uint32_t)__builtin_ctzll(a[w] & b[w]);
    return 0;
}

// Up to 8 values, or the ends of a range, behind what room says already.
static int
tell_values(const struct sg_check *check,
            const struct sg_constraint_values *values, const char *verb,
            char *room, int len, int cap)
{
    const char *const ends[] = {"from ", "up to "};
    uint32_t told = 0;
    for (uint32_t i = 0; i < values->count && told < 8 && len < cap; i++) {
        struct sg_slice text =
            sg_structure_constraint_value(check->structure, values, i);
        if (values->time_range && text.len == 0)
            continue;
        const char *before = told++ == 0          ? verb
                             : values->time_range ? " "
                                                  : ", ";
        len +=
            snprintf(room + len, (size_t)(cap - len), "%s%s%.*s", before,
                     values->time_range ? ends[i > 0] : "", SG_SLICE_ARG(text));
    }
    return len;
}

// "AGENCY:ID(VERSION) allows N": what the part says of this component.
static struct sg_slice
hint_for(const struct sg_check *check, const struct sg_check_rule *rule,
         uint32_t part, uint32_t component, char room[256])
{
    const struct sg_structure *s = check->structure;
    const struct sg_constraint *from = rule->from;
    struct sg_constraint_part p = sg_structure_constraint_part(s, from, part);
    int len = snprintf(room, 256, "%.*s:%.*s(%.*s)", SG_SLICE_ARG(from->agency),
                       SG_SLICE_ARG(from->id), SG_SLICE_ARG(from->version));
    const char *verb = NULL;
    for (uint32_t i = 0; i < p.count && len < 256; i++) {
        struct sg_constraint_values values =
            sg_structure_constraint_values(s, &p, i);
        if (!sg_slice_eq(values.component, s->components[component].id))
            continue;
        verb = verb != NULL      ? ", "
               : !p.include      ? " excludes "
               : !values.include ? " allows all but "
                                 : " allows ";
        len = tell_values(check, &values, verb, room, len, 256);
    }
    return sg_slice_of(room, len < 256 ? (size_t)len : 255);
}

static void
say(struct sg_check *check, const struct sg_check_rule *rule, uint32_t part,
    uint32_t component, const struct sg_obs *obs)
{
    char room[256];
    struct sg_fault fault = {
        .code = SG_FAULT_CONSTRAINT,
        .component = check->components[component].component->id,
        .value = sg_check_component_told(check, component, obs),
        .row = obs->row,
        .line = obs->line};
    fault.hint = hint_for(check, rule, part, component, room);
    sg_report_add(check->report, &fault);
}

// No part of the group holds. In the order of the components, those that leave
// no part are at fault; the others narrow what may follow: of a series that has
// a region of its own, its region is meant.
static void
say_outside(struct sg_check *check, struct sg_check_rule *rule, size_t group,
            const struct sg_obs *obs)
{
    uint64_t *left = rule->left;
    memcpy(left, rule->groups[group], rule->words * sizeof *left);
    for (uint32_t i = 0; i < rule->limit_count; i++) {
        const struct limit *l = &rule->limits[i];
        if (!meets(left, l->now, rule->words)) {
            say(check, rule, first_of(left, left, rule->words), l->component,
                obs);
            continue;
        }
        for (uint32_t w = 0; w < rule->words; w++)
            left[w] &= l->now[w];
    }
}

// It lies in what is excluded: said of the last component that tells so. A part
// that names no value excludes everything, and is seen by that.
static void
say_excluded(struct sg_check *check, struct sg_check_rule *rule,
             const struct sg_obs *obs)
{
    uint32_t part = first_of(rule->left, rule->groups[EXCLUDED], rule->words);
    uint32_t component = rule->limit_count == 0 ? 0 : rule->limits[0].component;
    for (uint32_t i = 0; i < rule->limit_count; i++) {
        const uint64_t *absent = set_at(rule, &rule->limits[i], ABSENT);
        if ((absent[part / 64] >> part % 64 & 1) == 0) // the part names it
            component = rule->limits[i].component;
    }
    say(check, rule, part, component, obs);
}

static void
look_at(struct sg_check *check, struct sg_check_rule *rule,
        const struct sg_obs *obs)
{
    uint64_t *left = rule->left;
    for (uint32_t i = 0; i < rule->limit_count; i++) {
        struct limit *l = &rule->limits[i];
        uint32_t c = l->component;
        if (l->now == NULL || (obs->changed[c / 64] >> c % 64 & 1) != 0)
            l->now = look_up(check, rule, l, &obs->values[c]);
    }
    memset(left, 0xff, rule->words * sizeof *left);
    for (uint32_t i = 0; i < rule->limit_count; i++)
        for (uint32_t w = 0; w < rule->words; w++)
            left[w] &= rule->limits[i].now[w];
    bool excluded =
        rule->any[EXCLUDED] && meets(left, rule->groups[EXCLUDED], rule->words);
    bool out[KEYS + 1];
    for (size_t g = REGIONS; g <= KEYS; g++)
        out[g] = rule->any[g] && !meets(left, rule->groups[g], rule->words);
    rule->fine = !excluded && !out[REGIONS] && !out[KEYS];
    if (excluded)
        say_excluded(check, rule, obs);
    for (size_t g = REGIONS; g <= KEYS; g++)
        if (out[g])
            say_outside(check, rule, g, obs);
}

void
sg_check_constraint_row(struct sg_check *check, const struct sg_obs *obs)
{
    for (uint32_t r = 0; r < check->rule_count; r++) {
        struct sg_check_rule *rule = &check->rules[r];
        uint64_t changed = 0;
        if (!rule->active)
            continue;
        for (uint32_t w = 0; w < check->words; w++)
            changed |= obs->changed[w] & rule->components[w];
        if (changed != 0 || !rule->fine)
            look_at(check, rule, obs);
    }
}
