#include "broker/os/calls.h"

#include <stdio.h>
#include <unistd.h>

static const struct sg_os_calls real = {
    .read = read,
    .write = write,
    .pread = pread,
    .pwrite = pwrite,
    .fdatasync = fdatasync,
    .fsync = fsync,
    .rename = rename,
};
static struct sg_os_calls replaced;
static const struct sg_os_calls *current = &real;

const struct sg_os_calls *
sg_os_calls(void)
{
    return current;
}

void
sg_os_calls_replace(const struct sg_os_calls *calls)
{
    current = &real;
    if (calls == NULL)
        return;
    replaced = real;
#define TAKE(call)                                                             \
    if (calls->call != NULL)                                                   \
    replaced.call = calls->call
    TAKE(read);
    TAKE(write);
    TAKE(pread);
    TAKE(pwrite);
    TAKE(fdatasync);
    TAKE(fsync);
    TAKE(rename);
#undef TAKE
    current = &replaced;
}
