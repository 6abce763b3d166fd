#include "schemas/sdmx/csv.h"

#include <stdio.h>

#include "broker/base/check.h"
#include "schemas/sdmx/csv_parts.h"

enum phase { PHASE_HEADER, PHASE_ROWS, PHASE_DEAD };

struct sg_csv {
    struct sg_arena *arena;
    struct sg_obs_sink sink;
    bool portable;
    enum phase phase;
    struct sg_csv_header header;
    const struct sg_structure *structure; // that the columns are bound to
    bool ref_open; // the last reference was refused: rows are not looked at
    uint64_t rows, line;
    // The part of a row that a feed left over.
    uint8_t *carry;
    size_t carry_len, carry_cap;
    enum sg_csv_state carry_state;
    // The row being read and what is known of the one before.
    struct sg_csv_row *row;
    bool skip;  // the row before has been taken over field by field
    bool fresh; // values of the row before are gone
    struct sg_csv_scratch scratch;
    uint64_t forced[SG_OBS_CHANGED_WORDS]; // values that lay in scratch
    struct sg_value *values;
    struct sg_obs obs;
    // Cells of the structure as they were last read.
    struct sg_slice structure_cell, id_cell;
    uint8_t cells[2][512];
    struct sg_scan *scan;
};

struct sg_csv *
sg_csv_new(struct sg_arena *arena, const struct sg_obs_sink *sink,
           bool portable)
{
    struct sg_csv *csv = sg_arena_take(arena, sizeof *csv);
    if (csv == NULL)
        return NULL;
    csv->arena = arena;
    csv->sink = *sink;
    csv->portable = portable;
    csv->line = 1;
    csv->scratch.arena = arena;
    csv->row = sg_arena_take(arena, sizeof *csv->row);
    csv->scan = sg_arena_take(arena, sizeof *csv->scan);
    csv->obs.sent = 'I';
    csv->obs.action = SG_ACTION_MERGE;
    csv->fresh = true;
    return csv->row == NULL || csv->scan == NULL ? NULL : csv;
}

uint64_t
sg_csv_rows(const struct sg_csv *csv)
{
    return csv->rows;
}

static void
say(struct sg_csv *csv, enum sg_fault_code code, struct sg_slice component,
    struct sg_slice value, const char *hint)
{
    struct sg_fault fault = {.code = code,
                             .component = component,
                             .value = value,
                             .hint = sg_slice_text(hint),
                             .row = csv->rows,
                             .line = csv->line};
    csv->sink.fault(csv->sink.context, &fault);
}

// ---- what a row says of its structure -----------------------------------------

static bool
word_is(struct sg_slice text, const char *word)
{
    if (text.len != strlen(word))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if ((text.ptr[i] | 0x20) != word[i])
            return false;
    return true;
}

static bool
read_ref(struct sg_csv *csv, struct sg_slice kind, struct sg_slice id,
         struct sg_obs_ref *ref)
{
    static const struct {
        const char *word;
        enum sg_obs_ref_kind kind;
    } words[] = {{"dataflow", SG_OBS_REF_DATAFLOW},
                 {"datastructure", SG_OBS_REF_DATASTRUCTURE},
                 {"dataprovision", SG_OBS_REF_DATAPROVISION}};
    *ref = (struct sg_obs_ref){.kind = SG_OBS_REF_DATAFLOW};
    if (csv->header.version == 2) {
        ref->kind = 0;
        for (size_t i = 0; i < SG_COUNT_OF(words); i++)
            if (word_is(kind, words[i].word))
                ref->kind = words[i].kind;
        if (ref->kind == 0) {
            say(csv, SG_FAULT_STRUCTURE_TYPE, SG_SLICE("STRUCTURE"), kind,
                "dataflow, datastructure or dataprovision");
            return false;
        }
    }
    if (sg_obs_ref_parse(id, ref))
        return true;
    say(csv, SG_FAULT_STRUCTURE_REF,
        csv->header.columns[csv->header.version - 1].name, id,
        "the form is AGENCY:ID(VERSION)");
    return false;
}

static enum sg_err
bind(struct sg_csv *csv, const struct sg_structure *structure)
{
    csv->structure = structure;
    csv->values = sg_arena_take(csv->arena, structure->component_count *
                                                sizeof *csv->values);
    if (csv->values == NULL)
        return SG_ERR_FULL;
    csv->obs.values = csv->values;
    sg_csv_header_bind(&csv->header, structure, &csv->sink);
    return SG_OK;
}

static enum sg_err
new_ref(struct sg_csv *csv, struct sg_slice kind, struct sg_slice id)
{
    struct sg_obs_ref ref;
    csv->ref_open = true;
    csv->obs.dataset++;
    if (!read_ref(csv, kind, id, &ref))
        return SG_OK;
    const struct sg_structure *found =
        csv->sink.structure(csv->sink.context, &ref);
    struct sg_slice column = csv->header.columns[csv->header.version - 1].name;
    if (found == NULL) {
        say(csv, SG_FAULT_STRUCTURE_UNKNOWN, column, id, NULL);
        return SG_OK;
    }
    if (csv->structure != NULL && csv->structure != found) {
        say(csv, SG_FAULT_STRUCTURE_REF, column, id,
            "the rows of one file follow one structure; send another file");
        return SG_OK;
    }
    csv->ref_open = false;
    return csv->structure == NULL ? bind(csv, found) : SG_OK;
}

static bool
keep_cell(struct sg_slice cell, uint8_t room[512], struct sg_slice *kept)
{
    if (kept->ptr != NULL && sg_slice_eq(cell, *kept))
        return false;
    *kept = sg_slice_of(room, cell.len < 512 ? cell.len : 512);
    memcpy(room, cell.ptr, kept->len);
    return true;
}

static enum sg_err
look_at_ref(struct sg_csv *csv, const struct sg_csv_row *row)
{
    struct sg_slice kind = sg_csv_cell_text(row, 0, &csv->scratch);
    struct sg_slice id = kind;
    if (csv->header.version == 2) {
        id = row->count > 1 ? sg_csv_cell_text(row, 1, &csv->scratch)
                            : SG_SLICE("");
        bool a = keep_cell(kind, csv->cells[0], &csv->structure_cell);
        bool b = keep_cell(id, csv->cells[1], &csv->id_cell);
        return a || b ? new_ref(csv, kind, id) : SG_OK;
    }
    return keep_cell(id, csv->cells[1], &csv->id_cell)
               ? new_ref(csv, SG_SLICE(""), id)
               : SG_OK;
}

// I, A and M merge; R replaces; D deletes. false: none of them.
static bool
look_at_action(struct sg_csv *csv, struct sg_slice text)
{
    if (text.len == 0)
        text = SG_SLICE("I");
    uint8_t sent = text.len == 1 ? text.ptr[0] : 0;
    uint8_t action = sent == 'R' || sent == 'D' ? sent : SG_ACTION_MERGE;
    if (action == SG_ACTION_MERGE && sent != 'I' && sent != 'A' &&
        sent != 'M') {
        say(csv, SG_FAULT_ACTION, SG_SLICE("ACTION"), text, "I, A, M, R or D");
        return false;
    }
    if (action != csv->obs.action)
        csv->obs.dataset++;
    if (sent != csv->obs.sent && csv->sink.action != NULL)
        csv->sink.action(csv->sink.context, sent, csv->rows, csv->line);
    csv->obs.action = action;
    csv->obs.sent = sent;
    return true;
}

// ---- cells -------------------------------------------------------------------

static struct sg_slice
without_label(struct sg_slice text)
{
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.ptr[i] == ':' && text.ptr[i + 1] == ' ')
            return sg_slice_of(text.ptr, i);
    return text;
}

static enum sg_fault_code
cell_value(struct sg_csv *csv, const struct sg_csv_column *column,
           struct sg_slice text, struct sg_value *out)
{
    *out = (struct sg_value){text.ptr, (uint32_t)text.len, SG_VALUE_TEXT};
    if (column->several || column->languages)
        return sg_csv_cell_parts(column, csv->header.sub, text, &csv->scratch,
                                 out);
    if (column->label) {
        text = without_label(text);
        out->len = (uint32_t)text.len;
    }
    if (text.len == 0)
        *out = (struct sg_value){NULL, 0, SG_VALUE_ABSENT};
    else if (column->dimension && text.len == 1 && text.ptr[0] == '~' &&
             csv->header.version == 2)
        *out = (struct sg_value){NULL, 0, SG_VALUE_OFF};
    else if (csv->structure->components[column->component].several)
        sg_csv_cell_wrap(&csv->scratch, out);
    return SG_FAULT_TABLE_END;
}

static inline bool
same_bytes(const uint8_t *a, const uint8_t *b, size_t len)
{
    if (len > 16)
        return memcmp(a, b, len) == 0;
    if (len <= 8)
        return sg_structure_load(a, len) == sg_structure_load(b, len);
    return sg_structure_load(a, 8) == sg_structure_load(b, 8) &&
           sg_structure_load(a + len - 8, 8) ==
               sg_structure_load(b + len - 8, 8);
}

// Most cells are what they were on the row before, or plain text.
static inline bool
take_plain_cell(struct sg_csv *csv, const struct sg_csv_column *column,
                struct sg_slice raw)
{
    struct sg_value *kept = &csv->values[column->component];
    uint64_t bit = 1ull << column->component % 64;
    if ((csv->forced[column->component / 64] & bit) != 0)
        return false; // lay in scratch, which is gone
    if (kept->len == raw.len &&
        (raw.len == 0 ? kept->kind == SG_VALUE_ABSENT
                      : kept->kind == SG_VALUE_TEXT &&
                            same_bytes(kept->ptr, raw.ptr, raw.len)))
        return true;
    if (raw.len <= 1)
        return false; // absent, or ~
    *kept = (struct sg_value){raw.ptr, (uint32_t)raw.len, SG_VALUE_TEXT};
    csv->obs.changed[column->component / 64] |= bit;
    return true;
}

// false: the row is at fault.
static bool
take_cell(struct sg_csv *csv, const struct sg_csv_row *row, uint32_t field)
{
    const struct sg_csv_column *column = &csv->header.columns[field];
    if (column->role == SG_CSV_ROLE_ACTION)
        return look_at_action(csv, sg_csv_cell_text(row, field, &csv->scratch));
    if (column->role != SG_CSV_ROLE_COMPONENT)
        return true;
    struct sg_value value;
    size_t used = csv->scratch.len;
    struct sg_slice text = sg_csv_cell_text(row, field, &csv->scratch);
    enum sg_fault_code code = cell_value(csv, column, text, &value);
    if (code != SG_FAULT_TABLE_END) {
        say(csv, code, column->name, text, NULL);
        return false;
    }
    struct sg_value *kept = &csv->values[column->component];
    uint64_t bit = 1ull << column->component % 64;
    uint32_t word = column->component / 64;
    bool owned = csv->scratch.len != used;
    if (csv->fresh || owned || (csv->forced[word] & bit) != 0 ||
        !sg_obs_value_eq(kept, &value)) {
        csv->obs.changed[word] |= bit;
        csv->forced[word] =
            owned ? csv->forced[word] | bit : csv->forced[word] & ~bit;
        *kept = value;
    }
    return true;
}

// ---- rows --------------------------------------------------------------------

static void
say_width(struct sg_csv *csv, uint32_t fields)
{
    char hint[80];
    snprintf(hint, sizeof hint, "%u fields where the header has %u", fields,
             csv->header.count);
    say(csv, SG_FAULT_ROW_WIDTH, SG_SLICE(""), SG_SLICE(""), hint);
}

// Is the row as a row in order?
static bool
row_sound(struct sg_csv *csv, const struct sg_csv_row *row, bool ascii)
{
    if (!ascii && !sg_slice_is_utf8(sg_slice_of(row->base, row->len))) {
        say(csv, SG_FAULT_ENCODING, SG_SLICE(""), SG_SLICE(""),
            "a NUL or bytes that are not UTF-8");
        return false;
    }
    if (row->open || row->stray) {
        say(csv, SG_FAULT_CSV_SYNTAX, SG_SLICE(""), SG_SLICE(""),
            row->open ? "quotes are opened and never closed"
                      : "a quote within a value that is not quoted, or text "
                        "after the closing quote");
        return false;
    }
    if (row->count != csv->header.count) {
        say_width(csv, row->count);
        return false;
    }
    return true;
}

static enum sg_err
row_values(struct sg_csv *csv, const struct sg_csv_row *row, uint32_t first,
           uint32_t last)
{
    memset(csv->obs.changed, csv->fresh ? 0xff : 0, sizeof csv->obs.changed);
    for (uint32_t i = first; i < last; i++) {
        const struct sg_csv_column *column = &csv->header.columns[i];
        if (column->plain && !csv->fresh && !row->quotes &&
            take_plain_cell(csv, column, sg_csv_cell_raw(row, i)))
            continue;
        if (!take_cell(csv, row, i)) {
            csv->fresh = true;
            return SG_OK;
        }
    }
    if (csv->scratch.full)
        return SG_ERR_FULL;
    csv->skip = csv->scratch.len == 0;
    csv->fresh = false;
    csv->obs.row = csv->rows;
    csv->obs.line = csv->line;
    return csv->sink.obs(csv->sink.context, &csv->obs);
}

static enum sg_err
take_row(struct sg_csv *csv, const struct sg_csv_row *row, bool ascii)
{
    bool skip = csv->skip;
    csv->skip = false;
    if (row->count == 1 && row->len == 0)
        return SG_OK; // an empty line
    csv->rows++;
    csv->scratch.len = 0;
    if (!row_sound(csv, row, ascii)) {
        csv->fresh = true;
        return SG_OK;
    }
    bool alike = skip && !csv->fresh;
    uint32_t first = alike ? row->first : 0;
    uint32_t last = alike && row->last < row->count ? row->last : row->count;
    if (first < 2) {
        enum sg_err err = look_at_ref(csv, row);
        if (err != SG_OK)
            return err;
    }
    if (csv->ref_open) {
        csv->fresh = true;
        return SG_OK;
    }
    return row_values(csv, row, first, last);
}

// All whole rows of bytes; *used: their bytes.
static enum sg_err
take_rows_portable(struct sg_csv *csv, struct sg_slice bytes, size_t *used)
{
    size_t at = 0;
    for (;;) {
        enum sg_csv_state state = SG_CSV_STATE_START;
        struct sg_slice rest = sg_slice_of(bytes.ptr + at, bytes.len - at);
        size_t end = sg_csv_row_end(&state, rest, csv->header.delimiter);
        *used = at;
        if (end == SIZE_MAX)
            return SG_OK;
        rest.len = end;
        sg_csv_row_split(csv->row, rest, csv->header.delimiter);
        csv->skip = false;
        enum sg_err err = take_row(csv, csv->row, false);
        if (err != SG_OK)
            return err;
        csv->line += csv->row->lines;
        at += end;
    }
}

// What a window has been searched for.
struct search {
    struct sg_slice window;
    bool scanned;
    uint32_t at, next; // of the row: bytes, places of the scan
};

// Splits the next row: as the one before, else with the help of a scan. false:
// it does not end in the window.
static bool
next_row(struct sg_csv *csv, struct search *s, bool skip, bool *ascii)
{
    struct sg_csv_row *row = csv->row;
    *ascii = true;
    if (skip) {
        struct sg_slice rest =
            sg_slice_of(s->window.ptr + s->at, s->window.len - s->at);
        enum sg_csv_again again =
            sg_csv_row_split_again(row, rest, csv->header.delimiter);
        if (again != SG_CSV_AGAIN_OTHER)
            return again == SG_CSV_AGAIN;
    }
    if (!s->scanned)
        sg_scan_csv(s->window, csv->header.delimiter, csv->scan);
    s->scanned = true;
    while (s->next < csv->scan->count && csv->scan->at[s->next] < s->at)
        s->next++;
    *ascii = csv->scan->ascii;
    if (sg_csv_row_split_fast(row, s->window, csv->scan, &s->next, s->at, skip))
        return true;
    csv->skip = false; // the row is in pieces
    return false;
}

// The rows that end within one window; *used 0: none does.
static enum sg_err
take_window(struct sg_csv *csv, struct sg_slice window, size_t *used)
{
    struct sg_csv_row *row = csv->row;
    struct search search = {.window = window};
    *used = 0;
    for (;;) {
        bool ascii, skip = csv->skip && !csv->fresh && !row->quotes;
        if (!next_row(csv, &search, skip, &ascii))
            return SG_OK;
        csv->skip = skip;
        search.at += row->size;
        enum sg_err err = take_row(csv, row, ascii);
        if (err != SG_OK)
            return err;
        csv->line += row->lines;
        *used = search.at;
    }
}

static enum sg_err
take_rows(struct sg_csv *csv, struct sg_slice bytes, size_t *used)
{
    *used = 0;
    if (csv->portable)
        return take_rows_portable(csv, bytes, used);
    while (*used < bytes.len) {
        struct sg_slice rest =
            sg_slice_of(bytes.ptr + *used, bytes.len - *used);
        struct sg_slice window = rest;
        size_t done;
        if (window.len > SG_SCAN_WINDOW)
            window.len = SG_SCAN_WINDOW;
        enum sg_err err = take_window(csv, window, &done);
        if (err != SG_OK)
            return err;
        *used += done;
        if (done > 0)
            continue;
        if (window.len == rest.len)
            return SG_OK;
        // A row longer than a window.
        enum sg_csv_state state = SG_CSV_STATE_START;
        size_t end = sg_csv_row_end(&state, rest, csv->header.delimiter);
        if (end == SIZE_MAX)
            return SG_OK;
        rest.len = end;
        err = take_rows_portable(csv, rest, &done);
        if (err != SG_OK)
            return err;
        *used += done;
    }
    return SG_OK;
}

// ---- feeding -----------------------------------------------------------------

static enum sg_err
keep(struct sg_csv *csv, struct sg_slice bytes)
{
    size_t need = csv->carry_len + bytes.len;
    if (need > csv->carry_cap) {
        size_t cap = csv->carry_cap == 0 ? 4096 : csv->carry_cap;
        while (cap < need)
            cap *= 2;
        uint8_t *piece = sg_arena_take(csv->arena, cap);
        if (piece == NULL)
            return SG_ERR_FULL;
        if (csv->carry_len > 0)
            memcpy(piece, csv->carry, csv->carry_len);
        csv->carry = piece;
        csv->carry_cap = cap;
    }
    if (bytes.len > 0)
        memcpy(csv->carry + csv->carry_len, bytes.ptr, bytes.len);
    csv->carry_len = need;
    return SG_OK;
}

static enum sg_err
take_header(struct sg_csv *csv)
{
    enum sg_err err;
    struct sg_slice bytes = sg_slice_of(csv->carry, csv->carry_len);
    bool good = sg_csv_header_read(&csv->header, bytes, csv->row, csv->arena,
                                   &csv->sink, &err);
    csv->phase = good ? PHASE_ROWS : PHASE_DEAD;
    csv->carry_len = 0;
    csv->carry_state = SG_CSV_STATE_START;
    csv->line = 2;
    return err;
}

static enum sg_err
take_carry(struct sg_csv *csv)
{
    csv->skip = false;
    csv->fresh = true;
    struct sg_slice bytes = sg_slice_of(csv->carry, csv->carry_len);
    sg_csv_row_split(csv->row, bytes, csv->header.delimiter);
    enum sg_err err = take_row(csv, csv->row, false);
    csv->line += csv->row->lines;
    csv->carry_len = 0;
    csv->carry_state = SG_CSV_STATE_START;
    csv->skip = false;
    csv->fresh = true;
    return err;
}

static void
too_long(struct sg_csv *csv)
{
    bool header = csv->phase == PHASE_HEADER;
    csv->rows += !header;
    say(csv, header ? SG_FAULT_HEADER : SG_FAULT_CSV_SYNTAX, SG_SLICE(""),
        SG_SLICE(""),
        header ? "the first line is longer than any header"
               : "a row longer than 4 MiB; is a quote never closed?");
    csv->phase = PHASE_DEAD;
}

// Takes from bytes what ends the row (or header) that the carry holds.
static enum sg_err
fill_carry(struct sg_csv *csv, struct sg_slice *bytes)
{
    size_t end;
    if (csv->phase == PHASE_HEADER) {
        const uint8_t *lf = memchr(bytes->ptr, '\n', bytes->len);
        end = lf == NULL ? SIZE_MAX : (size_t)(lf - bytes->ptr) + 1;
    } else {
        end = sg_csv_row_end(&csv->carry_state, *bytes, csv->header.delimiter);
    }
    size_t take = end == SIZE_MAX ? bytes->len : end;
    if (csv->carry_len + take > SG_LIMIT_ROW) {
        too_long(csv);
        return SG_OK;
    }
    enum sg_err err = keep(csv, sg_slice_of(bytes->ptr, take));
    *bytes = sg_slice_of(bytes->ptr + take, bytes->len - take);
    if (err != SG_OK || end == SIZE_MAX)
        return err;
    return csv->phase == PHASE_HEADER ? take_header(csv) : take_carry(csv);
}

enum sg_err
sg_csv_feed(struct sg_csv *csv, struct sg_slice bytes)
{
    if (bytes.len == 0)
        return SG_OK;
    if (csv->phase == PHASE_HEADER || csv->carry_len > 0) {
        enum sg_err err = fill_carry(csv, &bytes);
        if (err != SG_OK)
            return err;
    }
    if (csv->phase != PHASE_ROWS || bytes.len == 0)
        return SG_OK;
    size_t used;
    csv->fresh = true;
    csv->skip = false;
    enum sg_err err = take_rows(csv, bytes, &used);
    if (err != SG_OK || used == bytes.len)
        return err;
    struct sg_slice rest = sg_slice_of(bytes.ptr + used, bytes.len - used);
    if (rest.len > SG_LIMIT_ROW) {
        too_long(csv);
        return SG_OK;
    }
    csv->carry_state = SG_CSV_STATE_START;
    sg_csv_row_end(&csv->carry_state, rest, csv->header.delimiter);
    return keep(csv, rest);
}

enum sg_err
sg_csv_end(struct sg_csv *csv)
{
    enum sg_err err = SG_OK;
    if (csv->phase == PHASE_HEADER)
        err = take_header(csv);
    else if (csv->phase == PHASE_ROWS && csv->carry_len > 0)
        err = take_carry(csv);
    csv->phase = PHASE_DEAD;
    return err;
}
