// Inspectors over plaintext that another inspector made: a judge over any
// leaves, a writer from them, and a review of any rendition of good leaves. A
// rendition under the publisher's root is accepted only with his root.
//
// The first byte says what is done, the second the format; the rest is what a
// lying reader or writer would have sealed.
#include "tests/fuzz/proof/seed.h"
#include "tests/unit/worker/role_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char good[] = HEAD ROW("A,KE,2020", "1", "a")
    ROW("A,KE,2021", "2", "b") ROW("A,UG,2020", "1.50", "c");

// Set up once; memory of a run goes with its arena.
static struct fixture *
begin(struct sg_arena *arena)
{
    static struct fixture *f;
    void *state = NULL;

    if (f == NULL) {
        (void)setup(&state);
        f = state;
    }
    f->arena = arena;
    return f;
}

static void
judge(struct fixture *f, struct sg_slice leaves)
{
    put(f, &f->spool, SG_SLICE(good));
    put(f, &f->leaves, leaves);
    if (run(f, sg_role_judge, &f->leaves, NULL) == SG_OK &&
        f->done.verdict == SG_ROLE_ACCEPT)
        SG_ASSERT(f->done.facts != NULL && f->done.content_root.len == 32);
}

static void
write_from(struct fixture *f, struct sg_slice leaves)
{
    put(f, &f->spool, SG_SLICE(good));
    put(f, &f->leaves, leaves);
    if (run(f, sg_role_writer, &f->leaves, &f->spool) == SG_OK)
        SG_ASSERT(f->done.output_bytes > 0 ||
                  f->done.verdict != SG_ROLE_ACCEPT);
}

static void
review(struct fixture *f, struct sg_slice rendition)
{
    read_in(f, good);
    put(f, &f->output, rendition);
    if (run(f, sg_role_review, &f->output, &f->leaves) != SG_OK ||
        f->done.verdict != SG_ROLE_ACCEPT || !f->rendition.with_proof)
        return;
    SG_ASSERT(f->done.content_root.len == 32 &&
              memcmp(f->done.content_root.data, f->root, 32) == 0);
}

static void
fuzz(struct sg_slice all)
{
    if (all.len < 2 || all.len > 1u << 14)
        return;
    struct sg_arena *arena = sg_arena_new(64u << 20, 1u << 16);
    SG_ASSERT(arena != NULL);
    struct fixture *f = begin(arena);
    struct sg_slice rest = sg_slice_of(all.ptr + 2, all.len - 2);
    f->rendition.with_proof = (all.ptr[1] & 128) != 0;
    f->rendition.media = 1 + all.ptr[1] % 8u;
    if (all.ptr[0] % 3 == 0)
        judge(f, rest);
    else if (all.ptr[0] % 3 == 1)
        write_from(f, rest);
    else
        review(f, rest);
    sg_arena_reset(f->scratch);
    f->arena = NULL;
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
