// What bytes.h promises about fixed binary layouts.
#include "tests/unit/base/fixture.h"

#include "broker/base/bytes.h"
#include "broker/base/check.h"

static void
numbers_are_written_big_endian_and_read_back(void **unused)
{
    uint8_t room[64];
    struct sg_writer w = sg_writer_on(room, sizeof room);
    (void)unused;
    sg_bytes_put_u8(&w, 0x01);
    sg_bytes_put_u16(&w, 0x0203);
    sg_bytes_put_u32(&w, 0x04050607);
    sg_bytes_put_u64(&w, 0x08090a0b0c0d0e0f);
    sg_bytes_put_blob(&w, SG_SLICE("ab"));
    sg_bytes_put(&w, "z", 1);
    assert_false(w.full);
    assert_int_equal(w.len, 22);
    assert_hex(room, "0102030405060708090a0b0c0d0e0f0000000261627a");

    struct sg_reader r = sg_reader_on(sg_writer_slice(&w));
    assert_int_equal(sg_bytes_u8(&r), 0x01);
    assert_int_equal(sg_bytes_u16(&r), 0x0203);
    assert_int_equal(sg_bytes_u32(&r), 0x04050607);
    assert_int_equal(sg_bytes_u64(&r), 0x08090a0b0c0d0e0f);
    assert_true(sg_slice_eq(sg_bytes_blob(&r), SG_SLICE("ab")));
    assert_false(sg_bytes_end(&r));
    assert_true(sg_slice_eq(sg_bytes_take(&r, 1), SG_SLICE("z")));
    assert_true(sg_bytes_end(&r));
}

static void
an_overflowing_writer_stays_full_and_within_its_room(void **unused)
{
    uint8_t room[8];
    (void)unused;
    memset(room, 0xee, sizeof room);
    struct sg_writer w = sg_writer_on(room, 7);
    sg_bytes_put_u32(&w, 1);
    sg_bytes_put_u32(&w, 2); // one byte too many
    assert_true(w.full);
    sg_bytes_put_u8(&w, 3); // would fit, but the layout is broken already
    assert_true(w.full);
    assert_hex(room, "00000001eeeeeeee");
}

static void
a_reader_that_ran_out_gives_zeros_and_never_ends_well(void **unused)
{
    (void)unused;
    struct sg_reader r = sg_reader_on(hex("ffffffffff"));
    assert_int_equal(sg_bytes_u64(&r), 0);
    assert_true(r.failed);
    assert_int_equal(sg_bytes_u8(&r), 0); // was there, but is not trusted
    assert_null(sg_bytes_take(&r, 0).ptr);
    assert_false(sg_bytes_end(&r));

    r = sg_reader_on(hex("00000005616263")); // a blob longer than the rest
    assert_int_equal(sg_bytes_blob(&r).len, 0);
    assert_true(r.failed);
}

static void
varints_have_one_form(void **unused)
{
    static const struct {
        const char *hex;
        bool good;
        uint64_t value;
    } cases[] = {
        {"00", true, 0},
        {"7f", true, 127},
        {"8001", true, 128},
        {"ac02", true, 300},
        {"ffffffffffffffffff01", true, UINT64_MAX},
        {"80808080808080808001", true, (uint64_t)1 << 63},
        {"8000", false, 0}, // longer than the shortest
        {"ff00", false, 0},
        {"80808080808080808000", false, 0},
        {"ffffffffffffffffff02", false, 0},   // over 64 bits
        {"ffffffffffffffffff81", false, 0},   // goes on
        {"ffffffffffffffffff8100", false, 0}, // goes on
        {"80", false, 0},                     // cut
        {"", false, 0},
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        struct sg_reader r = sg_reader_on(hex(cases[i].hex));
        assert_int_equal(sg_bytes_varint(&r), cases[i].value);
        assert_int_equal(sg_bytes_end(&r), cases[i].good);
        if (!cases[i].good)
            continue;
        uint8_t room[10];
        struct sg_writer w = sg_writer_on(room, sizeof room);
        sg_bytes_put_varint(&w, cases[i].value);
        assert_int_equal(w.len, strlen(cases[i].hex) / 2);
        assert_hex(room, cases[i].hex);
    }
}

static void
loads_and_stores_are_big_endian(void **unused)
{
    uint8_t at[8];
    (void)unused;
    sg_bytes_store_u64(at, 0xfedcba9876543210);
    assert_hex(at, "fedcba9876543210");
    assert_int_equal(sg_bytes_load_u64(at), 0xfedcba9876543210);
    assert_int_equal(sg_bytes_load_u32(at), 0xfedcba98);
    sg_bytes_store_u32(at, 0x01020304);
    assert_hex(at, "0102030476543210");
}

// RFC 3720 B.4, and the check value of the CRC catalogue.
static void
crc32c_follows_its_vectors(void **unused)
{
    uint8_t up[32], down[32], zeros[32] = {0}, ones[32];
    (void)unused;
    for (uint8_t i = 0; i < 32; i++) {
        up[i] = i;
        down[i] = (uint8_t)(31 - i);
        ones[i] = 0xff;
    }
    uint32_t (*const paths[])(uint32_t, const void *, size_t) = {
        sg_bytes_crc32c, sg_bytes_crc32c_portable};
    for (size_t i = 0; i < SG_COUNT_OF(paths); i++) {
        assert_int_equal(paths[i](0, "123456789", 9), 0xe3069283);
        assert_int_equal(paths[i](0, zeros, 32), 0x8a9136aa);
        assert_int_equal(paths[i](0, ones, 32), 0x62a8ab43);
        assert_int_equal(paths[i](0, up, 32), 0x46dd794e);
        assert_int_equal(paths[i](0, down, 32), 0x113fdb5c);
        assert_int_equal(paths[i](0, "", 0), 0);
    }
}

static void
both_ways_of_crc32c_agree_at_each_length_and_in_pieces(void **unused)
{
    uint8_t bytes[259];
    (void)unused;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * i * 31 + 7);
    for (size_t from = 0; from < 9; from++) {
        for (size_t len = 0; len <= 250; len++) {
            uint32_t whole = sg_bytes_crc32c(0, bytes + from, len);
            assert_int_equal(whole,
                             sg_bytes_crc32c_portable(0, bytes + from, len));
            uint32_t half = sg_bytes_crc32c(0, bytes + from, len / 2);
            assert_int_equal(
                whole,
                sg_bytes_crc32c(half, bytes + from + len / 2, len - len / 2));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_big_endian_and_read_back),
        cmocka_unit_test(an_overflowing_writer_stays_full_and_within_its_room),
        cmocka_unit_test(a_reader_that_ran_out_gives_zeros_and_never_ends_well),
        cmocka_unit_test(varints_have_one_form),
        cmocka_unit_test(loads_and_stores_are_big_endian),
        cmocka_unit_test(crc32c_follows_its_vectors),
        cmocka_unit_test(
            both_ways_of_crc32c_agree_at_each_length_and_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
