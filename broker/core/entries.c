#include "broker/core/entries.h"

#include "broker/core/cold.h"
#include "broker/core/refuse.h"
#include "broker/core/release.h"
#include "broker/core/roster.h"
#include "broker/core/tokens.h"

enum {
    PAGE_BYTES = SG_LIMIT_HEADER - 4096,
    COUNT_MAX = 1024,
    // Looked at for one question, so that who asks for little of a long log
    // does not hold the loop up; the answer says where to go on.
    SCAN_MAX = 2048,
    SCAN_BYTES = 1024 * 1024,
    SCAN_ROWS = 4096, // of the index
    BYTES_A_LOOK = 512,
    // An entry and what it names unpack to a hundred times their bytes. One of
    // the largest more than this still fits a turn.
    SCAN_MEMORY = 8 * 1024 * 1024,
};

// ---- whom an entry names ----------------------------------------------------

struct asked {
    struct sg_turn *turn;
    const char *who;
    uint32_t place; // in the roster
    uint32_t *rows; // of the index, looked up so far
};

static bool
is(const struct asked *a, const char *id)
{
    return strcmp(a->who, id) == 0;
}

static bool
owns_key(const struct asked *a, ProtobufCBinaryData key_id)
{
    const struct sg_key *key =
        sg_roster_by_id(a->turn->state, sg_pack_slice(key_id));

    return key != NULL && key->place == a->place;
}

static bool
signs(const struct asked *a, const Sgpb__Signed *document)
{
    return document != NULL && owns_key(a, document->key_id);
}

// "SUBSCRIBER/name"
static bool
subscribes(const struct asked *a, const char *subscription)
{
    size_t len = strlen(a->who);

    return strncmp(subscription, a->who, len) == 0 && subscription[len] == '/';
}

static bool
provides_flow(const struct asked *a, uint32_t flow)
{
    return flow != 0 &&
           is(a, sg_state_flow(a->turn->state, flow)->terms->provider);
}

// Body of an entry that this one names; NULL: not there.
static const void *
named_entry(const struct asked *a, uint64_t seq,
            const ProtobufCMessageDescriptor *type)
{
    const struct sg_lookup *lookup = &a->turn->core->options.lookup;
    struct sg_slice body;

    return lookup->entry(lookup->ctx, seq, a->turn->arena, &body)
               ? sg_pack_open(a->turn->arena, type, body)
               : NULL;
}

// The release may have left memory: then its entry says whose flow it is of.
static bool
provides_at(const struct asked *a, uint64_t seq)
{
    const struct sg_state *state = a->turn->state;
    uint32_t release = sg_state_release_at(state, seq);

    if (release != 0)
        return provides_flow(a, sg_state_release(state, release)->flow);
    const Sgpb__Accepted *body =
        named_entry(a, seq, &sgpb__accepted__descriptor);
    return body != NULL &&
           provides_flow(
               a, sg_state_find(state->flow_of, sg_slice_text(body->flow)));
}

// The subscription of the delivery, which may have left memory. 0: none of ours.
static uint32_t
taker(const struct asked *a, ProtobufCBinaryData id)
{
    const struct sg_state *state = a->turn->state;
    uint32_t index = sg_state_find(state->delivery_of, sg_pack_slice(id));

    if (index != 0)
        return sg_state_delivery(state, index)->subscription;
    if (id.len != 16)
        return 0;
    ++*a->rows;
    return sg_cold_taker(state, id.data, &index) == SG_OK ? index : 0;
}

// He takes it, or the flow is his.
static bool
delivers(const struct asked *a, ProtobufCBinaryData id)
{
    uint32_t index = taker(a, id);

    if (index == 0)
        return false;
    const struct sg_subscription *to =
        sg_state_subscription(a->turn->state, index);
    return is(a, to->doc->subscriber) || provides_flow(a, to->flow);
}

// Keys of one rendition, for several recipients: how many others have theirs,
// and when, is the provider's alone to know (S44).
static bool
delivers_all(const struct asked *a, const ProtobufCBinaryData *ids,
             size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!delivers(a, ids[i]))
            return false;
    return count > 0;
}

static bool
controls(const struct asked *a, const char *agreement)
{
    uint32_t index =
        sg_state_find(a->turn->state->agreement_of, sg_slice_text(agreement));

    return index != 0 &&
           is(a, sg_state_agreement(a->turn->state, index)->doc->controller);
}

// The roster lists everybody, and everybody may have it.
static bool
in_roster(const struct asked *a, const void *opened)
{
    (void)a, (void)opened;
    return true;
}

static bool
in_terms(const struct asked *a, const void *opened)
{
    const Sgpb__TermsEntry *body = opened;

    const Sgpb__FlowTerms *terms =
        body->terms == NULL
            ? NULL
            : sg_pack_open(a->turn->arena, &sgpb__flow_terms__descriptor,
                           sg_pack_slice(body->terms->body));
    return terms != NULL && is(a, terms->provider);
}

static bool
in_policy(const struct asked *a, const void *opened)
{
    const Sgpb__PolicyEntry *body = opened;

    return signs(a, body->bundle);
}

static bool
in_approval(const struct asked *a, const void *opened)
{
    const Sgpb__ApprovalEntry *body = opened;

    return signs(a, body->approval);
}

static bool
in_structure(const struct asked *a, const void *opened)
{
    const Sgpb__StructureEntry *body = opened;

    return is(a, body->by);
}

static bool
in_flow_closed(const struct asked *a, const void *opened)
{
    const Sgpb__FlowClosed *body = opened;

    return is(a, body->by);
}

static bool
in_key_revoked(const struct asked *a, const void *opened)
{
    const Sgpb__KeyRevoked *body = opened;

    return owns_key(a, body->key_id);
}

static bool
in_accepted(const struct asked *a, const void *opened)
{
    const Sgpb__Accepted *body = opened;

    return is(a, body->publisher);
}

static bool
in_refused(const struct asked *a, const void *opened)
{
    const Sgpb__Refused *body = opened;

    return is(a, body->publisher);
}

static bool
in_recall(const struct asked *a, const void *opened)
{
    const Sgpb__RecallEntry *body = opened;

    return provides_at(a, body->release);
}

static bool
in_object_made(const struct asked *a, const void *opened)
{
    const Sgpb__ObjectMade *body = opened;

    for (size_t i = 0; i < body->n_sources; i++)
        if (provides_at(a, body->sources[i]))
            return true;
    return false;
}

static bool
in_destroyed(const struct asked *a, const void *opened)
{
    const Sgpb__Destroyed *body = opened;
    struct sg_release release;

    for (size_t i = 0; i < body->n_manifests; i++)
        if (body->manifests[i].len == 32 &&
            sg_release_named(a->turn->state, body->manifests[i].data,
                             &release) == SG_OK &&
            provides_flow(a, release.flow))
            return true;
    // A rendition that is gone is known by its entry alone.
    for (size_t i = 0; i < body->n_objects; i++) {
        const void *made =
            named_entry(a, body->objects[i], &sgpb__object_made__descriptor);
        if (made != NULL && in_object_made(a, made))
            return true;
    }
    return false;
}

static bool
in_subscription(const struct asked *a, const void *opened)
{
    const Sgpb__SubscriptionEntry *body = opened;

    return subscribes(a, body->id);
}

static bool
in_subscription_ended(const struct asked *a, const void *opened)
{
    const Sgpb__SubscriptionEnded *body = opened;

    return subscribes(a, body->id);
}

// One entry holds the verdicts on all recipients with what they rest on: it is
// the provider's alone. A recipient has what he may know in the statement of
// his delivery (S44).
static bool
in_decision(const struct asked *a, const void *opened)
{
    const Sgpb__Decision *body = opened;

    return provides_at(a, body->release);
}

static bool
in_delivery(const struct asked *a, const void *opened)
{
    const Sgpb__DeliveryEntry *body = opened;

    uint32_t index = sg_state_find(a->turn->state->subscription_of,
                                   sg_slice_text(body->subscription));

    return subscribes(a, body->subscription) ||
           (index != 0 &&
            provides_flow(a,
                          sg_state_subscription(a->turn->state, index)->flow));
}

static bool
in_key_released(const struct asked *a, const void *opened)
{
    const Sgpb__KeyReleased *body = opened;

    return delivers_all(a, body->deliveries, body->n_deliveries);
}

static bool
in_key_cancelled(const struct asked *a, const void *opened)
{
    const Sgpb__KeyCancelled *body = opened;

    return delivers_all(a, body->deliveries, body->n_deliveries);
}

static bool
in_receipt_ack(const struct asked *a, const void *opened)
{
    const Sgpb__ReceiptAckEntry *body = opened;

    const Sgpb__ReceiptAck *ack =
        body->ack == NULL
            ? NULL
            : sg_pack_open(a->turn->arena, &sgpb__receipt_ack__descriptor,
                           sg_pack_slice(body->ack->body));
    return subscribes(a, body->subscription) ||
           (ack != NULL && delivers(a, ack->delivery_id));
}

static bool
in_stopped(const struct asked *a, const void *opened)
{
    const Sgpb__DeliveryStopped *body = opened;

    return delivers(a, body->delivery_id);
}

static bool
in_duty(const struct asked *a, const void *opened)
{
    const Sgpb__Duty *body = opened;

    return delivers(a, body->delivery_id);
}

static bool
in_agreement(const struct asked *a, const void *opened)
{
    const Sgpb__AgreementEntry *body = opened;

    const Sgpb__ConsentAgreement *doc =
        body->agreement == NULL
            ? NULL
            : sg_pack_open(a->turn->arena, &sgpb__consent_agreement__descriptor,
                           sg_pack_slice(body->agreement->body));
    return doc != NULL && is(a, doc->controller);
}

static bool
in_consent_event(const struct asked *a, const void *opened)
{
    const Sgpb__ConsentEventEntry *body = opened;

    const Sgpb__ConsentEvent *event =
        body->event == NULL
            ? NULL
            : sg_pack_open(a->turn->arena, &sgpb__consent_event__descriptor,
                           sg_pack_slice(body->event->body));
    return is(a, body->by) || (event != NULL && controls(a, event->agreement));
}

// The statement answers an event; it concerns whom the event concerns.
static bool
in_statement(const struct asked *a, const void *opened)
{
    const Sgpb__StatementEntry *body = opened;

    const struct sg_lookup *lookup = &a->turn->core->options.lookup;
    const Sgpb__Statement *doc =
        body->statement == NULL
            ? NULL
            : sg_pack_open(a->turn->arena, &sgpb__statement__descriptor,
                           sg_pack_slice(body->statement->body));
    struct sg_slice event;
    if (doc == NULL ||
        !lookup->entry(lookup->ctx, doc->event_index, a->turn->arena, &event))
        return false;
    const void *of = sg_pack_open(
        a->turn->arena, &sgpb__consent_event_entry__descriptor, event);
    return of != NULL && in_consent_event(a, of);
}

static bool
in_payload_read(const struct asked *a, const void *opened)
{
    const Sgpb__PayloadRead *body = opened;

    return is(a, body->by);
}

static bool
in_admin_act(const struct asked *a, const void *opened)
{
    const Sgpb__AdminAct *body = opened;

    return is(a, body->by);
}

static bool
in_aggregate(const struct asked *a, const void *opened)
{
    const Sgpb__RefusedAggregate *body = opened;

    return is(a, body->participant);
}

static bool
in_testimony(const struct asked *a, const void *opened)
{
    const Sgpb__Testimony *body = opened;

    return is(a, body->participant);
}

// A type without a row is the auditors' alone: genesis and epochs, activations,
// starts, stops and snapshots name nobody.
static const struct {
    enum sg_entry_type type;
    const ProtobufCMessageDescriptor *body;
    bool (*names)(const struct asked *a, const void *opened);
} rows[] = {
    {SG_ENTRY_ROSTER, &sgpb__roster_entry__descriptor, in_roster},
    {SG_ENTRY_TERMS, &sgpb__terms_entry__descriptor, in_terms},
    {SG_ENTRY_POLICY, &sgpb__policy_entry__descriptor, in_policy},
    {SG_ENTRY_APPROVAL, &sgpb__approval_entry__descriptor, in_approval},
    {SG_ENTRY_STRUCTURE, &sgpb__structure_entry__descriptor, in_structure},
    {SG_ENTRY_FLOW_CLOSED, &sgpb__flow_closed__descriptor, in_flow_closed},
    {SG_ENTRY_KEY_REVOKED, &sgpb__key_revoked__descriptor, in_key_revoked},
    {SG_ENTRY_ACCEPTED, &sgpb__accepted__descriptor, in_accepted},
    {SG_ENTRY_REFUSED, &sgpb__refused__descriptor, in_refused},
    {SG_ENTRY_CONFLICT, &sgpb__refused__descriptor, in_refused},
    {SG_ENTRY_RECALL, &sgpb__recall_entry__descriptor, in_recall},
    {SG_ENTRY_DESTROYED, &sgpb__destroyed__descriptor, in_destroyed},
    {SG_ENTRY_OBJECT_MADE, &sgpb__object_made__descriptor, in_object_made},
    {SG_ENTRY_SUBSCRIPTION, &sgpb__subscription_entry__descriptor,
     in_subscription},
    {SG_ENTRY_SUBSCRIPTION_ENDED, &sgpb__subscription_ended__descriptor,
     in_subscription_ended},
    {SG_ENTRY_DECISION, &sgpb__decision__descriptor, in_decision},
    {SG_ENTRY_DELIVERY, &sgpb__delivery_entry__descriptor, in_delivery},
    {SG_ENTRY_KEY_RELEASED, &sgpb__key_released__descriptor, in_key_released},
    {SG_ENTRY_KEY_CANCELLED, &sgpb__key_cancelled__descriptor,
     in_key_cancelled},
    {SG_ENTRY_RECEIPT_ACK, &sgpb__receipt_ack_entry__descriptor,
     in_receipt_ack},
    {SG_ENTRY_PARKED, &sgpb__delivery_stopped__descriptor, in_stopped},
    {SG_ENTRY_STOPPED, &sgpb__delivery_stopped__descriptor, in_stopped},
    {SG_ENTRY_UNPARKED, &sgpb__delivery_stopped__descriptor, in_stopped},
    {SG_ENTRY_EXPIRED, &sgpb__delivery_stopped__descriptor, in_stopped},
    {SG_ENTRY_DUTY_OWED, &sgpb__duty__descriptor, in_duty},
    {SG_ENTRY_DUTY_MET, &sgpb__duty__descriptor, in_duty},
    {SG_ENTRY_DUTY_MISSED, &sgpb__duty__descriptor, in_duty},
    {SG_ENTRY_AGREEMENT, &sgpb__agreement_entry__descriptor, in_agreement},
    {SG_ENTRY_CONSENT_EVENT, &sgpb__consent_event_entry__descriptor,
     in_consent_event},
    {SG_ENTRY_STATEMENT, &sgpb__statement_entry__descriptor, in_statement},
    {SG_ENTRY_PAYLOAD_READ, &sgpb__payload_read__descriptor, in_payload_read},
    {SG_ENTRY_ADMIN_ACT, &sgpb__admin_act__descriptor, in_admin_act},
    {SG_ENTRY_REFUSED_AGGREGATE, &sgpb__refused_aggregate__descriptor,
     in_aggregate},
    {SG_ENTRY_TESTIMONY, &sgpb__testimony__descriptor, in_testimony},
};

static bool
names(const struct asked *a, struct sg_slice raw)
{
    struct sg_entry entry;

    if (sg_entry_decode(raw, &entry) != SG_OK)
        return false;
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        if ((uint16_t)rows[i].type != entry.type)
            continue;
        const void *body =
            sg_pack_open(a->turn->arena, rows[i].body, entry.body);
        return body != NULL && rows[i].names(a, body);
    }
    return false;
}

// ---- a page of them ---------------------------------------------------------

struct page {
    Sgpb__Entries reply;
    size_t bytes, looked_bytes, used; // used: of the arena, before
    uint32_t looked, rows, most;
};

// An entry that fits no page goes in parts. false: the offset lies behind it.
static bool
put_part(struct page *page, uint64_t seq, struct sg_slice raw, uint64_t offset)
{
    size_t left;

    if (offset >= raw.len)
        return false;
    left = raw.len - (size_t)offset;
    if (left > PAGE_BYTES)
        left = PAGE_BYTES;
    page->reply.raw[page->reply.n_raw++] =
        sg_pack_bytes(raw.ptr + offset, left);
    page->reply.size = raw.len;
    page->reply.next = offset + left == raw.len ? seq + 1 : seq;
    return true;
}

static bool
page_full(const struct asked *a, const struct page *page)
{
    return sg_arena_used(a->turn->arena) - page->used >= SCAN_MEMORY ||
           page->reply.n_raw >= page->most || page->looked >= SCAN_MAX ||
           page->looked_bytes >= SCAN_BYTES || page->rows >= SCAN_ROWS;
}

// false: an answer cannot be given; *err says why.
static bool
fill(const struct asked *a, const Sgpb__EntriesGet *get, bool all,
     struct page *page, enum sg_err *err)
{
    const struct sg_lookup *lookup = &a->turn->core->options.lookup;
    uint64_t seq = get->from;

    for (; seq < a->turn->core->durable && !page_full(a, page); seq++) {
        struct sg_slice raw;
        if (!lookup->raw(lookup->ctx, seq, a->turn->arena, &raw)) {
            *err = SG_ERR_NOT_FOUND; // moved to an archive
            page->reply.next = seq;
            return page->looked > 0;
        }
        page->looked++;
        page->looked_bytes += raw.len;
        if (!all && !names(a, raw))
            continue;
        *err = SG_ERR_PEER_MALFORMED;
        if (page->reply.n_raw == 0 && (get->offset > 0 || raw.len > PAGE_BYTES))
            return put_part(page, seq, raw, get->offset);
        if (page->bytes + raw.len > PAGE_BYTES)
            break;
        page->bytes += raw.len + 8;
        page->reply.raw[page->reply.n_raw++] = sg_pack_bytes(raw.ptr, raw.len);
    }
    page->reply.next = seq;
    return true;
}

void
sg_entries_get(struct sg_turn *turn)
{
    const Sgpb__EntriesGet *get = turn->envelope->entries_get;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    struct page page = {.reply = SGPB__ENTRIES__INIT, .most = COUNT_MAX};
    struct asked a = {turn, turn->who->id, turn->key->place, &page.rows};
    enum sg_err err = SG_ERR_UNSUPPORTED;

    if (get->count != 0 && get->count < page.most)
        page.most = get->count;
    page.reply.raw = sg_turn_take(turn, page.most * sizeof *page.reply.raw);
    page.reply.durable = turn->core->durable;
    page.used = sg_arena_used(turn->arena);
    bool filled =
        turn->core->options.lookup.raw != NULL &&
        fill(&a, get, (turn->key->roles & SG_ROLE_AUDITOR) != 0, &page, &err);
    sg_tokens_looked(turn, page.looked + page.rows +
                               page.looked_bytes / BYTES_A_LOOK);
    if (!filled) {
        sg_turn_refuse(turn, err, "from");
        return;
    }
    envelope.body_case = SGPB__ENVELOPE__BODY_ENTRIES;
    envelope.entries = &page.reply;
    sg_turn_reply(turn, &envelope, SG_AFTER_NOTHING);
}
