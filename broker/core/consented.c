#include "broker/core/consented.h"

#include "broker/core/policy_admin.h"
#include "broker/core/refuse.h"
#include "broker/core/roster.h"
#include "broker/core/share.h"

#define CLOCKS_APART_US (24 * 3600 * 1000000ull)

// ---- apply --------------------------------------------------------------------------------

static struct sg_consent_agreement
ledger_agreement(const Sgpb__ConsentAgreement *doc, const uint8_t sha256[32])
{
    struct sg_consent_agreement out = {
        .id = sg_slice_text(doc->id),
        .revision = doc->revision,
        .controller = sg_slice_text(doc->controller),
        .valid_days = doc->valid_days,
        .community = doc->community,
        .compatible_before = doc->compatible_before};

    memcpy(out.sha256, sha256, 32);
    if (doc->prev_sha256.len == 32)
        memcpy(out.prev_sha256, doc->prev_sha256.data, 32);
    return out;
}

enum sg_err
sg_consented_open(struct sg_state *state, struct sg_agreement *agreement)
{
    struct sg_arena *mem = agreement->kept.mem;
    const Sgpb__AgreementEntry *entry = sg_pack_open(
        mem, &sgpb__agreement_entry__descriptor, agreement->kept.body);

    if (entry == NULL || entry->agreement == NULL || entry->sha256.len != 32)
        return SG_ERR_DAMAGE;
    agreement->doc = sg_pack_open(mem, &sgpb__consent_agreement__descriptor,
                                  sg_pack_slice(entry->agreement->body));
    if (agreement->doc == NULL)
        return SG_ERR_DAMAGE;
    memcpy(agreement->sha256, entry->sha256.data, 32);
    agreement->id = sg_slice_text(agreement->doc->id);
    struct sg_consent_agreement shown =
        ledger_agreement(agreement->doc, agreement->sha256);
    return sg_consent_apply_agreement(state->consent, &shown);
}

// A text that earlier answers do not fit: the ledger knows by now, and a ledger
// that is made from a snapshot must know too. What had ended before has ended.
static void
supersede(struct sg_state *state, uint32_t agreement, uint64_t now)
{
    for (uint32_t i = sg_pool_next(state->records, 0); i != 0;
         i = sg_pool_next(state->records, i)) {
        struct sg_consented *one = sg_pool_at(state->records, i);
        if (one->agreement == agreement &&
            one->state == SG_CONSENT_STATE_GIVEN &&
            (one->expires == 0 || one->expires > now)) {
            one->state = SG_CONSENT_STATE_SUPERSEDED;
            one->expires = 0;
        }
    }
}

enum sg_err
sg_consented_apply_agreement(struct sg_state *state,
                             const struct sg_appended *entry, const void *body)
{
    struct sg_agreement next = {0};
    enum sg_err err;

    (void)body;
    if (!sg_state_keep(&next.kept, entry->body))
        return SG_ERR_MEMORY;
    if ((err = sg_consented_open(state, &next)) != SG_OK) {
        sg_state_drop(&next.kept);
        return err;
    }
    uint32_t index = sg_state_find(state->agreement_of, next.id);
    if (index == 0) {
        index = sg_pool_take(state->agreements);
        if (index == 0 ||
            sg_table_put(state->agreement_of, next.id, index) != SG_OK)
            return SG_ERR_FULL;
    }
    struct sg_agreement *agreement = sg_pool_at(state->agreements, index);
    sg_state_drop(&agreement->kept);
    agreement->kept = next.kept;
    agreement->doc = next.doc;
    agreement->id = next.id;
    memcpy(agreement->sha256, next.sha256, 32);
    agreement->seq = entry->seq;
    if (!next.doc->compatible_before)
        supersede(state, index, entry->time_us);
    agreement->stops++; // a new revision may end what the last one allowed
    return SG_OK;
}

static bool
is_stop(uint32_t to)
{
    return to != SG_CONSENT_STATE_GIVEN && to != SG_CONSENT_STATE_REQUESTED;
}

static struct sg_slice
record_key(uint8_t key[20], uint32_t agreement, const uint8_t record[16])
{
    sg_bytes_store_u32(key, agreement);
    memcpy(key + 4, record, 16);
    return sg_slice_of(key, 20);
}

static bool
ledger_event(const Sgpb__ConsentEvent *doc, struct sg_slice bytes,
             const char *by, struct sg_consent_event *out)
{
    if (doc->record_id.len != 16 || doc->revision_sha256.len != 32 ||
        doc->prev_event_sha256.len != 32 || doc->nonce.len != 16 ||
        doc->from >= SG_CONSENT_STATE_COUNT ||
        doc->to >= SG_CONSENT_STATE_COUNT)
        return false;
    *out = (struct sg_consent_event){.agreement = sg_slice_text(doc->agreement),
                                     .from = (uint8_t)doc->from,
                                     .to = (uint8_t)doc->to,
                                     .at = doc->at,
                                     .collector = sg_slice_text(by)};
    memcpy(out->record_id, doc->record_id.data, 16);
    memcpy(out->revision_sha256, doc->revision_sha256.data, 32);
    memcpy(out->prev_event_sha256, doc->prev_event_sha256.data, 32);
    sg_crypto_sha256(bytes.ptr, bytes.len, out->sha256);
    return true;
}

// What a snapshot needs to make the ledger again.
static enum sg_err
note_record(struct sg_state *state, uint32_t agreement,
            const struct sg_consent_event *event, uint64_t seq)
{
    uint8_t key[20];
    struct sg_slice name = record_key(key, agreement, event->record_id);
    uint32_t index = sg_state_find(state->record_of, name);

    if (index == 0) {
        index = sg_pool_take(state->records);
        if (index == 0 || sg_table_put(state->record_of, name, index) != SG_OK)
            return SG_ERR_FULL;
        struct sg_consented *fresh = sg_pool_at(state->records, index);
        fresh->agreement = agreement;
        memcpy(fresh->record, event->record_id, 16);
        SG_ASSERT(event->collector.len <= sizeof fresh->collector);
        memcpy(fresh->collector, event->collector.ptr, event->collector.len);
        fresh->collector_len = (uint8_t)event->collector.len;
    }
    struct sg_consented *record = sg_pool_at(state->records, index);
    record->state = event->to;
    memcpy(record->event_sha256, event->sha256, 32);
    memcpy(record->revision_sha256, event->revision_sha256, 32);
    record->at = event->at;
    record->expires =
        sg_consent_record_of(state->consent, event->agreement, event->record_id)
            .expires;
    record->seq = seq;
    return SG_OK;
}

enum sg_err
sg_consented_restore(struct sg_state *state, uint32_t index)
{
    const struct sg_consented *record = sg_pool_at(state->records, index);
    struct sg_consent_event event = {
        .from = SG_CONSENT_STATE_NONE,
        .to = record->state,
        .at = record->at,
        .collector = sg_slice_of(record->collector, record->collector_len)};
    uint8_t key[20];
    uint64_t epoch;

    if (record->agreement == 0 || record->collector_len > SG_LIMIT_ID ||
        record->state >= SG_CONSENT_STATE_COUNT)
        return SG_ERR_CORRUPT;
    event.agreement = sg_state_agreement(state, record->agreement)->id;
    memcpy(event.record_id, record->record, 16);
    memcpy(event.sha256, record->event_sha256, 32);
    memcpy(event.revision_sha256, record->revision_sha256, 32);
    enum sg_err err = sg_consent_apply_event(state->consent, &event, &epoch);
    if (err == SG_OK)
        err = sg_consent_restore_end(state->consent, event.agreement,
                                     event.record_id, record->expires);
    return err != SG_OK
               ? err
               : sg_table_put(
                     state->record_of,
                     record_key(key, record->agreement, record->record), index);
}

enum sg_err
sg_consented_apply_event(struct sg_state *state,
                         const struct sg_appended *entry, const void *body)
{
    const Sgpb__ConsentEventEntry *shown = body;
    const Sgpb__ConsentEvent *doc =
        shown->event == NULL
            ? NULL
            : sg_pack_open(state->scratch, &sgpb__consent_event__descriptor,
                           sg_pack_slice(shown->event->body));
    struct sg_consent_event event;
    uint64_t epoch;
    enum sg_err err;

    if (doc == NULL || !ledger_event(doc, sg_pack_slice(shown->event->body),
                                     shown->by, &event))
        return SG_ERR_DAMAGE;
    uint32_t index =
        sg_state_find(state->agreement_of, sg_slice_text(doc->agreement));
    if (index == 0)
        return SG_ERR_DAMAGE;
    struct sg_agreement *agreement = sg_pool_at(state->agreements, index);
    if ((err = sg_consent_apply_event(state->consent, &event, &epoch)) !=
            SG_OK ||
        (err = note_record(state, index, &event, entry->seq)) != SG_OK)
        return err;
    agreement->epoch++;
    agreement->last_event = entry->seq;
    if (is_stop(doc->to)) {
        agreement->stops++;
        agreement->last_stop = entry->seq;
        memcpy(agreement->stop_sha256, event.sha256, 32);
    }
    return SG_OK;
}

enum sg_err
sg_consented_apply_statement(struct sg_state *state,
                             const struct sg_appended *entry, const void *body)
{
    const Sgpb__StatementEntry *shown = body;
    const Sgpb__Statement *doc =
        shown->statement == NULL
            ? NULL
            : sg_pack_open(state->scratch, &sgpb__statement__descriptor,
                           sg_pack_slice(shown->statement->body));

    if (doc == NULL)
        return SG_ERR_DAMAGE;
    if (doc->more)
        return SG_OK; // the last page is the answer
    uint32_t named =
        sg_state_find(state->agreement_of, sg_slice_text(shown->agreement));
    for (uint32_t i = sg_pool_next(state->agreements, 0); i != 0;
         i = sg_pool_next(state->agreements, i)) {
        struct sg_agreement *agreement = sg_pool_at(state->agreements, i);
        // Statements of before pages do not say which agreement it is.
        if (named != 0 ? i != named : agreement->last_stop != doc->event_index)
            continue;
        agreement->stated = doc->event_index + 1;
        agreement->statement = entry->seq;
    }
    return SG_OK;
}

// ---- agreements ---------------------------------------------------------------------------

// The right lies in the key that signs, not in the connection it came by.
static const struct sg_key *
officer(struct sg_turn *turn, const Sgpb__Signed *document,
        enum sg_sign_purpose purpose, enum sg_err *err)
{
    const struct sg_key *key =
        sg_roster_signer(turn, document, purpose, SG_USE_SIGN, err);

    if (key == NULL || (key->roles & SG_ROLE_CONSENT) != 0)
        return key;
    *err = SG_ERR_PEER_KEY_USE;
    return NULL;
}

void
sg_consented_agreement(struct sg_turn *turn)
{
    const Sgpb__TwoSigned *document = turn->envelope->agreement_put->agreement;
    const Sgpb__ConsentAgreement *doc =
        document == NULL || document->n_signatures == 0
            ? NULL
            : sg_pack_open(turn->arena, &sgpb__consent_agreement__descriptor,
                           sg_pack_slice(document->body));
    Sgpb__AgreementEntry body = SGPB__AGREEMENT_ENTRY__INIT;
    Sgpb__Signed one = SGPB__SIGNED__INIT;
    struct sg_diag diag;
    uint8_t sha256[32];
    enum sg_err err;

    if (doc == NULL || !sg_slice_is_id(sg_slice_text(doc->id))) {
        sg_turn_refuse(turn, SG_ERR_PEER_MALFORMED, "agreement");
        return;
    }
    sg_crypto_sha256(document->body.data, document->body.len, sha256);
    uint32_t index =
        sg_state_find(turn->state->agreement_of, sg_slice_text(doc->id));
    if (index != 0 && memcmp(sg_state_agreement(turn->state, index)->sha256,
                             sha256, 32) == 0) {
        sg_turn_receipt(turn, sg_state_agreement(turn->state, index)->seq,
                        true);
        return;
    }
    if (sg_roster_expired(turn)) { // nothing new is agreed then (S06)
        sg_turn_refuse(turn, SG_ERR_ROSTER_EXPIRED, NULL);
        return;
    }
    one.body = document->body;
    one.alg = document->signatures[0]->alg;
    one.key_id = document->signatures[0]->key_id;
    one.sig = document->signatures[0]->sig;
    const struct sg_key *key =
        officer(turn, &one, SG_SIGN_CONSENT_AGREEMENT, &err);
    if (key == NULL) {
        sg_turn_refuse(turn, err, "signatures");
        return;
    }
    if (strcmp(sg_roster_owner(turn->state, key)->id, doc->controller) != 0) {
        sg_turn_refuse(turn, SG_ERR_CONSENT, "controller");
        return;
    }
    struct sg_consent_agreement shown = ledger_agreement(doc, sha256);
    err = sg_consent_check_agreement(turn->state->consent, &shown, &diag);
    if (err != SG_OK) {
        sg_turn_refuse(turn, err, "revision");
        return;
    }
    if (index == 0 &&
        !sg_share_left(turn, doc->controller, SG_SHARE_AGREEMENTS)) {
        sg_turn_refuse(turn, SG_ERR_FULL, "agreement");
        return;
    }
    body.agreement = (Sgpb__TwoSigned *)(uintptr_t)document;
    body.sha256 = sg_pack_bytes(sha256, 32);
    if (index == 0)
        sg_share_add(turn->core, doc->controller, SG_SHARE_AGREEMENTS, 1);
    uint64_t seq = sg_turn_append(turn, SG_ENTRY_AGREEMENT, &body.base);
    sg_policy_due_agreement(turn->core, doc->id);
    sg_turn_receipt(turn, seq, false);
}

// ---- events -------------------------------------------------------------------------------

static unsigned
roles_of(const struct sg_turn *turn, const struct sg_consent_event *event,
         const struct sg_key *key)
{
    const char *by = sg_roster_owner(turn->state, key)->id;
    struct sg_consent_record record = sg_consent_record_of(
        turn->state->consent, event->agreement, event->record_id);
    struct sg_consent_summary agreement =
        sg_consent_summary_of(turn->state->consent, event->agreement);
    unsigned roles = 0;

    if (record.state == SG_CONSENT_STATE_NONE ||
        sg_slice_eq(record.collector, sg_slice_text(by)))
        roles |= SG_CONSENT_BY_COLLECTOR;
    if (sg_slice_eq(agreement.controller, sg_slice_text(by)))
        roles |= SG_CONSENT_BY_CONTROLLER;
    return roles;
}

// Is it the event that the record already had last? Then it was sent again.
static bool
repeated(const struct sg_turn *turn, const struct sg_consent_event *event,
         uint64_t *seq)
{
    uint8_t key[20];
    uint32_t agreement =
        sg_state_find(turn->state->agreement_of, event->agreement);
    uint32_t index = sg_state_find(
        turn->state->record_of, record_key(key, agreement, event->record_id));
    const struct sg_consented *record =
        index == 0 ? NULL : sg_pool_at(turn->state->records, index);

    if (record == NULL || memcmp(record->event_sha256, event->sha256, 32) != 0)
        return false;
    *seq = record->seq;
    return true;
}

// The statement on the newest withdrawal, once more, for who lost it.
static void
repeat_statement(struct sg_turn *turn, uint64_t seq)
{
    const struct sg_lookup *lookup = &turn->core->options.lookup;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__StatementIs is = SGPB__STATEMENT_IS__INIT;
    struct sg_slice body;

    if (!lookup->entry(lookup->ctx, seq, turn->arena, &body))
        return; // not durable yet: the first answer is on its way
    const Sgpb__StatementEntry *entry =
        sg_pack_open(turn->arena, &sgpb__statement_entry__descriptor, body);
    if (entry == NULL)
        return;
    is.statement = entry->statement;
    envelope.body_case = SGPB__ENVELOPE__BODY_STATEMENT;
    envelope.statement = &is;
    sg_turn_reply(turn, &envelope, seq)->receipt_of = seq;
}

// Somebody waits for the statement on what an agreement's withdrawals stopped.
static void
ask_statement(struct sg_turn *turn, uint32_t index)
{
    struct sg_core *core = turn->core;
    const struct sg_agreement *agreement =
        sg_state_agreement(turn->state, index);

    if (agreement->last_stop == 0)
        return;
    if (agreement->stated > agreement->last_stop) {
        repeat_statement(turn, agreement->statement);
        return;
    }
    for (size_t i = 0; i < core->asked_count; i++)
        if (core->asked[i].agreement == index &&
            core->asked[i].request == turn->envelope->request)
            return;
    if (core->asked_count == SG_ASKED_MAX)
        return; // the statement is written all the same
    core->asked[core->asked_count++] =
        (struct sg_asked){.agreement = index,
                          .event = agreement->last_stop,
                          .peer = turn->session->peer,
                          .request = turn->envelope->request};
}

static enum sg_err
take_event(struct sg_turn *turn, const Sgpb__Signed *document, uint64_t *seq,
           bool *duplicate, uint32_t *agreement)
{
    const Sgpb__ConsentEvent *doc =
        sg_pack_open(turn->arena, &sgpb__consent_event__descriptor,
                     sg_pack_slice(document->body));
    Sgpb__ConsentEventEntry body = SGPB__CONSENT_EVENT_ENTRY__INIT;
    struct sg_consent_event event;
    struct sg_diag diag;
    enum sg_err err;

    *agreement = 0;
    if (doc == NULL || !ledger_event(doc, sg_pack_slice(document->body),
                                     turn->who->id, &event))
        return SG_ERR_PEER_MALFORMED;
    *agreement = sg_state_find(turn->state->agreement_of, event.agreement);
    if ((*duplicate = repeated(turn, &event, seq)))
        return SG_OK; // the same bytes were verified when they came first
    // Its end is counted from there: nobody gives what is still to be given.
    if (event.at > turn->now + CLOCKS_APART_US)
        return SG_ERR_CONSENT;
    const struct sg_key *key =
        officer(turn, document, SG_SIGN_CONSENT_EVENT, &err);
    if (key == NULL)
        return err;
    event.collector = sg_slice_text(sg_roster_owner(turn->state, key)->id);
    if (turn->state->epochs.waiting && !is_stop(event.to))
        return SG_ERR_RESTORED;
    if (sg_pool_count(turn->state->records) + 1 >= turn->core->records_cap)
        return SG_ERR_BUSY;
    err = sg_consent_check_event(turn->state->consent, &event,
                                 roles_of(turn, &event, key), &diag);
    if (err != SG_OK)
        return err;
    body.event = (Sgpb__Signed *)(uintptr_t)document;
    body.epoch =
        sg_consent_summary_of(turn->state->consent, event.agreement).epoch + 1;
    body.by = sg_roster_owner(turn->state, key)->id;
    *seq = sg_turn_append(turn, SG_ENTRY_CONSENT_EVENT, &body.base);
    sg_policy_due_agreement(turn->core, doc->agreement);
    return SG_OK;
}

// One statement for each agreement, however many events name it: it lists all
// deliveries, and is as large as they are many.
static void
ask_statements(struct sg_turn *turn, const uint32_t *agreements, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t k = i + 1;
        while (k < count && agreements[k] != agreements[i])
            k++;
        if (k == count)
            ask_statement(turn, agreements[i]);
    }
}

void
sg_consented_events(struct sg_turn *turn)
{
    enum { EVENTS_MAX = 1000 };
    const Sgpb__Consent *consent = turn->envelope->consent;
    uint32_t agreements[EVENTS_MAX];
    bool duplicate = false;
    uint64_t seq = 0;
    size_t i = 0;
    enum sg_err err = SG_OK;

    if (consent->n_events == 0 || consent->n_events > EVENTS_MAX) {
        sg_turn_refuse(turn, SG_ERR_PEER_MALFORMED, "events");
        return;
    }
    for (; i < consent->n_events; i++)
        if ((err = take_event(turn, consent->events[i], &seq, &duplicate,
                              &agreements[i])) != SG_OK)
            break;
    ask_statements(turn, agreements, i);
    if (err != SG_OK)
        sg_turn_refuse(turn, err,
                       sg_arena_printf(turn->arena, "events[%zu]", i));
    else
        sg_turn_receipt(turn, seq, duplicate);
}

void
sg_consented_expire(struct sg_turn *turn)
{
    // Expiry follows from recorded dates and the time of the look; it is no
    // entry, and the ledger is caught up with it at every turn alike.
    if (sg_consent_expire(turn->state->consent, turn->now))
        sg_policy_due_all(turn->core, SG_DUE_DECIDE);
}

// ---- deciding -----------------------------------------------------------------------------

static bool
is_code(enum sg_attr attr, const char *text, uint16_t code)
{
    return code != 0 && sg_vocabulary_code(attr, sg_slice_text(text)) == code;
}

bool
sg_consented_covers(const struct sg_state *state, const char *agreement,
                    bool community, const uint16_t *code)
{
    uint32_t index =
        sg_state_find(state->agreement_of, sg_slice_text(agreement));
    bool recipient = false;

    if (index == 0 ||
        sg_state_agreement(state, index)->doc->community != community)
        return true;
    const Sgpb__ConsentAgreement *doc = sg_state_agreement(state, index)->doc;
    for (size_t i = 0; i < doc->n_recipient_classes && !recipient; i++)
        recipient = is_code(SG_ATTR_RECIPIENT, doc->recipient_classes[i],
                            code[SG_ATTR_RECIPIENT]);
    uint16_t onward =
        doc->onward[0] == '\0'
            ? SG_ONWARD_FORBIDDEN
            : sg_vocabulary_code(SG_ATTR_ONWARD, sg_slice_text(doc->onward));
    return recipient &&
           is_code(SG_ATTR_PURPOSE, doc->purpose, code[SG_ATTR_PURPOSE]) &&
           code[SG_ATTR_ONWARD] != 0 && code[SG_ATTR_ONWARD] <= onward;
}

// ---- asking -------------------------------------------------------------------------------

void
sg_consented_get(struct sg_turn *turn)
{
    const char *id = turn->envelope->consent_get->agreement;
    struct sg_consent_summary summary =
        sg_consent_summary_of(turn->state->consent, sg_slice_text(id));
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__ConsentIs is = SGPB__CONSENT_IS__INIT;

    if (!summary.known ||
        (!sg_slice_eq(summary.controller, sg_slice_text(turn->who->id)) &&
         (turn->key->roles & SG_ROLE_CONSENT) == 0)) {
        sg_turn_refuse(turn, SG_ERR_NOT_FOUND, "agreement");
        return;
    }
    is.agreement = (char *)(uintptr_t)id;
    is.epoch = summary.epoch;
    is.given = summary.given;
    is.withdrawn = summary.ended;
    is.revision_sha256 = sg_pack_bytes(summary.revision_sha256, 32);
    is.last_event_sha256 = sg_pack_bytes(summary.last_event_sha256, 32);
    envelope.body_case = SGPB__ENVELOPE__BODY_CONSENT_IS;
    envelope.consent_is = &is;
    sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING);
}

void
sg_consented_record(struct sg_turn *turn)
{
    const Sgpb__ConsentRecordGet *asked = turn->envelope->consent_record_get;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__ConsentRecordIs is = SGPB__CONSENT_RECORD_IS__INIT;

    if (asked->record_id.len != 16) {
        sg_turn_refuse(turn, SG_ERR_PEER_MALFORMED, "record_id");
        return;
    }
    struct sg_consent_record record = sg_consent_record_of(
        turn->state->consent, sg_slice_text(asked->agreement),
        asked->record_id.data);
    if (record.state != SG_CONSENT_STATE_NONE &&
        !sg_slice_eq(record.collector, sg_slice_text(turn->who->id)))
        record = (struct sg_consent_record){0}; // another's: as if absent
    is.state = record.state;
    is.last_event_sha256 = sg_pack_bytes(record.last_event_sha256, 32);
    is.revision_sha256 = sg_pack_bytes(record.revision_sha256, 32);
    envelope.body_case = SGPB__ENVELOPE__BODY_CONSENT_RECORD;
    envelope.consent_record = &is;
    sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING);
}
