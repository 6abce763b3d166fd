// roster_file - rosters, join requests and gate.public as files.
//
// What root key holders and gates exchange by hand. Invariant: a roster is
// changed only by making the next one; what is signed is never touched.
#pragma once

#include <stdbool.h>

#include "broker/base/arena.h"
#include "broker/base/err.h"
#include "broker/os/keyfile.h"
#include "schemas/roster.pb-c.h"

struct sg_gate_public {
    char gate[65], control[128], data[128];
    uint8_t transport[32], log[32], sign[32];
    uint8_t genesis[32], roster_sha256[32];
    bool founded; // genesis and roster are known
};

// 0, or the exit status; said on stderr.
int sg_roster_file_gate(const char *path, struct sg_gate_public *gate);
// false: it does not fit. genesis, roster: hexadecimal, or NULL.
bool sg_roster_file_gate_text(const struct sg_gate_public *gate,
                              const char *genesis, const char *roster,
                              char *out, size_t cap);

struct sg_roster_file {
    struct sg_arena *arena;
    struct sg_slice bytes; // packed SignedRoster
    Sgpb__SignedRoster *outer;
    Sgpb__Roster *doc;
    uint8_t sha256[32]; // of the roster bytes
};

enum sg_err sg_roster_file_read(const char *path, struct sg_roster_file *out);
// Says why it could not be read; the exit status.
int sg_roster_file_fail(enum sg_err err, const char *path);
void sg_roster_file_drop(struct sg_roster_file *roster);
// doc as a roster without signatures.
enum sg_err sg_roster_file_write(const char *path, const Sgpb__Roster *doc,
                                 struct sg_arena *arena);
// The doc becomes that of the next version, unless nobody signed it yet.
void sg_roster_file_next(struct sg_roster_file *roster);
// Adds the participant of a join request, or its keys to the one that is
// there. The box is opened with the gate's transport key. 0 or exit status.
int sg_roster_file_admit(struct sg_roster_file *roster, const char *path,
                         const char *gate_home);
