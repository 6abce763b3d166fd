// structure - a data structure definition, compiled into one flat run of bytes.
//
// Owns the compiled form: components in the order of content-root.md 2, code
// lists with hash tables, names, annotations, groups, dataflows and content
// constraints. The blob holds offsets only, so it may lie anywhere, for example
// in a sealed memfd that a worker maps read-only.
// Invariant: after sg_structure_open every offset, count and ordinal that the
// functions below follow was checked against the blob's length; a blob that
// lies is refused there and never later.
// Never does: I/O, reading of XML (structure_ml21.h makes blobs), checking of
// data.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "broker/base/arena.h"
#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

// The numbers are those of content-root.md 4.
enum sg_component_kind {
    SG_KIND_DIMENSION = 0,
    SG_KIND_TIME = 1,
    SG_KIND_MEASURE = 2,
    SG_KIND_ATTRIBUTE = 3,
};

// What one value of an attribute belongs to (sdmx-facts 1.7).
enum sg_attach {
    SG_ATTACH_NONE = 0,   // not an attribute
    SG_ATTACH_DATASET,    // no dimension: one value a data set
    SG_ATTACH_DIMENSIONS, // the dimensions of the mask; all but time: a series
    SG_ATTACH_GROUP,      // a group; the mask holds the group's dimensions
    SG_ATTACH_OBSERVATION,
};

// DataType of SDMX 2.1 and 3.x (sdmx-facts 1.10); name as standards spell it.
// clang-format off
#define SG_TYPE_TABLE(X)                                                       \
    X(STRING, "String") X(ALPHA, "Alpha") X(ALPHA_NUMERIC, "AlphaNumeric")     \
    X(NUMERIC, "Numeric") X(BIG_INTEGER, "BigInteger") X(INTEGER, "Integer")   \
    X(LONG, "Long") X(SHORT, "Short") X(DECIMAL, "Decimal") X(FLOAT, "Float")  \
    X(DOUBLE, "Double") X(BOOLEAN, "Boolean") X(URI, "URI") X(COUNT, "Count")  \
    X(INCLUSIVE_RANGE, "InclusiveValueRange")                                  \
    X(EXCLUSIVE_RANGE, "ExclusiveValueRange") X(INCREMENTAL, "Incremental")    \
    X(OBSERVATIONAL_TIME, "ObservationalTimePeriod")                           \
    X(STANDARD_TIME, "StandardTimePeriod") X(BASIC_TIME, "BasicTimePeriod")    \
    X(GREGORIAN_TIME, "GregorianTimePeriod") X(GREGORIAN_YEAR, "GregorianYear")\
    X(GREGORIAN_YEAR_MONTH, "GregorianYearMonth")                              \
    X(GREGORIAN_DAY, "GregorianDay") X(REPORTING_TIME, "ReportingTimePeriod")  \
    X(REPORTING_YEAR, "ReportingYear") X(REPORTING_SEMESTER, "ReportingSemester") \
    X(REPORTING_TRIMESTER, "ReportingTrimester")                               \
    X(REPORTING_QUARTER, "ReportingQuarter")                                   \
    X(REPORTING_MONTH, "ReportingMonth") X(REPORTING_WEEK, "ReportingWeek")    \
    X(REPORTING_DAY, "ReportingDay") X(DATE_TIME, "DateTime")                  \
    X(TIME_RANGE, "TimeRange") X(MONTH, "Month") X(MONTH_DAY, "MonthDay")      \
    X(DAY, "Day") X(TIME, "Time") X(DURATION, "Duration")                      \
    X(GEOSPATIAL, "GeospatialInformation") X(XHTML, "XHTML")
// clang-format on

enum sg_type {
#define X(name, text) SG_TYPE_##name,
    SG_TYPE_TABLE(X)
#undef X
        SG_TYPE_TABLE_END,
};

// Facets as the structure wrote them; a slice of length 0: not given.
struct sg_facets {
    struct sg_slice pattern;              // XSD regex, the whole value
    struct sg_slice min_value, max_value; // numbers, as text
    struct sg_slice start_value, end_value, interval; // of a sequence
    struct sg_slice start_time, end_time, time_interval;
    int32_t min_length, max_length; // characters; -1: not given
    int32_t decimals;               // at most; -1: not given
    bool is_sequence;
};

struct sg_component {
    struct sg_slice id;
    enum sg_component_kind kind;
    enum sg_type type; // of the value when it is not coded
    bool typed;        // the structure said so; false: the default of its kind
    bool mandatory;    // dimensions and time: always
    bool several;      // more than one value allowed
    bool languages;    // text in several languages
    enum sg_attach attach;
    uint64_t dimensions; // mask of component indexes: DIMENSIONS and GROUP
    int32_t group;       // index; -1: none
    int32_t list;        // index of its code list; -1: not coded
    struct sg_facets facets;
};

// One place of a code list's hash table. head is the first 8 bytes of the code,
// tail the last 8 (0 when it has 8 or fewer); of a code of more than 16 bytes
// tail mixes all that follow head, so that only these need a look at their
// text.
struct sg_code_slot {
    uint64_t head, tail;
    uint32_t ordinal_1; // ordinal + 1; 0: empty
    uint32_t len;       // bytes
};

struct sg_code_list {
    struct sg_slice agency, id, version;
    uint32_t count;                   // codes
    const struct sg_code_slot *slots; // power of two, at most half full
    uint32_t mask;                    // slots - 1
    uint64_t seed;                    // of the hash
    const struct sg_structure_code_row *rows;
};

struct sg_group {
    struct sg_slice id;
    uint64_t dimensions; // mask of component indexes
};

// A dataflow of the same message that uses this structure.
struct sg_flow_ref {
    struct sg_slice agency, id, version;
};

// A content constraint on this structure, a dataflow of it or an agreement on
// one; one on several is here for each of them.
struct sg_constraint {
    struct sg_slice agency, id, version;
    struct sg_slice
        target;     // what it is attached to: Dataflow=AGENCY:ID(VERSION)
    bool allowed;   // false: Actual, says what is there
    uint32_t parts; // cube regions and keys
    uint32_t first_part;
};

// One cube region, or one key of a data key set.
struct sg_constraint_part {
    bool key;              // a key of a set; false: a cube region
    bool include;          // false: excludes what matches
    uint32_t first, count; // its key values
};

// What one component may be in a part: values, or a time range (then values
// holds start and end, each possibly empty). Several of one component in a part
// are one list. Without values: any.
struct sg_constraint_values {
    struct sg_slice component;
    bool include, time_range;
    bool start_open, end_open; // the period named is not in the range
    bool cascade, below_only;  // with the codes below; without itself
    uint32_t first, count;     // its values
};

// A view of one blob. Everything in it is borrowed from blob or arena.
struct sg_structure {
    struct sg_slice blob;
    struct sg_slice agency, id, version, urn;
    const uint8_t *source_sha256; // 32 bytes: the message it was compiled from
    uint32_t component_count;     // all, canonical order
    uint32_t dimension_count;     // without time: components 0..n-1
    int32_t time;                 // index of the time dimension; -1: none
    int32_t measure;              // index of the first measure; -1: none
    uint32_t list_count, group_count, flow_count, constraint_count;
    const struct sg_component *components;
    const struct sg_code_list *lists;
    const struct sg_group *groups;
    const struct sg_flow_ref *flows;
    const struct sg_constraint *constraints;
    const uint8_t *texts;
    uint32_t texts_len;
    const struct sg_structure_sections *sections; // structure_blob.h
};

// Checks all of blob (O(size)) and lays out the view in arena. blob must be
// aligned to 8 bytes and live as long as the view. SG_ERR_FORMAT: not a
// compiled structure, or one that contradicts itself; SG_ERR_UNSUPPORTED: of
// another version or byte order; SG_ERR_FULL: arena.
SG_MUST_CHECK enum sg_err sg_structure_open(struct sg_slice blob,
                                            struct sg_arena *arena,
                                            const struct sg_structure **out);

// The pin: sha256 of the blob.
void sg_structure_sha256(const struct sg_structure *s, uint8_t out[32]);

// Index of the component with this id; -1: none. O(components).
int32_t sg_structure_find(const struct sg_structure *s, struct sg_slice id);

// "String", "Double" ...; never NULL.
const char *sg_structure_type_name(enum sg_type type);
// false: no type of that name.
bool sg_structure_type_by_name(struct sg_slice name, enum sg_type *type);

// ---- codes -----------------------------------------------------------------

// Text of a code; ordinal < lists[list].count, else a bug.
struct sg_slice sg_structure_code_text(const struct sg_structure *s,
                                       uint32_t list, uint32_t ordinal);
// Label in the language, else in "en", else any, else empty.
struct sg_slice sg_structure_code_name(const struct sg_structure *s,
                                       uint32_t list, uint32_t ordinal,
                                       struct sg_slice language);
// Ordinal of the parent code; -1: none.
int32_t sg_structure_code_parent(const struct sg_structure *s, uint32_t list,
                                 uint32_t ordinal);
// Annotations of a code one after the other, *at from 0; false: no more.
bool sg_structure_code_annotation(const struct sg_structure *s, uint32_t list,
                                  uint32_t ordinal, uint32_t *at,
                                  struct sg_slice *type, struct sg_slice *text);
// Text of the first annotation of that type (`Indicator`); empty: none.
struct sg_slice sg_structure_code_note(const struct sg_structure *s,
                                       uint32_t list, uint32_t ordinal,
                                       struct sg_slice type);
// The code that was probably meant: the same in other case, else one whose
// name or annotation is the value, else for values above 3 letters one at
// small edit distance. -1: none. O(codes); for reports only.
int32_t sg_structure_nearest(const struct sg_structure *s, uint32_t list,
                             struct sg_slice value);

// ---- constraints -----------------------------------------------------------

// part < constraint.parts; values < part.count; value < values.count.
struct sg_constraint_part
sg_structure_constraint_part(const struct sg_structure *s,
                             const struct sg_constraint *c, uint32_t part);
struct sg_constraint_values
sg_structure_constraint_values(const struct sg_structure *s,
                               const struct sg_constraint_part *part,
                               uint32_t index);
struct sg_slice
sg_structure_constraint_value(const struct sg_structure *s,
                              const struct sg_constraint_values *values,
                              uint32_t index);

// ---- the fast way: called for every cell of every observation ---------------

// Up to 8 bytes, zero filled; never reads beyond len.
static inline uint64_t
sg_structure_load(const uint8_t *at, size_t len)
{
    uint64_t out = 0;
    if (len >= 8) {
        memcpy(&out, at, 8);
        return out;
    }
    if (len >= 4) {
        uint32_t low, high;
        memcpy(&low, at, 4);
        memcpy(&high, at + len - 4, 4);
        return low | (uint64_t)high << (8 * (len - 4));
    }
    if (len > 0) { // bytes 0, middle, last: they overlap for 1 and 2
        out = at[0];
        out |= (uint64_t)at[len >> 1] << (8 * (len >> 1));
        out |= (uint64_t)at[len - 1] << (8 * (len - 1));
    }
    return out;
}

// tail of a code slot.
static inline uint64_t
sg_structure_tail(struct sg_slice code)
{
    uint64_t out = 0;
    uint64_t word;
    if (code.len <= 8)
        return 0;
    for (size_t at = 8; at + 8 < code.len && code.len > 16; at += 8) {
        memcpy(&word, code.ptr + at, 8);
        out = (out ^ word) * 0x9e3779b97f4a7c15u;
        out ^= out >> 29;
    }
    memcpy(&word, code.ptr + code.len - 8, 8);
    return out ^ word;
}

static inline uint64_t
sg_structure_hash(uint64_t head, uint64_t tail, size_t len, uint64_t seed)
{
    uint64_t h = (head ^ seed) * 0x9e3779b97f4a7c15u;
    h ^= h >> 32;
    h = (h ^ tail ^ len) * 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

// The text of a code longer than 16 bytes is compared as a whole.
bool sg_structure_code_is(const struct sg_structure *s,
                          const struct sg_code_list *list, uint32_t ordinal,
                          struct sg_slice code);

// Ordinal of code in the list; -1: not in it. O(1).
static inline int32_t
sg_structure_list_code(const struct sg_structure *s,
                       const struct sg_code_list *list, struct sg_slice code)
{
    uint64_t head = sg_structure_load(code.ptr, code.len);
    uint64_t tail = sg_structure_tail(code);
    uint64_t at = sg_structure_hash(head, tail, code.len, list->seed);
    for (;; at++) { // ends: at least half of the slots are empty
        const struct sg_code_slot *slot = &list->slots[at & list->mask];
        if (slot->ordinal_1 == 0)
            return -1;
        if (slot->head == head && slot->tail == tail && slot->len == code.len &&
            (code.len <= 16 ||
             sg_structure_code_is(s, list, slot->ordinal_1 - 1, code)))
            return (int32_t)(slot->ordinal_1 - 1);
    }
}

// The same for a coded component (list >= 0, else a bug).
static inline int32_t
sg_structure_code(const struct sg_structure *s, uint32_t component,
                  struct sg_slice code)
{
    return sg_structure_list_code(s, &s->lists[s->components[component].list],
                                  code);
}
