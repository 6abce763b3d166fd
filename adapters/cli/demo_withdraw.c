// Consent: a withdrawal stops a delivery whose ciphertext is already there.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/demo.h"
#include "adapters/client/statgate.h"

enum { TRIES = 100, WAIT_MS = 100, NEXT_MS = 10000, OPEN_MS = 15000 };

static const char *const record[] = {"6c1f0a52b7de4d0e9a3358e21b84c701",
                                     "0be97fd2437a4c118d7e5596ac20f302",
                                     "d45a81c3e09f46b2a71c3348fe65aa03"};

static bool
consent(struct sg_demo *demo, const char *what, const char *of)
{
    return sg_demo_verb(demo, "rwanda", sg_verb_consent, "consent", what,
                        "RW_PANEL_CONSENT", of, NULL) == 0;
}

static bool
agree(struct sg_demo *demo)
{
    static const char text[] =
        "id RW_PANEL_CONSENT\nrevision 1\npurpose scientific_research\n"
        "lawful_basis consent\nonward forbidden\nvalid_days 365\n"
        "retention_days 365\ncategories living_conditions\n"
        "recipients research_body nso\nlanguages en rw\n";
    bool ok =
        sg_demo_write(demo, "terms/consent", text) &&
        sg_demo_verb(demo, "rwanda", sg_verb_consent, "consent", "agreement",
                     sg_demo_path(demo, "terms/consent"), NULL) == 0;

    for (size_t i = 0; i < SG_COUNT_OF(record) && ok; i++)
        ok = consent(demo, "give", record[i]);
    return ok;
}

// The evidence says that the gate has announced the delivery of this flow.
static unsigned
stated(struct sg_demo *demo)
{
    (void)sg_demo_verb(demo, "desk", sg_verb_log, "log", "show",
                       sg_demo_path(demo, "HUB/store/evidence"), NULL);
    return sg_demo_count(demo->said, " delivery statement ");
}

// The agency takes what comes but does not yet ask for the key: with no time
// to wait, the library attaches and returns.
static bool
take_ciphertext(struct sg_demo *demo, struct statgate *agency)
{
    struct statgate_delivery delivery;
    struct statgate_result result;
    unsigned before = stated(demo), now = before;

    if (statgate_next(agency, "RW_PANEL", 0, &delivery, &result) != 75)
        return false;
    for (int i = 0; i < TRIES && now == before; i++) {
        sg_demo_wait(WAIT_MS);
        now = stated(demo);
    }
    sg_demo_wait(3 * WAIT_MS); // the chunks follow the statement
    return now > before;
}

static void
race(struct sg_demo *demo, struct statgate *agency)
{
    struct statgate_delivery delivery;
    struct statgate_result result;

    if (!sg_demo_must(demo, take_ciphertext(demo, agency),
                      "The ciphertext of all rows is on its way to the agency; "
                      "it has not asked for the key yet."))
        return;
    bool ok = consent(demo, "withdraw", record[1]);
    sg_demo_must(demo, ok, "Now one household takes its consent back.");
    (void)statgate_next(agency, "RW_PANEL", NEXT_MS, &delivery, &result);
    demo->exit = result.exit;
    ok = result.exit == 77 && delivery.stopped != 0;
    sg_demo_step(demo, ok,
                 "The agency asks for the key and is stopped: %s (%s).",
                 result.sentence, result.code);
}

static void
look_back(struct sg_demo *demo)
{
    bool ok = sg_demo_verb(demo, "rwanda", sg_verb_consent, "consent", "show",
                           "RW_PANEL_CONSENT", NULL) == 0 &&
              sg_demo_has(demo->said, "2 given, 1 ended");

    sg_demo_step(demo, ok, "The ledger: two households agree, one has ended.");
    (void)stated(demo);
    ok = sg_demo_count(demo->said, "(ciphertext only)") == 1;
    if (sg_demo_step(demo, ok,
                     "The gate's signed statement in the log says of the "
                     "delivery: ciphertext only."))
        sg_demo_quote_from(demo->said, "fates:");
    ok = !sg_os_file_exists(
        sg_demo_path(demo, "received/research/RW_PANEL@1.csv"));
    sg_demo_step(demo, ok, "The agency has no file of it.");
}

void
sg_demo_withdraw(struct sg_demo *demo)
{
    struct statgate *agency = NULL;
    struct statgate_result result;

    sg_demo_chapter(demo, "A withdrawal stops what is already there");
    sg_demo_must(demo, agree(demo),
                 "Three households agree that their answers go to research.");
    bool ok = sg_demo_panel(demo, "data/panel_fictional.csv", 1) &&
              sg_demo_verb(demo, "rwanda", sg_verb_publish, "publish",
                           sg_demo_path(demo, "data/panel_fictional.csv"),
                           "--flow", "RW_PANEL", NULL) == 0;
    sg_demo_must(demo, ok,
                 "Rwanda publishes the panel's answers (fictional "
                 "ones).");
    ok = sg_demo_verb(demo, "research", sg_verb_subscribe, "subscribe",
                      "RW_PANEL", "--purpose", "scientific_research",
                      "--promise", "delete_after_days(365)", "--promise",
                      "no_onward", "--promise", "notify_origin", NULL) == 0;
    sg_demo_must(demo, ok,
                 "UG_RESEARCH subscribes; a treaty between the two "
                 "countries is in the register.");
    if (demo->broken)
        return;
    ok = statgate_open(sg_demo_path(demo, "research"), NULL, OPEN_MS, &agency,
                       &result) == 0;
    if (sg_demo_must(demo, ok, "It connects."))
        race(demo, agency);
    statgate_close(&agency);
    if (!demo->broken)
        look_back(demo);
}
