#include "broker/base/bytes.h"
#include "broker/base/check.h"
#include "schemas/sdmx/json_parts.h"
#include "schemas/sdmx/lists.h"

static const struct sg_value absent = {NULL, 0, SG_VALUE_ABSENT};

bool
sg_json_value_index(struct sg_slice text, uint32_t *index)
{
    uint64_t value = 0;
    if (text.len == 0 || text.len > 10 || (text.len > 1 && text.ptr[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t digit = (uint8_t)(text.ptr[i] - '0');
        if (digit > 9)
            return false;
        value = value * 10 + digit;
    }
    *index = (uint32_t)value;
    return value < SG_JSON_KEY_OFF;
}

void
sg_json_value_begin(struct sg_json *json, struct sg_json_buffer *room,
                    const struct sg_json_component *of, bool indexed)
{
    struct sg_json_cell *cell = &json->cell;
    cell->list = cell->tagged = cell->lasting = false;
    cell->indexed = indexed;
    cell->of = of;
    cell->room = room;
    cell->count = cell->pair_count = cell->texts = cell->objects = 0;
    cell->value = absent;
    cell->code = SG_FAULT_TABLE_END;
    cell->why = NULL;
    cell->shown = (struct sg_slice){NULL, 0};
}

// The first thing that is wrong is what is said.
static void
wrong(struct sg_json *json, enum sg_fault_code code, struct sg_slice shown,
      const char *why)
{
    struct sg_json_cell *cell = &json->cell;
    if (cell->code != SG_FAULT_TABLE_END)
        return;
    cell->code = code;
    cell->why = why;
    if (shown.len > SG_LIMIT_TEXT)
        shown.len = 0;
    cell->shown = sg_json_copy(json, &json->row_room, shown);
}

// ---- languages -------------------------------------------------------------------

static enum sg_err
put_items(struct sg_json *json, const struct sg_slice *items, size_t count,
          uint64_t announced, struct sg_slice *out)
{
    size_t size = sg_lists_size(items, count);
    uint8_t *at = sg_json_room(json, json->cell.room, size);
    if (at == NULL)
        return SG_ERR_FULL;
    struct sg_writer w = sg_writer_on(at, size);
    sg_lists_put(&w, announced, items, count);
    *out = sg_writer_slice(&w);
    return SG_OK;
}

static void
sort_pairs(struct sg_json *json)
{
    struct sg_json_cell *cell = &json->cell;
    struct sg_slice odd;
    cell->pair_count =
        (uint32_t)sg_lists_languages(cell->pairs, cell->pair_count, &odd);
    if (odd.ptr != NULL)
        wrong(json, SG_FAULT_LANGUAGE, odd,
              odd.len > 0 ? "the language stands twice"
                          : "a language without a name");
}

static enum sg_err
tagged_text(struct sg_json *json, enum sg_json_token token,
            struct sg_slice text)
{
    struct sg_json_cell *cell = &json->cell;
    if (token == SG_JSON_NAME && cell->pair_count == 2 * SG_JSON_PARTS) {
        wrong(json, SG_FAULT_JSON, text, "more languages than are accepted");
        cell->pair_count = 0;
    }
    struct sg_slice copy = sg_json_copy(json, cell->room, text);
    if (copy.ptr == NULL)
        return SG_ERR_FULL;
    if (token == SG_JSON_NAME) {
        cell->pairs[cell->pair_count] = copy;
        cell->pairs[cell->pair_count + 1] = SG_SLICE("");
        cell->pair_count += 2;
        return SG_OK;
    }
    if (token != SG_JSON_STRING && token != SG_JSON_NULL)
        wrong(json, SG_FAULT_JSON, text,
              "an object here names languages, each with one text");
    else if (token == SG_JSON_STRING)
        cell->pairs[cell->pair_count - 1] = copy;
    return SG_OK;
}

// ---- items -------------------------------------------------------------------------

static void
put_item(struct sg_json *json, struct sg_slice item)
{
    struct sg_json_cell *cell = &json->cell;
    if (cell->count == SG_JSON_PARTS)
        wrong(json, SG_FAULT_JSON, SG_SLICE(""),
              "more values than are accepted in one list");
    else
        cell->items[cell->count++] = item;
}

// The text of a value of the structure, if it is one.
static bool
listed_text(const struct sg_value *value, struct sg_slice *text)
{
    struct sg_reader r = sg_reader_on(sg_obs_value_bytes(value));
    *text = sg_obs_value_bytes(value);
    if (value->kind != SG_VALUE_SEVERAL)
        return value->kind != SG_VALUE_LANGUAGES;
    if (sg_bytes_varint(&r) != 1)
        return false;
    *text = sg_bytes_take(&r, sg_bytes_varint(&r));
    return true;
}

// A number that is an index; true: it is one and in range.
static bool
index_of(struct sg_json *json, enum sg_json_token token, struct sg_slice text,
         uint32_t *index)
{
    struct sg_json_cell *cell = &json->cell;
    if (token != SG_JSON_NUMBER || !sg_json_value_index(text, index)) {
        wrong(json, SG_FAULT_JSON, text,
              "the component has a list of values; an index of it must stand "
              "here");
        return false;
    }
    if (*index >= cell->of->count) {
        wrong(json, SG_FAULT_JSON, text,
              "the component has no value of that index in the message");
        return false;
    }
    return true;
}

static enum sg_err
list_item(struct sg_json *json, enum sg_json_token token, struct sg_slice text)
{
    struct sg_json_cell *cell = &json->cell;
    uint32_t index;
    struct sg_slice item = SG_SLICE("");
    cell->texts++;
    if (cell->indexed && token != SG_JSON_NULL) {
        if (!index_of(json, token, text, &index))
            return SG_OK;
        if (!listed_text(&cell->of->values[index], &item))
            wrong(json, SG_FAULT_JSON, text,
                  "a list of values within a list of values");
    } else if (token != SG_JSON_NULL) {
        item = sg_json_copy(json, cell->room, text);
        if (item.ptr == NULL)
            return SG_ERR_FULL;
    }
    put_item(json, item);
    return SG_OK;
}

static enum sg_err
list_done(struct sg_json *json)
{
    struct sg_json_cell *cell = &json->cell;
    struct sg_slice bytes;
    if (cell->texts > 0 && cell->objects > 0)
        wrong(json, SG_FAULT_JSON, SG_SLICE(""),
              "texts with and without languages in one list");
    if (cell->count == 0 || (cell->count == 1 && cell->items[0].len == 0))
        return SG_OK; // absent
    enum sg_err err =
        put_items(json, cell->items, cell->count, cell->count, &bytes);
    if (err == SG_OK)
        cell->value =
            (struct sg_value){bytes.ptr, (uint32_t)bytes.len, SG_VALUE_SEVERAL};
    return err;
}

static enum sg_err
tags_done(struct sg_json *json)
{
    struct sg_json_cell *cell = &json->cell;
    struct sg_slice bytes = SG_SLICE("");
    sort_pairs(json);
    if (cell->pair_count > 0) {
        enum sg_err err = put_items(json, cell->pairs, cell->pair_count,
                                    cell->pair_count / 2, &bytes);
        if (err != SG_OK)
            return err;
    }
    cell->tagged = false;
    cell->objects++;
    if (cell->list && bytes.len == 0)
        wrong(json, SG_FAULT_LANGUAGE, SG_SLICE(""),
              "a value of a list without a text in any language");
    if (cell->list)
        put_item(json, bytes);
    else if (bytes.len > 0)
        cell->value = (struct sg_value){bytes.ptr, (uint32_t)bytes.len,
                                        SG_VALUE_LANGUAGES};
    cell->open = cell->list;
    return SG_OK;
}

// ---- a value ---------------------------------------------------------------------

static enum sg_err
scalar(struct sg_json *json, enum sg_json_token token, struct sg_slice text)
{
    struct sg_json_cell *cell = &json->cell;
    uint32_t index;
    if (token == SG_JSON_NULL || (text.len == 0 && !cell->indexed))
        return SG_OK; // absent
    if (cell->indexed) {
        if (index_of(json, token, text, &index)) {
            cell->value = cell->of->values[index];
            cell->lasting = true;
        }
        return SG_OK;
    }
    struct sg_slice copy = sg_json_copy(json, cell->room, text);
    if (copy.ptr == NULL)
        return SG_ERR_FULL;
    cell->value =
        (struct sg_value){copy.ptr, (uint32_t)copy.len, SG_VALUE_TEXT};
    return cell->of != NULL && cell->of->several
               ? sg_json_value_wrap(json, cell->room, &cell->value)
               : SG_OK;
}

static enum sg_err
open_part(struct sg_json *json, enum sg_json_token token)
{
    struct sg_json_cell *cell = &json->cell;
    bool object = token == SG_JSON_OBJECT;
    if (cell->open && (!object || cell->tagged)) {
        // Its tokens are skipped; the value is at fault.
        wrong(json, SG_FAULT_JSON, SG_SLICE(""),
              object ? "an object here names languages, each with one text"
                     : "lists within lists are of reference metadata, which "
                       "is not read");
        json->skip = 1;
        return SG_OK;
    }
    if (object && cell->indexed)
        wrong(json, SG_FAULT_JSON, SG_SLICE(""),
              "the component has a list of values; an index of it must stand "
              "here");
    cell->open = true;
    cell->list |= !object;
    cell->tagged = object;
    cell->pair_count = 0;
    return SG_OK;
}

enum sg_err
sg_json_value_take(struct sg_json *json, enum sg_json_token token,
                   struct sg_slice text)
{
    struct sg_json_cell *cell = &json->cell;
    if (token == SG_JSON_OBJECT || token == SG_JSON_ARRAY)
        return open_part(json, token);
    if (token == SG_JSON_OBJECT_END)
        return tags_done(json);
    if (token == SG_JSON_ARRAY_END) {
        cell->open = false;
        return list_done(json);
    }
    if (cell->tagged)
        return tagged_text(json, token, text);
    return cell->list ? list_item(json, token, text)
                      : scalar(json, token, text);
}

enum sg_err
sg_json_value_wrap(struct sg_json *json, struct sg_json_buffer *room,
                   struct sg_value *value)
{
    size_t size = value->len + 20;
    uint8_t *at = sg_json_room(json, room, size);
    if (at == NULL)
        return SG_ERR_FULL;
    struct sg_writer w = sg_writer_on(at, size);
    sg_bytes_put_varint(&w, 1);
    sg_bytes_put_varint(&w, value->len);
    sg_bytes_put(&w, value->ptr, value->len);
    *value = (struct sg_value){at, (uint32_t)w.len, SG_VALUE_SEVERAL};
    return SG_OK;
}
