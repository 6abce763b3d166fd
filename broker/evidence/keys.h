// keys - the wrapping table: every content key, wrapped, outside LMDB and log.
//
// Owns keys/table-<g>, keys/secret-<g> and keys/wrap-<g> (mode 0600; formats.md
// (e), decisions-security S34). One row a key: a release has one (variant of 16
// zeros), each rendition one of its own. K exists in clear only while a row is
// made and in what sg_release_key hands out; W_g stays in memory that is wiped
// when closed. Memory belongs to the loop; files are written by the writer
// thread alone, in the order in which the loop made the changes, and are
// durable before anything sealed under a new key is acknowledged.
//
// Nobody but release_key.c may call sg_keys_unwrap (ops/lint).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

enum {
    SG_KEYS_ROW_LEN = 108,    // manifest 32, variant 16, nonce 12, wrapped 48
    SG_KEYS_SECRET_LEN = 101, // "SGSB1" and three of 32: formats.md (a)
    SG_KEYS_NAME_LEN = 48,    // manifest_sha256 | variant
};

struct sg_keys; // opaque

// How surely an old wrapping key is gone (entry 19 says it, and no more).
enum sg_keys_class { SG_KEYS_BEST_EFFORT, SG_KEYS_MEDIUM, SG_KEYS_HARDWARE };
const char *sg_keys_class_name(enum sg_keys_class class);

// Fixed names of keys that belong to no release: structures, policies and
// other objects of the gate itself lie under manifest = H("statgate/store/v1"
// 00, genesis). Written into out.
void sg_keys_store_name(const uint8_t genesis[32], uint8_t out[32]);

bool sg_keys_has(const struct sg_keys *keys, const uint8_t manifest_sha256[32],
                 const uint8_t variant[16]);
// All names, manifest | variant: *at starts at 0; false: no more. The table may
// not change in between.
bool sg_keys_next(const struct sg_keys *keys, uint32_t *at,
                  uint8_t name[SG_KEYS_NAME_LEN]);
uint32_t sg_keys_count(const struct sg_keys *keys);
uint64_t sg_keys_generation(const struct sg_keys *keys); // g
