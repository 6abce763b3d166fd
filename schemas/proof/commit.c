#include "schemas/proof/commit.h"

#include "broker/base/check.h"
#include "broker/base/crypto.h"

// The NUL at the end of each label is the 00 that stands between it and the
// rest.
#define LABEL(text) ((struct sg_slice){(const uint8_t *)(text), sizeof(text)})

static void
commit(struct sg_slice label, struct sg_slice salt, struct sg_slice what,
       uint8_t out[32])
{
    const struct sg_slice parts[] = {label, salt, what};

    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), out);
}

static struct sg_slice
bytes(const uint8_t *ptr, size_t len)
{
    return (struct sg_slice){ptr, len};
}

void
sg_commit_seed(const uint8_t seed[16], uint8_t out[32])
{
    commit(LABEL("statgate/seed/v1"), bytes(seed, 16), bytes(NULL, 0), out);
}

void
sg_commit_file(const uint8_t file_salt[32], const uint8_t sha256[32],
               uint8_t out[32])
{
    commit(LABEL("statgate/file/v1"), bytes(file_salt, 32), bytes(sha256, 32),
           out);
}

void
sg_commit_report(const uint8_t report_salt[32], const uint8_t sha256[32],
                 uint8_t out[32])
{
    commit(LABEL("statgate/report/v1"), bytes(report_salt, 32),
           bytes(sha256, 32), out);
}

void
sg_commit_proof(const uint8_t delivery_id[16], struct sg_slice proof,
                uint8_t out[32])
{
    commit(LABEL("statgate/proof/v1"), bytes(delivery_id, 16), proof, out);
}

void
sg_commit_shared_proof(const uint8_t attempt[16], struct sg_slice proof,
                       uint8_t out[32])
{
    commit(LABEL("statgate/shared-proof/v1"), bytes(attempt, 16), proof, out);
}

void
sg_commit_plain(const uint8_t key[32], const uint8_t sha256[32],
                uint8_t out[32])
{
    commit(LABEL("statgate/plain/v1"), bytes(key, 32), bytes(sha256, 32), out);
}

void
sg_commit_key(const uint8_t key[32], uint8_t out[32])
{
    commit(LABEL("statgate/keycommit/v1"), bytes(key, 32), bytes(NULL, 0), out);
}
