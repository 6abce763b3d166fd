#include "schemas/proof/receipt_body.h"

#include "broker/base/crypto.h"
#include "schemas/codec/codec.h"
#include "schemas/evidence.pb-c.h"
#include "schemas/roster.pb-c.h"

// The fields that may be asked for; a kind has some of them.
enum {
    HAS_GATE = 1,
    HAS_PARTICIPANT = 2,
    HAS_FLOW = 4,
    HAS_REVISION = 8,
    HAS_MANIFEST = 16,
    HAS_REQUEST = 32,
    HAS_DELIVERY = 64,
};

struct said {
    unsigned has;
    struct sg_slice gate, participant, flow, manifest, request, delivery;
    uint64_t revision;
    uint8_t sha256[32]; // room for a digest computed here
};

struct asked {
    const struct sg_receipt_expect *expect;
    struct sg_arena *arena;
};

// ---- helpers ---------------------------------------------------------------

static void
says_gate(struct said *said, const char *gate)
{
    said->has |= HAS_GATE;
    said->gate = sg_slice_text(gate);
}

static void
says_participant(struct said *said, struct sg_slice id)
{
    said->has |= HAS_PARTICIPANT;
    said->participant = id;
}

static void
says_flow(struct said *said, const char *flow)
{
    said->has |= HAS_FLOW;
    said->flow = sg_slice_text(flow);
}

static void
says_revision(struct said *said, uint64_t revision)
{
    said->has |= HAS_REVISION;
    said->revision = revision;
}

static void
says_manifest(struct said *said, ProtobufCBinaryData sha256)
{
    said->has |= HAS_MANIFEST;
    said->manifest = sg_codec_slice(sha256);
}

static void
says_delivery(struct said *said, ProtobufCBinaryData id)
{
    said->has |= HAS_DELIVERY;
    said->delivery = sg_codec_slice(id);
}

// The digest of a signed document stands for it.
static void
says_document(struct said *said, ProtobufCBinaryData body)
{
    sg_crypto_sha256(body.data, body.len, said->sha256);
    said->has |= HAS_MANIFEST;
    said->manifest = sg_slice_of(said->sha256, sizeof said->sha256);
}

// SUBSCRIBER of "SUBSCRIBER/name".
static void
says_subscriber(struct said *said, const char *subscription)
{
    const char *slash = strchr(subscription, '/');

    says_participant(
        said, slash == NULL
                  ? (struct sg_slice){NULL, 0}
                  : sg_slice_of(subscription, (size_t)(slash - subscription)));
}

// The document inside a signature; NULL: none, or not canonical.
static void *
inside(const struct asked *asked, const ProtobufCMessageDescriptor *type,
       const Sgpb__Signed *document)
{
    void *out = NULL;

    if (document == NULL ||
        sg_codec_unpack(type, sg_codec_slice(document->body), asked->arena,
                        &out) != SG_OK)
        return NULL;
    return out;
}

static void *
inside_two(const struct asked *asked, const ProtobufCMessageDescriptor *type,
           const Sgpb__TwoSigned *document)
{
    void *out = NULL;

    if (document == NULL ||
        sg_codec_unpack(type, sg_codec_slice(document->body), asked->arena,
                        &out) != SG_OK)
        return NULL;
    return out;
}

// ---- one function a kind; false: not a body of it ----------------------------

static bool
say_accepted(const void *message, const struct asked *asked, struct said *said)
{
    const Sgpb__Accepted *body = message;

    (void)asked;
    says_gate(said, body->gate);
    says_participant(said, sg_slice_text(body->publisher));
    says_flow(said, body->flow);
    says_revision(said, body->revision);
    says_manifest(said, body->manifest_sha256);
    said->has |= HAS_REQUEST;
    said->request = sg_codec_slice(body->request_id);
    return true;
}

static bool
say_refused(const void *message, const struct asked *asked, struct said *said)
{
    const Sgpb__Refused *body = message;

    (void)asked;
    says_gate(said, body->gate);
    says_participant(said, sg_slice_text(body->publisher));
    says_flow(said, body->flow);
    says_revision(said, body->revision);
    says_manifest(said, body->manifest_sha256);
    said->has |= HAS_REQUEST;
    said->request = sg_codec_slice(body->request_id);
    return true;
}

static bool
say_receipt_ack(const void *message, const struct asked *asked,
                struct said *said)
{
    const Sgpb__ReceiptAckEntry *body = message;
    const Sgpb__ReceiptAck *ack =
        inside(asked, &sgpb__receipt_ack__descriptor, body->ack);

    if (ack == NULL)
        return false;
    says_subscriber(said, body->subscription);
    says_manifest(said, ack->manifest_sha256);
    says_delivery(said, ack->delivery_id);
    return true;
}

static bool
say_subscription(const void *message, const struct asked *asked,
                 struct said *said)
{
    const Sgpb__SubscriptionEntry *body = message;
    const Sgpb__Subscription *subscription =
        inside(asked, &sgpb__subscription__descriptor, body->subscription);

    if (subscription == NULL)
        return false;
    says_gate(said, subscription->gate);
    says_participant(said, sg_slice_text(subscription->subscriber));
    says_flow(said, subscription->flow);
    says_document(said, body->subscription->body);
    return true;
}

static bool
say_subscription_ended(const void *message, const struct asked *asked,
                       struct said *said)
{
    const Sgpb__SubscriptionEnded *body = message;

    (void)asked;
    says_subscriber(said, body->id);
    return true;
}

static bool
say_terms(const void *message, const struct asked *asked, struct said *said)
{
    const Sgpb__TermsEntry *body = message;
    const Sgpb__FlowTerms *terms =
        inside_two(asked, &sgpb__flow_terms__descriptor, body->terms);

    if (terms == NULL)
        return false;
    says_participant(said, sg_slice_text(terms->provider));
    says_flow(said, terms->flow);
    says_document(said, body->terms->body);
    return true;
}

static bool
say_flow_closed(const void *message, const struct asked *asked,
                struct said *said)
{
    const Sgpb__FlowClosed *body = message;

    (void)asked;
    says_participant(said, sg_slice_text(body->by));
    says_flow(said, body->flow);
    return true;
}

static bool
say_roster(const void *message, const struct asked *asked, struct said *said)
{
    const Sgpb__RosterEntry *body = message;

    (void)asked;
    says_revision(said, body->version);
    says_manifest(said, body->sha256);
    return true;
}

static bool
say_policy(const void *message, const struct asked *asked, struct said *said)
{
    const Sgpb__PolicyEntry *body = message;

    (void)asked;
    says_manifest(said, body->sha256);
    return true;
}

static bool
say_structure(const void *message, const struct asked *asked, struct said *said)
{
    const Sgpb__StructureEntry *body = message;

    (void)asked;
    says_participant(said, sg_slice_text(body->by));
    says_manifest(said, body->sha256);
    return true;
}

static bool
say_approval(const void *message, const struct asked *asked, struct said *said)
{
    const Sgpb__ApprovalEntry *body = message;
    const Sgpb__Approval *approval =
        inside(asked, &sgpb__approval__descriptor, body->approval);

    if (approval == NULL)
        return false;
    says_gate(said, approval->gate);
    says_document(said, body->approval->body);
    return true;
}

static bool
say_key_revoked(const void *message, const struct asked *asked,
                struct said *said)
{
    const Sgpb__KeyRevoked *body = message;
    const Sgpb__Revocation *revocation =
        inside(asked, &sgpb__revocation__descriptor, body->revocation);

    if (revocation == NULL)
        return false;
    says_gate(said, revocation->gate);
    says_document(said, body->revocation->body);
    return true;
}

static bool
say_recall(const void *message, const struct asked *asked, struct said *said)
{
    const Sgpb__RecallEntry *body = message;
    const Sgpb__RecallOrder *order =
        inside(asked, &sgpb__recall_order__descriptor, body->order);

    if (order == NULL)
        return false;
    says_flow(said, order->flow);
    says_revision(said, order->revision);
    says_document(said, body->order->body);
    return true;
}

static bool
say_agreement(const void *message, const struct asked *asked, struct said *said)
{
    const Sgpb__AgreementEntry *body = message;
    const Sgpb__ConsentAgreement *agreement = inside_two(
        asked, &sgpb__consent_agreement__descriptor, body->agreement);

    if (agreement == NULL)
        return false;
    says_participant(said, sg_slice_text(agreement->controller));
    says_revision(said, agreement->revision);
    says_document(said, body->agreement->body);
    return true;
}

static bool
say_consent_event(const void *message, const struct asked *asked,
                  struct said *said)
{
    const Sgpb__ConsentEventEntry *body = message;

    if (inside(asked, &sgpb__consent_event__descriptor, body->event) == NULL)
        return false;
    says_participant(said, sg_slice_text(body->by));
    says_document(said, body->event->body);
    return true;
}

static bool
say_statement(const void *message, const struct asked *asked, struct said *said)
{
    const Sgpb__StatementEntry *body = message;
    const Sgpb__Statement *statement =
        inside(asked, &sgpb__statement__descriptor, body->statement);

    if (statement == NULL)
        return false;
    says_gate(said, statement->gate);
    says_document(said, body->statement->body);
    return true;
}

static bool
say_delivery(const void *message, const struct asked *asked, struct said *said)
{
    const Sgpb__DeliveryEntry *body = message;
    const Sgpb__Delivery *delivery =
        inside(asked, &sgpb__delivery__descriptor, body->delivery);

    if (delivery == NULL)
        return false;
    says_gate(said, delivery->gate);
    says_participant(said, sg_slice_text(delivery->subscriber));
    says_manifest(said, delivery->manifest_sha256);
    says_delivery(said, delivery->delivery_id);
    return true;
}

// Until the one that is asked for is found: equal to no delivery id, and not
// to the expectation of none either.
static void
names_no_delivery(struct said *said)
{
    said->has |= HAS_DELIVERY;
    said->delivery = SG_SLICE("none");
}

// Entries about several deliveries: the one that is asked for must be among
// them.
static bool
say_decision(const void *message, const struct asked *asked, struct said *said)
{
    const Sgpb__Decision *body = message;

    said->has |= HAS_PARTICIPANT;
    names_no_delivery(said);
    for (size_t i = 0; i < body->n_deliveries; i++) {
        const Sgpb__DeliveryVerdict *one = body->deliveries[i];
        if (!sg_slice_eq(sg_codec_slice(one->delivery_id),
                         asked->expect->delivery_id))
            continue;
        says_delivery(said, one->delivery_id);
        says_subscriber(said, one->subscription);
        break;
    }
    return true;
}

static bool
say_key_released(const void *message, const struct asked *asked,
                 struct said *said)
{
    const Sgpb__KeyReleased *body = message;

    names_no_delivery(said);
    for (size_t i = 0; i < body->n_deliveries; i++) {
        if (sg_slice_eq(sg_codec_slice(body->deliveries[i]),
                        asked->expect->delivery_id))
            says_delivery(said, body->deliveries[i]);
    }
    return true;
}

static bool
say_testimony(const void *message, const struct asked *asked, struct said *said)
{
    const Sgpb__Testimony *body = message;

    (void)asked;
    says_participant(said, sg_slice_text(body->participant));
    return true;
}

static const struct kind {
    enum sg_entry_type type;
    const ProtobufCMessageDescriptor *body;
    bool (*say)(const void *message, const struct asked *asked,
                struct said *said);
} kinds[] = {
    {SG_ENTRY_ACCEPTED, &sgpb__accepted__descriptor, say_accepted},
    {SG_ENTRY_REFUSED, &sgpb__refused__descriptor, say_refused},
    {SG_ENTRY_CONFLICT, &sgpb__refused__descriptor, say_refused},
    {SG_ENTRY_RECEIPT_ACK, &sgpb__receipt_ack_entry__descriptor,
     say_receipt_ack},
    {SG_ENTRY_SUBSCRIPTION, &sgpb__subscription_entry__descriptor,
     say_subscription},
    {SG_ENTRY_SUBSCRIPTION_ENDED, &sgpb__subscription_ended__descriptor,
     say_subscription_ended},
    {SG_ENTRY_TERMS, &sgpb__terms_entry__descriptor, say_terms},
    {SG_ENTRY_FLOW_CLOSED, &sgpb__flow_closed__descriptor, say_flow_closed},
    {SG_ENTRY_ROSTER, &sgpb__roster_entry__descriptor, say_roster},
    {SG_ENTRY_POLICY, &sgpb__policy_entry__descriptor, say_policy},
    {SG_ENTRY_APPROVAL, &sgpb__approval_entry__descriptor, say_approval},
    {SG_ENTRY_STRUCTURE, &sgpb__structure_entry__descriptor, say_structure},
    {SG_ENTRY_KEY_REVOKED, &sgpb__key_revoked__descriptor, say_key_revoked},
    {SG_ENTRY_RECALL, &sgpb__recall_entry__descriptor, say_recall},
    {SG_ENTRY_AGREEMENT, &sgpb__agreement_entry__descriptor, say_agreement},
    {SG_ENTRY_CONSENT_EVENT, &sgpb__consent_event_entry__descriptor,
     say_consent_event},
    {SG_ENTRY_STATEMENT, &sgpb__statement_entry__descriptor, say_statement},
    {SG_ENTRY_DELIVERY, &sgpb__delivery_entry__descriptor, say_delivery},
    {SG_ENTRY_DECISION, &sgpb__decision__descriptor, say_decision},
    {SG_ENTRY_KEY_RELEASED, &sgpb__key_released__descriptor, say_key_released},
    {SG_ENTRY_TESTIMONY, &sgpb__testimony__descriptor, say_testimony},
};

// ---- comparing -------------------------------------------------------------

// What a body does not have cannot be expected of it.
static bool
fits(bool has, struct sg_slice said, struct sg_slice expected)
{
    return has ? sg_slice_eq(said, expected) : expected.len == 0;
}

// The first field that differs; NULL: none.
static const char *
difference(const struct said *said, const struct sg_receipt_expect *expect)
{
    // The gate is always expected; where the body does not name it the origin
    // of the checkpoint does.
    if ((said->has & HAS_GATE) != 0 && !sg_slice_eq(said->gate, expect->gate))
        return "gate";
    if (!fits((said->has & HAS_PARTICIPANT) != 0, said->participant,
              expect->participant))
        return "participant";
    if (!fits((said->has & HAS_FLOW) != 0, said->flow, expect->flow))
        return "flow";
    if (said->revision != expect->revision)
        return "revision";
    if (!fits((said->has & HAS_MANIFEST) != 0, said->manifest,
              expect->manifest_sha256) ||
        ((said->has & HAS_MANIFEST) != 0 && said->manifest.len != 32))
        return "manifest_sha256";
    if (!fits((said->has & HAS_REQUEST) != 0, said->request,
              expect->request_id))
        return "request_id";
    if (!fits((said->has & HAS_DELIVERY) != 0, said->delivery,
              expect->delivery_id))
        return "delivery_id";
    return NULL;
}

void
sg_receipt_body_compare(struct sg_slice body,
                        const struct sg_receipt_expect *expect,
                        struct sg_arena *arena, uint8_t *step,
                        const char **field)
{
    const struct asked asked = {expect, arena};
    const struct kind *kind = NULL;
    struct said said = {0};
    void *message = NULL;

    for (size_t i = 0; i < SG_COUNT_OF(kinds) && kind == NULL; i++) {
        if (kinds[i].type == expect->kind)
            kind = &kinds[i];
    }
    *step = 2;
    *field = "body";
    if (kind == NULL ||
        sg_codec_unpack(kind->body, body, arena, &message) != SG_OK ||
        !kind->say(message, &asked, &said))
        return;
    const char *differs = difference(&said, expect);
    *step = differs == NULL ? 0 : 3;
    *field = differs == NULL ? "" : differs;
}
