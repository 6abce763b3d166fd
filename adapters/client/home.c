#include "adapters/client/home.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/encode.h"
#include "broker/os/conf.h"
#include "schemas/codec/codec.h"
#include "schemas/evidence.pb-c.h"

enum { FILE_MAX = 8 * 1024 * 1024, BLOB_MAX = 256 * 1024 * 1024 };
enum { STRUCTURE_ARENA = 64 * 1024 * 1024, STRUCTURE_BLOCK = 256 * 1024 };

bool
sg_home_path(const struct sg_home *home, const char *folder,
             struct sg_slice hash, const char *suffix, char out[SG_OS_PATH])
{
    char hex[65];

    if (hash.len == 0 || hash.len > 32)
        return false;
    sg_encode_hex(hash.ptr, hash.len, hex);
    return sg_os_file_path(out, "%s/%s/%s%s", home->path, folder, hex, suffix);
}

bool
sg_home_path_named(const struct sg_home *home, const char *folder,
                   const char *name, const char *suffix, char out[SG_OS_PATH])
{
    uint8_t hash[32];

    sg_crypto_sha256(name, strlen(name), hash);
    return sg_home_path(home, folder, sg_slice_of(hash, 32), suffix, out);
}

static enum sg_err
read_conf(struct sg_home *home, struct sg_diag *diag)
{
    char path[SG_OS_PATH], key[80] = "", pin[80] = "";
    const struct sg_os_conf_row rows[] = {
        {"participant", home->participant, sizeof home->participant, true},
        {"gate", home->gate, sizeof home->gate, true},
        {"control", home->endpoint[0], sizeof home->endpoint[0], true},
        {"data", home->endpoint[1], sizeof home->endpoint[1], true},
        {"gate_transport", key, sizeof key, true},
        {"roster_pin", pin, sizeof pin, false},
    };

    if (!sg_os_file_path(path, "%s/home.conf", home->path))
        return SG_ERR_FULL;
    if (!sg_os_file_exists(path)) {
        sg_diag_set(
            diag, 0, 0,
            "there is no %s; name the home with --home or STATGATE_HOME, or make a home with: statgate join",
            path);
        return SG_ERR_NOT_FOUND;
    }
    struct sg_diag found;
    enum sg_err err = sg_os_conf_read(path, rows, SG_COUNT_OF(rows), &found);
    if (err != SG_OK) {
        sg_diag_set(diag, 0, 0, "%s, line %u: %s", path, found.line,
                    found.text);
        return err;
    }
    home->has_pin = pin[0] != '\0';
    if (!sg_slice_is_id(sg_slice_text(home->participant)) ||
        !sg_slice_is_id(sg_slice_text(home->gate)) ||
        !sg_encode_unhex(sg_slice_text(key), home->gate_transport, 32) ||
        (home->has_pin &&
         !sg_encode_unhex(sg_slice_text(pin), home->pin, 32))) {
        sg_diag_set(diag, 0, 0,
                    "%s: an id or a key is not of its form; join again", path);
        return SG_ERR_SYNTAX;
    }
    return SG_OK;
}

static enum sg_err
read_keys(struct sg_home *home, struct sg_diag *diag)
{
    struct {
        const char *use;
        struct sg_os_keyfile *key;
    } rows[] = {{"transport", &home->transport},
                {"sign", &home->sign},
                {"approve", &home->approve}};
    char path[SG_OS_PATH];

    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        if (!sg_os_file_path(path, "%s/keys/%s.key", home->path, rows[i].use))
            return SG_ERR_FULL;
        if (i == 2 && !sg_os_file_exists(path))
            break;
        enum sg_err err = sg_os_keyfile_read(path, rows[i].use, rows[i].key);
        if (err != SG_OK) {
            sg_diag_set(diag, 0, 0,
                        "%s: not a key file of this use that its owner alone "
                        "may read; chmod 600, or join again",
                        path);
            return err;
        }
        home->has_approve = i == 2;
    }
    sg_os_keyfile_id(&home->sign, home->sign_id);
    return sg_crypto_signer_new(home->sign.secret, &home->signer);
}

static enum sg_err
read_roster(struct sg_home *home, struct sg_diag *diag)
{
    char path[SG_OS_PATH];
    uint8_t *bytes;
    size_t len;

    if (!sg_os_file_path(path, "%s/roster", home->path))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_read_own(path, FILE_MAX, &bytes, &len);
    if (err == SG_ERR_NOT_FOUND)
        return SG_OK; // the first contact brings it, if a fingerprint is there
    if (err == SG_OK) {
        err = sg_roster_read(sg_slice_of(bytes, len), &home->roster);
        free(bytes);
    }
    if (err == SG_OK && strcmp(home->roster.doc->gate, home->gate) != 0)
        err = SG_ERR_ROSTER;
    if (err != SG_OK)
        sg_diag_set(diag, 0, 0,
                    "%s is not a roster of this gate; pin it "
                    "again: statgate join --roster FILE",
                    path);
    return err;
}

static void
hold(struct sg_home *home, struct sg_slice bytes, const struct sg_note *note)
{
    SG_ASSERT(bytes.len <= sizeof home->checkpoint); // sg_note_parse looked
    memcpy(home->checkpoint, bytes.ptr, bytes.len);
    home->checkpoint_len = bytes.len;
    home->checkpoint_size = note->size;
    home->checkpoint_epoch = note->epoch;
    memcpy(home->checkpoint_root, note->root, 32);
    home->checkpoint_dirty = true;
}

static enum sg_err
read_evidence(struct sg_home *home)
{
    char path[SG_OS_PATH];
    uint8_t *bytes;
    size_t len;
    struct sg_note note;

    if (sg_os_file_path(path, "%s/genesis", home->path) &&
        sg_os_file_read_own(path, 128, &bytes, &len) == SG_OK) {
        home->has_genesis = len >= 64 && sg_encode_unhex(sg_slice_of(bytes, 64),
                                                         home->genesis, 32);
        free(bytes);
    }
    if (!sg_os_file_path(path, "%s/checkpoint", home->path) ||
        sg_os_file_read_own(path, SG_NOTE_MAX, &bytes, &len) != SG_OK)
        return SG_OK;
    enum sg_err err = sg_note_parse(sg_slice_of(bytes, len), &note);
    if (err == SG_OK)
        hold(home, sg_slice_of(bytes, len), &note);
    home->checkpoint_dirty = false;
    free(bytes);
    return err;
}

enum sg_err
sg_home_open(const char *path, struct sg_home *home, struct sg_diag *diag)
{
    *diag = (struct sg_diag){0};
    memset(home, 0, sizeof *home);
    if (!sg_os_file_path(home->path, "%s", path))
        return SG_ERR_FULL;
    enum sg_err err = read_conf(home, diag);
    if (err == SG_OK)
        err = read_keys(home, diag);
    if (err == SG_OK)
        err = read_roster(home, diag);
    if (err == SG_OK)
        err = read_evidence(home);
    if (err != SG_OK)
        sg_home_close(home);
    return err;
}

static void
keep_checkpoint(struct sg_home *home)
{
    char path[SG_OS_PATH];

    if (!home->checkpoint_dirty || home->look_only ||
        !sg_os_file_path(path, "%s/checkpoint", home->path))
        return;
    // An older note on disk is weaker evidence, never a wrong one.
    (void)!sg_os_file_replace(
        path, sg_slice_of(home->checkpoint, home->checkpoint_len), true);
    home->checkpoint_dirty = false;
}

void
sg_home_close(struct sg_home *home)
{
    keep_checkpoint(home);
    sg_roster_drop(&home->roster);
    sg_crypto_signer_free(&home->signer);
    sg_arena_free(&home->structure_arena);
    free(home->structure_bytes);
    sg_crypto_wipe(home, sizeof *home);
}

enum sg_err
sg_home_take_roster(struct sg_home *home, struct sg_slice bytes)
{
    char path[SG_OS_PATH];
    struct sg_roster next;

    enum sg_err err = sg_roster_read(bytes, &next);
    if (err != SG_OK)
        return err;
    if (home->roster.doc != NULL)
        err = sg_roster_follows(&home->roster, &next);
    else if (!home->has_pin || memcmp(next.sha256, home->pin, 32) != 0 ||
             strcmp(next.doc->gate, home->gate) != 0)
        err = SG_ERR_ROSTER;
    if (err == SG_OK && (next.doc->gate_transport_key.len != 32 ||
                         memcmp(next.doc->gate_transport_key.data,
                                home->gate_transport, 32) != 0))
        err = SG_ERR_ROSTER;
    if (err == SG_OK && !sg_os_file_path(path, "%s/roster", home->path))
        err = SG_ERR_FULL;
    if (err == SG_OK && !home->look_only)
        err = sg_os_file_replace(path, next.bytes, false);
    if (err != SG_OK) {
        sg_roster_drop(&next);
        return err;
    }
    sg_roster_drop(&home->roster);
    home->roster = next;
    return SG_OK;
}

enum sg_err
sg_home_take_genesis(struct sg_home *home, struct sg_slice genesis)
{
    char path[SG_OS_PATH], hex[66];

    if (genesis.len != 32)
        return SG_ERR_PEER_MALFORMED;
    if (home->has_genesis)
        return memcmp(genesis.ptr, home->genesis, 32) == 0 ? SG_OK
                                                           : SG_ERR_FORK;
    memcpy(home->genesis, genesis.ptr, 32);
    home->has_genesis = true;
    sg_encode_hex(genesis.ptr, 32, hex);
    hex[64] = '\n';
    if (home->look_only)
        return SG_OK;
    if (!sg_os_file_path(path, "%s/genesis", home->path))
        return SG_ERR_FULL;
    return sg_os_file_replace(path, sg_slice_of(hex, 65), false);
}

// Is it signed by the log key of this gate, for the log that is known?
static enum sg_err
open_note(const struct sg_home *home, struct sg_slice bytes,
          struct sg_note *note)
{
    if (sg_note_parse(bytes, note) != SG_OK)
        return SG_ERR_PEER_MALFORMED;
    return home->roster.doc == NULL ||
                   home->roster.doc->gate_log_key.len != 32 ||
                   !home->has_genesis ||
                   !sg_note_is_of(note, sg_slice_text(home->gate),
                                  home->genesis) ||
                   !sg_note_verify(note, home->roster.doc->gate_log_key.data)
               ? SG_ERR_SIGNATURE
               : SG_OK;
}

enum sg_err
sg_home_take_checkpoint(struct sg_home *home, struct sg_slice bytes,
                        bool newest)
{
    struct sg_note note;

    enum sg_err err = open_note(home, bytes, &note);
    if (err != SG_OK)
        return err;
    if (note.epoch == home->checkpoint_epoch &&
        note.size == home->checkpoint_size)
        return memcmp(note.root, home->checkpoint_root, 32) == 0 ? SG_OK
                                                                 : SG_ERR_FORK;
    if (note.epoch < home->checkpoint_epoch ||
        note.size < home->checkpoint_size)
        return newest ? SG_ERR_DAMAGE : SG_OK;
    hold(home, bytes, &note);
    return SG_OK;
}

// What the gate wrote down is the note held here, or a later one of its epoch
// that another home of this participant showed.
static enum sg_err
check_testimony(const struct sg_home *home, struct sg_slice testimony,
                struct sg_arena *arena)
{
    struct sg_receipt_expect expect = {.kind = SG_ENTRY_TESTIMONY,
                                       .participant =
                                           sg_slice_text(home->participant)};
    struct sg_receipt_result found;
    struct sg_note note;
    void *body;

    enum sg_err err = sg_home_receipt(home, testimony, &expect, arena, &found);
    if (err == SG_OK)
        err = sg_codec_unpack(&sgpb__testimony__descriptor, found.body, arena,
                              &body);
    if (err != SG_OK)
        return SG_ERR_RECEIPT;
    const Sgpb__Testimony *said = body;
    err = open_note(home, sg_codec_slice(said->checkpoint), &note);
    return err == SG_OK && note.epoch == home->checkpoint_epoch &&
                   note.size >= home->checkpoint_size
               ? SG_OK
               : SG_ERR_RECEIPT;
}

enum sg_err
sg_home_take_restored(struct sg_home *home, struct sg_slice bytes,
                      struct sg_slice testimony, struct sg_arena *arena)
{
    char path[SG_OS_PATH];
    struct sg_note note;

    enum sg_err err = open_note(home, bytes, &note);
    if (err == SG_OK && note.epoch <= home->checkpoint_epoch)
        err = SG_ERR_DAMAGE;
    if (err == SG_OK)
        err = check_testimony(home, testimony, arena);
    if (err == SG_OK && !home->look_only) {
        err =
            sg_os_file_path(path, "%s/checkpoint.%llu", home->path,
                            (unsigned long long)home->checkpoint_epoch)
                ? sg_os_file_replace(
                      path, sg_slice_of(home->checkpoint, home->checkpoint_len),
                      true)
                : SG_ERR_FULL;
    }
    if (err == SG_OK)
        hold(home, bytes, &note);
    return err;
}

enum sg_err
sg_home_receipt(const struct sg_home *home, struct sg_slice receipt,
                struct sg_receipt_expect *expect, struct sg_arena *arena,
                struct sg_receipt_result *found)
{
    struct sg_receipt_key key = {.below = UINT64_MAX};

    if (home->roster.doc == NULL || home->roster.doc->gate_log_key.len != 32)
        return SG_ERR_ROSTER;
    memcpy(key.public_key, home->roster.doc->gate_log_key.data, 32);
    expect->gate = sg_slice_text(home->gate);
    memcpy(expect->genesis, home->genesis, 32);
    expect->log_keys = &key;
    expect->log_key_count = 1;
    expect->held.size = home->checkpoint_size;
    expect->held.epoch = home->checkpoint_epoch;
    memcpy(expect->held.root, home->checkpoint_root, 32);
    *found = sg_receipt_verify(receipt, expect, arena);
    expect->log_keys = NULL; // lived here
    expect->log_key_count = 0;
    if (found->answer == SG_RECEIPT_FORK)
        return SG_ERR_FORK;
    return found->answer == SG_RECEIPT_INVALID ? SG_ERR_RECEIPT : SG_OK;
}

enum sg_err
sg_home_structure(struct sg_home *home, struct sg_slice sha256,
                  const struct sg_structure **out)
{
    char path[SG_OS_PATH];
    uint8_t found[32];
    size_t len;

    if (home->structure != NULL && sha256.len == 32 &&
        memcmp(sha256.ptr, home->structure_sha256, 32) == 0) {
        *out = home->structure;
        return SG_OK;
    }
    sg_arena_free(&home->structure_arena);
    free(home->structure_bytes);
    home->structure_bytes = NULL;
    home->structure = NULL;
    if (sha256.len != 32 || !sg_home_path(home, "structures", sha256, "", path))
        return SG_ERR_STRUCTURE;
    enum sg_err err =
        sg_os_file_read_own(path, BLOB_MAX, &home->structure_bytes, &len);
    if (err != SG_OK)
        return err == SG_ERR_NOT_FOUND ? SG_ERR_STRUCTURE : err;
    sg_crypto_sha256(home->structure_bytes, len, found);
    home->structure_arena = sg_arena_new(STRUCTURE_ARENA, STRUCTURE_BLOCK);
    if (home->structure_arena == NULL)
        return SG_ERR_MEMORY;
    if (memcmp(found, sha256.ptr, 32) != 0 ||
        sg_structure_open(sg_slice_of(home->structure_bytes, len),
                          home->structure_arena, out) != SG_OK)
        return SG_ERR_STRUCTURE;
    home->structure = *out;
    memcpy(home->structure_sha256, found, 32);
    return SG_OK;
}

const struct sg_os_keyfile *
sg_home_key(const struct sg_home *home, const char *use)
{
    if (strcmp(use, "sign") == 0)
        return &home->sign;
    if (strcmp(use, "approve") == 0 && home->has_approve)
        return &home->approve;
    return NULL;
}
