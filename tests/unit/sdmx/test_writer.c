// What is read, written in another format and read again is the same.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schemas/sdmx/obs_writer.h"
#include "tests/unit/sdmx/complex_fixture.h"
#include "tests/unit/sdmx/obs_fixture.h"

struct output {
    uint8_t *bytes;
    size_t len, cap;
    struct sg_obs_writer *writer;
};

static enum sg_err
on_write(void *context, struct sg_slice bytes)
{
    struct output *o = context;
    if (o->len + bytes.len > o->cap) {
        o->cap = 2 * (o->len + bytes.len);
        o->bytes = realloc(o->bytes, o->cap);
    }
    memcpy(o->bytes + o->len, bytes.ptr, bytes.len);
    o->len += bytes.len;
    return SG_OK;
}

static enum sg_err
on_row(void *context, const struct sg_obs *obs, struct sg_slice bytes)
{
    struct output *o = context;
    (void)bytes;
    return sg_obs_writer_put(o->writer, obs);
}

// The canonical rows of f in a format; *refused names what does not go.
static enum sg_err
write_as(const struct obs_fixture *f, enum sg_media media, uint8_t delimiter,
         struct output *o, char refused[64])
{
    struct sg_arena *arena = sg_arena_new(1u << 28, 1u << 16);
    const struct sg_obs_writer_options options = {
        .media = media,
        .delimiter = delimiter,
        .ref = {SG_OBS_REF_DATAFLOW, SG_SLICE("T"), SG_SLICE("FLOW"),
                SG_SLICE("1.0")}};
    const struct sg_canonical_out out = {o, on_write};
    const struct sg_canonical_sink sink = {.context = o, .row = on_row};
    struct sg_canonical_reader *r =
        sg_canonical_reader_new(arena, f->structure, &sink);
    o->writer = sg_obs_writer_new(arena, f->structure, &options, &out);
    enum sg_err err =
        sg_canonical_reader_feed(r, sg_slice_of(f->bytes, f->len));
    if (err == SG_OK)
        err = sg_canonical_reader_end(r);
    if (err == SG_OK)
        err = sg_obs_writer_end(o->writer);
    const struct sg_fault *fault = sg_obs_writer_refused(o->writer);
    snprintf(refused, 64, "%.*s", SG_SLICE_ARG(fault->component));
    sg_arena_free(&arena);
    return err;
}

static void
comes_back_in(struct obs_fixture *f, enum sg_media media, uint8_t delimiter,
              const char *name)
{
    struct output o = {0};
    char refused[64];
    uint8_t *before = malloc(f->len);
    size_t len = f->len;
    memcpy(before, f->bytes, len);
    enum sg_err err = write_as(f, media, delimiter, &o, refused);
    if (err != SG_OK)
        fail_msg("%s as %s: %s %s", name, sg_obs_media_name(media),
                 sg_err_code(err), refused);
    assert_int_equal(
        obs_fixture_run(f, sg_slice_of(o.bytes, o.len), 65536, false), SG_OK);
    if (f->len != len || memcmp(f->bytes, before, len) != 0)
        fail_msg("%s as %s comes back changed; faults\n%s\n%.*s", name,
                 sg_obs_media_name(media), f->text,
                 (int)(o.len < 3000 ? o.len : 3000), (const char *)o.bytes);
    free(before);
    free(o.bytes);
}

#define V2                                                                     \
    "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,AREA,TIME_PERIOD,OBS_VALUE,"           \
    "STATUS,UNIT,TITLE,SOURCE,NOTE\n"
#define F "dataflow,T:FLOW(1.0),"

static void
rows_come_back_from_every_format(void **state)
{
    static const struct {
        const char *csv;
        bool plain; // CSV 1.0 can carry it
        bool keyed; // each row has its whole key: so can SDMX-JSON
    } cases[] = {
        {"", true, true},
        {F "I,A,KE,2020,1,N,PT,,,\n", true, true},
        {F "I,A,KE,2020,1,N,\"a,\"\"b\"\"\r\n\tc&<>'\",,,=1+1\n", true, true},
        {F "I,A,KE,2020,1,N,PT,T,S,x\n" F "I,A,KE,2021,,N,PT,T,S,y\n" F
           "I,A,UG,2020,3,N,PT,U,S,\n" F "I,Q,KE,2020-Q1,1,N,PT,T,S,\n",
         true, true},
        {F "I,,KE,,,,,T,,\n" F "I,A,TZ,,,,PT,,,\n" F "I,,,,,,,,S,\n" F
           "I,A,UG,2020,1,N,PT,,,\n",
         true, false},
        {F "I,A,UG,,,,,T,,\n", true, false},
        {F "I,A,KE,2020,1,N,PT,,,\n" F "I,A,KE,2021,1,N,,,,\n" F
           "I,A,KE,2022,1,N,NR,,,\n" F "I,A,KE,2023,1,N,NR,,Z,\n",
         true, true},
        {F "I,A,KE,2020,1,N,PT,,,\n" F "R,A,KE,2020,2,N,PT,,,\n" F
           "D,A,KE,2020,-,,,,,\n" F "D,A,,,,,,,,\n" F "I,A,KE,2020,1,N,,,,\n",
         false, false},
        {F "I,A,KE,2020,1,N,PT,,,\n" F "R,A,KE,2020,2,N,PT,,,\n" F
           "R,A,UG,2021-Q1,-0.5e3,N,\"\\u\",,,\n" F "I,A,TZ,2020,NaN,N,PT,,,\n",
         false, true},
        {F "I,A,KE,2020, 1.50 ,N,\xc3\xa9\xf0\x9f\x98\x80,,,\n", true, true},
    };
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        char csv[2048];
        snprintf(csv, sizeof csv, "%s%s", V2, cases[i].csv);
        assert_int_equal(obs_fixture_run(f, sg_slice_text(csv), 4096, false),
                         SG_OK);
        comes_back_in(f, SG_MEDIA_CSV21, ',', cases[i].csv);
        comes_back_in(f, SG_MEDIA_CSV20, ';', cases[i].csv);
        comes_back_in(f, SG_MEDIA_ML21, 0, cases[i].csv);
        comes_back_in(f, SG_MEDIA_ML30, 0, cases[i].csv);
        if (cases[i].plain)
            comes_back_in(f, SG_MEDIA_CSV10, ',', cases[i].csv);
        if (cases[i].keyed) {
            comes_back_in(f, SG_MEDIA_JSON20, 0, cases[i].csv);
            comes_back_in(f, SG_MEDIA_JSON21, 0, cases[i].csv);
        }
    }
    obs_fixture_free(f);
}

// Several values and languages, at each level that can have them.
static void
lists_come_back_from_the_formats_that_have_them(void **state)
{
    static const char dsd[] =
        COMPLEX_DSD(COMPLEX_MANY COMPLEX_TEXT, COMPLEX_ONE COMPLEX_WORDS);
    static const char head[] =
        "STRUCTURE[;],STRUCTURE_ID,ACTION,FREQ,AREA,TIME_PERIOD,OBS_VALUE,"
        "STATUS[],UNIT[],\"TITLE[en;fr]\",\"SOURCE[en;fr]\","
        "\"NOTE[][en;fr]\"\n";
    static const char *const rows[] = {
        F "I,A,KE,2020,1,N,PT,,,\n" F "I,A,KE,2021,2,E;N,PT,,,\n",
        F "I,A,KE,2020,1,N,PT;IX,,,\n" F "I,A,KE,2021,2,N,PT;IX,,,\n" F
          "I,A,UG,2021,2,N,PT,,,\n",
        F "I,A,KE,2020,1,N,PT,en:T & <t>;fr:T\xc3\xa9,en: S ,\n" F
          "I,A,KE,2021,2,N,PT,en:T & <t>;fr:T\xc3\xa9,en: S ,\n" F
          "I,A,UG,2021,2,N,PT,fr:U,en: S ,\n",
        F "I,A,KE,2020,1,N,PT,,,\"\"\"en:V1;fr:V1\"\";\"\"en:V2\"\"\"\n" F
          "I,A,KE,2021,2,N,PT,,,\"\"\"fr:V\"\"\"\n",
        F "I,,KE,,,,,en:T,,\n" F "I,A,UG,,,,PT;IX,,,\n" F "I,,,,,,,,fr:S,\n" F
          "I,A,UG,2020,1,N,PT;IX,,fr:S,\n",
    };
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(dsd));
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        char csv[2048];
        snprintf(csv, sizeof csv, "%s%s", head, rows[i]);
        assert_int_equal(obs_fixture_run(f, sg_slice_text(csv), 4096, false),
                         SG_OK);
        assert_string_equal(f->text, "");
        assert_true(f->rows >= 2);
        comes_back_in(f, SG_MEDIA_CSV21, ',', rows[i]);
        comes_back_in(f, SG_MEDIA_ML30, 0, rows[i]);
        if (i + 1 < SG_COUNT_OF(rows)) // the last ones have no whole key
            comes_back_in(f, SG_MEDIA_JSON21, 0, rows[i]);
    }
    obs_fixture_free(f);
}

static void
what_a_format_cannot_carry_is_refused_by_name(void **state)
{
    static const struct {
        const char *csv;
        enum sg_media media;
        const char *component;
    } cases[] = {
        {F "D,A,KE,2020,-,,,,,\n", SG_MEDIA_CSV10, ""},
        {F "I,A,~,,,,,,S,\n", SG_MEDIA_CSV10, "AREA"},
        {F "I,A,~,,,,,,S,\n", SG_MEDIA_ML21, "AREA"},
        {F "I,A,~,,,,,,S,\n", SG_MEDIA_ML30, "AREA"},
        {F "I,A,KE,,,,PT,,,\n", SG_MEDIA_JSON21, "TIME_PERIOD"},
        {F "I,A,~,2020,,,,,S,\n", SG_MEDIA_JSON21, "AREA"},
        {F "I,A,KE,2020,1,N,\x01,,,\n", SG_MEDIA_ML21, "UNIT"},
        {F "I,A,KE,2020,1,N,\xef\xbf\xbf,,,\n", SG_MEDIA_ML21, "UNIT"},
        {F "I,A,,2020,1,N,PT,,,\n", SG_MEDIA_ML21, "TIME_PERIOD"},
        {F "I,A,KE,,,,,,,\n", SG_MEDIA_ML21, "FREQ"},
    };
    struct obs_fixture *f = obs_fixture_new(SG_SLICE(obs_fixture_dsd));
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        char csv[2048], refused[64];
        struct output o = {0};
        snprintf(csv, sizeof csv, "%s%s", V2, cases[i].csv);
        assert_int_equal(obs_fixture_run(f, sg_slice_text(csv), 4096, false),
                         SG_OK);
        assert_int_equal(write_as(f, cases[i].media, 0, &o, refused),
                         SG_ERR_UNSUPPORTED);
        assert_string_equal(refused, cases[i].component);
        free(o.bytes);
    }
    obs_fixture_free(f);
}

// Real data: what is accepted comes back, in every format.
static void
real_messages_come_back_from_every_format(void **state)
{
    static const char *const files[][2] = {
        {"structures/IAEG-SDGs_SDG_1.4.xml", "mutations/base_valid.csv10.csv"},
        {"structures/IAEG-SDGs_SDG_1.4.xml", "mutations/base_valid.csv20.csv"},
        {"structures/IAEG-SDGs_SDG_1.4.xml", "mutations/base_valid.ss21.xml"},
        {"structures/IAEG-SDGs_SDG_1.4.xml",
         "mutations/quoted_newline.csv10.csv"},
        {"structures/IAEG-SDGs_SDG_1.4.xml", "mutations/labels_both.csv10.csv"},
        {"structures/IAEG-SDGs_SDG_1.4.xml",
         "mutations/series_attr_conflict.csv10.csv"},
        {"structures/NISR-SDGs_SDG_1.3.xml",
         "national_sdg/2025_RWA-SDG_Data.xml"},
        {"structures/KG_NSC_SDG_1.7.xml", "national_sdg/kg/8.8.1.xml"},
        {"structures/KG_NSC_SDG_1.7.xml", "national_sdg/kg/13.1.1.xml"},
    };
    static const enum sg_media media[] = {SG_MEDIA_CSV10,  SG_MEDIA_CSV21,
                                          SG_MEDIA_ML21,   SG_MEDIA_ML30,
                                          SG_MEDIA_JSON20, SG_MEDIA_JSON21};
    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(files); i++) {
        struct sg_slice dsd = obs_fixture_shared(files[i][0]);
        struct sg_slice data = obs_fixture_shared(files[i][1]);
        if (dsd.ptr == NULL || data.ptr == NULL) {
            print_message("skipped: needs ../shared\n");
            skip();
        }
        struct obs_fixture *f = obs_fixture_new(dsd);
        assert_int_equal(obs_fixture_run(f, data, 30000, true), SG_OK);
        uint8_t *plain = malloc(f->len);
        size_t len = f->len;
        memcpy(plain, f->bytes, len);
        assert_int_equal(obs_fixture_run(f, data, 50000, false), SG_OK);
        assert_int_equal(f->len, len);
        assert_memory_equal(f->bytes, plain, len);
        free(plain);
        for (size_t m = 0; m < SG_COUNT_OF(media); m++)
            comes_back_in(f, media[m], 0, files[i][1]);
        obs_fixture_free(f);
        obs_fixture_drop(dsd);
        obs_fixture_drop(data);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_from_every_format),
        cmocka_unit_test(lists_come_back_from_the_formats_that_have_them),
        cmocka_unit_test(what_a_format_cannot_carry_is_refused_by_name),
        cmocka_unit_test(real_messages_come_back_from_every_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
