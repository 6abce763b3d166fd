// Any bytes as a snapshot: refused as a whole, or a state that is written the
// same again and can be left.
#include "broker/core/core.h"
#include "broker/core/snapshot.h"
#include "tests/fuzz/proof/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FEW = 32 };

struct again {
    struct sg_slice want; // what is still to come
    bool same;
};

static enum sg_err
compare(void *ctx, struct sg_slice bytes)
{
    struct again *again = ctx;

    again->same = again->same && bytes.len <= again->want.len &&
                  memcmp(bytes.ptr, again->want.ptr, bytes.len) == 0;
    if (!again->same)
        return SG_OK;
    again->want.ptr += bytes.len;
    again->want.len -= bytes.len;
    return SG_OK;
}

static bool
no_entry(void *ctx, uint64_t seq, struct sg_arena *arena, struct sg_slice *body)
{
    (void)ctx, (void)seq, (void)arena, (void)body;
    return false;
}

static void
fuzz(struct sg_slice all)
{
    static struct sg_signer *signer;
    static const uint8_t seed[32] = {9};
    struct sg_core_options options = {
        .gate = SG_SLICE("KE_GATE"),
        .lookup = {.entry = no_entry},
        .caps = {.flows = FEW,
                 .releases = FEW,
                 .renditions = FEW,
                 .subscriptions = FEW,
                 .deliveries = FEW,
                 .agreements = FEW,
                 .records = FEW,
                 .uploads = FEW,
                 .sessions = FEW,
                 .policy_arena = 1u << 20},
    };

    if (signer == NULL && sg_crypto_signer_new(seed, &signer) != SG_OK)
        abort();
    options.signer = signer;
    struct sg_core *core = sg_core_new(&options);
    SG_ASSERT(core != NULL);
    enum sg_err err = sg_snapshot_read(core, all);
    SG_ASSERT(err == SG_OK || err == SG_ERR_CORRUPT || err == SG_ERR_MEMORY);
    if (err == SG_OK) {
        struct again again = {all, true};
        const struct sg_snapshot_sink sink = {&again, compare};
        SG_ASSERT(sg_snapshot_write(core, &sink) == SG_OK);
        uint8_t hash[32];
        sg_snapshot_hash(core, hash);
    }
    sg_core_free(&core);
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
