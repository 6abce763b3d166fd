// fsm - a state machine as a table: rows are states, columns are events.
//
// Total: every pair is defined. SG_FSM_NO marks a pair that only a bug or a
// lying peer can bring about; the caller decides which by where the event came
// from. One machine describes one object's life, never the talk of modules.
#pragma once

#include <stdint.h>

#include "broker/base/check.h"

enum { SG_FSM_NO = 0xff };

struct sg_fsm {
    const char *name;
    uint8_t states, events;        // counts, each at most 254
    const char *const *state_name; // states of them
    const char *const *event_name; // events of them
    const uint8_t *next;           // next[state * events + event]
};

// The state after event, or SG_FSM_NO. Asserts the ranges.
uint8_t sg_fsm_next(const struct sg_fsm *fsm, uint8_t state, uint8_t event);
// Asserts that every next state is in range; called by unit tests and at start.
void sg_fsm_check(const struct sg_fsm *fsm);
