#include "schemas/proof/secret.h"

#include "broker/base/bytes.h"
#include "broker/base/crypto.h"

static const char magic[5] = {'S', 'G', 'S', 'B', '1'};

void
sg_secret_encode(const struct sg_secret *secret, uint8_t out[SG_SECRET_LEN])
{
    struct sg_writer w = sg_writer_on(out, SG_SECRET_LEN);

    sg_bytes_put(&w, magic, sizeof magic);
    sg_bytes_put(&w, secret->seed, sizeof secret->seed);
    sg_bytes_put(&w, secret->id, sizeof secret->id);
    sg_bytes_put(&w, secret->file_salt, sizeof secret->file_salt);
    sg_bytes_put(&w, secret->report_salt, sizeof secret->report_salt);
    SG_ASSERT(!w.full && w.len == SG_SECRET_LEN);
}

// The four fields in their order, from 96 bytes.
static void
fill(const uint8_t bytes[96], struct sg_secret *secret)
{
    memcpy(secret->seed, bytes, 16);
    memcpy(secret->id, bytes + 16, 16);
    memcpy(secret->file_salt, bytes + 32, 32);
    memcpy(secret->report_salt, bytes + 64, 32);
}

enum sg_err
sg_secret_decode(struct sg_slice bytes, struct sg_secret *secret)
{
    if (bytes.len != SG_SECRET_LEN ||
        memcmp(bytes.ptr, magic, sizeof magic) != 0)
        return SG_ERR_SECRET;
    fill(bytes.ptr + sizeof magic, secret);
    return SG_OK;
}

void
sg_secret_from_random(const uint8_t random[96], struct sg_secret *secret)
{
    fill(random, secret);
}

void
sg_secret_wipe(struct sg_secret *secret)
{
    sg_crypto_wipe(secret, sizeof *secret);
}
