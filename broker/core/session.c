#include "broker/core/session.h"

#include "broker/core/consented.h"
#include "broker/core/deliver.h"
#include "broker/core/entries.h"
#include "broker/core/flow.h"
#include "broker/core/gap.h"
#include "broker/core/objects.h"
#include "broker/core/policy_admin.h"
#include "broker/core/publish.h"
#include "broker/core/refuse.h"
#include "broker/core/release.h"
#include "broker/core/restored.h"
#include "broker/core/roster.h"
#include "broker/core/share.h"
#include "broker/core/status.h"
#include "broker/core/subscribe.h"
#include "broker/core/tokens.h"
#include "broker/core/upload.h"

enum {
    CREDIT_EACH = 4 * SG_LIMIT_CHUNK, // a publisher keeps the link busy
    SILENT_US = 10000000,    // longer than a chunk takes on a slow link
    SILENT_SAME_US = 500000, // of the key that speaks: most likely it ended
    SEND_BYTES_MAX = 64 * 1024 * 1024,
    SEND_MESSAGES_MAX = 65536,
    REPLY_MESSAGES = 64,
};

static void hello(struct sg_turn *turn);
static void testify(struct sg_turn *turn);
static void
grant(struct sg_turn *turn)
{
    sg_deliver_pump(turn, turn->session);
}

// What a peer may ask, and with which role of its transport key (0: any). What
// it brings to be judged has a name: a refusal of it is recorded. A restored gate
// that waits (restored.h) reads out and takes what forbids; the rest is LATER. A
// new message is a new row.
enum { NOW, LATER };
struct row {
    Sgpb__Envelope__BodyCase body;
    uint8_t roles;
    uint8_t restored;   // NOW, LATER
    bool asks;          // a question (tokens.h)
    const char *judged; // or NULL
    void (*handle)(struct sg_turn *turn);
};
#define ROW(name, roles, restored, handle)                                     \
    {                                                                          \
        SGPB__ENVELOPE__BODY_##name, roles, restored, false, NULL, handle      \
    }
#define ASK(name, roles, restored, handle)                                     \
    {                                                                          \
        SGPB__ENVELOPE__BODY_##name, roles, restored, true, NULL, handle       \
    }
#define JUDGED(name, roles, restored, handle)                                  \
    {                                                                          \
        SGPB__ENVELOPE__BODY_##name, roles, restored, false, #name, handle     \
    }
static const struct row rows[] = {
    JUDGED(HELLO, 0, NOW, hello),
    ROW(GRANT, 0, NOW, grant),
    ASK(ROSTER_GET, 0, NOW, sg_roster_get),
    JUDGED(ROSTER_PUT, SG_ROLE_OPERATOR, NOW, sg_roster_put),
    JUDGED(REVOKE, 0, NOW, sg_roster_revoke), // the root signature is the right
    ASK(CATALOGUE_GET, 0, NOW, sg_status_catalogue),
    JUDGED(FLOW_PUT, SG_ROLE_PUBLISHER, LATER, sg_flow_put),
    ASK(FLOW_GET, 0, NOW, sg_flow_get),
    JUDGED(FLOW_CLOSE, SG_ROLE_PUBLISHER, LATER, sg_flow_close),
    JUDGED(OBJECT_PUT, SG_ROLE_PUBLISHER | SG_ROLE_POLICY_ADMIN, LATER,
           sg_upload_put),
    ASK(OBJECT_GET, 0, NOW, sg_objects_get), // which kinds for whom: objects.c
    JUDGED(CHUNK, SG_ROLE_PUBLISHER | SG_ROLE_POLICY_ADMIN, LATER,
           sg_upload_chunk),
    JUDGED(PUBLISH, SG_ROLE_PUBLISHER, LATER, sg_publish_batch),
    JUDGED(PUBLISH_BEGIN, SG_ROLE_PUBLISHER, LATER, sg_publish_begin),
    ASK(PUBLISH_STATUS, SG_ROLE_PUBLISHER, NOW, sg_publish_status),
    ASK(REPORT_GET, SG_ROLE_PUBLISHER, NOW, sg_publish_report),
    JUDGED(RECALL, SG_ROLE_PUBLISHER, NOW, sg_release_recall),
    JUDGED(SUBSCRIBE, SG_ROLE_SUBSCRIBER, LATER, sg_subscribe_put),
    JUDGED(UNSUBSCRIBE, SG_ROLE_SUBSCRIBER, LATER, sg_subscribe_end),
    ASK(SUBSCRIPTIONS_GET, SG_ROLE_SUBSCRIBER, NOW, sg_subscribe_list),
    ROW(ATTACH, SG_ROLE_SUBSCRIBER, LATER, sg_deliver_attach),
    ROW(DELIVERY_READY, SG_ROLE_SUBSCRIBER, LATER, sg_deliver_ready),
    ASK(GAP_GET, SG_ROLE_SUBSCRIBER, NOW, sg_gap_get),
    JUDGED(DELIVERY_RECEIPT, SG_ROLE_SUBSCRIBER, LATER, sg_deliver_receipt),
    JUDGED(AGREEMENT_PUT, SG_ROLE_CONSENT, LATER, sg_consented_agreement),
    JUDGED(CONSENT, SG_ROLE_CONSENT, NOW, sg_consented_events),
    ASK(CONSENT_GET, 0, NOW, sg_consented_get),
    ASK(CONSENT_RECORD_GET, SG_ROLE_CONSENT, NOW, sg_consented_record),
    JUDGED(POLICY_APPROVE, SG_ROLE_POLICY_ADMIN, LATER, sg_policy_approve),
    ASK(POLICY_GET, 0, NOW, sg_policy_get),
    ASK(WHY, 0, NOW, sg_status_why),
    ASK(STATUS_GET, SG_ROLE_OPERATOR | SG_ROLE_AUDITOR, NOW, sg_status_get),
    ASK(CHECKPOINT_GET, 0, NOW, sg_status_checkpoint),
    ASK(ENTRIES_GET, 0, NOW, sg_entries_get), // who may see which: entries.c
    JUDGED(TESTIFY, 0, NOW, testify),
};
#undef ROW
#undef ASK
#undef JUDGED

static struct sg_slice
routing_slice(const struct sg_routing *peer)
{
    return sg_slice_of(peer->bytes, peer->len);
}

struct sg_session *
sg_session_find(struct sg_core *core, const struct sg_routing *peer)
{
    uint32_t index = sg_state_find(core->session_of, routing_slice(peer));

    return index == 0 ? NULL : sg_pool_at(core->sessions, index);
}

struct sg_session *
sg_session_of(struct sg_core *core, uint32_t subscription)
{
    uint8_t key[8];

    sg_bytes_store_u64(key, subscription);
    uint32_t index =
        sg_state_find(core->attached, sg_slice_of(key, sizeof key));
    return index == 0 ? NULL : sg_pool_at(core->sessions, index);
}

void
sg_session_attach(struct sg_turn *turn, uint32_t subscription)
{
    struct sg_core *core = turn->core;
    uint8_t key[8];

    sg_bytes_store_u64(key, subscription);
    uint32_t index =
        sg_state_find(core->session_of, routing_slice(&turn->session->peer));
    enum sg_err err =
        sg_table_put(core->attached, sg_slice_of(key, sizeof key), index);
    SG_ASSERT(err == SG_OK); // as many as subscriptions
}

// Takes what the session holds away; the deliveries it was sent go on with the
// next one that attaches.
static void
end(struct sg_core *core, uint32_t index)
{
    struct sg_session *session = sg_pool_at(core->sessions, index);
    struct sg_slice name;
    uint64_t value;
    uint32_t at = 0;

    while (sg_table_next(core->attached, &at, &name, &value))
        if (value == index)
            sg_table_remove(core->attached, name);
    core->credit_used -= session->granted;
    sg_table_remove(core->session_of, routing_slice(&session->peer));
    sg_pool_give(core->sessions, index);
}

void
sg_session_gone(struct sg_turn *turn, const struct sg_routing *peer)
{
    uint32_t index = sg_state_find(turn->core->session_of, routing_slice(peer));

    if (index != 0)
        end(turn->core, index);
}

// The oldest of this key, so that who fills all places loses his own; else of
// all.
static uint32_t
oldest(const struct sg_core *core, const uint8_t curve_key[32])
{
    uint32_t found = 0, own = 0;
    uint64_t seen = UINT64_MAX, own_seen = UINT64_MAX;

    for (uint32_t i = sg_pool_next(core->sessions, 0); i != 0;
         i = sg_pool_next(core->sessions, i)) {
        const struct sg_session *session = sg_pool_at(core->sessions, i);
        if (session->seen < seen) {
            seen = session->seen;
            found = i;
        }
        if (session->seen < own_seen &&
            memcmp(session->curve_key, curve_key, 32) == 0) {
            own_seen = session->seen;
            own = i;
        }
    }
    return own != 0 ? own : found;
}

static struct sg_session *
begin(struct sg_turn *turn, const struct sg_event_message *message)
{
    struct sg_core *core = turn->core;
    uint32_t index = sg_pool_take(core->sessions);

    if (index == 0) {
        // ROUTER never says that a peer has left.
        end(core, oldest(core, message->curve_key));
        index = sg_pool_take(core->sessions);
    }
    struct sg_session *session = sg_pool_at(core->sessions, index);
    session->peer = message->from;
    memcpy(session->curve_key, message->curve_key, 32);
    session->number = ++core->sessions_made;
    enum sg_err err =
        sg_table_put(core->session_of, routing_slice(&message->from), index);
    SG_ASSERT(err == SG_OK); // as many as the pool holds
    return session;
}

// Credit of peers that have long been silent goes to who speaks now: ROUTER
// never says that a peer has left, and the pool would be held by the gone. One
// that was only silent says hello again. Looked for at most twice a second.
// Whoever starts program after program under one key gets back soon what the
// ended ones held.
static void
take_back(struct sg_turn *turn)
{
    struct sg_core *core = turn->core;

    if (turn->now < core->credit_looked + SILENT_SAME_US)
        return;
    core->credit_looked = turn->now;
    for (uint32_t i = sg_pool_next(core->sessions, 0); i != 0;
         i = sg_pool_next(core->sessions, i)) {
        struct sg_session *session = sg_pool_at(core->sessions, i);
        bool same =
            memcmp(session->curve_key, turn->session->curve_key, 32) == 0;
        if (session == turn->session || session->granted == 0 ||
            session->seen + (same ? SILENT_SAME_US : SILENT_US) > turn->now)
            continue;
        core->credit_used -= session->granted;
        session->granted = 0;
        session->greeted = false;
    }
}

// One chunk to begin with; more to who has used it.
void
sg_session_grant(struct sg_turn *turn, Sgpb__Envelope *envelope)
{
    struct sg_session *session = turn->session;
    uint64_t most = session->pays ? CREDIT_EACH : SG_LIMIT_CHUNK;

    if (!session->greeted || session->granted >= most / 2)
        return;
    if (SG_LIMIT_CREDIT_POOL - turn->core->credit_used < most)
        take_back(turn);
    uint64_t left = SG_LIMIT_CREDIT_POOL - turn->core->credit_used;
    uint64_t more = most - session->granted;
    if (more > left)
        more = left;
    session->granted += more;
    turn->core->credit_used += more;
    envelope->grant_bytes = more;
    envelope->grant_messages = REPLY_MESSAGES;
}

void
sg_session_stored(struct sg_turn *turn, const struct sg_routing *peer,
                  uint64_t bytes)
{
    struct sg_session *session = sg_session_find(turn->core, peer);

    turn->core->credit_used -= bytes;
    if (session == NULL || session->granted >= CREDIT_EACH / 2)
        return;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Grant body = SGPB__GRANT__INIT;
    envelope.body_case = SGPB__ENVELOPE__BODY_GRANT;
    envelope.grant = &body;
    turn->session = session;
    turn->envelope = NULL;
    sg_session_grant(turn, &envelope);
    if (envelope.grant_bytes > 0)
        sg_turn_send(turn, peer, &envelope, SG_AFTER_NOTHING);
}

static uint64_t
add(uint64_t have, uint64_t more, uint64_t most)
{
    return more > most - have ? most : have + more;
}

// The payload must be within the credit given; its room counts as used until it
// is stored.
static bool
pay(struct sg_session *session, size_t bytes)
{
    if (bytes > session->granted)
        return false;
    session->granted -= bytes;
    session->pays = session->pays || bytes > 0;
    return true;
}

static const struct row *
row_of(Sgpb__Envelope__BodyCase body)
{
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++)
        if (rows[i].body == body)
            return &rows[i];
    return NULL;
}

static void
route(struct sg_turn *turn)
{
    const struct row *row = row_of(turn->envelope->body_case);
    size_t bytes = turn->message->payload.len;

    if (turn->core->halted != SG_OK) {
        sg_turn_refuse(turn, turn->core->halted, NULL);
        return;
    }
    turn->judged = "";
    if (row == NULL || turn->envelope->proto != 1) {
        sg_turn_refuse(turn, SG_ERR_UNSUPPORTED, "body");
        return;
    }
    turn->judged = NULL; // it may be the gate that has forgotten
    if (row->handle != hello && !turn->session->greeted) {
        sg_turn_refuse(turn, SG_ERR_PEER_MALFORMED, "hello");
        return;
    }
    if (row->restored == LATER && turn->state->epochs.waiting) {
        sg_turn_refuse(turn, SG_ERR_RESTORED, NULL);
        return;
    }
    turn->judged = row->judged;
    if (row->roles != 0 && (turn->key->roles & row->roles) == 0) {
        sg_refuse_rights(turn, row->roles, turn->key->roles, "roles");
        return;
    }
    if (row->asks && !sg_tokens_ask(turn)) {
        sg_turn_refuse(turn, SG_ERR_PEER_RATE, NULL);
        return;
    }
    if (!pay(turn->session, bytes)) {
        sg_turn_refuse(turn, SG_ERR_BUSY, "credit");
        return;
    }
    turn->payload_left = bytes;
    row->handle(turn);
    // What the handler did not hand to the store needs no room any more.
    turn->core->credit_used -= turn->payload_left;
}

// What was said before there was a message: of a key that may speak, or was
// revoked, it is worth an entry; of one that is not yet, no more or not at the
// moment admitted it is counted.
static void
judge(struct sg_turn *turn)
{
    enum sg_err err = sg_roster_usable(turn->state, turn->key, turn->now);

    if (turn->core->halted != SG_OK)
        return; // nothing is written
    if (err == SG_OK || err == SG_ERR_PEER_REVOKED)
        turn->judged = "";
    else
        sg_refuse_count(turn, turn->who->id, err);
}

void
sg_session_message(struct sg_turn *turn, const struct sg_event *event)
{
    const struct sg_event_message *message = &event->u.message;

    turn->key = sg_roster_by_curve(turn->state, message->curve_key);
    if (turn->key == NULL) {
        turn->core->unknown_keys++; // never an answer, never an entry (S53)
        return;
    }
    turn->who = sg_roster_owner(turn->state, turn->key);
    turn->message = message;
    turn->checks = 0;
    turn->judged = NULL;
    turn->session = sg_session_find(turn->core, &message->from);
    if (turn->session != NULL &&
        memcmp(turn->session->curve_key, message->curve_key, 32) != 0) {
        sg_session_gone(turn, &message->from);
        turn->session = NULL;
    }
    if (turn->session == NULL)
        turn->session = begin(turn, message);
    turn->session->seen = turn->now;
    if (message->malformed ||
        (turn->envelope = sg_pack_open(turn->arena, &sgpb__envelope__descriptor,
                                       message->envelope)) == NULL) {
        turn->core->credit_used -= turn->session->granted;
        turn->session->granted = 0;
        turn->session->greeted = false;
        judge(turn);
        sg_turn_refuse(turn, SG_ERR_PEER_MALFORMED, NULL);
        return;
    }
    enum sg_err err = sg_roster_usable(turn->state, turn->key, turn->now);
    if (err != SG_OK) {
        judge(turn);
        sg_turn_refuse(turn, err, NULL);
        sg_output_effect(turn->output, SG_EFFECT_CLOSE_PEER, SG_AFTER_NOTHING)
            ->u.peer = message->from;
        sg_session_gone(turn, &message->from);
        return;
    }
    turn->session->send_bytes = add(
        turn->session->send_bytes, turn->envelope->grant_bytes, SEND_BYTES_MAX);
    turn->session->send_messages =
        (uint32_t)add(turn->session->send_messages,
                      turn->envelope->grant_messages, SEND_MESSAGES_MAX);
    route(turn);
}

// The participant has a note that this log cannot give: what was acknowledged
// is lost or another history was shown (S25, S26). Everybody hears so until
// the program has ended.
static void
halt(struct sg_turn *turn, enum sg_err why, const char *component)
{
    struct sg_core *core = turn->core;

    turn->judged = NULL; // nothing more is written
    sg_turn_refuse(turn, why, component);
    if (core->halted != SG_OK)
        return;
    core->halted = why;
    core->stopping = true;
    sg_output_effect(turn->output, SG_EFFECT_STOP, turn->state->next_seq - 1)
        ->u.reason = why;
}

// What a note or a receipt of ours shows. false: refused.
static bool
taken(struct sg_turn *turn, enum sg_err err, const char *component)
{
    if (err == SG_ERR_DAMAGE || err == SG_ERR_FORK)
        halt(turn, err, component);
    else if (err == SG_ERR_SIGNATURE || err == SG_ERR_FORMAT)
        sg_turn_refuse(turn, SG_ERR_PEER_MALFORMED, component);
    else if (err != SG_OK)
        sg_turn_refuse(turn, err, component);
    return err == SG_OK;
}

static void
testify(struct sg_turn *turn)
{
    uint64_t seq = 0;
    bool there = false;

    if (taken(turn, sg_restored_testify(turn, &seq, &there), "receipt"))
        sg_turn_receipt(turn, seq, there);
}

// Two rosters of one version: somebody signed two histories (S06).
static bool
shows_other_roster(const Sgpb__RosterRef *said, const struct sg_roster *now)
{
    return said != NULL && said->version == now->version &&
           said->sha256.len > 0 && !sg_pack_is(said->sha256, now->sha256, 32);
}

static void
hello(struct sg_turn *turn)
{
    const Sgpb__Hello *said = turn->envelope->hello;
    const struct sg_roster *roster = &turn->state->roster;
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Welcome welcome = SGPB__WELCOME__INIT;
    Sgpb__RosterRef ref = SGPB__ROSTER_REF__INIT;
    Sgpb__WireLimits limits = SGPB__WIRE_LIMITS__INIT;
    uint64_t testimony, after;

    if (said->proto_min > 1 || said->proto_max < 1) {
        sg_turn_refuse(turn, SG_ERR_UNSUPPORTED, "proto");
        return;
    }
    // A restored gate gets the rosters that it has lost from those who have them.
    if (said->roster != NULL && said->roster->version > roster->version &&
        !turn->state->epochs.waiting) {
        sg_turn_refuse(turn, SG_ERR_ROSTER_OLD, "roster");
        return;
    }
    if (shows_other_roster(said->roster, roster)) {
        sg_turn_refuse(turn, SG_ERR_FORK, "roster");
        return;
    }
    if (!taken(turn,
               sg_restored_hear(turn, sg_pack_slice(said->checkpoint),
                                &testimony, &after),
               "checkpoint"))
        return;
    turn->session->greeted = true;
    welcome.proto = 1;
    welcome.gate = (char *)(uintptr_t)turn->state->gate;
    welcome.session = turn->session->number;
    ref.version = roster->version;
    ref.sha256 = sg_pack_bytes(roster->sha256, 32);
    welcome.roster = &ref;
    welcome.vocabulary = SG_VOCABULARY_VERSION;
    limits.chunk = SG_LIMIT_CHUNK;
    limits.header = SG_LIMIT_HEADER;
    limits.batch = SG_LIMIT_BATCH;
    limits.inflight = CREDIT_EACH;
    welcome.limits = &limits;
    welcome.time = turn->now;
    welcome.genesis = sg_pack_bytes(turn->core->options.genesis, 32);
    welcome.participant = turn->who->id;
    envelope.body_case = SGPB__ENVELOPE__BODY_WELCOME;
    envelope.welcome = &welcome;
    struct sg_effect_send *send = sg_turn_reply(turn, &envelope, after);
    send->checkpoint = true;
    send->receipt_of = testimony;
    sg_deliver_pump(turn, turn->session);
}

// ---- the roster changes ----------------------------------------------------

void
sg_session_drop_unusable(struct sg_turn *turn, uint64_t after_seq)
{
    struct sg_core *core = turn->core;

    for (uint32_t i = sg_pool_next(core->sessions, 0), next; i != 0; i = next) {
        struct sg_session *session = sg_pool_at(core->sessions, i);
        const struct sg_key *key =
            sg_roster_by_curve(turn->state, session->curve_key);
        next = sg_pool_next(core->sessions, i);
        if (session == turn->session ||
            (key != NULL &&
             sg_roster_usable(turn->state, key, turn->now) == SG_OK))
            continue;
        sg_output_effect(turn->output, SG_EFFECT_CLOSE_PEER, after_seq)
            ->u.peer = session->peer;
        end(core, i);
    }
}

void
sg_session_new_roster(struct sg_turn *turn)
{
    struct sg_core *core = turn->core;
    size_t count = turn->state->roster.doc->n_participants;

    sg_arena_free(&core->quota_mem);
    core->quota_mem = sg_arena_new(count * sizeof *core->quotas + 64, 0);
    SG_ASSERT(core->quota_mem != NULL);
    core->quotas =
        sg_arena_take(core->quota_mem, count * sizeof *core->quotas + 1);
    SG_ASSERT(core->quotas != NULL);
    core->quotas_count = count;
    for (uint32_t i = sg_pool_next(core->uploads, 0); i != 0;
         i = sg_pool_next(core->uploads, i)) {
        const struct sg_upload *upload = sg_upload_at(core, i);
        struct sg_quota *quota = sg_roster_quota(core, upload->owner);
        if (quota != NULL && upload->state == SG_UPLOAD_OPEN)
            quota->uploads++;
    }
    sg_share_count(turn);
    // The roster that brings the keys of a session may have dropped it; the
    // one that asks gets its answer first and is refused at its next word.
    sg_session_drop_unusable(turn, turn->state->next_seq - 1);
}
