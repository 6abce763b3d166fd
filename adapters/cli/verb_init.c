// verb_init - statgate init: a gate's home, in two steps.
//
// First the keys and gate.conf; what the root key holders need stands in
// gate.public. When they have signed roster 1, the log begins with its hash.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/code_words.h"
#include "adapters/cli/dry.h"
#include "adapters/cli/options.h"
#include "adapters/cli/roster_file.h"
#include "broker/base/encode.h"
#include "broker/evidence/evidence.h"
#include "broker/os/clock.h"
#include "broker/os/file.h"
#include "broker/os/random.h"
#include "schemas/codec/codec.h"
#include "schemas/evidence.pb-c.h"
#include "schemas/proof/roster_sign.h"

struct options {
    const char *gate, *roster, *control, *data;
    bool json, dry, help;
};

static int
usage(FILE *out)
{
    return sg_cli_usage(
        out,
        "usage: statgate init DIR --gate ID [--control EP] [--data EP]\n"
        "         [--dry-run] [--json]\n"
        "       statgate init DIR --roster FILE [--dry-run] [--json]\n\n"
        "The first form makes keys and DIR/gate.public; the second begins the\n"
        "log with roster 1, signed by the root key holders.\n");
}

static enum sg_err
write_text(const char *dir, const char *name, const char *text)
{
    char path[SG_OS_PATH];

    if (!sg_os_file_path(path, "%s/%s", dir, name))
        return SG_ERR_FULL;
    return sg_os_file_replace(path, sg_slice_text(text), false);
}

static const char *const uses[] = {"transport", "log", "sign"};

static int
dry_keys(const char *dir, const struct options *o)
{
    char path[SG_OS_PATH];

    if (!sg_os_file_path(path, "%s/identity", dir))
        return sg_cli_fail(SG_ERR_FULL, dir);
    enum sg_err err = sg_dry_folder(path);
    for (size_t i = 0; i < SG_COUNT_OF(uses) && err == SG_OK; i++) {
        if (!sg_os_file_path(path, "%s/identity/%s.key", dir, uses[i]))
            return sg_cli_fail(SG_ERR_FULL, dir);
        err = sg_os_file_exists(path) ? SG_ERR_EXISTS : SG_OK;
    }
    if (err != SG_OK)
        return sg_cli_fail(err, path);
    return sg_dry_say(o->json,
                      "make three keys, gate.conf and gate.public of the gate "
                      "%s in %s",
                      o->gate, dir);
}

static int
make_keys(const char *dir, const struct options *o)
{
    const char *gate = o->gate, *control = o->control, *data = o->data;
    struct sg_os_keyfile key;
    char path[SG_OS_PATH], hex[3][65], text[1024];

    if (!sg_slice_is_id(sg_slice_text(gate)))
        return sg_cli_fail(SG_ERR_SYNTAX, "a gate id is A-Z 0-9 _ . -");
    if (o->dry)
        return dry_keys(dir, o);
    if (!sg_os_file_path(path, "%s/identity", dir))
        return sg_cli_fail(SG_ERR_FULL, dir);
    enum sg_err err = sg_os_file_make_dirs(path);
    for (size_t i = 0; i < SG_COUNT_OF(uses) && err == SG_OK; i++) {
        if (!sg_os_file_path(path, "%s/identity/%s.key", dir, uses[i]))
            return sg_cli_fail(SG_ERR_FULL, dir);
        err = sg_os_keyfile_make(path, uses[i], &key);
        sg_encode_hex(key.public_key, 32, hex[i]);
        sg_crypto_wipe(&key, sizeof key);
    }
    if (err != SG_OK)
        return sg_cli_fail(err, path);
    (void)snprintf(text, sizeof text, "gate %s\ncontrol %s\ndata %s\n", gate,
                   control, data);
    err = write_text(dir, "gate.conf", text);
    (void)snprintf(text, sizeof text,
                   "gate %s\ncontrol %s\ndata %s\ntransport %s\nlog %s\n"
                   "sign %s\n",
                   gate, control, data, hex[0], hex[1], hex[2]);
    if (err == SG_OK)
        err = write_text(dir, "gate.public", text);
    if (err != SG_OK)
        return sg_cli_fail(err, dir);
    if (!sg_os_file_path(path, "%s/gate.public", dir))
        return sg_cli_fail(SG_ERR_FULL, dir);
    if (o->json)
        return sg_cli_done("file", path);
    printf("%s\n", path);
    return 0;
}

static const char *
roster_fault(const struct sg_roster_file *roster,
             const struct sg_gate_public *gate)
{
    const Sgpb__Roster *doc = roster->doc;

    if (strcmp(doc->gate, gate->gate) != 0)
        return "it is for another gate";
    if (doc->version != 1)
        return "it is not roster 1";
    if (doc->gate_log_key.len != 32 ||
        memcmp(doc->gate_log_key.data, gate->log, 32) != 0 ||
        doc->gate_sign_key.len != 32 ||
        memcmp(doc->gate_sign_key.data, gate->sign, 32) != 0 ||
        doc->gate_transport_key.len != 32 ||
        memcmp(doc->gate_transport_key.data, gate->transport, 32) != 0)
        return "it names other keys than this gate's";
    if (doc->threshold < 2 ||
        sg_roster_sign_persons(roster->outer, roster->doc) < doc->threshold)
        return "it is not signed by enough distinct persons: statgate roster "
               "sign";
    return NULL;
}

static enum sg_err
begin_log(const char *dir, const struct sg_gate_public *gate,
          const struct sg_roster_file *roster, uint8_t genesis[32])
{
    struct sg_evidence_options options = {.gate = gate->gate};
    Sgpb__Genesis body = SGPB__GENESIS__INIT;
    struct sg_os_keyfile log;
    char path[SG_OS_PATH], id[65];
    static char product[] = "statgate " SG_VERSION;
    uint8_t nonce[16];
    struct sg_slice packed;

    if (!sg_os_file_path(path, "%s/identity/log.key", dir))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_keyfile_read(path, "log", &log);
    if (err == SG_OK)
        err = sg_crypto_signer_new(log.secret, &options.log_key);
    sg_crypto_wipe(&log, sizeof log);
    (void)snprintf(id, sizeof id, "%s", gate->gate);
    sg_os_random_fill(nonce, sizeof nonce);
    body.gate = id;
    body.product = product;
    body.epoch = 1;
    body.roster_sha256 = sg_codec_bytes(roster->sha256, 32);
    body.log_public_key = sg_codec_bytes(gate->log, 32);
    body.nonce = sg_codec_bytes(nonce, sizeof nonce);
    if (err == SG_OK)
        err = sg_codec_pack(&body.base, roster->arena, &packed);
    if (err == SG_OK && !sg_os_file_path(path, "%s/store", dir))
        err = SG_ERR_FULL;
    options.home = path;
    if (err == SG_OK)
        err = sg_evidence_create(&options, sg_os_clock_wall_us(), packed,
                                 genesis);
    sg_crypto_signer_free(&options.log_key);
    return err;
}

// The log begins once.
static int
dry_found(const char *dir, const struct sg_gate_public *gate, bool json)
{
    struct sg_os_keyfile log;
    char path[SG_OS_PATH];

    if (!sg_os_file_path(path, "%s/identity/log.key", dir))
        return sg_cli_fail(SG_ERR_FULL, dir);
    enum sg_err err = sg_os_keyfile_read(path, "log", &log);
    sg_crypto_wipe(&log, sizeof log);
    if (err == SG_OK && !sg_os_file_path(path, "%s/store/evidence", dir))
        err = SG_ERR_FULL;
    if (err == SG_OK)
        err = sg_os_file_exists(path) ? SG_ERR_EXISTS : sg_dry_folder(path);
    if (err != SG_OK)
        return sg_cli_fail(err, path);
    return sg_dry_say(json, "begin the log of the gate %s in %s with roster 1",
                      gate->gate, path);
}

static int
found(const char *dir, const struct options *o)
{
    const char *file = o->roster;
    struct sg_gate_public gate;
    struct sg_roster_file roster;
    char path[SG_OS_PATH], text[2048], hex[2][65];
    uint8_t genesis[32];

    if (!sg_os_file_path(path, "%s/gate.public", dir))
        return sg_cli_fail(SG_ERR_FULL, dir);
    int status = sg_roster_file_gate(path, &gate);
    if (status != 0)
        return status;
    enum sg_err err = sg_roster_file_read(file, &roster);
    if (err != SG_OK)
        return sg_roster_file_fail(err, file);
    const char *fault = roster_fault(&roster, &gate);
    if (fault != NULL) {
        sg_roster_file_drop(&roster);
        return sg_cli_fail(SG_ERR_ROSTER, fault);
    }
    if (o->dry) {
        sg_roster_file_drop(&roster);
        return dry_found(dir, &gate, o->json);
    }
    err = begin_log(dir, &gate, &roster, genesis);
    if (err == SG_OK && !sg_os_file_path(path, "%s/roster.first", dir))
        err = SG_ERR_FULL;
    if (err == SG_OK)
        err = sg_os_file_replace(path, roster.bytes, false);
    if (err == SG_OK) {
        sg_encode_hex(genesis, 32, hex[0]);
        sg_encode_hex(roster.sha256, 32, hex[1]);
        (void)sg_roster_file_gate_text(&gate, hex[0], hex[1], text,
                                       sizeof text);
        err = write_text(dir, "gate.public", text);
    }
    if (err == SG_OK)
        printf(o->json ? "{\"exit\":0,\"code\":\"ok\",\"genesis\":\"%s\","
                         "\"roster\":\"%s\"}\n"
                       : "genesis %s\nroster %s\n",
               hex[0], hex[1]);
    sg_roster_file_drop(&roster);
    return err == SG_OK ? 0 : sg_cli_fail(err, dir);
}

int
sg_verb_init(int argc, char **argv)
{
    struct options o = {.control = "tcp://127.0.0.1:7171",
                        .data = "tcp://127.0.0.1:7172"};
    struct sg_words rest;
    const struct sg_option rows[] = {
        {"--gate", &o.gate, NULL, NULL},
        {"--roster", &o.roster, NULL, NULL},
        {"--control", &o.control, NULL, NULL},
        {"--data", &o.data, NULL, NULL},
        {"--dry-run", NULL, &o.dry, NULL},
        {"--json", NULL, &o.json, NULL},
        {"--help", NULL, &o.help, NULL},
    };

    if (!sg_options_take(argc, argv, 1, rows, SG_COUNT_OF(rows), &rest))
        return usage(stderr);
    if (o.help)
        return usage(stdout);
    if (rest.count != 1 || (o.gate == NULL) == (o.roster == NULL))
        return usage(stderr);
    if (!sg_code_word_address("--control", o.control) ||
        !sg_code_word_address("--data", o.data))
        return sg_err_exit(SG_ERR_USAGE);
    return o.gate != NULL ? make_keys(rest.word[0], &o)
                          : found(rest.word[0], &o);
}
