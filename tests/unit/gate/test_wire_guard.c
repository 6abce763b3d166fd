// Who makes the process grow: the guilty key is found among many, in few
// resets, and an innocent one is never kept away for good (S54).
#include "broker/wire_guard.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <string.h>

#include "broker/base/check.h"

enum { PEERS = 100, RESETS = 8, STEPS = 64 };

static void
name(uint32_t number, uint8_t key[32])
{
    memset(key, 0, 32);
    key[0] = (uint8_t)number;
    key[1] = (uint8_t)(number >> 8);
}

// Whoever is kept out is not connected; all others are.
static void
connect_all(struct sg_wire_guard *guard, uint32_t out, uint64_t now_us)
{
    guard->connected = 0;
    for (uint32_t i = 0; i < PEERS; i++) {
        uint8_t key[32];
        bool away = false;
        name(i, key);
        for (uint32_t k = 0; k < out && now_us < guard->until_us; k++)
            away = away || memcmp(guard->keep_out[k], key, 32) == 0;
        if (!away)
            memcpy(guard->connected_keys[guard->connected++], key, 32);
    }
}

static bool
is_connected(const struct sg_wire_guard *guard, const uint8_t *key)
{
    for (uint32_t i = 0; i < guard->connected; i++)
        if (memcmp(guard->connected_keys[i], key, 32) == 0)
            return true;
    return false;
}

static void
one_guilty_key_among_many_is_found_in_few_resets(void **state)
{
    (void)state;
    for (uint32_t who = 0; who < PEERS; who++) {
        static struct sg_wire_guard guard;
        uint8_t guilty[32];
        uint64_t now_us = 1000000;
        uint32_t out = 0, resets = 0;
        bool found = false;
        memset(&guard, 0, sizeof guard);
        name(who, guilty);
        for (int i = 0; i < STEPS && !found; i++) {
            connect_all(&guard, out, now_us);
            sg_wire_guard_tick(&guard, now_us);
            if (is_connected(&guard, guilty)) { // it grows at once
                out = sg_wire_guard_reset(&guard, now_us, &found);
                resets++;
                now_us += 100000;
            } else {
                now_us = guard.until_us; // quiet through the trial
            }
        }
        assert_true(found);
        assert_int_equal(out, 1);
        assert_memory_equal(guard.keep_out[0], guilty, 32);
        assert_true(resets <= RESETS);
    }
}

static void
who_is_loud_is_found_at_once(void **state)
{
    (void)state;
    static struct sg_wire_guard guard;
    uint8_t loud[32], other[32];
    bool found;
    memset(&guard, 0, sizeof guard);
    name(7, loud);
    for (uint32_t i = 0; i < 4096; i++) {
        name(100 + i % 500, other);
        sg_wire_guard_saw(&guard, other, 1000);
        sg_wire_guard_saw(&guard, loud, 65536);
    }
    connect_all(&guard, 0, 0);
    assert_int_equal(sg_wire_guard_reset(&guard, 1000000, &found), 1);
    assert_true(found);
    assert_memory_equal(guard.keep_out[0], loud, 32);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_guilty_key_among_many_is_found_in_few_resets),
        cmocka_unit_test(who_is_loud_is_found_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
