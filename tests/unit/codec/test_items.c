// The frame of items: taken whole or refused whole.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "schemas/codec/items.h"

static uint8_t room[SG_LIMIT_FRAME + 64];
static struct sg_item items[SG_LIMIT_ITEMS];
static const struct sg_slice nothing = {NULL, 0};

static enum sg_err
parse(struct sg_slice frame, struct sg_slice second, size_t *count)
{
    enum sg_err err = sg_items_parse(frame, second, items, count);

    assert_true(err == SG_OK || *count == 0);
    return err;
}

static void
items_come_out_as_they_went_in(void **state)
{
    struct sg_writer w = sg_writer_on(room, sizeof room);
    size_t count;

    (void)state;
    assert_int_equal(sg_items_put(&w, SG_SLICE("head 1"), SG_SLICE("payload")),
                     SG_OK);
    assert_int_equal(sg_items_put(&w, SG_SLICE("head 2"), nothing), SG_OK);
    assert_int_equal(w.len, 8 + 6 + 7 + 8 + 6);
    assert_memory_equal(room, "\0\0\0\6\0\0\0\7head 1payload\0\0\0\6\0\0\0\0",
                        29);
    assert_int_equal(parse(sg_writer_slice(&w), nothing, &count), SG_OK);
    assert_int_equal(count, 2);
    assert_true(sg_slice_eq(items[0].envelope, SG_SLICE("head 1")));
    assert_true(sg_slice_eq(items[0].payload, SG_SLICE("payload")));
    assert_true(sg_slice_eq(items[1].envelope, SG_SLICE("head 2")));
    assert_int_equal(items[1].payload.len, 0);
    // The second frame is the payload of the last item.
    assert_int_equal(parse(sg_writer_slice(&w), SG_SLICE("chunk"), &count),
                     SG_OK);
    assert_true(sg_slice_eq(items[1].payload, SG_SLICE("chunk")));
    assert_true(sg_slice_eq(items[0].payload, SG_SLICE("payload")));
}

static void
a_last_item_with_two_payloads_is_refused(void **state)
{
    struct sg_writer w = sg_writer_on(room, sizeof room);
    size_t count;

    (void)state;
    assert_int_equal(sg_items_put(&w, SG_SLICE("h"), SG_SLICE("p")), SG_OK);
    assert_int_equal(parse(sg_writer_slice(&w), SG_SLICE("chunk"), &count),
                     SG_ERR_PEER_MALFORMED);
}

static void
frames_out_of_form_are_refused(void **state)
{
    static const struct {
        const char *why;
        struct sg_slice frame;
    } cases[] = {
        {"empty", {(const uint8_t *)"", 0}},
        {"half a head", {(const uint8_t *)"\0\0\0\1\0\0\0", 7}},
        {"no envelope", {(const uint8_t *)"\0\0\0\0\0\0\0\0", 8}},
        {"no envelope but a payload",
         {(const uint8_t *)"\0\0\0\0\0\0\0\1x", 9}},
        {"envelope too long", {(const uint8_t *)"\0\0\0\2\0\0\0\0x", 9}},
        {"payload too long", {(const uint8_t *)"\0\0\0\1\0\0\0\2xy", 10}},
        {"bytes behind", {(const uint8_t *)"\0\0\0\1\0\0\0\0xy", 10}},
        {"lengths that wrap",
         {(const uint8_t *)"\0\0\0\1\377\377\377\377xy", 10}},
        {"huge envelope", {(const uint8_t *)"\377\377\377\377\0\0\0\0xy", 10}},
    };
    size_t count;

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        if (parse(cases[i].frame, nothing, &count) != SG_ERR_PEER_MALFORMED)
            fail_msg("%s", cases[i].why);
    }
}

static void
limits_hold_exactly_both_ways(void **state)
{
    static const uint8_t big[SG_LIMIT_FRAME + 1];
    struct sg_writer w = sg_writer_on(room, sizeof room);
    size_t count;

    (void)state;
    // One envelope.
    assert_int_equal(
        sg_items_put(&w, sg_slice_of(big, SG_LIMIT_HEADER + 1), nothing),
        SG_ERR_FULL);
    assert_int_equal(
        sg_items_put(&w, sg_slice_of(big, SG_LIMIT_HEADER), nothing), SG_OK);
    assert_int_equal(parse(sg_writer_slice(&w), nothing, &count), SG_OK);
    sg_bytes_store_u32(room, SG_LIMIT_HEADER + 1);
    room[w.len] = 0;
    assert_int_equal(parse(sg_slice_of(room, w.len + 1), nothing, &count),
                     SG_ERR_PEER_MALFORMED);
    // The frame.
    w = sg_writer_on(room, sizeof room);
    assert_int_equal(
        sg_items_put(&w, SG_SLICE("h"), sg_slice_of(big, SG_LIMIT_FRAME - 8)),
        SG_ERR_FULL);
    assert_int_equal(w.len, 0);
    assert_int_equal(
        sg_items_put(&w, SG_SLICE("h"), sg_slice_of(big, SG_LIMIT_FRAME - 9)),
        SG_OK);
    assert_int_equal(parse(sg_writer_slice(&w), nothing, &count), SG_OK);
    sg_bytes_store_u32(room + 4, SG_LIMIT_FRAME - 8);
    assert_int_equal(parse(sg_slice_of(room, w.len + 1), nothing, &count),
                     SG_ERR_PEER_MALFORMED);
    assert_int_equal(sg_items_put(&w, SG_SLICE("h"), nothing), SG_ERR_FULL);
    // The second frame.
    w = sg_writer_on(room, sizeof room);
    assert_int_equal(sg_items_put(&w, SG_SLICE("h"), nothing), SG_OK);
    static uint8_t second[SG_ITEMS_PAYLOAD_MAX + 1];
    assert_int_equal(parse(sg_writer_slice(&w),
                           sg_slice_of(second, SG_ITEMS_PAYLOAD_MAX), &count),
                     SG_OK);
    assert_int_equal(
        parse(sg_writer_slice(&w), sg_slice_of(second, sizeof second), &count),
        SG_ERR_PEER_MALFORMED);
    assert_int_equal(parse(sg_writer_slice(&w), sg_slice_of(second, 0), &count),
                     SG_ERR_PEER_MALFORMED);
}

static void
there_are_at_most_512_items(void **state)
{
    struct sg_writer w = sg_writer_on(room, sizeof room);
    size_t count;

    (void)state;
    for (unsigned i = 0; i < SG_LIMIT_ITEMS; i++)
        assert_int_equal(sg_items_put(&w, SG_SLICE("h"), nothing), SG_OK);
    assert_int_equal(parse(sg_writer_slice(&w), nothing, &count), SG_OK);
    assert_int_equal(count, SG_LIMIT_ITEMS);
    assert_int_equal(sg_items_put(&w, SG_SLICE("h"), nothing), SG_OK);
    assert_int_equal(parse(sg_writer_slice(&w), nothing, &count),
                     SG_ERR_PEER_MALFORMED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_as_they_went_in),
        cmocka_unit_test(a_last_item_with_two_payloads_is_refused),
        cmocka_unit_test(frames_out_of_form_are_refused),
        cmocka_unit_test(limits_hold_exactly_both_ways),
        cmocka_unit_test(there_are_at_most_512_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
