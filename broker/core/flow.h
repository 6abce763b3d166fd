// flow - signed terms, their succession, and the structures they name.
//
// Terms are a document of the provider, versioned and chained; loosening takes
// two persons (S10, S45). A release is decided under the stricter of the terms
// it was accepted under and those in force.
#pragma once

#include "broker/core/turn.h"

enum sg_err sg_flow_apply_terms(struct sg_state *state,
                                const struct sg_appended *entry,
                                const void *body);
enum sg_err sg_flow_apply_closed(struct sg_state *state,
                                 const struct sg_appended *entry,
                                 const void *body);
enum sg_err sg_flow_apply_structure(struct sg_state *state,
                                    const struct sg_appended *entry,
                                    const void *body);
// Unpacks flow->kept; also after a snapshot.
enum sg_err sg_flow_open(struct sg_flow *flow);
enum sg_err sg_flow_open_structure(struct sg_structure *structure);

// 0: none, or closed.
uint32_t sg_flow_find(const struct sg_state *state, const char *id);
const struct sg_structure *sg_flow_structure(const struct sg_state *state,
                                             struct sg_slice sha256);

// Are these terms complete and sound in themselves? *field: the one at fault.
enum sg_err sg_flow_check_terms(const Sgpb__FlowTerms *terms,
                                const char **field);
// Does next allow anything that now does not? Anything changed that is not
// plainly stricter counts as looser.
bool sg_flow_looser(const Sgpb__FlowTerms *now, const Sgpb__FlowTerms *next);
// Value of an attribute that the terms state, as code; 0: unknown or not
// applicable.
uint16_t sg_flow_code(const Sgpb__FlowTerms *terms, enum sg_attr attr);
// Is the purpose one that the flow may be used for?
bool sg_flow_serves(const Sgpb__FlowTerms *terms, const char *purpose);
// How strong a commitment is: 1 file, 2 series, 3 row (Manifest.mode); 0: none.
uint32_t sg_flow_mode(const Sgpb__FlowTerms *terms);

void sg_flow_put(struct sg_turn *turn);
void sg_flow_get(struct sg_turn *turn);
void sg_flow_close(struct sg_turn *turn);
Sgpb__CatalogueFlow *sg_flow_catalogue(struct sg_turn *turn,
                                       const struct sg_flow *flow);
