// match_parts - what of a release a subscription would get, part by part.
//
// A key that asks for some areas leaves the parts that hold one of them, and of
// these parts only the areas asked for. A key or a period that says anything
// else leaves every part whole: facts do not tell which of its rows go, so all
// of them are decided on.
#pragma once

#include "broker/core/turn.h"
#include "policy/among.h"

struct sg_match_part {
    const Sgpb__Part *part; // NULL: the part of no rows
    uint32_t index;         // in the facts; of no rows: as many as they have
    struct sg_among among;
};

// key: the subscription's; NULL: everything. terms: those that the areas of the
// facts were found with. facts: of 1..SG_PARTS_MAX parts. Returns how many are
// left, at least one: where nothing is, the part of no rows of the areas that
// were asked for.
size_t sg_match_parts(const Sgpb__Facts *facts, const Sgpb__FlowTerms *terms,
                      const char *key, struct sg_match_part list[SG_PARTS_MAX]);

// conf_redist of a part for this recipient. Unknown where the list names
// somebody whom the roster does not have: it may be another name of his.
uint16_t sg_match_redist(const struct sg_state *state, const char *listed,
                         const char *recipient);
