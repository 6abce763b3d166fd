// gate_call - what verbs that talk to a gate share: opening, asking, saying.
//
// The only way to a gate is statgate.h. Owns the handle, one arena for requests
// and answers, and the way results are printed.
#pragma once

#include "adapters/client/statgate.h"
#include "broker/base/arena.h"
#include "broker/base/diag.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"
#include "schemas/wire.pb-c.h"

struct sg_gate_call {
    struct statgate *gate;
    struct sg_arena *arena;
    struct statgate_result result;
    const char *home, *address;        // address NULL: as home.conf has it
    char participant[65], gate_id[65]; // as home.conf has them
    const char *typed; // what the request is about, as it was typed; or NULL
    bool json;
    bool dry; // nothing is written into the home
};

enum { SG_GATE_CALL_MS = 20000 }; // longer than a gate needs to start again

// home NULL: STATGATE_HOME. false: said on stderr; exit is result.exit. Where
// calls may take longer than SG_GATE_CALL_MS the gate is asked first whether it
// is there.
bool sg_gate_call_open(struct sg_gate_call *call, const char *home,
                       uint32_t timeout_ms);
void sg_gate_call_close(struct sg_gate_call *call);
// The answer of this type, in call->arena; NULL: call->result says why.
const Sgpb__Envelope *sg_gate_call_ask(struct sg_gate_call *call,
                                       Sgpb__Envelope *envelope,
                                       Sgpb__Envelope__BodyCase wanted);
// The result of what was found here; detail may be NULL.
void sg_gate_call_fault(struct sg_gate_call *call, enum sg_err err,
                        const char *detail);
// Says the result (JSON on stdout, text on stderr) and returns its exit.
int sg_gate_call_say(const struct sg_gate_call *call);
// Signs body with a key of the home. false: call->result says why.
bool sg_gate_call_sign(struct sg_gate_call *call, const char *use,
                       const char *purpose, struct sg_slice body,
                       Sgpb__Signed *out);
// Uploads a structure or policy text and waits until it is taken. by: the
// signature over a policy; else NULL.
bool sg_gate_call_put(struct sg_gate_call *call, const char *kind,
                      struct sg_slice bytes, Sgpb__Signed *by);
char *sg_gate_call_text(struct sg_gate_call *call, const char *text);
// "text" with escapes, to stdout.
void sg_gate_call_print_string(const char *text);
// before, then "name":"text" with escapes, to stdout.
void sg_gate_call_print_member(const char *before, const char *name,
                               const char *text);
// The structure named, or that of this hash, is written into
// structures/<sha256> of the home, where the library looks, unless call->dry.
// sha256 is filled; diag, zeroed by the caller, says more of a failure.
enum sg_err sg_gate_call_pin(const struct sg_gate_call *call, const char *urn,
                             uint8_t sha256[32], struct sg_slice *blob,
                             struct sg_diag *diag);
