#include "broker/os/clock.h"

#include <time.h>

#include "broker/base/check.h"

static uint64_t
read_clock(clockid_t id)
{
    struct timespec now;

    int result = clock_gettime(id, &now);
    SG_ASSERT(result == 0 && now.tv_sec >= 0);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t
sg_os_clock_wall_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

uint64_t
sg_os_clock_mono_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t
sg_os_clock_boot_us(void)
{
    return read_clock(CLOCK_BOOTTIME);
}
