// verb_log - statgate log verify | show | export.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/log_export.h"
#include "adapters/cli/progress.h"
#include "broker/base/arena.h"
#include "broker/base/crypto.h"
#include "broker/base/encode.h"
#include "broker/base/limits.h"
#include "broker/base/utc.h"
#include "broker/evidence/verify.h"
#include "broker/os/file.h"
#include "schemas/codec/text.h"

enum { DIRS_MAX = 64, HELD_MAX = 64, TEXT_MAX = 16 * 1024 };
enum { LIVE_TRIES = 10, LIVE_PAUSE_US = 50000, SLOTS_MAX = 64 * 1024 };

struct options {
    const char *dirs[DIRS_MAX];
    size_t dirs_count;
    const char *held[HELD_MAX];
    size_t held_count;
    const char *genesis, *log_key;
    bool json;
};

struct run {
    const struct options *options;
    struct sg_verify_result result;
    json_t *faults;
    struct sg_arena *arena;
    char *text;
    size_t hidden; // faults seen while showing
    struct sg_progress progress;
};

static int
usage(FILE *out)
{
    return sg_cli_usage(
        out,
        "usage: statgate log verify DIR... [--genesis HEX] "
        "[--log-key HEX|FILE]\n"
        "                          [--against RECEIPT]... [--json]\n"
        "       statgate log show DIR... | FILE [--json]\n"
        "       statgate log export -o FILE|- [--from SEQ] [--count N] [--dry-run]\n"
        "         "
        "[--json] [--home DIR]\n"
        "\n"
        "DIR is the evidence/ folder of a gate, or a folder that segments were "
        "moved to.\n"
        "verify looks at every byte and names segment, byte, entry and fault; "
        "it exits 0\n"
        "when the log is whole, 65 when it is not. Without --log-key the key "
        "named in\n"
        "entry 0 is taken: then pin --genesis, or have the key from the "
        "roster.\n"
        "export asks a gate for its entries and writes them into FILE, which "
        "show reads.\n"
        "--against: receipts (or checkpoints) that others hold must fit this "
        "log.\n");
}

static bool
parse_options(int argc, char **argv, struct options *o)
{
    for (int i = 2; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        const char **into = NULL;
        if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
            continue;
        }
        if (strcmp(argv[i], "--genesis") == 0)
            into = &o->genesis;
        else if (strcmp(argv[i], "--log-key") == 0)
            into = &o->log_key;
        else if (strcmp(argv[i], "--against") == 0 && o->held_count < HELD_MAX)
            into = &o->held[o->held_count++];
        else if (argv[i][0] != '-' && o->dirs_count < DIRS_MAX) {
            o->dirs[o->dirs_count++] = argv[i];
            continue;
        }
        if (into == NULL || value == NULL)
            return false;
        *into = value;
        i++;
    }
    return o->dirs_count > 0;
}

// 64 hexadecimal digits, or a file that holds them.
static bool
read_hash(const char *text, bool or_file, uint8_t out[32])
{
    uint8_t *bytes = NULL;
    size_t len;
    if (sg_encode_unhex(sg_slice_text(text), out, 32))
        return true;
    if (!or_file || sg_os_file_read(text, 4096, &bytes, &len) != SG_OK)
        return false;
    while (len > 0 && (bytes[len - 1] == '\n' || bytes[len - 1] == '\r'))
        len--;
    bool good = len == 32 || sg_encode_unhex(sg_slice_of(bytes, len), out, 32);
    if (len == 32)
        memcpy(out, bytes, 32);
    free(bytes);
    return good;
}

// ---- a log that is being written -------------------------------------------------

// What the checkpoints of the folders say now, in one number.
static void
checkpoints(const struct sg_verify_options *options, uint8_t hash[32])
{
    memset(hash, 0, 32);
    for (size_t i = 0; i < options->dirs_count; i++) {
        char path[SG_OS_PATH];
        uint8_t *bytes;
        size_t len;
        if (!sg_os_file_path(path, "%s/checkpoint", options->dirs[i]) ||
            !sg_os_file_exists(path) ||
            sg_os_file_read(path, SLOTS_MAX, &bytes, &len) != SG_OK)
            continue;
        struct sg_slice parts[] = {sg_slice_of(hash, 32),
                                   sg_slice_of(bytes, len)};
        sg_crypto_sha256v(parts, SG_COUNT_OF(parts), hash);
        free(bytes);
    }
}

static void
no_word(void *arg, const struct sg_verify_fault *fault)
{
    (void)arg, (void)fault;
}

static void
on_progress(void *arg, uint64_t done, uint64_t total)
{
    struct sg_progress *progress = &((struct run *)arg)->progress;

    if (progress->total == 0)
        sg_progress_begin(progress, "verifying", total);
    sg_progress_at(progress, done);
}

// Looks without a word. What a running gate was writing just then looks broken
// and is whole a moment later: as long as its checkpoint moves and there are
// faults, it is looked at again. Real damage stays.
static enum sg_err
look(const struct sg_verify_options *options, struct sg_verify_result *result)
{
    struct sg_verify_options quiet = *options;
    enum sg_err err = SG_OK;
    quiet.fault = no_word;
    quiet.entry = NULL;
    for (int i = 0; i < LIVE_TRIES; i++) {
        uint8_t before[32], after[32];
        checkpoints(options, before);
        err = sg_verify_log(&quiet, result);
        sg_progress_end(&((struct run *)options->arg)->progress);
        if (err != SG_OK || result->faults == 0)
            return err;
        (void)usleep(LIVE_PAUSE_US);
        checkpoints(options, after);
        if (memcmp(before, after, sizeof(before)) == 0)
            return SG_OK;
    }
    return err;
}

// ---- verify --------------------------------------------------------------------

// What others hold is named by the file that was given.
static const char *
file_of(const struct run *run, const struct sg_verify_fault *fault)
{
    static const char held[] = "held ";
    uint64_t at = 0;

    return strncmp(fault->file, held, sizeof held - 1) == 0 &&
                   sg_slice_u64(sg_slice_text(fault->file + sizeof held - 1),
                                &at) &&
                   at > 0 && at <= run->options->held_count
               ? run->options->held[at - 1]
               : fault->file;
}

static void
collect_fault(struct run *run, const struct sg_verify_fault *fault)
{
    json_t *object = json_pack("{s:s, s:s}", "file", file_of(run, fault),
                               "fault", fault->text);
    if (fault->has_sequence)
        (void)json_object_set_new(object, "sequence",
                                  json_integer((json_int_t)fault->sequence));
    if (fault->has_at)
        (void)json_object_set_new(object, "byte",
                                  json_integer((json_int_t)fault->at));
    (void)json_array_append_new(run->faults, object);
}

static void
on_fault(void *arg, const struct sg_verify_fault *fault)
{
    struct run *run = arg;
    if (run->faults != NULL) {
        collect_fault(run, fault);
        return;
    }
    printf("%s", fault->file[0] == '\0' ? "log" : file_of(run, fault));
    if (fault->has_at)
        printf(", byte %llu", (unsigned long long)fault->at);
    if (fault->has_sequence)
        printf(", entry %llu", (unsigned long long)fault->sequence);
    printf(": %s\n", fault->text);
}

static void
print_result(const struct run *run)
{
    const struct sg_verify_result *r = &run->result;
    char root[65], genesis[65], from[SG_UTC_TEXT], to[SG_UTC_TEXT];
    sg_encode_hex(r->root, 32, root);
    sg_encode_hex(r->genesis, 32, genesis);
    sg_utc_format(r->first_us, from);
    sg_utc_format(r->last_us, to);
    printf("%llu entr%s in %llu segment%s, %s to %s\n",
           (unsigned long long)r->entries, r->entries == 1 ? "y" : "ies",
           (unsigned long long)r->segments, r->segments == 1 ? "" : "s", from,
           to);
    printf("genesis %s, epoch %llu\n", genesis, (unsigned long long)r->epoch);
    printf("signed: the first %llu entries%s\n",
           (unsigned long long)r->signed_size,
           r->key_pinned ? "" : " (by the key that entry 0 names)");
    if (r->faults == 0)
        printf("whole: chain, frames, zeros and root %s\n", root);
    else
        printf("NOT whole: %llu fault%s\n", (unsigned long long)r->faults,
               r->faults == 1 ? "" : "s");
}

static int
print_json(struct run *run)
{
    const struct sg_verify_result *r = &run->result;
    char root[65], genesis[65];
    sg_encode_hex(r->root, 32, root);
    sg_encode_hex(r->genesis, 32, genesis);
    json_t *object =
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:s, s:s, s:b, s:O}", "verdict",
                  r->faults == 0 ? "whole" : "damaged", "entries",
                  (json_int_t)r->entries, "segments", (json_int_t)r->segments,
                  "signed", (json_int_t)r->signed_size, "epoch",
                  (json_int_t)r->epoch, "genesis", genesis, "root", root,
                  "key_pinned", r->key_pinned ? 1 : 0, "faults", run->faults);
    int bad = json_dumpf(object, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    (void)putchar('\n');
    json_decref(object);
    return bad == 0 ? 0 : sg_err_exit(SG_ERR_IO);
}

static int
no_log(enum sg_err err, const char *dir)
{
    if (err != SG_ERR_NOT_FOUND)
        return sg_cli_fail(err, dir);
    return sg_cli_say(
        err, "name the folder store/evidence of a gate, or a copy of it",
        "there is no evidence log in %s", dir);
}

static int
finish(struct run *run, enum sg_err err)
{
    if (err != SG_OK)
        return no_log(err, run->options->dirs[0]);
    int status = 0;
    if (run->options->json)
        status = print_json(run);
    else
        print_result(run);
    return status != 0 ? status : run->result.faults == 0 ? 0 : 65;
}

static int
verify(const struct options *o)
{
    struct run run = {.options = o};
    struct sg_slice held[HELD_MAX];
    uint8_t *bytes[HELD_MAX] = {NULL};
    uint8_t genesis[32], log_key[32];
    if (o->genesis != NULL && !read_hash(o->genesis, false, genesis))
        return sg_cli_say(SG_ERR_USAGE, "it has 64 hexadecimal characters",
                          "--genesis %s is no hash", o->genesis);
    if (o->log_key != NULL && !read_hash(o->log_key, true, log_key))
        return sg_cli_say(SG_ERR_USAGE,
                          "it has 64 hexadecimal characters, here or in a file",
                          "--log-key %s is no key", o->log_key);
    enum sg_err err = SG_OK;
    size_t count = 0;
    for (; count < o->held_count && err == SG_OK; count++) {
        size_t len;
        err = sg_os_file_read(o->held[count], 2 * SG_LIMIT_ENTRY, &bytes[count],
                              &len);
        if (err != SG_OK)
            return sg_cli_fail(err, o->held[count]);
        held[count] = sg_slice_of(bytes[count], len);
    }
    if (o->json)
        run.faults = json_array();
    struct sg_verify_options options = {
        .dirs = o->dirs,
        .dirs_count = o->dirs_count,
        .genesis = o->genesis == NULL ? NULL : genesis,
        .log_key = o->log_key == NULL ? NULL : log_key,
        .against = held,
        .against_count = count,
        .arg = &run,
        .fault = on_fault,
        .progress = on_progress};
    err = look(&options, &run.result);
    options.progress = NULL; // faults are said now
    if (err == SG_OK && run.result.faults > 0)
        err = sg_verify_log(&options, &run.result);
    int status = finish(&run, err);
    json_decref(run.faults);
    for (size_t i = 0; i < count; i++)
        free(bytes[i]);
    return status;
}

// ---- show ----------------------------------------------------------------------

static void
count_fault(void *arg, const struct sg_verify_fault *fault)
{
    struct run *run = arg;
    (void)fault;
    run->hidden++;
}

static void
show_entry(void *arg, const struct sg_entry *entry, const uint8_t leaf[32])
{
    struct run *run = arg;
    char time[SG_UTC_TEXT], hex[65];
    struct sg_writer w = sg_writer_on(run->text, TEXT_MAX - 1);
    sg_arena_reset(run->arena);
    sg_utc_format(entry->time_us, time);
    sg_encode_hex(leaf, 32, hex);
    bool known =
        sg_text_body(entry->type, entry->body, run->arena, &w) == SG_OK;
    size_t len = known ? w.len : 0;
    run->text[len] = '\0';
    const char *word = sg_entry_type_name(entry->type);
    if (!run->options->json) {
        printf("%8llu %s %-22s %s%s\n", (unsigned long long)entry->sequence,
               time, word, run->text,
               known && !w.full ? ""
               : known          ? "..."
                                : "(body not readable)");
        return;
    }
    json_t *object = json_pack("{s:I, s:s, s:i, s:s, s:s, s:s}", "sequence",
                               (json_int_t)entry->sequence, "time", time,
                               "type", (int)entry->type, "word", word, "leaf",
                               hex, "body", run->text);
    (void)json_dumpf(object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
    (void)putchar('\n');
    json_decref(object);
}

static int
show(const struct options *o)
{
    struct run run = {.options = o};
    struct sg_verify_options options = {.dirs = o->dirs,
                                        .dirs_count = o->dirs_count,
                                        .arg = &run,
                                        .fault = count_fault,
                                        .entry = show_entry};
    run.arena = sg_arena_new(2 * SG_LIMIT_PB_MEMORY, 64 * 1024);
    run.text = malloc(TEXT_MAX);
    enum sg_err err =
        run.arena == NULL || run.text == NULL ? SG_ERR_MEMORY
        : o->dirs_count == 1 && sg_log_export_is(o->dirs[0])
            ? sg_log_export_read(o->dirs[0], show_entry, &run, &run.hidden)
            : sg_verify_log(&options, &run.result);
    sg_arena_free(&run.arena);
    free(run.text);
    if (err == SG_OK && run.hidden > 0) {
        err = look(&options, &run.result);
        run.hidden = run.result.faults;
    }
    if (err != SG_OK)
        return no_log(err, o->dirs[0]);
    if (run.hidden > 0)
        fprintf(stderr,
                "statgate: the log has %zu faults; see statgate log "
                "verify\n",
                run.hidden);
    return run.hidden == 0 ? 0 : 65;
}

int
sg_verb_log(int argc, char **argv)
{
    struct options options = {0};
    if (argc < 2)
        return usage(stderr);
    if (strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    if (strcmp(argv[1], "export") == 0)
        return sg_log_export(argc - 1, argv + 1);
    bool verifies = strcmp(argv[1], "verify") == 0;
    if ((!verifies && strcmp(argv[1], "show") != 0) ||
        !parse_options(argc, argv, &options))
        return usage(stderr);
    return verifies ? verify(&options) : show(&options);
}
