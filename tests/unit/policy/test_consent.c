// What consent.h promises: who may change which record, and what follows.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "policy/consent.h"
#include "policy/consent_set.h"

static const uint8_t table_key[16] = {1};
static const uint64_t day_us = 86400000000ull;
enum {
    S = SG_CONSENT_BY_SUBJECT,
    C = SG_CONSENT_BY_COLLECTOR,
    K = SG_CONSENT_BY_CONTROLLER,
    B = SG_CONSENT_BY_COMMUNITY
};
enum {
    NONE = SG_CONSENT_STATE_NONE,
    REQUESTED = SG_CONSENT_STATE_REQUESTED,
    GIVEN = SG_CONSENT_STATE_GIVEN,
    REFUSED = SG_CONSENT_STATE_REFUSED,
    WITHDRAWN = SG_CONSENT_STATE_WITHDRAWN,
    REVOKED = SG_CONSENT_STATE_REVOKED,
    EXPIRED = SG_CONSENT_STATE_EXPIRED,
    INVALIDATED = SG_CONSENT_STATE_INVALIDATED
};

struct world {
    struct sg_consent *ledger;
    uint8_t next; // hash of the next event
};

static struct sg_consent_agreement
revision(uint64_t n, bool compatible)
{
    struct sg_consent_agreement a = {
        .id = SG_SLICE("PANEL"),
        .revision = n,
        .controller = SG_SLICE("RW_NISR"),
        .valid_days = 10,
        .compatible_before = compatible,
    };
    a.sha256[0] = (uint8_t)n;
    a.prev_sha256[0] = (uint8_t)(n - 1);
    return a;
}

static void
begin(struct world *w)
{
    struct sg_consent_agreement a = revision(1, false);
    w->next = 100;
    w->ledger = sg_consent_new(4, 16, table_key);
    assert_non_null(w->ledger);
    assert_int_equal(sg_consent_check_agreement(w->ledger, &a, NULL), SG_OK);
    assert_int_equal(sg_consent_apply_agreement(w->ledger, &a), SG_OK);
}

static struct sg_consent_record
record(const struct world *w, uint8_t who)
{
    uint8_t id[16] = {who};
    return sg_consent_record_of(w->ledger, SG_SLICE("PANEL"), id);
}

// The event that follows what the ledger knows of the record.
static struct sg_consent_event
event(struct world *w, uint8_t who, uint8_t to)
{
    struct sg_consent_record r = record(w, who);
    struct sg_consent_event e = {
        .agreement = SG_SLICE("PANEL"),
        .from = r.state,
        .to = to,
        .at = day_us,
        .collector = SG_SLICE("RW_NISR"),
    };
    struct sg_consent_summary s =
        sg_consent_summary_of(w->ledger, SG_SLICE("PANEL"));
    memcpy(e.revision_sha256, s.revision_sha256, 32);
    memcpy(e.prev_event_sha256, r.last_event_sha256, 32);
    e.record_id[0] = who;
    e.sha256[0] = w->next++;
    return e;
}

static enum sg_err
take(struct world *w, const struct sg_consent_event *e, unsigned roles)
{
    uint64_t epoch;
    struct sg_diag diag = {0};
    enum sg_err err = sg_consent_check_event(w->ledger, e, roles, &diag);
    assert_int_equal(err == SG_OK, diag.text[0] == '\0');
    if (err != SG_OK)
        return err;
    return sg_consent_apply_event(w->ledger, e, &epoch);
}

static void
must(struct world *w, uint8_t who, uint8_t to, unsigned roles)
{
    struct sg_consent_event e = event(w, who, to);
    assert_int_equal(take(w, &e, roles), SG_OK);
    assert_int_equal(record(w, who).state, to);
}

static uint16_t
code(const struct world *w, uint64_t now)
{
    return sg_consent_code(w->ledger, SG_SLICE("PANEL"), now);
}

static void
who_may_do_what_is_a_table(void **unused)
{
    // state reached first, wanted, by, allowed
    static const struct {
        uint8_t state, to;
        unsigned roles;
        bool allowed;
    } rows[] = {
        {NONE, GIVEN, S, true},          {NONE, GIVEN, C, true},
        {NONE, GIVEN, K, false},         {NONE, WITHDRAWN, S, false},
        {NONE, REQUESTED, C, true},      {NONE, EXPIRED, S | C | K, false},
        {GIVEN, WITHDRAWN, S, true},     {GIVEN, WITHDRAWN, C, true},
        {GIVEN, WITHDRAWN, K, false},    {GIVEN, REVOKED, K, true},
        {GIVEN, REVOKED, S, false},      {GIVEN, WITHDRAWN, 0, false},
        {GIVEN, EXPIRED, K | S, false},  {GIVEN, WITHDRAWN, B, false},
        {WITHDRAWN, GIVEN, S, true},     {WITHDRAWN, WITHDRAWN, S, false},
        {REFUSED, GIVEN, S, true},       {INVALIDATED, GIVEN, S | C | K, false},
        {GIVEN, NONE, S | C | K, false}, {GIVEN, 200, S | C | K, false},
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        struct world w;
        begin(&w);
        if (rows[i].state != NONE && rows[i].state != REFUSED)
            must(&w, 1, GIVEN, S);
        if (rows[i].state != NONE && rows[i].state != GIVEN)
            must(&w, 1, rows[i].state, S | K);
        struct sg_consent_event e = event(&w, 1, rows[i].to);
        assert_int_equal(take(&w, &e, rows[i].roles) == SG_OK, rows[i].allowed);
        sg_consent_free(&w.ledger);
    }
}

static void
an_event_that_was_taken_cannot_be_taken_again(void **unused)
{
    struct world w;
    (void)unused;
    begin(&w);
    must(&w, 1, GIVEN, S);
    struct sg_consent_event withdrawal = event(&w, 1, WITHDRAWN);
    assert_int_equal(take(&w, &withdrawal, S), SG_OK);
    assert_int_equal(take(&w, &withdrawal, S), SG_ERR_CONSENT);
    must(&w, 1, GIVEN, S); // agreed again
    assert_int_equal(take(&w, &withdrawal, S), SG_ERR_CONSENT);
    assert_int_equal(record(&w, 1).state, GIVEN);
    sg_consent_free(&w.ledger);
}

static void
another_office_is_no_collector_of_the_record(void **unused)
{
    struct world w;
    (void)unused;
    begin(&w);
    must(&w, 1, GIVEN, C);
    struct sg_consent_event e = event(&w, 1, WITHDRAWN);
    e.collector = SG_SLICE("KE_KNBS");
    assert_int_equal(take(&w, &e, C | K), SG_ERR_CONSENT);
    assert_int_equal(take(&w, &e, S), SG_OK);
    sg_consent_free(&w.ledger);
}

static void
an_answer_names_the_newest_text(void **unused)
{
    struct world w;
    (void)unused;
    begin(&w);
    must(&w, 1, GIVEN, S);
    struct sg_consent_event old = event(&w, 2, GIVEN);
    struct sg_consent_agreement second = revision(2, true);
    assert_int_equal(sg_consent_check_agreement(w.ledger, &second, NULL),
                     SG_OK);
    assert_int_equal(sg_consent_apply_agreement(w.ledger, &second), SG_OK);
    assert_int_equal(take(&w, &old, S), SG_ERR_CONSENT);
    must(&w, 2, GIVEN, S);
    // To take back, the text that was agreed to will do.
    struct sg_consent_event back = event(&w, 1, WITHDRAWN);
    memcpy(back.revision_sha256, record(&w, 1).revision_sha256, 32);
    assert_int_equal(take(&w, &back, S), SG_OK);
    sg_consent_free(&w.ledger);
}

static void
an_incompatible_revision_ends_what_was_given(void **unused)
{
    struct world w;
    (void)unused;
    begin(&w);
    must(&w, 1, GIVEN, S);
    uint64_t before = sg_consent_summary_of(w.ledger, SG_SLICE("PANEL")).epoch;
    struct sg_consent_agreement second = revision(2, false);
    assert_int_equal(sg_consent_apply_agreement(w.ledger, &second), SG_OK);
    assert_int_equal(code(&w, day_us), SG_CONSENT_WITHDRAWN);
    assert_true(sg_consent_summary_of(w.ledger, SG_SLICE("PANEL")).epoch >
                before);
    sg_consent_free(&w.ledger);
}

static void
revisions_are_a_chain(void **unused)
{
    struct world w;
    struct sg_diag diag;
    (void)unused;
    begin(&w);
    struct sg_consent_agreement next = revision(3, true);
    assert_int_equal(sg_consent_check_agreement(w.ledger, &next, &diag),
                     SG_ERR_CONSENT);
    assert_string_equal(diag.text, "the next revision is 2");
    next = revision(2, true);
    next.prev_sha256[5] = 1;
    assert_int_equal(sg_consent_check_agreement(w.ledger, &next, &diag),
                     SG_ERR_CONSENT);
    next = revision(2, true);
    next.controller = SG_SLICE("KE_KNBS");
    assert_int_equal(sg_consent_check_agreement(w.ledger, &next, &diag),
                     SG_ERR_CONSENT);
    sg_consent_free(&w.ledger);
}

static void
records_add_up_to_a_code(void **unused)
{
    static const struct {
        uint8_t states[3];
        uint16_t code;
    } rows[] = {
        {{NONE, NONE, NONE}, SG_CONSENT_UNKNOWN},
        {{REQUESTED, NONE, NONE}, SG_CONSENT_UNKNOWN},
        {{GIVEN, NONE, NONE}, SG_CONSENT_GIVEN},
        {{GIVEN, GIVEN, REQUESTED}, SG_CONSENT_GIVEN},
        {{GIVEN, REFUSED, NONE}, SG_CONSENT_GIVEN},
        {{GIVEN, WITHDRAWN, NONE}, SG_CONSENT_PARTIAL},
        {{GIVEN, REVOKED, NONE}, SG_CONSENT_PARTIAL},
        {{WITHDRAWN, WITHDRAWN, NONE}, SG_CONSENT_WITHDRAWN},
        {{WITHDRAWN, REFUSED, NONE}, SG_CONSENT_WITHDRAWN},
        {{REFUSED, REFUSED, NONE}, SG_CONSENT_REFUSED},
    };
    (void)unused;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        struct world w;
        begin(&w);
        for (uint8_t k = 0; k < 3; k++) {
            uint8_t to = rows[i].states[k];
            if (to == WITHDRAWN || to == REVOKED)
                must(&w, k, GIVEN, S);
            if (to != NONE)
                must(&w, k, to, S | C | K);
        }
        assert_int_equal(code(&w, day_us), rows[i].code);
        sg_consent_free(&w.ledger);
    }
    struct sg_slice nobody = SG_SLICE("NOBODY");
    struct world w;
    begin(&w);
    assert_int_equal(sg_consent_code(w.ledger, nobody, 0), SG_CONSENT_UNKNOWN);
    sg_consent_free(&w.ledger);
}

static void
consent_ends_with_its_time_whoever_looks_first(void **unused)
{
    struct world w;
    uint64_t end = 11 * day_us;
    (void)unused;
    begin(&w);
    must(&w, 1, GIVEN, S); // on day 1, for 10 days
    assert_int_equal(sg_consent_next_expiry(w.ledger), end);
    assert_int_equal(code(&w, end - 1), SG_CONSENT_GIVEN);
    assert_int_equal(code(&w, end), SG_CONSENT_EXPIRED); // before the timer
    uint64_t epoch = sg_consent_summary_of(w.ledger, SG_SLICE("PANEL")).epoch;
    assert_false(sg_consent_expire(w.ledger, end - 1));
    assert_true(sg_consent_expire(w.ledger, end));
    assert_int_equal(record(&w, 1).state, EXPIRED);
    assert_int_equal(sg_consent_summary_of(w.ledger, SG_SLICE("PANEL")).epoch,
                     epoch + 1);
    assert_int_equal(code(&w, 0), SG_CONSENT_EXPIRED);
    assert_int_equal(sg_consent_next_expiry(w.ledger), 0);
    sg_consent_free(&w.ledger);
}

static void
every_change_of_a_record_moves_the_epoch(void **unused)
{
    struct world w;
    (void)unused;
    begin(&w);
    for (uint64_t i = 1; i < 10; i++) {
        must(&w, 1, i % 2 == 1 ? GIVEN : WITHDRAWN, S);
        assert_int_equal(
            sg_consent_summary_of(w.ledger, SG_SLICE("PANEL")).epoch, i);
    }
    sg_consent_free(&w.ledger);
}

static void
several_agreements_count_as_the_strictest(void **unused)
{
    struct world w;
    struct sg_slice ids[2] = {SG_SLICE("PANEL"), SG_SLICE("LINK")};
    (void)unused;
    begin(&w);
    struct sg_consent_agreement link = revision(1, false);
    link.id = ids[1];
    assert_int_equal(sg_consent_apply_agreement(w.ledger, &link), SG_OK);
    must(&w, 1, GIVEN, S);
    assert_int_equal(sg_consent_code_all(w.ledger, ids, 1, false, 0),
                     SG_CONSENT_GIVEN);
    assert_int_equal(sg_consent_code_all(w.ledger, ids, 2, false, 0),
                     SG_CONSENT_UNKNOWN);
    assert_int_equal(sg_consent_code_all(w.ledger, ids, 0, false, 0),
                     SG_CONSENT_UNKNOWN);
    assert_int_equal(sg_consent_code_all(w.ledger, ids, 2, true, 0),
                     SG_CONSENT_UNKNOWN);
    sg_consent_free(&w.ledger);
}

static void
a_community_speaks_for_itself_and_nobody_else(void **unused)
{
    struct world w;
    (void)unused;
    begin(&w);
    struct sg_consent_agreement a = revision(1, false);
    a.id = SG_SLICE("VALLEY");
    a.community = true;
    assert_int_equal(sg_consent_apply_agreement(w.ledger, &a), SG_OK);
    struct sg_consent_event e = event(&w, 9, GIVEN);
    e.agreement = a.id;
    assert_int_equal(take(&w, &e, S), SG_ERR_CONSENT);
    assert_int_equal(take(&w, &e, B), SG_OK);
    e.agreement = SG_SLICE("NOBODY");
    assert_int_equal(take(&w, &e, B), SG_ERR_NOT_FOUND);
    sg_consent_free(&w.ledger);
}

static void
a_full_ledger_says_so_before_anything_changes(void **unused)
{
    struct world w;
    (void)unused;
    begin(&w);
    for (uint8_t i = 0; i < 16; i++)
        must(&w, i, GIVEN, S);
    struct sg_consent_event e = event(&w, 16, GIVEN);
    assert_int_equal(sg_consent_check_event(w.ledger, &e, S, NULL),
                     SG_ERR_FULL);
    must(&w, 3, WITHDRAWN, S); // who is in can always leave
    sg_consent_free(&w.ledger);
}

static void
a_set_of_records_is_covered_whole_in_part_or_not(void **unused)
{
    struct world w;
    (void)unused;
    begin(&w);
    struct sg_consent_set *cohort = sg_consent_set_new();
    assert_int_equal(
        sg_consent_code_of_set(w.ledger, SG_SLICE("PANEL"), cohort),
        SG_CONSENT_UNKNOWN);
    for (uint8_t i = 0; i < 3; i++) {
        uint8_t id[16] = {i};
        uint32_t ordinal;
        must(&w, i, GIVEN, S);
        assert_true(
            sg_consent_ordinal(w.ledger, SG_SLICE("PANEL"), id, &ordinal));
        sg_consent_set_add(cohort, ordinal);
    }
    static const uint16_t codes[] = {SG_CONSENT_GIVEN, SG_CONSENT_PARTIAL,
                                     SG_CONSENT_PARTIAL, SG_CONSENT_WITHDRAWN};
    for (uint8_t i = 0; i < 4; i++) {
        assert_int_equal(
            sg_consent_code_of_set(w.ledger, SG_SLICE("PANEL"), cohort),
            codes[i]);
        if (i < 3)
            must(&w, i, WITHDRAWN, S);
    }
    sg_consent_set_free(&cohort);
    sg_consent_free(&w.ledger);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_do_what_is_a_table),
        cmocka_unit_test(an_event_that_was_taken_cannot_be_taken_again),
        cmocka_unit_test(another_office_is_no_collector_of_the_record),
        cmocka_unit_test(an_answer_names_the_newest_text),
        cmocka_unit_test(an_incompatible_revision_ends_what_was_given),
        cmocka_unit_test(revisions_are_a_chain),
        cmocka_unit_test(records_add_up_to_a_code),
        cmocka_unit_test(consent_ends_with_its_time_whoever_looks_first),
        cmocka_unit_test(every_change_of_a_record_moves_the_epoch),
        cmocka_unit_test(several_agreements_count_as_the_strictest),
        cmocka_unit_test(a_community_speaks_for_itself_and_nobody_else),
        cmocka_unit_test(a_full_ledger_says_so_before_anything_changes),
        cmocka_unit_test(a_set_of_records_is_covered_whole_in_part_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
