#include "schemas/proof/receipt.h"

#include "schemas/proof/note.h"
#include "schemas/proof/receipt_body.h"

static const char magic[5] = {'S', 'G', 'R', 'C', '1'};

// ---- bytes -----------------------------------------------------------------

size_t
sg_receipt_len(const struct sg_receipt *receipt)
{
    return sizeof magic + 8 + 8 + 1 + (size_t)receipt->path_len * 32 + 4 +
           receipt->entry.len + 4 + receipt->checkpoint.len + 4 +
           receipt->roster_link.len;
}

void
sg_receipt_encode(const struct sg_receipt *receipt, struct sg_writer *out)
{
    SG_ASSERT(receipt->path_len <= SG_MERKLE_DEPTH);
    sg_bytes_put(out, magic, sizeof magic);
    sg_bytes_put_u64(out, receipt->index);
    sg_bytes_put_u64(out, receipt->size);
    sg_bytes_put_u8(out, receipt->path_len);
    sg_bytes_put(out, receipt->path, (size_t)receipt->path_len * 32);
    sg_bytes_put_blob(out, receipt->entry);
    sg_bytes_put_blob(out, receipt->checkpoint);
    sg_bytes_put_blob(out, receipt->roster_link);
}

// Bytes in a row as hashes of 32 each.
static const uint8_t (*hashes_of(struct sg_slice bytes))[32]
{
    union {
        const uint8_t *bytes;
        const uint8_t (*hashes)[32];
    } at = {bytes.ptr};

    return at.hashes;
}

enum sg_err
sg_receipt_decode(struct sg_slice bytes, struct sg_receipt *receipt)
{
    struct sg_reader r = sg_reader_on(bytes);

    *receipt = (struct sg_receipt){0};
    struct sg_slice front = sg_bytes_take(&r, sizeof magic);
    if (r.failed)
        return SG_ERR_SHORT;
    if (memcmp(front.ptr, magic, sizeof magic) != 0)
        return SG_ERR_FORMAT;
    receipt->index = sg_bytes_u64(&r);
    receipt->size = sg_bytes_u64(&r);
    receipt->path_len = sg_bytes_u8(&r);
    if (receipt->path_len > SG_MERKLE_DEPTH)
        return SG_ERR_FULL;
    struct sg_slice path = sg_bytes_take(&r, (size_t)receipt->path_len * 32);
    receipt->path = hashes_of(path);
    receipt->entry = sg_bytes_blob(&r);
    receipt->checkpoint = sg_bytes_blob(&r);
    receipt->roster_link = sg_bytes_blob(&r);
    if (r.failed)
        return SG_ERR_SHORT;
    return sg_bytes_end(&r) ? SG_OK : SG_ERR_FORMAT;
}

// ---- verifying -------------------------------------------------------------

static const uint64_t sizes_max = UINT64_C(1) << SG_MERKLE_DEPTH;

static bool
sizes_fit(const struct sg_receipt *receipt)
{
    return receipt->size <= sizes_max && receipt->index < receipt->size &&
           receipt->path_len ==
               sg_merkle_path_len(receipt->index, receipt->size);
}

// The first thing that does not fit; NULL: the entry stands under the note.
static const char *
place_differs(const struct sg_receipt *receipt,
              const struct sg_receipt_expect *expect, struct sg_note *note)
{
    const struct sg_merkle_place place = {receipt->index, receipt->size,
                                          receipt->path, receipt->path_len};
    uint8_t leaf[32];

    if (sg_note_parse(receipt->checkpoint, note) != SG_OK)
        return "checkpoint";
    if (!sg_note_is_of(note, expect->gate, expect->genesis))
        return "origin";
    if (note->size != receipt->size)
        return "size";
    sg_entry_leaf(receipt->entry, leaf);
    if (!sg_merkle_verify(SG_MERKLE_LOG, &place, leaf, note->root))
        return "root";
    // The origin has 8 bytes of the genesis; entry 0 shows all of them.
    if (receipt->index == 0 && memcmp(leaf, expect->genesis, 32) != 0)
        return "genesis";
    return NULL;
}

static bool
signed_by_log_key(const struct sg_note *note,
                  const struct sg_receipt_expect *expect)
{
    for (size_t i = 0; i < expect->log_key_count; i++) {
        const struct sg_receipt_key *key = &expect->log_keys[i];
        if (note->size <= key->below && sg_note_verify(note, key->public_key))
            return true;
    }
    return false;
}

// Does this witness count, or has its person cosigned under another name?
static bool
person_counted(const struct sg_note *note,
               const struct sg_receipt_expect *expect, size_t before)
{
    for (size_t i = 0; i < before; i++) {
        const struct sg_receipt_witness *other = &expect->witnesses[i];
        if (sg_slice_eq(other->person, expect->witnesses[before].person) &&
            sg_note_verify_cosignature(note, other->name, other->public_key,
                                       NULL))
            return true;
    }
    return false;
}

static uint32_t
persons_cosigned(const struct sg_note *note,
                 const struct sg_receipt_expect *expect)
{
    uint32_t count = 0;

    for (size_t i = 0; i < expect->witness_count; i++) {
        const struct sg_receipt_witness *w = &expect->witnesses[i];
        if (sg_note_verify_cosignature(note, w->name, w->public_key, NULL) &&
            !person_counted(note, expect, i))
            count++;
    }
    return count;
}

// One history with the checkpoint held? *compared: it could be told.
static bool
one_history(const struct sg_note *note, const struct sg_receipt_held *held,
            bool *compared)
{
    struct sg_merkle_head mine = {.count = held->size};
    struct sg_merkle_head shown = {.count = note->size};

    *compared = held->size != 0 && note->epoch == held->epoch &&
                (note->size == held->size || held->proof != NULL);
    if (!*compared)
        return true;
    if (note->size == held->size)
        return memcmp(note->root, held->root, 32) == 0;
    memcpy(mine.root, held->root, 32);
    memcpy(shown.root, note->root, 32);
    const bool grew = note->size > held->size;
    return sg_merkle_consistent(SG_MERKLE_LOG, grew ? &mine : &shown,
                                grew ? &shown : &mine, held->proof,
                                held->proof_len);
}

static struct sg_receipt_result
invalid(uint8_t step, const char *field)
{
    return (struct sg_receipt_result){
        .answer = SG_RECEIPT_INVALID, .step = step, .field = field};
}

struct sg_receipt_result
sg_receipt_verify(struct sg_slice bytes, const struct sg_receipt_expect *expect,
                  struct sg_arena *arena)
{
    struct sg_receipt receipt;
    struct sg_entry entry;
    struct sg_note note;
    const char *field;
    uint8_t step;

    if (sg_receipt_decode(bytes, &receipt) != SG_OK || !sizes_fit(&receipt))
        return invalid(1, "sizes");
    if (sg_entry_decode(receipt.entry, &entry) != SG_OK)
        return invalid(2, "entry");
    if (entry.sequence != receipt.index)
        return invalid(2, "sequence");
    if (entry.type != expect->kind)
        return invalid(2, "kind");
    sg_receipt_body_compare(entry.body, expect, arena, &step, &field);
    if (step != 0)
        return invalid(step, field);
    field = place_differs(&receipt, expect, &note);
    if (field != NULL)
        return invalid(4, field);
    if (!signed_by_log_key(&note, expect))
        return invalid(5, "log key");

    struct sg_receipt_result result = {.answer = SG_RECEIPT_NOT_WITNESSED,
                                       .field = "",
                                       .sequence = entry.sequence,
                                       .time_us = entry.time_us,
                                       .size = note.size,
                                       .body = entry.body};
    if (expect->witnesses_wanted > 0 &&
        persons_cosigned(&note, expect) >= expect->witnesses_wanted)
        result.answer = SG_RECEIPT_VALID;
    if (!one_history(&note, &expect->held, &result.compared)) {
        result.answer = SG_RECEIPT_FORK;
        result.step = 7;
        result.field = "checkpoint held";
    }
    return result;
}
