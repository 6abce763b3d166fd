// What encode.h promises about bytes as text.
#include "tests/unit/base/fixture.h"

#include "broker/base/check.h"
#include "broker/base/encode.h"

static void
hexadecimal_is_lower_case_and_exact(void **unused)
{
    char text[9];
    uint8_t bytes[4];
    (void)unused;
    sg_encode_hex("\x00\x9f\xa0\xff", 4, text);
    assert_string_equal(text, "009fa0ff");
    sg_encode_hex("", 0, text);
    assert_string_equal(text, "");
    assert_true(sg_encode_unhex(SG_SLICE("009fa0ff"), bytes, 4));
    assert_memory_equal(bytes, "\x00\x9f\xa0\xff", 4);

    static const char *const bad[] = {"009FA0FF", "009fa0f",  "009fa0ff0",
                                      "009fa0fg", "009fa0f ", "-09fa0ff",
                                      "0x9fa0ff", ""};
    for (size_t i = 0; i < SG_COUNT_OF(bad); i++)
        assert_false(sg_encode_unhex(sg_slice_text(bad[i]), bytes, 4));
    assert_false(sg_encode_unhex(sg_slice_of("0\0"
                                             "9fa0ff",
                                             8),
                                 bytes, 4));
}

static void
base64_follows_rfc_4648(void **unused)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xbf", "+/+/"},
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        char text[16];
        uint8_t bytes[8];
        size_t len = 99;
        struct sg_slice plain = sg_slice_text(cases[i][0]);
        sg_encode_base64(plain.ptr, plain.len, text);
        assert_string_equal(text, cases[i][1]);
        assert_true(
            sg_encode_unbase64(sg_slice_text(text), bytes, plain.len, &len));
        assert_int_equal(len, plain.len);
        assert_memory_equal(bytes, plain.ptr, len);
        if (plain.len > 0)
            assert_false(sg_encode_unbase64(sg_slice_text(text), bytes,
                                            plain.len - 1, &len));
    }
}

// Whatever is not exactly what the encoder writes is refused: one spelling.
static void
base64_has_one_spelling(void **unused)
{
    static const char *const bad[] = {
        "Zg",     "Zg=",      "Zg===", "Z===", "====",   "Zh==", // unused bits
        "Zm9=",   "Zg==Zg==", "Zm=v",  "Z=9v", "Zm8=\n", "Zm9v\n",
        "Zm\n9v", " Zm9v",    "Zm9v ", "Zm-_", "Zm9*",   "=m9v",
    };
    uint8_t bytes[16];
    size_t len;
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(bad); i++)
        assert_false(sg_encode_unbase64(sg_slice_text(bad[i]), bytes,
                                        sizeof bytes, &len));
    assert_false(
        sg_encode_unbase64(sg_slice_of("Zm\0v", 4), bytes, sizeof bytes, &len));
}

// The server's test key of ZeroMQ's CURVE documentation.
static void
z85_follows_zeromq_rfc_32(void **unused)
{
    static const char text[] = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    static const char bytes[] = "54fcba24e93249969316fb617c872bb0"
                                "c1d1ff14800427c594cbfacf1bc2d652";
    char out[41];
    uint8_t key[32];
    (void)unused;
    sg_encode_z85(hex(bytes).ptr, out);
    assert_string_equal(out, text);
    assert_true(sg_encode_unz85(sg_slice_text(text), key));
    assert_hex(key, bytes);
    memset(key, 0xff, sizeof key);
    sg_encode_z85(key, out);
    assert_string_equal(out, "%nSc0%nSc0%nSc0%nSc0%nSc0%nSc0%nSc0%nSc0");
    assert_true(sg_encode_unz85(sg_slice_text(out), key));
}

static void
z85_refuses_what_is_no_key(void **unused)
{
    static const char *const bad[] = {
        "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf",   // 39
        "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf70", // 41
        "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf\"", // no digit
        "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf ",
        "%nSc1rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]y", // over 32 bits
        "#####rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]y",  "",
    };
    uint8_t key[32];
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(bad); i++)
        assert_false(sg_encode_unz85(sg_slice_text(bad[i]), key));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hexadecimal_is_lower_case_and_exact),
        cmocka_unit_test(base64_follows_rfc_4648),
        cmocka_unit_test(base64_has_one_spelling),
        cmocka_unit_test(z85_follows_zeromq_rfc_32),
        cmocka_unit_test(z85_refuses_what_is_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
