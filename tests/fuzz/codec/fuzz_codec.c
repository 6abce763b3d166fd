// Guarded unpacking: the first byte chooses the message; what is taken packs to
// the same bytes, and the guard's bound on memory holds.
#include "broker/base/limits.h"
#include "schemas/codec/codec.h"
#include "schemas/documents.pb-c.h"
#include "schemas/evidence.pb-c.h"
#include "schemas/roster.pb-c.h"
#include "schemas/wire.pb-c.h"
#include "schemas/worker.pb-c.h"
#include "tests/fuzz/proof/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const ProtobufCMessageDescriptor *const types[] = {
    &sgpb__envelope__descriptor,
    &sgpb__manifest__descriptor,
    &sgpb__accepted__descriptor,
    &sgpb__decision__descriptor,
    &sgpb__roster__descriptor,
    &sgpb__flow_terms__descriptor,
    &sgpb__subscription__descriptor,
    &sgpb__job__descriptor,
    &sgpb__done__descriptor,
    &sgpb__policy_active__descriptor,
    &sgpb__join_file__descriptor,
    &sgpb__join_request__descriptor,
    &sgpb__signed_roster__descriptor,
    &sgpb__delivery__descriptor,
    &sgpb__derivation__descriptor,
    &sgpb__revocation__descriptor,
    &sgpb__consent_agreement__descriptor,
    &sgpb__consent_event__descriptor,
    &sgpb__statement__descriptor,
    &sgpb__policy_bundle__descriptor,
    &sgpb__recall_order__descriptor,
    &sgpb__approval__descriptor,
    &sgpb__report__descriptor,
    &sgpb__receipt_ack__descriptor,
};

static void
fuzz(struct sg_slice all)
{
    void *out = NULL;
    size_t memory = 0;
    struct sg_slice again;

    if (all.len == 0 || all.len > SG_LIMIT_HEADER)
        return;
    const ProtobufCMessageDescriptor *type =
        types[all.ptr[0] % SG_COUNT_OF(types)];
    struct sg_slice bytes = {all.ptr + 1, all.len - 1};
    struct sg_arena *arena = sg_arena_new(1u << 24, 1u << 16);
    SG_ASSERT(arena != NULL);
    if (sg_codec_unpack(type, bytes, arena, &out) == SG_OK) {
        SG_ASSERT(sg_codec_guard(type, bytes, &memory) == SG_OK);
        SG_ASSERT(sg_arena_used(arena) <= memory);
        SG_ASSERT(sg_codec_pack(out, arena, &again) == SG_OK);
        SG_ASSERT(sg_slice_eq(again, bytes));
    }
    sg_arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *made;

    fuzz(seed_bytes(data, size, &made));
    free(made);
    return 0;
}
