// progress - how far long work has come: one line on a terminal, rewritten.
//
// Standard error only, and only where it is a terminal; nothing otherwise, so
// that no log and no pipe ever sees it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sg_progress {
    bool shown;        // is it a terminal?
    const char *doing; // "checking"; static
    uint64_t total;    // bytes; 0: not known
    uint64_t began, looked;
};

void sg_progress_begin(struct sg_progress *progress, const char *doing,
                       uint64_t total);
// At most five lines a second.
void sg_progress_at(struct sg_progress *progress, uint64_t done);
// The line goes away.
void sg_progress_end(struct sg_progress *progress);
