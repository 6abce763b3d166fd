// A thousand power cuts: nothing told is lost, nothing half-made counts.
//
// The workload tells (acks) the number of durable entries, and of objects those
// that a durable entry came after. SG_POWER_STATES sets the number of states
// (1,000).
#include "tests/crash/power_disk.h"

#include "tests/crash/work.h"

enum { TURNS = 60 };

static void
workload(struct home *home, struct power *power)
{
    uint64_t random = 4711;
    assert_int_equal(sg_evidence_create(&home->options, HOME_TIME,
                                        SG_SLICE("genesis"), home->genesis),
                     SG_OK);
    power_ack(power, 1);
    home_open(home);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        uint64_t draw;
        (void)home_random(&random, &draw, sizeof(draw));
        uint64_t next = sg_evidence_next_seq(home->ev);
        uint64_t count = 1 + draw % 12;
        for (uint64_t seq = next; seq < next + count; seq++) {
            if (!has_object(seq))
                continue;
            store_object(home, seq);
        }
        home_append_durable(home, count);
        power_ack(power, next + count);
        for (uint64_t seq = next; seq < next + count; seq++)
            if (has_object(seq))
                power_ack_object(power, seq);
        if (turn == 20 || turn == 40) { // a start in the middle
            home_close(home);
            home_open(home);
        }
    }
    home_close(home);
}

static unsigned
cut_many(const struct home *live, const struct power *power, unsigned states,
         bool with_syncs)
{
    uint64_t random = with_syncs ? 1001 : 2002;
    unsigned bad = 0;
    for (unsigned i = 0; i < states; i++) {
        uint64_t draw;
        struct home home = *live;
        (void)home_random(&random, &draw, sizeof(draw));
        size_t cut = (size_t)(draw % (power->count + 1));
        (void)snprintf(home.path, sizeof(home.path), "%.200s-cut", live->path);
        home.options.home = home.path;
        home.options.disk = NULL;
        power_replay(power, cut, with_syncs, &random, home.path);
        const char *why = check_state(&home, power_acked(power, cut),
                                      power_acked_object(power, cut));
        if (why != NULL && with_syncs)
            print_message("state %u, cut before %zu of %zu: %s\n", i, cut,
                          power->count, why);
        bad += why != NULL;
        sg_evidence_close(&home.ev);
        assert_int_equal(sg_os_file_remove_tree(home.path), SG_OK);
        if (bad > 5 && with_syncs)
            break;
    }
    return bad;
}

static void
nothing_told_is_lost_in_a_power_cut(void **state)
{
    (void)state;
    static struct home home;
    static struct power power;
    const char *wanted = getenv("SG_POWER_STATES");
    unsigned states =
        wanted == NULL ? 1000 : (unsigned)strtoul(wanted, NULL, 10);
    // The syncs of a thousand starts cost nothing there.
    if (sg_disk_exists("/dev/shm"))
        assert_int_equal(setenv("TMPDIR", "/dev/shm", 1), 0);
    home_make(&home);
    power_start(&power, home.path);
    home.options.disk = &power.disk;
    workload(&home, &power);
    print_message("%zu operations, %u states\n", power.count, states);
    assert_int_equal(cut_many(&home, &power, states, true), 0);
    // Negative control: had the syncs done nothing, it must show.
    unsigned control = states / 5 + 1;
    unsigned bad = cut_many(&home, &power, control, false);
    print_message("negative control: %u of %u states show it\n", bad, control);
    assert_true(bad * 2 >= control);
    power_end(&power);
    home_remove(&home);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_told_is_lost_in_a_power_cut),
    };
    if (sg_crypto_start() != SG_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
