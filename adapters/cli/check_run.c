#include "adapters/cli/check_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/progress.h"
#include "broker/base/limits.h"
#include "broker/os/file.h"
#include "broker/os/random.h"
#include "schemas/sdmx/check.h"
#include "schemas/sdmx/obs.h"

enum {
    READ_BYTES = 256 * 1024,
    BLOCK = 1024 * 1024,
    READER_CAP = 256 * 1024 * 1024, // longest row, groups of one data set
    SPOOL = 64 * 1024 * 1024,       // of standard input
    NAME = 512,
};

// Keys of all observations lie here; the size of the machine is the limit.
static const size_t check_cap = (size_t)64 * 1024 * 1024 * 1024;

// ---- sink ----------------------------------------------------------------------

static enum sg_err
find(struct sg_check_run *run, const char *name, enum sg_store_kind kind,
     const struct sg_structure **out)
{
    struct sg_diag diag = {0};
    enum sg_err err = sg_structure_store_find(
        run->store, kind, sg_slice_text(name), run->structures, out, &diag);
    if (err != SG_OK && err != SG_ERR_NOT_FOUND) {
        run->err = err;
        run->told = true;
        (void)sg_cli_say(err, NULL, "%s: %s", name, diag.text);
    }
    return err;
}

static const struct sg_structure *
use(struct sg_check_run *run, const struct sg_structure *found)
{
    uint8_t sha256[32];
    sg_structure_sha256(found, sha256);
    if (run->structure != NULL)
        return memcmp(sha256, run->sha256, 32) == 0 ? run->structure : found;
    run->structure = found;
    memcpy(run->sha256, sha256, 32);
    run->err = sg_check_begin(run->check, found);
    return found;
}

static struct sg_slice
kept(struct sg_check_run *run, struct sg_slice text)
{
    struct sg_slice copy = sg_arena_copy(run->structures, text);
    if (copy.ptr == NULL && text.len > 0)
        run->err = SG_ERR_MEMORY;
    return copy;
}

// NULL: not known here.
static const struct sg_structure *
structure_of(struct sg_check_run *run, const struct sg_obs_ref *ref)
{
    static const enum sg_store_kind kinds[] = {
        [SG_OBS_REF_DATAFLOW] = SG_STORE_FLOW,
        [SG_OBS_REF_DATASTRUCTURE] = SG_STORE_STRUCTURE,
        [SG_OBS_REF_DATAPROVISION] = SG_STORE_AGREEMENT,
    };
    const struct sg_structure *found = NULL;
    if (run->flow.flow != NULL)
        return sg_check_flow_named(&run->flow, ref) ? run->structure : NULL;
    if (run->wanted != NULL || ref->kind == SG_OBS_REF_NONE)
        return run->structure;
    char name[NAME];
    int len = snprintf(name, sizeof name,
                       ref->version.len > 0 ? "%.*s:%.*s(%.*s)" : "%.*s:%.*s",
                       SG_SLICE_ARG(ref->agency), SG_SLICE_ARG(ref->id),
                       SG_SLICE_ARG(ref->version));
    if (len < 0 || len >= NAME ||
        find(run, name, kinds[ref->kind], &found) != SG_OK)
        return NULL;
    return use(run, found);
}

// Which constraints hold: those on what the flow's terms name, else on what the
// message names (of an agreement its dataflow too) and on what was asked for.
static void
constrain(struct sg_check_run *run)
{
    struct sg_obs_ref refs[4] = {run->ref};
    size_t n = 1;
    if (run->flow.flow != NULL) {
        n = sg_check_flow_dataflow(&run->flow, &refs[0]) ? 1 : 0;
    } else if (run->wanted != NULL) {
        const char *at = strchr(run->wanted, '='); // of a URN
        if (sg_obs_ref_parse(sg_slice_text(at == NULL ? run->wanted : at + 1),
                             &refs[1])) {
            refs[1].kind = SG_OBS_REF_DATAFLOW;
            refs[2] = refs[1];
            refs[2].kind = SG_OBS_REF_DATAPROVISION;
            n = 3;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (refs[i].kind == SG_OBS_REF_DATAPROVISION &&
            sg_structure_store_flow_of(run->store, &refs[i], &refs[n])) {
            n++;
            break;
        }
    sg_check_named(run->check, refs, n);
}

static const struct sg_structure *
on_structure(void *context, const struct sg_obs_ref *ref)
{
    struct sg_check_run *run = context;
    sg_check_media(run->check, sg_obs_reader_media(run->reader));
    run->ref = (struct sg_obs_ref){ref->kind, kept(run, ref->agency),
                                   kept(run, ref->id), kept(run, ref->version)};
    const struct sg_structure *found = structure_of(run, ref);
    if (found != NULL && run->err == SG_OK)
        constrain(run);
    return found;
}

static void
on_columns(void *context, const uint64_t present[SG_OBS_CHANGED_WORDS],
           uint64_t line)
{
    sg_check_columns(((struct sg_check_run *)context)->check, present, line);
}

static void
on_action(void *context, uint8_t sent, uint64_t row, uint64_t line)
{
    sg_check_action(((struct sg_check_run *)context)->check, sent, row, line);
}

static enum sg_err
on_obs(void *context, const struct sg_obs *obs)
{
    struct sg_check_run *run = context;
    if (run->err == SG_OK && run->flow.flow != NULL)
        sg_check_flow_obs(&run->flow, run->check, obs);
    enum sg_err err =
        run->err != SG_OK ? run->err : sg_check_obs(run->check, obs);
    return err == SG_OK && run->row != NULL ? run->row(run, obs) : err;
}

static void
on_header(void *context, const struct sg_obs_header *header)
{
    struct sg_check_run *run = context;
    run->header = *header;
    run->header.id = kept(run, header->id);
    run->header.sender = kept(run, header->sender);
    run->header.prepared = kept(run, header->prepared);
    run->header.embargo = kept(run, header->embargo);
}

static void
on_fault(void *context, const struct sg_fault *fault)
{
    struct sg_check_run *run = context;
    struct sg_fault told = *fault;
    if (run->print.foreign != NULL)
        told.hint = sg_slice_text(run->print.foreign);
    sg_check_fault(run->check, &told);
}

static void
on_each(void *context, const struct sg_fault *fault)
{
    struct sg_check_run *run = context;
    if (!sg_check_print_keep(&run->occurrences, fault))
        run->err = SG_ERR_MEMORY;
}

// ---- work ----------------------------------------------------------------------

static enum sg_err
prepare(struct sg_check_run *run)
{
    struct sg_check_options options = {0};
    struct sg_obs_reader_options reading = {0};
    sg_os_random_fill(options.key, sizeof options.key);
    sg_os_random_fill(&reading.xml_salt, sizeof reading.xml_salt);
    reading.xml_salt |= 1;
    options.context = run;
    // As the gate reads a release.
    options.complete = options.whole = run->flow.flow != NULL;
    if (run->print.all)
        options.each = on_each;
    const struct sg_obs_sink sink = {.context = run,
                                     .header = on_header,
                                     .structure = on_structure,
                                     .columns = on_columns,
                                     .action = on_action,
                                     .obs = on_obs,
                                     .fault = on_fault};
    run->structures = sg_arena_new(READER_CAP, BLOCK);
    run->memory = sg_arena_new(check_cap, BLOCK);
    run->reading = sg_arena_new(READER_CAP, BLOCK);
    if (run->structures == NULL || run->memory == NULL || run->reading == NULL)
        return SG_ERR_MEMORY;
    run->check = sg_check_new(run->memory, &options);
    run->reader = sg_obs_reader_new(run->reading, &sink, &reading);
    return run->check == NULL || run->reader == NULL ? SG_ERR_MEMORY : SG_OK;
}

// What came from standard input, since it may be asked for once more.
struct spool {
    bool wanted, over; // more than is kept
    uint8_t *bytes;
    size_t len, cap;
};

static bool
may_be_json(const struct sg_check_run *run)
{
    enum sg_media media = sg_obs_reader_media(run->reader);
    return media == SG_MEDIA_UNKNOWN || media == SG_MEDIA_JSON10 ||
           media == SG_MEDIA_JSON20 || media == SG_MEDIA_JSON21;
}

static enum sg_err
spool_put(const struct sg_check_run *run, struct spool *spool,
          struct sg_slice bytes)
{
    if (!spool->wanted || spool->over)
        return SG_OK;
    spool->over = spool->len + bytes.len > SPOOL || !may_be_json(run);
    if (spool->over)
        return SG_OK;
    if (spool->len + bytes.len > spool->cap) {
        spool->cap = 2 * (spool->len + bytes.len);
        uint8_t *wider = realloc(spool->bytes, spool->cap);
        if (wider == NULL)
            return SG_ERR_MEMORY;
        spool->bytes = wider;
    }
    memcpy(spool->bytes + spool->len, bytes.ptr, bytes.len);
    spool->len += bytes.len;
    return SG_OK;
}

static enum sg_err
read_fd(struct sg_check_run *run, int fd, struct spool *spool)
{
    uint8_t *bytes = malloc(READ_BYTES);
    enum sg_err err = bytes == NULL ? SG_ERR_MEMORY : SG_OK;
    struct sg_progress progress;
    uint64_t total = 0, done = 0;
    if (sg_os_file_size(fd, &total) != SG_OK)
        total = 0; // a pipe
    sg_progress_begin(&progress, "checking", total);
    while (err == SG_OK) {
        size_t got;
        err = sg_os_file_read_some(fd, bytes, READ_BYTES, &got);
        if (err != SG_OK || got == 0)
            break;
        if (done == 0)
            run->print.foreign = sg_obs_foreign(sg_slice_of(bytes, got));
        sg_progress_at(&progress, done += got);
        err = spool_put(run, spool, sg_slice_of(bytes, got));
        if (err == SG_OK)
            err = sg_obs_reader_feed(run->reader, sg_slice_of(bytes, got));
    }
    sg_progress_end(&progress);
    free(bytes);
    return err == SG_OK ? sg_obs_reader_end(run->reader) : err;
}

// The message once more: from its file, or from what was kept of stdin.
static enum sg_err
read_again(struct sg_check_run *run, const char *path, struct spool *spool)
{
    int fd = -1;
    enum sg_err err;
    if (spool->over) {
        run->told = true;
        (void)sg_cli_say(SG_ERR_FULL, NULL,
                         "%s: the message says behind its data how they are "
                         "to be read, and is too large to be kept; save it to "
                         "a file and check that",
                         path);
        return SG_ERR_FULL;
    }
    if (spool->wanted) {
        err = sg_obs_reader_feed(run->reader,
                                 sg_slice_of(spool->bytes, spool->len));
        return err == SG_OK ? sg_obs_reader_end(run->reader) : err;
    }
    err = sg_os_file_open(path, SG_OS_OPEN_READ, &fd);
    if (err == SG_OK)
        err = read_fd(run, fd, spool);
    sg_os_file_close(&fd);
    return err;
}

static enum sg_err
read_all(struct sg_check_run *run, const char *path, int fd)
{
    struct spool spool = {.wanted = strcmp(path, "-") == 0};
    enum sg_err err = read_fd(run, fd, &spool);
    if (err == SG_OK && sg_obs_reader_again(run->reader))
        err = read_again(run, path, &spool);
    if (err == SG_OK)
        err = sg_check_end(run->check);
    free(spool.bytes);
    return err == SG_OK ? run->err : err;
}

static enum sg_err
open_wanted(struct sg_check_run *run)
{
    const struct sg_structure *found;
    if (run->flow.flow != NULL)
        use(run, run->flow.structure);
    if (run->wanted == NULL)
        return run->err;
    enum sg_err err = find(run, run->wanted, SG_STORE_ANY, &found);
    if (err != SG_OK)
        return err;
    use(run, found);
    return run->err;
}

static int
no_report(const struct sg_check_run *run, enum sg_err err, const char *about)
{
    if (run->told)
        return sg_err_exit(err);
    if (run->print.foreign != NULL && err == SG_ERR_UNSUPPORTED)
        return sg_cli_say(err, run->print.foreign,
                          "%s is nothing that can be checked", about);
    if (run->wanted != NULL && about == run->wanted && err == SG_ERR_NOT_FOUND)
        return sg_cli_say(err,
                          "statgate structure list says which are; import it: "
                          "statgate structure import FILE",
                          "the structure %s is not known here", about);
    return sg_cli_fail(err, about);
}

static int
read_open(struct sg_check_run *run, const char *path, int fd)
{
    const char *about = path;
    int status = 0;
    if (run->flow.flow != NULL)
        status = sg_check_flow_open(&run->flow,
                                    run->print.form == SG_CHECK_PRINT_JSON);
    if (status != 0)
        return status;
    enum sg_err err = sg_structure_store_open(sg_cli_home(), NULL, &run->store);
    if (err == SG_OK)
        err = prepare(run);
    if (err == SG_OK) {
        err = open_wanted(run);
        about = err == SG_OK ? path : run->wanted;
    }
    if (err == SG_OK)
        err = read_all(run, path, fd);
    return err == SG_OK ? 0 : no_report(run, err, about);
}

int
sg_check_run_file(struct sg_check_run *run, const char *path)
{
    int fd = 0;
    bool is_stdin = strcmp(path, "-") == 0;
    enum sg_err err = SG_OK;
    if (!is_stdin)
        err = sg_os_file_open(path, SG_OS_OPEN_READ, &fd);
    if (err != SG_OK)
        return sg_cli_fail(err, path);
    int status = read_open(run, path, fd);
    if (!is_stdin)
        sg_os_file_close(&fd);
    return status;
}

void
sg_check_run_close(struct sg_check_run *run)
{
    sg_obs_reader_fini(run->reader);
    sg_check_print_drop(&run->occurrences);
    sg_arena_free(&run->reading);
    sg_arena_free(&run->memory);
    sg_arena_free(&run->structures);
    sg_structure_store_close(&run->store);
    sg_check_flow_close(&run->flow);
}
