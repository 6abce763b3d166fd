// verb_check - statgate check: is this file what its structure says?
#include <stdio.h>
#include <string.h>

#include "adapters/cli/check_run.h"
#include "adapters/cli/cli.h"
#include "adapters/cli/options.h"
#include "schemas/sdmx/check.h"

static const char usage[] =
    "usage: statgate check FILE|- [--structure URN] [--json|--ess] [--all]\n"
    "       statgate check FILE|- --flow FLOW [--json|--ess] [--all]\n"
    "         [--home DIR]\n"
    "\n"
    "Checks a data file (SDMX-CSV 1.0, 2.0, 2.1; SDMX-ML 2.1 and 3.0\n"
    "structure-specific, 2.1 generic, 2.0 generic and compact; SDMX-JSON 1.0,\n"
    "2.0, 2.1) against the structure that it names, or the one given.\n"
    "\n"
    "  --structure URN  URN or AGENCY:ID(VERSION) of a structure or dataflow\n"
    "  --flow FLOW      with the rules that the gate has for an own flow: its\n"
    "                   structure, its dataflow and what its terms ask for\n"
    "  --json           one JSON object\n"
    "  --ess            validation report of the European Statistical System\n"
    "  --all            every occurrence, not only the first of each cause\n"
    "\n"
    "Exit status: 0 accepted, 65 rejected, 2 usage.\n";

// Is the file right under another version of its structure? Bad data look like
// good data of another version, and the cure is another one.
static void
try_versions(const struct sg_check_run *run, struct sg_check_result *result)
{
    const struct sg_structure *s = run->structure;
    if (result->accepted || s == NULL || run->flow.flow != NULL ||
        strcmp(result->path, "-") == 0)
        return;
    for (const struct sg_store_entry *at =
             sg_structure_store_entries(run->store);
         at != NULL && result->under_count < SG_CHECK_VERSIONS; at = at->next) {
        char *name = result->under[result->under_count];
        if (at->kind != SG_STORE_STRUCTURE ||
            !sg_slice_eq(at->self.agency, s->agency) ||
            !sg_slice_eq(at->self.id, s->id) ||
            sg_slice_eq(at->self.version, s->version))
            continue;
        int len = snprintf(name, SG_CHECK_NAME, "%.*s:%.*s(%.*s)",
                           SG_SLICE_ARG(s->agency), SG_SLICE_ARG(s->id),
                           SG_SLICE_ARG(at->self.version));
        struct sg_check_run again = {.wanted = name};
        if (len > 0 && len < SG_CHECK_NAME &&
            sg_check_run_file(&again, result->path) == 0)
            result->under_count += sg_check_accepts(again.check);
        sg_check_run_close(&again);
    }
}

static int
finish(struct sg_check_run *run, const char *path)
{
    struct sg_check_result result = {
        .path = path,
        .observations = sg_obs_reader_rows(run->reader),
        .accepted = sg_check_accepts(run->check),
        .report = sg_check_report(run->check),
        .occurrences = &run->occurrences,
        .media = sg_obs_reader_media(run->reader),
        .structure = run->structure,
    };
    try_versions(run, &result);
    sg_check_print(&run->print, &result);
    if (fflush(stdout) != 0)
        return sg_cli_fail(SG_ERR_IO, "standard output");
    return result.accepted ? 0 : sg_err_exit(SG_ERR_DATA);
}

static int
complain(void)
{
    return sg_cli_usage(stderr, usage);
}

int
sg_verb_check(int argc, char **argv)
{
    struct sg_check_run run = {0};
    bool json = false, ess = false;
    struct sg_words rest;
    const struct sg_option rows[] = {{"--structure", &run.wanted, NULL, NULL},
                                     {"--json", NULL, &json, NULL},
                                     {"--ess", NULL, &ess, NULL},
                                     {"--flow", &run.flow.flow, NULL, NULL},
                                     {"--home", &run.flow.home, NULL, NULL},
                                     {"--all", NULL, &run.print.all, NULL}};

    if (!sg_options_take(argc, argv, 1, rows, SG_COUNT_OF(rows), &rest))
        return complain();
    if (rest.count != 1 || (json && ess)) {
        (void)sg_cli_say(SG_ERR_USAGE, NULL, "check takes one file%s",
                         json && ess ? ", and --json or --ess" : "");
        return complain();
    }
    if (run.flow.flow != NULL && run.wanted != NULL) {
        (void)sg_cli_say(SG_ERR_USAGE, "leave one of them out",
                         "a flow has its structure: --flow or --structure");
        return complain();
    }
    if (json)
        run.print.form = SG_CHECK_PRINT_JSON;
    else if (ess)
        run.print.form = SG_CHECK_PRINT_ESS;
    int status = sg_check_run_file(&run, rest.word[0]);
    if (status == 0)
        status = finish(&run, rest.word[0]);
    sg_check_run_close(&run);
    return status;
}
