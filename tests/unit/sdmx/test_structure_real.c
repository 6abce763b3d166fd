// Structures that offices and agencies really publish.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/sdmx/structure_fixture.h"

static const char *
shared(void)
{
    const char *dir = getenv("SG_SHARED");
    return dir != NULL ? dir : "../shared";
}

// The file's bytes, to be freed; ptr NULL: it is not there.
static struct sg_slice
load(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/data/sdmx/%s", shared(), name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return (struct sg_slice){0};
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long len = ftell(file);
    assert_true(len >= 0);
    rewind(file);
    char *bytes = malloc((size_t)len + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)len, file), len);
    (void)fclose(file);
    return sg_slice_of(bytes, (size_t)len);
}

static void
drop(struct sg_slice bytes)
{
    free((void *)(uintptr_t)bytes.ptr);
}

static void
need_shared(void)
{
    struct sg_slice index = load("INDEX.csv");
    bool there = index.ptr != NULL;
    drop(index);
    if (there)
        return;
    print_message("skipped: needs ../shared\n");
    skip();
}

static uint32_t
count_of(const struct sg_structure *s, const char *component)
{
    int32_t at = sg_structure_find(s, sg_slice_text(component));
    assert_true(at >= 0 && s->components[at].list >= 0);
    return s->lists[s->components[at].list].count;
}

static void
the_sdg_structures_of_the_world_and_of_countries_import(void **state)
{
    (void)state;
    need_shared();
    // Counts of sdmx-facts 2, and of the national files counted by hand.
    static const struct {
        const char *file;
        uint32_t series, areas;
    } cases[] = {
        {"structures/IAEG-SDGs_SDG_1.4.xml", 623, 619},
        {"structures/KG_NSC_SDG_1.7.xml", 0, 0},
        {"structures/NISR-SDGs_SDG_1.3.xml", 0, 0},
    };
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        struct sg_arena *arena = sg_arena_new(FIXTURE_ARENA, 1u << 20);
        struct sg_slice xml = load(cases[i].file);
        const struct sg_structure *s;
        struct sg_diag diag = {0};
        if (fixture_open(arena, xml, &s, &diag) != SG_OK)
            fail_msg("%s:%u: %s", cases[i].file, diag.line, diag.text);
        assert_int_equal(s->component_count, 33);
        assert_int_equal(s->dimension_count, 15);
        assert_int_equal(s->time, 15);
        assert_int_equal(s->measure, 16);
        if (cases[i].series != 0) {
            assert_int_equal(count_of(s, "SERIES"), cases[i].series);
            assert_int_equal(count_of(s, "REF_AREA"), cases[i].areas);
            uint32_t list = (uint32_t)s->components[2].list;
            int32_t poverty = sg_structure_code(s, 2, SG_SLICE("SI_POV_DAY1"));
            assert_true(poverty >= 0);
            assert_true(
                sg_slice_eq(sg_structure_code_note(s, list, (uint32_t)poverty,
                                                   SG_SLICE("Indicator")),
                            SG_SLICE("1.1.1")));
        }
        drop(xml);
        sg_arena_free(&arena);
    }
}

static void
what_people_wrongly_wrote_gets_the_right_hint(void **state)
{
    (void)state;
    need_shared();
    static const char *const cases[][3] = {
        {"UNIT_MEASURE", "PERCENT", "PT"},
        {"REF_AREA", "tajikistan", "762"},
        {"SERIES", "si_pov_day1", "SI_POV_DAY1"},
        {"SERIES", "SI_POV_DAY11", "SI_POV_DAY1"},
        {"SEX", "female", "F"},
    };
    struct sg_arena *arena = sg_arena_new(FIXTURE_ARENA, 1u << 20);
    struct sg_slice xml = load("structures/IAEG-SDGs_SDG_1.4.xml");
    const struct sg_structure *s;
    struct sg_diag diag;
    assert_int_equal(fixture_open(arena, xml, &s, &diag), SG_OK);
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        int32_t c = sg_structure_find(s, sg_slice_text(cases[i][0]));
        assert_true(c >= 0);
        uint32_t list = (uint32_t)s->components[c].list;
        int32_t got = sg_structure_nearest(s, list, sg_slice_text(cases[i][1]));
        assert_true(got >= 0);
        assert_true(sg_slice_eq(sg_structure_code_text(s, list, (uint32_t)got),
                                sg_slice_text(cases[i][2])));
    }
    drop(xml);
    sg_arena_free(&arena);
}

// Reads one file; every structure in it compiles and opens, or is refused
// with a line and a sentence.
static void
import_or_refuse(const char *name, uint32_t *compiled, uint32_t *refused)
{
    struct sg_slice xml = load(name);
    if (xml.ptr == NULL)
        return;
    struct sg_arena *arena = sg_arena_new(FIXTURE_ARENA, 1u << 20);
    struct sg_model model = {.arena = arena};
    struct sg_diag diag = {0};
    enum sg_err err = fixture_read(&model, xml, &diag);
    if (err != SG_OK)
        fail_msg("%s:%u: %s", name, diag.line, diag.text);
    for (struct sg_model_dsd *at = model.dsds; at != NULL; at = at->next) {
        struct sg_slice blob;
        const struct sg_structure *s;
        diag = (struct sg_diag){0};
        if (at->stub)
            continue;
        err = sg_structure_compile(&model, at, arena, &blob, &diag);
        if (err == SG_OK) {
            assert_int_equal(sg_structure_open(blob, arena, &s), SG_OK);
            (*compiled)++;
        } else {
            assert_int_equal(err, SG_ERR_NOT_FOUND);
            assert_true(diag.line > 0 && strlen(diag.text) > 20);
            (*refused)++;
        }
    }
    drop(xml);
    sg_arena_free(&arena);
}

static void
every_real_structure_message_imports_or_says_what_it_lacks(void **state)
{
    (void)state;
    need_shared();
    struct sg_slice index = load("INDEX.csv");
    uint32_t files = 0;
    uint32_t compiled = 0;
    uint32_t refused = 0;
    char *text = (char *)(uintptr_t)index.ptr;
    text[index.len] = '\0';
    char *next = text;
    for (char *line = text; line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        char *kind = strstr(line, ",SDMX-ML Structure,2.1,");
        char *name = strchr(line, ',');
        if (kind == NULL || name == NULL)
            continue;
        name++;
        char *end = strchr(name, ',');
        assert_non_null(end);
        *end = '\0';
        import_or_refuse(name, &compiled, &refused);
        files++;
    }
    drop(index);
    print_message("%u files: %u structures, %u refused\n", files, compiled,
                  refused);
    assert_true(files >= 60);
    assert_true(compiled >= 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            the_sdg_structures_of_the_world_and_of_countries_import),
        cmocka_unit_test(what_people_wrongly_wrote_gets_the_right_hint),
        cmocka_unit_test(
            every_real_structure_message_imports_or_says_what_it_lacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
