// tokens - what signature checks and answers a participant may cost the gate
// (S53).
//
// A token is taken before each check, whatever message brought the signature,
// and given back when what it vouched for was news: the bucket bounds what
// costs the gate work and brings nothing, not the rate of the honest, whom
// credit and the limits of tables bound. Questions have a bucket of their own,
// from all connections of a participant: nobody holds the loop up by asking.
// Never: a check, or an answer, without the sender's token.
#pragma once

#include "broker/core/turn.h"

// So many checks for the sender of the message in hand. false: he has to wait,
// SG_ERR_BUSY. Without a message in hand nobody pays.
bool sg_tokens_check(struct sg_turn *turn, size_t checks);
// The checks of the message in hand so far were worth it. sg_turn_append says
// so of what becomes evidence.
void sg_tokens_worth(struct sg_turn *turn);

// May the sender of the message in hand ask now? false: PEER_RATE.
bool sg_tokens_ask(struct sg_turn *turn);
// To answer him so many entries, rows or deliveries had to be looked at.
void sg_tokens_looked(struct sg_turn *turn, uint64_t things);
