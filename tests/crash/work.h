// work - what the crash tests do to a home, and what must hold afterwards.
//
// Entry n with n % 7 == 3 speaks of object n, which is stored before the entry
// is appended: an entry on disk implies its object on disk, and its key.
#pragma once

#include "broker/evidence/verify.h"
#include "tests/unit/evidence/home.h"

static size_t
object_bytes(uint64_t n)
{
    return (n % 2 == 0 ? 300 : 70000) + n % 1000; // fits `plain`
}

static void
object_meta(uint64_t n, struct sg_payload_meta *meta)
{
    memset(meta, 0, sizeof(*meta));
    sg_bytes_store_u64(meta->id, n);
    sg_bytes_store_u64(meta->manifest_sha256, n);
    meta->attempt[0] = 1;
    meta->purpose = SG_SEAL_SPOOL;
    meta->bytes = object_bytes(n);
    meta->chunk_size = n % 2 == 0 ? 262144 : 32768;
    meta->chunks = (meta->bytes - 1) / meta->chunk_size + 1;
    meta->created_us = HOME_TIME;
}

static uint8_t
object_byte(uint64_t n, uint64_t at)
{
    return (uint8_t)(n * 7 + at * 13 + 1);
}

static bool
has_object(uint64_t seq)
{
    return seq % 7 == 3;
}

static uint8_t plain[80000];

static inline void
store_object(struct home *home, uint64_t n)
{
    struct sg_payload_meta meta;
    struct sg_evidence_event event;
    object_meta(n, &meta);
    for (uint64_t i = 0; i < meta.bytes; i++)
        plain[i] = object_byte(n, i);
    // A run that was cut may have stored it, or a part of it, and not the entry:
    // what no entry speaks of is removed, as the gate does when it starts.
    (void)!sg_payload_remove(sg_evidence_payload(home->ev), meta.id);
    if (!sg_keys_has(sg_evidence_keys(home->ev), meta.manifest_sha256,
                     meta.variant))
        assert_int_equal(
            sg_evidence_new_key(home->ev, meta.manifest_sha256, meta.variant),
            SG_OK);
    assert_int_equal(sg_evidence_begin_object(home->ev, n, &meta), SG_OK);
    for (uint64_t i = 0; i < meta.chunks; i++) {
        uint64_t at = i * meta.chunk_size, left = meta.bytes - at;
        assert_int_equal(
            sg_evidence_put_chunk(
                home->ev, n, i,
                sg_slice_of(plain + at,
                            left < meta.chunk_size ? left : meta.chunk_size),
                NULL),
            SG_OK);
    }
    assert_int_equal(sg_evidence_flush(home->ev), SG_OK);
    home_await(home, SG_EVIDENCE_OBJECT, &event);
    assert_int_equal(event.err, SG_OK);
}

static void
no_fault(void *arg, const struct sg_verify_fault *fault)
{
    char *text = arg;
    if (text[0] == '\0')
        (void)snprintf(text, 400, "%s entry %llu byte %llu: %s", fault->file,
                       (unsigned long long)fault->sequence,
                       (unsigned long long)fault->at, fault->text);
}

static const char *
check_object(struct home *home, uint64_t n)
{
    static uint8_t out[262144];
    struct sg_payload_meta meta;
    object_meta(n, &meta);
    for (uint64_t i = 0; i < meta.chunks; i++) {
        size_t len;
        if (sg_evidence_open_chunk(home->ev, meta.id, i, out, sizeof(out),
                                   &len) != SG_OK)
            return "an object that was told or is spoken of is not there";
        for (size_t at = 0; at < len; at += 97) {
            if (out[at] != object_byte(n, i * meta.chunk_size + at))
                return "an object has other bytes";
        }
    }
    return NULL;
}

static const char *
check_objects(struct home *home, uint64_t entries, uint64_t told)
{
    const char *why = told == 0 ? NULL : check_object(home, told);
    for (uint64_t seq = 1; seq < entries && why == NULL; seq++) {
        if (has_object(seq))
            why = check_object(home, seq);
    }
    return why;
}

// NULL: all is well.
static inline const char *
check_state(struct home *home, uint64_t acked, uint64_t object)
{
    static char text[400];
    uint8_t log_key[32];
    struct sg_verify_result result;
    char dir[SG_DISK_PATH];
    const char *dirs[1] = {dir};
    enum sg_err err = home_try_open(home);
    if (err == SG_ERR_NOT_FOUND && acked == 0)
        return NULL;
    if (err != SG_OK) {
        (void)snprintf(text, sizeof(text), "%s %.200s", sg_err_code(err),
                       home->diag.text);
        return text;
    }
    uint64_t entries = sg_evidence_next_seq(home->ev);
    if (entries < acked)
        return "entries that were told are lost";
    const char *why = check_objects(home, entries, object);
    if (why != NULL)
        return why;
    for (uint64_t seq = entries; seq < entries + 3; seq++) {
        if (has_object(seq))
            store_object(home, seq);
    }
    home_append_durable(home, 3);
    home_close(home);
    home_file(home, "evidence", dir);
    text[0] = '\0';
    sg_crypto_signer_public(home->log_key, log_key);
    struct sg_verify_options options = {.dirs = dirs,
                                        .dirs_count = 1,
                                        .log_key = log_key,
                                        .arg = text,
                                        .fault = no_fault};
    err = sg_verify_log(&options, &result);
    if (err != SG_OK)
        return sg_err_code(err);
    return result.faults > 0 ? text : NULL;
}
