// share - what one participant may hold of each table.
//
// Nothing of a table is taken back from who holds it, so a table that one
// participant can fill is closed to everybody else for ever. Counted by the
// roster's places in volatile memory, and anew from the state after each roster.
#pragma once

#include "broker/core/turn.h"

// Is there a place left for this participant? Not for who is in no roster.
bool sg_share_left(const struct sg_turn *turn, const char *participant,
                   enum sg_share share);
// by: 1 or -1.
void sg_share_add(struct sg_core *core, const char *participant,
                  enum sg_share share, int by);
// Quotas are new and empty.
void sg_share_count(struct sg_turn *turn);
