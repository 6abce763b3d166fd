// verb_roster - statgate root, roster, admit, revoke: who may do what.
//
// The root key files never lie on the gate; everything here but `put` and
// `revoke` works without one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/code_words.h"
#include "adapters/cli/dry.h"
#include "adapters/cli/gate_call.h"
#include "adapters/cli/options.h"
#include "adapters/cli/roster_file.h"
#include "broker/base/encode.h"
#include "broker/base/utc.h"
#include "broker/os/clock.h"
#include "broker/os/conf.h"
#include "broker/os/file.h"
#include "schemas/codec/codec.h"
#include "schemas/codec/plain.h"
#include "schemas/proof/roster_sign.h"
#include "schemas/proof/sign.h"

#define DAY_US (24 * 3600 * 1000000ull)
enum { ROOTS_MAX = 16, DAYS_MAX = 3650 };

static char *
field(const char *text)
{
    union {
        const char *borrowed;
        char *as_field;
    } at = {text};
    return at.as_field;
}

// ---- root ------------------------------------------------------------------------

static int
dry_root(const char *person, const char *out, bool json)
{
    enum sg_err err = sg_dry_file(out, true);
    if (err != SG_OK)
        return sg_cli_fail(err, out);
    return sg_dry_say(json, "make a root key of %s in %s, and %s.pub", person,
                      out, out);
}

int
sg_verb_root(int argc, char **argv)
{
    const char *out = NULL;
    bool json = false, dry = false;
    struct sg_words rest;
    const struct sg_option rows[] = {{"-o", &out, NULL, NULL},
                                     {"--dry-run", NULL, &dry, NULL},
                                     {"--json", NULL, &json, NULL}};
    struct sg_os_keyfile key;
    char path[SG_OS_PATH], hex[65], text[512];

    if (!sg_options_take(argc, argv, 1, rows, SG_COUNT_OF(rows), &rest) ||
        rest.count != 2 || strcmp(rest.word[0], "new") != 0 || out == NULL) {
        return sg_cli_usage(
            stderr,
            "usage: statgate root new PERSON -o FILE [--dry-run] [--json]\n\n"
            "A root key of one person, and FILE.pub with its public half. Keep\n"
            "FILE off the gate.\n");
    }
    if (dry)
        return dry_root(rest.word[1], out, json);
    enum sg_err err = sg_os_keyfile_make(out, "root", &key);
    sg_encode_hex(key.public_key, 32, hex);
    sg_crypto_wipe(&key, sizeof key);
    (void)snprintf(text, sizeof text, "person %s\npublic %s\n", rest.word[1],
                   hex);
    if (err == SG_OK && !sg_os_file_path(path, "%s.pub", out))
        err = SG_ERR_FULL;
    if (err == SG_OK)
        err = sg_os_file_replace(path, sg_slice_text(text), false);
    if (err != SG_OK)
        return sg_cli_fail(err, out);
    if (json)
        return sg_cli_done("file", path);
    printf("%s\n", path);
    return 0;
}

// ---- roster ----------------------------------------------------------------------

struct options {
    const char *home, *gate, *out, *key, *days, *threshold, *gate_home, *roster;
    const char *kind, *from, *to;
    const char *epoch;
    struct sg_words roots, admit, without;
    bool json, dry;
};

// The roster, still without signatures, into -o; or what would be.
static int
put_out(const struct options *o, const Sgpb__Roster *doc,
        struct sg_arena *arena)
{
    enum sg_err err = o->dry ? sg_dry_file(o->out, false)
                             : sg_roster_file_write(o->out, doc, arena);
    if (err != SG_OK)
        return sg_cli_fail(err, o->out);
    if (o->dry)
        return sg_dry_say(o->json,
                          "write roster %llu of the gate %s, with %zu "
                          "participants and %zu instruments, into %s",
                          (unsigned long long)doc->version, doc->gate,
                          doc->n_participants, doc->n_instruments, o->out);
    return o->json ? sg_cli_done("file", o->out) : 0;
}

static int
read_root(const char *path, Sgpb__RootKey *root, struct sg_arena *arena)
{
    char person[128] = "", hex[80] = "";
    const struct sg_os_conf_row rows[] = {
        {"person", person, sizeof person, true},
        {"public", hex, sizeof hex, true}};
    struct sg_diag diag = {0};
    uint8_t *key = sg_arena_take(arena, 32);

    *root = (Sgpb__RootKey)SGPB__ROOT_KEY__INIT;
    enum sg_err err = sg_os_conf_read(path, rows, SG_COUNT_OF(rows), &diag);
    if (err == SG_OK &&
        (key == NULL || !sg_encode_unhex(sg_slice_text(hex), key, 32)))
        err = SG_ERR_SYNTAX;
    if (err == SG_ERR_SYNTAX)
        return sg_cli_say(
            err,
            "name the file that ends in .pub; the other one stays "
            "with its owner",
            "%s is not the public half of a root key", path);
    if (err != SG_OK)
        return sg_cli_fail(err, path);
    root->public_key = sg_codec_bytes(key, 32);
    root->alg = SG_ALG_ED25519;
    root->person = sg_arena_printf(arena, "%s", person);
    return 0;
}

static bool
take_days(const struct options *o, unsigned long long *days)
{
    if (o->days == NULL)
        return true;
    if (!sg_options_number("--days", o->days, DAYS_MAX, days))
        return false;
    if (*days == 0)
        (void)sg_cli_say(SG_ERR_USAGE, "say for how many days it holds",
                         "--days 0 would hold for no time at all");
    return *days != 0;
}

static int
roster_new(const struct options *o)
{
    static const uint8_t zeros[32];
    Sgpb__Roster doc = SGPB__ROSTER__INIT;
    Sgpb__RootKey roots[ROOTS_MAX], *pointers[ROOTS_MAX];
    struct sg_gate_public gate;
    struct sg_roster_file roster = {0};
    unsigned long long days = 365, threshold = 2;

    if (o->gate == NULL || o->out == NULL || o->roots.count < 2 ||
        o->roots.count > ROOTS_MAX ||
        (o->threshold != NULL && !sg_options_number("--threshold", o->threshold,
                                                    ROOTS_MAX, &threshold)))
        return sg_cli_fail(SG_ERR_USAGE,
                           "roster new needs --gate, -o and two --root");
    if (!take_days(o, &days))
        return sg_err_exit(SG_ERR_USAGE);
    int status = sg_roster_file_gate(o->gate, &gate);
    roster.arena = sg_arena_new(32 * 1024 * 1024, 65536);
    if (roster.arena == NULL)
        return sg_cli_fail(SG_ERR_MEMORY, NULL);
    for (size_t i = 0; i < o->roots.count && status == 0; i++) {
        status = read_root(o->roots.word[i], &roots[i], roster.arena);
        pointers[i] = &roots[i];
    }
    doc.gate = gate.gate;
    doc.version = 1;
    doc.prev_sha256 = sg_codec_bytes(zeros, 32);
    doc.issued = sg_os_clock_wall_us();
    doc.expires = doc.issued + days * DAY_US;
    doc.roots = pointers;
    doc.n_roots = o->roots.count;
    doc.threshold = (uint32_t)threshold;
    doc.gate_transport_key = sg_codec_bytes(gate.transport, 32);
    doc.gate_log_key = sg_codec_bytes(gate.log, 32);
    doc.gate_sign_key = sg_codec_bytes(gate.sign, 32);
    roster.doc = &doc;
    for (size_t i = 0; i < o->admit.count && status == 0; i++)
        status =
            o->gate_home == NULL
                ? sg_cli_fail(SG_ERR_USAGE, "--admit needs --gate-home")
                : sg_roster_file_admit(&roster, o->admit.word[i], o->gate_home);
    if (status == 0)
        status = put_out(o, &doc, roster.arena);
    sg_arena_free(&roster.arena);
    return status;
}

static int
no_root_key(enum sg_err err, const char *path)
{
    if (err == SG_ERR_NOT_FOUND || path == NULL)
        return sg_cli_fail(err, path);
    return sg_cli_say(
        err, "name the file that statgate root new wrote; chmod 600",
        "%s is not a root key file that its owner alone may read", path);
}

static void
say_signed(const struct options *o, const struct sg_roster_file *roster,
           const char *out)
{
    size_t persons = sg_roster_sign_persons(roster->outer, roster->doc);

    if (o->dry)
        (void)sg_dry_say(o->json,
                         "sign roster %llu of the gate %s into %s; %zu "
                         "distinct persons would have signed, %u are needed",
                         (unsigned long long)roster->doc->version,
                         roster->doc->gate, out, persons,
                         roster->doc->threshold);
    else
        printf(o->json ? "{\"exit\":0,\"code\":\"ok\",\"persons\":%zu,"
                         "\"threshold\":%u}\n"
                       : "%zu distinct persons have signed, %u are needed\n",
               persons, roster->doc->threshold);
}

static int
roster_sign(const struct options *o, const char *path)
{
    struct sg_roster_file roster;
    struct sg_os_keyfile key;
    struct sg_signer *signer = NULL;
    Sgpb__RootSignature one = SGPB__ROOT_SIGNATURE__INIT;
    uint8_t sig[SG_SIG_LEN], id[32];
    struct sg_slice packed;

    if (o->key == NULL)
        return sg_cli_fail(SG_ERR_USAGE, "roster sign needs --key ROOTKEY");
    enum sg_err err = sg_roster_file_read(path, &roster);
    if (err != SG_OK)
        return sg_roster_file_fail(err, path);
    if ((err = sg_os_keyfile_read(o->key, "root", &key)) != SG_OK) {
        sg_roster_file_drop(&roster);
        return no_root_key(err, o->key);
    }
    if (err == SG_OK)
        err = sg_crypto_signer_new(key.secret, &signer);
    if (err == SG_OK) {
        sg_os_keyfile_id(&key, id);
        err = sg_sign_make(signer, SG_SIGN_ROSTER,
                           sg_codec_slice(roster.outer->roster), sig);
    }
    sg_crypto_wipe(&key, sizeof key);
    sg_crypto_signer_free(&signer);
    size_t count = err == SG_OK ? roster.outer->n_signatures : 0;
    Sgpb__RootSignature **all =
        err != SG_OK ? NULL
                     : sg_arena_take(roster.arena, (count + 1) * sizeof *all);
    if (err == SG_OK && all == NULL)
        err = SG_ERR_FULL;
    if (err == SG_OK) {
        if (count > 0)
            memcpy(all, roster.outer->signatures, count * sizeof *all);
        one.key_id = sg_codec_bytes(id, 32);
        one.sig = sg_codec_bytes(sig, sizeof sig);
        all[count] = &one;
        roster.outer->signatures = all;
        roster.outer->n_signatures = count + 1;
        err = sg_codec_pack(&roster.outer->base, roster.arena, &packed);
    }
    const char *out = o->out == NULL ? path : o->out;
    if (err == SG_OK)
        err = o->dry ? sg_dry_file(out, false)
                     : sg_os_file_replace(out, packed, false);
    if (err == SG_OK)
        say_signed(o, &roster, out);
    sg_roster_file_drop(&roster);
    return err == SG_OK ? 0 : sg_cli_fail(err, path);
}

// KEYID, as revoke wants it, of each key.
static void
print_keys(const Sgpb__Participant *who, bool json)
{
    uint8_t id[32];
    char hex[65];

    for (size_t i = 0; i < who->n_keys; i++) {
        const Sgpb__RosterKey *key = who->keys[i];
        sg_crypto_key_id((enum sg_alg)key->alg, sg_codec_slice(key->public_key),
                         id);
        sg_encode_hex(id, 32, hex);
        printf(json ? "%s{\"id\":\"%s\",\"use\":\"%s\",\"person\":"
                    : "%s  key %s %s",
               json && i > 0 ? "," : "", hex, key->use);
        if (json)
            sg_gate_call_print_string(key->person);
        else if (key->person[0] != '\0')
            printf(", %s", key->person);
        printf(json ? ",\"roles\":[" : ":");
        for (size_t k = 0; k < key->n_roles; k++)
            printf(json ? "%s\"%s\"" : "%s %s", json && k > 0 ? "," : "",
                   key->roles[k]);
        printf(json ? "]}" : "\n");
    }
}

static void
print_participant(const Sgpb__Participant *who, bool json, bool first)
{
    if (!json) {
        printf("%s %s %s, %s\n", who->id, who->jurisdiction, who->class_,
               who->state);
        return;
    }
    sg_gate_call_print_member(first ? "{" : ",{", "id", who->id);
    sg_gate_call_print_member(",", "jurisdiction", who->jurisdiction);
    sg_gate_call_print_member(",", "class", who->class_);
    sg_gate_call_print_member(",", "state", who->state);
    printf(",\"keys\":[");
}

static int
roster_show(const struct options *o, const char *path)
{
    struct sg_roster_file roster;
    char hex[65], time[SG_UTC_TEXT];

    enum sg_err err = sg_roster_file_read(path, &roster);
    if (err != SG_OK)
        return sg_roster_file_fail(err, path);
    sg_plain_message(&roster.doc->base);
    const Sgpb__Roster *doc = roster.doc;
    sg_encode_hex(roster.sha256, 32, hex);
    sg_utc_format(doc->expires, time);
    if (o->json)
        sg_gate_call_print_member("{", "gate", doc->gate);
    else
        printf("gate %s", doc->gate);
    printf(o->json ? ",\"version\":%llu,\"sha256\":\"%s\","
                     "\"expires\":\"%s\",\"persons\":%zu,\"threshold\":%u,"
                     "\"participants\":["
                   : ", version %llu\nfingerprint %s\nexpires %s\n"
                     "signed by %zu distinct persons of %u needed\n",
           (unsigned long long)doc->version, hex, time,
           sg_roster_sign_persons(roster.outer, roster.doc), doc->threshold);
    for (size_t i = 0; i < doc->n_participants; i++) {
        const Sgpb__Participant *who = doc->participants[i];
        print_participant(who, o->json, i == 0);
        print_keys(who, o->json);
        if (o->json)
            printf("]}");
    }
    if (o->json)
        printf("]}\n");
    sg_roster_file_drop(&roster);
    return 0;
}

// The next one, signed by enough persons, sent by an operator?
static void
dry_put(struct sg_gate_call *call, const struct sg_roster_file *next)
{
    const Sgpb__Roster *now = NULL;
    const Sgpb__SignedRoster *outer = sg_dry_roster(call, &now);
    uint8_t sha256[32];

    if (outer != NULL && sg_dry_may(call, "operator") != NULL) {
        sg_crypto_sha256(outer->roster.data, outer->roster.len, sha256);
        if (strcmp(next->doc->gate, now->gate) != 0 ||
            next->doc->version != now->version + 1 ||
            next->doc->prev_sha256.len != 32 ||
            memcmp(next->doc->prev_sha256.data, sha256, 32) != 0 ||
            sg_roster_sign_persons(next->outer, next->doc) <
                next->doc->threshold)
            sg_gate_call_fault(call, SG_ERR_ROSTER, NULL);
    }
    if (call->result.exit != 0)
        (void)sg_gate_call_say(call);
    else
        (void)sg_dry_say(call->json, "send roster %llu to the gate %s",
                         (unsigned long long)next->doc->version,
                         next->doc->gate);
}

static int
roster_put(const struct options *o, const char *path)
{
    struct sg_gate_call call = {.json = o->json, .dry = o->dry};
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__RosterPut put = SGPB__ROSTER_PUT__INIT;
    struct sg_roster_file roster;

    enum sg_err err = sg_roster_file_read(path, &roster);
    if (err != SG_OK)
        return sg_roster_file_fail(err, path);
    bool there = sg_gate_call_open(&call, o->home, SG_GATE_CALL_MS);
    if (there && o->dry) {
        dry_put(&call, &roster);
    } else if (there) {
        put.signed_ = sg_codec_bytes(roster.bytes.ptr, roster.bytes.len);
        envelope.body_case = SGPB__ENVELOPE__BODY_ROSTER_PUT;
        envelope.roster_put = &put;
        (void)sg_gate_call_ask(&call, &envelope, SGPB__ENVELOPE__BODY_RECEIPT);
        (void)sg_gate_call_say(&call);
    }
    sg_roster_file_drop(&roster);
    sg_gate_call_close(&call);
    return call.result.exit;
}

static bool
is_participant(const char *id, const Sgpb__Roster *doc)
{
    for (size_t i = 0; i < doc->n_participants; i++)
        if (strcmp(doc->participants[i]->id, id) == 0)
            return true;
    return false;
}

// A country, or a participant of the roster: anything else would be signed, and
// found when the instrument applies to nobody.
static bool
is_party(const char *option, const char *id, const Sgpb__Roster *doc)
{
    if (is_participant(id, doc))
        return true;
    if (sg_vocabulary_code(SG_ATTR_DESTINATION, sg_slice_text(id)) != 0)
        return true;
    (void)sg_cli_say(SG_ERR_USAGE,
                     "write a country as in KE, or the id of a participant; "
                     "statgate roster show lists them",
                     "%s %s is not known", option, id);
    return false;
}

static int
roster_instrument(const struct options *o, const char *path)
{
    struct sg_roster_file roster;
    Sgpb__Instrument one = SGPB__INSTRUMENT__INIT;
    unsigned long long days = 365;

    if (o->kind == NULL || o->from == NULL || o->to == NULL || o->out == NULL)
        return sg_cli_fail(SG_ERR_USAGE, "roster instrument FILE --kind K "
                                         "--from A --to B [--days N] -o NEXT");
    if (!take_days(o, &days) ||
        !sg_code_word("--kind", SG_ATTR_INSTRUMENT, o->kind))
        return sg_err_exit(SG_ERR_USAGE);
    enum sg_err err = sg_roster_file_read(path, &roster);
    if (err != SG_OK)
        return sg_roster_file_fail(err, path);
    if (!is_party("--from", o->from, roster.doc) ||
        !is_party("--to", o->to, roster.doc)) {
        sg_roster_file_drop(&roster);
        return sg_err_exit(SG_ERR_USAGE);
    }
    sg_roster_file_next(&roster);
    one.kind = field(o->kind);
    one.from = field(o->from);
    one.to = field(o->to);
    one.valid_from = roster.doc->issued;
    one.valid_until = one.valid_from + days * DAY_US;
    one.review_by = one.valid_until;
    size_t count = roster.doc->n_instruments;
    Sgpb__Instrument **all =
        sg_arena_take(roster.arena, (count + 1) * sizeof *all);
    int status;
    if (all == NULL) {
        status = sg_cli_fail(SG_ERR_FULL, path);
    } else {
        if (count > 0)
            memcpy(all, roster.doc->instruments, count * sizeof *all);
        all[count] = &one;
        roster.doc->instruments = all;
        roster.doc->n_instruments = count + 1;
        status = put_out(o, roster.doc, roster.arena);
    }
    sg_roster_file_drop(&roster);
    return status;
}

// The next roster, in which the root key holders say that a gate that was
// brought back from a copy need not wait for some participants (S27).
static int
roster_waive(const struct options *o, const char *path)
{
    struct sg_roster_file roster;
    unsigned long long epoch = 0;

    if (o->without.count == 0 || o->epoch == NULL || o->out == NULL)
        return sg_cli_fail(SG_ERR_USAGE, "roster waive FILE --epoch N "
                                         "--without ID... -o NEXT");
    if (!sg_options_number("--epoch", o->epoch, INT64_MAX, &epoch))
        return sg_err_exit(SG_ERR_USAGE);
    enum sg_err err = sg_roster_file_read(path, &roster);
    if (err != SG_OK)
        return sg_roster_file_fail(err, path);
    int status = 0;
    char **ids = sg_arena_take(roster.arena, o->without.count * sizeof *ids);
    for (size_t i = 0; i < o->without.count && ids != NULL && status == 0;
         i++) {
        ids[i] = field(o->without.word[i]);
        if (!is_participant(ids[i], roster.doc))
            status = sg_cli_say(SG_ERR_USAGE,
                                "statgate roster show lists them, and statgate "
                                "status those for whom the gate waits",
                                "--without %s is no participant", ids[i]);
    }
    sg_roster_file_next(&roster);
    roster.doc->restored_epoch = epoch;
    roster.doc->restored_without = ids;
    roster.doc->n_restored_without = o->without.count;
    if (status == 0)
        status = ids == NULL ? sg_cli_fail(SG_ERR_FULL, path)
                             : put_out(o, roster.doc, roster.arena);
    sg_roster_file_drop(&roster);
    return status;
}

static bool
take(int argc, char **argv, int first, struct options *o, struct sg_words *rest)
{
    const struct sg_option rows[] = {
        {"--home", &o->home, NULL, NULL},
        {"--gate", &o->gate, NULL, NULL},
        {"--gate-home", &o->gate_home, NULL, NULL},
        {"--key", &o->key, NULL, NULL},
        {"--days", &o->days, NULL, NULL},
        {"--threshold", &o->threshold, NULL, NULL},
        {"--kind", &o->kind, NULL, NULL},
        {"--from", &o->from, NULL, NULL},
        {"--to", &o->to, NULL, NULL},
        {"--epoch", &o->epoch, NULL, NULL},
        {"-o", &o->out, NULL, NULL},
        {"--without", NULL, NULL, &o->without},
        {"--root", NULL, NULL, &o->roots},
        {"--admit", NULL, NULL, &o->admit},
        {"--dry-run", NULL, &o->dry, NULL},
        {"--json", NULL, &o->json, NULL},
    };
    return sg_options_take(argc, argv, first, rows, SG_COUNT_OF(rows), rest);
}

int
sg_verb_roster(int argc, char **argv)
{
    struct options o = {0};
    struct sg_words rest;

    if (argc >= 2 && take(argc, argv, 2, &o, &rest)) {
        const char *file = rest.count == 1 ? rest.word[0] : NULL;
        if (strcmp(argv[1], "new") == 0 && rest.count == 0)
            return roster_new(&o);
        if (strcmp(argv[1], "sign") == 0 && file != NULL)
            return roster_sign(&o, file);
        if (strcmp(argv[1], "show") == 0 && file != NULL)
            return roster_show(&o, file);
        if (strcmp(argv[1], "put") == 0 && file != NULL)
            return roster_put(&o, file);
        if (strcmp(argv[1], "instrument") == 0 && file != NULL)
            return roster_instrument(&o, file);
        if (strcmp(argv[1], "waive") == 0 && file != NULL)
            return roster_waive(&o, file);
    }
    return sg_cli_usage(
        stderr,
        "usage: statgate roster new --gate GATE.public --root KEY.pub...\n"
        "         [--threshold K] [--days N] [--admit REQUEST...\n"
        "         --gate-home DIR] -o FILE [--dry-run] [--json]\n"
        "       statgate roster sign FILE --key ROOTKEY [-o FILE]\n"
        "         [--dry-run] [--json]\n"
        "       statgate roster show FILE [--json]\n"
        "       statgate roster instrument FILE --kind K --from A --to B\n"
        "         [--days N] -o NEXT [--dry-run] [--json]\n"
        "       statgate roster waive FILE --epoch N --without ID... -o NEXT\n"
        "         [--dry-run] [--json]\n"
        "       statgate roster put FILE [--dry-run] [--json] [--home DIR]\n\n"
        "The roster says who takes part. new makes the first one, instrument the\n"
        "next one with a legal instrument between two countries or participants;\n"
        "each root key holder signs it; put sends it to the gate. waive makes the\n"
        "next one for a gate that was brought back from a copy (epoch N, as status\n"
        "says) and waits for participants that cannot say hello.\n");
}

int
sg_verb_admit(int argc, char **argv)
{
    struct options o = {0};
    struct sg_words rest;
    struct sg_roster_file roster;
    const struct sg_option rows[] = {{"--roster", &o.roster, NULL, NULL},
                                     {"--gate-home", &o.gate_home, NULL, NULL},
                                     {"-o", &o.out, NULL, NULL},
                                     {"--dry-run", NULL, &o.dry, NULL},
                                     {"--json", NULL, &o.json, NULL}};

    if (!sg_options_take(argc, argv, 1, rows, SG_COUNT_OF(rows), &rest) ||
        rest.count == 0 || o.roster == NULL || o.out == NULL ||
        o.gate_home == NULL) {
        return sg_cli_usage(
            stderr,
            "usage: statgate admit REQUEST... --roster FILE --gate-home DIR\n"
            "         -o NEXT [--dry-run] [--json]\n\n"
            "Makes the next roster. As many root key holders as it asks for sign\n"
            "it with statgate roster sign; an operator sends it with statgate\n"
            "roster put.\n");
    }
    enum sg_err err = sg_roster_file_read(o.roster, &roster);
    if (err != SG_OK)
        return sg_roster_file_fail(err, o.roster);
    sg_roster_file_next(&roster);
    int status = 0;
    for (size_t i = 0; i < rest.count && status == 0; i++)
        status = sg_roster_file_admit(&roster, rest.word[i], o.gate_home);
    if (status == 0)
        status = put_out(&o, roster.doc, roster.arena);
    sg_roster_file_drop(&roster);
    return status;
}

// ---- revoke ----------------------------------------------------------------------

static enum sg_err
sign_revocation(struct sg_gate_call *call, const char *gate,
                const char *root_path, const uint8_t key_id[32],
                const char *reason, Sgpb__Signed *out)
{
    Sgpb__Revocation body = SGPB__REVOCATION__INIT;
    struct sg_os_keyfile key;
    struct sg_signer *signer = NULL;
    struct sg_slice packed;
    uint8_t *sig = sg_arena_take(call->arena, SG_SIG_LEN);
    uint8_t *id = sg_arena_take(call->arena, 32);

    body.gate = field(gate);
    body.key_id = sg_codec_bytes(key_id, 32);
    body.since = sg_os_clock_wall_us();
    body.reason = field(reason);
    enum sg_err err = sig == NULL || id == NULL
                          ? SG_ERR_FULL
                          : sg_os_keyfile_read(root_path, "root", &key);
    if (err == SG_OK)
        err = sg_crypto_signer_new(key.secret, &signer);
    if (err == SG_OK)
        err = sg_codec_pack(&body.base, call->arena, &packed);
    if (err == SG_OK) {
        sg_os_keyfile_id(&key, id);
        err = sg_sign_make(signer, SG_SIGN_REVOCATION, packed, sig);
    }
    sg_crypto_wipe(&key, sizeof key);
    sg_crypto_signer_free(&signer);
    if (err != SG_OK)
        return err;
    *out = (Sgpb__Signed)SGPB__SIGNED__INIT;
    out->body = sg_codec_bytes(packed.ptr, packed.len);
    out->alg = SG_ALG_ED25519;
    out->key_id = sg_codec_bytes(id, 32);
    out->sig = sg_codec_bytes(sig, SG_SIG_LEN);
    return SG_OK;
}

// By a root key of this gate, of a key that is in its roster?
static void
dry_revoke(struct sg_gate_call *call, const Sgpb__Signed *by,
           const uint8_t key_id[32], const char *gate)
{
    const Sgpb__Roster *doc = NULL;
    const Sgpb__RosterKey *found = NULL;
    bool root = false;
    uint8_t id[32];

    if (sg_dry_roster(call, &doc) == NULL) {
        (void)sg_gate_call_say(call);
        return;
    }
    for (size_t i = 0; i < doc->n_roots && !root; i++) {
        sg_crypto_key_id((enum sg_alg)doc->roots[i]->alg,
                         sg_codec_slice(doc->roots[i]->public_key), id);
        root = memcmp(id, by->key_id.data, 32) == 0;
    }
    for (size_t i = 0; i < doc->n_participants; i++) {
        const Sgpb__Participant *who = doc->participants[i];
        for (size_t k = 0; k < who->n_keys && found == NULL; k++) {
            sg_crypto_key_id((enum sg_alg)who->keys[k]->alg,
                             sg_codec_slice(who->keys[k]->public_key), id);
            if (memcmp(id, key_id, 32) == 0)
                found = who->keys[k];
        }
    }
    if (!root || strcmp(doc->gate, gate) != 0)
        sg_gate_call_fault(call, SG_ERR_PEER_MALFORMED, "revocation");
    else if (found == NULL)
        sg_gate_call_fault(call, SG_ERR_PEER_UNKNOWN, "key_id");
    if (call->result.exit != 0 || found == NULL)
        (void)sg_gate_call_say(call);
    else
        (void)sg_dry_say(call->json,
                         "end the %s key of %s at the gate %s, at once and for "
                         "ever",
                         found->use, found->person, gate);
}

int
sg_verb_revoke(int argc, char **argv)
{
    const char *home = NULL, *root = NULL, *reason = "lost", *gate = NULL;
    bool json = false, dry = false;
    struct sg_words rest;
    const struct sg_option rows[] = {
        {"--home", &home, NULL, NULL},     {"--root", &root, NULL, NULL},
        {"--reason", &reason, NULL, NULL}, {"--gate", &gate, NULL, NULL},
        {"--dry-run", NULL, &dry, NULL},   {"--json", NULL, &json, NULL}};
    uint8_t key_id[32];

    if (!sg_options_take(argc, argv, 1, rows, SG_COUNT_OF(rows), &rest) ||
        rest.count != 1 || root == NULL || gate == NULL) {
        return sg_cli_usage(
            stderr,
            "usage: statgate revoke KEYID --root ROOTKEY --gate ID\n"
            "         [--reason stolen|lost|left|replaced] [--dry-run] [--json]\n"
            "         [--home DIR]\n\n"
            "One root key holder is enough; it takes effect at once.\n"
            "KEYID is what roster show prints for the key.\n");
    }
    if (!sg_encode_unhex(sg_slice_text(rest.word[0]), key_id, 32))
        return sg_cli_say(SG_ERR_USAGE,
                          "it has 64 hexadecimal characters; statgate roster "
                          "show prints it",
                          "%s is not the id of a key", rest.word[0]);
    struct sg_gate_call call = {
        .json = json, .dry = dry, .typed = rest.word[0]};
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Revoke revoke = SGPB__REVOKE__INIT;
    Sgpb__Signed document;
    int status = 0;
    if (sg_gate_call_open(&call, home, SG_GATE_CALL_MS)) {
        enum sg_err err =
            sign_revocation(&call, gate, root, key_id, reason, &document);
        revoke.revocation = &document;
        envelope.body_case = SGPB__ENVELOPE__BODY_REVOKE;
        envelope.revoke = &revoke;
        if (err != SG_OK) {
            status = no_root_key(err, root);
        } else if (dry) {
            dry_revoke(&call, &document, key_id, gate);
        } else {
            (void)sg_gate_call_ask(&call, &envelope,
                                   SGPB__ENVELOPE__BODY_RECEIPT);
            if (strcmp(call.result.component, "key_id") == 0)
                (void)snprintf(call.result.cure, sizeof call.result.cure,
                               "statgate roster show prints the ids of keys");
            if (sg_gate_call_say(&call) == 0 && !json)
                printf("revoked %s\n", rest.word[0]);
        }
    }
    sg_gate_call_close(&call);
    return status != 0 ? status : call.result.exit;
}
