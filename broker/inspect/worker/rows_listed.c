// Whom a CONF_REDIST names: ids and nothing else.
//
// A text that holds anything beside ids ("not KE_KNBS", "ESS and partners") is
// not understood in part: to read the names out of it could turn it round. Free
// text never gets into facts, which evidence keeps.
#include <stdio.h>

#include "broker/base/bytes.h"
#include "broker/inspect/worker/rows.h"

enum { LISTED_MAX = 32 };

struct listed {
    struct sg_slice id[LISTED_MAX]; // in order, each once
    size_t count;
};

static struct sg_slice
trim(struct sg_slice text)
{
    while (text.len > 0 && text.ptr[0] == ' ')
        text = sg_slice_of(text.ptr + 1, text.len - 1);
    while (text.len > 0 && text.ptr[text.len - 1] == ' ')
        text.len--;
    return text;
}

static bool
add(struct listed *list, struct sg_slice text)
{
    struct sg_slice id = trim(text);
    size_t at = list->count;

    if (!sg_slice_is_id(id))
        return false;
    while (at > 0 && sg_slice_cmp(list->id[at - 1], id) > 0)
        at--;
    if (at > 0 && sg_slice_eq(list->id[at - 1], id))
        return true;
    if (list->count == LISTED_MAX)
        return false;
    memmove(&list->id[at + 1], &list->id[at],
            (list->count - at) * sizeof *list->id);
    list->id[at] = id;
    list->count++;
    return true;
}

static bool
add_text(struct listed *list, struct sg_slice text)
{
    size_t from = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != ',' && text.ptr[i] != ';')
            continue;
        if (!add(list, sg_slice_of(text.ptr + from, i - from)))
            return false;
        from = i + 1;
    }
    return true;
}

static bool
add_items(struct listed *list, struct sg_slice items)
{
    struct sg_reader r = sg_reader_on(items);
    uint64_t count = sg_bytes_varint(&r);

    for (uint64_t i = 0; i < count && !r.failed; i++) {
        struct sg_slice item = sg_bytes_take(&r, sg_bytes_varint(&r));
        if (r.failed || !add(list, item))
            return false;
    }
    return !r.failed;
}

bool
sg_rows_listed(const struct sg_value *value, char *out, size_t cap)
{
    struct listed list = {.count = 0};
    struct sg_slice bytes = sg_obs_value_bytes(value);
    size_t len = 0;

    if (!(value->kind == SG_VALUE_TEXT      ? add_text(&list, bytes)
          : value->kind == SG_VALUE_SEVERAL ? add_items(&list, bytes)
                                            : false))
        return false;
    if (list.count == 0) {
        snprintf(out, cap, "nobody");
        return true;
    }
    for (size_t i = 0; i < list.count; i++) {
        int more = snprintf(out + len, cap - len, "%s%.*s", i == 0 ? "" : ",",
                            SG_SLICE_ARG(list.id[i]));
        if (more < 0 || (size_t)more >= cap - len)
            return false;
        len += (size_t)more;
    }
    return true;
}
