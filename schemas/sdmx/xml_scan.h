// xml_scan - the tags of a document that repeat, read without expat.
//
// A data message says the same few tags millions of times. The scanner reads
// those that expat has judged before (sg_xml_scan_learn): the same qualified
// names, in any order, with other values; and text of plain ASCII. For whatever
// else it stops and says so, and expat reads on from that place (xml.c). So it
// can accept only what expat accepts, and refuses nothing by itself: every
// fault, and its words, are expat's.
// Invariant: events, lines and columns are those of expat; what the names mean
// (namespaces) does not change between learning and forgetting; nothing is read
// beyond the bytes given. Memory is bounded by the tables below.
// Never does: I/O, allocating.
// Source: XML 1.0 (fifth edition) 2.10, 2.11, 3.1, 3.3.3; Namespaces 1.0.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/limits.h"
#include "schemas/sdmx/xml.h"

enum {
    SG_XML_SCAN_TAGS = 16,
    SG_XML_SCAN_ATTRS = 64, // of one tag
    SG_XML_SCAN_NAME = 64,  // bytes of a qualified name, `="` included
    SG_XML_SCAN_SPACES = 16,
    SG_XML_SCAN_URI = 256,
    SG_XML_SCAN_CARRY = 16 * 1024, // the longest tag
    SG_XML_SCAN_SCRATCH = 16 * 1024,
    SG_XML_SCAN_NONE = 255,
};

struct sg_xml_scan_attr {
    uint8_t text[SG_XML_SCAN_NAME]; // name="
    uint8_t len;                    // of the name alone
    uint8_t next;                   // what came after it last time
    uint32_t ask;                   // bit i: text has byte i; 0: over 32
    uint32_t known;
    struct sg_slice ns, name;
};

struct sg_xml_scan_tag {
    uint8_t text[SG_XML_SCAN_NAME];
    uint8_t len;
    uint8_t first; // the attribute that came first last time
    uint8_t count;
    uint32_t known;
    struct sg_slice ns, name;
    struct sg_xml_scan_attr attrs[SG_XML_SCAN_ATTRS];
};

struct sg_xml_scan {
    const struct sg_xml_events *events;
    void *user;
    bool portable; // no SIMD; for tests
    // what has been learned
    struct sg_xml_scan_tag tags[SG_XML_SCAN_TAGS];
    uint32_t tag_count, tag_next;
    uint32_t known; // the last number given
    uint8_t uris[SG_XML_SCAN_SPACES][SG_XML_SCAN_URI];
    uint32_t uri_lens[SG_XML_SCAN_SPACES];
    uint32_t uri_count;
    // elements that are open; expat knows the first `synced`
    uint32_t depth, synced;
    struct sg_xml_scan_tag *open[SG_LIMIT_XML_DEPTH + 1];
    struct sg_xml_scan_tag *last[SG_LIMIT_XML_DEPTH + 2]; // at that depth
    // place of the current token
    uint64_t byte;
    uint64_t line_byte; // where its line begins
    uint64_t wide;      // bytes of the line that are no character of their own
    uint32_t line;
    uint64_t read; // tags read
    // the beginning of a tag whose end has not come yet
    size_t carry_len;
    uint32_t carry_tries;
    uint8_t carry[SG_XML_SCAN_CARRY];
    // values that are not as they were written
    size_t scratch_len;
    uint8_t scratch[SG_XML_SCAN_SCRATCH];
    struct sg_xml_attr attrs[SG_XML_SCAN_ATTRS];
};

enum sg_xml_scan_end {
    SG_XML_SCAN_MORE, // all taken, an unfinished tag is kept
    SG_XML_SCAN_ODD,  // what comes next is expat's: first carry, then the rest
    SG_XML_SCAN_STOP, // a callback refused
};

void sg_xml_scan_init(struct sg_xml_scan *scan,
                      const struct sg_xml_events *events, void *user);
// A tag that expat accepted, as written and as understood; the same names mean
// the same until sg_xml_scan_forget. Only while depth == synced.
void sg_xml_scan_learn(struct sg_xml_scan *scan, struct sg_slice raw,
                       const struct sg_xml_element *element);
void sg_xml_scan_forget(struct sg_xml_scan *scan);
// Reads on at a place between tokens of the root's content. *used: bytes
// taken, those in carry included. *err: what a callback said.
enum sg_xml_scan_end sg_xml_scan_run(struct sg_xml_scan *scan,
                                     struct sg_slice bytes, size_t *used,
                                     enum sg_err *err);
