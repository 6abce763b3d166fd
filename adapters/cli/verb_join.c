// verb_join - statgate join: a participant's home and the request to be admitted.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/code_words.h"
#include "adapters/cli/dry.h"
#include "adapters/cli/options.h"
#include "adapters/cli/roster_file.h"
#include "broker/base/encode.h"
#include "broker/os/clock.h"
#include "broker/os/conf.h"
#include "broker/os/file.h"
#include "broker/os/random.h"
#include "schemas/codec/codec.h"
#include "schemas/proof/roster_sign.h"
#include "schemas/proof/sign.h"

struct options {
    const char *home, *gate, *id, *name, *jurisdiction, *class, *stored_in;
    const char *person, *out, *roster, *control, *data;
    struct sg_words roles, key_roles, purposes, promises;
    bool json, dry, help;
};

static int
usage(FILE *out)
{
    return sg_cli_usage(
        out,
        "usage: statgate join --gate GATE.public --id ID --jurisdiction CC\n"
        "         --class CLASS --person NAME --key-role ROLE...\n"
        "         [--role ROLE...] [--purpose P...] [--promise O...]\n"
        "         [--name TEXT] [--stored-in CC] [--roster FILE]\n"
        "         [-o REQUEST] [--home DIR] [--dry-run] [--json]\n"
        "       statgate join --roster FILE | --control EP | --data EP\n"
        "         [--home DIR] [--dry-run] [--json]\n\n"
        "Makes the home with fresh keys and a request file, and prints its\n"
        "fingerprint, to be told to the root key holders by another way. The\n"
        "second form pins the gate's roster, or changes its address, in a\n"
        "home that is there. Key roles: operator policy_admin publisher\n"
        "subscriber consent auditor.\n");
}

// ---- home.conf -------------------------------------------------------------------

static enum sg_err
write_conf(const char *home, const char *id, const struct sg_gate_public *gate)
{
    char path[SG_OS_PATH], text[1024], key[65], pin[65] = "";

    sg_encode_hex(gate->transport, 32, key);
    if (gate->founded)
        sg_encode_hex(gate->roster_sha256, 32, pin);
    int len = snprintf(text, sizeof text,
                       "participant %s\ngate %s\ncontrol %s\ndata %s\n"
                       "gate_transport %s\n%s%s%s",
                       id, gate->gate, gate->control, gate->data, key,
                       gate->founded ? "roster_pin " : "", pin,
                       gate->founded ? "\n" : "");
    if (len < 0 || (size_t)len >= sizeof text ||
        !sg_os_file_path(path, "%s/home.conf", home))
        return SG_ERR_FULL;
    return sg_os_file_replace(path, sg_slice_of(text, (size_t)len), false);
}

static int
read_conf(const char *home, char id[65], struct sg_gate_public *gate)
{
    char path[SG_OS_PATH], key[80] = "", pin[80] = "";
    const struct sg_os_conf_row rows[] = {
        {"participant", id, 65, true},
        {"gate", gate->gate, sizeof gate->gate, true},
        {"control", gate->control, sizeof gate->control, true},
        {"data", gate->data, sizeof gate->data, true},
        {"gate_transport", key, sizeof key, true},
        {"roster_pin", pin, sizeof pin, false},
    };
    struct sg_diag diag = {0};

    memset(gate, 0, sizeof *gate);
    if (!sg_os_file_path(path, "%s/home.conf", home))
        return sg_cli_fail(SG_ERR_FULL, home);
    enum sg_err err = sg_os_conf_read(path, rows, SG_COUNT_OF(rows), &diag);
    if (err == SG_OK &&
        (!sg_encode_unhex(sg_slice_text(key), gate->transport, 32) ||
         (pin[0] != '\0' &&
          !sg_encode_unhex(sg_slice_text(pin), gate->roster_sha256, 32))))
        err = SG_ERR_SYNTAX;
    gate->founded = pin[0] != '\0';
    return err == SG_OK ? 0 : sg_cli_fail(err, path);
}

static void
print_fingerprint(const char *what, const uint8_t hash[32])
{
    char hex[65];

    sg_encode_hex(hash, 32, hex);
    printf("%s", what);
    for (int i = 0; i < 64; i += 8)
        printf(" %.8s", hex + i);
    printf("\n");
}

static int
pin_roster(const struct options *o, struct sg_gate_public *gate)
{
    const char *home = o->home, *file = o->roster;
    struct sg_roster_file roster;
    char path[SG_OS_PATH];

    enum sg_err err = sg_roster_file_read(file, &roster);
    if (err != SG_OK)
        return sg_roster_file_fail(err, file);
    if (strcmp(roster.doc->gate, gate->gate) != 0 ||
        roster.doc->threshold < 2 ||
        sg_roster_sign_persons(roster.outer, roster.doc) <
            roster.doc->threshold) {
        sg_roster_file_drop(&roster);
        return sg_cli_fail(SG_ERR_ROSTER, file);
    }
    memcpy(gate->roster_sha256, roster.sha256, 32);
    gate->founded = true;
    if (!o->json && !o->dry)
        print_fingerprint("roster", roster.sha256);
    if (o->dry) {
        sg_roster_file_drop(&roster);
        return 0;
    }
    err = sg_os_file_path(path, "%s/roster", home)
              ? sg_os_file_replace(path, roster.bytes, false)
              : SG_ERR_FULL;
    sg_roster_file_drop(&roster);
    return err == SG_OK ? 0 : sg_cli_fail(err, path);
}

static int
dry_home(const struct options *o, const char *id,
         const struct sg_gate_public *gate)
{
    enum sg_err err = sg_dry_folder(o->home);
    if (err != SG_OK)
        return sg_cli_fail(err, o->home);
    return sg_dry_say(o->json,
                      "write%s home.conf of %s at the gate %s (%s, %s) into %s",
                      o->roster == NULL ? "" : " the roster and", id,
                      gate->gate, gate->control, gate->data, o->home);
}

static int
amend(const struct options *o)
{
    struct sg_gate_public gate;
    char id[65] = "";

    int status = read_conf(o->home, id, &gate);
    if (status == 0 && o->roster != NULL)
        status = pin_roster(o, &gate);
    if (status != 0)
        return status;
    if (o->control != NULL)
        (void)snprintf(gate.control, sizeof gate.control, "%s", o->control);
    if (o->data != NULL)
        (void)snprintf(gate.data, sizeof gate.data, "%s", o->data);
    if (o->dry)
        return dry_home(o, id, &gate);
    enum sg_err err = write_conf(o->home, id, &gate);
    if (err != SG_OK)
        return sg_cli_fail(err, o->home);
    return o->json ? sg_cli_done("home", o->home) : 0;
}

// ---- the request -----------------------------------------------------------------

// Protobuf's text fields are not constant; nothing writes through them.
static char *
field(const char *text)
{
    union {
        const char *borrowed;
        char *as_field;
    } at = {text == NULL ? "" : text};
    return at.as_field;
}

static void
fields(const struct sg_words *words, char ***out, size_t *count,
       struct sg_arena *arena)
{
    char **list = sg_arena_take(arena, (words->count + 1) * sizeof *list);

    *count = list == NULL ? 0 : words->count;
    for (size_t i = 0; i < *count; i++)
        list[i] = field(words->word[i]);
    *out = list;
}

static const char *const uses[] = {"transport", "sign", "approve"};

static enum sg_err
make_keys(const char *home, struct sg_os_keyfile keys[3])
{
    char path[SG_OS_PATH];

    if (!sg_os_file_path(path, "%s/keys", home))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_make_dirs(path);
    for (int i = 0; i < 3 && err == SG_OK; i++)
        err = sg_os_file_path(path, "%s/keys/%s.key", home, uses[i])
                  ? sg_os_keyfile_make(path, uses[i], &keys[i])
                  : SG_ERR_FULL;
    return err;
}

static enum sg_err
seal(const struct sg_os_keyfile keys[3], const struct sg_gate_public *gate,
     struct sg_slice request, const char *out, struct sg_arena *arena)
{
    Sgpb__JoinFile file = SGPB__JOIN_FILE__INIT;
    struct sg_signer *signer;
    uint8_t sig[SG_SIG_LEN], nonce[24], box[SG_SIG_LEN + 16];
    struct sg_slice packed;

    enum sg_err err = sg_crypto_signer_new(keys[1].secret, &signer);
    if (err != SG_OK)
        return err;
    err = sg_sign_make(signer, SG_SIGN_JOIN, request, sig);
    sg_crypto_signer_free(&signer);
    sg_os_random_fill(nonce, sizeof nonce);
    if (err == SG_OK)
        err = sg_crypto_box(gate->transport, keys[0].secret, nonce,
                            sg_slice_of(sig, sizeof sig), box);
    file.request = sg_codec_bytes(request.ptr, request.len);
    file.box_nonce = sg_codec_bytes(nonce, sizeof nonce);
    file.box = sg_codec_bytes(box, sizeof box);
    if (err == SG_OK)
        err = sg_codec_pack(&file.base, arena, &packed);
    return err == SG_OK ? sg_os_file_replace(out, packed, false) : err;
}

static enum sg_err
request(const struct options *o, const struct sg_gate_public *gate,
        const char *out, uint8_t fingerprint[32], struct sg_arena *arena)
{
    Sgpb__JoinRequest asked = SGPB__JOIN_REQUEST__INIT;
    Sgpb__Participant who = SGPB__PARTICIPANT__INIT;
    Sgpb__RosterKey key[3], *pointers[3];
    struct sg_os_keyfile keys[3];
    uint8_t nonce[16];
    struct sg_slice packed = {NULL, 0};

    enum sg_err err = make_keys(o->home, keys);
    for (int i = 0; i < 3 && err == SG_OK; i++) {
        key[i] = (Sgpb__RosterKey)SGPB__ROSTER_KEY__INIT;
        key[i].public_key = sg_codec_bytes(keys[i].public_key, 32);
        key[i].alg = sg_os_keyfile_alg(&keys[i]);
        key[i].use = keys[i].use;
        key[i].person = field(o->person);
        key[i].from = sg_os_clock_wall_us();
        fields(&o->key_roles, &key[i].roles, &key[i].n_roles, arena);
        pointers[i] = &key[i];
    }
    who.id = field(o->id);
    who.name = field(o->name);
    who.jurisdiction = field(o->jurisdiction);
    who.stored_in =
        field(o->stored_in == NULL ? o->jurisdiction : o->stored_in);
    who.class_ = field(o->class);
    who.state = field("active");
    fields(&o->roles, &who.roles, &who.n_roles, arena);
    fields(&o->purposes, &who.purposes, &who.n_purposes, arena);
    fields(&o->promises, &who.promises, &who.n_promises, arena);
    who.keys = pointers;
    who.n_keys = 3;
    sg_os_random_fill(nonce, sizeof nonce);
    asked.gate = field(gate->gate);
    asked.participant = &who;
    asked.created = sg_os_clock_wall_us();
    asked.nonce = sg_codec_bytes(nonce, sizeof nonce);
    if (err == SG_OK)
        err = sg_codec_pack(&asked.base, arena, &packed);
    if (err == SG_OK)
        err = seal(keys, gate, packed, out, arena);
    if (err == SG_OK)
        sg_crypto_sha256(packed.ptr, packed.len, fingerprint);
    sg_crypto_wipe(keys, sizeof keys);
    return err;
}

static bool
all(const char *option, enum sg_attr attr, const struct sg_words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        if (!sg_code_word(option, attr, words->word[i]))
            return false;
    }
    return true;
}

// What is mistyped here would be signed, and found when nothing is delivered.
static bool
words_fit(const struct options *o)
{
    static const char *const roles[] = {
        "operator", "policy_admin", "publisher", "subscriber",
        "consent",  "auditor",      (char *)NULL};

    for (size_t i = 0; i < o->key_roles.count; i++) {
        if (!sg_code_word_among("--key-role", roles, o->key_roles.word[i]))
            return false;
    }
    for (size_t i = 0; i < o->promises.count; i++) {
        if (!sg_code_word_promise("--promise", o->promises.word[i]))
            return false;
    }
    return sg_code_word("--jurisdiction", SG_ATTR_DESTINATION,
                        o->jurisdiction) &&
           sg_code_word("--stored-in", SG_ATTR_STORED_IN, o->stored_in) &&
           sg_code_word("--class", SG_ATTR_RECIPIENT, o->class) &&
           all("--purpose", SG_ATTR_PURPOSE, &o->purposes);
}

static int
dry_join(const struct options *o, struct sg_gate_public *gate, const char *out)
{
    char path[SG_OS_PATH];
    enum sg_err err = SG_OK;

    for (size_t i = 0; i < SG_COUNT_OF(uses) && err == SG_OK; i++) {
        if (!sg_os_file_path(path, "%s/keys/%s.key", o->home, uses[i]))
            return sg_cli_fail(SG_ERR_FULL, o->home);
        err = sg_os_file_exists(path) ? SG_ERR_EXISTS : SG_OK;
    }
    if (err == SG_OK)
        err = sg_dry_folder(o->home);
    if (err != SG_OK)
        return sg_cli_fail(err, o->home);
    if ((err = sg_dry_file(out, false)) != SG_OK)
        return sg_cli_fail(err, out);
    int status = o->roster == NULL ? 0 : pin_roster(o, gate);
    if (status != 0)
        return status;
    return sg_dry_say(o->json,
                      "make three keys and home.conf of %s at the gate %s in "
                      "%s, and the request %s",
                      o->id, gate->gate, o->home, out);
}

static int
done(const struct options *o, const char *out, const uint8_t fingerprint[32])
{
    char hex[65];

    if (!o->json) {
        printf("%s\n", out);
        print_fingerprint("fingerprint", fingerprint);
        return 0;
    }
    sg_encode_hex(fingerprint, 32, hex);
    printf("{\"exit\":0,\"code\":\"ok\",\"fingerprint\":\"%s\",\"file\":", hex);
    sg_gate_call_print_string(out);
    printf("}\n");
    return 0;
}

static int
join(const struct options *o)
{
    struct sg_gate_public gate;
    char out[SG_OS_PATH];
    uint8_t fingerprint[32];

    if (!sg_slice_is_id(sg_slice_text(o->id)))
        return sg_cli_fail(SG_ERR_SYNTAX, "a participant id is A-Z 0-9 _ . -");
    if (!words_fit(o))
        return sg_err_exit(SG_ERR_USAGE);
    int status = sg_roster_file_gate(o->gate, &gate);
    if (status != 0)
        return status;
    if (o->control != NULL)
        (void)snprintf(gate.control, sizeof gate.control, "%s", o->control);
    if (o->data != NULL)
        (void)snprintf(gate.data, sizeof gate.data, "%s", o->data);
    if (!(o->out != NULL ? sg_os_file_path(out, "%s", o->out)
                         : sg_os_file_path(out, "join-%s.request", o->id)))
        return sg_cli_fail(SG_ERR_FULL, NULL);
    if (o->dry)
        return dry_join(o, &gate, out);
    struct sg_arena *arena = sg_arena_new(4 * 1024 * 1024, 65536);
    enum sg_err err = arena == NULL
                          ? SG_ERR_MEMORY
                          : request(o, &gate, out, fingerprint, arena);
    sg_arena_free(&arena);
    if (err != SG_OK)
        return sg_cli_fail(err, o->home);
    if (o->roster != NULL && (status = pin_roster(o, &gate)) != 0)
        return status;
    if ((err = write_conf(o->home, o->id, &gate)) != SG_OK)
        return sg_cli_fail(err, o->home);
    return done(o, out, fingerprint);
}

int
sg_verb_join(int argc, char **argv)
{
    struct options o = {0};
    struct sg_words rest;
    const struct sg_option rows[] = {
        {"--home", &o.home, NULL, NULL},
        {"--gate", &o.gate, NULL, NULL},
        {"--id", &o.id, NULL, NULL},
        {"--name", &o.name, NULL, NULL},
        {"--jurisdiction", &o.jurisdiction, NULL, NULL},
        {"--class", &o.class, NULL, NULL},
        {"--stored-in", &o.stored_in, NULL, NULL},
        {"--person", &o.person, NULL, NULL},
        {"--roster", &o.roster, NULL, NULL},
        {"--control", &o.control, NULL, NULL},
        {"--data", &o.data, NULL, NULL},
        {"-o", &o.out, NULL, NULL},
        {"--role", NULL, NULL, &o.roles},
        {"--key-role", NULL, NULL, &o.key_roles},
        {"--purpose", NULL, NULL, &o.purposes},
        {"--promise", NULL, NULL, &o.promises},
        {"--dry-run", NULL, &o.dry, NULL},
        {"--json", NULL, &o.json, NULL},
        {"--help", NULL, &o.help, NULL},
    };

    if (!sg_options_take(argc, argv, 1, rows, SG_COUNT_OF(rows), &rest) ||
        rest.count != 0)
        return usage(stderr);
    if (o.help)
        return usage(stdout);
    if (o.home == NULL)
        o.home = sg_cli_home();
    if (!sg_code_word_address("--control", o.control) ||
        !sg_code_word_address("--data", o.data))
        return sg_err_exit(SG_ERR_USAGE);
    if (o.id == NULL &&
        (o.roster != NULL || o.control != NULL || o.data != NULL))
        return amend(&o);
    if (o.gate == NULL || o.id == NULL || o.jurisdiction == NULL ||
        o.class == NULL || o.person == NULL || o.key_roles.count == 0)
        return usage(stderr);
    return join(&o);
}
