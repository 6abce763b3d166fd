// Pairs of worlds by seed that differ only in what a subscriber may not know:
// what the figures are, whether somebody else agreed. All bytes that the
// subscribers are sent, and when, are equal (S44).
#include "broker/loop.c" // NOLINT(bugprone-suspicious-include)

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "policy/explain.h"
#include "tests/sim/sim.h"

enum { SEEDS = 600, SEEDS_A_PAIR = 10, LEAK_PAIRS = 20, HEARD_MAX = 8192 };
enum { REQUESTED = 1, GIVEN = 2, RUN_S = 8, WHY_ONE_OF = 20, WHY = 1000000 };

struct heard {
    size_t count, stops, traces;
    struct {
        uint64_t at;
        int peer;
        struct sg_slice envelope;
    } one[HEARD_MAX];
};

static bool leaky; // recipients hear when it is for want of consent

const char *__real_sg_explain_code(const struct sg_explained *what);
const char *__wrap_sg_explain_code(const struct sg_explained *what);
const char *
__wrap_sg_explain_code(const struct sg_explained *what)
{
    if (leaky && what->request->code[SG_ATTR_CONSENT] != SG_CONSENT_GIVEN)
        return sg_err_code(SG_ERR_HELD);
    return __real_sg_explain_code(what);
}

// ---- one world -----------------------------------------------------------------

static void
overhear(struct sim *sim, int peer, struct sg_slice envelope)
{
    struct heard *heard = sim->context;
    void *open;

    if (peer != NEAR && peer != FAR)
        return;
    if (heard->count == HEARD_MAX) {
        sim_break(sim, "messages without end");
        return;
    }
    enum sg_err err =
        sg_codec_unpack(&sgpb__envelope__descriptor, envelope, sim->mem, &open);
    SG_ASSERT(err == SG_OK);
    Sgpb__Envelope__BodyCase body = ((const Sgpb__Envelope *)open)->body_case;
    heard->stops += body == SGPB__ENVELOPE__BODY_DELIVERY_STOP;
    heard->traces += body == SGPB__ENVELOPE__BODY_TRACE;
    heard->one[heard->count].at = sim->now;
    heard->one[heard->count].peer = peer;
    heard->one[heard->count++].envelope = sim_copy(sim, envelope);
}

// A subscriber asks why, about any release.
static void
ask_why(struct sim *sim)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Why why = SGPB__WHY__INIT;
    bool near = sim_below(sim, 2) == 0;

    why.flow = TEXT("KE_HEALTH");
    why.revision = 1 + sim_below(sim, sim->releases);
    why.subscription = TEXT(near ? "TZ_NBS/ALL" : "UG_UBOS/ALL");
    envelope.request = WHY + sim->steps;
    envelope.body_case = SGPB__ENVELOPE__BODY_WHY;
    envelope.why = &why;
    sim_say(sim, near ? NEAR : FAR, &envelope, (struct sg_slice){0});
}

static struct sim *
live(uint64_t seed, const struct sim_secret *secret, struct heard *heard)
{
    struct sim *sim = sim_open(seed, BUG_NONE);

    sim->secret = secret;
    sim->context = heard;
    sim->overhear = overhear;
    sim_begin(sim);
    while (sim->broken == NULL &&
           sim->now < SIM_START_US + RUN_S * 1000000ull) {
        sim->steps++;
        if (sim_below(sim, WHY_ONE_OF) == 0)
            ask_why(sim);
        sim_step(sim);
    }
    return sim;
}

// ---- two ------------------------------------------------------------------------

// Something that denies, by a random choice of its own: figures that the rule
// does not let go under consent given, or any figures before anybody agreed.
static void
draw_secret(struct sim *dice, struct sim_secret *secret)
{
    static const char *const conf[] = {"C", "N", "S", "D", "A", "?", "F"};
    static const char *const area[] = {"KE", "TZ", "several", ""};
    bool asked = sim_below(dice, 2) == 0;

    secret->consent = asked ? REQUESTED : GIVEN;
    for (size_t i = 0; i < RELEASES_MAX; i++) {
        // F, the last one, is not for those who were given consent.
        secret->conf_status[i] =
            conf[sim_below(dice, SG_COUNT_OF(conf) - (asked ? 0 : 1))];
        secret->area[i] = area[sim_below(dice, SG_COUNT_OF(area))];
        secret->rows[i] = 1 + sim_below(dice, 1000000);
        secret->embargo[i] =
            sim_below(dice, 4) == 0 ? SIM_START_US + 30 * DAY_US : 0;
    }
}

// The first message that is not the same; the count of both when all are.
static size_t
first_difference(const struct heard *a, const struct heard *b)
{
    size_t i = 0;

    while (i < a->count && i < b->count && a->one[i].at == b->one[i].at &&
           a->one[i].peer == b->one[i].peer &&
           sg_slice_eq(a->one[i].envelope, b->one[i].envelope))
        i++;
    return i;
}

static struct sim_secret secret[2];
static struct heard heard[2];

// Lives both secrets under one seed. true: nobody can tell which is which.
static bool
are_alike(uint64_t seed)
{
    struct sim *world[2];

    memset(heard, 0, sizeof heard);
    for (int i = 0; i < 2; i++) {
        world[i] = live(seed, &secret[i], &heard[i]);
        if (world[i]->broken != NULL)
            fail_msg("seed %llu: %s", (unsigned long long)seed,
                     world[i]->broken);
    }
    bool alike = heard[0].count == heard[1].count &&
                 first_difference(&heard[0], &heard[1]) == heard[0].count;
    for (int i = 0; i < 2; i++)
        sim_close(&world[i]);
    return alike;
}

static void
draw_secrets(uint64_t seed)
{
    static struct sim dice;

    dice.rng = ~seed;
    draw_secret(&dice, &secret[0]);
    draw_secret(&dice, &secret[1]);
}

static uint64_t
number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void
must_be_alike(uint64_t seed)
{
    draw_secrets(seed);
    if (!are_alike(seed))
        fail_msg("seed %llu: they differ, of %zu and %zu messages "
                 "(SG_SIM_FIRST=%llu SG_SIM_SEEDS=1)",
                 (unsigned long long)seed, heard[0].count, heard[1].count,
                 (unsigned long long)seed);
}

static void
no_subscriber_can_tell_two_worlds_apart(void **state)
{
    uint64_t pairs = number("SG_SIM_SEEDS", SEEDS) / SEEDS_A_PAIR;
    uint64_t first = number("SG_SIM_FIRST", 1);
    uint64_t stops = 0, traces = 0;

    (void)state;
    if (pairs == 0)
        pairs = 1;
    must_be_alike(1481); // a restored gate took a request, and no consent
    for (uint64_t seed = first; seed < first + pairs; seed++) {
        must_be_alike(seed);
        stops += heard[0].stops;
        traces += heard[0].traces;
    }
    assert_true(pairs < 20 || (stops >= pairs && traces >= pairs));
}

// What may be known is: the same worlds, but one is permitted.
static void
who_is_permitted_can_tell(void **state)
{
    (void)state;
    draw_secrets(1);
    for (size_t i = 0; i < RELEASES_MAX; i++) {
        secret[1].conf_status[i] = "F";
        secret[1].embargo[i] = 0;
    }
    secret[1].consent = GIVEN;
    assert_false(are_alike(1));
}

// The test must be able to fail: a gate that tells a recipient that somebody did
// not agree is found.
static void
a_reason_that_leaks_is_found(void **state)
{
    bool found = false;

    (void)state;
    leaky = true;
    for (uint64_t seed = 1; seed <= LEAK_PAIRS && !found; seed++) {
        draw_secrets(seed);
        found = !are_alike(seed);
    }
    leaky = false;
    assert_true(found);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_subscriber_can_tell_two_worlds_apart),
        cmocka_unit_test(who_is_permitted_can_tell),
        cmocka_unit_test(a_reason_that_leaks_is_found),
    };

    return sg_crypto_start() == SG_OK
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
