#include "broker/evidence/release_key.h"

#include <string.h>

#include "broker/evidence/evidence_inside.h"

enum sg_err
sg_release_key(struct sg_evidence *evidence,
               const struct sg_release_request *request, uint8_t key[32])
{
    memset(key, 0, 32);
    switch (request->reason) {
    case SG_RELEASE_NONE:
        return SG_ERR_STOPPED;
    case SG_RELEASE_DELIVERY:
        // A delivery leaves when its entry 35 is in the log, not before (S36).
        if (request->released >= evidence->durable.size)
            return SG_ERR_STOPPED;
        break;
    case SG_RELEASE_JOB:
    case SG_RELEASE_SEAL:
    case SG_RELEASE_READ:
        break;
    }
    return sg_keys_unwrap(evidence->keys, request->manifest_sha256,
                          request->variant, key);
}
