// What a start from a snapshot did not read: checked afterwards, piece by piece.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/evidence/evidence_inside.h"

static void
let_go(struct sg_recheck *at)
{
    if (at->segment.fd >= 0)
        sg_disk_real.close(sg_disk_real.arg, at->segment.fd);
    at->segment.fd = -1;
    sg_segment_fini(&at->segment);
    free(at->firsts);
    at->firsts = NULL;
    at->begun = false;
    at->done = true;
}

void
sg_evidence_recheck_close(struct sg_recheck *at)
{
    if (at->begun)
        let_go(at);
}

static enum sg_err
damaged(struct sg_evidence *ev, uint64_t byte, const char *why,
        struct sg_diag *diag)
{
    struct sg_recheck *at = &ev->recheck;
    bool last = at->now + 1 >= at->count;
    sg_diag_set(diag, 0, 0,
                "evidence/%016llx.log, byte %llu, entry %llu: %s. Restore this "
                "segment from a copy; tell the auditors",
                (unsigned long long)at->firsts[at->now],
                (unsigned long long)byte, (unsigned long long)at->next_seq,
                why);
    at->bad_from = at->next_seq;
    at->bad_to = last ? ev->snapshot.size : at->firsts[at->now + 1];
    let_go(at);
    return SG_ERR_DAMAGE;
}

static enum sg_err
begin(struct sg_evidence *ev)
{
    struct sg_recheck *at = &ev->recheck;
    if (at->begun)
        return SG_OK;
    at->segment.fd = -1;
    enum sg_err err = sg_segment_init(&at->segment);
    if (err == SG_OK)
        err = sg_segment_list(ev->dir, &at->firsts, &at->count);
    if (err == SG_OK && at->count == 0)
        err = SG_ERR_NOT_FOUND;
    at->begun = err == SG_OK;
    if (err != SG_OK) {
        let_go(at);
        return err;
    }
    // Older segments may have been moved to an archive.
    at->next_seq = at->firsts[0];
    at->unchained = at->next_seq != 0;
    return SG_OK;
}

static enum sg_err
open_next(struct sg_evidence *ev, struct sg_diag *diag)
{
    struct sg_recheck *at = &ev->recheck;
    char name[SG_SEGMENT_NAME], path[SG_DISK_PATH];
    uint8_t bytes[SG_ENTRY_SEGMENT_LEN];
    struct sg_entry_segment head;
    uint64_t len;
    int fd = -1;
    if (at->firsts[at->now] != at->next_seq)
        return damaged(ev, 0, "the segment does not begin with it", diag);
    sg_segment_name(at->firsts[at->now], name);
    if (!sg_disk_path(path, "%s/%s", ev->dir, name))
        return SG_ERR_FULL;
    enum sg_err err =
        sg_disk_real.open(sg_disk_real.arg, path, SG_DISK_READ, &fd);
    at->segment.fd = fd;
    if (err == SG_OK)
        err = sg_disk_size(fd, &len);
    if (err == SG_OK)
        err = sg_disk_read(fd, 0, bytes, sizeof(bytes));
    if (err != SG_OK ||
        sg_entry_segment_decode(sg_slice_of(bytes, sizeof(bytes)), &head) !=
            SG_OK ||
        head.first_sequence != at->next_seq)
        return damaged(ev, 0, "the header of its segment is broken", diag);
    sg_segment_begin(&at->segment, fd, len < head.size ? len : head.size,
                     SG_ENTRY_SEGMENT_LEN);
    return SG_OK;
}

// NULL: it follows.
static const char *
take(struct sg_evidence *ev, struct sg_slice bytes,
     const struct sg_entry *entry)
{
    struct sg_recheck *at = &ev->recheck;
    if (entry->sequence != at->next_seq)
        return "it has another sequence number";
    if (!at->unchained && memcmp(entry->prev, at->leaf, 32) != 0)
        return "it does not follow from the entry before";
    at->unchained = false;
    sg_entry_leaf(bytes, at->leaf);
    if (++at->next_seq == ev->snapshot.size &&
        memcmp(at->leaf, ev->snapshot.leaf, 32) != 0) {
        at->next_seq--;
        return "it is not the one that was signed";
    }
    return NULL;
}

static enum sg_err
one_entry(struct sg_evidence *ev, struct sg_diag *diag)
{
    struct sg_recheck *at = &ev->recheck;
    struct sg_slice bytes;
    struct sg_entry entry;
    uint64_t frame_at;
    const char *why = NULL;
    switch (sg_segment_next(&at->segment, &frame_at, &bytes, &entry)) {
    case SG_SEGMENT_ENTRY:
        why = take(ev, bytes, &entry);
        break;
    case SG_SEGMENT_END:
        if (at->now + 1 >= at->count)
            return damaged(ev, frame_at, "it is missing", diag);
        sg_disk_real.close(sg_disk_real.arg, at->segment.fd);
        at->segment.fd = -1;
        at->now++;
        return SG_OK;
    case SG_SEGMENT_BROKEN:
        why = "its frame is broken";
        break;
    case SG_SEGMENT_FORM:
        why = "it has not the form of an entry";
        break;
    case SG_SEGMENT_IO:
        why = "it cannot be read";
        break;
    }
    return why == NULL ? SG_OK : damaged(ev, frame_at, why, diag);
}

enum sg_err
sg_evidence_recheck(struct sg_evidence *evidence, uint32_t entries, bool *done,
                    struct sg_diag *diag)
{
    struct sg_recheck *at = &evidence->recheck;
    enum sg_err err = SG_OK;
    if (evidence->snapshot.size == 0)
        at->done = true; // all of it was read
    if (!at->done)
        err = begin(evidence);
    for (uint32_t i = 0; i < entries && err == SG_OK && !at->done; i++) {
        if (at->segment.fd < 0)
            err = open_next(evidence, diag);
        if (err == SG_OK)
            err = one_entry(evidence, diag);
        if (err == SG_OK && at->next_seq >= evidence->snapshot.size)
            let_go(at);
    }
    *done = at->done;
    return err;
}

uint64_t
sg_evidence_damaged_at(const struct sg_evidence *evidence)
{
    return evidence->recheck.bad_from;
}
