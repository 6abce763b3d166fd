// obs - observations on their way: one row of a data message, in any format.
//
// Owns the row model, the sink that readers feed, and the front door for all
// readers (sg_obs_reader). A row has one value per component of the structure,
// in the order of content-root.md 2, so that readers, check, canonical stream
// and writers agree on an index and never on a name.
// Invariant: everything handed to a sink is borrowed until the callback
// returns; a reader never holds more than one row and the attributes of the
// data sets, groups and series that are open.
// Never does: I/O, deciding whether a value is right (check.h does).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"
#include "schemas/sdmx/fault.h"
#include "schemas/sdmx/structure.h"

// What bytes are. Numbers stand in signed manifests: never renumber.
enum sg_media {
    SG_MEDIA_UNKNOWN = 0,
    SG_MEDIA_CSV10 = 1,
    SG_MEDIA_CSV20 = 2, // what 2.0 and 2.1 look like is the same
    SG_MEDIA_CSV21 = 3,
    SG_MEDIA_ML21 = 4, // structure-specific
    SG_MEDIA_ML30 = 5,
    SG_MEDIA_JSON10 = 6,
    SG_MEDIA_JSON20 = 7,
    SG_MEDIA_JSON21 = 8,
    SG_MEDIA_GENERIC21 = 9, // SDMX-ML 2.1 generic
    SG_MEDIA_ML20 = 10,
    SG_MEDIA_STRUCTURE = 11, // a structure message, no data
    SG_MEDIA_END,
};

// "csv10", "ml21" ...: the words of `convert --to`; "unknown".
const char *sg_obs_media_name(enum sg_media media);
enum sg_media sg_obs_media_by_name(struct sg_slice name);
// From the first bytes of a message; 4 KiB are enough, less may be UNKNOWN.
// CSV of 2.x is CSV21: merge exists there, and nothing of 2.0 is lost.
enum sg_media sg_obs_media_detect(struct sg_slice head);
// What a file is that no reader here reads, and what to do with it, as one
// clause for a person; NULL: nothing is known against it. From the first bytes.
const char *sg_obs_foreign(struct sg_slice head);

// ---- rows ------------------------------------------------------------------

enum sg_value_kind {
    SG_VALUE_ABSENT = 0, // also: empty
    SG_VALUE_OFF = 1,    // ~ : not attached to this dimension
    SG_VALUE_SEVERAL = 2,
    SG_VALUE_LANGUAGES = 3,
    SG_VALUE_TEXT = 4,
};

// SEVERAL and LANGUAGES: ptr and len are the bytes that follow the varint v of
// content-root.md 2 (count, then items). Absent and off: len 0.
struct sg_value {
    const uint8_t *ptr;
    uint32_t len;
    uint8_t kind; // enum sg_value_kind
};

enum sg_action { // as content-root.md 3 counts them; bytes of its header
    SG_ACTION_MERGE = 'M',
    SG_ACTION_REPLACE = 'R',
    SG_ACTION_DELETE = 'D',
};

// Is what was sent with this word (I A M R D) the flow itself? Append, merge and
// delete are changes of what went before (core-design 6). Where nothing is said,
// readers say I.
static inline bool
sg_obs_whole(uint8_t sent)
{
    return sent == 'I' || sent == 'R';
}

enum { SG_OBS_CHANGED_WORDS = 4 }; // SG_LIMIT_COMPONENTS / 64

struct sg_obs {
    const struct sg_value *values; // one per component, canonical order
    // Bit i of word i / 64 is 0 only if component i has the same value as in
    // the row before (of the same reader). A hint that saves work; all ones is
    // always right.
    uint64_t changed[SG_OBS_CHANGED_WORDS];
    uint64_t row;     // ordinal from 1
    uint64_t line;    // physical line where it begins, from 1; 0: unknown
    uint32_t dataset; // from 1: data set, or run of rows of one action
    uint8_t action;   // enum sg_action
    uint8_t sent;     // as sent: I A M R D
};

static inline struct sg_slice
sg_obs_value_bytes(const struct sg_value *value)
{
    return (struct sg_slice){value->ptr, value->len};
}

static inline bool
sg_obs_value_eq(const struct sg_value *a, const struct sg_value *b)
{
    return a->kind == b->kind && a->len == b->len &&
           (a->len == 0 || memcmp(a->ptr, b->ptr, a->len) == 0);
}

// ---- what a message says of itself -------------------------------------------

enum sg_obs_ref_kind {
    SG_OBS_REF_NONE = 0, // the message names no structure; all else is empty
    SG_OBS_REF_DATAFLOW = 1,
    SG_OBS_REF_DATASTRUCTURE = 2,
    SG_OBS_REF_DATAPROVISION = 3,
};

struct sg_obs_ref { // as sent, not yet resolved
    enum sg_obs_ref_kind kind;
    struct sg_slice agency, id, version; // version may be empty
};

// Reads AGENCY:ID(VERSION) or AGENCY:ID; what follows ": " is a label and left
// out. Sets all but kind; false: not of this form.
bool sg_obs_ref_parse(struct sg_slice text, struct sg_obs_ref *ref);

// SDMX-ML header fields; CSV has none. Not to be trusted (sdmx-facts 0.2).
struct sg_obs_header {
    struct sg_slice id, sender, prepared, embargo;
    uint32_t embargoes; // how often EmbargoDate stands there
    bool test;
};

// ---- sink --------------------------------------------------------------------

struct sg_obs_sink {
    void *context;
    // Called before the first row and whenever rows name something else. NULL:
    // not known; the reader says STRUCTURE_UNKNOWN and only counts rows.
    const struct sg_structure *(*structure)(void *context,
                                            const struct sg_obs_ref *ref);
    // May be NULL: not interested.
    void (*header)(void *context, const struct sg_obs_header *header);
    // CSV: bit i is 1 if the header has a column for component i; called when
    // the structure is known. May be NULL.
    void (*columns)(void *context, const uint64_t present[SG_OBS_CHANGED_WORDS],
                    uint64_t line);
    // What follows was sent with this word, until the next call; I before the
    // first. row 0: a data set begins, and may have no rows. May be NULL.
    void (*action)(void *context, uint8_t sent, uint64_t row, uint64_t line);
    // Not SG_OK: feed stops and returns it.
    enum sg_err (*obs)(void *context, const struct sg_obs *obs);
    // The message itself is at fault; rows may follow all the same.
    void (*fault)(void *context, const struct sg_fault *fault);
};

// ---- reader: one door for all formats ------------------------------------------

struct sg_obs_reader; // opaque; lives in the arena

struct sg_obs_reader_options {
    enum sg_media media; // UNKNOWN: detect
    uint64_t xml_salt;   // nonzero, random: for hash tables of foreign names
    bool portable;       // no SIMD; for tests
};

// Everything comes from the arena, bounded by limits.h: about 64 KiB, and the
// longest row that is split over two feeds. sink is copied. NULL: arena full.
struct sg_obs_reader *
sg_obs_reader_new(struct sg_arena *arena, const struct sg_obs_sink *sink,
                  const struct sg_obs_reader_options *options);
// Any split of the message into feeds gives the same calls of the sink (but for
// `changed`). Faults are no errors: SG_OK says that the reader did its work.
// SG_ERR_FULL: arena; SG_ERR_UNSUPPORTED: a format that is not read; else what
// the sink returned. After an error only sg_obs_reader_fini may follow.
SG_MUST_CHECK enum sg_err sg_obs_reader_feed(struct sg_obs_reader *reader,
                                             struct sg_slice bytes);
// No more bytes. Says faults that only the end shows.
SG_MUST_CHECK enum sg_err sg_obs_reader_end(struct sg_obs_reader *reader);
// After end: true: the message says behind its data how they are to be read
// (SDMX-JSON has no order). Feed all of it once more, from the first byte, and
// end again; rows come with the second reading, none of them twice. Whoever
// does not ask this after each end takes half a message for a whole one.
SG_MUST_CHECK bool sg_obs_reader_again(struct sg_obs_reader *reader);
// Gives foreign parsers back; the arena stays the caller's. NULL is fine.
void sg_obs_reader_fini(struct sg_obs_reader *reader);

enum sg_media sg_obs_reader_media(const struct sg_obs_reader *reader);
// Rows seen so far, also those of an unknown structure.
uint64_t sg_obs_reader_rows(const struct sg_obs_reader *reader);
