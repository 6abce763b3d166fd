#include "schemas/sdmx/check.h"

#include "schemas/sdmx/check_constraint.h"
#include "schemas/sdmx/check_parts.h"
#include "schemas/sdmx/timeperiod.h"

struct sg_check *
sg_check_new(struct sg_arena *arena, const struct sg_check_options *options)
{
    struct sg_check *check = sg_arena_take(arena, sizeof *check);
    if (check == NULL)
        return NULL;
    check->arena = arena;
    check->options = *options;
    check->first = true;
    check->report =
        sg_report_new(arena, options->key, options->each, options->context);
    return check->report == NULL ? NULL : check;
}

enum sg_err
sg_check_begin(struct sg_check *check, const struct sg_structure *structure)
{
    SG_ASSERT(check->structure == NULL);
    check->structure = structure;
    check->values = sg_keyset_new(check->arena, true);
    check->seen = sg_keylog_new(check->arena);
    if (check->values == NULL || check->seen == NULL)
        return SG_ERR_FULL;
    enum sg_err err = sg_check_component_plan(check);
    return err == SG_OK ? sg_check_constraint_plan(check) : err;
}

void
sg_check_media(struct sg_check *check, enum sg_media media)
{
    check->conflict_warns = media == SG_MEDIA_ML21 || media == SG_MEDIA_ML30 ||
                            media == SG_MEDIA_GENERIC21 ||
                            media == SG_MEDIA_ML20;
}

void
sg_check_action(struct sg_check *check, uint8_t sent, uint64_t row,
                uint64_t line)
{
    struct sg_fault fault = {.code = SG_FAULT_CHANGE,
                             .component = SG_SLICE("ACTION"),
                             .value = sg_slice_of(&sent, 1),
                             .row = row,
                             .line = line};

    if (check->options.whole && !sg_obs_whole(sent))
        sg_report_add(check->report, &fault);
}

void
sg_check_columns(struct sg_check *check,
                 const uint64_t present[SG_OBS_CHANGED_WORDS], uint64_t line)
{
    memcpy(check->columns, present, sizeof check->columns);
    check->columns_known = true;
    check->columns_line = line;
}

void
sg_check_fault(struct sg_check *check, const struct sg_fault *fault)
{
    sg_report_add(check->report, fault);
}

uint64_t
sg_check_rows(const struct sg_check *check)
{
    return check->rows;
}

struct sg_report *
sg_check_report(struct sg_check *check)
{
    return check->report;
}

bool
sg_check_accepts(const struct sg_check *check)
{
    return sg_report_faults(check->report) == 0;
}

// ---- what a row lacks ------------------------------------------------------------

// A component without a value; row 0 if it has no column in the whole file.
static void
say_missing(struct sg_check *check, const struct sg_obs *obs, uint32_t index,
            enum sg_fault_code code)
{
    struct sg_fault fault = {.code = code,
                             .component =
                                 check->components[index].component->id,
                             .row = obs->row,
                             .line = obs->line};
    if (check->columns_known &&
        (check->columns[index / 64] >> index % 64 & 1) == 0) {
        fault.row = 0;
        fault.line = check->columns_line;
        fault.hint =
            SG_SLICE("neither header nor structure of the message has it");
    }
    sg_report_add(check->report, &fault);
}

// Has the row a measure or an attribute of observations?
static bool
has_detail(const struct sg_check *check)
{
    uint64_t any = 0;
    for (size_t i = 0; i < check->words; i++)
        any |= check->present[i] & check->detail[i];
    return any != 0;
}

// Says all components of want that the row lacks. true: lacks none.
static bool
has_all(struct sg_check *check, const struct sg_obs *obs,
        const uint64_t want[SG_OBS_CHANGED_WORDS], enum sg_fault_code code)
{
    bool all = true;
    for (uint32_t w = 0; w < check->words; w++) {
        uint64_t bits = want[w] & ~check->present[w];
        for (; bits != 0; bits &= bits - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(bits);
            say_missing(check, obs, i, code);
            all = false;
        }
    }
    return all;
}

static bool
lacks_dimension(const struct sg_check *check)
{
    uint64_t any = 0;
    for (size_t i = 0; i < check->words; i++)
        any |= check->dimensions[i] & ~check->present[i];
    return any != 0;
}

// A row of attributes only, at a partial key: the dimensions of each attribute
// must be there, others may be missing.
static bool
partial_key(struct sg_check *check, const struct sg_obs *obs)
{
    uint64_t want[SG_OBS_CHANGED_WORDS] = {0};
    bool any = false;
    for (uint32_t w = 0; w < check->words; w++) {
        uint64_t bits = check->present[w] & check->above[w];
        for (; bits != 0; bits &= bits - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(bits);
            const struct sg_component *c = check->components[i].component;
            any = true;
            if (c->attach != SG_ATTACH_DATASET)
                want[0] |= c->dimensions;
        }
    }
    return has_all(check, obs, any ? want : check->dimensions,
                   SG_FAULT_DIM_MISSING);
}

// ---- attributes above observations --------------------------------------------------

// Where the value of this attribute for this partial key is kept.
static struct sg_siphash
attribute_key(const struct sg_check *check, uint32_t index)
{
    const struct sg_check_component *p = &check->components[index];
    struct sg_siphash key = check->masks[p->mask].hash;
    sg_check_xor(&key, check->dataset_hash);
    // Attributes of one mask share it: turn by the attribute's number.
    key.low += index * 0x9e3779b97f4a7c15ull;
    key.high += (index + 1) * 0xd6e8feb86659fd93ull;
    return key;
}

static enum sg_err
check_conflict(struct sg_check *check, const struct sg_obs *obs, uint32_t index)
{
    const struct sg_check_component *p = &check->components[index];
    // The lowest bit says that a row of a partial key has set it.
    uint64_t mine = p->hash.low & ~1ull;
    uint64_t stored = mine | lacks_dimension(check);
    bool known;
    enum sg_err err = sg_keyset_put(check->values, attribute_key(check, index),
                                    &stored, &known);
    if (err != SG_OK || !known || (stored & ~1ull) == mine)
        return err;
    struct sg_fault fault = {.code = SG_FAULT_ATTR_CONFLICT,
                             .warning = check->conflict_warns,
                             .component = p->component->id,
                             .value =
                                 sg_check_component_told(check, index, obs),
                             .row = obs->row,
                             .line = obs->line};
    fault.hint = SG_SLICE("another value stands on an earlier observation of "
                          "the same series, group or data set");
    sg_report_add(check->report, &fault);
    return SG_OK;
}

// Are attributes above observations, and their keys, as on the row before?
static bool
above_as_before(const struct sg_check *check, const struct sg_obs *obs)
{
    uint64_t any = 0;
    for (uint32_t m = 0; m < check->mask_count; m++)
        any |= check->masks[m].dirty;
    for (uint32_t w = 0; w < check->words; w++)
        any |= obs->changed[w] & check->above[w];
    return any == 0;
}

static enum sg_err
check_above(struct sg_check *check, const struct sg_obs *obs)
{
    check->above_done = true;
    if (above_as_before(check, obs))
        return SG_OK;
    for (uint32_t w = 0; w < check->words; w++) {
        uint64_t bits = check->present[w] & check->above[w];
        for (; bits != 0; bits &= bits - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(bits);
            const struct sg_check_component *p = &check->components[i];
            if (p->mask < 0 || (!check->masks[p->mask].dirty &&
                                (obs->changed[w] & bits & -bits) == 0))
                continue; // as on the row before
            enum sg_err err = check_conflict(check, obs, i);
            if (err != SG_OK)
                return err;
        }
    }
    return SG_OK;
}

static bool
set_at_partial_key(const struct sg_check *check, uint32_t index)
{
    uint64_t stored = 0;
    return check->partial_seen && check->components[index].mask >= 0 &&
           sg_keyset_get(check->values, attribute_key(check, index), &stored) &&
           (stored & 1) != 0;
}

static void
check_mandatory(struct sg_check *check, const struct sg_obs *obs)
{
    for (uint32_t w = 0; w < check->words; w++) {
        uint64_t bits = check->mandatory[w] & ~check->present[w];
        for (; bits != 0; bits &= bits - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(bits);
            if (!set_at_partial_key(check, i))
                say_missing(check, obs, i, SG_FAULT_ATTR_MANDATORY);
        }
    }
}

// ---- duplicates -------------------------------------------------------------------

static void
say_duplicate(void *context, uint64_t row, uint64_t line)
{
    struct sg_check *check = context;
    struct sg_fault fault = {.code = SG_FAULT_DUPLICATE,
                             .component = SG_SLICE("key"),
                             .row = row,
                             .line = line};
    sg_report_add(check->report, &fault);
}

static enum sg_err
check_duplicate(struct sg_check *check, const struct sg_obs *obs)
{
    if (check->options.equal_keys)
        return SG_OK;
    if (check->options.sorted) {
        bool same = check->last_key.low == check->key.low &&
                    check->last_key.high == check->key.high;
        check->last_key = check->key;
        if (same)
            say_duplicate(check, obs->row, obs->line);
        return SG_OK;
    }
    return sg_keylog_add(check->seen, check->key, obs->row, obs->line);
}

// ---- warnings ----------------------------------------------------------------------

static void
warn_time(struct sg_check *check, const struct sg_obs *obs)
{
    int32_t time = check->structure->time;
    if (time < 0)
        return;
    const struct sg_check_component *p = &check->components[time];
    struct sg_fault fault = {.code = SG_FAULT_TIME_FORMAT,
                             .warning = true,
                             .component = p->component->id,
                             .value = sg_obs_value_bytes(&obs->values[time]),
                             .row = obs->row,
                             .line = obs->line};
    if (p->odd) {
        fault.hint = SG_SLICE("that year has no such week or day when it "
                              "begins on 1 January");
        sg_report_add(check->report, &fault);
    }
    if (check->freq < 0 || p->period == 0)
        return;
    const struct sg_value *freq = &obs->values[check->freq];
    if (freq->kind != SG_VALUE_TEXT ||
        sg_timeperiod_pairs(sg_obs_value_bytes(freq), p->period))
        return;
    fault.code = SG_FAULT_FREQ_PERIOD;
    fault.hint = SG_SLICE("");
    sg_report_add(check->report, &fault);
}

// ---- rows --------------------------------------------------------------------------

static void
begin_dataset(struct sg_check *check, uint32_t dataset)
{
    struct sg_siphash old = check->dataset_hash;
    check->dataset = dataset;
    check->dataset_hash = sg_siphash_word(
        check->options.key, 0xffffffff00000000ull | dataset, SG_SLICE(""));
    sg_check_xor(&check->key, old);
    sg_check_xor(&check->key, check->dataset_hash);
    for (uint32_t m = 0; m < check->mask_count; m++)
        check->masks[m].dirty = true;
}

static void
update(struct sg_check *check, const struct sg_obs *obs)
{
    for (uint32_t m = 0; m < check->mask_count; m++)
        check->masks[m].dirty = !check->above_done;
    check->above_done = false;
    if (obs->dataset != check->dataset || check->first)
        begin_dataset(check, obs->dataset);
    for (uint32_t w = 0; w < check->words; w++) {
        uint64_t bits = check->all[w];
        if (!check->first)
            bits &= obs->changed[w];
        for (; bits != 0; bits &= bits - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(bits);
            sg_check_component_update(check, i, &obs->values[i]);
        }
    }
    check->first = false;
}

// Deletion names values by any marker; only the key must be right.
static void
say_bad(struct sg_check *check, const struct sg_obs *obs)
{
    bool deletes = obs->action == SG_ACTION_DELETE;
    for (uint32_t w = 0; w < check->words; w++) {
        uint64_t bits = check->bad[w];
        if (deletes)
            bits &= check->dimensions[w];
        for (; bits != 0; bits &= bits - 1)
            sg_check_component_say(
                check, w * 64 + (uint32_t)__builtin_ctzll(bits), obs);
    }
}

static enum sg_err
check_whole(struct sg_check *check, const struct sg_obs *obs)
{
    check->observations++;
    bool has_key = has_all(check, obs, check->dimensions, SG_FAULT_DIM_MISSING);
    if (check->options.complete || obs->sent != 'M')
        check_mandatory(check, obs);
    if (!has_key)
        return SG_OK;
    enum sg_err err = check_above(check, obs);
    return err == SG_OK ? check_duplicate(check, obs) : err;
}

enum sg_err
sg_check_obs(struct sg_check *check, const struct sg_obs *obs)
{
    SG_ASSERT(check->structure != NULL);
    check->rows++;
    update(check, obs);
    if (check->bad[0] | check->bad[1] | check->bad[2] | check->bad[3])
        say_bad(check, obs);
    if (obs->action == SG_ACTION_DELETE) {
        sg_check_constraint_forget(check);
        return SG_OK;
    }
    if (check->rule_count > 0)
        sg_check_constraint_row(check, obs);
    warn_time(check, obs);
    bool partial = lacks_dimension(check) && !has_detail(check);
    if (!partial)
        return check_whole(check, obs);
    check->partial_seen = true;
    return partial_key(check, obs) ? check_above(check, obs) : SG_OK;
}

// A release of nothing would take the place of all that was there before.
static void
say_none(struct sg_check *check)
{
    const struct sg_fault fault = {.code = SG_FAULT_NO_OBSERVATIONS,
                                   .warning = !check->options.whole};

    uint64_t said = sg_report_faults(check->report) +
                    (fault.warning ? sg_report_warnings(check->report) : 0);

    if (check->observations == 0 && said == 0 &&
        (check->options.whole || check->rows == 0))
        sg_report_add(check->report, &fault);
}

enum sg_err
sg_check_end(struct sg_check *check)
{
    enum sg_err err = check->structure == NULL
                          ? SG_OK
                          : sg_keylog_twice(check->seen, say_duplicate, check);
    say_none(check);
    sg_report_sort(check->report);
    return err;
}
