// What stands beside delivered data, and receipts: bytes that no gate and no
// publisher signed never verify, whatever they say.
#include "adapters/client/roster.h"
#include "adapters/client/statgate.h"
#include "broker/os/keyfile.h"
#include "schemas/codec/codec.h"
#include "schemas/proof/roster_sign.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/proof/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t gate_key[32] = {1}, person_key[32] = {2};

// GATE with one participant whose key somebody else holds.
static void
put_roster(void)
{
    Sgpb__Roster doc = SGPB__ROSTER__INIT;
    Sgpb__Participant office = SGPB__PARTICIPANT__INIT, *offices[] = {&office};
    Sgpb__RosterKey key = SGPB__ROSTER_KEY__INIT, *keys[] = {&key};
    Sgpb__SignedRoster outer = SGPB__SIGNED_ROSTER__INIT;
    struct sg_slice body, packed;
    char path[SG_OS_PATH];
    struct sg_arena *arena = sg_arena_new(1u << 20, 1u << 16);

    SG_ASSERT(arena != NULL);
    doc.gate = (char *)(uintptr_t) "GATE";
    doc.version = 1;
    doc.gate_log_key = doc.gate_sign_key = sg_codec_bytes(gate_key, 32);
    key.public_key = sg_codec_bytes(person_key, 32);
    key.alg = SG_ALG_ED25519;
    key.use = (char *)(uintptr_t) "sign";
    office.id = (char *)(uintptr_t) "OFFICE";
    office.keys = keys;
    office.n_keys = 1;
    doc.participants = offices;
    doc.n_participants = 1;
    SG_ASSERT(sg_codec_pack(&doc.base, arena, &body) == SG_OK);
    outer.roster = sg_codec_bytes(body.ptr, body.len);
    SG_ASSERT(sg_codec_pack(&outer.base, arena, &packed) == SG_OK);
    folder_put("roster", packed, path);
    sg_arena_free(&arena);
}

static void
make_home(void)
{
    static const char conf[] =
        "participant ME\ngate GATE\ncontrol tcp://127.0.0.1:1\n"
        "data tcp://127.0.0.1:2\ngate_transport "
        "0000000000000000000000000000000000000000000000000000000000000001\n";
    static const char *const uses[] = {"transport", "sign"};
    struct sg_os_keyfile key;
    char path[SG_OS_PATH];

    if (!folder_make())
        return;
    folder_sub("keys");
    for (size_t i = 0; i < SG_COUNT_OF(uses); i++) {
        SG_ASSERT(sg_os_file_path(path, "%s/keys/%s.key", folder, uses[i]));
        SG_ASSERT(sg_os_keyfile_make(path, uses[i], &key) == SG_OK);
    }
    folder_put("home.conf", SG_SLICE(conf), path);
    folder_put("genesis",
               SG_SLICE("00000000000000000000000000000000"
                        "00000000000000000000000000000003"),
               path);
    folder_put("data.csv", SG_SLICE("A,B\n"), path);
    put_roster();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char sidecar[SG_OS_PATH], content[SG_OS_PATH];
    struct statgate_result result;
    struct sg_roster roster;
    const char *text;
    uint8_t *made;

    SG_ASSERT(sg_crypto_start() == SG_OK);
    make_home();
    struct sg_slice all = seed_bytes(data, size, &made);
    folder_put("sidecar", all, sidecar);
    SG_ASSERT(sg_os_file_path(content, "%s/data.csv", folder));
    bool beside_data = all.len > 2 && all.ptr[2] == 'S'; // "SGS", not a receipt
    SG_ASSERT(statgate_verify(folder, beside_data ? content : NULL, sidecar,
                              &text, &result) != 0);
    SG_ASSERT(strncmp(text, "VALID", 5) != 0);
    if (sg_roster_read(all, &roster) == SG_OK) {
        SG_ASSERT(sg_roster_sign_persons(roster.outer, roster.doc) <=
                  roster.outer->n_signatures);
        sg_roster_drop(&roster);
    }
    free(made);
    return 0;
}
