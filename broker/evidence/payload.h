// payload - where ciphertext lies: objects of sealed chunks, apart from the log.
//
// Owns the folder payload/<year-month>/: an object of at most 64 KiB is a
// record in a segment of its month, a larger one a file of its own, named by
// its random id. Everything in it is ciphertext (formats.md (e)); this module
// never sees a key. Chunk i of an object begins at i * (chunk_size + 16).
// Writing happens on the writer thread alone (payload_write.h); the functions
// here belong to the loop. What an object is (attempt, purpose, sizes, chunk
// root) stands with it and is checked by a CRC when it is read; the bytes of a
// chunk are checked by their tag where they are opened.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

enum {
    SG_PAYLOAD_ID_LEN = 16,
    SG_PAYLOAD_META_LEN = 192, // on disk
    SG_PAYLOAD_NAME_LEN = 32,  // file name: the id in hexadecimal
};

struct sg_payload; // opaque

// What stands with an object. Sizes are of the plaintext.
struct sg_payload_meta {
    uint8_t id[16];              // random, never made from anything
    uint8_t manifest_sha256[32]; // AAD of the chunks, and which key
    uint8_t variant[16];         // zeros: key of the release itself
    uint8_t attempt[16];         // random, fresh for each attempt
    uint32_t purpose;            // enum sg_seal_purpose of seal.h
    uint32_t chunk_size;         // the last may be shorter, never empty
    uint64_t chunks;
    uint64_t bytes;
    uint64_t created_us;
    uint8_t chunk_root[32]; // H(30..)/H(31..) over the ciphertext
};

// Is the object there? meta may be NULL. SG_ERR_NOT_FOUND, SG_ERR_IO,
// SG_ERR_CORRUPT (its description fails the check).
SG_MUST_CHECK enum sg_err sg_payload_find(struct sg_payload *payload,
                                          const uint8_t id[16],
                                          struct sg_payload_meta *meta);

// Ciphertext of one chunk with its tag into out (cap >= chunk_size + 16);
// *len: bytes. SG_ERR_NOT_FOUND: no such object or chunk; SG_ERR_SHORT: bytes
// are missing; SG_ERR_IO.
SG_MUST_CHECK enum sg_err sg_payload_read(struct sg_payload *payload,
                                          const uint8_t id[16], uint64_t index,
                                          uint8_t *out, size_t cap,
                                          size_t *len);

// A read-only descriptor of a large object, chunks from byte 0, for a worker;
// the caller closes it. SG_ERR_UNSUPPORTED: a small object, sg_payload_read it.
SG_MUST_CHECK enum sg_err sg_payload_open_object(struct sg_payload *payload,
                                                 const uint8_t id[16], int *fd);

// An unnamed file in this month's folder for a worker to write chunks into;
// sg_evidence_adopt gives it a name, closing it forgets it.
SG_MUST_CHECK enum sg_err sg_payload_tmpfile(struct sg_payload *payload,
                                             uint64_t now_us, int *fd);

// Takes an object away: a large one is unlinked, a small one overwritten with
// zeros in its segment. Confidentiality does not rest on it but on the key
// (keys.h). Absent: SG_OK.
SG_MUST_CHECK enum sg_err sg_payload_remove(struct sg_payload *payload,
                                            const uint8_t id[16]);
// A whole month and every object in it; month is year * 100 + month.
SG_MUST_CHECK enum sg_err sg_payload_remove_month(struct sg_payload *payload,
                                                  uint32_t month);

// Walks all complete objects in the order of their storing, for finding
// orphans after recovery: *at starts at 0; false: no more. The object just
// returned may be removed.
bool sg_payload_next(const struct sg_payload *payload, uint32_t *at,
                     uint8_t id[16]);
uint32_t sg_payload_count(const struct sg_payload *payload);

// Free bytes of the file system, and whether at least SG_LIMIT_DISK_KEEP_PCT
// of it are free (below that new work is refused with SG_ERR_DISK).
SG_MUST_CHECK enum sg_err sg_payload_space(struct sg_payload *payload,
                                           uint64_t *free_bytes, bool *enough);
