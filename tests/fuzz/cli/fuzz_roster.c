// What root key holders get from others as files: rosters, requests to join,
// the gate's public file. Nobody is admitted by bytes that nobody signed.
#include "adapters/cli/roster_file.h"
#include "schemas/codec/codec.h"
#include "schemas/proof/roster_sign.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/proof/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
take_gate(const char *path)
{
    struct sg_gate_public gate;
    char text[2048];

    if (sg_roster_file_gate(path, &gate) != 0)
        return;
    SG_ASSERT(memchr(gate.gate, '\0', sizeof gate.gate) != NULL);
    (void)sg_roster_file_gate_text(&gate, "", "", text, sizeof text);
}

static void
take_roster(const char *path)
{
    struct sg_roster_file roster;

    if (sg_roster_file_read(path, &roster) != SG_OK)
        return;
    SG_ASSERT(sg_roster_sign_persons(roster.outer, roster.doc) <=
              roster.outer->n_signatures);
    sg_roster_file_next(&roster);
    sg_roster_file_drop(&roster);
}

// Into the empty roster of GATE, whose key is made for this run.
static void
take_request(const char *path)
{
    static char mine[SG_OS_PATH];
    struct sg_roster_file roster;

    if (mine[0] == '\0') {
        Sgpb__Roster doc = SGPB__ROSTER__INIT;
        struct sg_os_keyfile key;
        char at[SG_OS_PATH];
        struct sg_arena *arena = sg_arena_new(1u << 20, 1u << 16);
        doc.gate = (char *)(uintptr_t) "GATE";
        folder_sub("identity");
        if (!sg_os_file_path(at, "%s/identity/transport.key", folder) ||
            sg_os_keyfile_make(at, "transport", &key) != SG_OK ||
            !sg_os_file_path(mine, "%s/roster", folder) ||
            sg_roster_file_write(mine, &doc, arena) != SG_OK)
            abort();
        sg_arena_free(&arena);
    }
    SG_ASSERT(sg_roster_file_read(mine, &roster) == SG_OK);
    SG_ASSERT(sg_roster_file_admit(&roster, path, folder) != 0);
    SG_ASSERT(roster.doc->n_participants == 0);
    sg_roster_file_drop(&roster);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[SG_OS_PATH];
    uint8_t *made;

    SG_ASSERT(sg_crypto_start() == SG_OK);
    (void)folder_make();
    int kept = folder_quiet();
    folder_put("file", seed_bytes(data, size, &made), path);
    take_gate(path);
    take_roster(path);
    take_request(path);
    folder_loud(kept);
    free(made);
    return 0;
}
