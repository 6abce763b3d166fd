// env - the seam: all that the loop and the core need of the world.
//
// A table of functions over a context. env_local.c gives the real one, the
// simulation (tests/sim) a virtual one, a cluster another. All are called from
// the loop's thread only and none waits for a disk, a worker or a peer, but for
// wait itself and settle. What takes time is begun and comes back as an event.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"
#include "broker/core/effect.h"
#include "broker/core/event.h"
#include "schemas/proof/epoch.h"

struct sg_env {
    void *ctx;
    // Fills up to cap events and returns how many; waits for the first at most
    // until due_us (of now). Each has fresh random bytes. The slices of the
    // events live until the next call of wait. Control messages come first
    // (S60). A timer event need not be made: the loop makes it.
    size_t (*wait)(void *ctx, uint64_t due_us, struct sg_event *events,
                   size_t cap);
    // Waits a little for the disk alone, for nobody else; what wait gave stays.
    // Entries below *durable are. false: the disk failed, and nothing will be.
    bool (*settle)(void *ctx, uint64_t *durable);
    // Microseconds UTC, bounded as S50 says; read once a turn.
    uint64_t (*now)(void *ctx);
    // 32 CSPRNG bytes, for events that the loop makes itself.
    void (*random)(void *ctx, uint8_t out[32]);
    // Takes the turn's entries (copied) as one group; DURABLE follows as an
    // event. Any error is final: the loop ends and the program exits (R2).
    enum sg_err (*append)(void *ctx, const struct sg_appended *entries,
                          size_t count);
    // Carries one effect out, now. Never fails: what could not be done comes
    // back as an event or shows in the log of the program.
    void (*effect)(void *ctx, const struct sg_effect *effect);
};

enum { SG_ROW_KEY = 76, SG_ROW_VALUE = 200 };

// A row of the index: what is final, found by table and key (core-design 3).
struct sg_row {
    uint8_t table;   // enum sg_cold_table of cold.h
    uint8_t key_len; // bytes
    uint16_t value_len;
    uint8_t key[SG_ROW_KEY];
    uint8_t value[SG_ROW_VALUE];
};

// What the core may look up while deciding: a function of the durable log.
struct sg_lookup {
    void *ctx;
    // Body of a durable entry, copied into arena. false: not there.
    bool (*entry)(void *ctx, uint64_t seq, struct sg_arena *arena,
                  struct sg_slice *body);
    // The whole entry, as it was hashed (formats.md c); otherwise as entry.
    // NULL: the log is not shown to anybody.
    bool (*raw)(void *ctx, uint64_t seq, struct sg_arena *arena,
                struct sg_slice *bytes);
    // What a note that a participant shows says of this log (S25, S26).
    // SG_ERR_SIGNATURE, SG_ERR_FORMAT: not our note. NULL: nobody asks.
    enum sg_err (*shown)(void *ctx, struct sg_slice note,
                         struct sg_shown *shown);
    // Fills in the value of the row with this table and key, as put_row gave it
    // before the last INDEX_AT, or later. SG_ERR_NOT_FOUND: there is none; all
    // else: the index cannot be read. NULL: there never is one.
    enum sg_err (*find)(void *ctx, struct sg_row *row);
    // The first row of the table whose key is not before row->key.
    enum sg_err (*next)(void *ctx, struct sg_row *row);
};
