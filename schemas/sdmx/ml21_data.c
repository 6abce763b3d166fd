#include "broker/base/bytes.h"
#include "broker/base/check.h"
#include "schemas/sdmx/ml21_parts.h"

enum sg_err
sg_ml21_room_reserve(struct sg_ml21 *ml, struct sg_ml21_room *room,
                     size_t bytes)
{
    if (room->cap - room->len >= bytes)
        return SG_OK;
    size_t cap = room->cap == 0 ? 4096 : room->cap * 2;
    while (cap < bytes)
        cap *= 2;
    uint8_t *piece = sg_arena_take(ml->arena, cap);
    if (piece == NULL)
        return SG_ERR_FULL;
    *room = (struct sg_ml21_room){piece, 0, cap};
    return SG_OK;
}

struct sg_slice
sg_ml21_room_copy(struct sg_ml21 *ml, struct sg_ml21_room *room,
                  struct sg_slice bytes)
{
    if (bytes.len == 0)
        return sg_slice_of("", 0);
    if (sg_ml21_room_reserve(ml, room, bytes.len) != SG_OK)
        return (struct sg_slice){NULL, 0};
    uint8_t *at = room->ptr + room->len;
    memcpy(at, bytes.ptr, bytes.len);
    room->len += bytes.len;
    return sg_slice_of(at, bytes.len);
}

// What kind of value the i-th attribute has, before the structure is asked.
static inline enum sg_value_kind
kind_of(const struct sg_ml21 *ml, uint32_t i)
{
    return ml->kinds == NULL ? SG_VALUE_TEXT : (enum sg_value_kind)ml->kinds[i];
}

// Where the structure allows several values, a text is a list of one.
enum sg_err
sg_ml21_value(struct sg_ml21 *ml, struct sg_ml21_room *room, uint32_t component,
              uint32_t i, struct sg_slice text, struct sg_value *out)
{
    enum sg_value_kind kind = kind_of(ml, i);
    uint8_t front[16];
    struct sg_writer w = sg_writer_on(front, sizeof front);
    *out = (struct sg_value){NULL, 0, SG_VALUE_ABSENT};
    if (text.len == 0)
        return SG_OK;
    if (kind == SG_VALUE_TEXT && ml->structure->components[component].several) {
        kind = SG_VALUE_SEVERAL;
        sg_bytes_put_varint(&w, 1);
        sg_bytes_put_varint(&w, text.len);
    }
    size_t len = w.len + text.len;
    enum sg_err err = sg_ml21_room_reserve(ml, room, len);
    if (err != SG_OK)
        return err;
    uint8_t *at = room->ptr + room->len;
    sg_ml21_room_copy(ml, room, sg_writer_slice(&w));
    sg_ml21_room_copy(ml, room, text);
    *out = (struct sg_value){at, (uint32_t)len, (uint8_t)kind};
    return SG_OK;
}

static bool
of_dataset(const struct sg_ml21 *ml, struct sg_slice name)
{
    enum { OF_20 = 7 }; // the last ones
    static const char *const words[] = {"structureRef",
                                        "dataScope",
                                        "action",
                                        "setID",
                                        "validFromDate",
                                        "validToDate",
                                        "publicationYear",
                                        "publicationPeriod",
                                        "reportingBeginDate",
                                        "reportingEndDate",
                                        "keyFamilyURI",
                                        "datasetID",
                                        "dataProviderSchemeAgencyId",
                                        "dataProviderID",
                                        "dataflowID",
                                        "dataProviderSchemeId",
                                        "dataflowAgencyID"};
    for (size_t i = 0; i < SG_COUNT_OF(words) - (ml->v20 ? 0 : OF_20); i++)
        if (sg_slice_eq(name, sg_slice_text(words[i])))
            return true;
    return false;
}

// Does the attribute stand where the structure does not want it?
static bool
misplaced(const struct sg_ml21 *ml, enum sg_ml21_level level, int32_t component)
{
    const struct sg_component *c = &ml->structure->components[component];
    bool right = true;
    if (c->kind != SG_KIND_ATTRIBUTE ||
        (level == SG_ML21_LEVEL_OBS && !ml->in_series))
        return false; // flat: the observation carries everything
    bool varies = ml->at >= 0 && ml->at < 64 && // within a series
                  (c->dimensions >> ml->at & 1) != 0;
    switch (level) {
    case SG_ML21_LEVEL_SERIES:
        right = c->attach == SG_ATTACH_DIMENSIONS && !varies;
        break;
    case SG_ML21_LEVEL_OBS:
        right = c->attach == SG_ATTACH_OBSERVATION ||
                (c->attach == SG_ATTACH_DIMENSIONS && varies);
        break;
    case SG_ML21_LEVEL_GROUP:
        right =
            c->attach == SG_ATTACH_GROUP || c->attach == SG_ATTACH_DIMENSIONS;
        break;
    case SG_ML21_LEVEL_ATTS:
        right = c->attach != SG_ATTACH_OBSERVATION;
        break;
    case SG_ML21_LEVEL_DATASET:
        right = c->attach == SG_ATTACH_DATASET;
        break;
    case SG_ML21_LEVELS:
        break;
    }
    return !right;
}

static void
say_level(struct sg_ml21 *ml, enum sg_ml21_level level,
          const struct sg_xml_attr *attr)
{
    sg_ml21_say(ml, SG_FAULT_ATTR_LEVEL, sg_ml21_row(ml, level), attr->name,
                SG_SLICE(""), NULL);
}

static uint8_t
place_of(const struct sg_ml21 *ml, enum sg_ml21_level level)
{
    return (uint8_t)(1 + 2 * (unsigned)level + ml->in_series);
}

static int32_t
remember(struct sg_ml21 *ml, enum sg_ml21_level level,
         const struct sg_xml_attr *attr, int32_t component)
{
    if (attr->known != 0)
        ml->known[attr->known] =
            (struct sg_ml21_known){place_of(ml, level), (int16_t)component};
    return component;
}

int32_t
sg_ml21_component(struct sg_ml21 *ml, enum sg_ml21_level level,
                  uint32_t position, const struct sg_xml_attr *attr)
{
    if (ml->known[attr->known].place == place_of(ml, level))
        return ml->known[attr->known].component;
    if (attr->ns.len > 0)
        return remember(ml, level, attr, -2);
    struct sg_ml21_memo *memo =
        position < SG_ML21_MEMO ? &ml->memo[level][position] : NULL;
    if (memo != NULL && memo->len > 0 && memo->len == attr->name.len &&
        memcmp(memo->name, attr->name.ptr, memo->len) == 0) {
        if (!memo->misplaced)
            return remember(ml, level, attr, memo->component);
        say_level(ml, level, attr);
        return memo->component;
    }
    int32_t found = sg_structure_find(ml->structure, attr->name);
    if (found < 0) {
        if ((level == SG_ML21_LEVEL_DATASET && of_dataset(ml, attr->name)) ||
            (level == SG_ML21_LEVEL_GROUP &&
             sg_slice_eq(attr->name, SG_SLICE("type"))) ||
            sg_slice_eq(attr->name, SG_SLICE("REPORTING_YEAR_START_DAY")))
            return remember(ml, level, attr, -2);
        sg_ml21_say(ml, SG_FAULT_UNKNOWN_COMPONENT, sg_ml21_row(ml, level),
                    attr->name, attr->value, NULL);
        return -1;
    }
    bool wrong = misplaced(ml, level, found);
    if (wrong)
        say_level(ml, level, attr);
    if (memo != NULL && attr->name.len <= sizeof memo->name) {
        memcpy(memo->name, attr->name.ptr, attr->name.len);
        memo->len = (uint8_t)attr->name.len;
        memo->component = found;
        memo->misplaced = wrong;
    }
    return found;
}

// ---- data set --------------------------------------------------------------------

static enum sg_err
bind(struct sg_ml21 *ml, const struct sg_structure *structure)
{
    size_t bytes = structure->component_count * sizeof(struct sg_value);
    ml->structure = structure;
    ml->dataset_values = sg_arena_take(ml->arena, bytes);
    ml->base = sg_arena_take(ml->arena, bytes);
    ml->values = sg_arena_take(ml->arena, bytes);
    ml->obs.values = ml->values;
    return ml->values == NULL || ml->base == NULL || ml->dataset_values == NULL
               ? SG_ERR_FULL
               : SG_OK;
}

// Which dimension the observations of a series tell apart: time, if the header
// names no other. What is known of places holds for one of them.
static void
observe(struct sg_ml21 *ml, struct sg_slice name)
{
    int32_t at = sg_structure_find(ml->structure, name);
    if (at < 0 || ml->structure->components[at].kind > SG_KIND_TIME)
        at = ml->structure->time;
    if (ml->at != at) {
        memset(ml->memo, 0, sizeof ml->memo);
        memset(ml->known, 0, sizeof ml->known);
    }
    ml->at = at;
}

static enum sg_err
find_structure(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    struct sg_obs_ref ref;
    ml->blind = true;
    struct sg_slice name = sg_xml_attr(element, SG_SLICE("structureRef"));
    const struct sg_ml21_structure *named = sg_ml21_header_find(ml, name, &ref);
    if (named == NULL)
        return SG_OK;
    const struct sg_structure *found =
        ml->sink.structure(ml->sink.context, &ref);
    if (found == NULL) {
        sg_ml21_say(ml, SG_FAULT_STRUCTURE_UNKNOWN, 0, SG_SLICE("Structure"),
                    ref.id, NULL);
        return SG_OK;
    }
    if (ml->structure != NULL && ml->structure != found) {
        sg_ml21_say(ml, SG_FAULT_STRUCTURE_REF, 0, SG_SLICE(""), ref.id,
                    "the data sets of one message follow one structure; send "
                    "another message");
        return SG_OK;
    }
    ml->blind = false;
    enum sg_err err = ml->structure == NULL ? bind(ml, found) : SG_OK;
    if (err == SG_OK)
        observe(ml, named->at);
    return err;
}

enum sg_err
sg_ml21_dataset_start(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    ml->in_dataset = true;
    ml->dataset_rows = 0;
    ml->obs.dataset++;
    ml->dataset_has_attributes = false;
    enum sg_err err = find_structure(ml, element);
    if (err != SG_OK || ml->blind)
        return err;
    struct sg_slice word = sg_xml_attr(element, SG_SLICE("action"));
    uint8_t sent =
        word.ptr == NULL ? ml->header_action : sg_ml21_header_action(word);
    if (sent == 0 && word.ptr != NULL)
        sg_ml21_say(ml, SG_FAULT_ACTION, 0, SG_SLICE("action"), word, NULL);
    ml->obs.sent = sent == 0 ? 'I' : sent;
    if (ml->sink.action != NULL)
        ml->sink.action(ml->sink.context, ml->obs.sent, 0, sg_ml21_line(ml));
    ml->obs.action = sent == 'R' || sent == 'D' ? sent : SG_ACTION_MERGE;
    size_t bytes = ml->structure->component_count * sizeof *ml->base;
    memset(ml->dataset_values, 0, bytes);
    memset(ml->pending, 0xff, sizeof ml->pending);
    ml->dataset_room.len = 0;
    for (uint32_t i = 0; i < element->attr_count; i++) {
        const struct sg_xml_attr *attr = &element->attrs[i];
        int32_t c = sg_ml21_component(ml, SG_ML21_LEVEL_DATASET, i, attr);
        if (c < 0)
            continue;
        err = sg_ml21_value(ml, &ml->dataset_room, (uint32_t)c, i, attr->value,
                            &ml->dataset_values[c]);
        if (err != SG_OK)
            return err;
        ml->dataset_has_attributes |= attr->value.len > 0;
    }
    memcpy(ml->base, ml->dataset_values, bytes);
    memcpy(ml->values, ml->dataset_values, bytes);
    memset(ml->over, 0, sizeof ml->over);
    return SG_OK;
}

enum sg_err
sg_ml21_emit(struct sg_ml21 *ml, uint64_t line)
{
    ml->rows++;
    ml->series_rows++;
    ml->dataset_rows++;
    for (size_t i = 0; i < SG_OBS_CHANGED_WORDS; i++)
        ml->obs.changed[i] = ml->pending[i] | ml->own[i];
    ml->obs.row = ml->rows;
    ml->obs.line = line;
    enum sg_err err = ml->sink.obs(ml->sink.context, &ml->obs);
    memcpy(ml->pending, ml->own, sizeof ml->pending);
    memset(ml->own, 0, sizeof ml->own);
    return err;
}

enum sg_err
sg_ml21_dataset_end(struct sg_ml21 *ml)
{
    ml->in_dataset = false;
    if (ml->blind)
        return SG_OK;
    enum sg_err err = sg_ml21_group_flush(ml);
    if (err == SG_OK && ml->dataset_rows == 0 &&
        (ml->dataset_has_attributes || ml->obs.action == SG_ACTION_DELETE))
        err = sg_ml21_emit(ml, sg_ml21_line(ml));
    sg_ml21_group_clear(ml);
    return err;
}

// ---- series ----------------------------------------------------------------------

static void
mark(uint64_t words[SG_OBS_CHANGED_WORDS], uint32_t component)
{
    words[component / 64] |= 1ull << component % 64;
}

// Gives the components of a set the value they have above observations.
static void
restore(struct sg_ml21 *ml, const uint64_t set[SG_OBS_CHANGED_WORDS])
{
    for (uint32_t w = 0; w < SG_OBS_CHANGED_WORDS; w++)
        for (uint64_t bits = set[w]; bits != 0; bits &= bits - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(bits);
            ml->values[i] = ml->base[i];
        }
}

enum sg_err
sg_ml21_series_start(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    ml->in_series = true;
    ml->series_rows = 0;
    ml->series_has_attributes = false;
    ml->series_line = sg_ml21_line(ml);
    if (ml->blind)
        return SG_OK;
    restore(ml, ml->over);
    // The other room keeps what the series before had, for the comparison.
    uint32_t turn = ml->series_turn ^= 1;
    struct sg_ml21_room *room = &ml->series_room[turn];
    room->len = 0;
    uint32_t n = ml->structure->component_count;
    memcpy(ml->base, ml->dataset_values, n * sizeof *ml->base);
    for (uint32_t i = 0; i < element->attr_count; i++) {
        const struct sg_xml_attr *attr = &element->attrs[i];
        int32_t c = sg_ml21_component(ml, SG_ML21_LEVEL_SERIES, i, attr);
        if (c < 0)
            continue;
        enum sg_err err =
            sg_ml21_value(ml, room, (uint32_t)c, i, attr->value, &ml->base[c]);
        if (err != SG_OK)
            return err;
        ml->series_has_attributes |=
            ml->structure->components[c].kind == SG_KIND_ATTRIBUTE &&
            attr->value.len > 0;
    }
    if (ml->groups != NULL)
        sg_ml21_group_apply(ml, ml->base);
    for (uint32_t i = 0; i < n; i++)
        if (!sg_obs_value_eq(&ml->base[i], &ml->values[i]))
            mark(ml->pending, i);
    memcpy(ml->values, ml->base, n * sizeof *ml->base);
    return SG_OK;
}

enum sg_err
sg_ml21_series_end(struct sg_ml21 *ml)
{
    ml->in_series = false;
    if (ml->blind || ml->series_rows > 0)
        return SG_OK;
    if (!ml->series_has_attributes && ml->obs.action != SG_ACTION_DELETE)
        return SG_OK; // says nothing
    for (size_t i = 0; i < SG_OBS_CHANGED_WORDS; i++)
        ml->pending[i] |= ml->over[i];
    memset(ml->over, 0, sizeof ml->over);
    return sg_ml21_emit(ml, ml->series_line);
}

// ---- observation -------------------------------------------------------------------

// The index of an attribute's component, most often by its number.
static inline int32_t
component_of(struct sg_ml21 *ml, uint8_t place, uint32_t position,
             const struct sg_xml_attr *attr)
{
    const struct sg_ml21_known *known = &ml->known[attr->known];
    if (known->place == place)
        return known->component;
    return sg_ml21_component(ml, SG_ML21_LEVEL_OBS, position, attr);
}

// Is text what the observation before had? Remembers it in any case.
static inline bool
as_before(struct sg_ml21_last *last, struct sg_slice text)
{
    if (text.len > 16) {
        last->len = UINT32_MAX;
        return false;
    }
    uint64_t head = sg_structure_load(text.ptr, text.len), tail = 0;
    if (text.len > 8)
        memcpy(&tail, text.ptr + text.len - 8, 8);
    bool same =
        last->len == text.len && last->head == head && last->tail == tail;
    *last = (struct sg_ml21_last){head, tail, (uint32_t)text.len};
    return same;
}

static inline enum sg_err
take_own(struct sg_ml21 *ml, uint32_t component, uint32_t i,
         struct sg_slice text)
{
    enum sg_value_kind kind = kind_of(ml, i);
    if (kind == SG_VALUE_TEXT &&
        !ml->structure->components[component].several) {
        ml->values[component] =
            text.len == 0 ? (struct sg_value){NULL, 0, SG_VALUE_ABSENT}
                          : (struct sg_value){text.ptr, (uint32_t)text.len,
                                              SG_VALUE_TEXT};
        return SG_OK;
    }
    ml->last[component].len = UINT32_MAX;
    return sg_ml21_value(ml, &ml->obs_room, component, i, text,
                         &ml->values[component]);
}

// The observation's own values; what had one before and has none now goes back.
static enum sg_err
take_obs(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    uint64_t before[SG_OBS_CHANGED_WORDS];
    uint8_t place = place_of(ml, SG_ML21_LEVEL_OBS);
    memcpy(before, ml->over, sizeof before);
    memset(ml->over, 0, sizeof ml->over);
    ml->obs_room.len = 0;
    for (uint32_t i = 0; i < element->attr_count; i++) {
        const struct sg_xml_attr *attr = &element->attrs[i];
        int32_t found = component_of(ml, place, i, attr);
        if (found < 0)
            continue;
        uint32_t c = (uint32_t)found;
        uint64_t bit = 1ull << c % 64;
        if (!as_before(&ml->last[c], attr->value) ||
            (before[c / 64] & bit) == 0)
            ml->pending[c / 64] |= bit;
        ml->over[c / 64] |= bit;
        enum sg_err err = take_own(ml, c, i, attr->value);
        if (err != SG_OK)
            return err;
    }
    for (size_t i = 0; i < SG_OBS_CHANGED_WORDS; i++) {
        before[i] &= ~ml->over[i];
        ml->pending[i] |= before[i];
    }
    restore(ml, before);
    return SG_OK;
}

// Can a group have something to say at this observation, beyond its series?
static bool
meets_group(const struct sg_ml21 *ml)
{
    uint64_t both = 0;
    for (size_t i = 0; i < SG_OBS_CHANGED_WORDS; i++)
        both |= ml->over[i] & ml->of_groups[i];
    return ml->groups != NULL &&
           (!ml->in_series || ml->groups_meet_obs || both != 0);
}

enum sg_err
sg_ml21_obs_start(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    if (ml->blind) {
        ml->rows++;
        return SG_OK;
    }
    enum sg_err taken = take_obs(ml, element);
    if (taken != SG_OK)
        return taken;
    bool grouped = meets_group(ml);
    if (grouped) {
        sg_ml21_group_apply(ml, ml->values);
        memset(ml->own, 0xff, sizeof ml->own);
    }
    uint64_t line = sg_ml21_line(ml);
    enum sg_err err = sg_ml21_emit(ml, line);
    if (grouped)
        memcpy(ml->values, ml->base,
               ml->structure->component_count * sizeof *ml->base);
    return err;
}
