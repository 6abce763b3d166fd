// What structure_store.h promises, and the structures that are shipped.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "adapters/cli/structure_store.h"
#include "broker/base/crypto.h"
#include "broker/base/encode.h"
#include "broker/os/file.h"
#include "schemas/sdmx/structure_compile.h"

#define SHIPPED "schemas/sdg" // the tests run at the top of the source tree
#define S(text) SG_SLICE(text)

struct fixture {
    char home[64];
    struct sg_arena *arena;
    struct sg_structure_store *store;
    struct sg_diag diag;
};

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)snprintf(f->home, sizeof f->home, "/tmp/sg-store-XXXXXX");
    assert_non_null(mkdtemp(f->home));
    f->arena = sg_arena_new(256u << 20, 1u << 20);
    assert_non_null(f->arena);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    sg_structure_store_close(&f->store);
    sg_arena_free(&f->arena);
    assert_int_equal(sg_os_file_remove_tree(f->home), SG_OK);
    free(f);
    return 0;
}

static enum sg_err
find(struct fixture *f, const char *name, const struct sg_structure **s)
{
    f->diag = (struct sg_diag){0};
    return sg_structure_store_find(f->store, SG_STORE_ANY, sg_slice_text(name),
                                   f->arena, s, &f->diag);
}

// Imports a file as the verb does.
static enum sg_err
import(struct fixture *f, const char *path, bool replace)
{
    struct sg_model model = {.arena = f->arena};
    uint8_t source[32];
    struct sg_slice blob;
    const struct sg_structure *s;
    if (sg_structure_store_read(path, &model, source, &f->diag) != SG_OK)
        fail_msg("%s:%u: %s", path, f->diag.line, f->diag.text);
    if (sg_structure_compile(&model, model.dsds, f->arena, &blob, &f->diag) !=
        SG_OK)
        fail_msg("%s:%u: %s", path, f->diag.line, f->diag.text);
    assert_int_equal(sg_structure_open(blob, f->arena, &s), SG_OK);
    enum sg_err err = sg_structure_store_add(f->store, s, replace, &f->diag);
    if (err != SG_OK)
        return err;
    assert_int_equal(sg_structure_store_add_model(f->store, &model), SG_OK);
    return sg_structure_store_save(f->store);
}

static void
shipped_structures_are_found_by_every_name(void **state)
{
    static const char *const names[] = {
        "STATGATE:SDG(1.0)",
        "STATGATE:SDG",
        "STATGATE:DF_SDG(1.0)",
        "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure="
        "STATGATE:SDG(1.0)",
        "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow="
        "STATGATE:DF_SDG(1.0)",
    };
    struct fixture *f = *state;
    const struct sg_structure *s;
    assert_int_equal(sg_structure_store_open(f->home, SHIPPED, &f->store),
                     SG_OK);
    for (size_t i = 0; i < SG_COUNT_OF(names); i++) {
        assert_int_equal(find(f, names[i], &s), SG_OK);
        assert_true(sg_slice_eq(s->id, S("SDG")));
    }
    assert_int_equal(find(f, "STATGATE:SDG(9.9)", &s), SG_ERR_NOT_FOUND);
    assert_int_equal(find(f, "SDG", &s), SG_ERR_SYNTAX);
    assert_true(strlen(f->diag.text) > 20);
    assert_int_equal(sg_structure_store_find(f->store, SG_STORE_FLOW,
                                             S("STATGATE:SDG(1.0)"), f->arena,
                                             &s, &f->diag),
                     SG_ERR_NOT_FOUND);
}

// The facts of sdmx-facts 2, and what is promised of the shipped part.
static void
the_shipped_structure_has_the_parts_of_the_sdg_structure(void **state)
{
    struct fixture *f = *state;
    const struct sg_structure *s;
    assert_int_equal(sg_structure_store_open(f->home, SHIPPED, &f->store),
                     SG_OK);
    assert_int_equal(find(f, "STATGATE:SDG(1.0)", &s), SG_OK);
    assert_int_equal(s->dimension_count, 15);
    assert_int_equal(s->time, 15);
    assert_int_equal(s->component_count, 15 + 1 + 1 + 16);
    uint32_t mandatory = 0;
    for (uint32_t i = 17; i < s->component_count; i++)
        mandatory += s->components[i].mandatory;
    assert_int_equal(mandatory, 3);
    uint32_t series = (uint32_t)s->components[2].list;
    uint32_t area = (uint32_t)s->components[3].list;
    bool goals[18] = {false};
    uint32_t goal_count = 0;
    for (uint32_t i = 0; i < s->lists[series].count; i++) {
        struct sg_slice note =
            sg_structure_code_note(s, series, i, S("Indicator"));
        long goal = strtol((const char *)note.ptr, NULL, 10);
        assert_in_range(goal, 1, 17);
        goal_count += !goals[goal];
        goals[goal] = true;
    }
    assert_true(s->lists[series].count >= 60);
    assert_true(goal_count >= 12);
    uint32_t countries = 0;
    for (uint32_t i = 0; i < s->lists[area].count; i++)
        countries +=
            sg_structure_code_note(s, area, i, S("ISO3166-1-alpha-2")).len == 2;
    assert_int_equal(countries, 249);
    int32_t kenya = sg_structure_nearest(s, area, S("ke"));
    assert_true(kenya >= 0);
    assert_true(sg_slice_eq(sg_structure_code_text(s, area, (uint32_t)kenya),
                            S("404")));
}

static void
what_was_imported_is_found_again_and_goes_before_shipped(void **state)
{
    struct fixture *f = *state;
    const struct sg_structure *s;
    assert_int_equal(sg_structure_store_open_to_add(f->home, &f->store), SG_OK);
    struct sg_structure_store *second = NULL;
    assert_int_equal(sg_structure_store_open_to_add(f->home, &second),
                     SG_ERR_BUSY);
    assert_int_equal(import(f, SHIPPED "/national_example.xml", false), SG_OK);
    sg_structure_store_close(&f->store);
    assert_int_equal(sg_structure_store_open(f->home, SHIPPED, &f->store),
                     SG_OK);
    const struct sg_store_entry *first = sg_structure_store_entries(f->store);
    assert_int_equal(first->kind, SG_STORE_STRUCTURE);
    assert_false(first->shipped);
    assert_int_equal(find(f, "EXAMPLE_KG:DF_SDG(1.0)", &s), SG_OK);
    uint8_t sha256[32];
    sg_structure_sha256(s, sha256);
    assert_memory_equal(sha256, first->sha256, 32);
    assert_memory_equal(s->source_sha256, first->source_sha256, 32);
}

static void
another_content_under_a_known_version_is_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t *bytes = NULL;
    size_t len = 0;
    char path[SG_OS_PATH];
    assert_int_equal(sg_structure_store_open_to_add(f->home, &f->store), SG_OK);
    assert_int_equal(import(f, SHIPPED "/national_example.xml", false), SG_OK);
    assert_int_equal(import(f, SHIPPED "/national_example.xml", false), SG_OK);
    assert_int_equal(sg_os_file_read(SHIPPED "/national_example.xml", 1u << 20,
                                     &bytes, &len),
                     SG_OK);
    char *code = strstr((char *)bytes, "<str:Code id=\"KG21\"");
    assert_non_null(code);
    code[strlen("<str:Code id=\"KG2")] = '9';
    assert_true(sg_os_file_path(path, "%s/edited.xml", f->home));
    assert_int_equal(sg_os_file_replace(path, sg_slice_of(bytes, len), false),
                     SG_OK);
    free(bytes);
    assert_int_equal(import(f, path, false), SG_ERR_EXISTS);
    assert_int_equal(import(f, path, true), SG_OK);
}

static void
a_changed_file_is_never_used(void **state)
{
    struct fixture *f = *state;
    const struct sg_structure *s;
    char path[SG_OS_PATH];
    char hex[65];
    assert_int_equal(sg_structure_store_open_to_add(f->home, &f->store), SG_OK);
    assert_int_equal(import(f, SHIPPED "/national_example.xml", false), SG_OK);
    sg_encode_hex(sg_structure_store_entries(f->store)->sha256, 32, hex);
    assert_int_equal(find(f, "EXAMPLE_KG:SDG(1.0)", &s), SG_OK);
    assert_true(sg_os_file_path(path, "%s/structures/%s", f->home, hex));
    assert_int_equal(sg_os_file_replace(path, S("SGSTRUCT"), false), SG_OK);
    assert_int_equal(find(f, "EXAMPLE_KG:SDG(1.0)", &s), SG_ERR_CORRUPT);
    assert_true(strlen(f->diag.text) > 20);
}

static void
a_damaged_index_is_refused(void **state)
{
    static const char *const damaged[] = {
        "structure",    "structure\tA\tB\t1.0\n",
        "nothing\ta\n", "dataflow\tA\tB\n",
        "\n",           "structure\tA\tB\t1.0\t\t\t\t\t\tzz\tzz\n",
    };
    struct fixture *f = *state;
    char path[SG_OS_PATH];
    assert_true(sg_os_file_path(path, "%s/structures", f->home));
    assert_int_equal(sg_os_file_make_dirs(path), SG_OK);
    assert_true(sg_os_file_path(path, "%s/structures/index", f->home));
    for (size_t i = 0; i < SG_COUNT_OF(damaged); i++) {
        assert_int_equal(
            sg_os_file_replace(path, sg_slice_text(damaged[i]), false), SG_OK);
        assert_int_equal(sg_structure_store_open(f->home, "", &f->store),
                         SG_ERR_FORMAT);
        assert_null(f->store);
    }
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(shipped_structures_are_found_by_every_name),
        T(the_shipped_structure_has_the_parts_of_the_sdg_structure),
        T(what_was_imported_is_found_again_and_goes_before_shipped),
        T(another_content_under_a_known_version_is_refused),
        T(a_changed_file_is_never_used),
        T(a_damaged_index_is_refused),
    };
    if (sg_crypto_start() != SG_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
