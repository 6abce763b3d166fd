// verb_demo - statgate demo: the whole product in one story, on this machine.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/demo.h"
#include "adapters/cli/options.h"
#include "broker/base/encode.h"
#include "broker/os/clock.h"
#include "broker/os/process.h"
#include "broker/os/random.h"

enum { DIR_MAX = 512 }; // leaves room for what lies in it

static int
usage(FILE *out)
{
    return sg_cli_usage(
        out,
        "usage: statgate demo [--once] [--keep DIR]\n\n"
        "A gate, three offices and four agencies on this machine: real\n"
        "figures accepted, refused, delivered, denied, suppressed, withdrawn,\n"
        "and a crash. --once does not wait between the chapters and exits 0\n"
        "only when every step turned out as told. --keep leaves everything in\n"
        "DIR, which must not exist yet; else a temporary folder is removed.\n");
}

// What is shipped: STATGATE_SHARE, the source tree, or where `install` puts it.
static bool
find_share(const char *folder, const char *name, const char *in_tree,
           char out[SG_OS_PATH])
{
    const char *share = getenv("STATGATE_SHARE");

    if (share != NULL && sg_os_file_path(out, "%s/%s", share, name) &&
        sg_os_file_exists(out))
        return true;
    return (sg_os_file_path(out, "%s/../../%s", folder, in_tree) &&
            sg_os_file_exists(out)) ||
           (sg_os_file_path(out, "%s/../share/statgate/%s", folder, name) &&
            sg_os_file_exists(out));
}

static int
find_programs(struct sg_demo *demo)
{
    char folder[SG_OS_PATH];

    enum sg_err err = sg_os_process_folder(folder, sizeof folder);
    if (err != SG_OK)
        return sg_cli_fail(err, "the folder of this program");
    if (!find_share(folder, "sdg", "schemas/sdg", demo->sdg) ||
        !find_share(folder, "policy", "policy/examples", demo->policy))
        return sg_cli_fail(SG_ERR_NOT_FOUND,
                           "the structures and policies that are shipped");
    if ((sg_os_file_path(demo->gated, "%s/statgated", folder) &&
         sg_os_file_exists(demo->gated)) ||
        (sg_os_file_path(demo->gated, "%s/../libexec/statgated", folder) &&
         sg_os_file_exists(demo->gated)))
        return 0;
    return sg_cli_fail(SG_ERR_NOT_FOUND, "statgated beside this program");
}

static int
make_folder(struct sg_demo *demo, const char *keep)
{
    const char *tmp = getenv("TMPDIR");
    char here[DIR_MAX] = "";
    uint8_t random[6];
    char name[13];

    sg_os_random_fill(random, sizeof random);
    sg_encode_hex(random, sizeof random, name);
    bool fits = keep == NULL ? sg_os_file_path(demo->dir, "%s/statgate-demo-%s",
                                               tmp == NULL ? "/tmp" : tmp, name)
                : keep[0] == '/'
                    ? sg_os_file_path(demo->dir, "%s", keep)
                    : getcwd(here, sizeof here) != NULL &&
                          sg_os_file_path(demo->dir, "%s/%s", here, keep);
    if (!fits || strlen(demo->dir) > DIR_MAX)
        return sg_cli_fail(SG_ERR_FULL, "the name of the folder");
    if (sg_os_file_exists(demo->dir))
        return sg_cli_fail(SG_ERR_EXISTS, demo->dir);
    enum sg_err err = sg_os_file_make_dirs(demo->dir);
    return err == SG_OK ? 0 : sg_cli_fail(err, demo->dir);
}

static void
where(const struct sg_demo *demo)
{
    printf("\nIn %s:\n"
           "  HUB/store/evidence  the log       statgate log show DIR\n"
           "  HUB/statgated.log   what the gate said\n"
           "  policy              the laws       statgate policy check DIR\n"
           "  data                what was published\n"
           "  received            what arrived   statgate verify FILE\n"
           "  the other folders   homes of participants (STATGATE_HOME)\n",
           demo->dir);
}

static void
play(struct sg_demo *demo)
{
    static void (*const chapters[])(struct sg_demo *) = {
        sg_demo_people, sg_demo_laws,     sg_demo_flows,    sg_demo_publish,
        sg_demo_refuse, sg_demo_deliver,  sg_demo_suppress, sg_demo_withdraw,
        sg_demo_crash,  sg_demo_evidence,
    };

    printf("StatGate: one gate, three offices, four agencies.\n"
           "The offices' figures are real; the agencies, the people and the\n"
           "laws are examples.\n");
    for (size_t i = 0; i < SG_COUNT_OF(chapters) && !demo->broken; i++)
        chapters[i](demo);
    (void)sg_demo_gate_end(demo, false);
}

int
sg_verb_demo(int argc, char **argv)
{
    struct sg_demo demo = {.gate = 0};
    const char *keep = NULL;
    bool once = false, help = false;
    struct sg_words rest;
    const struct sg_option rows[] = {{"--once", NULL, &once, NULL},
                                     {"--keep", &keep, NULL, NULL},
                                     {"--help", NULL, &help, NULL}};
    uint64_t begun = sg_os_clock_mono_us();

    if (!sg_options_take(argc, argv, 1, rows, SG_COUNT_OF(rows), &rest) ||
        rest.count != 0)
        return usage(stderr);
    if (help)
        return usage(stdout);
    int status = find_programs(&demo);
    if (status == 0)
        status = make_folder(&demo, keep);
    if (status != 0)
        return status;
    demo.pause = !once && isatty(0) == 1;
    play(&demo);
    bool told = sg_demo_summary(&demo, sg_os_clock_mono_us() - begun);
    if (keep != NULL)
        where(&demo);
    else if (sg_os_file_remove_tree(demo.dir) != SG_OK)
        fprintf(stderr, "statgate: %s could not be removed\n", demo.dir);
    free(demo.said);
    free(demo.erred);
    return told ? 0 : 1;
}
