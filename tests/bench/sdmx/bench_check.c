// Observations a second through reader and check, for the SDG structure that
// ships, beside what the machine and expat can do with the same bytes. Seconds
// are of this thread's processor time; rounds take turns, and their median and
// their best are printed.
//   bench_check [BUILD]      run from the top of the source tree
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <expat.h>
#include <yajl/yajl_parse.h>

#include "broker/os/file.h"
#include "schemas/sdmx/check.h"
#include "schemas/sdmx/obs_writer.h"
#include "tests/unit/sdmx/structure_fixture.h"

enum { SERIES = 40, AREAS = 200, SEXES = 3, YEARS = 20, ROUNDS = 9 };

struct bench {
    const struct sg_structure *structure;
    const struct sg_structure *limited; // the same with a constraint
    struct sg_check *check;
    struct sg_obs_writer *writer;
    uint8_t *bytes, *copy;
    size_t len, cap;
    size_t memory; // of the last round's arena
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
code_of(const struct sg_structure *s, uint32_t component, uint32_t ordinal)
{
    if (s->components[component].list < 0)
        give_up("a component without codes");
    uint32_t list = (uint32_t)s->components[component].list;
    return sg_structure_code_text(s, list, ordinal % s->lists[list].count);
}

static struct sg_slice
code(const struct sg_structure *s, const char *component, uint32_t ordinal)
{
    int32_t i = sg_structure_find(s, sg_slice_text(component));
    if (i < 0)
        give_up(component);
    return code_of(s, (uint32_t)i, ordinal);
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

// Each observation of the message, in order.
static uint64_t
each(struct bench *b, struct sg_value *values,
     void (*put)(struct bench *b, const struct sg_value *values, uint32_t i))
{
    const struct sg_structure *s = b->structure;
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
        put(b, values, i);
    }
    return (uint64_t)SERIES * AREAS * SEXES * YEARS;
}

static void
put_row(struct bench *b, const struct sg_value *values, uint32_t i)
{
    const struct sg_obs obs = {
        .values = values, .action = SG_ACTION_MERGE, .row = i + 1};
    if (sg_obs_writer_put(b->writer, &obs) != SG_OK)
        give_up("cannot write");
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
    b->len = 0;
    b->writer = sg_obs_writer_new(arena, s, &options, &out);
    uint64_t count = each(b, values, put_row);
    if (sg_obs_writer_end(b->writer) != SG_OK)
        give_up("cannot write");
    sg_arena_free(&arena);
    return count;
}

// ---- the same as SDMX-JSON -------------------------------------------------------

static void
text(struct bench *b, const char *format, ...)
{
    char piece[4096];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    if (on_write(b, sg_slice_of(piece, (size_t)len)) != SG_OK)
        give_up("cannot write");
}

// A component with the first codes of its list, or the years.
static void
put_component(struct bench *b, uint32_t i, uint32_t count)
{
    const struct sg_structure *s = b->structure;
    const struct sg_component *c = &s->components[i];
    text(b, "{\"id\":\"" SG_SLICE_FMT "\",\"keyPosition\":%u,\"values\":[",
         SG_SLICE_ARG(c->id), i);
    for (uint32_t n = 0; n < count; n++) {
        const char *comma = n > 0 ? "," : "";
        if ((int32_t)i == s->time)
            text(b, "%s{\"id\":\"%u\",\"name\":\"%u\"}", comma, 2000 + n,
                 2000 + n);
        else
            text(b, "%s{\"id\":\"" SG_SLICE_FMT "\",\"name\":\"x\"}", comma,
                 SG_SLICE_ARG(code_of(s, i, n)));
    }
    text(b, "]}");
}

// The attributes that fill() sets, with the one value each has.
static const char *const told[] = {"OBS_STATUS", "UNIT_MULT", "NATURE"};

static void
put_structure(struct bench *b, bool flat, const struct sg_value *values)
{
    const struct sg_structure *s = b->structure;
    text(b, "{\"data\":{\"structures\":[{\"links\":[{\"rel\":\"datastructure\","
            "\"urn\":\"x=STATGATE:SDG(1.0)\"}],\"dimensions\":{");
    text(b, flat ? "\"observation\":[" : "\"series\":[");
    for (uint32_t i = 0; i < s->dimension_count; i++) {
        struct sg_slice id = s->components[i].id;
        uint32_t count = sg_slice_eq(id, SG_SLICE("SERIES"))     ? SERIES
                         : sg_slice_eq(id, SG_SLICE("REF_AREA")) ? AREAS
                         : sg_slice_eq(id, SG_SLICE("SEX"))      ? SEXES
                                                                 : 0;
        text(b, i > 0 ? "," : "");
        if (count > 0)
            put_component(b, i, count);
        else
            text(b,
                 "{\"id\":\"" SG_SLICE_FMT "\",\"keyPosition\":%u,\"values\":"
                 "[{\"id\":\"" SG_SLICE_FMT "\"}]}",
                 SG_SLICE_ARG(id), i,
                 SG_SLICE_ARG(sg_obs_value_bytes(&values[i])));
    }
    text(b, flat ? "," : "],\"observation\":[");
    put_component(b, (uint32_t)s->time, YEARS);
    text(b, "]},\"attributes\":{\"dataSet\":[{\"id\":\"UNIT_MEASURE\"}],"
            "\"observation\":[");
    for (size_t i = 0; i < SG_COUNT_OF(told); i++) {
        int32_t c = sg_structure_find(s, sg_slice_text(told[i]));
        text(b, "%s{\"id\":\"%s\",\"values\":[{\"id\":\"" SG_SLICE_FMT "\"}]}",
             i > 0 ? "," : "", told[i],
             SG_SLICE_ARG(sg_obs_value_bytes(&values[c])));
    }
    int32_t unit = sg_structure_find(s, SG_SLICE("UNIT_MEASURE"));
    text(
        b,
        "]}}],\"dataSets\":[{\"action\":\"Replace\",\"attributes\":[\"" SG_SLICE_FMT
        "\"],\"%s\":{",
        SG_SLICE_ARG(sg_obs_value_bytes(&values[unit])),
        flat ? "observations" : "series");
}

// The key up to time.
static void
put_key(struct bench *b, uint32_t i)
{
    const struct sg_structure *s = b->structure;
    text(b, "\"");
    for (uint32_t d = 0; d < s->dimension_count; d++) {
        struct sg_slice id = s->components[d].id;
        uint32_t index =
            sg_slice_eq(id, SG_SLICE("SERIES"))     ? i / YEARS / SEXES / AREAS
            : sg_slice_eq(id, SG_SLICE("REF_AREA")) ? i / YEARS / SEXES % AREAS
            : sg_slice_eq(id, SG_SLICE("SEX"))      ? i / YEARS % SEXES
                                                    : 0;
        text(b, d > 0 ? ":%u" : "%u", index);
    }
}

static void
put_flat(struct bench *b, const struct sg_value *values, uint32_t i)
{
    int32_t m = b->structure->measure;
    if (i == 0)
        put_structure(b, true, values);
    text(b, i > 0 ? "," : "");
    put_key(b, i);
    text(b, ":%u\":[" SG_SLICE_FMT ",0,0,0]", i % YEARS,
         SG_SLICE_ARG(sg_obs_value_bytes(&values[m])));
}

static void
put_series(struct bench *b, const struct sg_value *values, uint32_t i)
{
    int32_t m = b->structure->measure;
    if (i == 0)
        put_structure(b, false, values);
    if (i % YEARS == 0) {
        text(b, i > 0 ? "}}," : "");
        put_key(b, i);
        text(b, "\":{\"observations\":{");
    }
    text(b, "%s\"%u\":[" SG_SLICE_FMT ",0,0,0]", i % YEARS > 0 ? "," : "",
         i % YEARS, SG_SLICE_ARG(sg_obs_value_bytes(&values[m])));
}

static uint64_t
generate_json(struct bench *b, bool flat)
{
    struct sg_arena *arena = sg_arena_new(1u << 20, 1u << 16);
    struct sg_value *values =
        sg_arena_take(arena, b->structure->component_count * sizeof *values);
    b->len = 0;
    uint64_t count = each(b, values, flat ? put_flat : put_series);
    text(b, flat ? "}}]}}" : "}}}}]}}");
    sg_arena_free(&arena);
    return count;
}

// ---- measuring ---------------------------------------------------------------

enum { PIECE = 1 << 18 };

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

enum how { READ, CHECK, PORTABLE, SORTED };

// Through the reader, and with all but READ through the check.
static double
read_all(struct bench *b, enum how how)
{
    struct sg_arena *arena = sg_arena_new((size_t)1 << 30, 1u << 20);
    const struct sg_check_options checking = {.key = {1, 2},
                                              .sorted = how == SORTED};
    const struct sg_obs_reader_options options = {.xml_salt = 1,
                                                  .portable = how == PORTABLE};
    const struct sg_obs_sink sink = {.context = b,
                                     .structure = on_structure,
                                     .obs = on_obs,
                                     .fault = on_fault};
    b->check = how != READ ? sg_check_new(arena, &checking) : NULL;
    if (how != READ && sg_check_begin(b->check, b->structure) != SG_OK)
        give_up("no memory");
    struct sg_obs_reader *r = sg_obs_reader_new(arena, &sink, &options);
    double start = now();
    for (size_t at = 0; at < b->len; at += PIECE) {
        size_t n = b->len - at < PIECE ? b->len - at : PIECE;
        if (sg_obs_reader_feed(r, sg_slice_of(b->bytes + at, n)) != SG_OK)
            give_up("cannot read");
    }
    if (sg_obs_reader_end(r) != SG_OK ||
        (how != READ && sg_check_end(b->check) != SG_OK))
        give_up("cannot read");
    double took = now() - start;
    if (how != READ && !sg_check_accepts(b->check))
        give_up("the message is at fault");
    b->memory = sg_arena_used(arena);
    sg_obs_reader_fini(r);
    sg_arena_free(&arena);
    return took;
}

static double
read_only(struct bench *b)
{
    return read_all(b, READ);
}

static double
check_fast(struct bench *b)
{
    return read_all(b, CHECK);
}

static double
check_portable(struct bench *b)
{
    return read_all(b, PORTABLE);
}

static double
check_limited(struct bench *b)
{
    const struct sg_structure *plain = b->structure;
    b->structure = b->limited;
    double took = read_all(b, CHECK);
    b->structure = plain;
    return took;
}

static double
copy_all(struct bench *b)
{
    double start = now();
    memcpy(b->copy, b->bytes, b->len);
    __asm__ volatile("" : : "r"(b->copy) : "memory"); // it is wanted
    return now() - start;
}

static double
find_lines(struct bench *b)
{
    double start = now();
    const uint8_t *at = b->bytes, *end = b->bytes + b->len;
    uint64_t lines = 0;
    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        lines++;
        at++;
    }
    __asm__ volatile("" : : "r"(lines));
    return now() - start;
}

// The XML parser alone: no handlers, no namespaces.
static double
parse_xml(struct bench *b)
{
    XML_Parser parser = XML_ParserCreate(NULL);
    if (parser == NULL)
        give_up("no memory");
    XML_SetHashSalt(parser, 1);
    double start = now();
    for (size_t at = 0; at < b->len; at += PIECE) {
        size_t n = b->len - at < PIECE ? b->len - at : PIECE;
        if (XML_Parse(parser, (const char *)b->bytes + at, (int)n,
                      at + n == b->len) != XML_STATUS_OK)
            give_up("cannot parse");
    }
    double took = now() - start;
    XML_ParserFree(parser);
    return took;
}

static int
on_yajl(void *context)
{
    (void)context;
    return 1;
}

static int
on_yajl_text(void *context, const unsigned char *text, size_t len)
{
    (void)context;
    (void)text;
    return len < SIZE_MAX;
}

static int
on_yajl_number(void *context, const char *text, size_t len)
{
    (void)context;
    (void)text;
    return len < SIZE_MAX;
}

// The JSON parser alone: all it has is called back and dropped.
static double
parse_json(struct bench *b)
{
    static const yajl_callbacks calls = {.yajl_null = on_yajl,
                                         .yajl_number = on_yajl_number,
                                         .yajl_string = on_yajl_text,
                                         .yajl_start_map = on_yajl,
                                         .yajl_map_key = on_yajl_text,
                                         .yajl_end_map = on_yajl,
                                         .yajl_start_array = on_yajl,
                                         .yajl_end_array = on_yajl};
    yajl_handle handle = yajl_alloc(&calls, NULL, NULL);
    if (handle == NULL)
        give_up("no memory");
    double start = now();
    for (size_t at = 0; at < b->len; at += PIECE) {
        size_t n = b->len - at < PIECE ? b->len - at : PIECE;
        if (yajl_parse(handle, b->bytes + at, n) != yajl_status_ok)
            give_up("cannot parse");
    }
    if (yajl_complete_parse(handle) != yajl_status_ok)
        give_up("cannot parse");
    double took = now() - start;
    yajl_free(handle);
    return took;
}

struct row {
    const char *what;
    double (*round)(struct bench *b);
    double seconds[ROUNDS];
};

static int
compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

// All rows once, and again: what disturbs the machine disturbs them all.
static void
measure(struct bench *b, struct row *rows, size_t count, uint64_t obs)
{
    b->copy = malloc(b->len);
    if (b->copy == NULL)
        give_up("no memory");
    memset(b->copy, 1, b->len); // maps its pages
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < count; i++)
            rows[i].seconds[round] = rows[i].round(b);
    free(b->copy);
    for (size_t i = 0; i < count; i++) {
        qsort(rows[i].seconds, ROUNDS, sizeof rows[i].seconds[0], compare);
        double s = rows[i].seconds[ROUNDS / 2], best = rows[i].seconds[0];
        printf("%-28s %7.2f M obs/s %6.0f MB/s, best %7.2f M obs/s\n",
               rows[i].what, (double)obs / s / 1e6, (double)b->len / s / 1e6,
               (double)obs / best / 1e6);
    }
}

static void
print_ratio(const char *what, const struct row *of, const struct row *to)
{
    printf("%s: %.3f, of the best %.3f\n", what,
           to->seconds[ROUNDS / 2] / of->seconds[ROUNDS / 2],
           to->seconds[0] / of->seconds[0]);
}

// One region for each series and 13 areas, so that all of the message is allowed
// by one of 640 each; about as many as the draft global SDG constraints have.
enum { AREAS_A_REGION = 13 };

static void
limit(struct bench *b, struct sg_arena *arena)
{
    const struct sg_structure *s = b->structure;
    struct sg_model model = {.arena = arena};
    struct sg_diag diag = {0};
    struct sg_slice blob;
    b->len = 0;
    text(b, "<Structure xmlns='http://www.sdmx.org/resources/sdmxml/schemas/"
            "v2_1/message'><Structures><Constraints><ContentConstraint "
            "agencyID='T' id='K' type='Allowed'><ConstraintAttachment>"
            "<DataStructure><Ref agencyID='STATGATE' id='SDG' version='1.0'/>"
            "</DataStructure></ConstraintAttachment>");
    for (uint32_t i = 0; i < SERIES; i++)
        for (uint32_t at = 0; at < AREAS; at += AREAS_A_REGION) {
            text(b,
                 "<CubeRegion><KeyValue id='SERIES'><Value>" SG_SLICE_FMT
                 "</Value></KeyValue><KeyValue id='REF_AREA'>",
                 SG_SLICE_ARG(code(s, "SERIES", i)));
            for (uint32_t a = at; a < at + AREAS_A_REGION; a++)
                text(b, "<Value>" SG_SLICE_FMT "</Value>",
                     SG_SLICE_ARG(code(s, "REF_AREA", a)));
            text(b, "</KeyValue></CubeRegion>");
        }
    text(b, "</ContentConstraint></Constraints></Structures></Structure>");
    if (fixture_read(&model, sg_slice_of(b->bytes, b->len), &diag) != SG_OK ||
        sg_structure_constrain(s, NULL, &model, false, arena, &blob, &diag) !=
            SG_OK ||
        sg_structure_open(blob, arena, &b->limited) != SG_OK ||
        b->limited->constraint_count != 1)
        give_up(diag.text);
}

static void
bench_csv(struct bench *b)
{
    struct row rows[] = {{"csv check", check_fast, {0}},
                         {"csv read only", read_only, {0}},
                         {"csv check, 640 regions", check_limited, {0}},
                         {"csv check, portable path", check_portable, {0}},
                         {"limit: memchr of line ends", find_lines, {0}},
                         {"limit: memcpy", copy_all, {0}}};
    uint64_t obs = generate(b, SG_MEDIA_CSV10);
    printf("SDMX-CSV 1.0: %llu observations, %zu bytes each\n",
           (unsigned long long)obs, b->len / obs);
    measure(b, rows, SG_COUNT_OF(rows), obs);
    print_ratio("csv check / memchr", &rows[0], &rows[4]);
    print_ratio("csv check of 640 regions / of none", &rows[2], &rows[0]);
    read_all(b, CHECK);
    size_t with = b->memory;
    read_all(b, SORTED);
    printf("duplicate set: %.1f bytes an observation\n",
           (double)(with - b->memory) / (double)obs);
}

static void
bench_ml(struct bench *b)
{
    struct row rows[] = {{"ml check", check_fast, {0}},
                         {"ml read only", read_only, {0}},
                         {"ml check, portable path", check_portable, {0}},
                         {"peer: expat doing nothing", parse_xml, {0}},
                         {"limit: memcpy", copy_all, {0}}};
    uint64_t obs = generate(b, SG_MEDIA_ML21);
    printf("SDMX-ML 2.1: %llu observations, %zu bytes each\n",
           (unsigned long long)obs, b->len / obs);
    measure(b, rows, SG_COUNT_OF(rows), obs);
    print_ratio("ml check / expat", &rows[0], &rows[3]);
}

static void
bench_json(struct bench *b, bool flat)
{
    struct row rows[] = {{"json check", check_fast, {0}},
                         {"json read only", read_only, {0}},
                         {"json check, portable path", check_portable, {0}},
                         {"peer: yajl doing nothing", parse_json, {0}},
                         {"limit: memcpy", copy_all, {0}}};
    uint64_t obs = generate_json(b, flat);
    printf("SDMX-JSON 2.0, %s: %llu observations, %zu bytes each\n",
           flat ? "flat" : "series", (unsigned long long)obs, b->len / obs);
    measure(b, rows, SG_COUNT_OF(rows), obs);
    print_ratio("json check / yajl", &rows[0], &rows[3]);
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
    limit(&b, arena);
    bench_csv(&b);
    bench_ml(&b);
    bench_json(&b, false);
    bench_json(&b, true);
    free(xml);
    free(b.bytes);
    sg_arena_free(&arena);
    return 0;
}
