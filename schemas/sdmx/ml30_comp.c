// Comp: a component whose values cannot be one XML attribute. They become the
// bytes of content-root.md 2: several values, languages, or lists of languages.
#include <string.h>

#include "broker/base/bytes.h"
#include "schemas/sdmx/lists.h"
#include "schemas/sdmx/ml21_parts.h"

enum { PARTS = 256 }; // values of one Comp, languages of one value

struct sg_ml30_comp {
    struct sg_slice id;
    struct sg_slice word;     // text so far
    struct sg_slice language; // of the text that is open
    uint32_t value, text;     // depth of what is open; 0: none is
    uint32_t count, pair_count;
    uint32_t tagged; // values in languages
    bool wrong;      // said, and of no value
    struct sg_slice items[PARTS], pairs[2 * PARTS];
    struct sg_ml21_room room;
};

static bool
is(struct sg_slice name, const char *word)
{
    return sg_slice_eq(name, sg_slice_text(word));
}

static void
wrong(struct sg_ml21 *ml, enum sg_fault_code code, struct sg_slice value,
      const char *hint)
{
    struct sg_ml30_comp *comp = ml->comp;
    if (!comp->wrong && !ml->blind)
        sg_ml21_say(ml, code, sg_ml21_row(ml, ml->gather.level), comp->id,
                    value, hint);
    comp->wrong = true;
}

static enum sg_err
copy(struct sg_ml21 *ml, struct sg_slice bytes, struct sg_slice *out)
{
    *out = sg_ml21_room_copy(ml, &ml->comp->room, bytes);
    return out->ptr == NULL ? SG_ERR_FULL : SG_OK;
}

enum sg_err
sg_ml30_comp_begin(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    struct sg_ml30_comp *comp = ml->comp;
    if (comp == NULL)
        comp = ml->comp = sg_arena_take(ml->arena, sizeof *comp);
    if (comp == NULL)
        return SG_ERR_FULL;
    ml->open.values = element->depth;
    comp->room.len = 0;
    comp->value = comp->text = 0;
    comp->count = comp->tagged = 0;
    comp->wrong = false;
    return copy(ml, sg_xml_attr(element, SG_SLICE("id")), &comp->id);
}

// ---- elements within -----------------------------------------------------------

static bool
blank(struct sg_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (strchr(" \t\r\n", text.ptr[i]) == NULL)
            return false;
    return true;
}

// What is not read must not get lost.
static void
stray(struct sg_ml21 *ml)
{
    wrong(ml, SG_FAULT_TYPE, SG_SLICE(""),
          "text stands beside the element of its value; write it within Value, "
          "or within Text if there are languages");
}

static enum sg_err
text_start(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    struct sg_ml30_comp *comp = ml->comp;
    struct sg_slice language = sg_xml_attr(element, SG_SLICE("lang"));
    if (comp->pair_count == 2 * PARTS) {
        sg_ml21_gather_refuse(ml);
        return SG_OK;
    }
    comp->text = element->depth;
    comp->word = SG_SLICE("");
    return copy(ml, language.len > 0 ? language : SG_SLICE("en"),
                &comp->language);
}

enum sg_err
sg_ml30_comp_start(struct sg_ml21 *ml, const struct sg_xml_element *element)
{
    struct sg_ml30_comp *comp = ml->comp;
    uint32_t parent = element->depth - 1;
    if (comp->value == 0 && parent == ml->open.values &&
        is(element->name, "Annotations")) {
        sg_ml21_aside(ml, element);
    } else if (comp->text == 0 && comp->value == 0 &&
               parent == ml->open.values && is(element->name, "Value")) {
        comp->value = element->depth;
        comp->pair_count = 0;
        comp->word = SG_SLICE("");
    } else if (comp->text == 0 && comp->value != 0 && parent == comp->value &&
               is(element->name, "Text")) {
        if (comp->pair_count == 0 && !blank(comp->word))
            stray(ml);
        return text_start(ml, element);
    } else {
        wrong(ml, SG_FAULT_TYPE, SG_SLICE(""),
              "text with mark-up is not read; send plain text");
    }
    return SG_OK;
}

enum sg_err
sg_ml30_comp_text(struct sg_ml21 *ml, struct sg_slice text)
{
    struct sg_ml30_comp *comp = ml->comp;
    // Beside Value and Text there is white space only.
    if (comp->text == 0 && (comp->value == 0 || comp->pair_count > 0)) {
        if (!blank(text))
            stray(ml);
        return SG_OK;
    }
    if (comp->room.len + text.len > SG_LIMIT_ROW) {
        sg_ml21_gather_refuse(ml);
        return SG_OK;
    }
    struct sg_slice more;
    struct sg_slice *word = &comp->word;
    enum sg_err err = SG_OK;
    if (comp->room.cap - comp->room.len < text.len || word->len == 0) {
        // It stays in one piece.
        struct sg_slice before = *word;
        err = sg_ml21_room_reserve(ml, &comp->room, before.len + text.len);
        if (err == SG_OK)
            err = copy(ml, before, word);
        if (err == SG_OK && before.len == 0)
            return copy(ml, text, word);
    }
    if (err == SG_OK)
        err = copy(ml, text, &more);
    if (err == SG_OK)
        word->len += text.len;
    return err;
}

// ---- bytes ---------------------------------------------------------------------

static enum sg_err
join(struct sg_ml21 *ml, const struct sg_slice *parts, size_t count,
     uint64_t announced, struct sg_slice *out)
{
    size_t size = sg_lists_size(parts, count);
    struct sg_ml21_room *room = &ml->comp->room;
    enum sg_err err = sg_ml21_room_reserve(ml, room, size);
    if (err != SG_OK)
        return err;
    struct sg_writer w = sg_writer_on(room->ptr + room->len, size);
    sg_lists_put(&w, announced, parts, count);
    *out = sg_writer_slice(&w);
    room->len += w.len;
    return SG_OK;
}

static enum sg_err
join_languages(struct sg_ml21 *ml, struct sg_slice *out)
{
    struct sg_ml30_comp *comp = ml->comp;
    struct sg_slice odd;
    size_t kept = sg_lists_languages(comp->pairs, comp->pair_count, &odd);
    if (odd.ptr != NULL)
        wrong(ml, SG_FAULT_LANGUAGE, odd, "the language stands twice");
    *out = SG_SLICE("");
    return kept == 0 ? SG_OK : join(ml, comp->pairs, kept, kept / 2, out);
}

static enum sg_err
value_end(struct sg_ml21 *ml)
{
    struct sg_ml30_comp *comp = ml->comp;
    struct sg_slice item = comp->word;
    enum sg_err err = SG_OK;
    comp->value = 0;
    if (comp->count == PARTS) {
        sg_ml21_gather_refuse(ml);
        return SG_OK;
    }
    if (comp->pair_count > 0) {
        err = join_languages(ml, &item);
        comp->tagged++;
    }
    comp->items[comp->count++] = item;
    return err;
}

static enum sg_err
all_ended(struct sg_ml21 *ml)
{
    struct sg_ml30_comp *comp = ml->comp;
    struct sg_slice bytes = comp->count > 0 ? comp->items[0] : SG_SLICE("");
    enum sg_value_kind kind =
        comp->tagged > 0 ? SG_VALUE_LANGUAGES : SG_VALUE_TEXT;
    if (comp->tagged > 0 && comp->tagged < comp->count)
        wrong(ml, SG_FAULT_LANGUAGE, SG_SLICE(""),
              "texts with and without languages in one list");
    int32_t found = ml->blind ? -1 : sg_structure_find(ml->structure, comp->id);
    if (comp->wrong || (found < 0 && comp->tagged > 0))
        return sg_ml21_gather_put(ml, comp->id, SG_SLICE(""), SG_VALUE_TEXT);
    bool one = comp->count == 1 || found < 0;
    if (comp->count == 0 || (one && bytes.len == 0)) // empty is absent
        return sg_ml21_gather_put(ml, comp->id, SG_SLICE(""), SG_VALUE_TEXT);
    if (!one || (found >= 0 && ml->structure->components[found].several)) {
        kind = SG_VALUE_SEVERAL;
        enum sg_err err =
            join(ml, comp->items, comp->count, comp->count, &bytes);
        if (err != SG_OK)
            return err;
    }
    return sg_ml21_gather_put(ml, comp->id, bytes, kind);
}

enum sg_err
sg_ml30_comp_end(struct sg_ml21 *ml)
{
    struct sg_ml30_comp *comp = ml->comp;
    if (comp->text != 0 && ml->depth == comp->text) {
        comp->text = 0;
        comp->pairs[comp->pair_count] = comp->language;
        comp->pairs[comp->pair_count + 1] = comp->word;
        comp->pair_count += 2;
    } else if (comp->value != 0 && ml->depth == comp->value) {
        return value_end(ml);
    } else if (ml->depth == ml->open.values) {
        ml->open.values = 0;
        return all_ended(ml);
    }
    return SG_OK;
}
