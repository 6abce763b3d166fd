#include "schemas/sdmx/choice.h"

#include <stdio.h>

#include "schemas/sdmx/timeperiod.h"

// The part of *left before the next mark, which goes too. *more: a mark was there.
static struct sg_slice
take(struct sg_slice *left, char mark, bool *more)
{
    const uint8_t *at =
        left->len == 0 ? NULL : memchr(left->ptr, mark, left->len);
    size_t len = at == NULL ? left->len : (size_t)(at - left->ptr);
    struct sg_slice part = sg_slice_of(left->ptr, len);

    *more = at != NULL;
    len += *more;
    *left = sg_slice_of(left->ptr + len, left->len - len);
    return part;
}

static bool
is_any(struct sg_slice field)
{
    return field.len == 0 || (field.len == 1 && field.ptr[0] == '*');
}

// ---- reading ---------------------------------------------------------------

enum sg_err
sg_choice_read(const struct sg_structure *s, struct sg_slice key,
               struct sg_slice period, struct sg_choice *choice)
{
    bool more;

    *choice = (struct sg_choice){.start = {NULL, 0}};
    for (uint32_t i = 0; i < s->dimension_count && key.len > 0; i++) {
        struct sg_slice field = take(&key, '.', &more);
        if (!is_any(field))
            choice->code[i] = field;
    }
    if (key.len > 0)
        return SG_ERR_SUBSCRIPTION;
    if (period.len == 0)
        return SG_OK;
    choice->start = take(&period, '/', &more);
    choice->end = period;
    return more && s->time >= 0 ? SG_OK : SG_ERR_SUBSCRIPTION;
}

static bool
among(struct sg_slice codes, struct sg_slice value)
{
    bool more;

    while (codes.len > 0)
        if (sg_slice_eq(take(&codes, '+', &more), value))
            return true;
    return false;
}

// Periods are zero-padded, so text order is time order; an end of 2020 takes in
// everything that begins with 2020.
static bool
in_period(const struct sg_choice *choice, struct sg_slice time)
{
    if (choice->start.len > 0 && sg_slice_cmp(time, choice->start) < 0)
        return false;
    if (choice->end.len == 0)
        return true;
    if (time.len > choice->end.len)
        time.len = choice->end.len;
    return sg_slice_cmp(time, choice->end) <= 0;
}

bool
sg_choice_takes(const struct sg_choice *choice, const struct sg_structure *s,
                const struct sg_obs *obs)
{
    for (uint32_t i = 0; i < s->dimension_count; i++) {
        if (choice->code[i].len > 0 &&
            !among(choice->code[i], sg_obs_value_bytes(&obs->values[i])))
            return false;
    }
    return s->time < 0 ||
           in_period(choice, sg_obs_value_bytes(&obs->values[s->time]));
}

// ---- checking --------------------------------------------------------------

static enum sg_err
check_code(const struct sg_structure *s, const struct sg_component *of,
           struct sg_slice code, struct sg_choice_fault *fault)
{
    *fault = (struct sg_choice_fault){.component = of->id, .value = code};
    if (code.len == 0)
        return SG_ERR_KEY_CODE; // "A++B"
    if (of->list < 0 ||
        sg_structure_list_code(s, &s->lists[of->list], code) >= 0)
        return SG_OK;
    int32_t near = sg_structure_nearest(s, (uint32_t)of->list, code);
    if (near >= 0)
        fault->hint =
            sg_structure_code_text(s, (uint32_t)of->list, (uint32_t)near);
    return SG_ERR_KEY_CODE;
}

static enum sg_err
check_field(const struct sg_structure *s, const struct sg_component *of,
            struct sg_slice field, struct sg_choice_fault *fault)
{
    enum sg_err err = SG_OK;
    bool more = !is_any(field);

    while (err == SG_OK && more) {
        struct sg_slice code = take(&field, '+', &more);
        err = check_code(s, of, code, fault);
    }
    return err;
}

static enum sg_err
check_key(const struct sg_structure *s, struct sg_slice key,
          struct sg_choice_fault *fault)
{
    const struct sg_slice whole = key;
    enum sg_err err = SG_OK;
    bool more = key.len > 0;
    uint32_t i = 0;

    for (; err == SG_OK && more && i < s->dimension_count; i++) {
        struct sg_slice field = take(&key, '.', &more);
        err = check_field(s, &s->components[i], field, fault);
    }
    if (err != SG_OK || !more)
        return err;
    *fault = (struct sg_choice_fault){.value = whole};
    return SG_ERR_KEY_FIELDS;
}

static bool
is_end(struct sg_slice text)
{
    struct sg_timeperiod period;

    return text.len == 0 || (sg_timeperiod_parse(text, &period) &&
                             period.kind != SG_TIMEPERIOD_RANGE);
}

static enum sg_err
check_period(const struct sg_structure *s, struct sg_slice period,
             struct sg_choice_fault *fault)
{
    struct sg_choice choice;

    *fault = (struct sg_choice_fault){.value = period};
    if (period.len == 0)
        return SG_OK;
    if (sg_choice_read(s, (struct sg_slice){NULL, 0}, period, &choice) !=
            SG_OK ||
        period.len == 1)
        return SG_ERR_PERIOD;
    fault->value = choice.start;
    if (!is_end(choice.start))
        return SG_ERR_PERIOD;
    fault->value = choice.end;
    if (!is_end(choice.end))
        return SG_ERR_PERIOD;
    fault->value = period;
    return choice.start.len > 0 && !in_period(&choice, choice.start)
               ? SG_ERR_PERIOD_ORDER
               : SG_OK;
}

enum sg_err
sg_choice_check(const struct sg_structure *s, struct sg_slice key,
                struct sg_slice period, struct sg_choice_fault *fault)
{
    enum sg_err err = check_key(s, key, fault);

    return err == SG_OK ? check_period(s, period, fault) : err;
}

void
sg_choice_place(enum sg_err err, const struct sg_choice_fault *fault, char *out,
                size_t cap)
{
    bool period = err == SG_ERR_PERIOD || err == SG_ERR_PERIOD_ORDER;
    struct sg_slice of = fault->component.len > 0 ? fault->component
                         : period                 ? SG_SLICE("period")
                                                  : SG_SLICE("key");
    struct sg_slice value = fault->value.len > 0 ? fault->value : SG_SLICE("");

    (void)snprintf(out, cap, "%.*s \"%.*s\"", (int)of.len, (const char *)of.ptr,
                   (int)value.len, (const char *)value.ptr);
}
