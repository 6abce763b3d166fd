// log - what the program says to its operator: one JSON line an event, stderr.
//
// Never evidence (that is the evidence log) and never payload, values of data
// or names of persons. Event ids are stable and listed in statgated(8). A line
// is always JSON in UTF-8 without control characters, whatever the texts are:
// it ends up in terminals and in other people's parsers.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum sg_log_level {
    SG_LOG_DEBUG,
    SG_LOG_INFO,
    SG_LOG_WARN,
    SG_LOG_ERROR,
    SG_LOG_OFF // as a level to set: nothing is written
};

// key, value, key, value, ..., NULL; all are texts, escaped here. A line holds
// 2 KiB: a long value is cut, further pairs are left out.
void sg_log(enum sg_log_level level, const char *event, ...)
    __attribute__((sentinel));
// Lines below it are not written; SG_LOG_INFO at the start.
void sg_log_set_level(enum sg_log_level level);
// A number as a text for sg_log; the buffer lives in the caller.
const char *sg_log_number(uint64_t number, char buffer[24]);

// At most so many lines of a kind a minute, so that a peer cannot fill the
// disk by what it does wrong. One for each kind, zeroed, of one thread.
struct sg_log_limit {
    uint64_t minute;  // since boot
    uint32_t written; // in it
    uint64_t left_out;
};
// true: write it, and with it that *left_out lines were left out before.
bool sg_log_allowed(struct sg_log_limit *limit, uint32_t a_minute,
                    uint64_t now_us, uint64_t *left_out);
