#include "schemas/sdmx/value.h"

#include "schemas/sdmx/pattern.h"
#include "schemas/sdmx/timeperiod.h"

static bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static size_t
skip_digits(struct sg_slice t, size_t at)
{
    while (at < t.len && is_digit(t.ptr[at]))
        at++;
    return at;
}

static bool
is_word(struct sg_slice t, const char *word)
{
    return sg_slice_eq(t, sg_slice_text(word));
}

// [+-]digits[.digits]; *at behind it. At least one digit.
static bool
take_decimal(struct sg_slice t, size_t *at)
{
    size_t i = *at;
    if (i < t.len && (t.ptr[i] == '+' || t.ptr[i] == '-'))
        i++;
    size_t from = i;
    i = skip_digits(t, i);
    size_t count = i - from;
    if (i < t.len && t.ptr[i] == '.') {
        size_t point = ++i;
        i = skip_digits(t, i);
        count += i - point;
    }
    *at = i;
    return count > 0;
}

static bool
is_decimal(struct sg_slice t)
{
    size_t at = 0;
    return take_decimal(t, &at) && at == t.len;
}

bool
sg_value_is_number(struct sg_slice t)
{
    size_t at = 0;
    if (!take_decimal(t, &at))
        return is_word(t, "NaN") || is_word(t, "INF") || is_word(t, "-INF");
    if (at == t.len)
        return true;
    if (t.ptr[at] != 'e' && t.ptr[at] != 'E')
        return false;
    at++;
    if (at < t.len && (t.ptr[at] == '+' || t.ptr[at] == '-'))
        at++;
    size_t end = skip_digits(t, at);
    return end > at && end == t.len;
}

static bool
is_integer(struct sg_slice t)
{
    size_t at = t.len > 0 && (t.ptr[0] == '+' || t.ptr[0] == '-');
    return t.len > at && skip_digits(t, at) == t.len;
}

// ---- order of numbers ------------------------------------------------------------

// digits * 10^-scale, without zeros in front.
struct decimal {
    bool negative;
    struct sg_slice text; // mantissa with its point
    int64_t magnitude;    // place of the first digit that counts; of 5: 0
    bool zero;
};

static struct decimal
decimal_of(struct sg_slice t)
{
    struct decimal d = {.zero = true};
    size_t at = 0;
    if (t.len > 0 && (t.ptr[0] == '-' || t.ptr[0] == '+')) {
        d.negative = t.ptr[0] == '-';
        at = 1;
    }
    size_t end = at;
    int64_t whole = 0, first = -1, seen = 0;
    bool point = false;
    for (; end < t.len && (is_digit(t.ptr[end]) || t.ptr[end] == '.'); end++) {
        if (t.ptr[end] == '.') {
            point = true;
            continue;
        }
        whole += !point;
        if (first < 0 && t.ptr[end] != '0')
            first = seen;
        seen++;
    }
    d.text = sg_slice_of(t.ptr + at, end - at);
    int64_t exponent = 0;
    bool minus = end + 1 < t.len && t.ptr[end + 1] == '-';
    for (size_t i = end + 1; i < t.len; i++)
        if (is_digit(t.ptr[i]) && exponent < 1000000)
            exponent = exponent * 10 + (t.ptr[i] - '0');
    d.zero = first < 0;
    d.magnitude = whole - 1 - first + (minus ? -exponent : exponent);
    return d;
}

// The n-th digit that counts, 0 behind the last.
static uint8_t
next_digit(const struct decimal *d, size_t *at, bool *started)
{
    while (*at < d->text.len) {
        uint8_t c = d->text.ptr[(*at)++];
        if (c == '.' || (c == '0' && !*started))
            continue;
        *started = true;
        return c;
    }
    return '0';
}

static int
compare_size(const struct decimal *a, const struct decimal *b)
{
    if (a->zero || b->zero)
        return (int)b->zero - (int)a->zero;
    if (a->magnitude != b->magnitude)
        return a->magnitude < b->magnitude ? -1 : 1;
    size_t i = 0, j = 0;
    bool x = false, y = false;
    while (i < a->text.len || j < b->text.len) {
        int left = next_digit(a, &i, &x), right = next_digit(b, &j, &y);
        if (left != right)
            return left - right;
    }
    return 0;
}

int
sg_value_compare(struct sg_slice left, struct sg_slice right)
{
    struct decimal a = decimal_of(left), b = decimal_of(right);
    bool minus_a = a.negative && !a.zero, minus_b = b.negative && !b.zero;
    if (minus_a != minus_b)
        return minus_a ? -1 : 1;
    int size = compare_size(&a, &b);
    return minus_a ? -size : size;
}

static bool
within(struct sg_slice t, const char *low, const char *high)
{
    return sg_value_compare(t, sg_slice_text(low)) >= 0 &&
           sg_value_compare(t, sg_slice_text(high)) <= 0;
}

// ---- types -----------------------------------------------------------------------

static bool
is_all(struct sg_slice t, bool letters, bool digits)
{
    for (size_t i = 0; i < t.len; i++) {
        uint8_t c = t.ptr[i] | 0x20;
        if (!(letters && c >= 'a' && c <= 'z') &&
            !(digits && is_digit(t.ptr[i])))
            return false;
    }
    return t.len > 0;
}

static bool
is_uri(struct sg_slice t)
{
    for (size_t i = 0; i < t.len; i++)
        if (t.ptr[i] <= ' ' || t.ptr[i] == '<' || t.ptr[i] == '>' ||
            t.ptr[i] == '"')
            return false;
    return t.len > 0;
}

static bool
is_time(enum sg_type type, struct sg_slice t)
{
    struct sg_timeperiod period;
    return sg_timeperiod_parse(t, &period) &&
           sg_timeperiod_fits(period.kind, type);
}

static bool
is_small_time(enum sg_type type, struct sg_slice t)
{
    if (type == SG_TYPE_MONTH)
        return sg_timeperiod_gmonth(t);
    if (type == SG_TYPE_MONTH_DAY)
        return sg_timeperiod_gmonthday(t);
    if (type == SG_TYPE_DAY)
        return sg_timeperiod_gday(t);
    if (type == SG_TYPE_TIME)
        return sg_timeperiod_clock(t);
    return sg_timeperiod_duration(t);
}

static bool
is_boolean(struct sg_slice t)
{
    return is_word(t, "true") || is_word(t, "false") || is_word(t, "1") ||
           is_word(t, "0");
}

bool
sg_value_has_type(enum sg_type type, struct sg_slice t)
{
    if (sg_timeperiod_is_type(type))
        return is_time(type, t);
    if (type >= SG_TYPE_MONTH && type <= SG_TYPE_DURATION)
        return is_small_time(type, t);
    if (type == SG_TYPE_FLOAT || type == SG_TYPE_DOUBLE)
        return sg_value_is_number(t);
    if (type == SG_TYPE_DECIMAL || type == SG_TYPE_INCREMENTAL ||
        type == SG_TYPE_INCLUSIVE_RANGE || type == SG_TYPE_EXCLUSIVE_RANGE)
        return is_decimal(t);
    if (type == SG_TYPE_BIG_INTEGER || type == SG_TYPE_COUNT)
        return is_integer(t);
    if (type == SG_TYPE_INTEGER)
        return is_integer(t) && within(t, "-2147483648", "2147483647");
    if (type == SG_TYPE_LONG)
        return is_integer(t) &&
               within(t, "-9223372036854775808", "9223372036854775807");
    if (type == SG_TYPE_SHORT)
        return is_integer(t) && within(t, "-32768", "32767");
    if (type == SG_TYPE_ALPHA)
        return is_all(t, true, false);
    if (type == SG_TYPE_ALPHA_NUMERIC)
        return is_all(t, true, true);
    if (type == SG_TYPE_NUMERIC)
        return is_all(t, false, true);
    if (type == SG_TYPE_BOOLEAN)
        return is_boolean(t);
    return type == SG_TYPE_URI ? is_uri(t) : true;
}

static bool
is_numeric(enum sg_type type)
{
    return (type >= SG_TYPE_NUMERIC && type <= SG_TYPE_DOUBLE) ||
           (type >= SG_TYPE_COUNT && type <= SG_TYPE_INCREMENTAL);
}

bool
sg_value_is_missing(const struct sg_component *component, struct sg_slice text)
{
    if (component->kind <= SG_KIND_TIME)
        return false;
    if (is_word(text, "#N/A"))
        return true;
    return is_word(text, "NaN") && component->list < 0 &&
           (is_numeric(component->type) || component->kind == SG_KIND_MEASURE);
}

// ---- facets ----------------------------------------------------------------------

static int32_t
characters(struct sg_slice t)
{
    size_t n = 0;
    for (size_t i = 0; i < t.len; i++)
        n += (t.ptr[i] & 0xc0) != 0x80;
    return n > INT32_MAX ? INT32_MAX : (int32_t)n;
}

static int32_t
decimals(struct sg_slice t)
{
    const uint8_t *point = memchr(t.ptr, '.', t.len);
    if (point == NULL)
        return 0;
    size_t at = (size_t)(point - t.ptr) + 1;
    return (int32_t)(skip_digits(t, at) - at);
}

static bool
is_finite(struct sg_slice t)
{
    return sg_value_is_number(t) && t.ptr[t.len - 1] != 'F' &&
           t.ptr[t.len - 1] != 'N';
}

static const char *
numeric_facets(const struct sg_component *c, struct sg_slice t)
{
    const struct sg_facets *f = &c->facets;
    bool open = c->type == SG_TYPE_EXCLUSIVE_RANGE;
    if (f->decimals >= 0 && decimals(t) > f->decimals)
        return "more decimals than the structure allows";
    if (is_finite(f->min_value) &&
        sg_value_compare(t, f->min_value) < (open ? 1 : 0))
        return "below the smallest value that the structure allows";
    if (is_finite(f->max_value) &&
        sg_value_compare(t, f->max_value) > (open ? -1 : 0))
        return "above the largest value that the structure allows";
    if (f->is_sequence && is_finite(f->start_value) &&
        sg_value_compare(t, f->start_value) < 0)
        return "before the start of the sequence";
    if (f->is_sequence && is_finite(f->end_value) &&
        sg_value_compare(t, f->end_value) > 0)
        return "behind the end of the sequence";
    return NULL;
}

static bool
has_numeric_facets(const struct sg_facets *f)
{
    return f->decimals >= 0 || f->min_value.len > 0 || f->max_value.len > 0 ||
           f->is_sequence;
}

const char *
sg_value_refused(const struct sg_component *c, struct sg_slice t)
{
    if (sg_value_is_missing(c, t))
        return NULL;
    enum sg_type type = c->type;
    if (!c->typed && c->kind == SG_KIND_MEASURE)
        type = SG_TYPE_DOUBLE; // any number
    if (!c->typed && c->kind == SG_KIND_TIME)
        type = SG_TYPE_OBSERVATIONAL_TIME;
    if (!sg_value_has_type(type, t))
        return "not of the type";
    const struct sg_facets *f = &c->facets;
    if (f->min_length >= 0 && characters(t) < f->min_length)
        return "shorter than the structure allows";
    if (f->max_length >= 0 && characters(t) > f->max_length)
        return "longer than the structure allows";
    if (has_numeric_facets(f) && is_finite(t)) {
        const char *wrong = numeric_facets(c, t);
        if (wrong != NULL)
            return wrong;
    }
    if (f->pattern.len > 0 && sg_pattern_match(f->pattern, t) == SG_PATTERN_NO)
        return "does not have the pattern of the structure";
    return NULL;
}
