// Deliveries: as published, converted, denied by law, with a cell suppressed.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/demo.h"

bool
sg_demo_receive(struct sg_demo *demo, const char *home, const char *name)
{
    return sg_demo_verb(demo, home, sg_verb_receive, "receive", name, "--once",
                        "--wait", "20", "--out",
                        sg_demo_path(demo, "received/%s", home), NULL) == 0;
}

static const char *
received(const struct sg_demo *demo, const char *home, const char *name)
{
    return sg_demo_path(demo, "received/%s/%s", home, name);
}

static bool
verify(struct sg_demo *demo, const char *home, const char *name)
{
    return sg_demo_verb(demo, home, sg_verb_verify, "verify",
                        received(demo, home, name), NULL) == 0 &&
           sg_demo_has(demo->said, "VALID") &&
           !sg_demo_has(demo->said, "INVALID");
}

// Byte for byte?
static bool
same(const char *a, const char *b)
{
    char *one = sg_demo_read(a), *other = sg_demo_read(b);
    bool equal = one != NULL && other != NULL && strcmp(one, other) == 0;

    free(one);
    free(other);
    return equal;
}

static void
as_published(struct sg_demo *demo)
{
    bool ok = sg_demo_verb(demo, "custodian", sg_verb_subscribe, "subscribe",
                           "KE_SDG", "--purpose", "sdg_reporting", "--promise",
                           "attribute_source", "--promise", "keep_licence",
                           "--promise", "no_onward", NULL) == 0;

    sg_demo_step(demo, ok,
                 "UN_CUSTODIAN subscribes to KE_SDG for SDG "
                 "reporting and promises to name the source.");
    ok = sg_demo_receive(demo, "custodian", "KE_SDG");
    if (!sg_demo_step(demo, ok,
                      "It receives release 1: ciphertext first, the "
                      "key last."))
        return;
    ok = same(received(demo, "custodian", "KE_SDG@1.csv"),
              sg_demo_path(demo, "data/kenya.csv"));
    sg_demo_step(demo, ok, "Byte for byte what Kenya published.");
    ok = verify(demo, "custodian", "KE_SDG@1.csv");
    if (sg_demo_step(demo, ok,
                     "It verifies offline under Kenya's own "
                     "signature."))
        sg_demo_quote(demo->said, "KE_KNBS");
}

static void
converted(struct sg_demo *demo)
{
    bool ok =
        sg_demo_verb(demo, "norway", sg_verb_subscribe, "subscribe", "KE_SDG",
                     "--purpose", "official_statistics", "--format", "ml21",
                     "--promise", "attribute_source", "--promise",
                     "keep_licence", "--promise", "no_onward", NULL) == 0;

    sg_demo_step(demo, ok,
                 "NO_OFFICE wants the same flow, in Norway, as SDMX-ML 2.1.");
    ok = sg_demo_receive(demo, "norway", "KE_SDG");
    if (!sg_demo_step(demo, ok, "It receives it, converted by the gate."))
        return;
    ok = verify(demo, "norway", "KE_SDG@1.xml");
    if (sg_demo_step(demo, ok,
                     "The converted file verifies too, and says who "
                     "converted it."))
        sg_demo_quote(demo->said, "HUB");
    ok = sg_demo_verb(demo, "norway", sg_verb_check, "check",
                      received(demo, "norway", "KE_SDG@1.xml"), NULL) == 0;
    sg_demo_step(demo, ok, "And it conforms to the structure.");
}

static void
denied(struct sg_demo *demo)
{
    bool ok =
        sg_demo_verb(demo, "firm", sg_verb_subscribe, "subscribe", "KG_SDG",
                     "--purpose", "commercial", "--promise", "attribute_source",
                     "--promise", "keep_licence", NULL) == 0;

    sg_demo_step(demo, ok,
                 "FR_FIRM asks for Kyrgyzstan's figures, to sell them.");
    ok = !sg_demo_receive(demo, "firm", "KG_SDG") && demo->exit == 77 &&
         sg_demo_has(demo->erred, "policy.forbidden");
    if (sg_demo_step(demo, ok, "It receives nothing: exit status 77."))
        sg_demo_quote(demo->erred, "policy.forbidden");
    ok = sg_demo_verb(demo, "kyrgyzstan", sg_verb_why, "why", "KG_SDG@1",
                      "FR_FIRM/KG_SDG", NULL) == 0 &&
         sg_demo_has(demo->said, "not sold on");
    if (sg_demo_step(demo, ok,
                     "The office asks why and is told the rule: \"not "
                     "sold on\" of its own export law."))
        sg_demo_quote(demo->said, "not sold on");
}

void
sg_demo_deliver(struct sg_demo *demo)
{
    sg_demo_chapter(demo, "Deliveries, and one that the law denies");
    as_published(demo);
    converted(demo);
    denied(demo);
}

// ---- small cells ------------------------------------------------------------

static const struct {
    const char *sex, *district, *count;
} counts[] = {
    {"M", "C01", "27"}, {"F", "C01", "31"}, {"M", "C02", "3"},
    {"F", "C02", "12"}, {"M", "C03", "48"}, {"F", "C03", "5"},
};

static bool
write_counts(const struct sg_demo *demo)
{
    char text[4096];
    int at = snprintf(text, sizeof text, "%s", SG_DEMO_HEADER);

    for (size_t i = 0; i < SG_COUNT_OF(counts); i++)
        at += snprintf(
            text + at, sizeof text - (size_t)at,
            "STATGATE:DF_SDG(1.0),A,N,VC_DSR_PDYN,404,%s,_T,_T,_T,"
            "_T,_T,%s,_T,_T,_T,_T,2024,%s,A,0,NUMBER,C," SG_DEMO_FICTIONAL "\n",
            counts[i].sex, counts[i].district, counts[i].count);
    return at < (int)sizeof text &&
           sg_demo_write(demo, "data/kenya_counts_fictional.csv", text);
}

// The row of this place still has its figure?
static bool
shown(const char *text, const char *sex, const char *district,
      const char *count)
{
    char place[64], figure[32];
    const char *at = text;

    (void)snprintf(place, sizeof place, ",%s,_T,_T,_T,_T,_T,%s,", sex,
                   district);
    (void)snprintf(figure, sizeof figure, ",2024,%s,", count);
    at = at == NULL ? NULL : strstr(at, place);
    if (at == NULL)
        return false;
    const char *found = strstr(at, figure), *end = strchr(at, '\n');
    return found != NULL && (end == NULL || found < end);
}

static void
check_cells(struct sg_demo *demo)
{
    const char *path = received(demo, "custodian", "KE_COUNTS@1.csv");
    char *text = sg_demo_read(path);
    bool others = true;

    sg_demo_step(demo,
                 text != NULL && !shown(text, "M", "C02", "3") &&
                     sg_demo_lines(path, ",C02,") == 2,
                 "The cell of 3 persons is there without its figure.");
    for (size_t i = 0; i < SG_COUNT_OF(counts); i++)
        others =
            others && (i == 2 || shown(text, counts[i].sex, counts[i].district,
                                       counts[i].count));
    sg_demo_step(demo, others, "The other %zu cells have theirs.",
                 SG_COUNT_OF(counts) - 1);
    free(text);
}

void
sg_demo_suppress(struct sg_demo *demo)
{
    sg_demo_chapter(demo, "A small cell is suppressed by obligation");
    sg_demo_must(demo, write_counts(demo),
                 "Kenya has detailed counts (fictional ones); one cell is of 3 "
                 "persons.");
    bool ok =
        sg_demo_verb(demo, "kenya", sg_verb_publish, "publish",
                     sg_demo_path(demo, "data/kenya_counts_fictional.csv"),
                     "--flow", "KE_COUNTS", NULL) == 0;
    sg_demo_step(demo, ok, "It publishes them whole; the flow is not public.");
    ok =
        sg_demo_verb(demo, "custodian", sg_verb_subscribe, "subscribe",
                     "KE_COUNTS", "--purpose", "sdg_reporting", "--promise",
                     "attribute_source", "--promise", "no_onward", NULL) == 0 &&
        sg_demo_receive(demo, "custodian", "KE_COUNTS");
    if (!sg_demo_step(demo, ok,
                      "UN_CUSTODIAN may have them: the law obliges "
                      "to suppress_small_cells(5)."))
        return;
    check_cells(demo);
    ok = verify(demo, "custodian", "KE_COUNTS@1.csv");
    if (sg_demo_step(demo, ok,
                     "It verifies, and says that the gate suppressed "
                     "something."))
        sg_demo_quote(demo->said, "suppress");
}
