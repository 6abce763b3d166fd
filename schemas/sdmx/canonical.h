// canonical - rows as bytes, and the stream of them between reader, judge,
// writer and store.
//
// Owns the encoding of a row (content-root.md 2: the bytes of a leaf), the
// order of rows (content-root.md 3) and the canonical stream:
//     "SGC1"
//     varint #components ( [kind] varint len id )*      as content-root.md 4
//     ( [action M R D] ( varint len >= 1, row )* varint 0, varint #rows )*
//     [0] varint #rows of all parts
// Parts are maximal runs of one action in order of appearance and are never
// empty; within one the rows are sorted by key, equal keys as sent.
// Invariant: one set of rows has one stream; a reader of streams refuses any
// other form (order, counts, longer varints, trailing bytes).
// Never does: I/O, hashing (schemas/proof does), judging of values.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/bytes.h"
#include "broker/base/err.h"
#include "schemas/sdmx/obs.h"

// ---- one row -----------------------------------------------------------------

// Bytes that a row takes at most, then the row itself (count values).
size_t sg_canonical_row_size(const struct sg_value *values, uint32_t count);
void sg_canonical_row_put(struct sg_writer *writer,
                          const struct sg_value *values, uint32_t count);
// Borrowed values. SG_ERR_FORMAT: not a row of count values, exactly.
SG_MUST_CHECK enum sg_err sg_canonical_row_take(struct sg_slice row,
                                                struct sg_value *values,
                                                uint32_t count);
// Order of content-root.md 3 over the first dimensions values (time included).
int sg_canonical_row_compare(const struct sg_value *a, const struct sg_value *b,
                             uint32_t dimensions);
// Dimensions and time: the values that are the key.
uint32_t sg_canonical_row_dimensions(const struct sg_structure *structure);
// Kind byte of a component as content-root.md 4.
uint8_t sg_canonical_row_kind(const struct sg_component *component);

// ---- writing a stream ----------------------------------------------------------

enum sg_canonical_mode {
    // Rows go out as they come. The first one out of order, or one of a
    // partial key, gives SG_ERR_ORDER: throw the output away, start again in
    // the other mode. Memory: one row.
    SG_CANONICAL_MODE_STREAM,
    // Rows of a part are kept in the arena (their bytes and 24 a row), sorted,
    // and attributes at partial keys repeated on the rows they belong to.
    SG_CANONICAL_MODE_SORT,
};

struct sg_canonical_out {
    void *context;
    enum sg_err (*write)(void *context, struct sg_slice bytes);
};

struct sg_canonical_writer; // opaque; lives in the arena

struct sg_canonical_writer *sg_canonical_writer_new(
    struct sg_arena *arena, const struct sg_structure *structure,
    enum sg_canonical_mode mode, const struct sg_canonical_out *out);
// Uses values and action of obs. SG_ERR_ORDER (above), SG_ERR_FULL: arena, row
// or parts over a limit; else what write returned.
SG_MUST_CHECK enum sg_err
sg_canonical_writer_put(struct sg_canonical_writer *writer,
                        const struct sg_obs *obs);
SG_MUST_CHECK enum sg_err
sg_canonical_writer_end(struct sg_canonical_writer *writer);
uint64_t sg_canonical_writer_rows(const struct sg_canonical_writer *writer);

// ---- reading a stream ----------------------------------------------------------

struct sg_canonical_component {
    uint8_t kind; // with 0x10 several, 0x20 languages
    struct sg_slice id;
};

struct sg_canonical_sink {
    void *context;
    // May be NULL. components live as long as the reader.
    enum sg_err (*header)(void *context,
                          const struct sg_canonical_component *components,
                          uint32_t count);
    // May be NULL: a part begins, and ends with its count.
    enum sg_err (*part)(void *context, uint8_t action);
    enum sg_err (*part_end)(void *context, uint64_t rows);
    // bytes: the leaf. obs->dataset is the ordinal of the part, obs->line 0.
    enum sg_err (*row)(void *context, const struct sg_obs *obs,
                       struct sg_slice bytes);
};

struct sg_canonical_reader; // opaque; lives in the arena

// structure: its components must be those of the stream, else SG_ERR_FORMAT;
// NULL: any. Memory: the longest row twice, and the header.
struct sg_canonical_reader *
sg_canonical_reader_new(struct sg_arena *arena,
                        const struct sg_structure *structure,
                        const struct sg_canonical_sink *sink);
// SG_ERR_FORMAT: not a canonical stream; SG_ERR_FULL: a limit or the arena;
// else what the sink returned.
SG_MUST_CHECK enum sg_err
sg_canonical_reader_feed(struct sg_canonical_reader *reader,
                         struct sg_slice bytes);
// SG_ERR_SHORT: the stream is not whole.
SG_MUST_CHECK enum sg_err
sg_canonical_reader_end(struct sg_canonical_reader *reader);
uint64_t sg_canonical_reader_rows(const struct sg_canonical_reader *reader);
