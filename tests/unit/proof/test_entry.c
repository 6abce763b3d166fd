// Evidence entries: the vector of formats.md (c), flips, torn and damaged ends.
#include "broker/base/limits.h"
#include "schemas/proof/entry.h"
#include "schemas/proof/merkle.h"
#include "tests/unit/proof/fixture.h"

static const uint64_t first_time = 1795372800000000;

// Entries 0, 1, 2 of the vector.
static void
vector_entries(struct sg_arena *arena, struct sg_slice out[3],
               uint8_t leaf[3][32])
{
    uint8_t prev[32] = {0};

    for (unsigned i = 0; i < 3; i++) {
        char body[8];
        struct sg_entry entry = {
            .type = SG_ENTRY_GENESIS, .sequence = i, .time_us = first_time + i};
        uint8_t *bytes = sg_arena_take(arena, 128);
        struct sg_writer w = sg_writer_on(bytes, 128);

        assert_non_null(bytes);
        (void)snprintf(body, sizeof body, "body %u", i);
        entry.body = sg_slice_text(body);
        memcpy(entry.prev, prev, 32);
        memset(entry.blind, (int)i, 16);
        sg_entry_encode(&entry, &w);
        assert_false(w.full);
        out[i] = sg_writer_slice(&w);
        sg_entry_leaf(out[i], leaf[i]);
        memcpy(prev, leaf[i], 32);
    }
}

static void
the_published_entries_leaves_and_root_come_out(void **state)
{
    struct sg_arena *arena = new_arena();
    struct sg_slice entries[3];
    uint8_t leaf[3][32], root[32];
    struct sg_merkle tree;
    struct sg_slice want = hex(
        arena, "53474531000100000000000000000000000660e1cdfbc000000000000000000"
               "0000000000000000000000000000000000000000000000000000000000000"
               "0000000000000000000000000006626f64792030");

    (void)state;
    vector_entries(arena, entries, leaf);
    assert_int_equal(entries[0].len, want.len);
    assert_memory_equal(entries[0].ptr, want.ptr, want.len);
    assert_memory_equal(leaf[0],
                        hex(arena, "0af3fd92ef4846a907f9548ca4b02a1a216f8243978"
                                   "47dd00a25b53f46096eeb")
                            .ptr,
                        32);
    sg_merkle_init(&tree, SG_MERKLE_LOG);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(sg_merkle_add(&tree, leaf[i]), SG_OK);
    sg_merkle_root(&tree, root);
    assert_memory_equal(root,
                        hex(arena, "15cf19a23c8767a359dbd2f1869d00acb0fd46c9fff"
                                   "c61e498311aac8552a96c")
                            .ptr,
                        32);
    sg_arena_free(&arena);
}

static void
an_entry_reads_back_and_nothing_else_is_an_entry(void **state)
{
    struct sg_arena *arena = new_arena();
    struct sg_slice entries[3];
    uint8_t leaf[3][32], bytes[129];
    struct sg_entry entry;

    (void)state;
    vector_entries(arena, entries, leaf);
    assert_int_equal(sg_entry_decode(entries[2], &entry), SG_OK);
    assert_int_equal(entry.type, SG_ENTRY_GENESIS);
    assert_int_equal(entry.sequence, 2);
    assert_int_equal(entry.time_us, first_time + 2);
    assert_memory_equal(entry.prev, leaf[1], 32);
    assert_int_equal(entry.blind[15], 2);
    assert_true(sg_slice_eq(entry.body, SG_SLICE("body 2")));

    const size_t len = entries[2].len;
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(
            sg_entry_decode(sg_slice_of(entries[2].ptr, cut), &entry),
            SG_ERR_SHORT);
    memcpy(bytes, entries[2].ptr, len);
    bytes[len] = 0;
    assert_int_equal(sg_entry_decode(sg_slice_of(bytes, len + 1), &entry),
                     SG_ERR_FORMAT);
    static const struct {
        size_t at;
        uint8_t flip;
    } flips[] = {{0, 1}, {3, 1}, {4, 1}, {5, 15 ^ 1}, {6, 1}, {7, 1}, {72, 1}};
    for (size_t i = 0; i < SG_COUNT_OF(flips); i++) {
        memcpy(bytes, entries[2].ptr, len);
        bytes[flips[i].at] ^= flips[i].flip;
        assert_int_equal(sg_entry_decode(sg_slice_of(bytes, len), &entry),
                         SG_ERR_FORMAT);
    }
    sg_arena_free(&arena);
}

// S29: type, sequence, time, prev and blind are all under the leaf.
static void
every_byte_of_an_entry_is_under_its_leaf(void **state)
{
    struct sg_arena *arena = new_arena();
    struct sg_slice entries[3];
    uint8_t leaf[3][32], bytes[128], other[32];

    (void)state;
    vector_entries(arena, entries, leaf);
    for (size_t i = 0; i < entries[1].len; i++) {
        memcpy(bytes, entries[1].ptr, entries[1].len);
        bytes[i] ^= 0x80;
        sg_entry_leaf(sg_slice_of(bytes, entries[1].len), other);
        assert_memory_not_equal(other, leaf[1], 32);
    }
    sg_arena_free(&arena);
}

static void
the_numbers_of_types_are_those_of_the_paper(void **state)
{
    static const struct {
        unsigned number;
        const char *word;
    } rows[] = {
        {1, "genesis"},
        {2, "epoch"},
        {3, "roster"},
        {4, "terms"},
        {5, "policy"},
        {6, "approval"},
        {7, "structure"},
        {8, "flow closed"},
        {9, "key revoked"},
        {10, "policy active"},
        {11, "gate started"},
        {12, "gate stopped"},
        {13, "snapshot"},
        {14, "peer"},
        {16, "accepted"},
        {17, "refused"},
        {18, "recall"},
        {19, "destroyed"},
        {20, "legal hold"},
        {21, "conflict"},
        {22, "object made"},
        {23, "legal hold lifted"},
        {24, "notice sent"},
        {25, "notice answered"},
        {26, "notice escalated"},
        {32, "subscription"},
        {33, "decision"},
        {34, "delivery statement"},
        {35, "key released"},
        {36, "key cancelled"},
        {37, "receipt-ack"},
        {38, "parked"},
        {39, "duty owed"},
        {40, "subscription ended"},
        {41, "stopped"},
        {42, "unparked"},
        {43, "expired"},
        {44, "duty met"},
        {45, "duty missed"},
        {48, "agreement"},
        {49, "consent event"},
        {50, "withdrawal statement"},
        {51, "appeal"},
        {52, "appeal decided"},
        {53, "sharing agreement"},
        {64, "payload read"},
        {65, "admin act"},
        {66, "aggregate of refused"},
        {67, "checkpoint key"},
        {68, "witness"},
        {69, "testimony"},
    };
    unsigned known = 0;

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++)
        assert_string_equal(sg_entry_type_name(rows[i].number), rows[i].word);
    for (unsigned type = 0; type <= UINT16_MAX; type++)
        known += sg_entry_type_name(type) != NULL;
    assert_int_equal(known, SG_COUNT_OF(rows));
}

// ---- frames ----------------------------------------------------------------

enum { SEGMENT = 1024 };

// Three frames, then zeros; ends[i]: where frame i ends.
static void
vector_segment(struct sg_arena *arena, uint8_t out[SEGMENT], size_t ends[3])
{
    struct sg_slice entries[3];
    uint8_t leaf[3][32];
    struct sg_writer w = sg_writer_on(out, SEGMENT);

    memset(out, 0, SEGMENT);
    vector_entries(arena, entries, leaf);
    for (unsigned i = 0; i < 3; i++) {
        sg_entry_frame(entries[i], &w);
        ends[i] = w.len;
        assert_int_equal(w.len % 8, 0);
    }
    assert_false(w.full);
}

static enum sg_entry_scan
scan_at(const uint8_t *segment, size_t at, size_t *size)
{
    struct sg_slice entry;

    return sg_entry_scan(sg_slice_of(segment + at, SEGMENT - at), &entry, size);
}

static void
frames_are_found_one_after_the_other_up_to_the_end(void **state)
{
    struct sg_arena *arena = new_arena();
    uint8_t segment[SEGMENT];
    size_t ends[3], at = 0, size;

    (void)state;
    vector_segment(arena, segment, ends);
    // The CRC is over the length and the entry, in one run.
    const uint32_t len = sg_bytes_load_u32(segment);
    uint32_t crc = sg_bytes_crc32c(0, segment, 4);
    crc = sg_bytes_crc32c(crc, segment + 8, len);
    assert_int_equal(sg_bytes_load_u32(segment + 4), crc);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(scan_at(segment, at, &size), SG_ENTRY_SCAN_VALID);
        at += size;
        assert_int_equal(at, ends[i]);
    }
    assert_int_equal(scan_at(segment, at, &size), SG_ENTRY_SCAN_END);
    assert_int_equal(scan_at(segment, SEGMENT, &size), SG_ENTRY_SCAN_END);
    sg_arena_free(&arena);
}

// A flip anywhere in a frame is seen: with frames behind it damage, in the last
// one torn. Only a length that became 0 or a flip in zeros reads otherwise.
static void
a_flipped_byte_is_damage_before_a_valid_frame_and_torn_at_the_end(void **state)
{
    struct sg_arena *arena = new_arena();
    uint8_t segment[SEGMENT];
    size_t ends[3], size;

    (void)state;
    vector_segment(arena, segment, ends);
    for (size_t at = 0; at < ends[0]; at++) {
        segment[at] ^= 1;
        assert_int_equal(scan_at(segment, 0, &size), SG_ENTRY_SCAN_DAMAGED);
        segment[at] ^= 1;
    }
    for (size_t at = ends[1]; at < ends[2]; at++) {
        segment[at] ^= 1;
        assert_int_equal(scan_at(segment, ends[1], &size), SG_ENTRY_SCAN_TORN);
        segment[at] ^= 1;
    }
    sg_arena_free(&arena);
}

static void
a_frame_cut_anywhere_is_torn(void **state)
{
    struct sg_arena *arena = new_arena();
    uint8_t segment[SEGMENT], cut[SEGMENT];
    size_t ends[3], size;

    (void)state;
    vector_segment(arena, segment, ends);
    for (size_t at = ends[1] + 4; at < ends[2] - 8; at++) {
        memcpy(cut, segment, SEGMENT);
        memset(cut + at, 0, ends[2] - at);
        assert_int_equal(scan_at(cut, ends[1], &size), SG_ENTRY_SCAN_TORN);
    }
    sg_arena_free(&arena);
}

// S55: one bit in what was zeroed ahead.
static void
a_bit_in_the_zero_tail_is_damage(void **state)
{
    struct sg_arena *arena = new_arena();
    uint8_t segment[SEGMENT];
    size_t ends[3], size;

    (void)state;
    vector_segment(arena, segment, ends);
    for (size_t at = ends[2] + 4; at < SEGMENT; at++) {
        segment[at] = 0x10;
        assert_int_equal(scan_at(segment, ends[2], &size),
                         SG_ENTRY_SCAN_DAMAGED);
        segment[at] = 0;
    }
    sg_arena_free(&arena);
}

static void
frame_fields_changed_with_the_crc_made_anew_do_not_pass(void **state)
{
    struct sg_arena *arena = new_arena();
    uint8_t segment[SEGMENT];
    size_t ends[3], size;
    struct sg_slice entry;

    (void)state;
    // Padding that is not zero, the CRC being right.
    vector_segment(arena, segment, ends);
    struct sg_entry head = {.type = SG_ENTRY_GENESIS,
                            .body = SG_SLICE("12345")};
    struct sg_writer w = sg_writer_on(segment, SEGMENT);
    uint8_t bytes[128];
    struct sg_writer one = sg_writer_on(bytes, sizeof bytes);
    sg_entry_encode(&head, &one);
    sg_entry_frame(sg_writer_slice(&one), &w);
    assert_int_equal(scan_at(segment, 0, &size), SG_ENTRY_SCAN_VALID);
    segment[w.len - 1] = 1;
    assert_int_not_equal(scan_at(segment, 0, &size), SG_ENTRY_SCAN_VALID);
    segment[w.len - 1] = 0;
    // A frame over the end of what is there.
    assert_int_not_equal(
        sg_entry_scan(sg_slice_of(segment, w.len - 8), &entry, &size),
        SG_ENTRY_SCAN_VALID);
    // An entry of an unknown type under a right CRC.
    bytes[5] = 15;
    memset(segment, 0, SEGMENT);
    w = sg_writer_on(segment, SEGMENT);
    sg_entry_frame(sg_writer_slice(&one), &w);
    assert_int_not_equal(scan_at(segment, 0, &size), SG_ENTRY_SCAN_VALID);
    sg_arena_free(&arena);
}

static void
segment_headers_read_back_and_flips_are_seen(void **state)
{
    struct sg_entry_segment segment = {.epoch = 3,
                                       .first_sequence = 77,
                                       .size = SG_LIMIT_SEGMENT},
                            again;
    uint8_t bytes[SG_ENTRY_SEGMENT_LEN];

    (void)state;
    memset(segment.genesis, 7, 32);
    sg_entry_segment_encode(&segment, bytes);
    assert_memory_equal(bytes, "SGSEG1\0\0", 8);
    assert_int_equal(
        sg_entry_segment_decode(sg_slice_of(bytes, sizeof bytes), &again),
        SG_OK);
    assert_int_equal(again.epoch, 3);
    assert_int_equal(again.first_sequence, 77);
    assert_int_equal(again.size, SG_LIMIT_SEGMENT);
    assert_memory_equal(again.genesis, segment.genesis, 32);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] ^= 1;
        assert_int_equal(
            sg_entry_segment_decode(sg_slice_of(bytes, sizeof bytes), &again),
            SG_ERR_CORRUPT);
        bytes[i] ^= 1;
        assert_int_equal(sg_entry_segment_decode(sg_slice_of(bytes, i), &again),
                         SG_ERR_SHORT);
    }
    bytes[7] = 1; // reserved, with a right CRC
    sg_bytes_store_u32(bytes + 60, sg_bytes_crc32c(0, bytes, 60));
    assert_int_equal(
        sg_entry_segment_decode(sg_slice_of(bytes, sizeof bytes), &again),
        SG_ERR_FORMAT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_entries_leaves_and_root_come_out),
        cmocka_unit_test(an_entry_reads_back_and_nothing_else_is_an_entry),
        cmocka_unit_test(every_byte_of_an_entry_is_under_its_leaf),
        cmocka_unit_test(the_numbers_of_types_are_those_of_the_paper),
        cmocka_unit_test(frames_are_found_one_after_the_other_up_to_the_end),
        cmocka_unit_test(
            a_flipped_byte_is_damage_before_a_valid_frame_and_torn_at_the_end),
        cmocka_unit_test(a_frame_cut_anywhere_is_torn),
        cmocka_unit_test(a_bit_in_the_zero_tail_is_damage),
        cmocka_unit_test(
            frame_fields_changed_with_the_crc_made_anew_do_not_pass),
        cmocka_unit_test(segment_headers_read_back_and_flips_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
