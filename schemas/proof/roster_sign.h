// roster_sign - who signed a roster: the one place that counts its persons.
//
// Owns nothing. Invariant: a person counts once, however many keys are his
// (decisions-security S05), and a key without a person counts for nobody. Never
// asks whether a roster may follow another: its caller does, with the threshold.
#pragma once

#include <stddef.h>

#include "broker/base/slice.h"
#include "schemas/roster.pb-c.h"

// The root key of this roster with this id (32 bytes); NULL: none.
const Sgpb__RootKey *sg_roster_sign_root(const Sgpb__Roster *by,
                                         struct sg_slice key_id);
// How many distinct persons among the roots of `by` signed this roster? One
// look at each signature, one verification at most for each.
size_t sg_roster_sign_persons(const Sgpb__SignedRoster *signed_roster,
                              const Sgpb__Roster *by);
