// xml - foreign XML as a stream of elements and text; the one door to expat.
//
// Owns a parser that is fed with slices and calls back. Where it is told so,
// tags that repeat are read by our own scanner (xml_scan.h) and expat reads the
// rest; that changes nothing but the speed. Names come apart into
// namespace and local name, text comes unescaped as UTF-8 (whatever UTF-8 or
// UTF-16 the document is in), attribute values normalised (XML 1.0, 3.3.3).
// Invariant: no DOCTYPE (so no entities but the five), no NUL, nesting,
// attributes, one token and the number of different names within limits.h;
// after the first error nothing is called any more.
// Never does: I/O, random numbers (the salt of expat's tables is given).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/check.h"
#include "broker/base/diag.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

struct sg_xml; // opaque, in the caller's arena; expat's part is freed by close

enum { SG_XML_KNOWN = 2047 }; // numbers that `known` can have, from 1

struct sg_xml_attr {
    struct sg_slice ns;   // URI; empty: no prefix
    struct sg_slice name; // local
    struct sg_slice value;
    // As long as the parser lives, the same number says the same attribute of
    // the same name of element; 0: nothing is said.
    uint32_t known;
};

struct sg_xml_element {
    struct sg_slice ns, name; // URI, local name
    const struct sg_xml_attr *attrs;
    uint32_t attr_count;
    uint32_t depth; // root: 1
    uint32_t known; // as of attributes; no attribute has it
};

// Everything handed over dies when the call returns. An error stops the parser
// and comes back from feed. text may be called many times for one run of text,
// and is called for the white space between elements too. NULL: not wanted.
struct sg_xml_events {
    enum sg_err (*start)(void *user, const struct sg_xml_element *element);
    enum sg_err (*text)(void *user, struct sg_slice text);
    enum sg_err (*end)(void *user, struct sg_slice ns, struct sg_slice name);
};

// Why the document itself is refused.
enum sg_xml_fault {
    SG_XML_NONE = 0, // nothing wrong so far, or a callback refused
    SG_XML_SYNTAX,   // not well-formed
    SG_XML_DTD,      // has a DOCTYPE
    SG_XML_ENCODING, // bytes that are not of its encoding, or unknown encoding
    SG_XML_EMPTY,    // no element at all
    SG_XML_SHORT,    // ends inside an element
    SG_XML_LIMIT,    // over a limit of limits.h
};

struct sg_xml_place {
    uint32_t line, column; // from 1, of the current event's first character
    uint64_t byte;         // from 0
};

// salt: random and not zero (a zero salt is a bug: expat would draw its own and
// the sandbox kill it). events and user must outlive the parser. SG_ERR_FULL:
// arena; SG_ERR_MEMORY.
SG_MUST_CHECK enum sg_err sg_xml_open(struct sg_arena *arena, uint64_t salt,
                                      const struct sg_xml_events *events,
                                      void *user, struct sg_xml **out);
void sg_xml_close(struct sg_xml **xml); // *xml becomes NULL

// For data messages, before the first byte: few kinds of tags, many times.
// portable: without SIMD, for tests. SG_ERR_FULL: arena.
SG_MUST_CHECK enum sg_err sg_xml_repeats(struct sg_xml *xml,
                                         struct sg_arena *arena, bool portable);

// The next bytes, any number. SG_ERR_SYNTAX, SG_ERR_FULL (a limit),
// SG_ERR_MEMORY, or what a callback returned; diag (may be NULL) is set unless
// a callback returned it. Every later call returns the same error.
SG_MUST_CHECK enum sg_err sg_xml_feed(struct sg_xml *xml, struct sg_slice bytes,
                                      struct sg_diag *diag);
// No more bytes: also SG_ERR_SHORT.
SG_MUST_CHECK enum sg_err sg_xml_finish(struct sg_xml *xml,
                                        struct sg_diag *diag);

enum sg_xml_fault sg_xml_fault(const struct sg_xml *xml);
struct sg_xml_place sg_xml_place(const struct sg_xml *xml);

// Value of the first attribute with that local name, in whatever namespace;
// ptr NULL: there is none.
struct sg_slice sg_xml_attr(const struct sg_xml_element *element,
                            struct sg_slice name);
