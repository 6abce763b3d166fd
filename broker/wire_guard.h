// wire_guard - which key makes the process grow? (decisions-security S54)
//
// Bytes of a message that never ends are invisible to us: libzmq holds them and
// tells nobody. So after each reset of the sockets the keys that were connected
// are suspects; one that stands out by the bytes we did see goes first, else
// half of the suspects are kept away for a trial, and what happens then says in
// which half the guilty one is. Pure: no socket, no clock.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SG_WIRE_GUARD_SUSPECTS = 1024, // more connected keys than this: the first
    SG_WIRE_GUARD_SEEN = 64,       // keys with the most bytes, roughly
};

struct sg_wire_guard {
    uint8_t connected_keys[SG_WIRE_GUARD_SUSPECTS][32]; // since the last reset
    uint32_t connected;
    uint8_t suspect[SG_WIRE_GUARD_SUSPECTS][32];
    uint8_t keep_out[SG_WIRE_GUARD_SUSPECTS][32]; // answer of the last reset
    uint32_t suspects;
    uint32_t away;        // the first of suspect[] that a trial keeps out
    uint64_t trial_us;    // end of the trial; 0: none
    uint64_t until_us;    // how long those of the last answer stay out
    uint32_t penalty_min; // of the last one found; doubles up to 60
    struct {
        uint8_t key[32];
        uint64_t bytes;
    } seen[SG_WIRE_GUARD_SEEN];
};

// Counts a whole message of key (Misra-Gries: heavy keys survive).
void sg_wire_guard_saw(struct sg_wire_guard *guard, const uint8_t key[32],
                       size_t bytes);
// Ends a trial that went well: the guilty key is among those kept away.
void sg_wire_guard_tick(struct sg_wire_guard *guard, uint64_t now_us);
// The sockets are being made anew because memory grew. Fills keep_out, whose
// keys stay out until until_us, and returns their number; *found: it is one
// key, and it is the one.
uint32_t sg_wire_guard_reset(struct sg_wire_guard *guard, uint64_t now_us,
                             bool *found);
