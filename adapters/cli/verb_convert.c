// verb_convert - statgate convert: the same observations in another format.
//
// Invariant: a file is written whole, and only when what was read is accepted;
// what the format cannot carry is named, and left out with --lossy alone.
#include <stdio.h>
#include <string.h>

#include "adapters/cli/check_run.h"
#include "adapters/cli/cli.h"
#include "adapters/cli/dry.h"
#include "adapters/cli/gate_call.h"
#include "adapters/cli/options.h"
#include "broker/base/limits.h"
#include "broker/os/file.h"
#include "schemas/sdmx/check.h"
#include "schemas/sdmx/obs_writer.h"

enum { WRITER_CAP = 1024 * 1024 * 1024, WRITER_BLOCK = 1024 * 1024 };

struct convert {
    struct sg_check_run run;
    enum sg_media to;
    bool lossy, json, dry;
    const char *out;
    char part[SG_OS_PATH];
    int fd;
    struct sg_arena *memory;
    struct sg_obs_writer *writer;
    // a row without what is left out
    struct sg_value values[SG_LIMIT_COMPONENTS];
    uint64_t left[SG_LIMIT_COMPONENTS]; // how often, of each component
};

static const char usage[] =
    "usage: statgate convert FILE|- --to FORMAT -o OUT [--structure URN]\n"
    "         [--lossy] [--dry-run] [--json]\n"
    "\n"
    "Writes the observations of a data file in another format: csv10, csv20,\n"
    "csv21, ml21, ml30, json20 or json21. Every value stays as it was written.\n"
    "\n"
    "  --structure URN  URN or AGENCY:ID(VERSION) of a structure or dataflow\n"
    "  --lossy          what the format cannot carry is left out, and counted\n"
    "\n"
    "Exit status: 0 written, 65 not accepted or not to be carried, 2 usage.\n";

static enum sg_err
write_out(void *context, struct sg_slice bytes)
{
    const struct convert *c = context;
    return sg_os_file_write(c->fd, bytes);
}

// SDMX-CSV 1.0 names dataflows alone.
static struct sg_obs_ref
reference(const struct convert *c)
{
    const struct sg_structure *s = c->run.structure;
    if (c->to != SG_MEDIA_CSV10 || c->run.ref.kind == SG_OBS_REF_DATAFLOW ||
        s->flow_count == 0)
        return c->run.ref;
    return (struct sg_obs_ref){SG_OBS_REF_DATAFLOW, s->flows[0].agency,
                               s->flows[0].id, s->flows[0].version};
}

static bool
begin(struct convert *c)
{
    const struct sg_canonical_out out = {c, write_out};
    const struct sg_obs_writer_options options = {
        .media = c->to, .ref = reference(c), .header = c->run.header};
    if (c->writer == NULL)
        c->writer =
            sg_obs_writer_new(c->memory, c->run.structure, &options, &out);
    return c->writer != NULL;
}

// What the writer refused is left out of the row. false: it may not be.
static bool
leave_out(struct convert *c)
{
    const struct sg_fault *why = sg_obs_writer_refused(c->writer);
    const struct sg_structure *s = c->run.structure;
    int32_t i = sg_structure_find(s, why->component);
    if (c->lossy && i >= 0 && s->components[i].kind == SG_KIND_ATTRIBUTE &&
        c->values[i].kind != SG_VALUE_ABSENT) {
        c->values[i] = (struct sg_value){NULL, 0, SG_VALUE_ABSENT};
        c->left[i]++;
        return true;
    }
    c->run.told = true;
    (void)sg_cli_say(SG_ERR_UNSUPPORTED,
                     c->lossy ? "choose another format"
                              : "choose another format, or leave it out with "
                                "--lossy",
                     "observation %llu: %.*s%s%.*s",
                     (unsigned long long)why->row, SG_SLICE_ARG(why->component),
                     i < 0 ? "" : ": ", SG_SLICE_ARG(why->hint));
    return false;
}

static enum sg_err
put_row(struct sg_check_run *run, const struct sg_obs *obs)
{
    struct convert *c = run->context;
    struct sg_obs row = *obs;
    if (!sg_check_accepts(run->check)) // read on for the count alone
        return SG_OK;
    if (!begin(c))
        return SG_ERR_MEMORY;
    memcpy(c->values, obs->values,
           run->structure->component_count * sizeof *c->values);
    row.values = c->values;
    enum sg_err err = sg_obs_writer_put(c->writer, &row);
    while (err == SG_ERR_UNSUPPORTED && leave_out(c))
        err = sg_obs_writer_put(c->writer, &row);
    return err;
}

// ---- the end -----------------------------------------------------------------------

static void
print_left(const struct convert *c)
{
    bool comma = false;
    for (uint32_t i = 0;
         c->run.structure != NULL && i < c->run.structure->component_count;
         i++) {
        struct sg_slice id = c->run.structure->components[i].id;
        if (c->left[i] == 0)
            continue;
        if (c->json)
            printf("%s{\"component\":\"%.*s\",\"count\":%llu}",
                   comma ? "," : "", SG_SLICE_ARG(id),
                   (unsigned long long)c->left[i]);
        else
            printf("  left out: %.*s of %llu observations\n", SG_SLICE_ARG(id),
                   (unsigned long long)c->left[i]);
        comma = true;
    }
}

static int
say_done(const struct convert *c)
{
    unsigned long long rows = sg_obs_reader_rows(c->run.reader);
    const char *from = sg_obs_media_name(sg_obs_reader_media(c->run.reader));
    const char *to = sg_obs_media_name(c->to);
    if (c->dry)
        return sg_dry_say(c->json, "write %llu observations as %s into %s",
                          rows, to, c->out);
    if (c->json)
        printf("{\"exit\":0,\"code\":\"ok\",\"observations\":%llu,\"from\":"
               "\"%s\",\"to\":\"%s\",\"left_out\":[",
               rows, from, to);
    else
        printf("%s: %llu observation%s, from %s to %s\n", c->out, rows,
               rows == 1 ? "" : "s", from, to);
    print_left(c);
    if (c->json)
        printf("]}\n");
    return 0;
}

static int
finish(struct convert *c, const char *path)
{
    if (!sg_check_accepts(c->run.check))
        return sg_cli_say(SG_ERR_DATA,
                          "statgate check says what is wrong with it",
                          "%s is not accepted, and nothing was written", path);
    if (c->run.structure == NULL || !begin(c))
        return sg_cli_fail(SG_ERR_MEMORY, path);
    enum sg_err err = sg_obs_writer_end(c->writer);
    if (err == SG_OK)
        err = sg_os_file_sync(c->fd);
    if (err == SG_OK && !c->dry)
        err = sg_os_file_rename(c->part, c->out);
    return err == SG_OK ? say_done(c) : sg_cli_fail(err, c->out);
}

static int
convert(struct convert *c, const char *path)
{
    enum sg_err err = sg_os_file_path(c->part, "%s.part", c->out)
                          ? sg_dry_file(c->out, false)
                          : SG_ERR_FULL;
    if (err == SG_OK)
        (void)!sg_os_file_remove(c->part); // of a run that was cut
    if (err == SG_OK)
        err = sg_os_file_open(c->part, SG_OS_OPEN_NEW, &c->fd);
    if (err != SG_OK)
        return sg_cli_fail(err, c->out);
    c->memory = sg_arena_new(WRITER_CAP, WRITER_BLOCK);
    int status = c->memory == NULL ? sg_cli_fail(SG_ERR_MEMORY, path)
                                   : sg_check_run_file(&c->run, path);
    if (status == 0)
        status = finish(c, path);
    sg_os_file_close(&c->fd);
    if (status != 0 || c->dry)
        (void)!sg_os_file_remove(c->part);
    sg_check_run_close(&c->run);
    sg_arena_free(&c->memory);
    return status;
}

int
sg_verb_convert(int argc, char **argv)
{
    static struct convert c; // large
    const char *to = NULL;
    struct sg_words rest;
    const struct sg_option rows[] = {{"--to", &to, NULL, NULL},
                                     {"-o", &c.out, NULL, NULL},
                                     {"--structure", &c.run.wanted, NULL, NULL},
                                     {"--lossy", NULL, &c.lossy, NULL},
                                     {"--dry-run", NULL, &c.dry, NULL},
                                     {"--json", NULL, &c.json, NULL}};

    c.fd = -1;
    c.run.row = put_row;
    c.run.context = &c;
    if (!sg_options_take(argc, argv, 1, rows, SG_COUNT_OF(rows), &rest) ||
        rest.count != 1 || to == NULL || c.out == NULL)
        return sg_cli_usage(stderr, usage);
    c.to = sg_obs_media_by_name(sg_slice_text(to));
    if (!sg_obs_writer_writes(c.to))
        return sg_cli_say(SG_ERR_USAGE,
                          "it is one of csv10, csv20, csv21, ml21, ml30, "
                          "json20, json21",
                          "--to %s is no format that is written", to);
    return convert(&c, rest.word[0]);
}
