// Durable entries, receipts over them, and what others show of this log.
#include <stdlib.h>
#include <string.h>

#include "broker/base/bytes.h"
#include "broker/base/limits.h"
#include "broker/evidence/evidence_inside.h"
#include "schemas/proof/receipt.h"

struct sg_slice
sg_evidence_checkpoint(const struct sg_evidence *evidence)
{
    return sg_slice_of(evidence->durable.note, evidence->durable.note_len);
}

// The list of segments, read again when the writer has begun a new one.
static enum sg_err
know_segments(struct sg_evidence *ev)
{
    if (ev->firsts_count > 0 &&
        ev->firsts[ev->firsts_count - 1] >= ev->durable.segment)
        return SG_OK;
    free(ev->firsts);
    ev->firsts = NULL;
    return sg_segment_list(ev->dir, &ev->firsts, &ev->firsts_count);
}

static enum sg_err
open_segment_of(struct sg_evidence *ev, uint64_t seq)
{
    char name[SG_SEGMENT_NAME], path[SG_DISK_PATH];
    enum sg_err err = know_segments(ev);
    size_t i = ev->firsts_count;
    while (ev->firsts != NULL && i > 0 && ev->firsts[i - 1] > seq)
        i--;
    if (err != SG_OK || i == 0 || ev->firsts == NULL)
        return err != SG_OK ? err : SG_ERR_NOT_FOUND;
    if (ev->read_fd >= 0 && ev->read_first == ev->firsts[i - 1])
        return SG_OK;
    if (ev->read_fd >= 0)
        sg_disk_real.close(sg_disk_real.arg, ev->read_fd);
    ev->read_fd = -1;
    ev->read_first = ev->firsts[i - 1];
    sg_segment_name(ev->read_first, name);
    if (!sg_disk_path(path, "%s/%s", ev->dir, name))
        return SG_ERR_FULL;
    return sg_disk_real.open(sg_disk_real.arg, path, SG_DISK_READ,
                             &ev->read_fd);
}

// The entry read must be the one that the stored tree knows.
static bool
is_entry(const struct sg_evidence *ev, uint64_t seq, struct sg_slice bytes)
{
    struct sg_entry entry;
    uint8_t leaf[32], stored[32];
    if (sg_entry_decode(bytes, &entry) != SG_OK || entry.sequence != seq ||
        sg_tree_leaf(ev->parts.tree.nodes_fd, seq, stored) != SG_OK)
        return false;
    sg_entry_leaf(bytes, leaf);
    return memcmp(leaf, stored, 32) == 0;
}

static enum sg_err
read_entry(struct sg_evidence *evidence, uint64_t seq, uint8_t *out, size_t cap,
           size_t *len)
{
    uint32_t at;
    uint8_t head[4];
    *len = 0;
    enum sg_err err = open_segment_of(evidence, seq);
    if (err == SG_OK)
        err = sg_tree_at(evidence->parts.tree.at_fd, seq, &at);
    if (err == SG_OK)
        err = sg_disk_read(evidence->read_fd, at, head, sizeof(head));
    if (err != SG_OK)
        return err;
    size_t size = sg_bytes_load_u32(head);
    if (size > SG_LIMIT_ENTRY)
        return SG_ERR_CORRUPT;
    *len = size;
    if (size > cap)
        return SG_ERR_FULL;
    err = sg_disk_read(evidence->read_fd, (uint64_t)at + SG_ENTRY_FRAME_LEN,
                       out, size);
    if (err == SG_OK && !is_entry(evidence, seq, sg_slice_of(out, size)))
        err = SG_ERR_CORRUPT;
    *len = err == SG_OK ? size : 0;
    return err;
}

enum sg_err
sg_evidence_read(struct sg_evidence *evidence, uint64_t seq, uint8_t *out,
                 size_t cap, size_t *len)
{
    *len = 0;
    return seq < evidence->durable.size
               ? read_entry(evidence, seq, out, cap, len)
               : SG_ERR_NOT_FOUND;
}

// The entry that a snapshot ends with: read from its segment, and proven to be
// under the root that the walk goes on from, which the newest checkpoint signs.
enum sg_err
sg_evidence_ends_with(struct sg_evidence *ev, uint64_t size,
                      const uint8_t root[32], struct sg_entry *entry)
{
    uint8_t path[SG_LIMIT_PATH][32], leaf[32];
    uint32_t path_len = 0;
    size_t len = 0;
    enum sg_err err = read_entry(ev, size - 1, ev->entry, SG_LOG_ENTRY, &len);
    if (err == SG_OK)
        err = sg_tree_path(ev->parts.tree.nodes_fd, size - 1, size, path,
                           &path_len);
    if (err == SG_OK)
        err = sg_entry_decode(sg_slice_of(ev->entry, len), entry);
    if (err != SG_OK)
        return err;
    sg_entry_leaf(sg_slice_of(ev->entry, len), leaf);
    const struct sg_merkle_place place = {size - 1, size,
                                          (const uint8_t(*)[32])path, path_len};
    return memcmp(leaf, ev->snapshot.leaf, 32) == 0 &&
                   sg_merkle_verify(SG_MERKLE_LOG, &place, leaf, root)
               ? SG_OK
               : SG_ERR_CORRUPT;
}

enum sg_err
sg_evidence_receipt(struct sg_evidence *evidence, uint64_t seq, uint8_t *out,
                    size_t cap, size_t *len)
{
    const struct sg_writer_durable *durable = &evidence->durable;
    uint8_t path[SG_LIMIT_PATH][32], leaf[32];
    uint32_t path_len = 0;
    size_t entry_len = 0;
    *len = 0;
    if (seq >= durable->size)
        return SG_ERR_NOT_FOUND;
    if (seq >= evidence->recheck.bad_from && seq < evidence->recheck.bad_to)
        return SG_ERR_DAMAGE;
    enum sg_err err = sg_evidence_read(evidence, seq, evidence->entry,
                                       SG_LOG_ENTRY, &entry_len);
    if (err == SG_OK)
        err = sg_tree_path(evidence->parts.tree.nodes_fd, seq, durable->size,
                           path, &path_len);
    if (err != SG_OK)
        return err;
    struct sg_receipt receipt = {
        .index = seq,
        .size = durable->size,
        .path = (const uint8_t(*)[32])path,
        .path_len = (uint8_t)path_len,
        .entry = sg_slice_of(evidence->entry, entry_len),
        .checkpoint = sg_evidence_checkpoint(evidence)};
    // A stored hash that was damaged must not reach anybody as a proof.
    sg_entry_leaf(receipt.entry, leaf);
    if (!sg_merkle_verify(SG_MERKLE_LOG,
                          &(struct sg_merkle_place){seq, durable->size,
                                                    receipt.path, path_len},
                          leaf, durable->root))
        return SG_ERR_CORRUPT;
    *len = sg_receipt_len(&receipt);
    if (*len > cap)
        return SG_ERR_FULL;
    struct sg_writer w = sg_writer_on(out, cap);
    sg_receipt_encode(&receipt, &w);
    SG_ASSERT(!w.full && w.len == *len);
    return SG_OK;
}

enum sg_err
sg_evidence_shown(struct sg_evidence *evidence, struct sg_slice bytes,
                  struct sg_shown *out)
{
    struct sg_note note;
    uint8_t root[32];
    *out = (struct sg_shown){0};
    if (sg_note_parse(bytes, &note) != SG_OK ||
        !sg_note_verify(&note, evidence->log_public) ||
        !sg_note_is_of(&note, sg_slice_text(evidence->gate), evidence->genesis))
        return SG_ERR_SIGNATURE;
    out->epoch = note.epoch;
    out->size = note.size;
    out->held = note.size <= evidence->durable.size;
    if (!out->held)
        return SG_OK;
    enum sg_err err =
        sg_tree_root_at(evidence->parts.tree.nodes_fd, note.size, root);
    out->same = err == SG_OK && memcmp(root, note.root, 32) == 0;
    return err;
}
