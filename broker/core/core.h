// core - the deterministic heart: decides on events, applies entries.
//
// Owns the state that follows from the evidence log (state.h) and, apart from
// it, what is forgotten at a restart: sessions, uploads, jobs, credit, token
// buckets (volatile.h). Invariant (core-design 0, R1): the durable state is
// changed by sg_core_apply alone. sg_core_decide reads it, writes entries, and
// applies each of them at once through the same function, because the next
// entry of the same event depends on it; recovery only applies. So replaying a
// log gives the state that wrote it, whatever the code decides today.
// Never: system calls, clocks, random numbers, keys of payload.
//
// Life: _new, _apply for every entry of the log (or sg_snapshot_read first),
// _resume, then _decide for each event.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/crypto.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"
#include "broker/core/effect.h"
#include "broker/core/env.h"
#include "broker/core/event.h"

struct sg_core; // opaque

// Sizes of tables; 0 takes that of limits.h. Tests take little.
struct sg_core_caps {
    uint32_t flows, releases, renditions, subscriptions, deliveries;
    uint32_t agreements, records, uploads, sessions;
    uint32_t jobs; // inspections going on at once, and as many renditions
    uint64_t policy_arena; // bytes for one compiled policy set; 0: 256 MiB
};

struct sg_core_options {
    struct sg_slice gate;     // id; copied
    uint8_t genesis[32];      // leaf of entry 0
    struct sg_signer *signer; // the gate's key of role sign; borrowed. Ed25519
        // signing is deterministic, so deciding stays pure
    uint8_t table_key[16]; // for tables with foreign keys
    struct sg_lookup lookup;
    struct sg_core_caps caps;
    bool stop_on_damage; // of the log, found after the start
    // Entries; 0: SG_LIMIT_SNAPSHOT, SG_LIMIT_SETTLE. Tests take less.
    uint64_t snapshot_every, settle_after;
};

struct sg_core *sg_core_new(const struct sg_core_options *options);
void sg_core_free(struct sg_core **core);

// Recovery: one entry that is in the log. seq must be sg_core_next_seq.
// SG_ERR_DAMAGE: the body cannot be what this gate wrote.
SG_MUST_CHECK enum sg_err sg_core_apply(struct sg_core *core,
                                        const struct sg_appended *entry);

// The log that the entries lie in, of a real one.
struct sg_core_log {
    uint64_t epoch;
    uint8_t root[32];      // over its entries
    uint64_t largest_seen; // entries, by the checkpoint or index it came with
};
// After recovery, before _resume. Without it the log is in its first epoch.
void sg_core_log_is(struct sg_core *core, const struct sg_core_log *log);

// After recovery, once: writes gate_started and begins again what is owed.
// reason: start, recovery, clock_stepped (a static text).
void sg_core_resume(struct sg_core *core, const char *reason,
                    const uint8_t random[32], uint64_t now_us,
                    struct sg_output *output);

// Decides on one event. now_us is taken as not before the last entry's time.
// Adds entries (already applied) and effects to output.
void sg_core_decide(struct sg_core *core, const struct sg_event *event,
                    uint64_t now_us, struct sg_output *output);

// Ends a turn: does what several events of it share (one decision entry for a
// release, keys of one peer together, the next piece of owed work).
void sg_core_end_turn(struct sg_core *core, const uint8_t random[32],
                      uint64_t now_us, struct sg_output *output);

// The very first start: the log holds genesis alone. Takes roster 1, whose hash
// is pinned in genesis, and writes its entry. what: the field at fault.
bool sg_core_has_roster(const struct sg_core *core);
SG_MUST_CHECK enum sg_err
sg_core_found(struct sg_core *core, struct sg_slice signed_roster,
              const uint8_t random[32], uint64_t now_us,
              struct sg_output *output, const char **what);

// When a timer event is due at the latest; UINT64_MAX: none.
uint64_t sg_core_due(const struct sg_core *core);
uint64_t sg_core_next_seq(const struct sg_core *core);
uint64_t sg_core_last_time(const struct sg_core *core);

// May the key still go? Sum of counters that only go up: recalls and stops of
// the release, stop epochs of its agreements, generation of policy, version of
// the roster, and the delivery's own. The loop compares it with the effect's
// right before it hands a release_key over (S36).
uint64_t sg_core_stop_epoch(const struct sg_core *core,
                            const uint8_t delivery[16]);

// The next row that recovery gives the index after sg_core_apply; NULL: none.
// Lives until sg_core_indexed says that the index has those of entries 0..seq.
const struct sg_row *sg_core_row(struct sg_core *core);
void sg_core_indexed(struct sg_core *core, uint64_t seq);
// Is the object in use? For finding orphans after recovery.
bool sg_core_knows_object(const struct sg_core *core, const uint8_t id[16]);
// The same of the key of a release, a refused one or a structure.
bool sg_core_knows_key(const struct sg_core *core, const uint8_t manifest[32]);
// A key of a structure that the log names; each upload had one of its own.
bool sg_core_is_structure_key(const struct sg_core *core,
                              const uint8_t manifest[32],
                              const uint8_t variant[16]);
// All renditions: *at starts at 0; false: no more.
bool sg_core_next_rendition(const struct sg_core *core, uint32_t *at,
                            const struct sg_object **object);
