#include "broker/os/keyfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "broker/base/encode.h"
#include "broker/os/file.h"
#include "broker/os/random.h"

enum { FILE_MAX = 1024, ALG_CURVE = 16 };

static bool
is_transport(const char *use)
{
    return strcmp(use, "transport") == 0;
}

// The public key that belongs to the secret one.
static enum sg_err
derive(const char *use, const uint8_t secret[32], uint8_t public_key[32])
{
    struct sg_signer *signer;

    if (is_transport(use)) {
        sg_crypto_curve_public(secret, public_key);
        return SG_OK;
    }
    enum sg_err err = sg_crypto_signer_new(secret, &signer);
    if (err != SG_OK)
        return err;
    sg_crypto_signer_public(signer, public_key);
    sg_crypto_signer_free(&signer);
    return SG_OK;
}

enum sg_err
sg_os_keyfile_make(const char *path, const char *use, struct sg_os_keyfile *key)
{
    char text[FILE_MAX], public_hex[65], secret_hex[65];

    if (sg_os_file_exists(path))
        return SG_ERR_EXISTS;
    memset(key, 0, sizeof *key);
    SG_ASSERT(strlen(use) < sizeof key->use);
    memcpy(key->use, use, strlen(use));
    (void)snprintf(key->alg, sizeof key->alg, "%s",
                   is_transport(use) ? "curve25519" : "ed25519");
    sg_os_random_fill(key->secret, sizeof key->secret);
    enum sg_err err = derive(use, key->secret, key->public_key);
    if (err != SG_OK)
        return err;
    sg_encode_hex(key->public_key, 32, public_hex);
    sg_encode_hex(key->secret, 32, secret_hex);
    int len = snprintf(text, sizeof text,
                       "statgate-key 1\nuse %s\nalg %s\npublic %s\nsecret %s\n",
                       key->use, key->alg, public_hex, secret_hex);
    SG_ASSERT(len > 0 && (size_t)len < sizeof text);
    err = sg_os_file_replace(path, sg_slice_of(text, (size_t)len), true);
    sg_crypto_wipe(text, sizeof text);
    sg_crypto_wipe(secret_hex, sizeof secret_hex);
    return err;
}

static bool
parse(const char *text, struct sg_os_keyfile *key)
{
    char public_hex[65], secret_hex[65];

    if (sscanf(text,
               "statgate-key 1\nuse %15s\nalg %15s\npublic %64s\nsecret %64s",
               key->use, key->alg, public_hex, secret_hex) != 4)
        return false;
    bool fine =
        sg_encode_unhex(sg_slice_text(public_hex), key->public_key, 32) &&
        sg_encode_unhex(sg_slice_text(secret_hex), key->secret, 32);
    sg_crypto_wipe(secret_hex, sizeof secret_hex);
    return fine;
}

enum sg_err
sg_os_keyfile_read(const char *path, const char *use, struct sg_os_keyfile *key)
{
    struct stat about;
    uint8_t *bytes, public_key[32];
    size_t len;

    memset(key, 0, sizeof *key);
    if (stat(path, &about) != 0)
        return SG_ERR_NOT_FOUND;
    if ((about.st_mode & 077) != 0)
        return SG_ERR_PEER_KEY_USE;
    enum sg_err err = sg_os_file_read_own(path, FILE_MAX, &bytes, &len);
    if (err != SG_OK)
        return err;
    bool fine = parse((const char *)bytes, key) && strcmp(key->use, use) == 0;
    sg_crypto_wipe(bytes, len);
    free(bytes);
    if (!fine)
        return SG_ERR_FORMAT;
    err = derive(use, key->secret, public_key);
    if (err == SG_OK && memcmp(public_key, key->public_key, 32) != 0)
        err = SG_ERR_FORMAT;
    return err;
}

uint32_t
sg_os_keyfile_alg(const struct sg_os_keyfile *key)
{
    return is_transport(key->use) ? ALG_CURVE : SG_ALG_ED25519;
}

void
sg_os_keyfile_id(const struct sg_os_keyfile *key, uint8_t out[32])
{
    sg_crypto_key_id((enum sg_alg)sg_os_keyfile_alg(key),
                     sg_slice_of(key->public_key, 32), out);
}
