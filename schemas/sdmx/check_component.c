#include <stdio.h>

#include "broker/base/bytes.h"
#include "schemas/sdmx/check_parts.h"
#include "schemas/sdmx/timeperiod.h"
#include "schemas/sdmx/value.h"

// ---- plan --------------------------------------------------------------------------

static void
set_bit(uint64_t words[SG_OBS_CHANGED_WORDS], uint32_t i)
{
    words[i / 64] |= 1ull << i % 64;
}

// Is every number right, and nothing else looked at?
static bool
is_number(const struct sg_component *c)
{
    const struct sg_facets *f = &c->facets;
    bool type = c->typed ? c->type == SG_TYPE_DOUBLE || c->type == SG_TYPE_FLOAT
                         : c->kind == SG_KIND_MEASURE;
    return type && c->list < 0 && c->kind > SG_KIND_TIME &&
           f->pattern.len == 0 && f->min_length < 0 && f->max_length < 0 &&
           f->decimals < 0 && f->min_value.len == 0 && f->max_value.len == 0 &&
           !f->is_sequence;
}

// The attribute's set of dimensions among the known ones; -1: too many.
static int
mask_of(struct sg_check *check, uint64_t dimensions)
{
    for (uint32_t m = 0; m < check->mask_count; m++)
        if (check->masks[m].dimensions == dimensions)
            return (int)m;
    if (check->mask_count == SG_CHECK_MASKS)
        return -1;
    struct sg_check_mask *mask = &check->masks[check->mask_count];
    *mask = (struct sg_check_mask){.dimensions = dimensions, .dirty = true};
    for (uint32_t i = 0; i < check->count && i < 64; i++)
        if (dimensions >> i & 1)
            check->components[i].masks |= 1u << check->mask_count;
    return (int)check->mask_count++;
}

// Is it examined at all? Text without facets is as it is.
static bool
needs_look(const struct sg_component *c)
{
    const struct sg_facets *f = &c->facets;
    return c->list >= 0 || c->kind != SG_KIND_ATTRIBUTE ||
           c->type != SG_TYPE_STRING || f->pattern.len > 0 ||
           f->min_length >= 0 || f->max_length >= 0;
}

static bool
is_above(const struct sg_check *check, const struct sg_component *c)
{
    int32_t time = check->structure->time;
    if (c->kind != SG_KIND_ATTRIBUTE || c->attach == SG_ATTACH_OBSERVATION)
        return false;
    return c->attach == SG_ATTACH_DATASET || time < 0 || time >= 64 ||
           (c->dimensions >> time & 1) == 0;
}

static enum sg_err
plan_one(struct sg_check *check, uint32_t i)
{
    struct sg_check_component *p = &check->components[i];
    const struct sg_component *c = p->component;
    set_bit(check->all, i);
    p->code = SG_FAULT_TABLE_END;
    p->examined = needs_look(c);
    p->number = is_number(c);
    p->mask = -1;
    if (p->dimension) {
        set_bit(check->dimensions, i);
    } else if (is_above(check, c)) {
        uint64_t d = c->attach == SG_ATTACH_DATASET ? 0 : c->dimensions;
        p->mask = (int8_t)mask_of(check, d);
        set_bit(check->above, i);
    } else {
        set_bit(check->detail, i);
    }
    if (c->kind == SG_KIND_ATTRIBUTE && c->mandatory)
        set_bit(check->mandatory, i);
    p->hashed = p->dimension || p->mask >= 0;
    bool varies = c->kind == SG_KIND_MEASURE;
    if (varies || (!p->hashed && !p->examined))
        return SG_OK;
    p->memo = sg_arena_take(check->arena, SG_CHECK_MEMO * sizeof *p->memo);
    return p->memo == NULL ? SG_ERR_FULL : SG_OK;
}

enum sg_err
sg_check_component_plan(struct sg_check *check)
{
    const struct sg_structure *s = check->structure;
    check->count = s->component_count;
    check->words = (check->count + 63) / 64;
    check->components =
        sg_arena_take(check->arena, check->count * sizeof *check->components);
    if (check->components == NULL)
        return SG_ERR_FULL;
    for (uint32_t i = 0; i < check->count; i++) {
        check->components[i].component = &s->components[i];
        check->components[i].dimension = s->components[i].kind <= SG_KIND_TIME;
    }
    for (uint32_t i = 0; i < check->count; i++) {
        enum sg_err err = plan_one(check, i);
        if (err != SG_OK)
            return err;
    }
    check->freq = sg_structure_find(s, SG_SLICE("FREQ"));
    if (check->freq >= 0 && !check->components[check->freq].dimension)
        check->freq = -1;
    check->conf = sg_structure_find(s, SG_SLICE("CONF_STATUS"));
    return SG_OK;
}

// ---- one text ------------------------------------------------------------------------

static uint8_t
examine_text(const struct sg_check *check, struct sg_check_component *p,
             uint32_t index, struct sg_slice text)
{
    const struct sg_component *c = p->component;
    p->why = NULL;
    p->period = 0;
    p->odd = false;
    if (p->number && sg_value_is_number(text))
        return SG_FAULT_TABLE_END;
    if (c->list >= 0) {
        if (sg_structure_code(check->structure, index, text) >= 0 ||
            sg_value_is_missing(c, text))
            return SG_FAULT_TABLE_END;
        return SG_FAULT_CODE;
    }
    if (c->kind == SG_KIND_TIME) {
        struct sg_timeperiod period;
        enum sg_type type = c->typed ? c->type : SG_TYPE_OBSERVATIONAL_TIME;
        if (!sg_timeperiod_parse(text, &period))
            return SG_FAULT_TIME_FORMAT;
        p->period = (uint8_t)period.kind;
        p->odd = period.odd;
        if (sg_timeperiod_is_type(type) &&
            !sg_timeperiod_fits(period.kind, type)) {
            p->why = "the structure asks another kind of period";
            return SG_FAULT_TIME_FORMAT;
        }
        return SG_FAULT_TABLE_END;
    }
    p->why = sg_value_refused(c, text);
    return p->why == NULL ? SG_FAULT_TABLE_END : SG_FAULT_TYPE;
}

// Items of several values, or texts of languages; the first that is wrong.
static uint8_t
examine_items(const struct sg_check *check, struct sg_check_component *p,
              uint32_t index, const struct sg_value *value)
{
    const struct sg_component *c = p->component;
    if (value->kind == SG_VALUE_SEVERAL && !c->several)
        return SG_FAULT_OCCURS;
    if (value->kind == SG_VALUE_LANGUAGES)
        return c->list >= 0 ? SG_FAULT_OCCURS : SG_FAULT_TABLE_END;
    if (c->languages)
        return SG_FAULT_TABLE_END; // items are languages values
    struct sg_reader r = sg_reader_on(sg_obs_value_bytes(value));
    uint64_t n = sg_bytes_varint(&r);
    for (uint64_t i = 0; i < n && !r.failed; i++) {
        uint64_t len = sg_bytes_varint(&r);
        struct sg_slice item = sg_bytes_take(&r, len);
        uint8_t code = item.len == 0 ? (uint8_t)SG_FAULT_TABLE_END
                                     : examine_text(check, p, index, item);
        if (code != SG_FAULT_TABLE_END)
            return code;
    }
    return SG_FAULT_TABLE_END;
}

static struct sg_siphash
hash_value(const struct sg_check *check, uint32_t index,
           const struct sg_value *value)
{
    uint64_t word = (uint64_t)value->kind << 32 | index;
    return sg_siphash_word(check->options.key, word, sg_obs_value_bytes(value));
}

static void
examine(struct sg_check *check, struct sg_check_component *p, uint32_t index,
        const struct sg_value *value)
{
    p->code = SG_FAULT_TABLE_END;
    if (value->kind == SG_VALUE_TEXT) {
        if (p->examined)
            p->code = examine_text(check, p, index, sg_obs_value_bytes(value));
    } else {
        p->code = examine_items(check, p, index, value);
    }
    if (p->hashed)
        p->hash = hash_value(check, index, value);
}

// A value has two places; the second is tried, or taken, when the first is not
// its own.
static inline struct sg_check_memo *
memo_of(const struct sg_check_component *p, uint64_t head, uint64_t tail,
        uint32_t len)
{
    uint64_t hash = sg_structure_hash(head, tail, len, 0);
    struct sg_check_memo *m = &p->memo[hash % SG_CHECK_MEMO];
    if (m->len == 0 || (m->len == len && m->head == head && m->tail == tail))
        return m;
    return &p->memo[hash / SG_CHECK_MEMO % SG_CHECK_MEMO];
}

// Through the memory of short values.
static void
examine_short(struct sg_check *check, struct sg_check_component *p,
              uint32_t index, const struct sg_value *value)
{
    uint64_t head = sg_structure_load(value->ptr, value->len), tail = 0;
    if (value->len > 8)
        memcpy(&tail, value->ptr + value->len - 8, 8);
    struct sg_check_memo *m = memo_of(p, head, tail, value->len);
    if (m->len == value->len && m->head == head && m->tail == tail) {
        p->code = m->code;
        p->period = m->period;
        p->odd = m->odd;
        p->hash = m->hash;
        return;
    }
    examine(check, p, index, value);
    if (p->code != SG_FAULT_TABLE_END)
        return; // rare, and its reason is not remembered
    *m = (struct sg_check_memo){head,    tail,      p->hash, value->len,
                                p->code, p->period, p->odd};
}

static void
follow_hash(struct sg_check *check, const struct sg_check_component *p,
            struct sg_siphash old)
{
    sg_check_xor(&old, p->hash);
    sg_check_xor(&check->key, old);
    for (uint32_t bits = p->masks; bits != 0; bits &= bits - 1) {
        struct sg_check_mask *m = &check->masks[__builtin_ctz(bits)];
        sg_check_xor(&m->hash, old);
        m->dirty = true;
    }
}

void
sg_check_component_update(struct sg_check *check, uint32_t index,
                          const struct sg_value *value)
{
    struct sg_check_component *p = &check->components[index];
    uint64_t bit = 1ull << index % 64, *present = &check->present[index / 64];
    uint64_t *bad = &check->bad[index / 64];
    struct sg_siphash old = p->hash;
    if (value->kind == SG_VALUE_ABSENT || value->kind == SG_VALUE_OFF) {
        *present &= ~bit;
        p->code = SG_FAULT_TABLE_END;
        p->period = 0;
        p->odd = false;
        p->hash = (struct sg_siphash){0, 0};
    } else {
        *present |= bit;
        if (value->kind == SG_VALUE_TEXT && value->len <= 16 && p->memo != NULL)
            examine_short(check, p, index, value);
        else if (p->examined || p->hashed || value->kind != SG_VALUE_TEXT)
            examine(check, p, index, value);
    }
    if (p->code == SG_FAULT_TABLE_END) {
        *bad &= ~bit;
    } else {
        *bad |= bit;
        p->cause = NULL;
    }
    if (p->dimension)
        follow_hash(check, p, old);
}

// ---- saying so -----------------------------------------------------------------------

bool
sg_check_component_masked(const struct sg_check *check, uint32_t index,
                          const struct sg_obs *obs)
{
    const struct sg_component *c = check->components[index].component;
    if (check->conf < 0 || c->kind < SG_KIND_MEASURE || c->list >= 0 ||
        index == (uint32_t)check->conf)
        return false;
    const struct sg_value *flag = &obs->values[check->conf];
    return flag->kind != SG_VALUE_ABSENT && flag->kind != SG_VALUE_OFF &&
           !(flag->kind == SG_VALUE_TEXT &&
             sg_slice_eq(sg_obs_value_bytes(flag), SG_SLICE("F")));
}

struct sg_slice
sg_check_component_told(const struct sg_check *check, uint32_t index,
                        const struct sg_obs *obs)
{
    const struct sg_value *value = &obs->values[index];
    if (sg_check_component_masked(check, index, obs))
        return SG_SLICE("(confidential)");
    return value->kind == SG_VALUE_TEXT ? sg_obs_value_bytes(value)
                                        : SG_SLICE("");
}

// What will help: the nearest code, the type that is asked.
static struct sg_slice
hint_for(const struct sg_check *check, uint32_t index, char room[256])
{
    const struct sg_check_component *p = &check->components[index];
    const struct sg_component *c = p->component;
    if (p->code == SG_FAULT_TYPE) {
        enum sg_type type =
            !c->typed && c->kind == SG_KIND_MEASURE ? SG_TYPE_DOUBLE : c->type;
        snprintf(room, 256, "%s %s", p->why,
                 strcmp(p->why, "not of the type") == 0
                     ? sg_structure_type_name(type)
                     : "");
        size_t len = strlen(room);
        return sg_slice_of(room, room[len - 1] == ' ' ? len - 1 : len);
    }
    return sg_slice_text(p->why);
}

static struct sg_slice
hint_code(const struct sg_check *check, uint32_t index, struct sg_slice value)
{
    int32_t list = check->components[index].component->list;
    int32_t near =
        sg_structure_nearest(check->structure, (uint32_t)list, value);
    return near < 0 ? SG_SLICE("")
                    : sg_structure_code_text(check->structure, (uint32_t)list,
                                             (uint32_t)near);
}

void
sg_check_component_say(struct sg_check *check, uint32_t index,
                       const struct sg_obs *obs)
{
    struct sg_check_component *p = &check->components[index];
    const struct sg_value *value = &obs->values[index];
    char room[256];
    struct sg_fault fault = {.code = p->code,
                             .component = p->component->id,
                             .value =
                                 sg_check_component_told(check, index, obs),
                             .row = obs->row,
                             .line = obs->line};
    // The same value may be confidential on one row and not on the next.
    if (check->conf >= 0 && p->component->list < 0)
        p->cause = NULL;
    if (p->cause == NULL)
        p->cause = sg_report_find(check->report, &fault);
    if (p->cause != NULL) {
        fault.hint = p->cause->fault.hint;
        sg_report_again(check->report, p->cause, &fault);
        return;
    }
    fault.hint = p->code == SG_FAULT_CODE && value->kind == SG_VALUE_TEXT
                     ? hint_code(check, index, fault.value)
                     : hint_for(check, index, room);
    p->cause = sg_report_add(check->report, &fault);
}
