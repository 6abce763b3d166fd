#include "broker/inspect/worker/rows.h"

#include "broker/base/limits.h"
#include "schemas/vocabulary/vocabulary.h"

enum sg_err
sg_rows_read(struct sg_role_item *item, const Sgpb__SealedInput *from, int fd,
             uint64_t *at, const struct sg_canonical_sink *sink)
{
    struct sg_sealed_in in;
    struct sg_slice plain;
    struct sg_canonical_reader *reader =
        sg_canonical_reader_new(item->of->scratch, item->of->structure, sink);

    if (reader == NULL)
        return SG_ERR_FULL;
    enum sg_err err = sg_sealed_in_open(&in, from, fd, at, item->of->scratch);
    while (err == SG_OK) {
        if ((err = sg_sealed_in_next(&in, &plain)) != SG_OK || plain.len == 0)
            break;
        err = sg_canonical_reader_feed(reader, plain);
    }
    sg_sealed_in_close(&in);
    return err == SG_OK ? sg_canonical_reader_end(reader) : err;
}

static bool
names_structure(const struct sg_structure *s, const struct sg_obs_ref *ref)
{
    if (ref->kind == SG_OBS_REF_DATASTRUCTURE)
        return sg_slice_eq(ref->agency, s->agency) &&
               sg_slice_eq(ref->id, s->id);
    for (uint32_t i = 0; i < s->flow_count; i++) {
        if (sg_slice_eq(ref->agency, s->flows[i].agency) &&
            sg_slice_eq(ref->id, s->flows[i].id))
            return true;
    }
    return false;
}

static bool
names_flow(const char *dataflow, const struct sg_obs_ref *ref)
{
    struct sg_obs_ref flow;
    const char *at = strchr(dataflow, '='); // of a URN

    return sg_obs_ref_parse(sg_slice_text(at == NULL ? dataflow : at + 1),
                            &flow) &&
           sg_slice_eq(ref->agency, flow.agency) &&
           sg_slice_eq(ref->id, flow.id);
}

bool
sg_rows_named(const struct sg_role_job *of, const struct sg_obs_ref *ref)
{
    return names_structure(of->structure, ref) ||
           (of->job->terms != NULL &&
            names_flow(of->job->terms->dataflow, ref));
}

// ---- content root --------------------------------------------------------------

enum sg_err
sg_rows_root_begin(struct sg_rows_root *root, const struct sg_secret *secret,
                   struct sg_arena *arena)
{
    root->parts =
        sg_arena_take(arena, SG_LIMIT_ACTION_PARTS * sizeof *root->parts);
    if (root->parts == NULL)
        return SG_ERR_FULL;
    sg_content_begin(&root->builder, secret->id, secret->seed, root->parts,
                     SG_LIMIT_ACTION_PARTS);
    return SG_OK;
}

enum sg_err
sg_rows_root_add(struct sg_rows_root *root, uint8_t action, struct sg_slice row)
{
    return sg_content_add(&root->builder, action, row);
}

const struct sg_content_component *
sg_rows_components(const struct sg_structure *structure, struct sg_arena *arena)
{
    struct sg_content_component *out =
        sg_arena_take(arena, structure->component_count * sizeof *out);

    for (uint32_t i = 0; out != NULL && i < structure->component_count; i++)
        out[i] = (struct sg_content_component){
            sg_canonical_row_kind(&structure->components[i]),
            structure->components[i].id};
    return out;
}

enum sg_err
sg_rows_root_end(struct sg_rows_root *root, struct sg_role_job *of,
                 uint8_t out[32])
{
    const struct sg_content_component *components =
        sg_rows_components(of->structure, of->scratch);

    if (components == NULL)
        return SG_ERR_FULL;
    return sg_content_root(&root->builder, SG_CONTENT_ROW, components,
                           of->structure->component_count, of->scratch, out);
}

void
sg_rows_root_wipe(struct sg_rows_root *root)
{
    sg_content_end(&root->builder);
}

// ---- facts ---------------------------------------------------------------------

static struct sg_rows_code
code_of(const struct sg_structure *structure, const char *id)
{
    return (struct sg_rows_code){
        .component = sg_structure_find(structure, sg_slice_text(id))};
}

enum sg_err
sg_rows_facts_begin(struct sg_rows_facts *facts, struct sg_role_job *of)
{
    const struct sg_structure *s = of->structure;
    const Sgpb__InspectTerms *terms = of->job->terms;

    *facts = (struct sg_rows_facts){
        .of = of,
        .conf_status = code_of(s, "CONF_STATUS"),
        .conf_redist = code_of(s, "CONF_REDIST"),
        .embargo = code_of(s, "EMBARGO_TIME"),
        .nature = code_of(s, "NATURE"),
        .obs_status = code_of(s, "OBS_STATUS"),
        .area = code_of(s, "REF_AREA"),
        .counterpart = code_of(s, "COUNTERPART_AREA"),
        .count_component = -1,
        .when_component = -1,
    };
    if (terms == NULL || terms->min_cell == 0)
        return SG_OK;
    facts->count_component =
        sg_structure_find(s, sg_slice_text(terms->count_component));
    if (terms->when_component[0] != '\0')
        facts->when_component =
            sg_structure_find(s, sg_slice_text(terms->when_component));
    // Terms that name what the structure has not would protect nothing.
    return facts->count_component < 0 || (terms->when_component[0] != '\0' &&
                                          facts->when_component < 0)
               ? SG_ERR_TERMS
               : SG_OK;
}

static void
see(struct sg_rows_code *code, const struct sg_obs *obs)
{
    if (code->component < 0 || code->several)
        return;
    const struct sg_value *value = &obs->values[code->component];
    struct sg_slice text = sg_obs_value_bytes(value);
    if (value->kind != SG_VALUE_TEXT && value->kind != SG_VALUE_ABSENT) {
        code->several = true;
        return;
    }
    if (code->seen) {
        code->several |= !sg_slice_eq(text, sg_slice_text(code->first));
        return;
    }
    code->seen = true;
    if (text.len >= sizeof code->first) {
        code->several = true;
        return;
    }
    memcpy(code->first, text.ptr == NULL ? (const uint8_t *)"" : text.ptr,
           text.len);
    code->first[text.len] = '\0';
}

bool
sg_rows_small(const struct sg_obs *obs, int32_t count_component,
              int32_t when_component, struct sg_slice when_code, uint64_t min,
              uint64_t *count)
{
    if (count_component < 0)
        return false;
    if (when_component >= 0 &&
        !sg_slice_eq(sg_obs_value_bytes(&obs->values[when_component]),
                     when_code))
        return false;
    // A count that is no plain number cannot be shown to be large enough.
    struct sg_slice text = sg_obs_value_bytes(&obs->values[count_component]);
    if (!sg_slice_u64(text, count)) {
        *count = 0;
        return text.len > 0;
    }
    return *count > 0 && *count < min;
}

static void
see_count(struct sg_rows_facts *facts, const struct sg_obs *obs)
{
    const Sgpb__InspectTerms *terms = facts->of->job->terms;
    uint64_t count;

    if (facts->count_component < 0)
        return;
    if (!sg_rows_small(obs, facts->count_component, facts->when_component,
                       sg_slice_text(terms->when_code), terms->min_cell,
                       &count))
        return;
    facts->small_cells++;
    if (!facts->has_smallest || count < facts->smallest)
        facts->smallest = count;
    facts->has_smallest = true;
}

void
sg_rows_facts_add(struct sg_rows_facts *facts, const struct sg_obs *obs)
{
    uint32_t dimensions = facts->of->structure->dimension_count;

    facts->observations++;
    if (obs->row == 1)
        facts->series++;
    for (uint32_t i = 0; obs->row > 1 && i < dimensions; i++) {
        if ((obs->changed[i / 64] >> (i % 64) & 1) != 0) {
            facts->series++;
            break;
        }
    }
    see(&facts->conf_status, obs);
    see(&facts->conf_redist, obs);
    see(&facts->embargo, obs);
    see(&facts->nature, obs);
    see(&facts->obs_status, obs);
    see(&facts->area, obs);
    see(&facts->counterpart, obs);
    see_count(facts, obs);
}

// "" is unknown to whoever decides: different values in one part are not a
// value, and unknown never permits.
static char *
one_value(const struct sg_rows_code *code, const char *absent,
          struct sg_arena *arena)
{
    const char *text = code->component < 0      ? absent
                       : code->several          ? ""
                       : code->first[0] == '\0' ? absent
                                                : code->first;

    return (char *)(uintptr_t)sg_arena_copy(arena, sg_slice_text(text)).ptr;
}

// The terms' own map first, then the standard lists.
static const char *
place_of(const struct sg_rows_facts *facts, const struct sg_rows_code *code)
{
    const Sgpb__InspectTerms *terms = facts->of->job->terms;

    if (code->component < 0)
        return "";
    if (code->several)
        return "several";
    for (size_t i = 0; terms != NULL && i < terms->n_area_from; i++) {
        if (strcmp(terms->area_from[i], code->first) == 0)
            return terms->area_to[i];
    }
    uint16_t place = sg_vocabulary_area(sg_slice_text(code->first));
    return place == 0 ? "" : sg_vocabulary_text(SG_ATTR_AREA, place);
}

static char *
copy(struct sg_arena *arena, const char *text)
{
    return (char *)(uintptr_t)sg_arena_copy(arena, sg_slice_text(text)).ptr;
}

enum sg_err
sg_rows_facts_end(struct sg_rows_facts *facts, struct sg_arena *arena,
                  struct sg_check *check, Sgpb__Facts **out)
{
    Sgpb__Facts *made = sg_arena_take(arena, sizeof *made);
    Sgpb__Part *part = sg_arena_take(arena, sizeof *part);
    Sgpb__Part **list = sg_arena_take(arena, sizeof(Sgpb__Part *));

    if (made == NULL || part == NULL || list == NULL)
        return SG_ERR_FULL;
    *part = (Sgpb__Part)SGPB__PART__INIT;
    *made = (Sgpb__Facts)SGPB__FACTS__INIT;
    part->conf_status = one_value(&facts->conf_status, "F", arena);
    part->conf_redist = one_value(&facts->conf_redist, "not_limited", arena);
    part->nature = one_value(&facts->nature, "", arena);
    uint16_t status =
        facts->obs_status.several
            ? 0
            : sg_vocabulary_obs_status(sg_slice_text(facts->obs_status.first));
    part->obs_status =
        copy(arena,
             status == 0 ? "" : sg_vocabulary_text(SG_ATTR_OBS_STATUS, status));
    part->area = copy(arena, place_of(facts, &facts->area));
    part->counterpart = copy(arena, place_of(facts, &facts->counterpart));
    part->observations = facts->observations;
    made->observations = facts->observations;
    made->series = facts->series;
    made->smallest_count = facts->smallest;
    made->has_smallest = facts->has_smallest;
    made->small_cells = facts->small_cells;
    made->warnings = sg_report_warnings(sg_check_report(check));
    list[0] = part;
    made->parts = list;
    made->n_parts = 1;
    *out = made;
    return part->conf_status == NULL || part->area == NULL ||
                   part->counterpart == NULL
               ? SG_ERR_FULL
               : SG_OK;
}
