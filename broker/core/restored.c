#include "broker/core/restored.h"

#include "broker/core/roster.h"
#include "broker/core/tokens.h"
#include "schemas/proof/note.h"
#include "schemas/proof/receipt.h"

// ---- apply -----------------------------------------------------------------------

static void
forget_heard(struct sg_state *state)
{
    struct sg_slice id;
    uint64_t index;
    uint32_t at = 0;

    while (sg_table_next(state->heard_of, &at, &id, &index)) {
        sg_table_remove(state->heard_of, id);
        sg_pool_give(state->heard, (uint32_t)index);
    }
}

enum sg_err
sg_restored_apply_epoch(struct sg_state *state, const struct sg_appended *entry,
                        const void *body)
{
    const Sgpb__Epoch *begun = body;
    struct sg_epochs *epochs = &state->epochs;

    if (begun->epoch <= epochs->now || begun->last_size != entry->seq)
        return SG_ERR_DAMAGE;
    if (epochs->count == SG_LIMIT_EPOCHS)
        memmove(epochs->past, epochs->past + 1,
                --epochs->count * sizeof *epochs->past);
    epochs->past[epochs->count++] =
        (struct sg_epoch){.number = epochs->now, .size = begun->last_size};
    epochs->now = begun->epoch;
    epochs->waiting = true;
    forget_heard(state);
    sg_restored_settle(state);
    return SG_OK;
}

static bool
says(const struct sg_slice note, struct sg_heard *heard)
{
    struct sg_note parsed;

    if (note.len == 0)
        return true;
    if (sg_note_parse(note, &parsed) != SG_OK)
        return false;
    heard->epoch = parsed.epoch;
    heard->size = parsed.size;
    return true;
}

enum sg_err
sg_restored_index(struct sg_state *state, uint32_t index)
{
    const struct sg_heard *heard = sg_pool_at(state->heard, index);

    return sg_table_put(state->heard_of, sg_slice_text(heard->id), index);
}

static enum sg_err
keep_receipt(struct sg_state *state, struct sg_slice bytes, uint64_t seq)
{
    struct sg_receipt receipt;
    uint8_t leaf[32];

    if (sg_receipt_decode(bytes, &receipt) != SG_OK)
        return SG_ERR_DAMAGE;
    sg_entry_leaf(receipt.entry, leaf);
    return sg_table_put(state->testified, sg_state_hash(leaf), seq);
}

enum sg_err
sg_restored_apply_testimony(struct sg_state *state,
                            const struct sg_appended *entry, const void *body)
{
    const Sgpb__Testimony *testimony = body;
    struct sg_heard said = {.seq = entry->seq};
    enum sg_err err = SG_OK;

    if (!sg_slice_is_id(sg_slice_text(testimony->participant)) ||
        !says(sg_pack_slice(testimony->checkpoint), &said))
        return SG_ERR_DAMAGE;
    if (testimony->receipt.len > 0)
        return keep_receipt(state, sg_pack_slice(testimony->receipt),
                            entry->seq);
    (void)snprintf(said.id, sizeof said.id, "%s", testimony->participant);
    uint32_t index = sg_state_find(state->heard_of, sg_slice_text(said.id));
    if (index == 0) {
        if ((index = sg_pool_take(state->heard)) == 0)
            return SG_ERR_DAMAGE; // decide looked for room
        *(struct sg_heard *)sg_pool_at(state->heard, index) = said;
        err = sg_restored_index(state, index);
    } else {
        *(struct sg_heard *)sg_pool_at(state->heard, index) = said;
    }
    if (err == SG_OK)
        sg_restored_settle(state);
    return err;
}

// ---- who is missing --------------------------------------------------------------

static bool
may_come(const struct sg_state *state, const Sgpb__Participant *who)
{
    uint8_t id[32];

    if (strcmp(who->state, "paused") == 0)
        return false;
    for (size_t i = 0; i < who->n_keys; i++) {
        const Sgpb__RosterKey *key = who->keys[i];
        if (strcmp(key->use, "transport") != 0)
            continue;
        sg_crypto_key_id((enum sg_alg)key->alg, sg_pack_slice(key->public_key),
                         id);
        if (!sg_table_get(state->revoked, sg_state_hash(id), NULL))
            return true;
    }
    return false;
}

static bool
waived(const struct sg_state *state, const char *id)
{
    const Sgpb__Roster *roster = state->roster.doc;

    if (roster->restored_epoch != state->epochs.now)
        return false;
    for (size_t i = 0; i < roster->n_restored_without; i++)
        if (strcmp(roster->restored_without[i], id) == 0)
            return true;
    return false;
}

bool
sg_restored_misses(const struct sg_state *state, const Sgpb__Participant *who)
{
    return sg_state_find(state->heard_of, sg_slice_text(who->id)) == 0 &&
           may_come(state, who) && !waived(state, who->id);
}

void
sg_restored_settle(struct sg_state *state)
{
    const Sgpb__Roster *roster = state->roster.doc;

    if (!state->epochs.waiting || roster == NULL)
        return;
    for (size_t i = 0; i < roster->n_participants; i++)
        if (sg_restored_misses(state, roster->participants[i]))
            return;
    state->epochs.waiting = false;
}

const char *
sg_restored_missing(struct sg_turn *turn, size_t most)
{
    const Sgpb__Roster *roster = turn->state->roster.doc;
    char *text = sg_turn_take(turn, most + 1);
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0;
         turn->state->epochs.waiting && i < roster->n_participants; i++) {
        const Sgpb__Participant *who = roster->participants[i];
        size_t more = strlen(who->id) + 1;
        if (!sg_restored_misses(turn->state, who))
            continue;
        if (len + more + 4 > most) {
            (void)snprintf(text + len, most + 1 - len, " ...");
            break;
        }
        (void)snprintf(text + len, most + 1 - len, len == 0 ? "%s" : " %s",
                       who->id);
        len += strlen(text + len);
    }
    return text;
}

// ---- deciding --------------------------------------------------------------------

void
sg_restored_begin(struct sg_turn *turn)
{
    const struct sg_core *core = turn->core;
    Sgpb__Epoch body = SGPB__EPOCH__INIT;
    char *origin = sg_turn_take(turn, SG_NOTE_ORIGIN_MAX);

    if (core->log.epoch <= turn->state->epochs.now)
        return;
    enum sg_err err =
        sg_note_origin(sg_slice_text(turn->state->gate), core->options.genesis,
                       turn->state->epochs.now, origin);
    SG_ASSERT(err == SG_OK); // as at every checkpoint before
    body.old_origin = origin;
    body.last_size = turn->state->next_seq;
    body.last_root = sg_pack_bytes(core->log.root, sizeof core->log.root);
    body.largest_seen = core->log.largest_seen;
    body.epoch = core->log.epoch;
    sg_turn_append(turn, SG_ENTRY_EPOCH, &body.base);
}

static enum sg_err
judge(const struct sg_state *state, const struct sg_shown *shown, bool *lost)
{
    const struct sg_epochs *epochs = &state->epochs;

    *lost = sg_epoch_lost(epochs->past, epochs->count, epochs->now,
                          shown->epoch, shown->size);
    if (*lost)
        return SG_OK;
    if (shown->epoch > epochs->now || !shown->held)
        return SG_ERR_DAMAGE;
    return shown->same ? SG_OK : SG_ERR_FORK;
}

enum sg_err
sg_restored_hear(struct sg_turn *turn, struct sg_slice note,
                 uint64_t *testimony, uint64_t *after)
{
    const struct sg_lookup *lookup = &turn->core->options.lookup;
    const struct sg_state *state = turn->state;
    Sgpb__Testimony body = SGPB__TESTIMONY__INIT;
    struct sg_shown shown = {0};
    bool lost = false;
    enum sg_err err = SG_OK;

    *testimony = SG_NO_ENTRY;
    *after = SG_AFTER_NOTHING;
    if (lookup->shown == NULL)
        note.len = 0; // nobody can say what it is
    if (note.len > 0) {
        err = lookup->shown(lookup->ctx, note, &shown);
        if (err == SG_OK)
            err = judge(state, &shown, &lost);
    }
    uint32_t index =
        sg_state_find(state->heard_of, sg_slice_text(turn->who->id));
    const struct sg_heard *heard =
        index == 0 ? NULL : sg_pool_at(state->heard, index);
    if (err != SG_OK || (!lost && (!state->epochs.waiting || heard != NULL)))
        return err;
    if (heard != NULL && heard->epoch == shown.epoch &&
        heard->size >= shown.size) {
        *testimony = *after = heard->seq;
        return SG_OK;
    }
    // Whoever has many notes of what is lost does not fill the log with them.
    if (heard != NULL && !sg_tokens_check(turn, 1))
        return SG_ERR_BUSY;
    if (heard == NULL && sg_pool_count(state->heard) == SG_LIMIT_PARTICIPANTS)
        return SG_ERR_FULL;
    body.participant = turn->who->id;
    body.checkpoint = sg_pack_bytes(note.ptr, note.len);
    *after = sg_turn_append(turn, SG_ENTRY_TESTIMONY, &body.base);
    if (lost)
        *testimony = *after;
    return SG_OK;
}

// Does the receipt lead to its checkpoint?
static bool
leads(const struct sg_receipt *receipt, struct sg_note *note, uint8_t leaf[32])
{
    const struct sg_merkle_place place = {receipt->index, receipt->size,
                                          receipt->path, receipt->path_len};
    struct sg_entry entry;

    sg_entry_leaf(receipt->entry, leaf);
    return receipt->index < receipt->size &&
           receipt->size <= UINT64_C(1) << SG_MERKLE_DEPTH &&
           receipt->path_len ==
               sg_merkle_path_len(receipt->index, receipt->size) &&
           sg_entry_decode(receipt->entry, &entry) == SG_OK &&
           entry.sequence == receipt->index &&
           sg_note_parse(receipt->checkpoint, note) == SG_OK &&
           note->size == receipt->size &&
           sg_merkle_verify(SG_MERKLE_LOG, &place, leaf, note->root);
}

// Is the entry of this log the same?
static bool
is_here(struct sg_turn *turn, const struct sg_receipt *receipt)
{
    const struct sg_lookup *lookup = &turn->core->options.lookup;
    struct sg_slice bytes;

    return lookup->raw != NULL &&
           lookup->raw(lookup->ctx, receipt->index, turn->arena, &bytes) &&
           sg_slice_eq(bytes, receipt->entry);
}

enum sg_err
sg_restored_testify(struct sg_turn *turn, uint64_t *seq, bool *there)
{
    const struct sg_lookup *lookup = &turn->core->options.lookup;
    const struct sg_state *state = turn->state;
    struct sg_slice bytes = sg_pack_slice(turn->envelope->testify->receipt);
    Sgpb__Testimony body = SGPB__TESTIMONY__INIT;
    struct sg_shown shown = {0};
    struct sg_receipt receipt;
    struct sg_note note;
    uint8_t leaf[32];
    bool lost;

    if (lookup->shown == NULL || sg_receipt_decode(bytes, &receipt) != SG_OK ||
        !leads(&receipt, &note, leaf))
        return SG_ERR_FORMAT;
    if (!sg_tokens_check(turn, 1))
        return SG_ERR_BUSY;
    enum sg_err err = lookup->shown(lookup->ctx, receipt.checkpoint, &shown);
    if (err != SG_OK)
        return err;
    *there = true;
    if (sg_table_get(state->testified, sg_state_hash(leaf), seq))
        return SG_OK;
    *seq = receipt.index;
    if (is_here(turn, &receipt))
        return SG_OK;
    if ((err = judge(state, &shown, &lost)) != SG_OK)
        return err;
    if (!lost)
        return SG_ERR_BUSY; // its entry cannot be read now
    if (sg_table_count(state->testified) == SG_LIMIT_TESTIMONIES)
        return SG_ERR_FULL;
    *there = false;
    body.participant = turn->who->id;
    body.receipt = sg_pack_bytes(bytes.ptr, bytes.len);
    *seq = sg_turn_append(turn, SG_ENTRY_TESTIMONY, &body.base);
    return SG_OK;
}
