// world - a gate with its people, founded by the verbs as people do it, and
// what a hostile one among them can send.
//
// Owns a folder under TMPDIR with the gate's home HUB, one home for each member
// and the root keys. The gate is the real statgated, with faults.so under it:
// `faults` lets the world go wrong while it runs. Everything is done once, in
// plain order; a failure is an assert.
#pragma once

#include "tests/e2e/raw.h"

#include "adapters/client/manifest.h"
#include "adapters/client/session.h"
#include "schemas/manifest.pb-c.h"
#include "tests/e2e/faults.h"

enum { WORLD_WORDS = 40, WORLD_MS = 30000 };

// desk and board are officers of the hub, kenya and rwanda offices with a flow
// each, norway and uganda offices that receive, research a body that does.
#define WORLD_MEMBERS "desk board kenya rwanda norway uganda research"
// Figures that their flows take.
#define WORLD_KENYA   "schemas/sdg/data/kenya.csv"
#define WORLD_RWANDA  "schemas/sdg/data/rwanda_national.csv"

struct world {
    struct raw_gate gate; // dir: the gate's home
    char dir[SG_OS_PATH], cli[SG_OS_PATH];
    struct faults *faults;
    char *said; // by the last verb, both streams
    // what the gate answered last
    char code[64], component[65];
    uint64_t seq; // of the entry about it; 0: none
    uint8_t manifest[32];
};

void world_open(struct world *world);
void world_close(struct world *world);
// The same for cmocka: a gate with its laws and flows as *state, and its end.
int world_setup(void **state);
// And then the statgated of tests/e2e/FOLDER in its place.
int world_setup_as(void **state, const char *folder);
int world_teardown(void **state);
// "dir/...", for arguments of one call: it lives until 32 more are asked for.
const char *world_path(const struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// statgate with STATGATE_HOME = dir/home; words end with NULL. Its exit.
int world_verb(struct world *world, const char *home, ...);
#define world_do(world, ...)                                                   \
    world_done(world, world_verb(world, __VA_ARGS__), __FILE__, __LINE__)
void world_done(const struct world *world, int exit, const char *file,
                int line);
bool world_said(const struct world *world, const char *word);
void world_write(const struct world *world, const char *name,
                 struct sg_slice bytes);
// Laws of policy/examples, by two persons; flows KE_SDG and RW_SDG, public
// figures under `row`; a subscription of norway to both.
void world_laws(struct world *world);
void world_flows(struct world *world);
void world_flow(struct world *world, const char *home, const char *name,
                const char *terms);
// How many lines of `log show` hold both words? what may be "".
unsigned world_log(struct world *world, const char *type, const char *what);

void world_start(struct world *world);
void world_spawn(struct world *world); // the same, waiting for nothing
// Ends by itself within the time: its exit status.
int world_wait(struct world *world);
struct statgate *world_connect(struct world *world, const char *home);
// CURVE and signing keys of a member, for peers of raw.h.
void world_key(const struct world *world, const char *home, const char *use,
               struct sg_os_keyfile *key);
// A good peer is served: kenya asks for the gate's checkpoint.
void world_serves(struct world *world);

// A valid file of figures made up, of about so many bytes.
const char *world_figures(struct world *world, const char *name, unsigned area,
                          size_t bytes);

// ---- publishing whatever one likes ---------------------------------------------
struct world_offer { // a good one, to be spoiled
    Sgpb__Manifest m;
    Sgpb__Claims claims;
    uint8_t secret[SG_SECRET_LEN];
    struct sg_slice data;
};
void world_offer(struct world *world, struct statgate *from, const char *flow,
                 const char *file, struct world_offer *offer);
// The data become these bytes, under a root of their own.
void world_offer_bytes(struct world_offer *offer, struct sg_slice bytes,
                       uint32_t media);
// One message; "" when it is accepted, else the code.
const char *world_publish(struct world *world, struct statgate *from,
                          const struct world_offer *offer);
const char *world_publish_signed(struct world *world, struct statgate *from,
                                 const struct world_offer *offer,
                                 struct sg_slice manifest, const uint8_t *head,
                                 const uint8_t *sig);
void world_sign(const struct statgate *from, struct sg_slice manifest,
                uint8_t *head, uint8_t *sig);
struct sg_slice world_pack(struct world *world, const ProtobufCMessage *what);
// The same as one large release: begin, one chunk, the verdict; all of it.
const char *world_begin(struct world *world, struct statgate *from,
                        const struct world_offer *offer, uint64_t *upload,
                        uint64_t *next);
void world_chunk(struct statgate *from, uint64_t upload, uint64_t index,
                 struct sg_slice bytes);
const char *world_result(struct world *world, struct statgate *from);
const char *world_upload(struct world *world, struct statgate *from,
                         const struct world_offer *offer);
// Publishes a file through the library; "" or the code.
const char *world_good(struct world *world, struct statgate *from,
                       const char *flow, const char *file);
// The last answer was this refusal; component NULL: anywhere.
void world_refused(const struct world *world, const char *code,
                   const char *component);
// Any request; "" when it was answered by something else than a refusal.
const char *world_ask(struct world *world, struct statgate *from,
                      enum sg_wire_lane lane, Sgpb__Envelope *envelope,
                      struct sg_slice payload, const Sgpb__Envelope **answer);
