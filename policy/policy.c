#include "policy/policy.h"

#include <stdio.h>

#include "broker/base/crypto.h"
#include "broker/base/limits.h"
#include "policy/build.h"

static const char guard_text[] =
    "policy \"built-in guards\" version 1 layer hub vocabulary statgate 1\n"
    "rule \"guard: withdrawn\" forbid when availability is withdrawn\n"
    "rule \"guard: consent\" forbid when either lawful_basis is consent or "
    "special_condition is explicit_consent and consent is none of given, "
    "partial\n"
    "rule \"guard: community consent\" forbid when community_consent is one of "
    "refused, withdrawn, expired\n"
    "rule \"guard: community not asked\" forbid when sensitive is community "
    "and community_consent is none of given, partial\n"
    "rule \"guard: redistribution\" forbid when conf_redist is none of "
    "not_limited, recipient_named\n"
    "rule \"guard: localisation\" forbid when localisation is home_only and "
    "either destination is not same as provider_in or stored_in is not same "
    "as provider_in\n"
    "rule \"guard: open lane\" forbid when destination is ANYWHERE and "
    "recipient is not public\n"
    "rule \"guard: partial consent\" forbid when either lawful_basis is "
    "consent or special_condition is explicit_consent and consent is partial\n"
    "rule \"guard: availability\" hold when availability is one of scheduled, "
    "pre_release\n";

static const char import_text[] =
    "policy \"import default\" version 1 layer import default "
    "vocabulary statgate 1\n"
    "rule \"no import policy of its own\" permit when destination is not "
    "ANYWHERE and availability is any and conf_status is any and\n"
    "  identifiability is any and consent is any and community_consent is any "
    "and classification is any because \"shipped with the gate\"\n";

// ---- days ---------------------------------------------------------------------
static bool
is_leap(uint32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static uint32_t
month_days(uint32_t year, uint32_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30,
                                   31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

static uint32_t
digits(const uint8_t *at, unsigned count)
{
    uint32_t n = 0;
    for (unsigned i = 0; i < count; i++)
        n = at[i] < '0' || at[i] > '9' ? 100000 : n * 10 + (at[i] - '0');
    return n;
}

enum { FIRST_YEAR = 1970, LAST_YEAR = 9999 };

static uint32_t
year_days(uint32_t year)
{
    return is_leap(year) ? 366 : 365;
}

bool
sg_policy_day_parse(struct sg_slice text, uint32_t *day)
{
    if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-')
        return false;
    uint32_t year = digits(text.ptr, 4), month = digits(text.ptr + 5, 2);
    uint32_t of_month = digits(text.ptr + 8, 2);
    if (year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12 ||
        of_month < 1 || of_month > month_days(year, month))
        return false;
    *day = of_month - 1;
    for (uint32_t y = FIRST_YEAR; y < year; y++)
        *day += year_days(y);
    for (uint32_t m = 1; m < month; m++)
        *day += month_days(year, m);
    return true;
}

void
sg_policy_day_print(uint32_t day, char out[11])
{
    uint32_t year = FIRST_YEAR, month = 1;
    while (year < LAST_YEAR && day >= year_days(year))
        day -= year_days(year++);
    while (month < 12 && day >= month_days(year, month))
        day -= month_days(year, month++);
    char text[32];
    snprintf(text, sizeof text, "%04u-%02u-%02u", year, month, day + 1);
    memcpy(out, text, 10);
    out[10] = '\0';
}

// ---- reading files --------------------------------------------------------------
static bool
ends_in_policy(struct sg_slice name)
{
    static const struct sg_slice end = {(const uint8_t *)".policy", 7};
    return name.len > end.len &&
           memcmp(name.ptr + name.len - end.len, end.ptr, end.len) == 0;
}

// Merge sort of rules by name, then by place.
static int
rule_order(const struct sg_rule *a, const struct sg_rule *b)
{
    int order = sg_slice_cmp(a->name, b->name);
    return order != 0 ? order : (int)a->index - (int)b->index;
}

static void
merge(struct sg_rule **v, struct sg_rule **scratch, size_t half, size_t count)
{
    size_t a = 0, b = half, n = 0;
    while (a < half || b < count) {
        bool left = b == count || (a < half && rule_order(v[a], v[b]) < 0);
        scratch[n++] = left ? v[a++] : v[b++];
    }
    memcpy(v, scratch, count * sizeof *v);
}

static void
sort_rules(struct sg_rule **v, struct sg_rule **scratch, size_t count)
{
    for (size_t step = 1; step < count; step *= 2) {
        for (size_t at = 0; at + step < count; at += 2 * step) {
            size_t most = count - at < 2 * step ? count - at : 2 * step;
            merge(v + at, scratch, step, most);
        }
    }
}

static void
index_rules(struct sg_build *b)
{
    struct sg_file *file = b->file;
    size_t bytes = (file->rules_count + 1) * sizeof(struct sg_rule *);
    struct sg_rule **sorted = sg_build_take(b, bytes);
    struct sg_rule **scratch = sg_build_take(b, bytes);
    file->by_index = sg_build_take(b, bytes);
    if (sorted == NULL || scratch == NULL || file->by_index == NULL)
        return;
    uint32_t n = 0;
    for (struct sg_rule *r = file->rules; r != NULL; r = r->next) {
        file->by_index[n] = r;
        sorted[n++] = r;
    }
    sort_rules(sorted, scratch, n);
    for (uint32_t i = 1; i < n; i++) {
        if (!sg_slice_eq(sorted[i - 1]->name, sorted[i]->name))
            continue;
        struct sg_token at = {.line = sorted[i]->line,
                              .column = sorted[i]->column};
        sg_build_fail(b, &at, "two rules have the same name");
        return;
    }
}

// The places an export or import policy is for.
static void
resolve_scope(struct sg_build *b)
{
    struct sg_file *file = b->file;
    if (file->layer == SG_LAYER_HUB || file->import_default)
        return;
    uint64_t *codes = sg_build_take(
        b, sg_dims_words(b->set, SG_ATTR_PROVIDER_IN) * sizeof *codes);
    struct sg_group *group =
        sg_build_find_group(b, SG_ATTR_PROVIDER_IN, file->scope_name);
    if (codes == NULL)
        return;
    if (file->place != 0)
        sg_ast_put(codes, file->place);
    file->scope = codes;
    if (file->place != 0)
        return;
    struct sg_token at = {.line = file->layer_line,
                          .column = file->layer_column};
    if (group == NULL) {
        sg_build_fail(b, &at,
                      "\"" SG_SLICE_FMT "\" is neither a country nor a "
                      "country group of this file",
                      SG_SLICE_ARG(file->scope_name));
        return;
    }
    group->used = true;
    file->scope = group->codes;
}

// purpose group STATISTICAL is in every file.
static void
ship_group(struct sg_build *b)
{
    static const uint8_t purposes[] = {
        SG_PURPOSE_OFFICIAL_STATISTICS, SG_PURPOSE_SDG_REPORTING,
        SG_PURPOSE_MIRROR_RECONCILIATION, SG_PURPOSE_SCIENTIFIC_RESEARCH};
    struct sg_group *group = sg_build_take(b, sizeof *group);
    uint64_t *codes = sg_build_take(b, sg_dims_words(b->set, SG_ATTR_PURPOSE) *
                                           sizeof *codes);
    if (group == NULL || codes == NULL)
        return;
    for (size_t i = 0; i < SG_COUNT_OF(purposes); i++)
        sg_ast_put(codes, purposes[i]);
    *group = (struct sg_group){.dim = SG_ATTR_PURPOSE,
                               .used = true,
                               .name = SG_SLICE("STATISTICAL"),
                               .codes = codes};
    b->file->groups = group;
}

static enum sg_err
read_file(struct sg_build *b, struct sg_slice label, struct sg_slice text,
          bool lint)
{
    struct sg_policy_set *set = b->set;
    struct sg_file *file = sg_build_take(b, sizeof *file);
    if (file == NULL)
        return b->err;
    struct sg_token begin = {.line = 1, .column = 1};
    file->label = sg_arena_copy(set->arena, label);
    file->text = sg_arena_copy(set->arena, text);
    file->until = SG_DAY_NEVER;
    b->file = file;
    b->lint = lint;
    b->rules_end = &file->rules;
    b->nevers_end = &file->nevers;
    b->tests_end = &file->tests;
    if (file->label.ptr == NULL || file->text.ptr == NULL)
        sg_build_full(b);
    else if (text.len > SG_LIMIT_POLICY_FILE)
        sg_build_fail(b, &begin, "the file is larger than 4 MiB");
    if (b->err != SG_OK)
        return b->err;
    sg_crypto_sha256(text.ptr, text.len, file->digest);
    ship_group(b);
    sg_grammar_run(b, file->text, false);
    if (b->err == SG_OK)
        resolve_scope(b);
    if (b->err == SG_OK)
        index_rules(b);
    if (b->err == SG_OK && lint)
        sg_build_lint_file(b);
    return b->err;
}

// How many files would be asked for one place and layer.
static void
check_layers(struct sg_build *b)
{
    const struct sg_policy_set *set = b->set;
    struct sg_token begin = {.line = 1, .column = 1};
    for (uint32_t place = 0; place < SG_PLACE_COUNT; place++) {
        uint32_t counts[4] = {0}, defaults = 0;
        for (uint16_t i = 0; i < set->count; i++) {
            const struct sg_file *file = set->files[i];
            bool here = file->scope == NULL || sg_ast_has(file->scope, place);
            if (file->import_default)
                defaults++;
            else if (here)
                counts[file->layer]++;
        }
        if (counts[SG_LAYER_HUB] > SG_LIMIT_POLICY_LAYERS ||
            counts[SG_LAYER_IMPORT] > SG_LIMIT_POLICY_LAYERS ||
            counts[SG_LAYER_EXPORT] > SG_LIMIT_POLICY_LAYERS / 2 ||
            defaults > SG_LIMIT_POLICY_LAYERS) {
            sg_build_fail(b, &begin,
                          "too many policies of one layer for %s; join them "
                          "into fewer files",
                          sg_vocabulary_place_name((uint16_t)place));
            return;
        }
    }
}
_Static_assert(3 * SG_LIMIT_POLICY_LAYERS <= SG_DECISION_LAYERS,
               "exports of provider and area, hubs, imports fit a decision");

struct loading {
    struct sg_build b;
    const struct sg_policy_file *files;
    size_t count;
    struct sg_policy_fault *fault;
};

static bool
read_one(struct loading *l, struct sg_slice label, struct sg_slice text,
         bool lint)
{
    struct sg_policy_set *set = l->b.set;
    if (set->count >= SG_LIMIT_POLICY_FILES) {
        struct sg_token begin = {.line = 1, .column = 1};
        sg_build_fail(&l->b, &begin, "more than %u files",
                      SG_LIMIT_POLICY_FILES);
    }
    l->b.file_index = set->count;
    l->fault->file = label;
    if (l->b.err != SG_OK || read_file(&l->b, label, text, lint) != SG_OK)
        return false;
    set->files[set->count++] = l->b.file;
    return true;
}

static bool
has_import_default(const struct sg_policy_set *set)
{
    for (uint16_t i = 0; i < set->count; i++) {
        if (set->files[i]->import_default)
            return true;
    }
    return false;
}

static void
read_all(struct loading *l)
{
    struct sg_policy_set *set = l->b.set;
    set->count = 0;
    set->dimensions_count = 0;
    set->notes = NULL;
    set->notes_end = &set->notes;
    set->found_count = 0;
    if (!read_one(l, SG_SLICE("built-in guards"), SG_SLICE(guard_text), false))
        return;
    set->guards = set->files[--set->count];
    for (size_t i = 0; i < l->count; i++) {
        if (ends_in_policy(l->files[i].name) &&
            !read_one(l, l->files[i].name, l->files[i].text, true))
            return;
    }
    if (has_import_default(set))
        return;
    if (read_one(l, SG_SLICE("import default"), SG_SLICE(import_text), true))
        set->files[set->count - 1]->built_in = true;
}

static void
sort_parties(struct sg_slice *v, struct sg_slice *scratch, size_t count)
{
    for (size_t step = 1; step < count; step *= 2) {
        for (size_t at = 0; at + step < count; at += 2 * step) {
            size_t most = count - at < 2 * step ? count - at : 2 * step;
            size_t a = at, b = at + step, end = at + most;
            for (size_t n = 0; n < most; n++) {
                bool left = b == end ||
                            (a < at + step && sg_slice_cmp(v[a], v[b]) <= 0);
                scratch[n] = left ? v[a++] : v[b++];
            }
            memcpy(v + at, scratch, most * sizeof *v);
        }
    }
}

// What the lists named becomes the numbering of party.
static void
settle_parties(struct sg_build *b)
{
    struct sg_policy_set *set = b->set;
    struct sg_slice *scratch =
        sg_build_take(b, (set->found_count + 1) * sizeof *scratch);
    if (scratch == NULL)
        return;
    sort_parties(set->found, scratch, set->found_count);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < set->found_count; i++) {
        if (kept == 0 || !sg_slice_eq(set->found[kept - 1], set->found[i]))
            set->found[kept++] = set->found[i];
    }
    struct sg_token begin = {.line = 1, .column = 1};
    if (kept > SG_LIMIT_PARTIES)
        sg_build_fail(b, &begin, "the lists name more than %u organisations",
                      SG_LIMIT_PARTIES);
    set->party = set->found;
    set->party_count = kept;
    set->found = NULL;
    set->found_count = set->found_cap = 0;
}

enum sg_err
sg_policy_load(struct sg_arena *arena, const struct sg_policy_file *files,
               size_t count, const struct sg_policy_loader *loader,
               struct sg_policy_set **out, struct sg_policy_fault *fault)
{
    *out = NULL;
    *fault = (struct sg_policy_fault){0};
    struct sg_policy_set *set = sg_arena_take(arena, sizeof *set);
    if (set == NULL)
        return SG_ERR_FULL;
    struct loading l = {
        .b = {.set = set,
              .others = files,
              .others_count = count,
              .loader = loader,
              .diag = &fault->at},
        .files = files,
        .count = count,
        .fault = fault,
    };
    set->arena = arena;
    set->files =
        sg_arena_take(arena, (SG_LIMIT_POLICY_FILES + 1) * sizeof *set->files);
    if (set->files == NULL)
        return SG_ERR_FULL;
    read_all(&l);
    // Numbers of listed organisations are known only now: read again.
    if (l.b.err == SG_OK && set->found_count > 0) {
        settle_parties(&l.b);
        if (l.b.err == SG_OK)
            read_all(&l);
    }
    if (l.b.err == SG_OK)
        check_layers(&l.b);
    if (l.b.err == SG_OK)
        *out = set;
    return l.b.err;
}

// ---- looking at a set -----------------------------------------------------------
uint16_t
sg_policy_count(const struct sg_policy_set *set)
{
    return set->count;
}

static const struct sg_file *
file_at(const struct sg_policy_set *set, uint16_t file)
{
    if (file == SG_POLICY_GUARDS)
        return set->guards;
    return file < set->count ? set->files[file] : NULL;
}

struct sg_slice
sg_policy_label(const struct sg_policy_set *set, uint16_t file)
{
    const struct sg_file *f = file_at(set, file);
    return f == NULL ? (struct sg_slice){0} : f->label;
}

struct sg_slice
sg_policy_name(const struct sg_policy_set *set, uint16_t file)
{
    const struct sg_file *f = file_at(set, file);
    return f == NULL ? (struct sg_slice){0} : f->name;
}

uint32_t
sg_policy_version(const struct sg_policy_set *set, uint16_t file)
{
    const struct sg_file *f = file_at(set, file);
    return f == NULL ? 0 : f->version;
}

const uint8_t *
sg_policy_digest(const struct sg_policy_set *set, uint16_t file)
{
    const struct sg_file *f = file_at(set, file);
    SG_ASSERT(f != NULL);
    return f->digest;
}

const struct sg_rule *
sg_policy_rule(const struct sg_policy_set *set, struct sg_rule_ref ref)
{
    const struct sg_file *f = file_at(set, ref.file);
    return f == NULL || ref.rule >= f->rules_count ? NULL
                                                   : f->by_index[ref.rule];
}

struct sg_slice
sg_policy_rule_name(const struct sg_policy_set *set, struct sg_rule_ref ref)
{
    const struct sg_rule *rule = sg_policy_rule(set, ref);
    return rule == NULL ? (struct sg_slice){0} : rule->name;
}

uint32_t
sg_policy_rule_line(const struct sg_policy_set *set, struct sg_rule_ref ref)
{
    const struct sg_rule *rule = sg_policy_rule(set, ref);
    return rule == NULL ? 0 : rule->line;
}

uint16_t
sg_policy_party(const struct sg_policy_set *set, struct sg_slice id)
{
    uint32_t low = 0, high = set->party_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = sg_slice_cmp(id, set->party[middle]);
        if (order == 0)
            return (uint16_t)(SG_PARTY_FIRST_LISTED + middle);
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return SG_PARTY_OTHER;
}

struct sg_slice
sg_policy_party_id(const struct sg_policy_set *set, uint16_t code)
{
    if (code < SG_PARTY_FIRST_LISTED ||
        (uint32_t)(code - SG_PARTY_FIRST_LISTED) >= set->party_count)
        return (struct sg_slice){0};
    return set->party[code - SG_PARTY_FIRST_LISTED];
}

struct sg_slice
sg_policy_dimension(const struct sg_policy_set *set, unsigned i)
{
    return i < set->dimensions_count ? set->dimensions[i]
                                     : (struct sg_slice){0};
}

// The smallest of the days given that comes after day.
static void
sooner(uint32_t day, uint32_t candidate, uint32_t *next)
{
    if (candidate > day && candidate < *next)
        *next = candidate;
}

uint32_t
sg_policy_next_slice(const struct sg_policy_set *set, uint32_t day)
{
    uint32_t next = SG_DAY_NEVER;
    for (uint16_t i = 0; i < set->count; i++) {
        sooner(day, set->files[i]->since, &next);
        sooner(day, set->files[i]->until, &next);
        const struct sg_rule *r = set->files[i]->rules;
        for (; r != NULL; r = r->next) {
            sooner(day, r->from, &next);
            sooner(day, r->until, &next);
        }
    }
    return next;
}
