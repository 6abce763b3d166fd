// Streaming compression: round trips in any pieces, caps against bombs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schemas/codec/zstd.h"

enum { PLAIN = 3 << 20 };

struct bench {
    struct sg_arena *arena;
    uint8_t *plain, *packed, *again;
};

static int
set_up(void **state)
{
    static const char text[] = "KE,A,2020,3.10\n";
    struct bench *b = calloc(1, sizeof *b);

    assert_non_null(b);
    b->arena = sg_arena_new(16u << 20, 0);
    assert_non_null(b->arena);
    b->plain = sg_arena_take(b->arena, PLAIN);
    b->packed = sg_arena_take(b->arena, PLAIN + 65536);
    b->again = sg_arena_take(b->arena, PLAIN + 16);
    assert_non_null(b->again);
    for (size_t i = 0; i < PLAIN; i++) // text-like: long runs and changes
        b->plain[i] = (uint8_t)((uint8_t)text[i % 15] + i / 4096 % 5);
    *state = b;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *b = *state;

    sg_arena_free(&b->arena);
    free(b);
    return 0;
}

// Runs all of `in` through in pieces of at most piece bytes; out's room too is
// given in pieces. Returns bytes out.
static enum sg_err
run(struct sg_zstd *z, struct sg_slice in, size_t piece, uint8_t *out,
    size_t cap, size_t *len)
{
    struct sg_slice now = {in.ptr, 0};
    bool done = false;

    *len = 0;
    while (!done) {
        if (now.len == 0) {
            now.len = in.len < piece ? in.len : piece;
            now.ptr = in.ptr;
            in.ptr += now.len;
            in.len -= now.len;
        }
        size_t room = cap - *len < piece ? cap - *len : piece;
        struct sg_writer w = sg_writer_on(out + *len, room);
        enum sg_err err = sg_zstd_step(z, &now, in.len == 0, &w, &done);
        *len += w.len;
        if (err != SG_OK)
            return err;
        if (!done && room == 0)
            return SG_ERR_FULL;
    }
    return SG_OK;
}

static size_t
pack(struct bench *b, size_t plain_len, size_t piece)
{
    struct sg_zstd *z = sg_zstd_open_pack(b->arena);
    size_t len = 0;

    assert_non_null(z);
    assert_int_equal(run(z, sg_slice_of(b->plain, plain_len), piece, b->packed,
                         PLAIN + 65536, &len),
                     SG_OK);
    sg_zstd_close(&z);
    assert_null(z);
    return len;
}

static enum sg_err
unpack(struct bench *b, struct sg_slice packed, size_t piece, uint64_t max,
       size_t *len)
{
    struct sg_zstd *z = sg_zstd_open_unpack(b->arena, max);

    assert_non_null(z);
    enum sg_err err = run(z, packed, piece, b->again, PLAIN + 16, len);
    sg_zstd_close(&z);
    return err;
}

static void
a_stream_comes_back_whatever_the_pieces(void **state)
{
    struct bench *b = *state;
    static const size_t pieces[] = {1000, 4096, 65536, 1 << 20, PLAIN};
    static const size_t lens[] = {0, 1, 999, 70000, PLAIN};

    for (size_t i = 0; i < SG_COUNT_OF(pieces); i++) {
        for (size_t j = 0; j < SG_COUNT_OF(lens); j++) {
            size_t len = 0, packed = pack(b, lens[j], pieces[i]);
            assert_int_equal(unpack(b, sg_slice_of(b->packed, packed),
                                    pieces[i], lens[j], &len),
                             SG_OK);
            assert_int_equal(len, lens[j]);
            assert_memory_equal(b->again, b->plain, len);
        }
    }
}

static void
more_plaintext_than_allowed_is_refused(void **state)
{
    struct bench *b = *state;
    size_t len, packed = pack(b, 70000, 65536);
    static const uint64_t caps[] = {0, 1, 65536, 69999};

    for (size_t i = 0; i < SG_COUNT_OF(caps); i++)
        assert_int_equal(
            unpack(b, sg_slice_of(b->packed, packed), 4096, caps[i], &len),
            SG_ERR_FULL);
}

static void
a_bomb_is_stopped_by_its_ratio(void **state)
{
    struct bench *b = *state;
    size_t len;

    memset(b->plain, 0, PLAIN);
    const size_t packed = pack(b, PLAIN, PLAIN);
    assert_true(packed < PLAIN / SG_ZSTD_RATIO);
    assert_int_equal(
        unpack(b, sg_slice_of(b->packed, packed), 65536, PLAIN, &len),
        SG_ERR_FULL);
    assert_true(len <= (1u << 20) + 2 * 65536);
}

static void
streams_cut_changed_or_followed_are_refused(void **state)
{
    struct bench *b = *state;
    size_t len, packed = pack(b, 5000, 65536);

    for (size_t cut = 0; cut < packed; cut++)
        assert_int_not_equal(
            unpack(b, sg_slice_of(b->packed, cut), 65536, PLAIN, &len), SG_OK);
    assert_int_equal(
        unpack(b, sg_slice_of(b->packed, packed - 1), 65536, PLAIN, &len),
        SG_ERR_SHORT);
    b->packed[packed] = 0;
    assert_int_equal(
        unpack(b, sg_slice_of(b->packed, packed + 1), 65536, PLAIN, &len),
        SG_ERR_FORMAT);
    b->packed[0] ^= 1;
    assert_int_equal(
        unpack(b, sg_slice_of(b->packed, packed), 65536, PLAIN, &len),
        SG_ERR_FORMAT);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_stream_comes_back_whatever_the_pieces),
        TEST(more_plaintext_than_allowed_is_refused),
        TEST(a_bomb_is_stopped_by_its_ratio),
        TEST(streams_cut_changed_or_followed_are_refused),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
