// Publishing: real figures accepted with a receipt, a fault refused with its
// place and cure.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/demo.h"

enum { ROW = 3 }; // which observation is spoiled

static bool
take(const struct sg_demo *demo, const char *from, const char *to)
{
    char path[SG_OS_PATH];

    return sg_os_file_path(path, "%s/data/%s", demo->sdg, from) &&
           sg_demo_copy(demo, path, to);
}

static bool
publish(struct sg_demo *demo, const char *home, const char *flow,
        const char *file)
{
    return sg_demo_verb(demo, home, sg_verb_publish, "publish",
                        sg_demo_path(demo, "data/%s", file), "--flow", flow,
                        "--receipt", sg_demo_path(demo, "receipts/%s", flow),
                        NULL) == 0;
}

static bool
verify_receipt(struct sg_demo *demo, const char *home, const char *flow)
{
    return sg_demo_verb(demo, home, sg_verb_verify, "verify", "--receipt",
                        sg_demo_path(demo, "receipts/%s", flow), NULL) == 0;
}

static unsigned
rows(const struct sg_demo *demo, const char *file)
{
    return sg_demo_lines(sg_demo_path(demo, "data/%s", file), ",A,");
}

static void
publish_kenya(struct sg_demo *demo)
{
    bool ok = sg_demo_verb(demo, "kenya", sg_verb_check, "check",
                           sg_demo_path(demo, "data/kenya.csv"), NULL) == 0;

    sg_demo_step(demo, ok,
                 "Kenya's %u real figures pass `statgate check`, "
                 "before anything leaves the house.",
                 rows(demo, "kenya.csv"));
    ok = publish(demo, "kenya", "KE_SDG", "kenya.csv");
    if (!sg_demo_must(demo, ok, "Published: the gate accepts them whole."))
        return;
    sg_demo_quote(demo->said, "accepted");
    ok = verify_receipt(demo, "kenya", "KE_SDG");
    if (sg_demo_step(demo, ok,
                     "The receipt verifies offline: entry, proof and "
                     "signed checkpoint of the gate."))
        sg_demo_quote(demo->said, "entry");
    ok = !publish(demo, "kenya", "KE_SDG", "kenya.csv") &&
         sg_demo_has(demo->erred, "publisher.unchanged");
    sg_demo_step(demo, ok, "The same file once more is not published twice.");
}

void
sg_demo_publish(struct sg_demo *demo)
{
    sg_demo_chapter(demo, "Releases that are accepted");
    bool ok = sg_os_file_make_dirs(sg_demo_path(demo, "receipts")) == SG_OK &&
              take(demo, "kenya.csv", "data/kenya.csv") &&
              take(demo, "rwanda_national.csv", "data/rwanda.csv") &&
              take(demo, "kyrgyzstan_national.csv", "data/kyrgyzstan.csv");
    if (!sg_demo_must(demo, ok, "Three offices have files of their figures."))
        return;
    publish_kenya(demo);
    if (demo->broken)
        return;
    ok = publish(demo, "rwanda", "RW_SDG", "rwanda.csv");
    sg_demo_must(demo, ok, "Rwanda publishes its %u national figures.",
                 rows(demo, "rwanda.csv"));
    ok = publish(demo, "kyrgyzstan", "KG_SDG", "kyrgyzstan.csv");
    sg_demo_must(demo, ok,
                 "Kyrgyzstan publishes %u figures in its national structure.",
                 rows(demo, "kyrgyzstan.csv"));
}

// One wrong cell: the area of one row becomes a code that no list holds.
static bool
spoil(const struct sg_demo *demo)
{
    static const char right[] = ",646,", wrong[] = ",999,";
    char *text = sg_demo_read(sg_demo_path(demo, "data/rwanda.csv"));
    char *at = text;

    for (int line = 0; line < ROW && at != NULL; line++) {
        at = strchr(at, '\n');
        at = at == NULL ? NULL : at + 1;
    }
    at = at == NULL ? NULL : strstr(at, right);
    bool ok = at != NULL;
    if (ok) {
        memcpy(at, wrong, sizeof wrong - 1);
        ok = sg_demo_write(demo, "data/rwanda_wrong.csv", text);
    }
    free(text);
    return ok;
}

static bool
report(struct sg_demo *demo)
{
    return sg_demo_verb(demo, "rwanda", sg_verb_check, "check",
                        sg_demo_path(demo, "data/rwanda_wrong.csv"), "--json",
                        NULL) == 65 &&
           sg_demo_has(demo->said, "\"code\":\"CODE\"") &&
           sg_demo_has(demo->said, "\"component\":\"REF_AREA\"") &&
           sg_demo_has(demo->said, "\"row\":3");
}

void
sg_demo_refuse(struct sg_demo *demo)
{
    sg_demo_chapter(demo, "A release that is refused, with its cure");
    if (!sg_demo_must(demo, spoil(demo),
                      "Somebody in Rwanda types 999 for the area of row 3."))
        return;
    bool ok = !publish(demo, "rwanda", "RW_SDG", "rwanda_wrong.csv") &&
              demo->exit == 65 && sg_demo_has(demo->erred, "publisher.data");
    if (sg_demo_step(demo, ok,
                     "The gate refuses the whole release and takes no revision "
                     "number for it."))
        sg_demo_quote(demo->erred, "publisher.data");
    sg_demo_step(demo, sg_demo_has(demo->erred, "REF_AREA"),
                 "The refusal names the place: REF_AREA.");
    ok = report(demo);
    sg_demo_step(demo, ok,
                 "`statgate check` says the same at home: CODE, "
                 "REF_AREA, row 3, value 999.");
    (void)sg_demo_verb(demo, "rwanda", sg_verb_flow, "flow", "show", "RW_SDG",
                       NULL);
    sg_demo_step(demo, sg_demo_has(demo->said, "RW_SDG@1 "),
                 "What was accepted before stands: RW_SDG is still at "
                 "release 1.");
}
