// csv_parts - what the files of the CSV reader share: columns, rows, cells.
#pragma once

#include "broker/base/limits.h"
#include "schemas/sdmx/csv.h"
#include "schemas/sdmx/scan.h"

enum sg_csv_role {
    SG_CSV_ROLE_IGNORED = 0, // names, keys, custom columns
    SG_CSV_ROLE_STRUCTURE,   // dataflow, datastructure, dataprovision
    SG_CSV_ROLE_STRUCTURE_ID,
    SG_CSV_ROLE_ACTION,
    SG_CSV_ROLE_OTHER,     // perhaps a component: known with the structure
    SG_CSV_ROLE_COMPONENT, // is one
};

struct sg_csv_column {
    struct sg_slice name; // without label and brackets
    uint8_t role;         // enum sg_csv_role
    bool label;           // the header has one, so cells may
    bool several, languages;
    bool dimension;
    bool plain; // a cell is the value: no label, no sub-fields, no list
    uint16_t component;
};

struct sg_csv_header {
    unsigned version; // 1 or 2
    uint8_t delimiter;
    uint8_t sub;     // sub-field separator; 0: none declared
    bool with_names; // labels=name: each column may be followed by one
    uint32_t count;
    struct sg_csv_column *columns;
};

// One row, split. Offsets are from base.
struct sg_csv_row {
    const uint8_t *base;
    uint32_t len;   // without the line's end
    uint32_t count; // fields, also those beyond the limit
    uint32_t size;  // with the line's end
    uint32_t first; // fields before this one equal those of the row before,
    uint32_t last;  // and those from this one on
    uint32_t lines; // line feeds in it, the last included
    bool quotes;    // somewhere
    bool stray;     // a quote where RFC 4180 has none
    bool open;      // ends within quotes
    uint32_t ends[SG_LIMIT_COLUMNS];
    uint64_t quoted[SG_LIMIT_COLUMNS / 64]; // field begins with a quote
};

// Bytes that live as long as a row.
struct sg_csv_scratch {
    struct sg_arena *arena;
    uint8_t *ptr;
    size_t len, cap;
    bool full; // the arena is
};

// Where the search for a row's end stands.
enum sg_csv_state {
    SG_CSV_STATE_START = 0, // of a field
    SG_CSV_STATE_PLAIN,
    SG_CSV_STATE_QUOTED,
    SG_CSV_STATE_CLOSING, // a quote within quotes: the end or a doubled one
};

// Bytes up to and with the LF that ends the row; SIZE_MAX: not in bytes.
size_t sg_csv_row_end(enum sg_csv_state *state, struct sg_slice bytes,
                      uint8_t delimiter);
// Splits bytes (one whole row, with or without its line end).
void sg_csv_row_split(struct sg_csv_row *row, struct sg_slice bytes,
                      uint8_t delimiter);
// The same at window[at] with the help of a scan whose next place is *next;
// skip: the row before is row itself and has no quotes. false: the row does
// not end in the window.
bool sg_csv_row_split_fast(struct sg_csv_row *row, struct sg_slice window,
                           const struct sg_scan *scan, uint32_t *next,
                           uint32_t at, bool skip);

// The same without a scan, where the row differs from the one before only in
// some plain ASCII fields next to each other; that one is row itself and has no
// quotes. OTHER: it does not, row is as it was; NONE: no line end in bytes.
enum sg_csv_again { SG_CSV_AGAIN, SG_CSV_AGAIN_OTHER, SG_CSV_AGAIN_NONE };
enum sg_csv_again sg_csv_row_split_again(struct sg_csv_row *row,
                                         struct sg_slice bytes,
                                         uint8_t delimiter);

// What field i holds, quotes taken off (through scratch if doubled).
struct sg_slice sg_csv_cell_text(const struct sg_csv_row *row, uint32_t field,
                                 struct sg_csv_scratch *scratch);
static inline struct sg_slice
sg_csv_cell_raw(const struct sg_csv_row *row, uint32_t field)
{
    uint32_t from = field == 0 ? 0 : row->ends[field - 1] + 1;
    return sg_slice_of(row->base + from, row->ends[field] - from);
}
uint8_t *sg_csv_scratch_take(struct sg_csv_scratch *scratch, size_t len);

// Canonical bytes of a cell with sub-fields. LANGUAGE, CSV_SYNTAX or
// SG_FAULT_TABLE_END when it is right.
enum sg_fault_code sg_csv_cell_parts(const struct sg_csv_column *column,
                                     uint8_t sub, struct sg_slice text,
                                     struct sg_csv_scratch *scratch,
                                     struct sg_value *out);
// "several" of one value.
void sg_csv_cell_wrap(struct sg_csv_scratch *scratch, struct sg_value *value);

// Reads the header row. Faults go to sink; false: nothing can be read. Names
// are copied to the arena. SG_ERR_FULL through *err.
bool sg_csv_header_read(struct sg_csv_header *header, struct sg_slice bytes,
                        struct sg_csv_row *row, struct sg_arena *arena,
                        const struct sg_obs_sink *sink, enum sg_err *err);
// Gives columns their components and says what is none.
void sg_csv_header_bind(struct sg_csv_header *header,
                        const struct sg_structure *structure,
                        const struct sg_obs_sink *sink);
