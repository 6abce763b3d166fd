// object - documents of the gate, fetched by their hash.
//
// Owns home/structures/<sha256> as far as a gate filled it. Invariant: nothing
// is returned or kept whose hash is not the one asked for.
#pragma once

#include "adapters/client/session.h"

// The whole document, in handle->arena. sha256 of 32 bytes, or for "roster"
// empty. Returns result->exit.
SG_MUST_CHECK int sg_object_fetch(struct statgate *handle,
                                  enum sg_wire_lane lane, const char *kind,
                                  struct sg_slice sha256,
                                  struct sg_slice *bytes,
                                  struct statgate_result *result);
// The structure of this hash is in the home, from the gate if need be.
SG_MUST_CHECK int sg_object_structure(struct statgate *handle,
                                      struct sg_slice sha256,
                                      struct statgate_result *result);
