#include "adapters/client/session.h"
#include "tests/unit/client/fake_gate.h"

static int tell_of_gap(struct statgate *handle, enum sg_wire_lane lane,
                       Sgpb__Envelope *envelope, struct sg_slice payload,
                       Sgpb__Envelope__BodyCase wanted,
                       const Sgpb__Envelope **answer,
                       struct statgate_result *result);

#define sg_session_ask tell_of_gap
// On purpose: what the gate shows of a gap comes from here.
#include "adapters/client/gap.c" // NOLINT(bugprone-suspicious-include)

enum lie {
    NO_LIE,
    NOTHING,      // the gate refuses to say
    NOT_SIGNED,   // by another key than the gate's
    OTHER_WORD,   // signed for another purpose
    OTHER_GATE,   // than this one
    OTHER_FLOW,   // that is not asked about
    OTHER_SUBSCR, // of the same participant
    OTHER_NAME,   // another participant
    ONE_LESS,     // a revision is left out
    OTHER_ROW,    // another revision in its place
    NO_STATE,     // nothing that is known became of it
    LIES,
};

static struct {
    struct fake f;
    struct statgate handle;
    struct sg_subscribe_kept kept;
    Sgpb__Subscription doc;
    enum lie lie;
    uint64_t asked; // revisions
    uint64_t start; // those before it were there before the subscription
} t;

static void
fill_rows(Sgpb__Gap *body, uint64_t from, uint32_t count)
{
    body->rows = sg_arena_take(t.f.arena, count * sizeof(*body->rows));
    for (; body->n_rows < count - (t.lie == ONE_LESS); body->n_rows++) {
        Sgpb__GapRow *row = sg_arena_take(t.f.arena, sizeof *row);
        *row = (Sgpb__GapRow)SGPB__GAP_ROW__INIT;
        row->revision = from + body->n_rows + (t.lie == OTHER_ROW);
        row->state = fake_text(&t.f, t.lie == NO_STATE         ? ""
                                     : row->revision < t.start ? "before"
                                                               : "denied");
        body->rows[body->n_rows] = row;
    }
}

static int
tell_of_gap(struct statgate *handle, enum sg_wire_lane lane,
            Sgpb__Envelope *envelope, struct sg_slice payload,
            Sgpb__Envelope__BodyCase wanted, const Sgpb__Envelope **answer,
            struct statgate_result *result)
{
    static Sgpb__Envelope said;
    static Sgpb__GapIs is;
    static Sgpb__Signed document;
    static uint8_t sig[64];
    uint8_t other[32] = {9};
    const Sgpb__GapGet *get = envelope->gap_get;
    Sgpb__Gap body = SGPB__GAP__INIT;

    (void)handle, (void)lane, (void)payload;
    assert_int_equal(wanted, SGPB__ENVELOPE__BODY_GAP);
    t.asked += get->count;
    if (t.lie == NOTHING)
        return sg_session_fail(result, SG_ERR_NOT_FOUND, NULL);
    body.gate = fake_text(&t.f, t.lie == OTHER_GATE ? "HUB" : "GATE");
    body.subscriber = fake_text(&t.f, t.lie == OTHER_NAME ? "BODY" : "AGENCY");
    body.flow = fake_text(&t.f, t.lie == OTHER_FLOW ? "RW" : "KE");
    body.subscription_sha256 =
        sg_codec_bytes(t.lie == OTHER_SUBSCR ? other : t.kept.sha256, 32);
    fill_rows(&body, get->from, get->count);
    struct sg_slice packed = fake_pack(&t.f, &body.base);
    assert_int_equal(
        sg_sign_make(t.lie == NOT_SIGNED ? t.f.publisher : t.f.gate,
                     t.lie == OTHER_WORD ? SG_SIGN_DELIVERY : SG_SIGN_GAP,
                     packed, sig),
        SG_OK);
    document = (Sgpb__Signed)SGPB__SIGNED__INIT;
    document.body = sg_codec_bytes(packed.ptr, packed.len);
    document.alg = SG_ALG_ED25519;
    document.key_id = sg_codec_bytes(t.f.gate_id, 32);
    document.sig = sg_codec_bytes(sig, 64);
    is = (Sgpb__GapIs)SGPB__GAP_IS__INIT;
    is.gap = &document;
    said = (Sgpb__Envelope)SGPB__ENVELOPE__INIT;
    said.gap = &is;
    *answer = &said;
    return sg_session_done(result);
}

static int
open_home(void **state)
{
    char path[SG_OS_PATH];

    (void)state;
    memset(&t, 0, sizeof t);
    fake_open(&t.f, FAKE_NOTHING);
    t.handle.home = t.f.home;
    t.handle.arena = t.f.arena;
    t.doc = (Sgpb__Subscription)SGPB__SUBSCRIPTION__INIT;
    t.doc.flow = fake_text(&t.f, "KE");
    t.kept.doc = &t.doc;
    memset(t.kept.sha256, 3, 32);
    (void)snprintf(t.kept.id, sizeof t.kept.id, "AGENCY/KE");
    assert_true(sg_os_file_path(path, "%s/subscriptions", t.f.folder));
    assert_int_equal(sg_os_file_make_dirs(path), SG_OK);
    return 0;
}

static int
close_home(void **state)
{
    (void)state;
    fake_close(&t.f);
    return 0;
}

// The manifest of a revision hashes to its number here.
static void
passed(uint64_t revision)
{
    uint8_t manifest[32];

    memset(manifest, (int)revision, 32);
    assert_int_equal(sg_gap_passed(&t.f.home, "AGENCY/KE", revision, manifest),
                     SG_OK);
}

static const char *
comes(uint64_t revision, uint64_t follows)
{
    static struct statgate_result result;
    Sgpb__Manifest manifest = SGPB__MANIFEST__INIT;
    uint8_t before[32];

    memset(before, (int)follows, 32);
    manifest.revision = revision;
    manifest.prev_manifest_sha256 = sg_codec_bytes(before, 32);
    t.asked = 0;
    int status = sg_gap_check(&t.handle, &t.kept, &manifest, &result);
    assert_int_equal(status, result.exit);
    return result.code;
}

static void
what_follows_at_once_names_what_was_given_out(void **state)
{
    (void)state;
    passed(5);
    assert_string_equal(comes(6, 5), "ok");
    assert_string_equal(comes(6, 9), "gate.gap"); // another history
    assert_int_equal(t.asked, 0);
}

static void
what_came_before_the_first_one_is_accounted_for_too(void **state)
{
    (void)state;
    assert_string_equal(comes(1, 0), "ok");
    assert_int_equal(t.asked, 0); // nothing can have come
    t.start = 100;
    assert_string_equal(comes(1000, 9), "ok");
    assert_in_range(t.asked, 1000 - t.start, 1000 - t.start + SG_LIMIT_GAP);
    t.start = 3;
    assert_string_equal(comes(5, 4), "ok");
    assert_int_equal(t.asked, 4);
    for (t.lie = NOTHING; t.lie < LIES; t.lie++)
        assert_string_equal(comes(5, 4), "gate.gap");
}

static void
a_gap_that_the_gate_accounts_for_is_no_gap(void **state)
{
    char path[SG_OS_PATH];

    (void)state;
    passed(1);
    assert_string_equal(comes(1 + 2 * SG_LIMIT_GAP, 9), "ok");
    assert_int_equal(t.asked, 2 * SG_LIMIT_GAP - 1);
    assert_true(sg_home_path(&t.f.home, "gaps", sg_slice_of(t.kept.sha256, 32),
                             ".2", path));
    assert_true(sg_os_file_exists(path));
}

static void
a_gap_that_the_gate_does_not_account_for_is_refused(void **state)
{
    (void)state;
    passed(3);
    for (t.lie = NOTHING; t.lie < LIES; t.lie++)
        if (strcmp(comes(6, 5), "gate.gap") != 0)
            fail_msg("lie %d was believed", t.lie);
    t.lie = NO_LIE;
    assert_string_equal(comes(6, 5), "ok");
}

static void
one_that_was_held_may_come_after_those_behind_it(void **state)
{
    (void)state;
    passed(3);
    assert_string_equal(comes(5, 4), "ok");
    assert_int_equal(t.asked, 1);
    passed(5);
    assert_string_equal(comes(4, 3), "ok");
    passed(4);
    assert_string_equal(comes(6, 5), "ok");
    assert_int_equal(t.asked, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, open_home, close_home)
        T(what_follows_at_once_names_what_was_given_out),
        T(what_came_before_the_first_one_is_accounted_for_too),
        T(a_gap_that_the_gate_accounts_for_is_no_gap),
        T(a_gap_that_the_gate_does_not_account_for_is_refused),
        T(one_that_was_held_may_come_after_those_behind_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
