// keyfile - one private key in one file, readable by its owner alone.
//
// Text of five lines: "statgate-key 1", use, alg, public, secret. The file says
// what the key is for; who may use it says the roster.
#pragma once

#include "broker/base/crypto.h"

enum { SG_OS_KEYFILE_USE = 16 };

struct sg_os_keyfile {
    char use[SG_OS_KEYFILE_USE]; // transport sign log witness approve root
    char alg[16];                // ed25519, curve25519
    uint8_t public_key[32];
    uint8_t secret[32]; // seed (RFC 8032), or the CURVE secret key; wipe it
};

// Draws a key and writes it; SG_ERR_EXISTS: there is one already.
SG_MUST_CHECK enum sg_err sg_os_keyfile_make(const char *path, const char *use,
                                             struct sg_os_keyfile *key);
// SG_ERR_FORMAT: not a key file, for another use, or the public key is not that
// of the secret one; SG_ERR_PEER_KEY_USE: others may read the file.
SG_MUST_CHECK enum sg_err sg_os_keyfile_read(const char *path, const char *use,
                                             struct sg_os_keyfile *key);
// key_id of formats.md 0; transport keys have algorithm 16.
void sg_os_keyfile_id(const struct sg_os_keyfile *key, uint8_t out[32]);
uint32_t sg_os_keyfile_alg(const struct sg_os_keyfile *key);
