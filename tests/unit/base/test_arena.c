// What arena.h promises, for shared blocks and for the twin alike.
#include "tests/unit/base/fixture.h"

#include <malloc.h>
#include <stdalign.h>

#include "broker/base/arena.h"

static void
pieces_are_zeroed_aligned_and_apart(void **unused)
{
    struct sg_arena *arena = sg_arena_new(4096, 256);
    unsigned char *piece[40];
    (void)unused;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 40; i++) {
            piece[i] = sg_arena_take(arena, i + 1);
            assert_non_null(piece[i]);
            assert_int_equal((uintptr_t)piece[i] % alignof(max_align_t), 0);
            for (unsigned j = 0; j <= i; j++)
                assert_int_equal(piece[i][j], 0);
            memset(piece[i], (int)i + 1, i + 1);
        }
        for (unsigned i = 0; i < 40; i++)
            assert_int_equal(piece[i][i], i + 1); // nobody wrote into it
        sg_arena_reset(arena);
        assert_int_equal(sg_arena_used(arena), 0);
    }
    sg_arena_free(&arena);
    assert_null(arena);
    sg_arena_free(&arena);
}

static void
a_used_up_capacity_refuses_and_a_reset_gives_it_back(void **unused)
{
    static const size_t blocks[] = {0, 64, 100, 4096};
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(blocks); i++) {
        struct sg_arena *arena = sg_arena_new(1024, blocks[i]);
        for (unsigned round = 0; round < 3; round++) {
            size_t taken = 0;
            while (sg_arena_take(arena, 64) != NULL)
                taken++;
            assert_int_equal(taken, 16);
            assert_int_equal(sg_arena_used(arena), 1024);
            assert_null(sg_arena_take(arena, 1));
            assert_null(sg_arena_printf(arena, "x"));
            assert_null(sg_arena_copy(arena, SG_SLICE("x")).ptr);
            sg_arena_reset(arena);
        }
        assert_non_null(sg_arena_take(arena, 1024));
        sg_arena_free(&arena);
    }
}

static void
sizes_near_the_largest_number_are_refused(void **unused)
{
    struct sg_arena *arena = sg_arena_new(SIZE_MAX, 64);
    (void)unused;
    for (size_t less = 0; less < 64; less++)
        assert_null(sg_arena_take(arena, SIZE_MAX - less));
    assert_null(sg_arena_copy(arena, sg_slice_of("x", SIZE_MAX)).ptr);
    assert_int_equal(sg_arena_used(arena), 0);
    sg_arena_free(&arena);
}

static void
copies_and_texts_end_with_a_nul(void **unused)
{
    struct sg_arena *arena = sg_arena_new(1024, 64);
    (void)unused;
    struct sg_slice copy = sg_arena_copy(arena, sg_slice_of("a\0b", 3));
    assert_int_equal(copy.len, 3);
    assert_memory_equal(copy.ptr, "a\0b", 4);
    copy = sg_arena_copy(arena, sg_slice_text(NULL));
    assert_non_null(copy.ptr);
    assert_int_equal(copy.len, 0);
    assert_string_equal(sg_arena_printf(arena, "%s-%d", "row", 7), "row-7");
    char *larger = sg_arena_printf(arena, "%0100d", 7); // over a block
    assert_int_equal(strlen(larger), 100);
    sg_arena_free(&arena);
}

// Foreign sizes, turn after turn: growing ones were once kept one by one.
static void
what_is_kept_over_resets_stays_bounded(void **unused)
{
    struct sg_arena *arena = sg_arena_new(1 << 20, 4096);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    (void)unused;
    for (size_t size = 1; size < (1 << 20) - 8192; size += 1000) {
        assert_non_null(sg_arena_take(arena, size));
        assert_non_null(sg_arena_take(arena, 4000));
        assert_non_null(sg_arena_take(arena, 4000));
        sg_arena_reset(arena);
    }
    size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
    assert_in_range(after - before, 0, 1 << 20);
    sg_arena_free(&arena);
}

static void
what_is_trimmed_goes_back_and_the_rest_serves_on(void **unused)
{
    struct sg_arena *arena = sg_arena_new(1 << 20, 4096);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    (void)unused;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 200; i++)
            assert_non_null(sg_arena_take(arena, 4000));
        sg_arena_reset(arena);
        sg_arena_trim(arena, 3 * 4096);
        size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
        assert_in_range(after - before, 0, 4 * 4096);
    }
    sg_arena_trim(arena, 0);
    assert_non_null(sg_arena_take(arena, 4000));
    sg_arena_free(&arena);
}

#ifdef SG_ASAN
#include <sanitizer/asan_interface.h>

static void
the_twin_shows_each_bound_and_each_use_after_reset(void **unused)
{
    struct sg_arena *arena = sg_arena_new(1024, 64);
    (void)unused;
    char *piece = sg_arena_take(arena, 5);
    assert_false(__asan_address_is_poisoned(piece + 4));
    assert_true(__asan_address_is_poisoned(piece + 5));
    sg_arena_reset(arena);
    assert_true(__asan_address_is_poisoned(piece));
    sg_arena_free(&arena);
}
#endif

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(a_used_up_capacity_refuses_and_a_reset_gives_it_back),
        cmocka_unit_test(sizes_near_the_largest_number_are_refused),
        cmocka_unit_test(copies_and_texts_end_with_a_nul),
        cmocka_unit_test(what_is_kept_over_resets_stays_bounded),
        cmocka_unit_test(what_is_trimmed_goes_back_and_the_rest_serves_on),
#ifdef SG_ASAN
        cmocka_unit_test(the_twin_shows_each_bound_and_each_use_after_reset),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
