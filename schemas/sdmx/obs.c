#include "schemas/sdmx/obs.h"

#include "schemas/sdmx/csv.h"
#include "schemas/sdmx/json.h"
#include "schemas/sdmx/ml21.h"

enum { HEAD = 4096 }; // bytes looked at to know the format

static const struct {
    const char *name;
    enum sg_media media;
} media_names[] = {
    {"csv10", SG_MEDIA_CSV10},         {"csv20", SG_MEDIA_CSV20},
    {"csv21", SG_MEDIA_CSV21},         {"ml21", SG_MEDIA_ML21},
    {"ml30", SG_MEDIA_ML30},           {"json10", SG_MEDIA_JSON10},
    {"json20", SG_MEDIA_JSON20},       {"json21", SG_MEDIA_JSON21},
    {"generic21", SG_MEDIA_GENERIC21}, {"ml20", SG_MEDIA_ML20},
    {"structure", SG_MEDIA_STRUCTURE},
};

const char *
sg_obs_media_name(enum sg_media media)
{
    for (size_t i = 0; i < SG_COUNT_OF(media_names); i++)
        if (media_names[i].media == media)
            return media_names[i].name;
    return "unknown";
}

enum sg_media
sg_obs_media_by_name(struct sg_slice name)
{
    for (size_t i = 0; i < SG_COUNT_OF(media_names); i++)
        if (sg_slice_eq(name, sg_slice_text(media_names[i].name)))
            return media_names[i].media;
    return SG_MEDIA_UNKNOWN;
}

// ---- what bytes are ------------------------------------------------------------

static bool
contains(struct sg_slice text, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= text.len; i++)
        if (memcmp(text.ptr + i, word, len) == 0)
            return true;
    return false;
}

static struct sg_slice
skip(struct sg_slice text, size_t bytes)
{
    return sg_slice_of(text.ptr + bytes, text.len - bytes);
}

// The root element's tag, behind declaration, comments and DOCTYPE.
static struct sg_slice
root_tag(struct sg_slice text)
{
    size_t at = 0;
    while (at + 1 < text.len) {
        uint8_t after = text.ptr[at + 1];
        if (text.ptr[at] == '<' && after != '?' && after != '!')
            return skip(text, at);
        bool comment =
            text.len - at >= 4 && memcmp(text.ptr + at, "<!--", 4) == 0;
        if (!comment) {
            at++;
            continue;
        }
        at += 4;
        while (at + 3 <= text.len && memcmp(text.ptr + at, "-->", 3) != 0)
            at++;
    }
    return sg_slice_of(text.ptr, 0);
}

static enum sg_media
detect_xml(struct sg_slice text)
{
    struct sg_slice tag = root_tag(text);
    if (tag.len == 0)
        return SG_MEDIA_ML21; // the reader will say what is wrong
    if (contains(tag, "/SDMXML/schemas/v2_0") ||
        contains(tag, "/SDMXML/schemas/v1_0"))
        return SG_MEDIA_ML20;
    if (contains(tag, "sdmxml/schemas/v3_"))
        return contains(tag, "StructureSpecificData") ? SG_MEDIA_ML30
                                                      : SG_MEDIA_STRUCTURE;
    struct sg_slice name = tag;
    for (size_t i = 1; i < tag.len; i++)
        if (tag.ptr[i] <= ' ' || tag.ptr[i] == '>' || tag.ptr[i] == '/') {
            name.len = i;
            break;
        }
    if (contains(name, "Generic"))
        return SG_MEDIA_GENERIC21;
    if (contains(name, "StructureSpecific"))
        return SG_MEDIA_ML21;
    if (contains(name, "Structure") || contains(name, "RegistryInterface"))
        return SG_MEDIA_STRUCTURE;
    return SG_MEDIA_ML21;
}

// Is there a "$schema" that says so?
static bool
schema_says(struct sg_slice text, const char *word)
{
    static const char name[] = "\"$schema\"";
    enum { ADDRESS = 160 };
    for (size_t i = 0; i + sizeof name - 1 <= text.len; i++) {
        if (memcmp(text.ptr + i, name, sizeof name - 1) != 0)
            continue;
        struct sg_slice near = skip(text, i);
        near.len = near.len < ADDRESS ? near.len : ADDRESS;
        return contains(near, word);
    }
    return false;
}

// The reader of JSON knows better once it has read the message.
static enum sg_media
detect_json(struct sg_slice text)
{
    static const char *const structures[] = {
        "json-structure-schema", "\"dataStructures\"", "\"codelists\"",
        "\"conceptSchemes\""};
    for (size_t i = 0; i < SG_COUNT_OF(structures); i++)
        if (contains(text, structures[i]))
            return SG_MEDIA_STRUCTURE;
    if (schema_says(text, "/2.1"))
        return SG_MEDIA_JSON21;
    if (contains(text, "\"structures\"") || contains(text, "schemas/2.0"))
        return SG_MEDIA_JSON20;
    return SG_MEDIA_JSON10;
}

static bool
begins(struct sg_slice head, const char *with, size_t len)
{
    return head.len >= len && memcmp(head.ptr, with, len) == 0;
}

enum sg_media
sg_obs_media_detect(struct sg_slice head)
{
    if (head.len >= 3 && memcmp(head.ptr, "\xef\xbb\xbf", 3) == 0)
        head = skip(head, 3);
    // UTF-16: only XML knows how to say so.
    if (begins(head, "\xfe\xff\0<", 4) || begins(head, "\xff\xfe<\0", 4))
        return SG_MEDIA_ML21;
    size_t at = 0;
    while (at < head.len && (head.ptr[at] == ' ' || head.ptr[at] == '\t' ||
                             head.ptr[at] == '\r' || head.ptr[at] == '\n'))
        at++;
    if (at < head.len && head.ptr[at] == '<')
        return detect_xml(skip(head, at));
    if (at < head.len && head.ptr[at] == '{')
        return detect_json(skip(head, at));
    if (head.len > 0 && head.ptr[0] == '"')
        head = skip(head, 1);
    if (head.len >= 8 && memcmp(head.ptr, "DATAFLOW", 8) == 0)
        return SG_MEDIA_CSV10;
    if (head.len >= 9 && memcmp(head.ptr, "STRUCTURE", 9) == 0)
        return SG_MEDIA_CSV21;
    return SG_MEDIA_UNKNOWN;
}

// What offices send by mistake. A reader would name the place where the bytes
// stop to be text, which helps nobody who sees a table in his program.
static const struct {
    const char *with;
    size_t len;
    const char *what;
} foreign_bytes[] = {
    {"\x1f\x8b", 2, "the file is packed by gzip: unpack it first"},
    {"BZh", 3, "the file is packed by bzip2: unpack it first"},
    {"\xfd\x37zXZ", 5, "the file is packed by xz: unpack it first"},
    {"\x28\xb5\x2f\xfd", 4, "the file is packed by zstd: unpack it first"},
    {"PK\x03\x04", 4,
     "the file is an Excel workbook or a zip file: save the table as CSV UTF-8, "
     "or unpack it first"},
    {"\xd0\xcf\x11\xe0", 4,
     "the file is an old Excel or Word file: save the table as CSV UTF-8"},
    {"%PDF", 4, "the file is a PDF: send the table that it was made from"},
    {"\xff\xfe", 2, "the text is UTF-16: save it again as UTF-8"},
    {"\xfe\xff", 2, "the text is UTF-16: save it again as UTF-8"},
    {"D\0", 2, "the text is UTF-16: save it again as UTF-8"},
    {"S\0", 2, "the text is UTF-16: save it again as UTF-8"},
    {"\0D", 2, "the text is UTF-16: save it again as UTF-8"},
    {"\0S", 2, "the text is UTF-16: save it again as UTF-8"},
};

static const char *const foreign_media[SG_MEDIA_END] = {
    [SG_MEDIA_STRUCTURE] = ("the file holds structures and no data: "
                            "statgate structure import reads it"),
};

const char *
sg_obs_foreign(struct sg_slice head)
{
    enum sg_media media = sg_obs_media_detect(head);

    if (media != SG_MEDIA_UNKNOWN)
        return foreign_media[media];
    for (size_t i = 0; i < SG_COUNT_OF(foreign_bytes); i++) {
        if (begins(head, foreign_bytes[i].with, foreign_bytes[i].len))
            return foreign_bytes[i].what;
    }
    return NULL;
}

// `A:B(C)`, C may be missing with its brackets.
bool
sg_obs_ref_parse(struct sg_slice text, struct sg_obs_ref *ref)
{
    const uint8_t *colon =
        text.len == 0 ? NULL : memchr(text.ptr, ':', text.len);
    if (colon == NULL || colon == text.ptr)
        return false;
    ref->agency = sg_slice_of(text.ptr, (size_t)(colon - text.ptr));
    struct sg_slice rest =
        sg_slice_of(colon + 1, text.len - ref->agency.len - 1);
    for (size_t i = 0; i + 1 < rest.len; i++) // labels=both
        if (rest.ptr[i] == ':' && rest.ptr[i + 1] == ' ')
            rest.len = i;
    const uint8_t *open =
        rest.len == 0 ? NULL : memchr(rest.ptr, '(', rest.len);
    ref->version = (struct sg_slice){NULL, 0};
    if (open != NULL) {
        size_t at = (size_t)(open - rest.ptr);
        if (rest.ptr[rest.len - 1] != ')' || at + 2 >= rest.len)
            return false;
        ref->version = sg_slice_of(open + 1, rest.len - at - 2);
        rest.len = at;
    }
    ref->id = rest;
    return rest.len > 0;
}

// ---- reader --------------------------------------------------------------------

struct sg_obs_reader {
    struct sg_arena *arena;
    struct sg_obs_sink sink;
    struct sg_obs_reader_options options;
    enum sg_media media;
    struct sg_csv *csv; // one of them, once the format is known
    struct sg_ml21 *ml;
    struct sg_json *json;
    size_t head_len;
    uint8_t head[HEAD];
};

struct sg_obs_reader *
sg_obs_reader_new(struct sg_arena *arena, const struct sg_obs_sink *sink,
                  const struct sg_obs_reader_options *options)
{
    struct sg_obs_reader *reader = sg_arena_take(arena, sizeof *reader);
    if (reader == NULL)
        return NULL;
    reader->arena = arena;
    reader->sink = *sink;
    reader->options = *options;
    reader->media = options->media;
    return reader;
}

void
sg_obs_reader_fini(struct sg_obs_reader *reader)
{
    if (reader != NULL && reader->ml != NULL)
        sg_ml21_fini(reader->ml);
}

enum sg_media
sg_obs_reader_media(const struct sg_obs_reader *reader)
{
    enum sg_media found =
        reader->json == NULL ? SG_MEDIA_UNKNOWN : sg_json_media(reader->json);
    return found == SG_MEDIA_UNKNOWN ||
                   reader->options.media != SG_MEDIA_UNKNOWN
               ? reader->media
               : found;
}

uint64_t
sg_obs_reader_rows(const struct sg_obs_reader *reader)
{
    if (reader->csv != NULL)
        return sg_csv_rows(reader->csv);
    if (reader->json != NULL)
        return sg_json_rows(reader->json);
    return reader->ml != NULL ? sg_ml21_rows(reader->ml) : 0;
}

static enum sg_err
pass(struct sg_obs_reader *reader, struct sg_slice bytes)
{
    if (reader->csv != NULL)
        return sg_csv_feed(reader->csv, bytes);
    return reader->json != NULL ? sg_json_feed(reader->json, bytes)
                                : sg_ml21_feed(reader->ml, bytes);
}

static bool
has_begun(const struct sg_obs_reader *reader)
{
    return reader->csv != NULL || reader->ml != NULL || reader->json != NULL;
}

static enum sg_err
make(struct sg_obs_reader *reader)
{
    struct sg_arena *arena = reader->arena;
    const struct sg_obs_reader_options *o = &reader->options;
    switch (reader->media) {
    case SG_MEDIA_UNKNOWN: // no SDMX at all: the first column tells
    case SG_MEDIA_CSV10:
    case SG_MEDIA_CSV20:
    case SG_MEDIA_CSV21:
        reader->csv = sg_csv_new(arena, &reader->sink, o->portable);
        break;
    case SG_MEDIA_ML21:
    case SG_MEDIA_ML30:
    case SG_MEDIA_GENERIC21:
    case SG_MEDIA_ML20:
        reader->ml = sg_ml21_new(arena, reader->media, &reader->sink,
                                 o->xml_salt, o->portable);
        break;
    case SG_MEDIA_JSON10:
    case SG_MEDIA_JSON20:
    case SG_MEDIA_JSON21:
        reader->json =
            sg_json_new(arena, &reader->sink, o->xml_salt, o->portable);
        break;
    case SG_MEDIA_STRUCTURE:
    case SG_MEDIA_END:
        return SG_ERR_UNSUPPORTED;
    }
    return has_begun(reader) ? SG_OK : SG_ERR_FULL;
}

// The format is decided; makes its reader and gives it what was held back.
static enum sg_err
begin(struct sg_obs_reader *reader)
{
    struct sg_slice head = sg_slice_of(reader->head, reader->head_len);
    if (reader->media == SG_MEDIA_UNKNOWN)
        reader->media = sg_obs_media_detect(head);
    enum sg_err err = make(reader);
    return err == SG_OK ? pass(reader, head) : err;
}

enum sg_err
sg_obs_reader_feed(struct sg_obs_reader *reader, struct sg_slice bytes)
{
    if (!has_begun(reader)) {
        size_t take = HEAD - reader->head_len;
        if (take > bytes.len)
            take = bytes.len;
        if (take > 0)
            memcpy(reader->head + reader->head_len, bytes.ptr, take);
        reader->head_len += take;
        if (reader->head_len < HEAD)
            return SG_OK;
        enum sg_err err = begin(reader);
        if (err != SG_OK)
            return err;
        bytes = skip(bytes, take);
    }
    return bytes.len == 0 ? SG_OK : pass(reader, bytes);
}

enum sg_err
sg_obs_reader_end(struct sg_obs_reader *reader)
{
    if (!has_begun(reader)) {
        enum sg_err err = begin(reader);
        if (err != SG_OK)
            return err;
    }
    if (reader->csv != NULL)
        return sg_csv_end(reader->csv);
    return reader->json != NULL ? sg_json_end(reader->json)
                                : sg_ml21_end(reader->ml);
}

bool
sg_obs_reader_again(struct sg_obs_reader *reader)
{
    return reader->json != NULL && sg_json_again(reader->json);
}
