// A crash in the middle of a release, and the log that is left of it all.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/demo.h"
#include "adapters/client/statgate.h"
#include "broker/base/crypto.h"
#include "broker/base/encode.h"
#include "broker/os/process.h"
#include "schemas/codec/codec.h"
#include "schemas/wire.pb-c.h"

enum { GROUPS = 4, HALF_TRIES = 1000, HALF_MS = 10, OPEN_MS = 20000 };
enum { KILLED = 137, ARENA = 1 << 20, FLIP_AT = 6000 };

// ---- a panel large enough to be cut ------------------------------------------

static const char *const asked[] = {"EG_ACS_ELEC", "SI_POV_NAHC", "SH_STA_STNT",
                                    "SG_REG_BRTH", "SI_POV_DAY1"};
static const struct {
    const char *sex, *place;
} group[GROUPS] = {{"F", "U"}, {"M", "U"}, {"F", "R"}, {"M", "R"}};

bool
sg_demo_panel(const struct sg_demo *demo, const char *name, unsigned groups)
{
    enum { HOUSEHOLDS = 20, FROM = 1990, TO = 2024, ROW = 200 };
    size_t rows = SG_COUNT_OF(asked) * HOUSEHOLDS * (TO - FROM + 1) * groups;
    size_t cap = rows * ROW + 1024;
    char *text = malloc(cap);

    if (text == NULL)
        return false;
    int at = snprintf(text, cap, "%s", SG_DEMO_HEADER);
    for (size_t i = 0; i < rows; i++) {
        size_t year = i % (TO - FROM + 1), rest = i / (TO - FROM + 1);
        size_t house = rest % HOUSEHOLDS, of = rest / HOUSEHOLDS;
        size_t what = of % SG_COUNT_OF(asked), g = of / SG_COUNT_OF(asked);
        at += snprintf(
            text + at, cap - (size_t)at,
            "STATGATE:DF_SDG(1.0),A,N,%s,646,%s,_T,%s,_T,_T,_T,"
            "C%02zu,_T,_T,_T,_T,%zu,%zu,A,0,NUMBER,C," SG_DEMO_FICTIONAL "\n",
            asked[what], group[g].sex, group[g].place, house + 1, FROM + year,
            (i * 7919 + year * 31) % 100);
    }
    bool ok = sg_demo_write(demo, name, text);
    free(text);
    return ok;
}

// ---- the crash -----------------------------------------------------------------

static bool
publish_again(struct sg_demo *demo)
{
    return sg_demo_verb(demo, "rwanda", sg_verb_publish, "publish",
                        sg_demo_path(demo, "data/panel_2_fictional.csv"),
                        "--flow", "RW_PANEL", NULL) == 0;
}

// Half of the chunks are sent: says so, and waits for what comes.
static void
on_progress(void *context, const char *state, uint64_t done, uint64_t total)
{
    const struct sg_demo *demo = context;

    if (strcmp(state, "uploading") != 0 || done * 2 < total)
        return;
    (void)sg_demo_write(demo, "half", "half\n");
    for (;;)
        sg_demo_wait(1000);
}

static void
publisher(struct sg_demo *demo)
{
    struct statgate_release release = {.flow = "RW_PANEL"};
    struct statgate *office = NULL;
    struct statgate_receipt receipt;
    struct statgate_result result;

    release.file = sg_demo_path(demo, "data/panel_2_fictional.csv");
    if (statgate_open(sg_demo_path(demo, "rwanda"), NULL, OPEN_MS, &office,
                      &result) == 0)
        (void)statgate_publish(office, &release, on_progress, demo, &receipt,
                               &result);
    _exit(1); // it should have been ended long before
}

// Both programs are gone without a last word, as in a power cut.
static bool
cut(struct sg_demo *demo)
{
    int pid = 0, status = 0;

    (void)fflush(stdout);
    if (sg_os_process_fork(&pid) != SG_OK)
        return false;
    if (pid == 0)
        publisher(demo);
    for (int i = 0;
         i < HALF_TRIES && !sg_os_file_exists(sg_demo_path(demo, "half")); i++)
        sg_demo_wait(HALF_MS);
    bool half = sg_os_file_exists(sg_demo_path(demo, "half"));
    int gate = sg_demo_gate_end(demo, true);
    sg_os_process_end(pid, true);
    (void)sg_os_process_wait(pid, OPEN_MS, &status);
    return half && gate == KILLED && status == KILLED;
}

// sha256 of the manifest that waits in the outbox, in hexadecimal.
static bool
waiting(const struct sg_demo *demo, char manifest[65])
{
    struct sg_arena *arena = sg_arena_new(ARENA, ARENA);
    char **names = NULL;
    size_t count = 0;
    bool found = false;

    if (arena == NULL || sg_os_file_list(sg_demo_path(demo, "rwanda/outbox"),
                                         &names, &count) != SG_OK)
        count = 0;
    for (size_t i = 0; i < count && !found; i++) {
        uint8_t *bytes = NULL, sha256[32];
        size_t len;
        void *item = NULL;
        const char *dot = strchr(names[i], '.');
        if (dot == NULL || strcmp(dot, ".item") != 0 ||
            sg_os_file_read(sg_demo_path(demo, "rwanda/outbox/%s", names[i]),
                            ARENA, &bytes, &len) != SG_OK)
            continue;
        if (sg_codec_unpack(&sgpb__publish_begin__descriptor,
                            sg_slice_of(bytes, len), arena, &item) == SG_OK) {
            ProtobufCBinaryData m =
                ((Sgpb__PublishBegin *)item)->manifest->manifest;
            sg_crypto_sha256(m.data, m.len, sha256);
            sg_encode_hex(sha256, 32, manifest);
            found = true;
        }
        free(bytes);
    }
    free(names);
    sg_arena_free(&arena);
    return found;
}

static bool
stands(struct sg_demo *demo)
{
    static const char *const head[] = {"KE_SDG@1 ", "KE_COUNTS@1 ", "RW_SDG@1 ",
                                       "KG_SDG@1 "};
    bool ok =
        sg_demo_verb(demo, "norway", sg_verb_flow, "flow", "list", NULL) == 0;

    for (size_t i = 0; i < SG_COUNT_OF(head); i++)
        ok = ok && sg_demo_has(demo->said, head[i]);
    return ok;
}

void
sg_demo_crash(struct sg_demo *demo)
{
    char before[65] = "";

    sg_demo_chapter(demo, "kill -9 in the middle of a release");
    sg_demo_must(demo,
                 sg_demo_panel(demo, "data/panel_2_fictional.csv", GROUPS),
                 "Rwanda has 14,000 new answers of the panel (fictional).");
    if (demo->broken || !sg_demo_must(demo, cut(demo),
                                      "When half of them are at the gate, gate "
                                      "and publisher are ended by kill -9."))
        return;
    sg_demo_step(demo, waiting(demo, before),
                 "The signed manifest lies in the office's outbox: it was "
                 "synced before the first byte left.");
    if (!sg_demo_must(demo, sg_demo_gate_start(demo),
                      "The gate is started again and recovers."))
        return;
    sg_demo_step(demo, stands(demo) && sg_demo_has(demo->said, "RW_PANEL@1 "),
                 "Everything acknowledged is there; of the half release "
                 "nothing is to be seen.");
    sg_demo_must(demo, publish_again(demo),
                 "The office publishes again, as a person would.");
    sg_demo_step(demo, before[0] != '\0' && sg_demo_has(demo->said, before),
                 "The same signed bytes went out: the manifest is the one "
                 "from before the crash.");
    sg_demo_step(demo, stands(demo) && sg_demo_has(demo->said, "RW_PANEL@2 "),
                 "One release is visible, RW_PANEL@2, once.");
}

// ---- evidence --------------------------------------------------------------------

static int
verify(struct sg_demo *demo)
{
    return sg_demo_verb(demo, "desk", sg_verb_log, "log", "verify",
                        sg_demo_path(demo, "HUB/store/evidence"), NULL);
}

// One bit of the oldest segment, there and back.
static bool
flip(const struct sg_demo *demo)
{
    char **names = NULL, path[SG_OS_PATH] = "";
    size_t count = 0;
    int fd = -1;
    uint8_t byte = 0;

    if (sg_os_file_list(sg_demo_path(demo, "HUB/store/evidence"), &names,
                        &count) != SG_OK)
        return false;
    for (size_t i = 0; i < count && path[0] == '\0'; i++) {
        const char *dot = strrchr(names[i], '.');
        if (dot != NULL && strcmp(dot, ".log") == 0)
            (void)!sg_os_file_path(
                path, "%s",
                sg_demo_path(demo, "HUB/store/evidence/%s", names[i]));
    }
    free(names);
    bool ok = sg_os_file_open(path, SG_OS_OPEN_WRITE, &fd) == SG_OK &&
              sg_os_file_pread(fd, FLIP_AT, &byte, 1) == SG_OK;
    byte ^= 1;
    ok = ok && sg_os_file_pwrite(fd, FLIP_AT, sg_slice_of(&byte, 1)) == SG_OK;
    sg_os_file_close(&fd);
    return ok;
}

void
sg_demo_evidence(struct sg_demo *demo)
{
    sg_demo_chapter(demo, "The evidence, offline");
    int status = sg_demo_gate_end(demo, false);
    sg_demo_step(demo, status == 0, "The gate is told to stop, and stops.");
    bool ok = verify(demo) == 0;
    if (sg_demo_step(demo, ok,
                     "`statgate log verify` over the folder alone: "
                     "every entry, the chain, the tree, the signed "
                     "checkpoint."))
        sg_demo_quote(demo->said, "entries");
    ok = flip(demo) && verify(demo) == 65;
    if (sg_demo_step(demo, ok, "One bit of it changed, and it says so."))
        sg_demo_quote(demo->said, "entry");
    sg_demo_step(demo, flip(demo) && verify(demo) == 0,
                 "Changed back, it is whole again.");
}
