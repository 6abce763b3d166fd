// told - which refusals of a subscription the application has heard of.
//
// The gate says again what was refused or is held whenever a subscriber
// attaches; the application hears each decision once, also after a restart.
// Owns HOME/subscriptions/<hash of name>.told: SG_TOLD_RECORD bytes a decision,
// the delivery's id and the entry of the decision (big-endian).
// Invariant: what is lost or full is told again, never kept back.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/err.h"
#include "broker/base/slice.h"

struct sg_told; // opaque

enum {
    SG_TOLD_RECORD = 24,
    SG_TOLD_MAX = 65536, // decisions; then all are forgotten. 2 MB
};

// path: its file, read if it is there; a damaged one counts as empty. NULL: no
// memory.
struct sg_told *sg_told_open(const char *path);
// Writes what is new, and frees. SG_ERR_IO, SG_ERR_FULL: it will be told again.
enum sg_err sg_told_close(struct sg_told **told);
bool sg_told_has(const struct sg_told *told, const uint8_t delivery_id[16],
                 uint64_t decision);
void sg_told_add(struct sg_told *told, const uint8_t delivery_id[16],
                 uint64_t decision);
