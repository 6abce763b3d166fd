// Sealing: AES-256-GCM and the box, against vectors and against tampering.
#include "tests/unit/base/fixture.h"

#include "broker/base/crypto.h"

static int
start(void **unused)
{
    (void)unused;
    return sg_crypto_start() == SG_OK ? 0 : -1;
}

// McGrew and Viega, "The Galois/Counter Mode of Operation": test cases 13, 14,
// 15 and 16.
static const struct {
    const char *key, *nonce, *aad, *plain, *sealed;
} gcm[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000",
     "000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000",
     "000000000000000000000000", "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888", "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
     "b094dac5d93471bdec1a502270e3cc6c"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

static void
aes_256_gcm_follows_its_test_cases_also_in_place(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(gcm); i++) {
        struct sg_aead *aead = sg_crypto_aead_new(hex(gcm[i].key).ptr);
        struct sg_slice nonce = hex(gcm[i].nonce), aad = hex(gcm[i].aad);
        struct sg_slice plain = hex(gcm[i].plain);
        uint8_t out[128];
        for (int again = 0; again < 2; again++) { // keys stay scheduled
            assert_int_equal(sg_crypto_seal(aead, nonce.ptr, aad, plain, out),
                             SG_OK);
            assert_hex(out, gcm[i].sealed);
            assert_int_equal(sg_crypto_open(aead, nonce.ptr, aad,
                                            sg_slice_of(out, plain.len + 16),
                                            out),
                             SG_OK);
            assert_memory_equal(out, plain.ptr, plain.len);
            assert_int_equal(sg_crypto_seal(aead, nonce.ptr, aad,
                                            sg_slice_of(out, plain.len), out),
                             SG_OK);
            assert_hex(out, gcm[i].sealed);
        }
        sg_crypto_aead_free(&aead);
        assert_null(aead);
    }
}

static void
each_changed_bit_is_found_and_nothing_is_left_to_use(void **unused)
{
    struct sg_aead *aead = sg_crypto_aead_new(hex(gcm[3].key).ptr);
    uint8_t nonce[12], aad[20], sealed[76], out[76];
    (void)unused;
    memcpy(nonce, hex(gcm[3].nonce).ptr, sizeof nonce);
    memcpy(aad, hex(gcm[3].aad).ptr, sizeof aad);
    memcpy(sealed, hex(gcm[3].sealed).ptr, sizeof sealed);
    const struct {
        uint8_t *bytes;
        size_t len;
    } parts[] = {{nonce, 12}, {aad, 20}, {sealed, 76}};
    for (size_t i = 0; i < SG_COUNT_OF(parts); i++) {
        for (size_t bit = 0; bit < parts[i].len * 8; bit++) {
            parts[i].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            memset(out, 0xee, sizeof out);
            assert_int_equal(sg_crypto_open(aead, nonce, sg_slice_of(aad, 20),
                                            sg_slice_of(sealed, 76), out),
                             SG_ERR_CORRUPT);
            for (size_t j = 0; j < 60; j++)
                assert_int_equal(out[j], 0);
            parts[i].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    for (size_t len = 0; len < 76; len++)
        assert_int_equal(sg_crypto_open(aead, nonce, sg_slice_of(aad, 20),
                                        sg_slice_of(sealed, len), out),
                         SG_ERR_CORRUPT);
    assert_int_equal(sg_crypto_open(aead, nonce, sg_slice_of(aad, 20),
                                    sg_slice_of(sealed, 76), out),
                     SG_OK); // after all these failures
    sg_crypto_aead_free(&aead);
}

// RFC 7748 6.1; and the test keys of ZeroMQ's CURVE documentation.
static void
curve_keys_follow_rfc_7748(void **unused)
{
    static const char *const pairs[][2] = {
        {"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
         "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"},
        {"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
         "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"},
        {"8e0bdd697628b91d8f245587ee95c5b04d48963f79259877b49cd9063aead3b7",
         "54fcba24e93249969316fb617c872bb0c1d1ff14800427c594cbfacf1bc2d652"},
    };
    uint8_t out[32];
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(pairs); i++) {
        sg_crypto_curve_public(hex(pairs[i][0]).ptr, out);
        assert_hex(out, pairs[i][1]);
    }
}

// The example of "Cryptography in NaCl", sections 2 and 10; the first and the
// last bytes of its box.
static const char alice_secret[] =
    "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
static const char alice[] =
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
static const char bob_secret[] =
    "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
static const char bob[] =
    "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
static const char box_nonce[] =
    "69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37";
static const char box_plain[] =
    "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffc"
    "e5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb31"
    "0e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde"
    "048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f93776384864"
    "5e0705";

static void
the_box_follows_nacl_and_opens_for_its_reader_alone(void **unused)
{
    struct sg_slice plain = hex(box_plain);
    uint8_t box[200], out[200];
    (void)unused;
    assert_int_equal(plain.len, 131);
    assert_int_equal(sg_crypto_box(hex(bob).ptr, hex(alice_secret).ptr,
                                   hex(box_nonce).ptr, plain, box),
                     SG_OK);
    assert_hex(box, "f3ffc7703f9400e52a7dfb4b3d3305d9"
                    "8e993b9f48681273c29650ba32fc76ce");
    assert_int_equal(sg_crypto_unbox(hex(alice).ptr, hex(bob_secret).ptr,
                                     hex(box_nonce).ptr, sg_slice_of(box, 147),
                                     out),
                     SG_OK);
    assert_memory_equal(out, hex(box_plain).ptr, 131);
    assert_int_equal(sg_crypto_unbox(hex(bob).ptr, hex(bob_secret).ptr,
                                     hex(box_nonce).ptr, sg_slice_of(box, 147),
                                     out),
                     SG_ERR_CORRUPT); // not from Bob
    for (size_t i = 0; i < 147; i++) {
        box[i] ^= 1;
        assert_int_equal(sg_crypto_unbox(hex(alice).ptr, hex(bob_secret).ptr,
                                         hex(box_nonce).ptr,
                                         sg_slice_of(box, 147), out),
                         SG_ERR_CORRUPT);
        box[i] ^= 1;
        assert_int_equal(sg_crypto_unbox(hex(alice).ptr, hex(bob_secret).ptr,
                                         hex(box_nonce).ptr,
                                         sg_slice_of(box, i), out),
                         SG_ERR_CORRUPT);
    }
}

static void
a_box_for_a_point_of_small_order_is_refused(void **unused)
{
    static const uint8_t zero[32];
    uint8_t box[32];
    (void)unused;
    assert_int_equal(sg_crypto_box(zero, hex(alice_secret).ptr,
                                   hex(box_nonce).ptr, SG_SLICE("x"), box),
                     SG_ERR_CRYPTO);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aes_256_gcm_follows_its_test_cases_also_in_place),
        cmocka_unit_test(each_changed_bit_is_found_and_nothing_is_left_to_use),
        cmocka_unit_test(curve_keys_follow_rfc_7748),
        cmocka_unit_test(the_box_follows_nacl_and_opens_for_its_reader_alone),
        cmocka_unit_test(a_box_for_a_point_of_small_order_is_refused),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
