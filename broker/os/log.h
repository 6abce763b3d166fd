// log - what the program says to its operator: one JSON line an event, stderr.
//
// Never evidence (that is the evidence log) and never payload, values of data
// or names of persons. Event ids are stable and listed in statgated(8).
#pragma once

#include <stdint.h>

enum sg_log_level { SG_LOG_DEBUG, SG_LOG_INFO, SG_LOG_WARN, SG_LOG_ERROR };

// key, value, key, value, ..., NULL; all are texts, escaped here.
void sg_log(enum sg_log_level level, const char *event, ...)
    __attribute__((sentinel));
// Lines below it are not written; SG_LOG_INFO at the start.
void sg_log_set_level(enum sg_log_level level);
// A number as a text for sg_log; the buffer lives in the caller.
const char *sg_log_number(uint64_t number, char buffer[24]);
