// reader: foreign bytes -> canonical observations. Trusted with nothing.
//
// Two passes over the same bytes: the first checks and sees whether the rows
// are sorted, the second writes. A number of a chunk is thus sealed once, even
// when the rows have to be sorted (decisions-security S32).
#include "broker/base/utc.h"
#include "broker/inspect/worker/rows.h"

struct pass {
    struct sg_role_item *item;
    struct sg_obs_reader *reader;
    struct sg_check *check; // first pass
    bool begun;
    struct sg_canonical_writer *rows;
    bool unsorted;
    enum sg_err err; // of a callback that cannot return one
};

static const struct sg_structure *
on_structure(void *context, const struct sg_obs_ref *ref)
{
    struct pass *pass = (struct pass *)context;
    const struct sg_structure *structure = pass->item->of->structure;

    if (!sg_rows_named(pass->item->of, ref))
        return NULL;
    if (pass->check != NULL && !pass->begun) {
        sg_check_media(pass->check, sg_obs_reader_media(pass->reader));
        pass->err = sg_check_begin(pass->check, structure);
        if (pass->err == SG_OK)
            sg_rows_constrain(pass->item->of, pass->check);
        pass->begun = true;
    }
    return structure;
}

// An embargo on the whole message (sdmx-facts 1.10) binds through the claims of
// the manifest: they must hold it as long, else evidence would not say why it
// left early. A time that cannot be read, or has no zone, is never over.
static void
on_header(void *context, const struct sg_obs_header *header)
{
    const struct pass *pass = (const struct pass *)context;
    struct sg_fault fault = {.code = SG_FAULT_EMBARGO_DATE,
                             .component = SG_SLICE("EmbargoDate"),
                             .value = header->embargo};
    uint64_t us;

    if (pass->check == NULL || header->embargoes == 0)
        return;
    if (header->embargoes > 1)
        fault.hint = SG_SLICE("it stands there more than once");
    else if (!sg_utc_parse(header->embargo, &us))
        fault.hint = SG_SLICE("no time with a zone");
    else if (us > pass->item->item->embargo_us)
        fault.hint = SG_SLICE("the manifest claims none, or an earlier one");
    else
        return;
    sg_check_fault(pass->check, &fault);
}

static void
on_action(void *context, uint8_t sent, uint64_t row, uint64_t line)
{
    struct pass *pass = (struct pass *)context;

    if (pass->check != NULL)
        sg_check_action(pass->check, sent, row, line);
}

static void
on_columns(void *context, const uint64_t present[SG_OBS_CHANGED_WORDS],
           uint64_t line)
{
    struct pass *pass = (struct pass *)context;

    if (pass->check != NULL)
        sg_check_columns(pass->check, present, line);
}

static void
on_fault(void *context, const struct sg_fault *fault)
{
    struct pass *pass = (struct pass *)context;

    if (pass->check != NULL)
        sg_check_fault(pass->check, fault);
}

static enum sg_err
on_obs(void *context, const struct sg_obs *obs)
{
    struct pass *pass = (struct pass *)context;
    enum sg_err err = pass->err;

    if (err == SG_OK && pass->check != NULL)
        err = sg_check_obs(pass->check, obs);
    if (err != SG_OK || pass->unsorted)
        return err;
    err = sg_canonical_writer_put(pass->rows, obs);
    if (err == SG_ERR_ORDER && pass->check != NULL) {
        pass->unsorted = true; // the second pass sorts
        return SG_OK;
    }
    return err;
}

static enum sg_err
discard(void *context, struct sg_slice bytes)
{
    (void)context;
    (void)bytes;
    return SG_OK;
}

static enum sg_err
read_whole(struct pass *pass, struct sg_sealed_in *in)
{
    struct sg_slice plain;
    enum sg_err err;

    for (;;) {
        if ((err = sg_sealed_in_next(in, &plain)) != SG_OK || plain.len == 0)
            break;
        if ((err = sg_obs_reader_feed(pass->reader, plain)) != SG_OK)
            break;
    }
    return err == SG_OK ? sg_obs_reader_end(pass->reader) : err;
}

static enum sg_err
run(struct pass *pass, struct sg_sealed_in *in, struct sg_arena *arena)
{
    const struct sg_obs_sink sink = {.context = pass,
                                     .structure = on_structure,
                                     .header = on_header,
                                     .columns = on_columns,
                                     .action = on_action,
                                     .obs = on_obs,
                                     .fault = on_fault};
    const struct sg_role_job *of = pass->item->of;
    const struct sg_obs_reader_options options = {
        .media = of->job->terms == NULL ? SG_MEDIA_UNKNOWN
                                        : (enum sg_media)of->job->terms->media,
        .xml_salt = of->job->salt,
    };
    enum sg_err err;

    pass->reader = sg_obs_reader_new(arena, &sink, &options);
    if (pass->reader == NULL)
        return SG_ERR_FULL;
    err = read_whole(pass, in);
    if (err == SG_OK && sg_obs_reader_again(pass->reader)) {
        sg_sealed_in_rewind(in);
        err = read_whole(pass, in);
    }
    sg_obs_reader_fini(pass->reader);
    return err == SG_OK ? pass->err : err;
}

// First pass: is it right, and is it sorted?
static enum sg_err
look(struct sg_role_item *item, struct sg_sealed_in *in, bool *unsorted)
{
    struct sg_role_job *of = item->of;
    const struct sg_canonical_out out = {.write = discard};
    const struct sg_check_options options = {
        .key = {of->job->salt, ~of->job->salt},
        .complete = true,
        .whole = true};
    struct pass pass = {.item = item};

    pass.check = sg_check_new(of->scratch, &options);
    pass.rows = sg_canonical_writer_new(of->scratch, of->structure,
                                        SG_CANONICAL_MODE_STREAM, &out);
    if (pass.check == NULL || pass.rows == NULL)
        return SG_ERR_FULL;
    enum sg_err err = run(&pass, in, of->scratch);
    if (err == SG_OK)
        err = sg_check_end(pass.check);
    if (err != SG_OK)
        return err;
    *unsorted = pass.unsorted;
    item->done->rows = sg_check_rows(pass.check);
    bool accept = sg_check_accepts(pass.check);
    item->done->verdict = accept ? SG_ROLE_ACCEPT : SG_ROLE_REJECT;
    return sg_role_report(item, sg_check_report(pass.check), item->done->rows,
                          accept);
}

static enum sg_err
write_rows(struct sg_role_item *item, struct sg_sealed_in *in,
           struct sg_sealed_out *out, bool unsorted)
{
    struct sg_role_job *of = item->of;
    const struct sg_canonical_out to = {out, sg_sealed_out_write};
    struct pass pass = {.item = item};
    uint8_t sha256[32];

    pass.rows = sg_canonical_writer_new(
        of->scratch, of->structure,
        unsorted ? SG_CANONICAL_MODE_SORT : SG_CANONICAL_MODE_STREAM, &to);
    if (pass.rows == NULL)
        return SG_ERR_FULL;
    enum sg_err err = run(&pass, in, of->scratch);
    if (err == SG_OK)
        err = sg_canonical_writer_end(pass.rows);
    if (err == SG_OK)
        err = sg_sealed_out_end(out, sha256);
    return err;
}

enum sg_err
sg_role_reader(struct sg_role_item *item)
{
    struct sg_role_job *of = item->of;
    struct sg_sealed_in in;
    struct sg_sealed_out out;
    bool unsorted = false;

    enum sg_err err = sg_sealed_in_open(&in, item->item->input, of->input_fd,
                                        &of->input_at, of->scratch);
    if (err == SG_OK)
        err = look(item, &in, &unsorted);
    if (err != SG_OK || item->done->verdict != SG_ROLE_ACCEPT) {
        sg_sealed_in_close(&in);
        return err;
    }
    sg_sealed_in_rewind(&in);
    err = sg_sealed_out_open(&out, item->item->leaves, of->leaves_fd,
                             of->leaves_at, of->scratch);
    if (err == SG_OK)
        err = write_rows(item, &in, &out, unsorted);
    if (err == SG_OK) {
        of->leaves_at = out.at;
        item->done->leaves_bytes = out.bytes;
        item->done->leaves_chunks = out.index;
    }
    sg_sealed_out_close(&out);
    sg_sealed_in_close(&in);
    return err;
}
