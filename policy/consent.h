// consent - the ledger of who agreed to what, and took it back.
//
// It keeps per agreement the newest revision, an epoch that goes up with every
// change of a record, and the sets of records by state; per record its state,
// the hash of its last event and when it ends. It is the projection of evidence
// entries: check says whether an event may be taken, apply takes it, and apply
// is the only change. It knows no clock and verifies no signature: the caller
// says what time it is and in which role the signer stands. References of
// persons never come here, only keyed pseudonyms.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/diag.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"
#include "schemas/vocabulary/vocabulary.h"

// Numbers are those of ConsentEvent.from and .to. NONE: no such record yet.
enum sg_consent_state {
    SG_CONSENT_STATE_NONE,
    SG_CONSENT_STATE_REQUESTED,
    SG_CONSENT_STATE_GIVEN,
    SG_CONSENT_STATE_REFUSED,
    SG_CONSENT_STATE_WITHDRAWN,
    SG_CONSENT_STATE_REVOKED, // by the controller or an authority
    SG_CONSENT_STATE_EXPIRED, // by time; nobody signs it
    SG_CONSENT_STATE_SUPERSEDED,
    SG_CONSENT_STATE_INVALIDATED,
    SG_CONSENT_STATE_COUNT,
};
const char *sg_consent_state_text(enum sg_consent_state state);

// In which role somebody signs an event (S38); bits, one person may have more.
enum {
    SG_CONSENT_BY_SUBJECT = 1,
    SG_CONSENT_BY_COLLECTOR = 2,  // of this record
    SG_CONSENT_BY_GUARDIAN = 4,   // or delegate named in the record
    SG_CONSENT_BY_COMMUNITY = 8,  // the body that speaks for the community
    SG_CONSENT_BY_CONTROLLER = 16 // of the agreement
};

// A revision of a consent agreement, as far as the ledger needs it.
struct sg_consent_agreement {
    struct sg_slice id;
    uint64_t revision;          // 1, 2, 3 ...
    uint8_t sha256[32];         // of the revision's bytes
    uint8_t prev_sha256[32];    // zeros for the first
    struct sg_slice controller; // participant
    uint32_t valid_days;        // a record ends so many days after; 0: never
    bool community;
    bool compatible_before; // records of earlier revisions stay valid
};

struct sg_consent_event {
    struct sg_slice agreement;
    uint8_t revision_sha256[32];
    uint8_t record_id[16];
    uint8_t from, to;              // enum sg_consent_state
    uint8_t prev_event_sha256[32]; // of this record; zeros for the first
    uint64_t at;                   // microseconds UTC
    uint8_t sha256[32];            // of the event's bytes, for the next one
    struct sg_slice collector;     // participant that sends this event
};

struct sg_consent_summary {
    bool known; // is there such an agreement?
    bool community;
    uint64_t revision, epoch, given, ended; // ended: withdrawn, revoked, ...
    uint8_t revision_sha256[32];
    uint8_t last_event_sha256[32];
    struct sg_slice controller;
};

struct sg_consent_record {
    uint8_t state;    // enum sg_consent_state; NONE: no such record
    uint64_t expires; // microseconds; 0: never
    uint8_t last_event_sha256[32];
    uint8_t revision_sha256[32];
    struct sg_slice collector;
};

struct sg_consent; // the ledger, opaque

// Room for so many agreements and records. NULL: no memory.
struct sg_consent *sg_consent_new(uint32_t agreements, uint32_t records,
                                  const uint8_t table_key[16]);
void sg_consent_free(struct sg_consent **ledger);

// May this revision be taken (1 or the next one, naming the last)?
// SG_ERR_CONSENT with diag, SG_ERR_FULL.
SG_MUST_CHECK enum sg_err
sg_consent_check_agreement(const struct sg_consent *ledger,
                           const struct sg_consent_agreement *agreement,
                           struct sg_diag *diag);
SG_MUST_CHECK enum sg_err
sg_consent_apply_agreement(struct sg_consent *ledger,
                           const struct sg_consent_agreement *agreement);

// May this event be taken from a signer in these roles? Previous hash, state,
// transition, role, revision; replays fail on the hash. SG_ERR_CONSENT with
// diag, SG_ERR_NOT_FOUND (agreement), SG_ERR_FULL.
SG_MUST_CHECK enum sg_err
sg_consent_check_event(const struct sg_consent *ledger,
                       const struct sg_consent_event *event, unsigned roles,
                       struct sg_diag *diag);
// Takes an event that was checked; *epoch: the agreement's after it.
SG_MUST_CHECK enum sg_err
sg_consent_apply_event(struct sg_consent *ledger,
                       const struct sg_consent_event *event, uint64_t *epoch);

// For a ledger that is made again: a given record ends when it was to end when
// it was given, whatever later revisions say. SG_ERR_NOT_FOUND.
SG_MUST_CHECK enum sg_err sg_consent_restore_end(struct sg_consent *ledger,
                                                 struct sg_slice agreement,
                                                 const uint8_t record_id[16],
                                                 uint64_t expires);

// Records that have ended at now_us become expired; true: at least one did and
// its agreement's epoch went up. O(log n) each.
bool sg_consent_expire(struct sg_consent *ledger, uint64_t now_us);
uint64_t sg_consent_next_expiry(const struct sg_consent *ledger); // 0: none

struct sg_consent_summary sg_consent_summary_of(const struct sg_consent *ledger,
                                                struct sg_slice agreement);
struct sg_consent_record sg_consent_record_of(const struct sg_consent *ledger,
                                              struct sg_slice agreement,
                                              const uint8_t record_id[16]);

// What the records of an agreement say, as code of attributes consent and
// community_consent (same numbers in both): 0 unknown (no such agreement, or
// nobody has answered), given, partial, refused, withdrawn, expired.
// now_us: records that have ended count as expired even before
// sg_consent_expire says so. O(1) but for the ended ones.
uint16_t sg_consent_code(const struct sg_consent *ledger,
                         struct sg_slice agreement, uint64_t now_us);
// The strictest over several agreements; count 0: unknown.
uint16_t sg_consent_code_all(const struct sg_consent *ledger,
                             const struct sg_slice *agreements, size_t count,
                             bool community, uint64_t now_us);

// What is given of a set of ordinals (the records that a release rests on):
// given, partial, withdrawn; 0: no such agreement, or an empty set.
struct sg_consent_set;
uint16_t sg_consent_code_of_set(const struct sg_consent *ledger,
                                struct sg_slice agreement,
                                const struct sg_consent_set *cohort);
bool sg_consent_ordinal(const struct sg_consent *ledger,
                        struct sg_slice agreement, const uint8_t record_id[16],
                        uint32_t *ordinal);
