#include "broker/wire_guard.h"

#include <string.h>

static const uint64_t minute_us = 60000000;
static const uint64_t trial_length_us = 3000000;
static const uint64_t loud_bytes = 64u * 1024 * 1024;

void
sg_wire_guard_saw(struct sg_wire_guard *guard, const uint8_t key[32],
                  size_t bytes)
{
    uint32_t smallest = 0;

    for (uint32_t i = 0; i < SG_WIRE_GUARD_SEEN; i++) {
        if (memcmp(guard->seen[i].key, key, 32) == 0) {
            guard->seen[i].bytes += bytes;
            return;
        }
        if (guard->seen[i].bytes < guard->seen[smallest].bytes)
            smallest = i;
    }
    if (guard->seen[smallest].bytes >= bytes) {
        guard->seen[smallest].bytes -= bytes;
        return;
    }
    memcpy(guard->seen[smallest].key, key, 32);
    guard->seen[smallest].bytes = bytes;
}

void
sg_wire_guard_tick(struct sg_wire_guard *guard, uint64_t now_us)
{
    if (guard->trial_us == 0 || now_us < guard->trial_us)
        return;
    guard->suspects = guard->away; // quiet without them: it is one of them
    guard->trial_us = 0;
}

static bool
was_connected(const struct sg_wire_guard *guard, const uint8_t *key)
{
    for (uint32_t i = 0; i < guard->connected; i++) {
        if (memcmp(guard->connected_keys[i], key, 32) == 0)
            return true;
    }
    return false;
}

// Only who was connected can have done it; with nobody left, all start anew.
static void
narrow(struct sg_wire_guard *guard)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < guard->suspects; i++) {
        if (was_connected(guard, guard->suspect[i]))
            memmove(guard->suspect[kept++], guard->suspect[i], 32);
    }
    guard->suspects = kept;
    if (kept > 0)
        return;
    memcpy(guard->suspect, guard->connected_keys,
           (size_t)guard->connected * 32);
    guard->suspects = guard->connected;
}

// A key that alone sent more than half of what everybody sent, and much.
static bool
loudest(const struct sg_wire_guard *guard, uint8_t *key)
{
    uint64_t total = 0;
    uint32_t top = 0;

    for (uint32_t i = 0; i < SG_WIRE_GUARD_SEEN; i++) {
        total += guard->seen[i].bytes;
        if (guard->seen[i].bytes > guard->seen[top].bytes)
            top = i;
    }
    memcpy(key, guard->seen[top].key, 32);
    return guard->seen[top].bytes > loud_bytes &&
           guard->seen[top].bytes > total / 2;
}

uint32_t
sg_wire_guard_reset(struct sg_wire_guard *guard, uint64_t now_us, bool *found)
{
    uint8_t(*out)[32] = guard->keep_out;
    uint32_t count;

    guard->trial_us = 0;
    *found = loudest(guard, out[0]);
    if (!*found)
        narrow(guard);
    memset(guard->seen, 0, sizeof guard->seen);
    if (!*found && guard->suspects == 1) {
        memcpy(out[0], guard->suspect[0], 32);
        *found = true;
    }
    if (*found) {
        guard->penalty_min = guard->penalty_min == 0   ? 1
                             : guard->penalty_min < 30 ? guard->penalty_min * 2
                                                       : 60;
        guard->until_us = now_us + guard->penalty_min * minute_us;
        guard->suspects = 0;
        return 1;
    }
    count = guard->suspects / 2;
    guard->away = count;
    memcpy(out, guard->suspect, (size_t)count * 32);
    guard->trial_us = now_us + trial_length_us;
    guard->until_us = guard->trial_us;
    return count;
}
