// Who signed a roster: persons are counted, not keys.
#include "schemas/codec/codec.h"
#include "schemas/proof/roster_sign.h"
#include "schemas/proof/sign.h"
#include "tests/unit/proof/fixture.h"

enum { ROOTS = 4 };

// Ada holds two root keys, Bo one; the last one is nobody's.
static const char *const persons[ROOTS] = {"ada", "ada", "bo", ""};

struct world {
    struct sg_signer *signer[ROOTS];
    uint8_t public_key[ROOTS][32], id[ROOTS][32], sig[ROOTS][64];
    char name[ROOTS][8];
    Sgpb__RootKey root[ROOTS], *roots[ROOTS];
    Sgpb__RootSignature signature[ROOTS], *signatures[ROOTS];
    Sgpb__Roster by;
    Sgpb__SignedRoster roster;
};

static uint8_t body[] = "the bytes of a roster";

static void
make(struct world *w)
{
    memset(w, 0, sizeof *w);
    assert_int_equal(sg_crypto_start(), SG_OK);
    w->by = (Sgpb__Roster)SGPB__ROSTER__INIT;
    w->roster = (Sgpb__SignedRoster)SGPB__SIGNED_ROSTER__INIT;
    w->roster.roster = sg_codec_bytes(body, sizeof body);
    for (uint8_t i = 0; i < ROOTS; i++) {
        const uint8_t seed[32] = {i, 1};

        assert_int_equal(sg_crypto_signer_new(seed, &w->signer[i]), SG_OK);
        sg_crypto_signer_public(w->signer[i], w->public_key[i]);
        sg_crypto_key_id(SG_ALG_ED25519, sg_slice_of(w->public_key[i], 32),
                         w->id[i]);
        memcpy(w->name[i], persons[i], strlen(persons[i]));
        w->root[i] = (Sgpb__RootKey)SGPB__ROOT_KEY__INIT;
        w->root[i].alg = SG_ALG_ED25519;
        w->root[i].person = w->name[i];
        w->root[i].public_key = sg_codec_bytes(w->public_key[i], 32);
        w->roots[i] = &w->root[i];
        w->signatures[i] = &w->signature[i];
    }
    w->by.roots = w->roots;
    w->by.n_roots = ROOTS;
    w->roster.signatures = w->signatures;
}

static void
drop(struct world *w)
{
    for (size_t i = 0; i < ROOTS; i++)
        sg_crypto_signer_free(&w->signer[i]);
}

static void
sign(struct world *w, size_t root, enum sg_sign_purpose purpose)
{
    const size_t at = w->roster.n_signatures++;

    assert_int_equal(sg_sign_make(w->signer[root], purpose,
                                  sg_slice_of(body, sizeof body), w->sig[at]),
                     SG_OK);
    w->signature[at] = (Sgpb__RootSignature)SGPB__ROOT_SIGNATURE__INIT;
    w->signature[at].key_id = sg_codec_bytes(w->id[root], 32);
    w->signature[at].sig = sg_codec_bytes(w->sig[at], 64);
}

static void
a_person_counts_once_however_many_keys_are_his(void **state)
{
    struct world w;

    (void)state;
    make(&w);
    assert_int_equal(sg_roster_sign_persons(&w.roster, &w.by), 0);
    sign(&w, 0, SG_SIGN_ROSTER);
    sign(&w, 1, SG_SIGN_ROSTER);
    assert_int_equal(sg_roster_sign_persons(&w.roster, &w.by), 1);
    sign(&w, 2, SG_SIGN_ROSTER);
    assert_int_equal(sg_roster_sign_persons(&w.roster, &w.by), 2);
    drop(&w);
}

static void
a_key_without_a_person_counts_for_nobody(void **state)
{
    struct world w;

    (void)state;
    make(&w);
    sign(&w, 3, SG_SIGN_ROSTER);
    assert_int_equal(sg_roster_sign_persons(&w.roster, &w.by), 0);
    sign(&w, 2, SG_SIGN_ROSTER);
    assert_int_equal(sg_roster_sign_persons(&w.roster, &w.by), 1);
    drop(&w);
}

static void
a_signature_that_does_not_fit_takes_no_seat_from_one_that_does(void **state)
{
    struct world w;

    (void)state;
    make(&w);
    sign(&w, 0, SG_SIGN_TERMS); // for another purpose
    assert_int_equal(sg_roster_sign_persons(&w.roster, &w.by), 0);
    sign(&w, 0, SG_SIGN_ROSTER);
    assert_int_equal(sg_roster_sign_persons(&w.roster, &w.by), 1);
    sign(&w, 2, SG_SIGN_ROSTER);
    w.sig[2][7] ^= 1;
    assert_int_equal(sg_roster_sign_persons(&w.roster, &w.by), 1);
    w.sig[2][7] ^= 1;
    w.by.n_roots = 2; // Bo holds no root key of this roster
    assert_int_equal(sg_roster_sign_persons(&w.roster, &w.by), 1);
    drop(&w);
}

static void
a_root_is_found_by_the_whole_id_of_its_key(void **state)
{
    struct world w;

    (void)state;
    make(&w);
    assert_ptr_equal(sg_roster_sign_root(&w.by, sg_slice_of(w.id[1], 32)),
                     &w.root[1]);
    assert_null(sg_roster_sign_root(&w.by, sg_slice_of(w.id[1], 31)));
    assert_null(sg_roster_sign_root(&w.by, sg_slice_of(NULL, 0)));
    w.id[1][31] ^= 1;
    assert_null(sg_roster_sign_root(&w.by, sg_slice_of(w.id[1], 32)));
    drop(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_counts_once_however_many_keys_are_his),
        cmocka_unit_test(a_key_without_a_person_counts_for_nobody),
        cmocka_unit_test(
            a_signature_that_does_not_fit_takes_no_seat_from_one_that_does),
        cmocka_unit_test(a_root_is_found_by_the_whole_id_of_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
