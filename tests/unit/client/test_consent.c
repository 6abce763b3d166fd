// The gate's statement on a withdrawal: an honest one is taken, and with any one
// thing wrong in it, or in its receipt, it is refused for what is wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schemas/evidence.pb-c.h"
#include "schemas/proof/entry.h"
#include "schemas/proof/merkle.h"
#include "schemas/proof/note.h"

// On purpose: what is believed of a statement is nobody else's to see.
#include "adapters/client/consent.c" // NOLINT(bugprone-suspicious-include)

#define TEXT(text) ((char *)(uintptr_t)(text))
enum { SIGN, LOG, OTHER, SIGNERS };
enum { EVENT = 3, STATED = 5, ENTRIES = 7, REQUEST = 40 }; // of the log

// A home that has withdrawn in entry EVENT, and what the gate says of it.
struct world {
    struct statgate handle;
    struct statgate_statement out;
    struct statgate_result result;
    struct asking asking;
    struct sg_signer *signer[SIGNERS];
    uint8_t public_key[SIGNERS][32], id[SIGNERS][32], delivery[2][16];
    // the statement, as it is going to be said
    Sgpb__Statement said;
    Sgpb__Fate fate[2], *fates[2];
    enum sg_sign_purpose purpose;
    unsigned by;
    enum sg_entry_type type; // of the entry that the receipt is of
    uint64_t request;
};

static struct sg_slice
pack(struct world *w, const ProtobufCMessage *message)
{
    struct sg_slice out;

    assert_int_equal(sg_codec_pack(message, w->handle.arena, &out), SG_OK);
    return out;
}

static int
close_world(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < SIGNERS; i++)
        sg_crypto_signer_free(&w->signer[i]);
    sg_roster_drop(&w->handle.home.roster);
    sg_arena_free(&w->handle.arena);
    sg_arena_free(&w->handle.scratch);
    return 0;
}

static void
make_home(struct world *w)
{
    struct sg_home *home = &w->handle.home;
    Sgpb__Roster doc = SGPB__ROSTER__INIT;
    Sgpb__SignedRoster outer = SGPB__SIGNED_ROSTER__INIT;

    doc.gate = TEXT("HUB");
    doc.version = 1;
    doc.gate_sign_key = sg_codec_bytes(w->public_key[SIGN], 32);
    doc.gate_log_key = sg_codec_bytes(w->public_key[LOG], 32);
    struct sg_slice body = pack(w, &doc.base);
    outer.roster = sg_codec_bytes(body.ptr, body.len);
    assert_int_equal(sg_roster_read(pack(w, &outer.base), &home->roster),
                     SG_OK);
    (void)snprintf(home->gate, sizeof home->gate, "HUB");
    (void)snprintf(home->participant, sizeof home->participant, "OFFICE");
    home->has_genesis = true;
}

static int
open_world(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof w);
    assert_int_equal(sg_crypto_start(), SG_OK);
    w.handle.arena = sg_arena_new(64 << 20, 1 << 16);
    w.handle.scratch = sg_arena_new(16 << 20, 1 << 16);
    for (unsigned i = 0; i < SIGNERS; i++) {
        uint8_t seed[32] = {(uint8_t)(i + 1)};
        assert_int_equal(sg_crypto_signer_new(seed, &w.signer[i]), SG_OK);
        sg_crypto_signer_public(w.signer[i], w.public_key[i]);
        sg_crypto_key_id(SG_ALG_ED25519, sg_slice_of(w.public_key[i], 32),
                         w.id[i]);
    }
    make_home(&w);
    *state = &w;
    return 0;
}

// An honest statement on what this home has withdrawn, not yet signed.
static void
begin(struct world *w)
{
    memset(&w->out, 0, sizeof w->out);
    w->out.event = EVENT;
    w->handle.home.checkpoint_size = 0; // none held
    w->asking = (struct asking){.handle = &w->handle,
                                .out = &w->out,
                                .result = &w->result,
                                .first = REQUEST};
    memset(w->asking.sha256, 0xee, 32);
    w->said = (Sgpb__Statement)SGPB__STATEMENT__INIT;
    w->said.gate = TEXT("HUB");
    w->said.event_sha256 = sg_codec_bytes(w->asking.sha256, 32);
    w->said.event_index = EVENT;
    w->said.last_key_released = 2;
    w->said.answered = 1795372800000000;
    w->said.fates = w->fates;
    w->said.n_fates = 2;
    for (unsigned i = 0; i < 2; i++) {
        w->fate[i] = (Sgpb__Fate)SGPB__FATE__INIT;
        w->fate[i].delivery_id = sg_codec_bytes(w->delivery[i], 16);
        w->fate[i].fate = STATGATE_LEFT_RECEIPTED + i;
        w->fate[i].entry = 2;
        w->fates[i] = &w->fate[i];
    }
    w->purpose = SG_SIGN_STATEMENT;
    w->by = SIGN;
    w->type = SG_ENTRY_STATEMENT;
    w->request = REQUEST;
}

static Sgpb__Signed *
sign(struct world *w)
{
    Sgpb__Signed *out = sg_arena_take(w->handle.arena, sizeof *out);
    uint8_t *sig = sg_arena_take(w->handle.arena, SG_SIG_LEN);
    struct sg_slice body = pack(w, &w->said.base);

    assert_int_equal(sg_sign_make(w->signer[w->by], w->purpose, body, sig),
                     SG_OK);
    *out = (Sgpb__Signed)SGPB__SIGNED__INIT;
    out->body = sg_codec_bytes(body.ptr, body.len);
    out->alg = SG_ALG_ED25519;
    out->key_id = sg_codec_bytes(w->id[w->by], 32);
    out->sig = sg_codec_bytes(sig, SG_SIG_LEN);
    return out;
}

// A log whose entry STATED is this statement, and the receipt of that entry.
static struct sg_slice
receipt_of(struct world *w, Sgpb__Signed *statement)
{
    struct sg_arena *arena = w->handle.arena;
    Sgpb__StatementEntry body = SGPB__STATEMENT_ENTRY__INIT;
    struct sg_receipt receipt = {.index = STATED, .size = ENTRIES};
    uint8_t leaves[ENTRIES][32], root[32], path[SG_MERKLE_DEPTH][32];
    uint8_t prev[32] = {0};
    char origin[SG_NOTE_ORIGIN_MAX];
    struct sg_merkle tree;

    body.statement = statement;
    sg_merkle_init(&tree, SG_MERKLE_LOG);
    for (uint64_t i = 0; i < ENTRIES; i++) {
        struct sg_entry entry = {.type = SG_ENTRY_ADMIN_ACT,
                                 .sequence = i,
                                 .time_us = 1795372800000000 + i,
                                 .body = SG_SLICE("other")};
        if (i == STATED) {
            entry.type = (uint16_t)w->type;
            entry.body = pack(w, &body.base);
        }
        memcpy(entry.prev, prev, 32);
        struct sg_writer one = sg_writer_on(sg_arena_take(arena, 8192), 8192);
        sg_entry_encode(&entry, &one);
        sg_entry_leaf(sg_writer_slice(&one), leaves[i]);
        memcpy(prev, leaves[i], 32);
        assert_int_equal(sg_merkle_add(&tree, leaves[i]), SG_OK);
        if (i == STATED)
            receipt.entry = sg_writer_slice(&one);
    }
    sg_merkle_root(&tree, root);
    memcpy(w->handle.home.genesis, leaves[0], 32);
    assert_int_equal(sg_note_origin(SG_SLICE("HUB"), leaves[0], 0, origin),
                     SG_OK);
    struct sg_writer note =
        sg_writer_on(sg_arena_take(arena, SG_NOTE_MAX), SG_NOTE_MAX);
    assert_int_equal(sg_note_sign(sg_slice_text(origin), ENTRIES, root,
                                  w->signer[LOG], &note),
                     SG_OK);
    receipt.checkpoint = sg_writer_slice(&note);
    sg_merkle_path_of(SG_MERKLE_LOG, STATED, (const uint8_t(*)[32])leaves,
                      ENTRIES, path);
    receipt.path = (const uint8_t(*)[32])path;
    receipt.path_len = (uint8_t)sg_merkle_path_len(STATED, ENTRIES);
    size_t len = sg_receipt_len(&receipt);
    struct sg_writer out = sg_writer_on(sg_arena_take(arena, len), len);
    sg_receipt_encode(&receipt, &out);
    return sg_writer_slice(&out);
}

// What comes of it when it is heard; ours: whether it answers this withdrawal.
static enum sg_err
hear(struct world *w, Sgpb__StatementIs *is, bool *ours)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;

    *ours = false;
    envelope.request = w->request;
    envelope.body_case = SGPB__ENVELOPE__BODY_STATEMENT;
    envelope.statement = is;
    on_message(&w->asking, &envelope, (struct sg_slice){NULL, 0});
    return w->asking.heard.ptr == NULL ? SG_OK
                                       : check_statement(&w->asking, ours);
}

// change: of what is said; spoil: of what was signed, and of its receipt.
#define ROW(change, spoil, wanted, answers)                                    \
    do {                                                                       \
        Sgpb__StatementIs is = SGPB__STATEMENT_IS__INIT;                       \
        bool ours;                                                             \
        begin(w);                                                              \
        change;                                                                \
        Sgpb__Signed *one = is.statement = sign(w);                            \
        struct sg_slice receipt = receipt_of(w, one);                          \
        is.receipt = sg_codec_bytes(receipt.ptr, receipt.len);                 \
        spoil;                                                                 \
        (void)one;                                                             \
        enum sg_err err = hear(w, &is, &ours);                                 \
        if (err != (wanted) || (err == SG_OK && ours != (answers)))            \
            fail_msg("%s; %s: %s, %d", #change, #spoil, sg_err_code(err),      \
                     ours);                                                    \
    } while (0)
#define REFUSED(change, spoil, wanted) ROW(change, spoil, wanted, true)
#define AS_IT_IS                       (void)0

static void
an_honest_statement_is_taken_whole(void **state)
{
    struct world *w = *state;

    ROW(AS_IT_IS, AS_IT_IS, SG_OK, true);
    assert_int_equal(w->out.entry, STATED);
    assert_int_equal(w->out.fates_count, 2);
    assert_int_equal(w->out.count[STATGATE_LEFT_RECEIPTED], 1);
    assert_int_equal(w->out.count[STATGATE_LEFT_UNRECEIPTED], 1);
    assert_int_equal(w->out.last_key, 2);
    assert_int_equal(w->out.answered_us, 1795372800000000);
}

static void
a_statement_with_anything_wrong_in_it_is_refused(void **state)
{
    struct world *w = *state;

    // What it says.
    REFUSED(w->said.gate = TEXT("HUC"), AS_IT_IS, SG_ERR_AUDIENCE);
    REFUSED(w->said.gate = TEXT(""), AS_IT_IS, SG_ERR_AUDIENCE);
    REFUSED(w->said.event_sha256 = sg_codec_bytes(w->id[0], 32), AS_IT_IS,
            SG_ERR_CONSENT);
    REFUSED(w->said.event_sha256.len = 31, AS_IT_IS, SG_ERR_CONSENT);
    REFUSED(w->said.event_sha256.len = 0, AS_IT_IS, SG_ERR_CONSENT);
    REFUSED(w->fate[1].delivery_id.len = 15, AS_IT_IS, SG_ERR_FORMAT);
    REFUSED(w->fate[0].fate = 0, AS_IT_IS, SG_ERR_FORMAT);
    REFUSED(w->fate[1].fate = STATGATE_FATE_COUNT, AS_IT_IS, SG_ERR_FORMAT);
    // Who says it, and as what.
    REFUSED(w->by = LOG, AS_IT_IS, SG_ERR_SIGNATURE);
    REFUSED(w->by = OTHER, AS_IT_IS, SG_ERR_SIGNATURE);
    REFUSED(w->by = OTHER, one->key_id = sg_codec_bytes(w->id[SIGN], 32),
            SG_ERR_SIGNATURE);
    REFUSED(w->purpose = SG_SIGN_DELIVERY, AS_IT_IS, SG_ERR_SIGNATURE);
    REFUSED(w->purpose = SG_SIGN_CONSENT_EVENT, AS_IT_IS, SG_ERR_SIGNATURE);
    // What was signed.
    REFUSED(AS_IT_IS, one->sig.data[0] ^= 1, SG_ERR_SIGNATURE);
    REFUSED(AS_IT_IS, one->sig.len = 0, SG_ERR_SIGNATURE);
    REFUSED(AS_IT_IS, one->alg++, SG_ERR_SIGNATURE);
    REFUSED(AS_IT_IS, one->key_id.data = w->id[LOG], SG_ERR_SIGNATURE);
    REFUSED(AS_IT_IS, one->key_id.len = 0, SG_ERR_SIGNATURE);
    REFUSED(AS_IT_IS, one->body.data[one->body.len - 1] ^= 1, SG_ERR_SIGNATURE);
    REFUSED(AS_IT_IS, one->body.len--, SG_ERR_SIGNATURE);
    REFUSED(AS_IT_IS, is.statement = NULL, SG_ERR_FORMAT);
}

static void
a_statement_that_is_not_in_the_log_is_refused(void **state)
{
    struct world *w = *state;

    REFUSED(AS_IT_IS, is.receipt.len = 0, SG_ERR_RECEIPT);
    REFUSED(AS_IT_IS, is.receipt.len--, SG_ERR_RECEIPT);
    REFUSED(AS_IT_IS, is.receipt.data[is.receipt.len / 2] ^= 1, SG_ERR_RECEIPT);
    REFUSED(w->type = SG_ENTRY_ADMIN_ACT, AS_IT_IS, SG_ERR_RECEIPT);
    // Good, but of a statement that says something else.
    REFUSED(AS_IT_IS,
            (w->fate[1].fate = STATGATE_CANCELLED, is.statement = sign(w)),
            SG_ERR_RECEIPT);
    // Of another history than the one that this home has seen.
    REFUSED(AS_IT_IS,
            (w->handle.home.checkpoint_size = ENTRIES,
             memset(w->handle.home.checkpoint_root, 0x55, 32)),
            SG_ERR_FORK);
    REFUSED(AS_IT_IS, w->handle.home.genesis[0] ^= 1, SG_ERR_RECEIPT);
}

// One about an earlier withdrawal is waited past. One about a later withdrawal
// under the same agreement tells of all that had left by then, and so of ours;
// what was not asked for here may be about another agreement.
static void
a_statement_on_something_else_is_no_answer(void **state)
{
    struct world *w = *state;

    ROW(w->said.event_index = EVENT - 1, AS_IT_IS, SG_OK, false);
    ROW(w->said.event_index = 0, AS_IT_IS, SG_OK, false);
    ROW((w->said.event_index = EVENT + 1, w->said.event_sha256.data = w->id[0]),
        AS_IT_IS, SG_OK, true);
    ROW(w->request = REQUEST - 1, AS_IT_IS, SG_OK, false);
    ROW((w->request = 0, w->said.event_index = EVENT + 1), AS_IT_IS, SG_OK,
        false);
    ROW(w->request = REQUEST + 1, AS_IT_IS, SG_OK, true); // asked once more
}

// A statement of three pages with two deliveries each, of which this is page
// `number`; the one before it has the hash `previous`.
static struct sg_slice
page_bytes(struct world *w, uint32_t number, const uint8_t previous[32],
           uint8_t sha256[32])
{
    Sgpb__StatementEntry body = SGPB__STATEMENT_ENTRY__INIT;
    struct sg_entry entry = {.type = (uint16_t)w->type,
                             .sequence = 10 + number,
                             .time_us = 1795372800000000};

    w->said.page = number;
    w->said.more = number < 2;
    w->said.named = 2 * (number + 1);
    if (number > 0) {
        w->said.previous_sha256 = sg_codec_bytes(previous, 32);
        w->said.previous_entry = 9 + number;
    } else {
        w->said.previous_sha256 = (ProtobufCBinaryData){0};
        w->said.previous_entry = 0;
    }
    body.statement = sign(w);
    sg_crypto_sha256(body.statement->body.data, body.statement->body.len,
                     sha256);
    entry.body = pack(w, &body.base);
    struct sg_writer out =
        sg_writer_on(sg_arena_take(w->handle.arena, 8192), 8192);
    sg_entry_encode(&entry, &out);
    return sg_writer_slice(&out);
}

static void
each_page_is_the_one_that_the_next_one_names(void **state)
{
    struct world *w = *state;
    uint8_t sha[3][32];
    struct sg_slice page[3], wrong;

#define PAGES(change)                                                          \
    do {                                                                       \
        begin(w);                                                              \
        page[0] = page_bytes(w, 0, NULL, sha[0]);                              \
        page[1] = page_bytes(w, 1, sha[0], sha[1]);                            \
        change;                                                                \
        (void)page_bytes(w, 2, sha[1], sha[2]);                                \
        assert_int_equal(take_fates(&w->asking, &w->said), SG_OK);             \
    } while (0)
    PAGES(AS_IT_IS);
    assert_int_equal(check_page(&w->asking, page[0]), SG_ERR_FORMAT);
    assert_int_equal(check_page(&w->asking, page[1]), SG_OK);
    assert_int_equal(check_page(&w->asking, page[1]), SG_ERR_FORMAT);
    assert_int_equal(check_page(&w->asking, page[0]), SG_OK);
    assert_int_equal(w->asking.page.left, 0);
    assert_int_equal(w->out.fates_count, 6);
    assert_int_equal(w->out.count[STATGATE_LEFT_RECEIPTED], 3);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(w->out.fates[i].what, STATGATE_LEFT_RECEIPTED + i % 2);
    // Another page with the same place in the log.
    PAGES(w->said.answered++);
    w->said.answered++;
    wrong = page_bytes(w, 1, sha[0], sha[2]);
    assert_int_equal(check_page(&w->asking, wrong), SG_ERR_RECEIPT);
    // Named by hash, but not what a page there can be.
    PAGES((w->said.event_index++, page[1] = page_bytes(w, 1, sha[0], sha[1]),
           w->said.event_index--));
    assert_int_equal(check_page(&w->asking, page[1]), SG_ERR_FORMAT);
    PAGES((w->said.n_fates = 1, page[1] = page_bytes(w, 1, sha[0], sha[1]),
           w->said.n_fates = 2));
    assert_int_equal(check_page(&w->asking, page[1]), SG_OK);
    assert_int_equal(check_page(&w->asking, page[0]), SG_ERR_FORMAT);
    // One that says nothing, of which there could be ever more.
    PAGES((w->said.n_fates = 0, page[1] = page_bytes(w, 1, sha[0], sha[1]),
           w->said.n_fates = 2));
    assert_int_equal(check_page(&w->asking, page[1]), SG_ERR_FORMAT);
    PAGES((w->type = SG_ENTRY_ADMIN_ACT,
           page[1] = page_bytes(w, 1, sha[0], sha[1])));
    assert_int_equal(check_page(&w->asking, page[1]), SG_ERR_FORMAT);
    // The last page is the last one, and names no more than can be read.
    PAGES(AS_IT_IS);
    w->said.more = true;
    assert_int_equal(take_fates(&w->asking, &w->said), SG_ERR_FORMAT);
    w->said.more = false;
    w->said.named = UINT64_MAX;
    assert_int_equal(take_fates(&w->asking, &w->said), SG_ERR_FULL);
    w->said.named = 1;
    assert_int_equal(take_fates(&w->asking, &w->said), SG_ERR_FORMAT);
#undef PAGES
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_statement_is_taken_whole),
        cmocka_unit_test(a_statement_with_anything_wrong_in_it_is_refused),
        cmocka_unit_test(a_statement_that_is_not_in_the_log_is_refused),
        cmocka_unit_test(a_statement_on_something_else_is_no_answer),
        cmocka_unit_test(each_page_is_the_one_that_the_next_one_names),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
