// tokens - what signature checks a participant may cost the gate (S53).
//
// A token is taken before each check, whatever message brought the signature,
// and given back when what it vouched for was news: the bucket bounds what
// costs the gate work and brings nothing, not the rate of the honest, whom
// credit and the limits of tables bound. Never: a check without the sender's
// token.
#pragma once

#include "broker/core/turn.h"

// So many checks for the sender of the message in hand. false: he has to wait,
// SG_ERR_BUSY. Without a message in hand nobody pays.
bool sg_tokens_check(struct sg_turn *turn, size_t checks);
// The checks of the message in hand so far were worth it. sg_turn_append says
// so of what becomes evidence.
void sg_tokens_worth(struct sg_turn *turn);
