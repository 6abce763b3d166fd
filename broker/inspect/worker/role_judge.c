// judge: canonical observations -> verdict, facts, content root.
//
// Never sees a foreign byte but through SHA-256. What it says counts: the root
// over the rows must be what the publisher signed, else the reader lied; and the
// commitment to the bytes must open to those that were sent, else the publisher
// did.
#include "broker/inspect/worker/rows.h"
#include "schemas/proof/commit.h"
#include "schemas/proof/content.h"
#include "schemas/sdmx/check.h"

enum { MODE_FILE = 1 };

struct judging {
    struct sg_role_item *item;
    struct sg_check *check;
    struct sg_rows_root root;
    struct sg_rows_facts facts;
};

// Terms may ask for a flag on every row; none would mean F.
static void
see_flag(struct judging *judging, const struct sg_obs *obs)
{
    const Sgpb__InspectTerms *terms = judging->item->of->job->terms;
    int32_t at = judging->facts.component[SG_ROWS_CONF_STATUS];
    struct sg_fault fault = {.code = SG_FAULT_CONF_STATUS,
                             .component = SG_SLICE("CONF_STATUS"),
                             .row = obs->row};

    if (terms == NULL || !terms->require_conf_status)
        return;
    if (at < 0)
        fault.hint = SG_SLICE("the structure has no such component");
    else if (obs->values[at].kind == SG_VALUE_TEXT)
        return;
    sg_check_fault(judging->check, &fault);
}

static enum sg_err
on_row(void *context, const struct sg_obs *obs, struct sg_slice bytes)
{
    struct judging *judging = (struct judging *)context;
    enum sg_err err = sg_check_obs(judging->check, obs);

    if (err == SG_OK)
        err = sg_rows_root_add(&judging->root, obs->action, bytes);
    if (err == SG_OK)
        sg_rows_facts_add(&judging->facts, obs);
    see_flag(judging, obs);
    return err;
}

// A reader that was taken over may have hidden what was sent; deletions it
// cannot: I, A and M are one in a canonical stream (content-root.md 3).
static enum sg_err
on_part(void *context, uint8_t action)
{
    struct judging *judging = (struct judging *)context;

    if (action == SG_ACTION_DELETE)
        sg_check_action(judging->check, action, 0, 0);
    return SG_OK;
}

static enum sg_err
read_rows(struct judging *judging)
{
    struct sg_role_job *of = judging->item->of;
    const struct sg_check_options options = {
        .key = {of->job->salt, ~of->job->salt},
        .complete = true,
        .whole = true,
        .sorted = true,
        .equal_keys = true,
    };
    const struct sg_canonical_sink sink = {
        .context = judging, .part = on_part, .row = on_row};

    judging->check = sg_check_new(of->scratch, &options);
    if (judging->check == NULL)
        return SG_ERR_FULL;
    // In SDMX-ML a series may state its attributes anew (check.h).
    if (of->job->terms != NULL)
        sg_check_media(judging->check, (enum sg_media)of->job->terms->media);
    enum sg_err err = sg_check_begin(judging->check, of->structure);
    if (err == SG_OK) {
        sg_rows_constrain(of, judging->check);
        err = sg_rows_read(judging->item, judging->item->item->input,
                           of->input_fd, &of->input_at, &sink);
    }
    return err == SG_OK ? sg_check_end(judging->check) : err;
}

// What a publisher commits to: root over the content, file over the bytes.
struct commitments {
    uint8_t *root; // 32, stands in the answer
    uint8_t file[32];
};

static enum sg_err
find_rows(struct judging *judging, struct commitments *out)
{
    struct sg_role_item *item = judging->item;
    struct sg_sha256 *hash = sg_crypto_sha256_new();
    uint8_t sha256[32];

    if (hash == NULL)
        return SG_ERR_FULL;
    sg_crypto_sha256_init(hash);
    enum sg_err err = sg_rows_root_end(&judging->root, item->of, out->root);
    if (err == SG_OK)
        err = sg_rows_source(item, hash);
    sg_crypto_sha256_final(hash, sha256);
    sg_crypto_sha256_free(&hash);
    sg_commit_file(item->secret.file_salt, sha256, out->file);
    return err;
}

// Level file: the signed leaf is the bytes as sent, and both are one.
static enum sg_err
find_file(struct judging *judging, struct commitments *out)
{
    enum sg_err err = sg_rows_file_root(judging->item, out->root);
    memcpy(out->file, out->root, 32);
    return err;
}

static enum sg_err
find(struct judging *judging, struct commitments *out)
{
    const struct sg_role_item *item = judging->item;
    bool file =
        item->of->job->terms != NULL && item->of->job->terms->mode == MODE_FILE;

    if (item->item->source == NULL)
        return SG_ERR_FORMAT; // nothing to hold the commitment against
    return file ? find_file(judging, out) : find_rows(judging, out);
}

static bool
is_signed(ProtobufCBinaryData claim, const uint8_t found[32])
{
    return claim.len == 32 && sg_crypto_equal(found, claim.data, 32);
}

// What was not signed is told as that, whatever else is wrong with it: it was
// the reader who made it.
static void
compare(struct sg_role_item *item, const struct commitments *found)
{
    if (!is_signed(item->item->content_root, found->root))
        sg_role_reject(item, SG_ERR_CONTENT, SG_SLICE("content_root"));
    else if (!is_signed(item->item->file_commit, found->file))
        sg_role_reject(item, SG_ERR_CONTENT, SG_SLICE("file_commit"));
}

static enum sg_err
judge(struct judging *judging)
{
    struct sg_role_item *item = judging->item;
    Sgpb__DoneItem *done = item->done;
    struct commitments found = {.root = sg_arena_take(item->of->arena, 32)};

    enum sg_err err = found.root == NULL ? SG_ERR_FULL : read_rows(judging);
    if (err == SG_OK)
        err = find(judging, &found);
    if (err != SG_OK)
        return err;
    done->rows = sg_check_rows(judging->check);
    done->content_root = sg_codec_bytes(found.root, 32);
    bool accept = sg_check_accepts(judging->check);
    err = sg_role_report(item, sg_check_report(judging->check), done->rows,
                         accept);
    if (err != SG_OK)
        return err;
    done->verdict = accept ? SG_ROLE_ACCEPT : SG_ROLE_REJECT;
    compare(item, &found);
    return sg_rows_facts_end(&judging->facts, item->of->arena, judging->check,
                             &done->facts);
}

enum sg_err
sg_role_judge(struct sg_role_item *item)
{
    struct judging *judging = sg_arena_take(item->of->scratch, sizeof *judging);

    if (judging == NULL)
        return SG_ERR_FULL;
    if (!item->has_secret)
        return SG_ERR_SECRET;
    judging->item = item;
    enum sg_err err =
        sg_rows_root_begin(&judging->root, &item->secret, item->of->scratch);
    if (err == SG_OK)
        err = sg_rows_facts_begin(&judging->facts, item->of);
    if (err == SG_OK)
        err = judge(judging);
    sg_rows_root_wipe(&judging->root);
    return err;
}
