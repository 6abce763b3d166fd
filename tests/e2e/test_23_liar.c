// A reader that was taken over and says every wrong thing, under the real gate:
// nothing of it is accepted, each refusal is evidence, the others are served.
#include "tests/e2e/world.h"

#include <dirent.h>

#include "tests/e2e/lies.h"

enum { JOB_US = 20 * 60 * 1000000, READS = 2, WAIT_MS = 20 };
// Segment, structure and the like; each of so many lies leaves none behind.
enum { KEPT_OPEN = 12 };

static const struct row {
    const char *code;
    unsigned tries; // a worker that failed gets one more
} rows[LIES] = {
    [LIE_VALUE] = {"publisher.content_mismatch", 1},
    [LIE_DIGITS] = {"publisher.content_mismatch", 1},
    [LIE_WITHHELD] = {"publisher.content_mismatch", 1},
    [LIE_FLAG] = {"publisher.content_mismatch", 1},
    [LIE_AREA] = {"publisher.content_mismatch", 1},
    [LIE_YEAR] = {"publisher.content_mismatch", 1},
    [LIE_ROW_LESS] = {"publisher.content_mismatch", 1},
    [LIE_ROW_MORE] = {"publisher.content_mismatch", 1},
    [LIE_NO_ROWS] = {"publisher.content_mismatch", 1},
    [LIE_STREAM] = {"publisher.inspection", 1},
    [LIE_SEALED] = {"publisher.inspection", 1},
    [LIE_CUT] = {"publisher.inspection", 2},
    [LIE_SHORTER] = {"publisher.inspection", 2},
    [LIE_LONGER] = {"publisher.inspection", 2},
    [LIE_ENDLESS] = {"publisher.inspection", 2},
    [LIE_CHUNKS] = {"publisher.inspection", 2},
    [LIE_NOTHING_MADE] = {"publisher.inspection", 1},
    [LIE_REPORT_ENDLESS] = {"publisher.inspection", 2},
    [LIE_OTHER_JOB] = {"publisher.inspection", 2},
    [LIE_NO_ITEM] = {"publisher.inspection", 2},
    [LIE_TWO_ITEMS] = {"publisher.inspection", 2},
    [LIE_BOTH] = {"publisher.inspection", 2},
    [LIE_VERDICT] = {"publisher.inspection", 1},
    [LIE_REJECTS] = {"publisher.data", 1},
    [LIE_GARBAGE] = {"publisher.inspection", 2},
    [LIE_HALF] = {"publisher.inspection", 2},
    [LIE_EMPTY] = {"publisher.inspection", 2},
    [LIE_OVERSIZE] = {"publisher.inspection", 2},
    [LIE_DESCRIPTORS] = {"publisher.inspection", 2},
    [LIE_CRASH] = {"publisher.inspection", 2},
    [LIE_LEAVES] = {"publisher.inspection", 2},
    [LIE_ESCAPES] = {"publisher.inspection", 2},
    [LIE_LATE] = {"publisher.inspection", 2},
};

static int
setup(void **state)
{
    return world_setup_as(state, "liar");
}

static unsigned
descriptors(const struct world *world)
{
    char path[64];
    unsigned count = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/fd", world->gate.pid);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    assert_int_equal(closedir(dir), 0);
    return count;
}

// The entry that the answer names says the same, in letters that steer nothing.
static void
is_recorded(struct world *world)
{
    char line[32];
    assert_int_not_equal(world->seq, 0);
    (void)snprintf(line, sizeof line, "%8llu ", (unsigned long long)world->seq);
    world_do(world, "desk", "log", "show",
             world_path(world, "HUB/store/evidence"), NULL);
    assert_null(strpbrk(world->said, "\x1b\x07"));
    char *at = strstr(world->said, line);
    assert_non_null(at);
    at[strcspn(at, "\n")] = '\0';
    if (strstr(at, " refused ") == NULL || strstr(at, world->code) == NULL)
        fail_msg("%s: %s", world->code, at);
    // Ten refusals a second are recorded one by one: the next one finds room.
    world->faults->passed_us += 1000000;
}

static void
is_refused(struct world *world, enum lie lie, unsigned lied)
{
    if (strcmp(world->code, rows[lie].code) != 0 || lied != rows[lie].tries)
        fail_msg("lie %d: \"%s\" after %u, not \"%s\" after %u", (int)lie,
                 world->code, lied, rows[lie].code, rows[lie].tries);
    is_recorded(world);
}

// kenya's next release, true and signed, meets this reader.
static void
meet(struct world *world, enum lie lie)
{
    struct statgate *kenya = world_connect(world, "kenya");
    struct world_offer offer;
    world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);
    world->faults->lied = 0;
    world->faults->lie = lie;
    (void)world_publish(world, kenya, &offer);
    world->faults->lie = LIE_NONE;
    statgate_close(&kenya);
}

static void
nothing_that_a_reader_makes_up_is_accepted(void **state)
{
    struct world *world = *state;
    unsigned open = descriptors(world);
    meet(world, LIE_VALUE);
    is_refused(world, LIE_VALUE, world->faults->lied);
    for (enum lie lie = LIE_VALUE; lie < LIE_LATE; lie++) {
        meet(world, lie);
        is_refused(world, lie, world->faults->lied);
        world_serves(world);
    }
    assert_true(descriptors(world) < open + KEPT_OPEN);
    assert_int_equal(world_log(world, " accepted ", ""), 0);
    assert_int_equal(world_log(world, " delivery ", ""), 0);
}

static void
wait_for_reads(const struct world *world, unsigned reads)
{
    for (int i = 0; i < WORLD_MS / WAIT_MS && world->faults->lied < reads; i++)
        (void)zmq_poll(NULL, 0, WAIT_MS);
    assert_int_equal(world->faults->lied, reads);
}

// While one reader says nothing another office is served; when its time is over
// it is given up, and what it says afterwards is heard by nobody.
static void
a_reader_that_hangs_holds_nobody_up_and_is_given_up(void **state)
{
    struct world *world = *state;
    struct statgate *kenya = world_connect(world, "kenya");
    struct statgate *rwanda = world_connect(world, "rwanda");
    struct world_offer offer;
    uint64_t upload, next;
    world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);
    world->faults->lied = 0;
    world->faults->lie = LIE_LATE;
    assert_string_equal(world_begin(world, kenya, &offer, &upload, &next), "");
    world_chunk(kenya, upload, next, offer.data);
    wait_for_reads(world, 1);
    world->faults->lie = LIE_NONE;
    assert_string_equal(world_good(world, rwanda, "RW_SDG", WORLD_RWANDA), "");
    world->faults->lie = LIE_LATE;
    world->faults->mono_us += JOB_US;
    wait_for_reads(world, READS);
    world->faults->mono_us += JOB_US;
    (void)world_result(world, kenya);
    world->faults->lie = LIE_NONE;
    is_refused(world, LIE_LATE, world->faults->lied);
    assert_int_equal(world_log(world, " accepted ", ""), 1);
    statgate_close(&rwanda);
    statgate_close(&kenya);
}

// The judge counts for himself; and after all the lies the truth is taken.
static void
what_a_reader_counts_is_not_asked(void **state)
{
    struct world *world = *state;
    meet(world, LIE_FACTS);
    assert_string_equal(world->code, "");
    assert_int_equal(world->faults->lied, 1);
    assert_int_equal(world_log(world, " accepted ", "{ observations: 197 "), 1);
    world_do(world, "desk", "log", "verify",
             world_path(world, "HUB/store/evidence"), NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_a_reader_makes_up_is_accepted),
        cmocka_unit_test(a_reader_that_hangs_holds_nobody_up_and_is_given_up),
        cmocka_unit_test(what_a_reader_counts_is_not_asked),
    };
    return cmocka_run_group_tests(tests, setup, world_teardown);
}
