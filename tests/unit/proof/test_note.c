// Checkpoints: C2SP form, signature, cosignature, and what is refused.
#include "schemas/proof/note.h"
#include "tests/unit/proof/fixture.h"

static const uint8_t genesis[32] = {0x01, 0x23, 0x45, 0x67, 0x89,
                                    0xab, 0xcd, 0xef, 0xff};
static const char origin_text[] = "statgate/KE_GATE/0123456789abcdef/0";
static const char witness_seed[] =
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";

struct made {
    struct sg_arena *arena;
    struct sg_signer *log, *witness;
    uint8_t log_public[32], witness_public[32];
    uint8_t bytes[SG_NOTE_MAX];
    struct sg_slice note;
};

static int
set_up(void **state)
{
    struct made *m = calloc(1, sizeof *m);
    struct sg_note parsed;
    uint8_t root[32];

    assert_non_null(m);
    m->arena = new_arena();
    m->log = new_signer(m->arena, TEST_SEED);
    m->witness = new_signer(m->arena, witness_seed);
    sg_crypto_signer_public(m->log, m->log_public);
    sg_crypto_signer_public(m->witness, m->witness_public);
    memset(root, 0x5a, 32);
    struct sg_writer w = sg_writer_on(m->bytes, sizeof m->bytes);
    assert_int_equal(
        sg_note_sign(sg_slice_text(origin_text), 4711, root, m->log, &w),
        SG_OK);
    assert_int_equal(sg_note_parse(sg_writer_slice(&w), &parsed), SG_OK);
    assert_int_equal(sg_note_cosign(&parsed, SG_SLICE("UG_UBOS"), 1795372800,
                                    m->witness, &w),
                     SG_OK);
    m->note = sg_writer_slice(&w);
    *state = m;
    return 0;
}

static int
tear_down(void **state)
{
    struct made *m = *state;

    sg_crypto_signer_free(&m->log);
    sg_crypto_signer_free(&m->witness);
    sg_arena_free(&m->arena);
    free(m);
    return 0;
}

static void
an_origin_names_gate_genesis_and_epoch(void **state)
{
    char origin[SG_NOTE_ORIGIN_MAX], longest[SG_NOTE_ORIGIN_MAX];
    struct sg_slice gate;
    uint8_t front[8];
    uint64_t epoch;
    char id[65];

    (void)state;
    assert_int_equal(sg_note_origin(SG_SLICE("KE_GATE"), genesis, 0, origin),
                     SG_OK);
    assert_string_equal(origin, origin_text);
    assert_true(
        sg_note_origin_parse(sg_slice_text(origin), &gate, front, &epoch));
    assert_true(sg_slice_eq(gate, SG_SLICE("KE_GATE")));
    assert_memory_equal(front, genesis, 8);
    assert_int_equal(epoch, 0);
    memset(id, 'A', 64);
    id[64] = '\0';
    assert_int_equal(
        sg_note_origin(sg_slice_text(id), genesis, UINT64_MAX, longest), SG_OK);
    assert_true(
        sg_note_origin_parse(sg_slice_text(longest), &gate, front, &epoch));
    assert_true(epoch == UINT64_MAX);
    assert_int_equal(sg_note_origin(SG_SLICE("ke"), genesis, 0, origin),
                     SG_ERR_FORMAT);
    assert_int_equal(sg_note_origin(SG_SLICE(""), genesis, 0, origin),
                     SG_ERR_FORMAT);
}

static void
origins_of_another_form_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "statgate",
        "statgate/KE/0123456789abcdef",
        "statgate/KE/0123456789abcdef/",
        "statgate/KE/0123456789abcdef/00",
        "statgate/KE/0123456789abcdef/01",
        "statgate/KE/0123456789abcdef/+1",
        "statgate/KE/0123456789abcdef/18446744073709551616",
        "statgate/KE/0123456789ABCDEF/0",
        "statgate/KE/0123456789abcde/0",
        "statgate/KE/0123456789abcdef0/0",
        "statgate/ke/0123456789abcdef/0",
        "statgate//0123456789abcdef/0",
        "Statgate/KE/0123456789abcdef/0",
        "statgate/KE/0123456789abcdef/0/1",
        " statgate/KE/0123456789abcdef/0",
        "statgate/KE/0123456789abcdef/0 ",
    };
    struct sg_slice gate;
    uint8_t front[8];
    uint64_t epoch;

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        if (sg_note_origin_parse(sg_slice_text(cases[i]), &gate, front, &epoch))
            fail_msg("taken: %s", cases[i]);
    }
}

// C2SP: key hash = SHA-256(name LF type key)[0..4); base64 begins with it.
static void
a_note_has_the_form_of_c2sp(void **state)
{
    struct made *m = *state;
    uint8_t text[128], hash[32], key_hash[4];
    static const char want[] =
        "statgate/KE_GATE/0123456789abcdef/0\n4711\n"
        "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=\n\n"
        "\xe2\x80\x94 statgate/KE_GATE/";
    const size_t len = sizeof origin_text - 1;

    assert_memory_equal(m->note.ptr, want, sizeof want - 1);
    memcpy(text, origin_text, len);
    text[len] = '\n';
    text[len + 1] = 1;
    memcpy(text + len + 2, m->log_public, 32);
    sg_crypto_sha256(text, len + 34, hash);
    sg_note_key_hash(sg_slice_text(origin_text), SG_NOTE_ED25519, m->log_public,
                     key_hash);
    assert_memory_equal(key_hash, hash, 4);
    text[len + 1] = 4;
    sg_crypto_sha256(text, len + 34, hash);
    sg_note_key_hash(sg_slice_text(origin_text), SG_NOTE_COSIGNATURE,
                     m->log_public, key_hash);
    assert_memory_equal(key_hash, hash, 4);
}

static void
a_note_reads_back_and_verifies_under_its_keys_only(void **state)
{
    struct made *m = *state;
    struct sg_note note;
    uint64_t time_s = 0;

    assert_int_equal(sg_note_parse(m->note, &note), SG_OK);
    assert_int_equal(note.size, 4711);
    assert_int_equal(note.root[0], 0x5a);
    assert_int_equal(note.count, 2);
    assert_true(sg_slice_eq(note.origin, sg_slice_text(origin_text)));
    assert_true(sg_note_verify(&note, m->log_public));
    assert_false(sg_note_verify(&note, m->witness_public));
    assert_true(sg_note_verify_cosignature(&note, SG_SLICE("UG_UBOS"),
                                           m->witness_public, &time_s));
    assert_int_equal(time_s, 1795372800);
    assert_false(sg_note_verify_cosignature(&note, SG_SLICE("UG_UBOS"),
                                            m->log_public, NULL));
    assert_false(sg_note_verify_cosignature(&note, SG_SLICE("TZ_NBS"),
                                            m->witness_public, NULL));
    // The gate cannot be its own witness with the signature of its note.
    assert_false(sg_note_verify_cosignature(&note, sg_slice_text(origin_text),
                                            m->log_public, NULL));
}

static void
any_changed_bit_of_a_note_is_seen(void **state)
{
    struct made *m = *state;
    uint8_t bytes[SG_NOTE_MAX];
    struct sg_note note;

    for (size_t bit = 0; bit < m->note.len * 8; bit++) {
        memcpy(bytes, m->note.ptr, m->note.len);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        bool fine =
            sg_note_parse(sg_slice_of(bytes, m->note.len), &note) == SG_OK &&
            sg_note_verify(&note, m->log_public) &&
            sg_note_verify_cosignature(&note, SG_SLICE("UG_UBOS"),
                                       m->witness_public, NULL);
        assert_false(fine);
    }
    for (size_t len = 0; len < m->note.len; len++) {
        bool fine =
            sg_note_parse(sg_slice_of(m->note.ptr, len), &note) == SG_OK &&
            note.count == 2;
        assert_false(fine);
    }
}

static void
notes_of_another_form_are_refused(void **state)
{
#define O "statgate/KE_GATE/0123456789abcdef/0\n"
#define R "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=\n"
#define L "\xe2\x80\x94 X AAAAAAA=\n"
    static const struct {
        const char *text;
        enum sg_err err;
    } cases[] = {
        {O "4711\n" R "\n" L, SG_OK}, // a line that is not ours is ignored
        {O "0\n" R "\n" L, SG_ERR_FORMAT},
        {O "04711\n" R "\n" L, SG_ERR_FORMAT},
        {O "-1\n" R "\n" L, SG_ERR_FORMAT},
        {O "\n" R "\n" L, SG_ERR_FORMAT},
        {O "18446744073709551616\n" R "\n" L, SG_ERR_FORMAT},
        {"other/KE\n4711\n" R "\n" L, SG_ERR_FORMAT},
        {O "4711\nWlpa\n\n" L, SG_ERR_FORMAT},
        {O "4711\nWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo\n\n" L,
         SG_ERR_FORMAT},
        {O "4711\nWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlp=\n\n" L,
         SG_ERR_FORMAT},                             // unused bits set
        {O "4711\n" R "extra\n\n" L, SG_ERR_FORMAT}, // a fourth line
        {O "4711\n" R "extra\n" L, SG_ERR_FORMAT},   // in the empty one's place
        {O "4711\n" R "\n", SG_ERR_SHORT},           // nobody signed
        {O "4711\n" R, SG_ERR_SHORT},
        {O "4711\n" R "\n\n" L, SG_ERR_FORMAT},
        {O "4711\n" R "\n- X AAAAAAA=\n", SG_ERR_FORMAT},
        {O "4711\n" R "\n\xe2\x80\x94 X\n", SG_ERR_FORMAT},
        {O "4711\n" R "\n\xe2\x80\x94  AAAAAAA=\n", SG_ERR_FORMAT},
        {O "4711\n" R "\n\xe2\x80\x94 X+Y AAAAAAA=\n", SG_ERR_FORMAT},
        {O "4711\n" R "\n\xe2\x80\x94 X AAAA\n", SG_ERR_FORMAT},
        {O "4711\n" R "\n\xe2\x80\x94 X AAAAAAA=", SG_ERR_SHORT},
        {O "4711\r\n" R "\n" L, SG_ERR_FORMAT},
        {O "4711\n" R "\n" L L L L L L L L L L L L L L L L, SG_OK},
        {O "4711\n" R "\n" L L L L L L L L L L L L L L L L L, SG_ERR_FULL},
    };
#undef O
#undef R
#undef L

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++) {
        struct sg_note note;
        enum sg_err err = sg_note_parse(sg_slice_text(cases[i].text), &note);
        if (err != cases[i].err)
            fail_msg("%zu: %s", i, sg_err_code(err));
    }
}

static void
size_0_and_notes_without_room_are_never_signed(void **state)
{
    struct made *m = *state;
    uint8_t room[100], root[32] = {0};
    struct sg_writer w = sg_writer_on(room, sizeof room);

    assert_int_equal(
        sg_note_sign(sg_slice_text(origin_text), 0, root, m->log, &w),
        SG_ERR_FORMAT);
    assert_int_equal(sg_note_sign(SG_SLICE("x"), 1, root, m->log, &w),
                     SG_ERR_FORMAT);
    assert_int_equal(w.len, 0);
    assert_int_equal(
        sg_note_sign(sg_slice_text(origin_text), 1, root, m->log, &w),
        SG_ERR_FULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_origin_names_gate_genesis_and_epoch),
        cmocka_unit_test(origins_of_another_form_are_refused),
        cmocka_unit_test(a_note_has_the_form_of_c2sp),
        cmocka_unit_test(a_note_reads_back_and_verifies_under_its_keys_only),
        cmocka_unit_test(any_changed_bit_of_a_note_is_seen),
        cmocka_unit_test(notes_of_another_form_are_refused),
        cmocka_unit_test(size_0_and_notes_without_room_are_never_signed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
