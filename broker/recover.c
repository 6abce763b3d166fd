#include "broker/recover.h"

#include <string.h>

#include "broker/core/snapshot.h"
#include "broker/env_local.h"
#include "broker/os/log.h"
#include "broker/os/random.h"
#include "schemas/codec/codec.h"
#include "schemas/evidence.pb-c.h"
#include "schemas/proof/entry.h"

// Keys lie anywhere in the index: a commit writes nearly a page a row.
enum { ROWS_COMMIT = 65536 };

struct work {
    const struct sg_recover_options *options;
    struct sg_recover *made;
    uint32_t rows; // put since the last commit
};

static enum sg_err
new_core(struct work *work)
{
    struct sg_core_options options = {
        .gate = sg_slice_text(work->options->gate),
        .signer = work->options->sign_key,
        .lookup = sg_env_local_lookup(work->made->evidence),
        .snapshot_every = work->options->snapshot_every,
        .stop_on_damage = work->options->stop_on_damage,
    };

    memcpy(options.genesis, sg_evidence_genesis(work->made->evidence), 32);
    sg_os_random_fill(options.table_key, sizeof options.table_key);
    sg_core_free(&work->made->core);
    work->made->core = sg_core_new(&options);
    return work->made->core == NULL ? SG_ERR_MEMORY : SG_OK;
}

// Rows of what the entry made final, unless the index is further than that
// already, and now and then a commit, so that they need not be kept in memory.
static enum sg_err
put_rows(struct work *work, const struct sg_evidence_entry *entry)
{
    struct sg_evidence *evidence = work->made->evidence;
    bool there = sg_evidence_has_rows(evidence, entry->seq);
    const struct sg_row *row;
    enum sg_err err = SG_OK;

    while (err == SG_OK && (row = sg_core_row(work->made->core)) != NULL) {
        work->rows++;
        if (!there)
            err = sg_evidence_put_row(evidence, row->table,
                                      sg_slice_of(row->key, row->key_len),
                                      sg_slice_of(row->value, row->value_len));
    }
    if (err != SG_OK || work->rows < (there ? 1 : ROWS_COMMIT))
        return err;
    if (!there)
        err = sg_evidence_replay_commit(evidence, entry);
    work->rows = 0;
    if (err == SG_OK)
        sg_core_indexed(work->made->core, entry->seq);
    return err;
}

static enum sg_err
apply(void *arg, const struct sg_evidence_entry *entry)
{
    struct work *work = (struct work *)arg;
    struct sg_appended applied = {.seq = entry->seq,
                                  .type = entry->type,
                                  .time_us = entry->time_us,
                                  .body = entry->body};

    work->made->replayed++;
    enum sg_err err = sg_core_apply(work->made->core, &applied);
    return err != SG_OK ? err : put_rows(work, entry);
}

// Is it the state that entry 13, its last one, speaks of? That entry is proven
// to be in the log; whatever else lies in the index proves nothing.
static bool
is_stated(const struct work *work, const struct sg_evidence_snapshot *snapshot)
{
    struct sg_arena *arena = sg_arena_new(64 * 1024, 4096);
    uint8_t hash[32];
    void *body;

    bool stated = arena != NULL && snapshot->type == SG_ENTRY_SNAPSHOT &&
                  sg_core_next_seq(work->made->core) == snapshot->seq + 1 &&
                  sg_codec_unpack(&sgpb__snapshot_entry__descriptor,
                                  snapshot->body, arena, &body) == SG_OK;
    if (stated) {
        const Sgpb__SnapshotEntry *entry = (const Sgpb__SnapshotEntry *)body;
        sg_snapshot_hash(work->made->core, hash);
        stated = entry->at + 1 == snapshot->seq &&
                 sg_slice_eq(sg_codec_slice(entry->state_sha256),
                             sg_slice_of(hash, sizeof hash));
    }
    sg_arena_free(&arena);
    return stated;
}

// What recovery begins with. A snapshot that is missing, does not read or is
// not what the log states is forgotten: the log is the truth, and all of it is
// read, which takes longer; the operator is told.
static enum sg_err
load_snapshot(struct work *work)
{
    struct sg_evidence_snapshot snapshot;
    uint64_t entries = sg_evidence_signed_size(work->made->evidence);
    bool found = sg_evidence_snapshot(work->made->evidence, &snapshot);
    char number[24];
    enum sg_err err = SG_OK;

    if (found && sg_snapshot_read(work->made->core, snapshot.core) == SG_OK &&
        is_stated(work, &snapshot))
        return SG_OK;
    if (found) {
        sg_log(SG_LOG_WARN, "snapshot.dropped", "entry",
               sg_log_number(snapshot.seq, number), NULL);
        err = sg_evidence_drop_snapshot(work->made->evidence);
        if (err == SG_OK)
            err = new_core(work);
    }
    if (entries > 1)
        sg_log(SG_LOG_WARN, "gate.replay", "reason",
               "no snapshot can be used, so the whole log is read", "entries",
               sg_log_number(entries, number), NULL);
    return err;
}

static void
tell_log(const struct sg_recover *made)
{
    struct sg_core_log log = {.epoch = sg_evidence_epoch(made->evidence),
                              .largest_seen =
                                  sg_evidence_largest_seen(made->evidence)};

    memcpy(log.root, sg_evidence_root(made->evidence), sizeof log.root);
    sg_core_log_is(made->core, &log);
}

enum sg_err
sg_recover_open(const struct sg_recover_options *options,
                struct sg_recover *made, struct sg_diag *diag)
{
    struct sg_evidence_options evidence = {.home = options->store,
                                           .gate = options->gate,
                                           .log_key = options->log_key,
                                           .new_epoch = options->new_epoch};
    struct work work = {.options = options, .made = made};

    memset(made, 0, sizeof *made);
    enum sg_err err = sg_evidence_open(&evidence, &made->evidence, diag);
    if (err == SG_OK)
        err = new_core(&work);
    if (err == SG_OK)
        err = load_snapshot(&work);
    if (err == SG_OK)
        err = sg_evidence_replay(made->evidence, apply, &work, diag);
    if (err == SG_OK)
        err = sg_evidence_start(made->evidence, diag);
    if (err == SG_OK)
        tell_log(made);
    if (err == SG_OK) // which commits the rest of the rows
        sg_core_indexed(made->core, sg_core_next_seq(made->core) - 1);
    return err;
}
