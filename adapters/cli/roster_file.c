#include "adapters/cli/roster_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "broker/base/encode.h"
#include "broker/os/clock.h"
#include "broker/os/conf.h"
#include "broker/os/file.h"
#include "schemas/codec/codec.h"
#include "schemas/proof/sign.h"

enum { FILE_MAX = 4 * 1024 * 1024, ARENA = 32 * 1024 * 1024, BLOCK = 65536 };

// ---- gate.public -----------------------------------------------------------------

int
sg_roster_file_gate(const char *path, struct sg_gate_public *gate)
{
    char hex[5][80] = {"", "", "", "", ""};
    const struct sg_os_conf_row rows[] = {
        {"gate", gate->gate, sizeof gate->gate, true},
        {"control", gate->control, sizeof gate->control, true},
        {"data", gate->data, sizeof gate->data, true},
        {"transport", hex[0], sizeof hex[0], true},
        {"log", hex[1], sizeof hex[1], true},
        {"sign", hex[2], sizeof hex[2], true},
        {"genesis", hex[3], sizeof hex[3], false},
        {"roster_sha256", hex[4], sizeof hex[4], false},
    };
    uint8_t *to[] = {gate->transport, gate->log, gate->sign, gate->genesis,
                     gate->roster_sha256};
    struct sg_diag diag = {0};

    memset(gate, 0, sizeof *gate);
    enum sg_err err = sg_os_conf_read(path, rows, SG_COUNT_OF(rows), &diag);
    if (err != SG_OK)
        return diag.text[0] != '\0' ? sg_cli_fail_at(err, path, &diag)
                                    : sg_cli_fail(err, path);
    for (size_t i = 0; i < SG_COUNT_OF(to); i++) {
        if (hex[i][0] != '\0' &&
            !sg_encode_unhex(sg_slice_text(hex[i]), to[i], 32))
            return sg_cli_fail(SG_ERR_SYNTAX, path);
    }
    gate->founded = hex[3][0] != '\0' && hex[4][0] != '\0';
    return 0;
}

bool
sg_roster_file_gate_text(const struct sg_gate_public *gate, const char *genesis,
                         const char *roster, char *out, size_t cap)
{
    char hex[3][65];

    sg_encode_hex(gate->transport, 32, hex[0]);
    sg_encode_hex(gate->log, 32, hex[1]);
    sg_encode_hex(gate->sign, 32, hex[2]);
    int len = snprintf(out, cap,
                       "gate %s\ncontrol %s\ndata %s\ntransport %s\nlog %s\n"
                       "sign %s\ngenesis %s\nroster_sha256 %s\n",
                       gate->gate, gate->control, gate->data, hex[0], hex[1],
                       hex[2], genesis, roster);
    return len > 0 && (size_t)len < cap;
}

// ---- rosters ---------------------------------------------------------------------

enum sg_err
sg_roster_file_read(const char *path, struct sg_roster_file *out)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    void *outer = NULL, *doc = NULL;

    *out = (struct sg_roster_file){0};
    enum sg_err err = sg_os_file_read(path, FILE_MAX, &bytes, &len);
    if (err != SG_OK)
        return err;
    out->arena = sg_arena_new(ARENA, BLOCK);
    if (out->arena != NULL)
        out->bytes = sg_arena_copy(out->arena, sg_slice_of(bytes, len));
    free(bytes);
    if (out->arena == NULL || out->bytes.ptr == NULL)
        return SG_ERR_MEMORY;
    if (sg_codec_unpack(&sgpb__signed_roster__descriptor, out->bytes,
                        out->arena, &outer) != SG_OK ||
        sg_codec_unpack(&sgpb__roster__descriptor,
                        sg_codec_slice(((Sgpb__SignedRoster *)outer)->roster),
                        out->arena, &doc) != SG_OK) {
        sg_roster_file_drop(out);
        return SG_ERR_ROSTER;
    }
    out->outer = outer;
    out->doc = doc;
    sg_crypto_sha256(out->outer->roster.data, out->outer->roster.len,
                     out->sha256);
    return SG_OK;
}

void
sg_roster_file_drop(struct sg_roster_file *roster)
{
    sg_arena_free(&roster->arena);
    *roster = (struct sg_roster_file){0};
}

enum sg_err
sg_roster_file_write(const char *path, const Sgpb__Roster *doc,
                     struct sg_arena *arena)
{
    Sgpb__SignedRoster outer = SGPB__SIGNED_ROSTER__INIT;
    struct sg_slice body, packed;

    enum sg_err err = sg_codec_pack(&doc->base, arena, &body);
    if (err != SG_OK)
        return err;
    outer.roster = sg_codec_bytes(body.ptr, body.len);
    if ((err = sg_codec_pack(&outer.base, arena, &packed)) != SG_OK)
        return err;
    return sg_os_file_replace(path, packed, false);
}

void
sg_roster_file_next(struct sg_roster_file *roster)
{
    uint64_t now = sg_os_clock_wall_us();
    uint64_t lasts = roster->doc->expires - roster->doc->issued;

    roster->doc->issued = now;
    roster->doc->expires = now + lasts;
    if (roster->outer->n_signatures == 0)
        return; // nobody has it yet: it is still being written
    roster->doc->version++;
    roster->doc->prev_sha256 = sg_codec_bytes(roster->sha256, 32);
}

// ---- admitting -------------------------------------------------------------------

static const Sgpb__RosterKey *
key_of(const Sgpb__Participant *who, const char *use)
{
    for (size_t i = 0; i < who->n_keys; i++) {
        if (strcmp(who->keys[i]->use, use) == 0)
            return who->keys[i];
    }
    return NULL;
}

// Who asks holds both the transport key (he made the box) and the sign key.
static const char *
request_fault(const Sgpb__JoinFile *file, const Sgpb__JoinRequest *request,
              const char *gate_home)
{
    const Sgpb__RosterKey *transport, *sign;
    struct sg_os_keyfile own;
    char path[SG_OS_PATH];
    uint8_t sig[SG_SIG_LEN];

    if (request->participant == NULL ||
        !sg_slice_is_id(sg_slice_text(request->participant->id)) ||
        (transport = key_of(request->participant, "transport")) == NULL ||
        (sign = key_of(request->participant, "sign")) == NULL ||
        transport->public_key.len != 32)
        return "it has no id, transport key or sign key";
    if (!sg_os_file_path(path, "%s/identity/transport.key", gate_home) ||
        sg_os_keyfile_read(path, "transport", &own) != SG_OK)
        return "the gate's transport key is needed to open it: --gate-home";
    enum sg_err err =
        file->box.len == SG_SIG_LEN + 16 && file->box_nonce.len == 24
            ? sg_crypto_unbox(transport->public_key.data, own.secret,
                              file->box_nonce.data, sg_codec_slice(file->box),
                              sig)
            : SG_ERR_FORMAT;
    sg_crypto_wipe(&own, sizeof own);
    if (err != SG_OK)
        return "its box does not open: it was made for another gate, or with "
               "another transport key";
    if (!sg_sign_verify((enum sg_alg)sign->alg,
                        sg_codec_slice(sign->public_key), SG_SIGN_JOIN,
                        sg_codec_slice(file->request),
                        sg_slice_of(sig, sizeof sig)))
        return "its signature does not fit";
    return NULL;
}

static enum sg_err
add(struct sg_roster_file *roster, Sgpb__Participant *who)
{
    Sgpb__Roster *doc = roster->doc;

    for (size_t i = 0; i < doc->n_participants; i++) {
        Sgpb__Participant *there = doc->participants[i];
        if (strcmp(there->id, who->id) != 0)
            continue;
        Sgpb__RosterKey **keys = sg_arena_take(
            roster->arena, (there->n_keys + who->n_keys) * sizeof *keys);
        if (keys == NULL)
            return SG_ERR_FULL;
        memcpy(keys, there->keys, there->n_keys * sizeof *keys);
        memcpy(keys + there->n_keys, who->keys, who->n_keys * sizeof *keys);
        there->keys = keys;
        there->n_keys += who->n_keys;
        return SG_OK;
    }
    Sgpb__Participant **all =
        sg_arena_take(roster->arena, (doc->n_participants + 1) * sizeof *all);
    if (all == NULL)
        return SG_ERR_FULL;
    if (doc->n_participants > 0)
        memcpy(all, doc->participants, doc->n_participants * sizeof *all);
    all[doc->n_participants++] = who;
    doc->participants = all;
    return SG_OK;
}

static int
no_request(const char *path)
{
    return sg_cli_say(SG_ERR_FORMAT, "name a file that statgate join wrote",
                      "%s is not a request to join", path);
}

int
sg_roster_file_admit(struct sg_roster_file *roster, const char *path,
                     const char *gate_home)
{
    uint8_t *bytes = NULL;
    size_t len;
    void *file = NULL, *request = NULL;

    enum sg_err err = sg_os_file_read(path, FILE_MAX, &bytes, &len);
    if (err != SG_OK)
        return sg_cli_fail(err, path);
    struct sg_slice kept =
        sg_arena_copy(roster->arena, sg_slice_of(bytes, len));
    free(bytes);
    if (kept.ptr == NULL ||
        sg_codec_unpack(&sgpb__join_file__descriptor, kept, roster->arena,
                        &file) != SG_OK ||
        sg_codec_unpack(&sgpb__join_request__descriptor,
                        sg_codec_slice(((Sgpb__JoinFile *)file)->request),
                        roster->arena, &request) != SG_OK)
        return no_request(path);
    Sgpb__JoinRequest *asked = request;
    if (strcmp(asked->gate, roster->doc->gate) != 0)
        return sg_cli_fail(SG_ERR_AUDIENCE, path);
    const char *fault = request_fault(file, asked, gate_home);
    if (fault != NULL)
        return sg_cli_fail(SG_ERR_SIGNATURE, fault);
    err = add(roster, asked->participant);
    return err == SG_OK ? 0 : sg_cli_fail(err, path);
}

int
sg_roster_file_fail(enum sg_err err, const char *path)
{
    if (err != SG_ERR_ROSTER && err != SG_ERR_FORMAT)
        return sg_cli_fail(err, path);
    return sg_cli_say(SG_ERR_ROSTER,
                      "name a file that statgate roster new or admit wrote",
                      "%s is not a roster", path);
}
