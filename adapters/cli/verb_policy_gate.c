// verb_policy_gate - statgate policy propose | approve | status | export: at a
// gate.
//
// Two persons: who proposes a bundle never approves it (S45).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/dry.h"
#include "adapters/cli/gate_call.h"
#include "adapters/cli/options.h"
#include "adapters/cli/policy_files.h"
#include "adapters/cli/verb_policy_gate.h"
#include "broker/base/crypto.h"
#include "broker/base/encode.h"
#include "broker/base/limits.h"
#include "broker/os/clock.h"
#include "broker/os/file.h"
#include "policy/check.h"
#include "schemas/codec/codec.h"

#define DAY_US (24 * 3600 * 1000000ull)
enum { APPROVAL_DAYS = 7, FILES_MAX = 64 };
enum { SCRATCH = 1024 * 1024 * 1024, SCRATCH_BLOCK = 32 * 1024 * 1024 };

static const Sgpb__PolicyIs *
policy_now(struct sg_gate_call *call)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__PolicyGet get = SGPB__POLICY_GET__INIT;

    envelope.body_case = SGPB__ENVELOPE__BODY_POLICY_GET;
    envelope.policy_get = &get;
    const Sgpb__Envelope *answer =
        sg_gate_call_ask(call, &envelope, SGPB__ENVELOPE__BODY_POLICY);
    return answer == NULL ? NULL : answer->policy;
}

static ProtobufCBinaryData
base_of(const Sgpb__PolicyIs *now)
{
    static const uint8_t zeros[32];

    return now->bundle_sha256.len == 32 ? now->bundle_sha256
                                        : sg_codec_bytes(zeros, 32);
}

// ---- propose ---------------------------------------------------------------------

// What failed, each with its place; --json has the first of them.
static void
say_failed(void *ctx, const struct sg_check_line *line)
{
    const struct sg_policy_files *files = ctx;
    struct sg_slice label = sg_policy_label(files->set, line->file);
    struct sg_diag diag = {.line = line->line, .column = line->column};
    char name[SG_OS_PATH];

    if (line->kind != SG_CHECK_FAILED)
        return;
    (void)snprintf(name, sizeof name, SG_SLICE_FMT, SG_SLICE_ARG(label));
    (void)snprintf(diag.text, sizeof diag.text, SG_SLICE_FMT,
                   SG_SLICE_ARG(line->text));
    (void)sg_cli_fail_at(SG_ERR_POLICY_CLAIM, name, &diag);
}

// As `policy check` does it: whoever proposes hears of faults before anybody is
// asked to approve them. The exit status; 0: it may be sent.
static int
check_first(struct sg_policy_files *files, const struct sg_words *paths)
{
    uint32_t day = (uint32_t)(sg_os_clock_wall_us() / DAY_US);
    struct sg_check_sink sink = {say_failed, files};
    struct sg_check_counts counts = {0};
    int status = 0;

    for (size_t i = 0; i < paths->count && status == 0; i++)
        status = sg_policy_files_add(files, paths->word[i]);
    if (status == 0 && files->count > FILES_MAX)
        status = sg_cli_fail(SG_ERR_FULL, "files of one proposal");
    if (status == 0)
        status = sg_policy_files_load(files);
    if (status != 0)
        return status;
    struct sg_arena *scratch = sg_arena_new(SCRATCH, SCRATCH_BLOCK);
    if (scratch == NULL)
        return sg_cli_fail(SG_ERR_MEMORY, NULL);
    enum sg_err err = sg_check_set(scratch, files->set, day, false, UINT64_MAX,
                                   &sink, &counts);
    sg_arena_free(&scratch);
    if (err != SG_OK)
        return sg_cli_fail(err, NULL);
    return counts.failed > 0
               ? sg_cli_say(SG_ERR_POLICY_CLAIM,
                            "statgate policy check says more of them",
                            "%u of the tests and nevers fail; nothing was "
                            "proposed",
                            counts.failed)
               : 0;
}

// Files in the order given; their names without folders.
static enum sg_err
read_files(struct sg_gate_call *call, const struct sg_policy_files *from,
           Sgpb__PolicyBundle *bundle)
{
    Sgpb__PolicyFile *files =
        sg_arena_take(call->arena, FILES_MAX * sizeof *files);

    bundle->files =
        sg_arena_take(call->arena, FILES_MAX * sizeof *bundle->files);
    if (files == NULL || bundle->files == NULL)
        return SG_ERR_FULL;
    for (size_t i = 0; i < from->count; i++) {
        const char *path = (const char *)from->files[i].name.ptr;
        const char *slash = strrchr(path, '/');
        files[i] = (Sgpb__PolicyFile)SGPB__POLICY_FILE__INIT;
        files[i].name =
            sg_gate_call_text(call, slash == NULL ? path : slash + 1);
        files[i].text =
            sg_codec_bytes(from->files[i].text.ptr, from->files[i].text.len);
        bundle->files[i] = &files[i];
        bundle->n_files++;
    }
    return SG_OK;
}

static int
propose(struct sg_gate_call *call, const struct sg_policy_files *files)
{
    Sgpb__PolicyBundle bundle = SGPB__POLICY_BUNDLE__INIT;
    Sgpb__Signed by;
    struct sg_slice packed;
    uint8_t sha256[32];
    char hex[65];

    const Sgpb__PolicyIs *now = policy_now(call);
    if (now == NULL)
        return sg_gate_call_say(call);
    bundle.gate = call->gate_id;
    bundle.version = now->version + 1;
    bundle.base_sha256 = base_of(now);
    bundle.created = sg_os_clock_wall_us();
    enum sg_err err = read_files(call, files, &bundle);
    if (err == SG_OK)
        err = sg_codec_pack(&bundle.base, call->arena, &packed);
    if (err != SG_OK)
        return sg_cli_fail(err, "policy");
    if (!sg_gate_call_sign(call, "sign", "policy", packed, &by))
        return sg_gate_call_say(call);
    by.body = sg_codec_bytes(NULL, 0); // the chunks are the body
    sg_crypto_sha256(packed.ptr, packed.len, sha256);
    sg_encode_hex(sha256, 32, hex);
    if (call->dry && sg_dry_may(call, "policy_admin") == NULL)
        return sg_gate_call_say(call);
    if (call->dry) // not its hash: that is of this moment
        return sg_dry_say(call->json,
                          "sign and propose %zu files as version %llu of the "
                          "policies of %s",
                          bundle.n_files, (unsigned long long)bundle.version,
                          call->gate_id);
    if (!sg_gate_call_put(call, "policy", packed, &by))
        return sg_gate_call_say(call);
    printf(call->json ? "{\"proposed\":\"%s\",\"files\":%zu}\n"
                      : "proposed %s, %zu files\n",
           hex, bundle.n_files);
    return 0;
}

// That who approves is another than who proposed, the gate sees.
static int
dry_approve(struct sg_gate_call *call, const Sgpb__PolicyIs *now,
            struct sg_slice packed, const char *named)
{
    Sgpb__Signed document;
    uint8_t sha256[32];

    if (!sg_encode_unhex(sg_slice_text(named), sha256, 32) ||
        now->proposed_sha256.len != 32 ||
        memcmp(now->proposed_sha256.data, sha256, 32) != 0) {
        sg_gate_call_fault(call, SG_ERR_POLICY_BASE, "approval");
        return sg_gate_call_say(call);
    }
    if (sg_dry_may(call, "policy_admin") == NULL ||
        !sg_gate_call_sign(call, "approve", "approval", packed, &document))
        return sg_gate_call_say(call);
    return sg_dry_say(call->json, "approve %s, which is then in force at %s",
                      named, call->gate_id);
}

static int
approve(struct sg_gate_call *call, const char *named)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__PolicyApprove put = SGPB__POLICY_APPROVE__INIT;
    Sgpb__Approval approval = SGPB__APPROVAL__INIT;
    Sgpb__Signed document;
    struct sg_slice packed;
    uint8_t sha256[32];

    const Sgpb__PolicyIs *now = policy_now(call);
    if (now == NULL)
        return sg_gate_call_say(call);
    // What is approved is named by the person, not by the gate.
    if (!sg_encode_unhex(sg_slice_text(named), sha256, 32))
        return sg_cli_fail(SG_ERR_USAGE, "policy approve SHA256");
    approval.gate = call->gate_id;
    approval.object_sha256 = sg_codec_bytes(sha256, 32);
    approval.base_sha256 = base_of(now);
    approval.created = sg_os_clock_wall_us();
    approval.expires = approval.created + APPROVAL_DAYS * DAY_US;
    if (sg_codec_pack(&approval.base, call->arena, &packed) != SG_OK)
        return sg_cli_fail(SG_ERR_FULL, NULL);
    if (call->dry)
        return dry_approve(call, now, packed, named);
    if (sg_gate_call_sign(call, "approve", "approval", packed, &document)) {
        put.approval = &document;
        envelope.body_case = SGPB__ENVELOPE__BODY_POLICY_APPROVE;
        envelope.policy_approve = &put;
        (void)sg_gate_call_ask(call, &envelope, SGPB__ENVELOPE__BODY_RECEIPT);
    }
    if (sg_gate_call_say(call) == 0 && !call->json)
        printf("approved %s\n", named);
    return call->result.exit;
}

static void
print_file(const Sgpb__PolicyFileIs *file, bool first)
{
    sg_gate_call_print_member(first ? "{" : ",{", "layer", file->layer);
    sg_gate_call_print_member(",", "name", file->name);
    printf(",\"version\":%llu}", (unsigned long long)file->version);
}

static int
status(struct sg_gate_call *call)
{
    char hex[65];

    const Sgpb__PolicyIs *now = policy_now(call);
    if (now == NULL)
        return sg_gate_call_say(call);
    sg_encode_hex(now->bundle_sha256.data, now->bundle_sha256.len, hex);
    printf(call->json ? "{\"active\":\"%s\",\"generation\":%llu,"
                      : "active %s, generation %llu\n",
           hex, (unsigned long long)now->generation);
    sg_encode_hex(now->proposed_sha256.data, now->proposed_sha256.len, hex);
    printf(call->json ? "\"proposed\":\"%s\",\"files\":[" : "proposed %s\n",
           hex[0] == '\0' && !call->json ? "nothing" : hex);
    for (size_t i = 0; i < now->n_files; i++) {
        if (call->json)
            print_file(now->files[i], i == 0);
        else
            printf("%s %s version %llu\n", now->files[i]->layer,
                   now->files[i]->name,
                   (unsigned long long)now->files[i]->version);
    }
    if (call->json)
        printf("]}\n");
    return 0;
}

// The name is a label of the proposer's: only plain ones become file names.
static bool
plain_name(const char *name)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789-_."
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return name[0] != '.' && name[0] != '\0' && strlen(name) <= SG_LIMIT_ID &&
           strspn(name, good) == strlen(name);
}

static enum sg_err
write_bundle(const Sgpb__PolicyBundle *bundle, const char *dir, bool dry)
{
    char path[SG_OS_PATH];

    enum sg_err err = dry ? sg_dry_folder(dir) : sg_os_file_make_dirs(dir);
    for (size_t i = 0; i < bundle->n_files && err == SG_OK; i++) {
        const Sgpb__PolicyFile *file = bundle->files[i];
        bool fits = plain_name(file->name)
                        ? sg_os_file_path(path, "%s/%s", dir, file->name)
                        : sg_os_file_path(path, "%s/%zu.policy", dir, i + 1);
        if (!fits)
            return SG_ERR_FULL;
        if (sg_os_file_exists(path))
            return SG_ERR_EXISTS;
        if (!dry)
            err = sg_os_file_replace(path, sg_codec_slice(file->text), false);
    }
    return err;
}

// The bundle of this hash, or the one in force, file by file.
static int
export_bundle(struct sg_gate_call *call, const char *named, const char *dir)
{
    const uint8_t *bytes;
    uint8_t sha256[32];
    void *bundle = NULL;
    size_t len;

    if (named == NULL) {
        const Sgpb__PolicyIs *now = policy_now(call);
        if (now == NULL)
            return sg_gate_call_say(call);
        if (now->bundle_sha256.len != 32)
            return sg_cli_fail(SG_ERR_POLICY_NONE, NULL);
        memcpy(sha256, now->bundle_sha256.data, 32);
    } else if (!sg_encode_unhex(sg_slice_text(named), sha256, 32)) {
        return sg_cli_fail(SG_ERR_USAGE, "policy export SHA256");
    }
    if (statgate_object(call->gate, "policy", sha256, &bytes, &len,
                        &call->result) != 0)
        return sg_gate_call_say(call);
    enum sg_err err =
        sg_codec_unpack(&sgpb__policy_bundle__descriptor,
                        sg_slice_of(bytes, len), call->arena, &bundle);
    if (err == SG_OK)
        err = write_bundle(bundle, dir, call->dry);
    if (err != SG_OK)
        return sg_cli_fail(err, dir);
    const Sgpb__PolicyBundle *done = bundle;
    if (call->dry)
        return sg_dry_say(
            call->json, "write the %zu files of version %llu into %s",
            done->n_files, (unsigned long long)done->version, dir);
    printf(call->json ? "{\"version\":%llu,\"files\":%zu}\n"
                      : "version %llu, %zu files\n",
           (unsigned long long)done->version, done->n_files);
    return 0;
}

int
sg_verb_policy_gate(int argc, char **argv)
{
    const char *home = NULL, *to = NULL;
    struct sg_gate_call call = {0};
    struct sg_words rest;
    const struct sg_option rows[] = {{"--home", &home, NULL, NULL},
                                     {"-o", &to, NULL, NULL},
                                     {"--dry-run", NULL, &call.dry, NULL},
                                     {"--json", NULL, &call.json, NULL}};
    bool fine = sg_options_take(argc, argv, 2, rows, SG_COUNT_OF(rows), &rest);
    bool proposes = strcmp(argv[1], "propose") == 0 && rest.count > 0;
    bool approves = strcmp(argv[1], "approve") == 0 && rest.count == 1;
    bool asks = strcmp(argv[1], "status") == 0 && rest.count == 0 && !call.dry;

    bool exports = strcmp(argv[1], "export") == 0 && rest.count <= 1 && to;

    if (!fine || !(proposes || approves || asks || exports)) {
        return sg_cli_usage(
            stderr,
            "usage: statgate policy propose FILE|DIR... [--dry-run] [--json] [--home DIR]\n"
            "       statgate policy approve SHA256 [--dry-run] [--json] [--home DIR]\n"
            "       statgate policy status [--json] [--home DIR]\n"
            "       statgate policy export [SHA256] -o DIR [--dry-run]\n"
            "         [--json] [--home DIR]\n");
    }
    struct sg_policy_files *files = proposes ? sg_policy_files_new() : NULL;
    if (proposes && files == NULL)
        return sg_cli_fail(SG_ERR_MEMORY, NULL);
    int exit = files != NULL ? check_first(files, &rest) : 0;
    if (exit == 0)
        exit = sg_gate_call_open(&call, home, SG_GATE_CALL_MS)
                   ? files != NULL ? propose(&call, files)
                     : approves    ? approve(&call, rest.word[0])
                     : exports     ? export_bundle(&call, rest.word[0], to)
                                   : status(&call)
                   : call.result.exit;
    sg_gate_call_close(&call);
    if (files != NULL)
        sg_policy_files_free(&files);
    return exit;
}
