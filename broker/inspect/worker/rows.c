#include "broker/inspect/worker/rows.h"

#include "broker/base/limits.h"
#include "broker/base/utc.h"
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

void
sg_rows_constrain(const struct sg_role_job *of, struct sg_check *check)
{
    struct sg_obs_ref flow = {.kind = SG_OBS_REF_DATAFLOW};
    const char *dataflow =
        of->job->terms == NULL ? "" : of->job->terms->dataflow;
    const char *at = strchr(dataflow, '='); // of a URN

    if (sg_obs_ref_parse(sg_slice_text(at == NULL ? dataflow : at + 1), &flow))
        sg_check_named(check, &flow, 1);
}

// ---- content root --------------------------------------------------------------

enum sg_err
sg_rows_root_begin(struct sg_rows_root *root, const struct sg_secret *secret,
                   struct sg_arena *arena)
{
    root->parts = (void *)sg_arena_room(arena, SG_LIMIT_ACTION_PARTS *
                                                   sizeof *root->parts);
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

enum sg_err
sg_rows_source(struct sg_role_item *item, struct sg_sha256 *hash)
{
    struct sg_role_job *of = item->of;
    struct sg_sealed_in in;
    struct sg_slice plain;
    uint64_t at = of->source_at;

    enum sg_err err = sg_sealed_in_open(&in, item->item->source, of->source_fd,
                                        &at, of->scratch);
    while (err == SG_OK) {
        if ((err = sg_sealed_in_next(&in, &plain)) != SG_OK || plain.len == 0)
            break;
        sg_crypto_sha256_add(hash, plain.ptr, plain.len);
    }
    sg_sealed_in_close(&in);
    return err;
}

enum sg_err
sg_rows_file_root(struct sg_role_item *item, uint8_t root[32])
{
    struct sg_sha256 *hash = sg_crypto_sha256_new();

    if (hash == NULL)
        return SG_ERR_FULL;
    sg_content_file_begin(hash, item->secret.id, item->secret.seed);
    enum sg_err err = sg_rows_source(item, hash);
    if (err == SG_OK)
        sg_content_file_end(hash, item->secret.id, root);
    sg_crypto_sha256_free(&hash);
    return err;
}

// ---- facts ---------------------------------------------------------------------

enum sg_err
sg_rows_facts_begin(struct sg_rows_facts *facts, struct sg_role_job *of)
{
    const struct sg_structure *s = of->structure;
    const Sgpb__InspectTerms *terms = of->job->terms;

    static const char *const ids[] = {
        "CONF_STATUS", "CONF_REDIST", "EMBARGO_TIME",    "NATURE",
        "OBS_STATUS",  "REF_AREA",    "COUNTERPART_AREA"};
    _Static_assert(SG_COUNT_OF(ids) == SG_ROWS_KEYS, "an id a key");

    memset(facts, 0, sizeof *facts);
    facts->of = of;
    facts->count_component = facts->when_component = -1;
    for (size_t i = 0; i < SG_ROWS_KEYS; i++)
        facts->component[i] = sg_structure_find(s, sg_slice_text(ids[i]));
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

// Not a code: unknown to whoever decides. No value of a file can be this.
static const char unusable[] = "\x01";

// A status as its group, a list of organisations as ids in order.
static struct sg_slice
read_value(enum sg_rows_key key, const struct sg_value *value,
           char list[SG_ROWS_VALUE])
{
    struct sg_slice text = sg_obs_value_bytes(value);
    uint16_t group;

    if (key == SG_ROWS_CONF_REDIST)
        return sg_rows_listed(value, list, SG_ROWS_VALUE)
                   ? sg_slice_text(list)
                   : sg_slice_text(unusable);
    if (value->kind != SG_VALUE_TEXT)
        return sg_slice_text(unusable);
    if (key != SG_ROWS_OBS_STATUS)
        return text;
    group = sg_vocabulary_obs_status(text);
    return sg_slice_text(
        group == 0 ? unusable : sg_vocabulary_text(SG_ATTR_OBS_STATUS, group));
}

static void
value_of(const struct sg_rows_facts *facts, enum sg_rows_key key,
         const struct sg_obs *obs, char out[SG_ROWS_VALUE])
{
    const struct sg_value *value =
        facts->component[key] < 0 ? NULL : &obs->values[facts->component[key]];
    char list[SG_ROWS_VALUE];

    out[0] = '\0';
    if (value == NULL || value->kind == SG_VALUE_ABSENT)
        return;
    struct sg_slice text = read_value(key, value, list);
    if (text.len >= SG_ROWS_VALUE)
        text = sg_slice_text(unusable);
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
}

// ---- places ----------------------------------------------------------------------

static const enum sg_rows_key place_keys[SG_ROWS_PLACES] = {
    SG_ROWS_AREA, SG_ROWS_COUNTERPART};

// The terms' own map first, then the standard lists.
static uint16_t
place_meant(const struct sg_rows_facts *facts, const char *value)
{
    const Sgpb__InspectTerms *terms = facts->of->job->terms;

    for (size_t i = 0; terms != NULL && i < terms->n_area_from; i++) {
        if (strcmp(terms->area_from[i], value) == 0)
            return sg_vocabulary_code(SG_ATTR_AREA,
                                      sg_slice_text(terms->area_to[i]));
    }
    return sg_vocabulary_area(sg_slice_text(value));
}

static uint16_t
place_of(struct sg_rows_facts *facts, size_t which, const char *value)
{
    size_t len = strlen(value), slot = 0;

    if (facts->component[place_keys[which]] < 0 || len == 0)
        return SG_PLACE_UNKNOWN;
    if (len >= sizeof facts->memo[0][0].value)
        return place_meant(facts, value);
    for (size_t i = 0; i < len; i++)
        slot = slot * 31 + (uint8_t)value[i];
    struct sg_rows_memo *memo = &facts->memo[which][slot % SG_ROWS_MEMO];
    if (strcmp(memo->value, value) != 0) {
        memcpy(memo->value, value, len + 1);
        memo->place = place_meant(facts, value);
    }
    return memo->place;
}

// ---- parts -----------------------------------------------------------------------

static bool
same_part(const struct sg_rows_facts *facts, const struct sg_rows_part *a,
          const struct sg_rows_part *b)
{
    for (size_t i = 0; i < SG_ROWS_KEYS; i++) {
        if (!facts->given_up[i] && strcmp(a->value[i], b->value[i]) != 0)
            return false;
    }
    return true;
}

// The part like that one; SG_ROWS_PARTS: none, and no room.
static uint32_t
place_part(struct sg_rows_facts *facts, const struct sg_rows_part *like)
{
    for (uint32_t i = 0; i < facts->parts; i++) {
        if (!same_part(facts, &facts->part[i], like))
            continue;
        for (size_t k = 0; k < SG_ROWS_PLACES; k++)
            sg_places_join(&facts->part[i].places[k], &like->places[k]);
        return i;
    }
    if (facts->parts == SG_ROWS_PARTS)
        return SG_ROWS_PARTS;
    facts->part[facts->parts] = *like;
    facts->part[facts->parts].rows = 0;
    return facts->parts++;
}

// Gives the next key up and joins the parts that now are one.
static void
give_up_one(struct sg_rows_facts *facts)
{
    static const enum sg_rows_key order[] = {
        SG_ROWS_AREA,       SG_ROWS_COUNTERPART, SG_ROWS_OBS_STATUS,
        SG_ROWS_NATURE,     SG_ROWS_EMBARGO,     SG_ROWS_CONF_REDIST,
        SG_ROWS_CONF_STATUS};
    uint32_t before = facts->parts;
    size_t next = 0;

    while (facts->given_up[order[next]])
        next++;
    facts->given_up[order[next]] = true;
    facts->parts = 0;
    for (uint32_t i = 0; i < before; i++) {
        struct sg_rows_part joined = facts->part[i];
        uint32_t at = place_part(facts, &joined);
        facts->part[at].rows += joined.rows;
    }
}

static bool
keys_changed(const struct sg_rows_facts *facts, const struct sg_obs *obs)
{
    for (size_t i = 0; i < SG_ROWS_KEYS; i++) {
        int32_t at = facts->component[i];
        if (at >= 0 && (obs->changed[at / 64] >> (at % 64) & 1) != 0)
            return true;
    }
    return false;
}

static void
see_part(struct sg_rows_facts *facts, const struct sg_obs *obs)
{
    if (facts->parts == 0 || keys_changed(facts, obs)) {
        struct sg_rows_part like = {.rows = 0};
        for (size_t i = 0; i < SG_ROWS_KEYS; i++)
            value_of(facts, (enum sg_rows_key)i, obs, like.value[i]);
        for (size_t i = 0; i < SG_ROWS_PLACES; i++)
            sg_places_add(&like.places[i],
                          place_of(facts, i, like.value[place_keys[i]]));
        while ((facts->current = place_part(facts, &like)) == SG_ROWS_PARTS)
            give_up_one(facts); // ends: with no key left all is one part
    }
    facts->part[facts->current].rows++;
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
    see_part(facts, obs);
    see_count(facts, obs);
}

static char *
copy(struct sg_arena *arena, const char *text)
{
    return text == NULL
               ? NULL
               : (char *)(uintptr_t)sg_arena_copy(arena, sg_slice_text(text))
                     .ptr;
}

// "" is unknown: a key given up, or a value that is no code.
static const char *
code_of(const struct sg_rows_facts *facts, const struct sg_rows_part *part,
        enum sg_rows_key key, const char *absent)
{
    if (facts->given_up[key] || strcmp(part->value[key], unusable) == 0)
        return "";
    return part->value[key][0] == '\0' ? absent : part->value[key];
}

// One place, or "several" and which.
static const char *
say_places(const struct sg_places *set, struct sg_arena *arena,
           ProtobufCBinaryData *which)
{
    uint32_t first = sg_places_next(set, 0);
    uint8_t *bytes;

    if (sg_places_count(set) <= 1)
        return sg_places_has(set, SG_PLACE_UNKNOWN) || first == SG_PLACE_COUNT
                   ? ""
                   : sg_vocabulary_text(SG_ATTR_AREA, (uint16_t)first);
    if ((bytes = sg_arena_take(arena, SG_PLACES_BYTES)) == NULL)
        return NULL;
    *which = sg_codec_bytes(bytes, sg_places_pack(set, bytes));
    return sg_vocabulary_text(SG_ATTR_AREA, SG_PLACE_SEVERAL);
}

// A time that cannot be read, or that has no zone, is not over yet; nor is that
// of CONF_STATUS E that states none. With N it means nothing (sdmx-facts 1.10).
static uint64_t
embargo_of(const struct sg_rows_facts *facts, const struct sg_rows_part *part)
{
    const char *value = part->value[SG_ROWS_EMBARGO];
    const char *flag = facts->given_up[SG_ROWS_CONF_STATUS]
                           ? ""
                           : part->value[SG_ROWS_CONF_STATUS];
    uint64_t us;

    if (strcmp(flag, "N") == 0)
        return 0;
    if (value[0] == '\0' && !facts->given_up[SG_ROWS_EMBARGO])
        return strcmp(flag, "E") == 0 ? UINT64_MAX : 0;
    if (facts->given_up[SG_ROWS_EMBARGO] ||
        !sg_utc_parse(sg_slice_text(value), &us))
        return UINT64_MAX;
    return us;
}

static Sgpb__Part *
part_of(const struct sg_rows_facts *facts, const struct sg_rows_part *from,
        struct sg_arena *arena)
{
    const Sgpb__InspectTerms *terms = facts->of->job->terms;
    bool stated = terms != NULL && terms->require_conf_status;
    Sgpb__Part *out = sg_arena_take(arena, sizeof *out);

    if (out == NULL)
        return NULL;
    *out = (Sgpb__Part)SGPB__PART__INIT;
    // Free where nothing says otherwise; terms may want it said.
    out->conf_status = copy(
        arena, code_of(facts, from, SG_ROWS_CONF_STATUS, stated ? "" : "F"));
    out->conf_redist =
        copy(arena, code_of(facts, from, SG_ROWS_CONF_REDIST, "not_limited"));
    out->nature = copy(arena, code_of(facts, from, SG_ROWS_NATURE, ""));
    out->obs_status =
        copy(arena, code_of(facts, from, SG_ROWS_OBS_STATUS, "NORMAL"));
    out->area = copy(arena, say_places(&from->places[0], arena, &out->areas));
    out->counterpart =
        copy(arena, say_places(&from->places[1], arena, &out->counterparts));
    out->embargo_us = embargo_of(facts, from);
    out->observations = from->rows;
    return out->conf_status == NULL || out->conf_redist == NULL ||
                   out->nature == NULL || out->obs_status == NULL ||
                   out->area == NULL || out->counterpart == NULL
               ? NULL
               : out;
}

// Of a key, from 1; 0: it is no dimension.
static uint32_t
field_of(const struct sg_rows_facts *facts, enum sg_rows_key key)
{
    int32_t at = facts->component[key];

    return at >= 0 && (uint32_t)at < facts->of->structure->dimension_count
               ? (uint32_t)at + 1
               : 0;
}

enum sg_err
sg_rows_facts_end(struct sg_rows_facts *facts, struct sg_arena *arena,
                  struct sg_check *check, Sgpb__Facts **out)
{
    static const struct sg_rows_part nothing = {.rows = 0};
    Sgpb__Facts *made = sg_arena_take(arena, sizeof *made);
    Sgpb__Part **list =
        sg_arena_take(arena, SG_ROWS_PARTS * sizeof(Sgpb__Part *));

    if (made == NULL || list == NULL)
        return SG_ERR_FULL;
    *made = (Sgpb__Facts)SGPB__FACTS__INIT;
    made->observations = facts->observations;
    made->series = facts->series;
    made->smallest_count = facts->smallest;
    made->has_smallest = facts->has_smallest;
    made->small_cells = facts->small_cells;
    made->warnings = sg_report_warnings(sg_check_report(check));
    made->area_field = field_of(facts, SG_ROWS_AREA);
    made->counterpart_field = field_of(facts, SG_ROWS_COUNTERPART);
    made->parts = list;
    // A release without rows has one part all the same: something is decided.
    do {
        list[made->n_parts] = part_of(
            facts, facts->parts == 0 ? &nothing : &facts->part[made->n_parts],
            arena);
        if (list[made->n_parts] == NULL)
            return SG_ERR_FULL;
    } while (++made->n_parts < facts->parts);
    *out = made;
    return SG_OK;
}
