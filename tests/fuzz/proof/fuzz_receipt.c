// Receipts: nothing that was not signed is ever valid; what reads, reads back.
#include <stdlib.h>

#include "broker/base/crypto.h"
#include "schemas/proof/receipt.h"
#include "tests/fuzz/proof/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fuzz(struct sg_slice all)
{
    static const struct sg_receipt_key key = {{1}, UINT64_MAX};
    static const enum sg_entry_type kinds[] = {
        SG_ENTRY_ACCEPTED, SG_ENTRY_REFUSED,   SG_ENTRY_RECEIPT_ACK,
        SG_ENTRY_DECISION, SG_ENTRY_STATEMENT, SG_ENTRY_TERMS};
    struct sg_receipt receipt;

    struct sg_arena *arena = sg_arena_new(1u << 23, 1u << 16);
    SG_ASSERT(arena != NULL);
    if (sg_receipt_decode(all, &receipt) == SG_OK) {
        uint8_t *again = malloc(all.len);
        SG_ASSERT(again != NULL && sg_receipt_len(&receipt) == all.len);
        struct sg_writer w = sg_writer_on(again, all.len);
        sg_receipt_encode(&receipt, &w);
        SG_ASSERT(!w.full && memcmp(again, all.ptr, all.len) == 0);
        free(again);
    }
    for (size_t i = 0; i < SG_COUNT_OF(kinds); i++) {
        const struct sg_receipt_expect expect = {.gate = SG_SLICE("KE_GATE"),
                                                 .kind = kinds[i],
                                                 .log_keys = &key,
                                                 .log_key_count = 1};
        struct sg_receipt_result result =
            sg_receipt_verify(all, &expect, arena);
        SG_ASSERT(result.answer == SG_RECEIPT_INVALID && result.step > 0);
        sg_arena_reset(arena);
    }
    sg_arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *made;

    SG_ASSERT(sg_crypto_start() == SG_OK);
    fuzz(seed_bytes(data, size, &made));
    free(made);
    return 0;
}
