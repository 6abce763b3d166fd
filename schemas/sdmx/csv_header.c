#include "broker/base/check.h"
#include "schemas/sdmx/csv_parts.h"

static void
say(const struct sg_obs_sink *sink, enum sg_fault_code code,
    struct sg_slice component, const char *hint)
{
    struct sg_fault fault = {.code = code,
                             .component = component,
                             .hint = sg_slice_text(hint),
                             .line = 1};
    sink->fault(sink->context, &fault);
}

static bool
starts_with(struct sg_slice text, const char *word)
{
    size_t len = strlen(word);
    return text.len >= len && memcmp(text.ptr, word, len) == 0;
}

static bool
may_separate(uint8_t c)
{
    return c >= 0x09 && c < 0x7f && c != '"' && c != '_' && c != '\r' &&
           c != '\n' && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
           !(c >= 'a' && c <= 'z');
}

// The first column and what follows it: version and both separators.
static const char *
read_first(struct sg_csv_header *header, struct sg_slice text)
{
    size_t at = text.len > 0 && text.ptr[0] == '"';
    struct sg_slice rest = sg_slice_of(text.ptr + at, text.len - at);
    if (starts_with(rest, "DATAFLOW")) {
        header->version = 1;
        at += 8;
    } else if (starts_with(rest, "STRUCTURE")) {
        header->version = 2;
        at += 9;
        if (at + 2 < text.len && text.ptr[at] == '[') {
            header->sub = text.ptr[at + 1];
            if (text.ptr[at + 2] != ']' || !may_separate(header->sub))
                return "the first column is STRUCTURE or STRUCTURE[;]";
            at += 3;
        }
    } else {
        return "the first column must be DATAFLOW (SDMX-CSV 1.0) or STRUCTURE "
               "(2.0, 2.1)";
    }
    if (text.len > 0 && text.ptr[0] == '"') {
        if (at >= text.len || text.ptr[at] != '"')
            return "the quotes of the first column are not closed";
        at++;
    }
    if (at >= text.len || !may_separate(text.ptr[at]))
        return "after the first column comes the separator: DATAFLOW,FREQ,...";
    header->delimiter = text.ptr[at];
    if (header->sub == header->delimiter)
        return "the sub-field separator must not be the separator";
    return NULL;
}

// Name[: label], Name[], Name[en;fr], both.
static bool
read_name(struct sg_csv_column *column, struct sg_slice text)
{
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.ptr[i] == ':' && text.ptr[i + 1] == ' ') {
            text.len = i;
            column->label = true;
        }
    const uint8_t *open =
        text.len == 0 ? NULL : memchr(text.ptr, '[', text.len);
    size_t at = open == NULL ? text.len : (size_t)(open - text.ptr);
    column->name = sg_slice_of(text.ptr, at);
    while (at < text.len && text.ptr[at] == '[') {
        const uint8_t *close = memchr(text.ptr + at, ']', text.len - at);
        if (close == NULL)
            return false;
        if (close == text.ptr + at + 1)
            column->several = true;
        else
            column->languages = true;
        at = (size_t)(close - text.ptr) + 1;
    }
    // A path of a metadata attribute (A[].B) is a custom column here.
    if (at < text.len) {
        column->name = text;
        column->several = column->languages = false;
    }
    return true;
}

static uint8_t
role_of(const struct sg_csv_header *header, uint32_t index,
        struct sg_slice name)
{
    if (index == 0)
        return SG_CSV_ROLE_STRUCTURE;
    if (header->version == 1)
        return SG_CSV_ROLE_OTHER;
    if (index == 1)
        return SG_CSV_ROLE_STRUCTURE_ID;
    if (sg_slice_eq(name, SG_SLICE("ACTION")))
        return SG_CSV_ROLE_ACTION;
    if (sg_slice_eq(name, SG_SLICE("STRUCTURE_NAME")) ||
        sg_slice_eq(name, SG_SLICE("SERIES_KEY")) ||
        sg_slice_eq(name, SG_SLICE("OBS_KEY")))
        return SG_CSV_ROLE_IGNORED;
    return SG_CSV_ROLE_OTHER;
}

static enum sg_err
read_columns(struct sg_csv_header *header, const struct sg_csv_row *row,
             struct sg_arena *arena)
{
    struct sg_csv_scratch scratch = {.arena = arena};
    header->columns =
        sg_arena_take(arena, row->count * sizeof *header->columns);
    if (header->columns == NULL)
        return SG_ERR_FULL;
    header->count = row->count;
    for (uint32_t i = 0; i < row->count; i++) {
        struct sg_csv_column *column = &header->columns[i];
        struct sg_slice text = sg_csv_cell_text(row, i, &scratch);
        if (text.len > 0) {
            text = sg_arena_copy(arena, text);
            if (text.ptr == NULL || scratch.full)
                return SG_ERR_FULL;
        }
        if (i == 0 || !read_name(column, text))
            column->name = text;
        column->role = role_of(header, i, column->name);
        if (i >= 2 && sg_slice_eq(column->name, SG_SLICE("STRUCTURE_NAME")))
            header->with_names = header->version == 2;
    }
    return SG_OK;
}

// First column with the same name; the column itself if there is none.
static uint32_t
first_named(const struct sg_csv_header *header, uint32_t column)
{
    for (uint32_t i = 0; i < column; i++)
        if (sg_slice_eq(header->columns[i].name, header->columns[column].name))
            return i;
    return column;
}

static void
check_columns(struct sg_csv_header *header, const struct sg_obs_sink *sink)
{
    if (header->version == 2 &&
        (header->count < 2 ||
         !sg_slice_eq(header->columns[1].name, SG_SLICE("STRUCTURE_ID"))))
        say(sink, SG_FAULT_HEADER, SG_SLICE("STRUCTURE_ID"),
            "the second column must be STRUCTURE_ID");
    for (uint32_t i = 1; i < header->count; i++) {
        struct sg_csv_column *column = &header->columns[i];
        if ((column->several || column->languages) && header->sub == 0 &&
            header->version == 2) {
            say(sink, SG_FAULT_HEADER_SUBDELIM, column->name,
                "declare the separator in the first column: STRUCTURE[;]");
            header->sub = ';';
        }
        // Names beside the values (labels=name) may well be equal.
        if (!header->with_names && first_named(header, i) != i) {
            say(sink, SG_FAULT_HEADER_DUPLICATE, column->name, NULL);
            column->role = SG_CSV_ROLE_IGNORED;
        }
    }
}

bool
sg_csv_header_read(struct sg_csv_header *header, struct sg_slice bytes,
                   struct sg_csv_row *row, struct sg_arena *arena,
                   const struct sg_obs_sink *sink, enum sg_err *err)
{
    *err = SG_OK;
    memset(header, 0, sizeof *header);
    if (bytes.len >= 3 && memcmp(bytes.ptr, "\xef\xbb\xbf", 3) == 0)
        bytes = sg_slice_of(bytes.ptr + 3, bytes.len - 3);
    if (bytes.len == 0) {
        say(sink, SG_FAULT_EMPTY, SG_SLICE(""), NULL);
        return false;
    }
    if (!sg_slice_is_utf8(bytes)) {
        say(sink, SG_FAULT_ENCODING, SG_SLICE(""), "the header is not UTF-8");
        return false;
    }
    const char *wrong = read_first(header, bytes);
    if (wrong != NULL) {
        say(sink, SG_FAULT_HEADER, SG_SLICE(""), wrong);
        return false;
    }
    sg_csv_row_split(row, bytes, header->delimiter);
    if (row->count > SG_LIMIT_COLUMNS) {
        say(sink, SG_FAULT_HEADER, SG_SLICE(""),
            "more columns than any structure has");
        return false;
    }
    if (row->stray || row->open) {
        say(sink, SG_FAULT_CSV_SYNTAX, SG_SLICE(""), "in the header");
        return false;
    }
    *err = read_columns(header, row, arena);
    if (*err != SG_OK)
        return false;
    check_columns(header, sink);
    return true;
}

static void
bind_one(struct sg_csv_column *column, const struct sg_structure *structure,
         int32_t index)
{
    const struct sg_component *c = &structure->components[index];
    column->role = SG_CSV_ROLE_COMPONENT;
    column->component = (uint16_t)index;
    column->dimension = c->kind == SG_KIND_DIMENSION || c->kind == SG_KIND_TIME;
    // Only codes, dimensions and numbers can have a label; text may hold ": ".
    column->label = column->label && (c->list >= 0 || column->dimension);
    column->plain =
        !column->label && !column->several && !column->languages && !c->several;
}

void
sg_csv_header_bind(struct sg_csv_header *header,
                   const struct sg_structure *structure,
                   const struct sg_obs_sink *sink)
{
    uint64_t present[SG_OBS_CHANGED_WORDS] = {0};
    bool after_component = false;
    for (uint32_t i = 1; i < header->count; i++) {
        struct sg_csv_column *column = &header->columns[i];
        if (column->role != SG_CSV_ROLE_OTHER)
            continue;
        int32_t index = sg_structure_find(structure, column->name);
        if (index < 0 && sg_slice_eq(column->name, SG_SLICE("OBS_VALUE")))
            index = structure->measure;
        if (index < 0) {
            column->role = SG_CSV_ROLE_IGNORED;
            if (!(header->with_names && after_component)) {
                struct sg_fault fault = {
                    .code = SG_FAULT_UNKNOWN_COMPONENT,
                    .warning = true,
                    .component = column->name,
                    .hint = SG_SLICE("a custom column; it is not part of the "
                                     "data and will not be passed on"),
                    .line = 1};
                sink->fault(sink->context, &fault);
            }
            after_component = false;
            continue;
        }
        uint64_t *word = &present[index / 64];
        if (*word >> index % 64 & 1) {
            column->role = SG_CSV_ROLE_IGNORED;
            if (first_named(header, i) == i || header->with_names)
                say(sink, SG_FAULT_HEADER_DUPLICATE, column->name, NULL);
            continue;
        }
        *word |= 1ull << index % 64;
        bind_one(column, structure, index);
        after_component = true;
    }
    if (sink->columns != NULL)
        sink->columns(sink->context, present, 1);
}
