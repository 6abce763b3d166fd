// Heads of signature groups and places in them: what is taken is written the
// same again, and no manifest stands under a root that nobody made over it.
#include "broker/base/crypto.h"
#include "schemas/proof/batch.h"
#include "tests/fuzz/proof/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
take_head(struct sg_slice all)
{
    struct sg_batch_head head;
    uint8_t again[SG_BATCH_HEAD_LEN];

    if (sg_batch_head_decode(all, &head) != SG_OK)
        return;
    SG_ASSERT(head.count > 0 && head.count <= SG_LIMIT_BATCH);
    sg_batch_head_encode(&head, again);
    SG_ASSERT(all.len == sizeof again &&
              memcmp(again, all.ptr, sizeof again) == 0);
    SG_ASSERT(sg_batch_verify(
                  all, SG_ALG_ED25519, sg_slice_of(head.root, sizeof head.root),
                  sg_slice_of(head.root, sizeof head.root)) != SG_OK);
}

// Hashes of any number and length, as a SignedManifest brings them.
static void
take_place(const struct sg_batch_head *head, struct sg_slice all)
{
    struct sg_slice path[SG_BATCH_PATH_MAX + 2];
    struct sg_batch_place place;
    size_t count = all.len == 0 ? 0 : all.ptr[0] % SG_COUNT_OF(path);

    for (size_t i = 0; i < count; i++)
        path[i] = sg_slice_of(all.ptr, all.len < 32 ? all.len : 32);
    uint64_t index = all.len < 9 ? all.len : sg_bytes_load_u64(all.ptr + 1);
    if (!sg_batch_place_of(head, index, path, count, &place))
        return;
    SG_ASSERT(place.index < head->count && place.path_len == count);
    SG_ASSERT(!sg_batch_holds(head, all, &place));
}

static void
fuzz(struct sg_slice all)
{
    struct sg_batch_head head;
    struct sg_batch_place place;
    struct sg_slice sig;
    uint8_t again[SG_BATCH_WIRE_MAX];

    take_head(all);
    if (sg_batch_decode(all, &head, &sig, &place) != SG_OK)
        return;
    struct sg_writer w = sg_writer_on(again, sizeof again);
    sg_batch_encode(&head, sig, &place, &w);
    SG_ASSERT(sg_slice_eq(sg_writer_slice(&w), all));
    SG_ASSERT(!sg_batch_holds(&head, all, &place));
    take_place(&head, all);
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
