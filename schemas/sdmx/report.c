#include "schemas/sdmx/report.h"

#include "broker/base/limits.h"
#include "schemas/sdmx/siphash.h"

enum { BUCKETS = 1024, TEXT = 512 };

struct sg_report {
    struct sg_arena *arena;
    uint64_t key[2];
    void (*each)(void *context, const struct sg_fault *fault);
    void *context;
    uint64_t faults, warnings, cut;
    uint32_t count;
    struct sg_report_cause *buckets[BUCKETS];
    struct sg_report_cause *causes[SG_LIMIT_FAULT_GROUPS];
};

struct sg_report *
sg_report_new(struct sg_arena *arena, const uint64_t key[2],
              void (*each)(void *context, const struct sg_fault *fault),
              void *context)
{
    struct sg_report *report = sg_arena_take(arena, sizeof *report);
    if (report == NULL)
        return NULL;
    report->arena = arena;
    report->key[0] = key[0];
    report->key[1] = key[1];
    report->each = each;
    report->context = context;
    return report;
}

// Is it the value that is wrong, or something about the component?
static bool
is_about_value(enum sg_fault_code code)
{
    return code == SG_FAULT_CODE || code == SG_FAULT_TYPE ||
           code == SG_FAULT_TIME_FORMAT || code == SG_FAULT_CONSTRAINT ||
           code == SG_FAULT_STRUCTURE_UNKNOWN ||
           code == SG_FAULT_STRUCTURE_TYPE || code == SG_FAULT_STRUCTURE_REF ||
           code == SG_FAULT_ACTION || code == SG_FAULT_CHANGE ||
           code == SG_FAULT_FOOTER;
}

static struct sg_slice
cut(struct sg_slice text)
{
    if (text.len <= TEXT)
        return text;
    text.len = TEXT;
    while (text.len > 0 && (text.ptr[text.len] & 0xc0) == 0x80)
        text.len--;
    return text;
}

static uint64_t
hash_of(const struct sg_report *report, const struct sg_fault *fault)
{
    uint64_t word = (uint64_t)fault->code << 1 | fault->warning;
    struct sg_siphash h =
        sg_siphash_word(report->key, word, cut(fault->component));
    if (is_about_value(fault->code))
        h = sg_siphash_word(report->key, h.low, cut(fault->value));
    return h.low;
}

static bool
same_cause(const struct sg_fault *a, const struct sg_fault *b)
{
    return a->code == b->code && a->warning == b->warning &&
           sg_slice_eq(a->component, cut(b->component)) &&
           (!is_about_value(a->code) || sg_slice_eq(a->value, cut(b->value)));
}

static struct sg_report_cause *
find(const struct sg_report *report, const struct sg_fault *fault,
     uint64_t hash)
{
    struct sg_report_cause *c = report->buckets[hash % BUCKETS];
    while (c != NULL && (c->hash != hash || !same_cause(&c->fault, fault)))
        c = c->next_bucket;
    return c;
}

struct sg_report_cause *
sg_report_find(const struct sg_report *report, const struct sg_fault *fault)
{
    return find(report, fault, hash_of(report, fault));
}

void
sg_report_again(struct sg_report *report, struct sg_report_cause *cause,
                const struct sg_fault *fault)
{
    if (fault->warning)
        report->warnings++;
    else
        report->faults++;
    if (cause != NULL)
        cause->count++;
    if (report->each != NULL)
        report->each(report->context, fault);
}

static bool
keep(struct sg_report *report, struct sg_slice *text)
{
    if (text->len == 0) {
        *text = (struct sg_slice){NULL, 0};
        return true;
    }
    *text = sg_arena_copy(report->arena, cut(*text));
    return text->ptr != NULL;
}

struct sg_report_cause *
sg_report_add(struct sg_report *report, const struct sg_fault *fault)
{
    uint64_t hash = hash_of(report, fault);
    struct sg_report_cause *c = find(report, fault, hash);
    if (c == NULL && report->count < SG_LIMIT_FAULT_GROUPS) {
        c = sg_arena_take(report->arena, sizeof *c);
        struct sg_fault f = *fault;
        if (c != NULL && keep(report, &f.component) && keep(report, &f.value) &&
            keep(report, &f.hint)) {
            c->fault = f;
            c->hash = hash;
            c->next_bucket = report->buckets[hash % BUCKETS];
            report->buckets[hash % BUCKETS] = c;
            report->causes[report->count++] = c;
        } else {
            c = NULL;
        }
    }
    if (c == NULL)
        report->cut++;
    sg_report_again(report, c, fault);
    return c;
}

static bool
before(const struct sg_report_cause *a, const struct sg_report_cause *b)
{
    if (a->fault.row != b->fault.row)
        return a->fault.row < b->fault.row;
    return a->fault.line < b->fault.line;
}

// Insertion: causes come almost in order.
void
sg_report_sort(struct sg_report *report)
{
    for (uint32_t i = 1; i < report->count; i++) {
        struct sg_report_cause *c = report->causes[i];
        uint32_t at = i;
        for (; at > 0 && before(c, report->causes[at - 1]); at--)
            report->causes[at] = report->causes[at - 1];
        report->causes[at] = c;
    }
}

uint32_t
sg_report_count(const struct sg_report *report)
{
    return report->count;
}

const struct sg_report_cause *
sg_report_at(const struct sg_report *report, uint32_t index)
{
    SG_ASSERT(index < report->count);
    return report->causes[index];
}

uint64_t
sg_report_faults(const struct sg_report *report)
{
    return report->faults;
}

uint64_t
sg_report_warnings(const struct sg_report *report)
{
    return report->warnings;
}

uint64_t
sg_report_uncounted(const struct sg_report *report)
{
    return report->cut;
}
