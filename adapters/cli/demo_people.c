// The gate, its root key holders, and who takes part.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/demo.h"
#include "broker/base/check.h"

struct person {
    const char *home, *id, *name, *jurisdiction, *class;
    const char *role, *person, *key_role[2], *purpose[2];
};

// Offices carry their own names because the figures are theirs; the people,
// and every agency, are made up.
static const struct person people[] = {
    {"desk",
     "HUB_DESK",
     "Desk of the example hub",
     "INTL",
     "regional_org",
     "operator",
     "Asha Mwangi",
     {"operator", "policy_admin"},
     {"administrative", "audit"}},
    {"board",
     "HUB_DESK",
     "Desk of the example hub",
     "INTL",
     "regional_org",
     "operator",
     "Ben Okello",
     {"policy_admin", "policy_admin"},
     {"administrative", "audit"}},
    {"kenya",
     "KE_KNBS",
     "Kenya National Bureau of Statistics",
     "KE",
     "nso",
     "data_provider",
     "Wanjiru K.",
     {"publisher", "consent"},
     {"official_statistics", "sdg_reporting"}},
    {"rwanda",
     "RW_NISR",
     "National Institute of Statistics of Rwanda",
     "RW",
     "nso",
     "data_provider",
     "Keza U.",
     {"publisher", "consent"},
     {"official_statistics", "sdg_reporting"}},
    {"kyrgyzstan",
     "KG_NSC",
     "National Statistical Committee of the Kyrgyz Republic",
     "KG",
     "nso",
     "data_provider",
     "Aigul T.",
     {"publisher", "consent"},
     {"official_statistics", "sdg_reporting"}},
    {"custodian",
     "UN_CUSTODIAN",
     "A custodian agency (made up)",
     "INTL",
     "custodian_agency",
     "data_consumer",
     "Ines D.",
     {"subscriber", "subscriber"},
     {"sdg_reporting", "official_statistics"}},
    {"norway",
     "NO_OFFICE",
     "A statistics office (made up)",
     "NO",
     "nso",
     "data_consumer",
     "Kari N.",
     {"subscriber", "subscriber"},
     {"official_statistics", "sdg_reporting"}},
    {"research",
     "UG_RESEARCH",
     "A research body (made up)",
     "UG",
     "research_body",
     "data_consumer",
     "Okot P.",
     {"subscriber", "subscriber"},
     {"scientific_research", "official_statistics"}},
    {"firm",
     "FR_FIRM",
     "A company that sells figures (made up)",
     "FR",
     "private",
     "data_consumer",
     "Luc M.",
     {"subscriber", "subscriber"},
     {"commercial", "any_reuse"}},
};

static bool
make_roots(struct sg_demo *demo)
{
    return sg_os_file_make_dirs(sg_demo_path(demo, "roots")) == SG_OK &&
           sg_demo_verb(demo, "HUB", sg_verb_root, "root", "new",
                        "Root holder one", "-o",
                        sg_demo_path(demo, "roots/one.key"), NULL) == 0 &&
           sg_demo_verb(demo, "HUB", sg_verb_root, "root", "new",
                        "Root holder two", "-o",
                        sg_demo_path(demo, "roots/two.key"), NULL) == 0;
}

static bool
join(struct sg_demo *demo, const struct person *who)
{
    return sg_demo_verb(
               demo, who->home, sg_verb_join, "join", "--gate",
               sg_demo_path(demo, "HUB/gate.public"), "--id", who->id, "--name",
               who->name, "--jurisdiction", who->jurisdiction, "--class",
               who->class, "--role", who->role, "--person", who->person,
               "--key-role", who->key_role[0], "--key-role", who->key_role[1],
               "--purpose", who->purpose[0], "--purpose", who->purpose[1], "-o",
               sg_demo_path(demo, "requests/%s", who->home), NULL) == 0 &&
           sg_demo_has(demo->said, "fingerprint");
}

// Version 1 with nobody in it, a participant at a time, an instrument, and
// last the signatures: nothing of it needs the gate.
static bool
make_roster(struct sg_demo *demo)
{
    char draft[SG_OS_PATH];
    bool ok = sg_os_file_path(draft, "%s", sg_demo_path(demo, "roster.1")) &&
              sg_demo_verb(demo, "HUB", sg_verb_roster, "roster", "new",
                           "--gate", sg_demo_path(demo, "HUB/gate.public"),
                           "--root", sg_demo_path(demo, "roots/one.key.pub"),
                           "--root", sg_demo_path(demo, "roots/two.key.pub"),
                           "-o", draft, NULL) == 0;

    for (size_t i = 0; i < SG_COUNT_OF(people) && ok; i++)
        ok = sg_demo_verb(demo, "HUB", sg_verb_admit, "admit",
                          sg_demo_path(demo, "requests/%s", people[i].home),
                          "--roster", draft, "--gate-home",
                          sg_demo_path(demo, "HUB"), "-o", draft, NULL) == 0;
    return ok && sg_demo_verb(demo, "HUB", sg_verb_roster, "roster",
                              "instrument", draft, "--kind", "treaty", "--from",
                              "RW", "--to", "UG", "-o", draft, NULL) == 0;
}

static bool
sign(struct sg_demo *demo, const char *key)
{
    return sg_demo_verb(demo, "HUB", sg_verb_roster, "roster", "sign",
                        sg_demo_path(demo, "roster.1"), "--key",
                        sg_demo_path(demo, "roots/%s", key), NULL) == 0;
}

static int
found(struct sg_demo *demo)
{
    return sg_demo_verb(demo, "HUB", sg_verb_init, "init",
                        sg_demo_path(demo, "HUB"), "--roster",
                        sg_demo_path(demo, "roster.1"), NULL);
}

// The system chose the ports; from now on they stay, whoever restarts.
static bool
keep_address(struct sg_demo *demo)
{
    char control[128] = "", data[128] = "", conf[400];
    char *text = sg_demo_read(sg_demo_path(demo, "HUB/endpoints"));

    bool ok = text != NULL &&
              sscanf(text, "control %127s data %127s", control, data) == 2;
    free(text);
    (void)snprintf(conf, sizeof conf, "gate HUB\ncontrol %s\ndata %s\n",
                   control, data);
    ok = ok && sg_demo_write(demo, "HUB/gate.conf", conf);
    for (size_t i = 0; i < SG_COUNT_OF(people) && ok; i++)
        ok = sg_demo_verb(demo, people[i].home, sg_verb_join, "join",
                          "--control", control, "--data", data, "--roster",
                          sg_demo_path(demo, "roster.1"), NULL) == 0;
    return ok;
}

void
sg_demo_people(struct sg_demo *demo)
{
    bool joined = true;

    sg_demo_chapter(demo, "A gate, and who takes part");
    bool ok = sg_demo_verb(demo, "HUB", sg_verb_init, "init",
                           sg_demo_path(demo, "HUB"), "--gate", "HUB",
                           "--control", "tcp://127.0.0.1:*", "--data",
                           "tcp://127.0.0.1:*", NULL) == 0;
    if (!sg_demo_must(demo, ok, "The gate HUB has its keys."))
        return;
    sg_demo_must(demo, make_roots(demo),
                 "Two persons hold one root key each, kept off the gate.");
    ok = sg_os_file_make_dirs(sg_demo_path(demo, "requests")) == SG_OK;
    for (size_t i = 0; i < SG_COUNT_OF(people) && ok && joined; i++)
        joined = join(demo, &people[i]);
    if (!sg_demo_must(demo, ok && joined,
                      "Two officers of the hub, three offices and four "
                      "agencies ask to join, each with keys of its own."))
        return;
    if (!sg_demo_must(demo, make_roster(demo) && sign(demo, "one.key"),
                      "Roster 1 is written and signed by the first root key "
                      "holder."))
        return;
    sg_demo_step(demo, found(demo) != 0 && sg_demo_has(demo->erred, "signed"),
                 "One signature is not enough: the gate does not begin.");
    sg_demo_must(demo, sign(demo, "two.key") && found(demo) == 0,
                 "With the second person's signature the log begins.");
    if (demo->broken)
        return;
    ok = sg_demo_gate_start(demo);
    sg_demo_must(demo, ok, "statgated runs on loopback, with process id %d.",
                 demo->gate);
    if (ok)
        sg_demo_must(demo, keep_address(demo),
                     "Each participant pins roster 1 and the gate's key.");
}
