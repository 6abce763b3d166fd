#include "adapters/cli/log_export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/dry.h"
#include "adapters/cli/gate_call.h"
#include "adapters/cli/options.h"
#include "broker/base/limits.h"
#include "broker/os/file.h"

static const uint8_t magic[8] = {'S', 'G', 'E', 'X', 'P', '1', 0, 0};
enum { ENTRY_MAX = SG_LIMIT_ENTRY + SG_ENTRY_HEAD_LEN, STDOUT = 1 };
enum { FILE_MAX = 1 << 30, FRAME_MAX = ENTRY_MAX + 16 };

// ---- what two neighbours must be ---------------------------------------------

struct last { // the entry before
    bool any;
    uint64_t sequence;
    uint8_t leaf[32];
};

// Are these bytes an entry that may come next?
static bool
follows(struct last *last, struct sg_slice bytes, struct sg_entry *entry,
        uint8_t leaf[32])
{
    if (sg_entry_decode(bytes, entry) != SG_OK)
        return false;
    sg_entry_leaf(bytes, leaf);
    bool good = !last->any || entry->sequence > last->sequence;
    if (last->any && entry->sequence == last->sequence + 1)
        good = memcmp(entry->prev, last->leaf, 32) == 0;
    last->any = true;
    last->sequence = entry->sequence;
    memcpy(last->leaf, leaf, 32);
    return good;
}

// ---- reading -----------------------------------------------------------------

bool
sg_log_export_is(const char *path)
{
    uint8_t first[sizeof magic];
    char inside[SG_OS_PATH];
    int fd;

    if (!sg_os_file_path(inside, "%s/.", path) || sg_os_file_exists(inside) ||
        sg_os_file_open(path, SG_OS_OPEN_READ, &fd) != SG_OK)
        return false;
    bool is = sg_os_file_pread(fd, 0, first, sizeof first) == SG_OK &&
              memcmp(first, magic, sizeof magic) == 0;
    sg_os_file_close(&fd);
    return is;
}

enum sg_err
sg_log_export_read(const char *path,
                   void (*show)(void *arg, const struct sg_entry *entry,
                                const uint8_t leaf[32]),
                   void *arg, size_t *faults)
{
    uint8_t *bytes = NULL, leaf[32];
    struct last last = {0};
    size_t len, size;

    *faults = 0;
    enum sg_err err = sg_os_file_read(path, FILE_MAX, &bytes, &len);
    if (err != SG_OK)
        return err;
    struct sg_slice rest = sg_slice_of(bytes, len);
    rest = sg_slice_of(rest.ptr + sizeof magic, rest.len - sizeof magic);
    while (rest.len > 0) {
        struct sg_slice one;
        struct sg_entry entry;
        if (sg_entry_scan(rest, &one, &size) != SG_ENTRY_SCAN_VALID) {
            ++*faults;
            break;
        }
        if (!follows(&last, one, &entry, leaf))
            ++*faults;
        show(arg, &entry, leaf);
        rest = sg_slice_of(rest.ptr + size, rest.len - size);
    }
    free(bytes);
    return SG_OK;
}

// ---- asking a gate -----------------------------------------------------------

struct export
{
    struct sg_gate_call call;
    int fd;
    uint8_t *part, *frame; // one large entry; one frame
    size_t part_len;
    uint64_t next, durable;
    uint64_t left, count, first;
    struct last last;
};

static enum sg_err
write_out(const struct export *x, struct sg_slice bytes)
{
    return x->call.dry ? SG_OK : sg_os_file_write(x->fd, bytes);
}

static enum sg_err
put(struct export *x, struct sg_slice bytes)
{
    struct sg_writer w = sg_writer_on(x->frame, FRAME_MAX);
    struct sg_entry entry;
    uint8_t leaf[32];

    if (!follows(&x->last, bytes, &entry, leaf))
        return SG_ERR_FORK; // the gate shows what is no stretch of one log
    sg_entry_frame(bytes, &w);
    if (w.full)
        return SG_ERR_FULL;
    if (x->left == 0)
        return SG_ERR_PEER_MALFORMED; // more than was asked for
    if (x->count++ == 0)
        x->first = entry.sequence;
    x->left--;
    return write_out(x, sg_writer_slice(&w));
}

static enum sg_err
put_part(struct export *x, const Sgpb__Entries *page)
{
    const ProtobufCBinaryData *raw = page->raw;

    if (page->n_raw != 1 || page->size > ENTRY_MAX ||
        page->size < x->part_len || raw->len > page->size - x->part_len ||
        raw->len == 0)
        return SG_ERR_PEER_MALFORMED;
    memcpy(x->part + x->part_len, raw->data, raw->len);
    x->part_len += raw->len;
    if (x->part_len < page->size)
        return SG_OK;
    size_t len = x->part_len;
    x->part_len = 0;
    return put(x, sg_slice_of(x->part, len));
}

static enum sg_err
put_page(struct export *x, const Sgpb__Entries *page)
{
    enum sg_err err = SG_OK;

    if (page->size != 0)
        return put_part(x, page);
    if (x->part_len != 0)
        return SG_ERR_PEER_MALFORMED;
    for (size_t i = 0; i < page->n_raw && err == SG_OK; i++)
        err = put(x, sg_slice_of(page->raw[i].data, page->raw[i].len));
    return err;
}

// One page. false: said in call.result, or *err.
static bool
ask(struct export *x, enum sg_err *err)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__EntriesGet get = SGPB__ENTRIES_GET__INIT;

    sg_arena_reset(x->call.arena);
    get.from = x->next;
    get.offset = x->part_len;
    get.count = x->left > UINT32_MAX ? UINT32_MAX : (uint32_t)x->left;
    envelope.body_case = SGPB__ENVELOPE__BODY_ENTRIES_GET;
    envelope.entries_get = &get;
    const Sgpb__Envelope *answer =
        sg_gate_call_ask(&x->call, &envelope, SGPB__ENVELOPE__BODY_ENTRIES);
    if (answer == NULL)
        return false;
    const Sgpb__Entries *page = answer->entries;
    uint64_t before = x->next;
    size_t part = x->part_len;
    *err = put_page(x, page);
    x->next = page->next;
    x->durable = page->durable;
    // A gate that does not go on would be asked for ever.
    if (*err == SG_OK && x->next == before && x->part_len == part &&
        x->next < x->durable)
        *err = SG_ERR_PEER_MALFORMED;
    return *err == SG_OK;
}

static int
fetch(struct export *x, const char *to)
{
    enum sg_err err = SG_OK;

    x->part = malloc(ENTRY_MAX);
    x->frame = malloc(FRAME_MAX);
    if (x->part == NULL || x->frame == NULL)
        return sg_cli_fail(SG_ERR_MEMORY, NULL);
    err = write_out(x, sg_slice_of(magic, sizeof magic));
    do {
        if (err == SG_OK && !ask(x, &err) && err == SG_OK)
            return sg_gate_call_say(&x->call);
    } while (err == SG_OK && x->left > 0 && x->next < x->durable);
    if (err == SG_OK && x->fd != STDOUT && !x->call.dry)
        err = sg_os_file_sync(x->fd);
    if (err != SG_OK)
        return sg_cli_fail(err, to);
    if (x->call.dry)
        return sg_dry_say(x->call.json, "write %llu entries of the log into %s",
                          (unsigned long long)x->count, to);
    FILE *out = x->fd == STDOUT ? stderr : stdout;
    if (x->call.json)
        fprintf(out,
                "{\"entries\":%llu,\"first\":%llu,\"next\":%llu,"
                "\"durable\":%llu}\n",
                (unsigned long long)x->count, (unsigned long long)x->first,
                (unsigned long long)x->next, (unsigned long long)x->durable);
    else
        fprintf(out, "%llu entries; the next one to ask for is %llu\n",
                (unsigned long long)x->count, (unsigned long long)x->next);
    return 0;
}

static int
usage(FILE *out)
{
    return sg_cli_usage(
        out,
        "usage: statgate log export -o FILE|- [--from SEQ] [--count N] [--dry-run]\n"
        "         "
        "[--json] [--home DIR]\n"
        "\n"
        "Entries of a gate's log: all of them for a key with the role "
        "auditor, for anybody\n"
        "else those that name him. FILE is read by statgate log show.\n");
}

int
sg_log_export(int argc, char **argv)
{
    struct export x = {.fd = STDOUT, .left = UINT64_MAX};
    const char *home = NULL, *to = NULL, *from = NULL, *count = NULL;
    unsigned long long first = 0, most = UINT64_MAX;
    bool help = false;
    struct sg_words rest;
    const struct sg_option rows[] = {
        {"--home", &home, NULL, NULL},
        {"-o", &to, NULL, NULL},
        {"--from", &from, NULL, NULL},
        {"--count", &count, NULL, NULL},
        {"--json", NULL, &x.call.json, NULL},
        {"--dry-run", NULL, &x.call.dry, NULL},
        {"--help", NULL, &help, NULL},
    };

    if (!sg_options_take(argc, argv, 1, rows, SG_COUNT_OF(rows), &rest))
        return sg_err_exit(SG_ERR_USAGE);
    if (help)
        return usage(stdout);
    if (rest.count != 0 || to == NULL ||
        (from != NULL &&
         !sg_options_number("--from", from, UINT64_MAX - 1, &first)) ||
        (count != NULL &&
         !sg_options_number("--count", count, UINT64_MAX, &most)) ||
        most == 0)
        return usage(stderr);
    x.next = first;
    x.left = most;
    bool file = strcmp(to, "-") != 0 && !x.call.dry;
    enum sg_err err = file ? sg_os_file_open(to, SG_OS_OPEN_NEW, &x.fd) : SG_OK;
    if (x.call.dry && strcmp(to, "-") != 0)
        err = sg_dry_file(to, true);
    if (err != SG_OK)
        return sg_cli_fail(err, to);
    int status = sg_gate_call_open(&x.call, home, SG_GATE_CALL_MS)
                     ? fetch(&x, to)
                     : x.call.result.exit;
    sg_gate_call_close(&x.call);
    free(x.part);
    free(x.frame);
    if (file)
        sg_os_file_close(&x.fd);
    if (file && status != 0 && sg_os_file_remove(to) != SG_OK)
        (void)sg_cli_fail(SG_ERR_IO, to);
    return status;
}
