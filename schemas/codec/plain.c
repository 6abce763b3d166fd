#include "schemas/codec/plain.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "broker/base/check.h"
#include "broker/base/limits.h"
#include "broker/base/slice.h"

// ---- characters ------------------------------------------------------------------

// Length of the UTF-8 sequence at text, and its number; 1 and the byte itself
// where there is none.
static size_t
next_char(const uint8_t *text, uint32_t *number)
{
    size_t len = text[0] < 0xc2   ? 1
                 : text[0] < 0xe0 ? 2
                 : text[0] < 0xf0 ? 3
                 : text[0] < 0xf5 ? 4
                                  : 1;
    *number = text[0];
    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 1;
    }
    if (len > 1)
        *number = text[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++)
        *number = *number << 6 | (text[i] & 0x3fu);
    return len;
}

// Ranges that are never shown (Unicode 15, categories Cc, Zl, Zp, and those of
// Cf that turn or hide; joiners, which scripts need, are not among them).
static const struct {
    uint32_t from, to;
} unfit[] = {{0x01, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},
             {0x61c, 0x61c},   {0x180e, 0x180e}, {0x200b, 0x200b},
             {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
             {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};

static bool
is_fit(uint32_t number, size_t len)
{
    if (len == 1 && number >= 0x80)
        return false; // no UTF-8
    for (size_t i = 0; i < SG_COUNT_OF(unfit); i++)
        if (number >= unfit[i].from && number <= unfit[i].to)
            return false;
    return true;
}

void
sg_plain_text(char *text, bool lines)
{
    size_t from = 0, to = 0;

    while (text[from] != '\0') {
        uint32_t number;
        size_t len = next_char((const uint8_t *)text + from, &number);
        if (is_fit(number, len) || (lines && number == '\n')) {
            if (to != from)
                memmove(text + to, text + from, len);
            to += len;
        } else {
            text[to++] = '?';
        }
        from += len;
    }
    if (to != from) // what has no such character may lie in constant memory
        text[to] = '\0';
}

void
sg_plain_copy(char *out, size_t cap, const char *text)
{
    static const char more[] = "...";
    size_t len = strlen(text);

    SG_ASSERT(cap > sizeof more);
    if (len < cap) {
        memcpy(out, text, len + 1);
        return;
    }
    len = cap - sizeof more;
    while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
        len--;
    (void)snprintf(out, cap, "%.*s%s", (int)len, text, more);
}

// ---- messages --------------------------------------------------------------------

// What a field of a message holds: its members and how many.
static size_t
members(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
        uint8_t **at)
{
    uint8_t *base = (uint8_t *)(uintptr_t)message;
    size_t count;
    uint32_t chosen;

    *at = base + field->offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        memcpy(&count, base + field->quantifier_offset, sizeof count);
        memcpy(at, base + field->offset, sizeof *at);
        return count;
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        memcpy(&chosen, base + field->quantifier_offset, sizeof chosen);
        return chosen == field->id;
    }
    return 1;
}

static void *
pointer_at(const uint8_t *at, size_t i)
{
    void *pointer;

    memcpy(&pointer, at + i * sizeof pointer, sizeof pointer);
    return pointer;
}

static bool
has_lines(const char *field)
{
    return strcmp(field, "cure") == 0 || strcmp(field, "text") == 0;
}

static bool
ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), more = strlen(end);

    return len >= more && strcmp(name + len - more, end) == 0;
}

static bool
length_fits(const char *field, size_t len)
{
    static const struct {
        const char *end;
        size_t len;
    } known[] = {
        {"sha256", 32}, {"key_id", 32}, {"delivery_id", 16}, {"record_id", 16}};

    for (size_t i = 0; i < SG_COUNT_OF(known); i++)
        if (ends_with(field, known[i].end))
            return len == 0 || len == known[i].len;
    return true;
}

// One walk for both: make: strings become plain; else lengths are looked at.
static bool
walk(const ProtobufCMessage *message, bool make, unsigned depth)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    bool fits = depth > 0;

    for (unsigned f = 0; f < type->n_fields && fits; f++) {
        const ProtobufCFieldDescriptor *field = &type->fields[f];
        uint8_t *at;
        size_t count = members(message, field, &at);
        for (size_t i = 0; i < count && fits; i++) {
            ProtobufCBinaryData bytes;
            if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
                const ProtobufCMessage *inner = pointer_at(at, i);
                fits = inner == NULL || walk(inner, make, depth - 1);
            } else if (field->type == PROTOBUF_C_TYPE_STRING && make) {
                char *text = pointer_at(at, i);
                if (text != NULL)
                    sg_plain_text(text, has_lines(field->name));
            } else if (field->type == PROTOBUF_C_TYPE_BYTES && !make) {
                memcpy(&bytes, at + i * sizeof bytes, sizeof bytes);
                fits = length_fits(field->name, bytes.len);
            }
        }
    }
    return fits;
}

void
sg_plain_message(ProtobufCMessage *message)
{
    (void)walk(message, true, SG_LIMIT_PB_DEPTH + 1);
}

bool
sg_plain_lengths(const ProtobufCMessage *message)
{
    return walk(message, false, SG_LIMIT_PB_DEPTH + 1);
}
