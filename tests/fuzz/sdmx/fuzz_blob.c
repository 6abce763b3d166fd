// Compiled structures: a good one with bytes changed, or any bytes. Either it
// is refused whole, or every part of it can be looked at.
//
// Input: "B" and the blob itself, else changes of four bytes each: where (two
// bytes, big endian, and one more so that all of it is reached), and what.
#include "broker/base/crypto.h"
#include "schemas/sdmx/structure_compile.h"
#include "tests/fuzz/proof/seed.h"
#include "tests/fuzz/sdmx/constraints.h"
#include "tests/unit/sdmx/obs_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look_at_codes(const struct sg_structure *s, uint32_t list)
{
    struct sg_slice type, text;

    for (uint32_t i = 0; i < s->lists[list].count; i++) {
        struct sg_slice code = sg_structure_code_text(s, list, i);
        uint32_t at = 0;
        (void)sg_structure_list_code(s, &s->lists[list], code);
        (void)sg_structure_code_name(s, list, i, SG_SLICE("en"));
        (void)sg_structure_code_note(s, list, i, SG_SLICE("Indicator"));
        SG_ASSERT(sg_structure_code_parent(s, list, i) <
                  (int32_t)s->lists[list].count);
        while (sg_structure_code_annotation(s, list, i, &at, &type, &text))
            SG_ASSERT(type.len <= s->texts_len && text.len <= s->texts_len);
        (void)sg_structure_nearest(s, list, code);
    }
}

static void
look_at_constraint(const struct sg_structure *s, const struct sg_constraint *c)
{
    size_t sum = 0;

    for (uint32_t p = 0; p < c->parts; p++) {
        struct sg_constraint_part part = sg_structure_constraint_part(s, c, p);
        for (uint32_t v = 0; v < part.count; v++) {
            struct sg_constraint_values values =
                sg_structure_constraint_values(s, &part, v);
            for (uint32_t i = 0; i < values.count; i++)
                sum += sg_structure_constraint_value(s, &values, i).len;
        }
    }
    SG_ASSERT(sum < SIZE_MAX);
}

static void
look(const struct sg_structure *s)
{
    uint8_t sha256[32];

    sg_structure_sha256(s, sha256);
    SG_ASSERT(s->dimension_count <= s->component_count);
    for (uint32_t i = 0; i < s->component_count; i++) {
        const struct sg_component *c = &s->components[i];
        SG_ASSERT(c->list < (int32_t)s->list_count);
        SG_ASSERT(c->group < (int32_t)s->group_count);
        (void)sg_structure_find(s, c->id);
        if (c->list >= 0)
            (void)sg_structure_code(s, i, SG_SLICE("KE"));
    }
    for (uint32_t l = 0; l < s->list_count; l++)
        look_at_codes(s, l);
    for (uint32_t c = 0; c < s->constraint_count; c++)
        look_at_constraint(s, &s->constraints[c]);
}

static struct obs_fixture *
with_constraint(void)
{
    static const char constraint[] =
        "<s:Constraints><s:ContentConstraint agencyID='T' id='K' "
        "version='1.0' type='Allowed'><s:ConstraintAttachment>"
        "<s:DataStructure><Ref agencyID='T' id='DSD' version='1.0'/>"
        "</s:DataStructure></s:ConstraintAttachment><s:CubeRegion>"
        "<c:KeyValue id='AREA'><c:Value cascadeValues='true'>KE</c:Value>"
        "<c:Value>UG</c:Value></c:KeyValue><c:KeyValue id='TIME_PERIOD'>"
        "<c:TimeRange><c:StartPeriod>2000</c:StartPeriod></c:TimeRange>"
        "</c:KeyValue></s:CubeRegion><s:DataKeySet isIncluded='false'><s:Key>"
        "<c:KeyValue id='UNIT'><c:Value>NR</c:Value></c:KeyValue></s:Key>"
        "</s:DataKeySet></s:ContentConstraint></s:Constraints>";
    static char xml[16384];
    const char *end = strstr(obs_fixture_dsd, "</m:Structures>");
    int len =
        snprintf(xml, sizeof xml, "%.*s%s%s", (int)(end - obs_fixture_dsd),
                 obs_fixture_dsd, constraint, end);
    SG_ASSERT(len > 0 && (size_t)len < sizeof xml);
    return obs_fixture_new(sg_slice_text(xml));
}

static void
fuzz(struct sg_slice all)
{
    static struct obs_fixture *f;
    const struct sg_structure *s;

    if (f == NULL)
        f = with_constraint();
    struct sg_slice good = f->structure->blob;
    struct sg_arena *arena = sg_arena_new(8u << 20, 1u << 16);
    SG_ASSERT(arena != NULL);
    bool whole = all.len > 0 && all.ptr[0] == 'B';
    size_t len = whole ? all.len - 1 : good.len;
    uint8_t *blob = malloc(len + 8);
    SG_ASSERT(blob != NULL);
    memcpy(blob, whole ? all.ptr + 1 : good.ptr, len);
    for (size_t i = 0; !whole && i + 4 <= all.len; i += 4)
        blob[((size_t)all.ptr[i] << 16 | (size_t)all.ptr[i + 1] << 8 |
              all.ptr[i + 2]) %
             len] = all.ptr[i + 3];
    if (sg_structure_open(sg_slice_of(blob, len), arena, &s) == SG_OK) {
        struct sg_slice again;
        look(s);
        constraints_check(s, arena);
        (void)constraints_again(s, arena, &again);
    }
    free(blob);
    sg_arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *made;

    SG_ASSERT(sg_crypto_start() == SG_OK);
    fuzz(seed_bytes(data, size, &made));
    free(made);
    return 0;
}
