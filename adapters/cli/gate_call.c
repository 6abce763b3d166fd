#include "adapters/cli/gate_call.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/structure_store.h"
#include "broker/base/crypto.h"
#include "broker/base/encode.h"
#include "broker/base/limits.h"
#include "broker/os/clock.h"
#include "broker/os/conf.h"
#include "broker/os/file.h"
#include "schemas/codec/codec.h"

enum { ARENA = 128 * 1024 * 1024, BLOCK = 256 * 1024 };
enum { PAUSE_US = 1000, PAUSE_MAX_US = 256 * 1000 }; // between two questions
enum { PUT_MS = 60000 };

// Whose home it is; the library has checked the file.
static void
read_names(struct sg_gate_call *call)
{
    char path[SG_OS_PATH], other[4][128];
    struct sg_diag diag;
    const struct sg_os_conf_row rows[] = {
        {"participant", call->participant, sizeof call->participant, true},
        {"gate", call->gate_id, sizeof call->gate_id, true},
        {"control", other[0], sizeof other[0], false},
        {"data", other[1], sizeof other[1], false},
        {"gate_transport", other[2], sizeof other[2], false},
        {"roster_pin", other[3], sizeof other[3], false},
    };

    if (sg_os_file_path(path, "%s/home.conf", call->home) &&
        sg_os_conf_read(path, rows, SG_COUNT_OF(rows), &diag) != SG_OK)
        call->participant[0] = '\0';
}

static bool is_there(struct sg_gate_call *call);

bool
sg_gate_call_open(struct sg_gate_call *call, const char *home,
                  uint32_t timeout_ms)
{
    call->home = home == NULL ? sg_cli_home() : home;
    call->address = sg_cli_gate(home != NULL);
    call->arena = sg_arena_new(ARENA, BLOCK);
    if (call->arena == NULL) {
        call->result.exit = sg_cli_fail(SG_ERR_MEMORY, NULL);
        return false;
    }
    if ((timeout_ms > SG_GATE_CALL_MS && !is_there(call)) ||
        statgate_open(call->home, call->address, timeout_ms, &call->gate,
                      &call->result) != 0) {
        (void)sg_gate_call_say(call);
        return false;
    }
    if (call->dry)
        statgate_look_only(call->gate);
    read_names(call);
    return true;
}

void
sg_gate_call_close(struct sg_gate_call *call)
{
    const char *notice =
        call->gate == NULL ? NULL : statgate_notice(call->gate);

    if (notice != NULL)
        fprintf(stderr, "note: %s\n", notice);
    statgate_close(&call->gate);
    sg_arena_free(&call->arena);
}

void
sg_gate_call_fault(struct sg_gate_call *call, enum sg_err err,
                   const char *detail)
{
    struct statgate_result *r = &call->result;

    memset(r, 0, sizeof *r);
    r->exit = sg_err_exit(err);
    (void)snprintf(r->code, sizeof r->code, "%s", sg_err_code(err));
    (void)snprintf(r->sentence, sizeof r->sentence, "%s", sg_err_sentence(err));
    (void)snprintf(r->cure, sizeof r->cure, "%s", sg_err_cure(err));
    if (detail != NULL)
        (void)snprintf(r->component, sizeof r->component, "%s", detail);
}

static const Sgpb__Envelope *
ask(struct sg_gate_call *call, Sgpb__Envelope *envelope,
    struct sg_slice payload, Sgpb__Envelope__BodyCase wanted)
{
    struct sg_slice packed;
    const uint8_t *bytes;
    size_t len;
    void *answer = NULL;

    envelope->proto = 1;
    enum sg_err err = sg_codec_pack(&envelope->base, call->arena, &packed);
    if (err != SG_OK) {
        sg_gate_call_fault(call, err, NULL);
        return NULL;
    }
    if (statgate_call(call->gate, packed.ptr, packed.len, payload.ptr,
                      payload.len, &bytes, &len, &call->result) != 0 ||
        bytes == NULL)
        return NULL;
    struct sg_slice kept = sg_arena_copy(call->arena, sg_slice_of(bytes, len));
    err = kept.ptr == NULL ? SG_ERR_FULL
                           : sg_codec_unpack(&sgpb__envelope__descriptor, kept,
                                             call->arena, &answer);
    if (err == SG_OK && wanted != SGPB__ENVELOPE__BODY__NOT_SET &&
        ((Sgpb__Envelope *)answer)->body_case != wanted)
        err = SG_ERR_PEER_PROTO;
    if (err != SG_OK) {
        sg_gate_call_fault(call, err, NULL);
        return NULL;
    }
    return answer;
}

const Sgpb__Envelope *
sg_gate_call_ask(struct sg_gate_call *call, Sgpb__Envelope *envelope,
                 Sgpb__Envelope__BodyCase wanted)
{
    return ask(call, envelope, (struct sg_slice){NULL, 0}, wanted);
}

// Nobody should wait half an hour for a gate that is down.
static bool
is_there(struct sg_gate_call *call)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__CheckpointGet get = SGPB__CHECKPOINT_GET__INIT;

    if (statgate_open(call->home, call->address, SG_GATE_CALL_MS, &call->gate,
                      &call->result) != 0)
        return false;
    if (call->dry)
        statgate_look_only(call->gate);
    envelope.body_case = SGPB__ENVELOPE__BODY_CHECKPOINT_GET;
    envelope.checkpoint_get = &get;
    const Sgpb__Envelope *answer =
        sg_gate_call_ask(call, &envelope, SGPB__ENVELOPE__BODY_CHECKPOINT);
    statgate_close(&call->gate);
    return answer != NULL;
}

void
sg_gate_call_print_string(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

void
sg_gate_call_print_member(const char *before, const char *name,
                          const char *text)
{
    printf("%s\"%s\":", before, name);
    sg_gate_call_print_string(text);
}

// Where the gate names a field of the protocol, or nothing, people are told the
// word that they typed; a place in data or terms is left as it is.
static const char *
place_of(const struct sg_gate_call *call)
{
    static const char *const fields[] = {"flow",         "id",       "name",
                                         "kind",         "revision", "key_id",
                                         "subscription", "sha256"};
    const struct statgate_result *r = &call->result;

    if (call->typed == NULL)
        return r->component;
    for (size_t i = 0; i < SG_COUNT_OF(fields); i++)
        if (strcmp(r->component, fields[i]) == 0)
            return call->typed;
    return r->component[0] == '\0' &&
                   strcmp(r->code, sg_err_code(SG_ERR_NOT_FOUND)) == 0
               ? call->typed
               : r->component;
}

int
sg_gate_call_say(const struct sg_gate_call *call)
{
    const struct statgate_result *r = &call->result;

    if (call->json) {
        sg_cli_print_error(&(struct sg_cli_error){.exit = r->exit,
                                                  .code = r->code,
                                                  .sentence = r->sentence,
                                                  .cure = r->cure,
                                                  .component = r->component,
                                                  .row = r->row,
                                                  .line = r->line,
                                                  .seq = r->seq});
        return r->exit;
    }
    if (r->exit == 0)
        return 0;
    fprintf(stderr, "statgate: %s", r->sentence);
    if (place_of(call)[0] != '\0')
        fprintf(stderr, ": %s", place_of(call));
    if (r->line != 0)
        fprintf(stderr, ", line %llu", (unsigned long long)r->line);
    fprintf(stderr, " (%s)\n", r->code);
    if (r->cure[0] != '\0')
        fprintf(stderr, "  %s\n", r->cure);
    return r->exit;
}

bool
sg_gate_call_sign(struct sg_gate_call *call, const char *use,
                  const char *purpose, struct sg_slice body, Sgpb__Signed *out)
{
    uint8_t *sig = sg_arena_take(call->arena, SG_SIG_LEN);
    uint8_t *key_id = sg_arena_take(call->arena, 32);

    if (sig == NULL || key_id == NULL) {
        sg_gate_call_fault(call, SG_ERR_FULL, NULL);
        return false;
    }
    if (statgate_sign(call->gate, use, purpose, body.ptr, body.len, sig, key_id,
                      &call->result) != 0)
        return false;
    *out = (Sgpb__Signed)SGPB__SIGNED__INIT;
    out->body = sg_codec_bytes(body.ptr, body.len);
    out->alg = SG_ALG_ED25519;
    out->key_id = sg_codec_bytes(key_id, 32);
    out->sig = sg_codec_bytes(sig, SG_SIG_LEN);
    return true;
}

char *
sg_gate_call_text(struct sg_gate_call *call, const char *text)
{
    return sg_arena_printf(call->arena, "%s", text);
}

static bool
put_chunks(struct sg_gate_call *call, uint64_t upload, uint64_t next,
           struct sg_slice bytes)
{
    for (size_t at = next * SG_LIMIT_CHUNK; at < bytes.len;
         at += SG_LIMIT_CHUNK, next++) {
        Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
        Sgpb__Chunk chunk = SGPB__CHUNK__INIT;
        size_t left = bytes.len - at;
        chunk.upload = upload;
        chunk.index = next;
        envelope.body_case = SGPB__ENVELOPE__BODY_CHUNK;
        envelope.chunk = &chunk;
        (void)ask(call, &envelope,
                  sg_slice_of(bytes.ptr + at,
                              left < SG_LIMIT_CHUNK ? left : SG_LIMIT_CHUNK),
                  SGPB__ENVELOPE__BODY__NOT_SET);
        if (call->result.exit != 0)
            return false;
    }
    return true;
}

bool
sg_gate_call_put(struct sg_gate_call *call, const char *kind,
                 struct sg_slice bytes, Sgpb__Signed *by)
{
    Sgpb__ObjectPut put = SGPB__OBJECT_PUT__INIT;
    uint8_t sha256[32];
    uint64_t sent = UINT64_MAX;
    uint64_t until = sg_os_clock_mono_us() + PUT_MS * 1000ull;
    useconds_t pause = PAUSE_US;

    sg_crypto_sha256(bytes.ptr, bytes.len, sha256);
    put.kind = sg_gate_call_text(call, kind);
    put.sha256 = sg_codec_bytes(sha256, 32);
    put.bytes = bytes.len;
    put.chunks = (bytes.len + SG_LIMIT_CHUNK - 1) / SG_LIMIT_CHUNK;
    put.by = by;
    // Asked again, the gate says either what it still wants or that it is done;
    // between two questions it has time to put it on its disk.
    while (sg_os_clock_mono_us() < until) {
        Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
        envelope.body_case = SGPB__ENVELOPE__BODY_OBJECT_PUT;
        envelope.object_put = &put;
        const Sgpb__Envelope *answer =
            sg_gate_call_ask(call, &envelope, SGPB__ENVELOPE__BODY__NOT_SET);
        if (answer == NULL)
            return false;
        if (answer->body_case == SGPB__ENVELOPE__BODY_RECEIPT)
            return true;
        if (answer->body_case != SGPB__ENVELOPE__BODY_OBJECT_READY)
            break;
        uint64_t next = answer->object_ready->next_chunk;
        if (next < put.chunks && answer->object_ready->upload != sent) {
            sent = answer->object_ready->upload;
            if (!put_chunks(call, sent, next, bytes))
                return false;
            continue;
        }
        (void)usleep(pause);
        if (pause < PAUSE_MAX_US)
            pause *= 2;
    }
    sg_gate_call_fault(call, SG_ERR_UNREACHABLE, kind);
    return false;
}

enum sg_err
sg_gate_call_pin(const struct sg_gate_call *call, const char *urn,
                 uint8_t sha256[32], struct sg_slice *blob,
                 struct sg_diag *diag)
{
    const char *home = call->home;
    struct sg_arena *arena = call->arena;
    struct sg_structure_store *store = NULL;
    const struct sg_structure *structure = NULL;
    char path[SG_OS_PATH], hex[65];

    enum sg_err err = sg_structure_store_open(home, NULL, &store);
    if (err == SG_OK)
        err = sg_structure_store_find(store, SG_STORE_ANY, sg_slice_text(urn),
                                      arena, &structure, diag);
    if (err == SG_OK) {
        *blob = sg_arena_copy(arena, structure->blob);
        sg_crypto_sha256(blob->ptr, blob->len, sha256);
        sg_encode_hex(sha256, 32, hex);
        if (blob->ptr == NULL || !sg_os_file_path(path, "%s/structures", home))
            err = SG_ERR_FULL;
    }
    if (err != SG_OK || call->dry) {
        sg_structure_store_close(&store);
        return err;
    }
    err = sg_os_file_make_dirs(path);
    if (err == SG_OK && !sg_os_file_path(path, "%s/structures/%s", home, hex))
        err = SG_ERR_FULL;
    if (err == SG_OK && !sg_os_file_exists(path))
        err = sg_os_file_replace(path, *blob, false);
    sg_structure_store_close(&store);
    return err;
}
