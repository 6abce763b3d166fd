// json_scan - JSON (RFC 8259) as a stream of tokens, from slices of any size.
//
// Owns the grammar and nothing of what a message means. A number is handed
// over as it was written, so that 3.10 stays 3.10; a string comes unescaped.
// Refused, though some parsers let it pass, since two of them would read
// different things: a byte order mark (RFC 8259, 8.1), a surrogate without its
// other half, \u0000, anything behind the value. Names that stand twice in an
// object are for whoever knows what the object means.
// Invariant: any split of the bytes into feeds gives the same calls and the
// same fault at the same place; nesting, names, strings and numbers are within
// limits.h; after the first fault nothing is called any more.
// Never does: I/O, turning numbers into anything.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

enum sg_json_token {
    SG_JSON_OBJECT,
    SG_JSON_OBJECT_END,
    SG_JSON_ARRAY,
    SG_JSON_ARRAY_END,
    SG_JSON_NAME, // of a member; its value is the next token
    SG_JSON_STRING,
    SG_JSON_NUMBER,
    SG_JSON_TRUE,
    SG_JSON_FALSE,
    SG_JSON_NULL,
};

// Why the text is refused.
enum sg_json_fault {
    SG_JSON_FAULT_NONE = 0, // nothing wrong so far, or the callback refused
    SG_JSON_FAULT_SYNTAX,
    SG_JSON_FAULT_ENCODING, // not UTF-8
    SG_JSON_FAULT_EMPTY,    // nothing but white space
    SG_JSON_FAULT_SHORT,    // ends within the value
    SG_JSON_FAULT_LIMIT,
};

// text: of names, strings and numbers, and the word of the last three; dies
// when the call returns. An error stops the scan and comes back from feed.
struct sg_json_events {
    enum sg_err (*token)(void *user, enum sg_json_token token,
                         struct sg_slice text);
    // Where scan->members is set, for each member of an object, before its
    // name is looked at: bytes begin with its quote. Whoever knows the member
    // and finds it whole and right takes it: bytes used, and the line feeds
    // among them. 0: the tokens are wanted. May be NULL.
    size_t (*member)(void *user, struct sg_slice bytes, uint64_t *lines,
                     enum sg_err *err);
};

struct sg_json_buffer { // in the arena; grows, keeps its size
    uint8_t *ptr;
    size_t len, cap;
};

struct sg_json_scan {
    struct sg_arena *arena;
    const struct sg_json_events *events;
    void *user;
    uint64_t objects[2]; // bit d: what is open at depth d is an object
    uint32_t depth;      // of what is open; outermost: 1
    uint8_t want;        // what may come next
    uint8_t part;        // the kind of token that the last feed ended in
    bool escape;         // and it ended behind a backslash
    bool members;        // set by the user
    bool high;           // the token has bytes above 127
    struct sg_json_buffer carry, plain; // the begun token; the unescaped one
    uint64_t line;                      // from 1
    uint64_t base;                      // bytes of the feeds before this one
    uint64_t at;                        // first byte of the token, from 0
    enum sg_json_fault fault;
    enum sg_err err; // what feed returned, if not SG_OK
    const char *why; // static
};

// events must outlive the scan; so must what it took of the arena.
void sg_json_scan_init(struct sg_json_scan *scan, struct sg_arena *arena,
                       const struct sg_json_events *events, void *user);
// For the same bytes, or others, from the first; keeps the arena's pieces.
void sg_json_scan_again(struct sg_json_scan *scan);
// SG_ERR_SYNTAX: scan->fault, why, line and at say what and where;
// SG_ERR_FULL: arena; else what the callback returned. Every later call
// returns the same.
SG_MUST_CHECK enum sg_err sg_json_scan_feed(struct sg_json_scan *scan,
                                            struct sg_slice bytes);
SG_MUST_CHECK enum sg_err sg_json_scan_end(struct sg_json_scan *scan);

// Makes room for more bytes behind len. false: arena full.
bool sg_json_scan_room(struct sg_arena *arena, struct sg_json_buffer *buffer,
                       size_t more);
