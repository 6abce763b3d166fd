// fault - what can be wrong with a data message: codes, severity, places.
//
// Owns the table of codes of `check --json` (ARCHITECTURE 12). Codes are
// stable: a row is added, never renamed. A fault is a value handed on by
// callback; its slices live until the callback returns.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/slice.h"

// name (which is the code), what it says, the cure
// clang-format off
#define SG_FAULT_TABLE(X)                                                      \
    X(STRUCTURE_UNKNOWN, "the structure named is not known here", "import it: statgate structure import FILE, or correct the reference") \
    X(STRUCTURE_TYPE, "no kind of structure", "write dataflow, datastructure or dataprovision") \
    X(STRUCTURE_REF, "the reference to the structure does not resolve", "name one structure of the header, in the form AGENCY:ID(VERSION)") \
    X(HEADER, "the header is not one of this format", "write the header as the format's guide says") \
    X(HEADER_DUPLICATE, "a column stands twice", "keep one of the columns") \
    X(HEADER_SUBDELIM, "the sub-field separator is missing or unusable", "declare it in the first column: STRUCTURE[;]") \
    X(UNKNOWN_COMPONENT, "no component of the structure", "remove it, or use a structure that has it") \
    X(DIM_MISSING, "a dimension has no value", "give every dimension a value; _T or _Z where it does not matter") \
    X(CODE, "the code is not in the code list", "use a code of the list") \
    X(TYPE, "the value does not have the type that the structure asks", "write it in that form") \
    X(TIME_FORMAT, "not a time period of SDMX", "write 2020, 2020-01, 2020-01-31, 2020-Q1, 2020-M01, 2020-W01 ...") \
    X(ATTR_MANDATORY, "a mandatory attribute has no value", "give it a value") \
    X(ATTR_CONFLICT, "two values where the attribute has one", "give all observations concerned the same value") \
    X(ATTR_LEVEL, "the attribute stands at another level than the structure says", "move it to the level that the structure names") \
    X(DUPLICATE, "the same key twice in one data set", "keep one of the observations") \
    X(ROW_WIDTH, "the row has another number of fields than the header", "write as many fields as the header has; quote values that hold the separator") \
    X(CSV_SYNTAX, "not CSV as RFC 4180 says", "quote the whole value and double the quotes within") \
    X(CONSTRAINT, "a constraint does not allow the value here", "use a value that the constraint allows") \
    X(ENCODING, "not UTF-8 text", "save the file as UTF-8 without NUL characters") \
    X(OCCURS, "several values where the structure allows one", "send one value") \
    X(ACTION, "no action of SDMX", "write I, A, M, R or D") \
    X(CHANGE, "a change; whole flows are published here", "send the whole flow, with action I or R or with none") \
    X(EMPTY, "the message is empty", "send a message with a header") \
    X(NO_OBSERVATIONS, "the message holds no observation", "send the flow with its observations; what has left is taken back by a recall, not by a release of nothing") \
    X(XML, "not well-formed XML", "correct the place named, or write the file again") \
    X(DTD, "a document type declaration is not accepted", "remove <!DOCTYPE ...>") \
    X(JSON, "not JSON, or not what SDMX-JSON has there", "correct the place named") \
    X(FOOTER, "the sender says in the footer, or under errors, that the message is not complete", "ask for the data in smaller pieces") \
    X(FREQ_PERIOD, "the time period does not fit the frequency", "use the period that belongs to FREQ") \
    X(CONF_STATUS, "the confidentiality flag is missing or contradicts the value", "flag the observation") \
    X(EMBARGO, "the embargo contradicts the confidentiality flag", "use EMBARGO_TIME with CONF_STATUS E only") \
    X(EMBARGO_DATE, "the embargo of the header is not held", "write EmbargoDate once and with its zone, as in 2027-03-01T09:00:00Z, and claim it") \
    X(LANGUAGE, "a language is missing, unknown or given twice", "name each language once") \
    X(METADATA, "the reference metadata do not conform", "see the component named")
// clang-format on

enum sg_fault_code {
#define X(name, sentence, cure) SG_FAULT_##name,
    SG_FAULT_TABLE(X)
#undef X
        SG_FAULT_TABLE_END,
};

struct sg_fault {
    enum sg_fault_code code;
    bool warning;              // said, but no ground to reject
    struct sg_slice component; // empty: none
    struct sg_slice value;     // as sent; empty: none
    struct sg_slice hint;      // the code probably meant, or a remark
    uint64_t row;              // ordinal of the observation; 0: message
    uint64_t line;             // physical, from 1; 0: unknown
};

// The code of this name; false: none.
bool sg_fault_named(struct sg_slice name, enum sg_fault_code *code);
// Static text, never NULL.
const char *sg_fault_name(enum sg_fault_code code); // "DIM_MISSING"
const char *sg_fault_sentence(enum sg_fault_code code);
const char *sg_fault_cure(enum sg_fault_code code);
