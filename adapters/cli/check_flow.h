// check_flow - the rules of a flow, for check --flow.
//
// Owns the terms that the gate shows and the structure that they are about, from
// the home or else from the gate. Invariant: nothing is published, and nothing
// is written into the home. Never decides: who gets a release is the gate's.
#pragma once

#include "adapters/cli/gate_call.h"
#include "schemas/sdmx/check.h"
#include "schemas/sdmx/obs.h"

struct sg_check_flow {
    const char *flow, *home; // home NULL: STATGATE_HOME
    struct sg_gate_call call;
    const Sgpb__FlowTerms *terms;
    const struct sg_structure *structure;
    int32_t conf_status, embargo; // components; -1: there is none
};

// The exit status; 0: terms and structure are there. Else it is said.
int sg_check_flow_open(struct sg_check_flow *flow, bool json);
void sg_check_flow_close(struct sg_check_flow *flow);
// The dataflow that the terms name, as its slices; false: none.
bool sg_check_flow_dataflow(const struct sg_check_flow *flow,
                            struct sg_obs_ref *out);
// Is it the structure of the flow, or its dataflow? As the gate asks it.
bool sg_check_flow_named(const struct sg_check_flow *flow,
                         const struct sg_obs_ref *ref);
// What the terms want of a row beyond the structure.
void sg_check_flow_obs(const struct sg_check_flow *flow, struct sg_check *check,
                       const struct sg_obs *obs);
