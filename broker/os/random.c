#include "broker/os/random.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>
#include <sys/types.h>

#include "broker/base/check.h"

void
sg_os_random_fill(void *out, size_t len)
{
    uint8_t *at = (uint8_t *)out;

    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        SG_ASSERT(got > 0);
        at += got;
        len -= (size_t)got;
    }
}
