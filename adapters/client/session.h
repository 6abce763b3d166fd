// session - the conversation with one gate: greeting, asking, answers.
//
// Owns struct statgate. Invariant: nothing is asked in a lane before its hello
// was answered by the pinned gate with a roster and a checkpoint that follow
// what the home holds (rollback and forks end here). Every request may be sent
// again; after a silence it is, over a fresh connection.
#pragma once

#include "adapters/client/home.h"
#include "adapters/client/statgate.h"
#include "adapters/client/wire.h"
#include "schemas/proof/receipt.h"
#include "schemas/wire.pb-c.h"

struct sg_delivery_in; // deliver.h
struct sg_receiving;   // receive.c

enum {
    SG_KEEPING_MAX = 64, // receipts that the gate was not told
    SG_OWED_MAX = 64,    // receipts sent whose answer has not come
};

// What came unasked; the message dies when it returns.
typedef void sg_session_other(void *context, const Sgpb__Envelope *envelope,
                              struct sg_slice payload);

struct sg_head { // what the gate said of one flow
    char flow[65];
    struct sg_arena *arena;
    const Sgpb__FlowTerms *terms;
    uint8_t terms_sha256[32], manifest_sha256[32];
    uint64_t revision;
};

struct statgate {
    struct sg_home home;
    struct sg_wire *wire;
    struct sg_arena *arena;   // of one call: what it returns
    struct sg_arena *scratch; // of one message
    uint32_t timeout_ms;
    bool greeted[SG_WIRE_LANES];
    char notice[320];
    bool behind; // the gate has an older roster than the home: a restored one
                 // that waits. It is to be brought the rosters, nothing else
    uint64_t credit[SG_WIRE_LANES]; // bytes that we may send as payload
    uint64_t requests;
    uint64_t grant_bytes; // to be told with the next message
    uint32_t grant_messages;
    sg_session_other *other;
    void *other_context;
    statgate_progress *watch; // NULL: nobody asks how far deliveries are
    void *watch_context;
    struct sg_head heads[8];
    uint32_t head_next;
    struct sg_delivery_in *delivery;
    struct sg_receiving *receiving; // the subscription that is attached
    bool takes_deliveries;          // `other` is the receiver's
    bool missed;                    // a message of a delivery came to nobody
    uint64_t greetings;             // of the data lane: connections so far
    uint8_t keeping[SG_KEEPING_MAX][16];
    size_t keeping_count;
    uint64_t owed[SG_OWED_MAX]; // requests
    size_t owed_count;
    struct statgate_result late; // a refusal of what had no answer of its own
    bool has_late;
    uint64_t outbox_cut; // tests: stop after so many chunks; 0: never
};

// ---- results ------------------------------------------------------------------
// All return result->exit. detail: component or NULL.
int sg_session_fail(struct statgate_result *result, enum sg_err err,
                    const char *detail);
int sg_session_fail_at(struct statgate_result *result, enum sg_err err,
                       const struct sg_diag *diag);
int sg_session_refused(struct statgate_result *result,
                       const Sgpb__Refusal *refusal);
int sg_session_done(struct statgate_result *result);
// Was the last one refused, and not merely cut off?
bool sg_session_is(const struct statgate_result *result, enum sg_err err);

// ---- asking -------------------------------------------------------------------
uint64_t sg_session_deadline(uint32_t timeout_ms); // of the monotonic clock
// Sends without waiting for an answer; request 0: a new number goes in.
SG_MUST_CHECK int sg_session_send(struct statgate *handle,
                                  enum sg_wire_lane lane,
                                  Sgpb__Envelope *envelope,
                                  struct sg_slice payload,
                                  struct statgate_result *result);
// Greets first if need be, waits for credit, sends, waits for the answer of
// body type wanted (0: any but a refusal). The answer lives in handle->arena.
SG_MUST_CHECK int
sg_session_ask(struct statgate *handle, enum sg_wire_lane lane,
               Sgpb__Envelope *envelope, struct sg_slice payload,
               Sgpb__Envelope__BodyCase wanted, const Sgpb__Envelope **answer,
               struct statgate_result *result);
// Hears one frame of items, each given to `other`. false: nothing came.
bool sg_session_hear(struct statgate *handle, uint32_t timeout_ms);
SG_MUST_CHECK int sg_session_greet(struct statgate *handle,
                                   enum sg_wire_lane lane,
                                   struct statgate_result *result);
// Until the gate takes so much payload. false: not before deadline.
bool sg_session_credit(struct statgate *handle, enum sg_wire_lane lane,
                       size_t bytes, uint64_t deadline,
                       struct statgate_result *result);
// Starts the lane again after a silence.
void sg_session_renew(struct statgate *handle, enum sg_wire_lane lane);

// ---- receipts -----------------------------------------------------------------
// Verifies a receipt of the gate against what is expected; fills gate, genesis,
// log key and checkpoint held itself. SG_ERR_RECEIPT, SG_ERR_FORK.
SG_MUST_CHECK enum sg_err sg_session_receipt(struct statgate *handle,
                                             struct sg_slice receipt,
                                             struct sg_receipt_expect *expect,
                                             uint64_t *entry);
// How many observations the gate counted in the release that this receipt, which
// sg_session_receipt found good, is about. Uses the scratch arena.
uint64_t sg_session_observations(struct statgate *handle,
                                 struct sg_slice receipt);
// The report as `check --json` prints it, in handle->arena; NULL: full.
const char *sg_session_report_json(struct statgate *handle,
                                   const Sgpb__Report *report);
// Fills alg, key id and signature in handle->arena.
SG_MUST_CHECK enum sg_err sg_session_sign(struct statgate *handle,
                                          enum sg_sign_purpose purpose,
                                          struct sg_slice body,
                                          Sgpb__Signed *out);
