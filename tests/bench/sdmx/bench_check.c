// Observations a second through reader and check, for the SDG structure that
// ships, beside what the machine can do with the same bytes.
//   bench_check [BUILD]      run from the top of the source tree
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/os/clock.h"
#include "broker/os/file.h"
#include "schemas/sdmx/check.h"
#include "schemas/sdmx/obs_writer.h"
#include "schemas/sdmx/xml.h"
#include "tests/unit/sdmx/structure_fixture.h"

enum { SERIES = 40, AREAS = 200, SEXES = 3, YEARS = 20, ROUNDS = 3 };

struct bench {
    const struct sg_structure *structure;
    struct sg_check *check;
    struct sg_obs_writer *writer;
    uint8_t *bytes;
    size_t len, cap;
};

static enum sg_err
on_write(void *context, struct sg_slice bytes)
{
    struct bench *b = context;
    if (b->len + bytes.len > b->cap) {
        b->cap = 2 * (b->len + bytes.len);
        b->bytes = realloc(b->bytes, b->cap);
        if (b->bytes == NULL)
            abort();
    }
    memcpy(b->bytes + b->len, bytes.ptr, bytes.len);
    b->len += bytes.len;
    return SG_OK;
}

static const struct sg_structure *
on_structure(void *context, const struct sg_obs_ref *ref)
{
    (void)ref;
    return ((struct bench *)context)->structure;
}

static enum sg_err
on_obs(void *context, const struct sg_obs *obs)
{
    struct bench *b = context;
    return b->check == NULL ? SG_OK : sg_check_obs(b->check, obs);
}

static void
on_fault(void *context, const struct sg_fault *fault)
{
    (void)context;
    printf("unexpected fault: %s %.*s\n", sg_fault_name(fault->code),
           SG_SLICE_ARG(fault->component));
}

static void
give_up(const char *what)
{
    fprintf(stderr, "bench_check: %s\n", what);
    exit(1);
}

// ---- the message ---------------------------------------------------------------

static struct sg_slice
code(const struct sg_structure *s, const char *component, uint32_t ordinal)
{
    int32_t i = sg_structure_find(s, sg_slice_text(component));
    if (i < 0 || s->components[i].list < 0)
        give_up(component);
    uint32_t list = (uint32_t)s->components[i].list;
    return sg_structure_code_text(s, list, ordinal % s->lists[list].count);
}

static void
set(const struct sg_structure *s, struct sg_value *values,
    const char *component, struct sg_slice text)
{
    int32_t i = sg_structure_find(s, sg_slice_text(component));
    if (i < 0)
        give_up(component);
    values[i] = (struct sg_value){text.ptr, (uint32_t)text.len, SG_VALUE_TEXT};
}

// Every dimension that is not said is its first code.
static void
fill(const struct sg_structure *s, struct sg_value *values)
{
    for (uint32_t i = 0; i < s->dimension_count; i++) {
        uint32_t list = (uint32_t)s->components[i].list;
        struct sg_slice text = sg_structure_code_text(s, list, 0);
        values[i] =
            (struct sg_value){text.ptr, (uint32_t)text.len, SG_VALUE_TEXT};
    }
    set(s, values, "FREQ", SG_SLICE("A"));
    set(s, values, "OBS_STATUS", SG_SLICE("A"));
    set(s, values, "UNIT_MULT", SG_SLICE("0"));
    set(s, values, "UNIT_MEASURE", code(s, "UNIT_MEASURE", 0));
    set(s, values, "NATURE", code(s, "NATURE", 0));
}

static uint64_t
generate(struct bench *b, enum sg_media media)
{
    const struct sg_structure *s = b->structure;
    struct sg_arena *arena = sg_arena_new(1u << 26, 1u << 20);
    const struct sg_obs_writer_options options = {
        .media = media,
        .ref = {SG_OBS_REF_DATASTRUCTURE, s->agency, s->id, s->version}};
    const struct sg_canonical_out out = {b, on_write};
    struct sg_value *values =
        sg_arena_take(arena, s->component_count * sizeof *values);
    struct sg_obs obs = {.values = values, .action = SG_ACTION_MERGE};
    b->len = 0;
    b->writer = sg_obs_writer_new(arena, s, &options, &out);
    fill(s, values);
    for (uint32_t i = 0; i < SERIES * AREAS * SEXES * YEARS; i++) {
        char year[8], value[16];
        snprintf(year, sizeof year, "%u", 2000 + i % YEARS);
        snprintf(value, sizeof value, "%u.%u", i * 7919 % 1000, i % 10);
        set(s, values, "SERIES", code(s, "SERIES", i / YEARS / SEXES / AREAS));
        set(s, values, "REF_AREA",
            code(s, "REF_AREA", i / YEARS / SEXES % AREAS));
        set(s, values, "SEX", code(s, "SEX", i / YEARS % SEXES));
        set(s, values, "TIME_PERIOD", sg_slice_text(year));
        set(s, values, "OBS_VALUE", sg_slice_text(value));
        obs.row = i + 1;
        if (sg_obs_writer_put(b->writer, &obs) != SG_OK)
            give_up("cannot write");
    }
    if (sg_obs_writer_end(b->writer) != SG_OK)
        give_up("cannot write");
    sg_arena_free(&arena);
    return (uint64_t)SERIES * AREAS * SEXES * YEARS;
}

// ---- measuring ---------------------------------------------------------------

// Seconds of the best of some rounds.
static double
read_all(struct bench *b, bool check, bool portable)
{
    uint64_t best = UINT64_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        struct sg_arena *arena = sg_arena_new((size_t)1 << 30, 1u << 20);
        const struct sg_check_options checking = {.key = {1, 2}};
        const struct sg_obs_reader_options options = {.xml_salt = 1,
                                                      .portable = portable};
        const struct sg_obs_sink sink = {.context = b,
                                         .structure = on_structure,
                                         .obs = on_obs,
                                         .fault = on_fault};
        b->check = check ? sg_check_new(arena, &checking) : NULL;
        if (check && sg_check_begin(b->check, b->structure) != SG_OK)
            give_up("no memory");
        struct sg_obs_reader *r = sg_obs_reader_new(arena, &sink, &options);
        uint64_t start = sg_os_clock_mono_us();
        for (size_t at = 0; at < b->len; at += 1u << 18) {
            size_t n = b->len - at < 1u << 18 ? b->len - at : 1u << 18;
            if (sg_obs_reader_feed(r, sg_slice_of(b->bytes + at, n)) != SG_OK)
                give_up("cannot read");
        }
        if (sg_obs_reader_end(r) != SG_OK ||
            (check && sg_check_end(b->check) != SG_OK))
            give_up("cannot read");
        uint64_t took = sg_os_clock_mono_us() - start;
        best = took < best ? took : best;
        if (check && !sg_check_accepts(b->check))
            give_up("the message is at fault");
        sg_obs_reader_fini(r);
        sg_arena_free(&arena);
    }
    return (double)best / 1e6;
}

static double
copy_all(const struct bench *b)
{
    uint8_t *to = malloc(b->len);
    uint64_t best = UINT64_MAX;
    if (to == NULL)
        give_up("no memory");
    for (int round = 0; round < ROUNDS + 1; round++) { // the first maps pages
        uint64_t start = sg_os_clock_mono_us();
        memcpy(to, b->bytes, b->len);
        __asm__ volatile("" : : "r"(to) : "memory"); // it is wanted
        uint64_t took = sg_os_clock_mono_us() - start;
        best = took < best ? took : best;
    }
    free(to);
    return (double)best / 1e6;
}

static double
find_lines(const struct bench *b)
{
    uint64_t best = UINT64_MAX, lines = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = sg_os_clock_mono_us();
        const uint8_t *at = b->bytes, *end = b->bytes + b->len;
        while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
            lines++;
            at++;
        }
        uint64_t took = sg_os_clock_mono_us() - start;
        best = took < best ? took : best;
    }
    return lines == 0 ? 0 : (double)best / 1e6;
}

// The XML parser alone, with events that do nothing.
static double
parse_xml(const struct bench *b)
{
    static const struct sg_xml_events events = {NULL, NULL, NULL};
    uint64_t best = UINT64_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        struct sg_arena *arena = sg_arena_new(1u << 26, 1u << 20);
        struct sg_xml *xml;
        if (sg_xml_open(arena, 1, &events, NULL, &xml) != SG_OK)
            give_up("no memory");
        uint64_t start = sg_os_clock_mono_us();
        for (size_t at = 0; at < b->len; at += 1u << 18) {
            size_t n = b->len - at < 1u << 18 ? b->len - at : 1u << 18;
            if (sg_xml_feed(xml, sg_slice_of(b->bytes + at, n), NULL) != SG_OK)
                give_up("cannot parse");
        }
        uint64_t took = sg_os_clock_mono_us() - start;
        best = took < best ? took : best;
        sg_xml_close(&xml);
        sg_arena_free(&arena);
    }
    return (double)best / 1e6;
}

static void
line(const char *what, double seconds, uint64_t rows, size_t bytes)
{
    printf("%-34s %8.2f M obs/s %8.0f MB/s\n", what,
           (double)rows / seconds / 1e6, (double)bytes / seconds / 1e6);
}

int
main(void)
{
    struct bench b = {0};
    struct sg_arena *arena = sg_arena_new(FIXTURE_ARENA, 1u << 20);
    struct sg_diag diag = {0};
    uint8_t *xml;
    size_t len;
    if (sg_os_file_read("schemas/sdg/sdg.xml", 1u << 26, &xml, &len) != SG_OK)
        give_up("run it from the top of the source tree");
    if (fixture_open(arena, sg_slice_of(xml, len), &b.structure, &diag) !=
        SG_OK)
        give_up(diag.text);
    uint64_t rows = generate(&b, SG_MEDIA_CSV10);
    printf("SDMX-CSV 1.0: %llu observations, %zu bytes each\n",
           (unsigned long long)rows, b.len / rows);
    double checked = read_all(&b, true, false);
    line("csv check", checked, rows, b.len);
    line("csv read only", read_all(&b, false, false), rows, b.len);
    line("csv check, portable path", read_all(&b, true, true), rows, b.len);
    double limit = find_lines(&b);
    line("limit: memchr of line ends", limit, rows, b.len);
    line("limit: memcpy", copy_all(&b), rows, b.len);
    printf("csv check / memchr: %.3f\n", limit / checked);
    rows = generate(&b, SG_MEDIA_ML21);
    printf("SDMX-ML 2.1: %llu observations, %zu bytes each\n",
           (unsigned long long)rows, b.len / rows);
    checked = read_all(&b, true, false);
    line("ml check", checked, rows, b.len);
    double parser = parse_xml(&b);
    line("peer: expat doing nothing", parser, rows, b.len);
    line("limit: memcpy", copy_all(&b), rows, b.len);
    printf("ml check / expat: %.3f\n", parser / checked);
    free(xml);
    free(b.bytes);
    sg_arena_free(&arena);
    return 0;
}
