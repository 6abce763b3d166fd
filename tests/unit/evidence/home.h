// home - a gate's home in a temporary folder, for tests of broker/evidence.
//
// Small segments, a fixed log key, counted entries whose bodies say their
// number. Static functions, so that each test program has its own.
#pragma once

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/bytes.h"
#include "broker/base/crypto.h"
#include "broker/evidence/disk.h"
#include "broker/evidence/evidence.h"
#include "broker/os/file.h"
#include "schemas/proof/entry.h"
#include "schemas/proof/seal.h"

#define HOME_TIME 1795372800000000ull

struct home {
    uint64_t snapshot_seq; // that the last opening began with; 0: none
    char path[256];
    struct sg_signer *log_key;
    struct sg_evidence_options options;
    struct sg_evidence *ev;
    struct sg_diag diag;
    uint64_t replayed;   // entries seen by the last replay
    uint64_t first_seen; // sequence of the first of them
    uint8_t genesis[32];
};

static inline enum sg_err
home_random(void *arg, void *out, size_t len)
{
    uint64_t *state = arg;
    uint8_t *bytes = out;
    for (size_t i = 0; i < len; i++) {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        bytes[i] = (uint8_t)(*state >> 24);
    }
    return SG_OK;
}

static inline size_t
home_body(uint64_t seq, uint8_t out[64])
{
    int len = snprintf((char *)out, 64, "body of entry %llu %.*s",
                       (unsigned long long)seq, (int)(seq % 23),
                       "........................");
    return (size_t)len;
}

static inline void
home_make(struct home *home)
{
    static const uint8_t seed[32] = {7};
    const char *tmp = getenv("TMPDIR");
    memset(home, 0, sizeof(*home));
    (void)snprintf(home->path, sizeof(home->path), "%s/sg-evidence-XXXXXX",
                   tmp == NULL ? "/tmp" : tmp);
    assert_non_null(mkdtemp(home->path));
    assert_int_equal(sg_crypto_signer_new(seed, &home->log_key), SG_OK);
    home->options = (struct sg_evidence_options){
        .home = home->path,
        .gate = "TEST_GATE",
        .log_key = home->log_key,
        .segment_bytes = 16 * 1024,
        .keys_cap = 1000,
        .map_bytes = 64u << 20,
    };
}

static inline void
home_create(struct home *home)
{
    home_make(home);
    assert_int_equal(sg_evidence_create(&home->options, HOME_TIME,
                                        SG_SLICE("genesis"), home->genesis),
                     SG_OK);
}

static inline void
home_remove(struct home *home)
{
    sg_evidence_close(&home->ev);
    sg_crypto_signer_free(&home->log_key);
    assert_int_equal(sg_os_file_remove_tree(home->path), SG_OK);
}

static inline enum sg_err
home_visit(void *arg, const struct sg_evidence_entry *entry)
{
    struct home *home = arg;
    uint8_t body[64];
    if (home->replayed++ == 0)
        home->first_seen = entry->seq;
    if (entry->seq == 0)
        return SG_OK;
    size_t len = home_body(entry->seq, body);
    return sg_slice_eq(entry->body, sg_slice_of(body, len)) &&
                   entry->time_us == HOME_TIME + entry->seq
               ? SG_OK
               : SG_ERR_FORMAT;
}

// Opens, replays, starts; the first error.
static inline enum sg_err
home_try_open(struct home *home)
{
    struct sg_evidence_snapshot snapshot;
    home->replayed = 0;
    enum sg_err err = sg_evidence_open(&home->options, &home->ev, &home->diag);
    if (err == SG_OK) {
        home->snapshot_seq = sg_evidence_snapshot(home->ev, &snapshot)
                                 ? snapshot.seq
                                 : 0;
        err = sg_evidence_replay(home->ev, home_visit, home, &home->diag);
    }
    if (err == SG_OK)
        err = sg_evidence_start(home->ev, &home->diag);
    if (err != SG_OK)
        sg_evidence_close(&home->ev);
    return err;
}

static inline void
home_open(struct home *home)
{
    enum sg_err err = home_try_open(home);
    if (err != SG_OK)
        print_message("%s: %s\n", sg_err_code(err), home->diag.text);
    assert_int_equal(err, SG_OK);
}

static inline void
home_append(struct home *home, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint8_t body[64];
        uint64_t seq = sg_evidence_next_seq(home->ev);
        size_t len = home_body(seq, body);
        assert_int_equal(sg_evidence_append(home->ev, seq, SG_ENTRY_ADMIN_ACT,
                                            HOME_TIME + seq,
                                            sg_slice_of(body, len)),
                         SG_OK);
    }
    assert_int_equal(sg_evidence_flush(home->ev), SG_OK);
}

// The next event of this kind; others are passed over, a failure is not.
static inline void
home_await(struct home *home, enum sg_evidence_event_kind kind,
           struct sg_evidence_event *event)
{
    for (;;) {
        while (sg_evidence_poll(home->ev, event)) {
            if (event->kind == kind)
                return;
            if (event->kind == SG_EVIDENCE_FAILED)
                fail_msg("writer failed: %s", event->text);
        }
        struct pollfd fd = {.fd = sg_evidence_fd(home->ev), .events = POLLIN};
        assert_true(poll(&fd, 1, 20000) > 0);
    }
}

static inline void
home_append_durable(struct home *home, uint64_t count)
{
    struct sg_evidence_event event;
    home_append(home, count);
    while (sg_evidence_durable_size(home->ev) < sg_evidence_next_seq(home->ev))
        home_await(home, SG_EVIDENCE_DURABLE, &event);
}

static inline void
home_close(struct home *home)
{
    sg_evidence_close(&home->ev);
}

// ---- the bytes on disk -----------------------------------------------------------

static inline void
home_file(const struct home *home, const char *name, char out[SG_DISK_PATH])
{
    assert_true(sg_disk_path(out, "%s/%s", home->path, name));
}

static inline uint8_t *
home_read(const struct home *home, const char *name, size_t *len)
{
    char path[SG_DISK_PATH];
    uint8_t *bytes;
    home_file(home, name, path);
    assert_int_equal(sg_os_file_read(path, 1u << 30, &bytes, len), SG_OK);
    return bytes;
}

static inline void
home_write(const struct home *home, const char *name, uint64_t at,
           const void *bytes, size_t len)
{
    char path[SG_DISK_PATH];
    int fd;
    home_file(home, name, path);
    assert_int_equal(sg_disk_real.open(NULL, path, SG_DISK_WRITE, &fd), SG_OK);
    assert_int_equal(sg_disk_real.write(NULL, fd, at, bytes, len), SG_OK);
    sg_disk_real.close(NULL, fd);
}

static inline void
home_flip(const struct home *home, const char *name, uint64_t at, unsigned bit)
{
    size_t len;
    uint8_t *bytes = home_read(home, name, &len);
    uint8_t byte = (uint8_t)(bytes[at] ^ 1u << bit);
    home_write(home, name, at, &byte, 1);
    free(bytes);
}

// Segments of a home and where each entry's frame lies.
struct home_frame {
    char name[64]; // evidence/<first>.log
    uint64_t at;
    size_t size;
};

static inline size_t
home_frames(const struct home *home, struct home_frame *frames, size_t cap)
{
    char path[SG_DISK_PATH];
    char **names;
    size_t names_count, count = 0;
    home_file(home, "evidence", path);
    assert_int_equal(sg_os_file_list(path, &names, &names_count), SG_OK);
    for (size_t i = 0; i < names_count; i++) {
        size_t name_len = strlen(names[i]), len;
        if (name_len != 20 || strcmp(names[i] + 16, ".log") != 0)
            continue;
        struct home_frame frame = {.at = 64};
        (void)snprintf(frame.name, sizeof(frame.name), "evidence/%.20s",
                       names[i]);
        uint8_t *bytes = home_read(home, frame.name, &len);
        while (frame.at + 8 < len && count < cap) {
            uint32_t entry_len = sg_bytes_load_u32(bytes + frame.at);
            if (entry_len == 0)
                break;
            frame.size = sg_entry_frame_size(entry_len);
            frames[count++] = frame;
            frame.at += frame.size;
        }
        free(bytes);
    }
    free(names);
    return count;
}
