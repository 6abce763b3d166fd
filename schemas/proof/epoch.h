// epoch - the epochs of a log, and what a note that somebody holds says of it.
//
// A log that was brought back from a copy goes on in a new epoch, with another
// origin (decisions-security S27).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sg_epoch {
    uint64_t number;
    uint64_t size; // entries that the log has of it and before
};

struct sg_shown {
    uint64_t epoch, size; // of the note
    bool held;            // so many entries are durable here
    bool same;            // and they have its root
};

// Was a note of that epoch signed over more entries than the log now has of it?
// past: the epochs that are over. One that the log never had began after the
// copy was made: all of it is lost.
static inline bool
sg_epoch_lost(const struct sg_epoch *past, size_t count, uint64_t now,
              uint64_t epoch, uint64_t size)
{
    if (epoch >= now)
        return false;
    for (size_t i = 0; i < count; i++)
        if (past[i].number == epoch)
            return size > past[i].size;
    return true;
}
