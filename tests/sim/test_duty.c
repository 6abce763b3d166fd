// What a recipient has promised to do by a day is owed from its key on: an entry
// with the day, before the key (core-design 2, entry 39).
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)

#include "broker/core/volatile.h"
#include "tests/sim/quiet.h"

enum { DAYS = 30, RELEASES = 3 };

// The hub's rule, and under it a duty.
static void
oblige(struct sim *sim)
{
    static const char because[] = "  because \"Charter\"\n";
    static const char duty[] = "  oblige delete_after_days(30)\n";
    void *open;

    assert_int_equal(sg_codec_unpack(&sgpb__policy_bundle__descriptor,
                                     sim->bundle, sim->mem, &open),
                     SG_OK);
    ProtobufCBinaryData *text = &((Sgpb__PolicyBundle *)open)->files[1]->text;
    size_t head = text->len - (sizeof because - 1);
    assert_memory_equal(text->data + head, because, sizeof because - 1);
    uint8_t *more = sim_take(sim, text->len + sizeof duty);
    memcpy(more, text->data, head);
    memcpy(more + head, duty, sizeof duty - 1);
    memcpy(more + head + sizeof duty - 1, because, sizeof because - 1);
    *text = BYTES(more, text->len + sizeof duty - 1);
    sim->bundle = sim_pack(sim, &((Sgpb__PolicyBundle *)open)->base);
    sg_crypto_sha256(sim->bundle.ptr, sim->bundle.len, sim->bundle_sha);
}

static struct sim *
world(bool obliged)
{
    struct sim *sim = sim_open(1, BUG_NONE);

    sim->quiet = true;
    sim->releases = RELEASES;
    sim->crash_after = 0;
    sim->promises = true;
    if (obliged)
        oblige(sim);
    for (int i = 0; i < 2000 && sim->peer[NEAR].seen_count < RELEASES; i++)
        quiet_tick(sim, i % FAR);
    for (int i = 0; i < 40; i++)
        quiet_tick(sim, NEAR);
    assert_int_equal(sim->peer[NEAR].seen_count, RELEASES);
    return sim;
}

// Duties owed for the delivery in the entries before `end`.
static size_t
owed(struct sim *sim, const uint8_t id[16], size_t end)
{
    size_t count = 0;
    void *open;

    for (size_t i = 0; i < end; i++) {
        if (sim->entries[i].type != SG_ENTRY_DUTY_OWED)
            continue;
        assert_int_equal(sg_codec_unpack(&sgpb__duty__descriptor,
                                         sim->entries[i].body, sim->mem, &open),
                         SG_OK);
        const Sgpb__Duty *duty = open;
        if (memcmp(duty->delivery_id.data, id, 16) != 0)
            continue;
        assert_string_equal(duty->kind, "delete_after_days");
        assert_string_equal(duty->arg, "30");
        assert_int_equal(duty->due, sim->entries[i].time + DAYS * DAY_US);
        count++;
    }
    return count;
}

static void
end(struct sim *sim)
{
    sim_compare(sim);
    const char *broken = sim->broken;
    sim_close(&sim);
    if (broken != NULL)
        fail_msg("%s", broken);
}

static void
a_key_under_a_dated_promise_has_its_duty_before_it(void **state)
{
    struct sim *sim = world(true);
    size_t keys = 0;
    void *open;

    (void)state;
    for (size_t i = 0; i < sim->count; i++) {
        if (sim->entries[i].type != SG_ENTRY_KEY_RELEASED)
            continue;
        assert_int_equal(sg_codec_unpack(&sgpb__key_released__descriptor,
                                         sim->entries[i].body, sim->mem, &open),
                         SG_OK);
        const Sgpb__KeyReleased *body = open;
        for (size_t k = 0; k < body->n_deliveries; k++, keys++) {
            assert_int_equal(owed(sim, body->deliveries[k].data, i), 1);
            assert_int_equal(owed(sim, body->deliveries[k].data, sim->count),
                             1);
        }
    }
    assert_true(keys >= RELEASES);
    end(sim);
}

static void
what_no_rule_asks_for_is_no_duty(void **state)
{
    struct sim *sim = world(false);

    (void)state;
    assert_true(sim->keys >= RELEASES);
    for (size_t i = 0; i < sim->count; i++)
        assert_int_not_equal(sim->entries[i].type, SG_ENTRY_DUTY_OWED);
    end(sim);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_under_a_dated_promise_has_its_duty_before_it),
        cmocka_unit_test(what_no_rule_asks_for_is_no_duty),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
