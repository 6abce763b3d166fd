// structure_get - structures that a gate holds, taken into the home by hash.
#pragma once

#include "adapters/cli/gate_call.h"

int sg_structure_get(int argc, char **argv); // argv[0] is "get"

// Terms of a flow, in call->arena; NULL: call->result says why.
const Sgpb__FlowTerms *sg_structure_terms(struct sg_gate_call *call,
                                          const char *flow);
// Fetches, checks, and enters it into the store of call->home, so that check
// and the library find it. dataflow: one that uses it, or NULL. urn, if not
// NULL, gets its name. Returns call->result.exit; not 0 too when the version is
// known with another content and replace is not set: then only the library
// finds it.
int sg_structure_take(struct sg_gate_call *call, const uint8_t sha256[32],
                      const char *dataflow, bool replace, const char **urn);
