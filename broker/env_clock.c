#include "broker/env_clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/limits.h"
#include "broker/os/clock.h"
#include "broker/os/conf.h"

// Clocks may differ by this many parts in a million before it is a step.
static const uint64_t drift_ppm = 500;
static const uint64_t save_us = 1000000; // HOME/clock may be so much behind

// The system draws one at each boot; "": it does not say, so nothing is kept.
static void
read_boot_id(char out[SG_ENV_BOOT_ID])
{
    uint8_t *bytes;
    size_t len;

    out[0] = '\0';
    if (sg_os_file_read("/proc/sys/kernel/random/boot_id", 256, &bytes, &len) !=
        SG_OK)
        return;
    len = strcspn((const char *)bytes, "\n");
    if (len < SG_ENV_BOOT_ID)
        (void)snprintf(out, SG_ENV_BOOT_ID, "%.*s", (int)len,
                       (const char *)bytes);
    free(bytes);
}

static void
save(struct sg_env_clock *clock)
{
    char text[256];
    int len = snprintf(text, sizeof text,
                       "boot %s\nboot_us %llu\ntime_us %llu\n"
                       "anchor_boot_us %llu\nanchor_time_us %llu\n",
                       clock->boot_id, (unsigned long long)clock->boot_us,
                       (unsigned long long)clock->time_us,
                       (unsigned long long)clock->anchor_boot_us,
                       (unsigned long long)clock->anchor_time_us);

    clock->saved_us = clock->time_us - clock->boot_us;
    if (clock->boot_id[0] == '\0' || len < 0 || (size_t)len >= sizeof text)
        return;
    // Without it the next start believes the wall clock, and that is all.
    (void)!sg_os_file_replace(clock->path, sg_slice_of(text, (size_t)len),
                              false);
}

// Both pairs are of this boot, and the older one is the anchor.
static bool
read_saved(struct sg_env_clock *clock, uint64_t boot_us)
{
    char boot[SG_ENV_BOOT_ID] = "", text[4][24] = {""};
    uint64_t *const to[] = {&clock->boot_us, &clock->time_us,
                            &clock->anchor_boot_us, &clock->anchor_time_us};
    struct sg_diag diag;
    const struct sg_os_conf_row rows[] = {
        {"boot", boot, sizeof boot, true},
        {"boot_us", text[0], sizeof text[0], true},
        {"time_us", text[1], sizeof text[1], true},
        {"anchor_boot_us", text[2], sizeof text[2], true},
        {"anchor_time_us", text[3], sizeof text[3], true},
    };

    if (clock->boot_id[0] == '\0' || !sg_os_file_exists(clock->path) ||
        sg_os_conf_read(clock->path, rows, SG_COUNT_OF(rows), &diag) != SG_OK ||
        strcmp(boot, clock->boot_id) != 0)
        return false;
    for (size_t i = 0; i < SG_COUNT_OF(to); i++)
        if (!sg_slice_u64(sg_slice_text(text[i]), to[i]))
            return false;
    return clock->boot_us <= boot_us && clock->anchor_boot_us <= clock->boot_us;
}

void
sg_env_clock_start(struct sg_env_clock *clock, const char *path)
{
    uint64_t boot_us = sg_os_clock_boot_us();

    memset(clock, 0, sizeof *clock);
    (void)snprintf(clock->path, sizeof clock->path, "%s", path);
    read_boot_id(clock->boot_id);
    if (read_saved(clock, boot_us)) {
        clock->saved_us = clock->time_us - clock->boot_us;
        return;
    }
    clock->time_us = clock->anchor_time_us = sg_os_clock_wall_us();
    clock->boot_us = clock->anchor_boot_us = boot_us;
    save(clock);
}

uint64_t
sg_env_clock_now(const struct sg_env_clock *clock)
{
    return clock->time_us + (sg_os_clock_boot_us() - clock->boot_us);
}

static uint64_t
apart(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

static bool
near_by(uint64_t wall_us, uint64_t expected_us, uint64_t elapsed_us)
{
    return apart(wall_us, expected_us) <=
           SG_LIMIT_CLOCK_AHEAD_US + elapsed_us / 1000000 * drift_ppm;
}

// At most so far from where the anchor would have it, in however many steps.
static bool
in_reach(const struct sg_env_clock *clock, uint64_t wall_us, uint64_t boot_us)
{
    uint64_t elapsed_us = boot_us - clock->anchor_boot_us;

    return near_by(wall_us, clock->anchor_time_us + elapsed_us, elapsed_us);
}

bool
sg_env_clock_look(struct sg_env_clock *clock, uint64_t *from, uint64_t *to)
{
    uint64_t wall_us = sg_os_clock_wall_us(), boot_us = sg_os_clock_boot_us();
    uint64_t elapsed_us = boot_us - clock->boot_us;
    uint64_t expected_us = clock->time_us + elapsed_us;
    bool stepped = clock->told_from != 0;

    *from = expected_us;
    *to = wall_us;
    if (near_by(wall_us, expected_us, elapsed_us) &&
        in_reach(clock, wall_us, boot_us)) {
        clock->time_us = wall_us;
        clock->boot_us = boot_us;
        clock->told_from = clock->told_to = 0;
        if (apart(wall_us - boot_us, clock->saved_us) > save_us)
            save(clock);
        return stepped;
    }
    // The same step, a while later?
    if (stepped && near_by(wall_us - clock->told_to,
                           expected_us - clock->told_from, elapsed_us))
        return false;
    clock->told_from = expected_us;
    clock->told_to = wall_us;
    return true;
}
