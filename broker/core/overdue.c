#include "broker/core/overdue.h"

#define FIRST_US (60 * 1000000ull)
#define LAST_US  (3600 * 1000000ull)

// Both in the value of the table: microseconds, then how often it failed.
enum { TRIES_BITS = 4, TRIES_MAX = 15 };

static void
look_at(struct sg_core *core, uint64_t next)
{
    if (core->next_retry == 0 || next < core->next_retry)
        core->next_retry = next;
}

bool
sg_overdue_waits(const struct sg_core *core, struct sg_slice name, uint64_t now)
{
    uint64_t value;

    return sg_table_get(core->overdue, name, &value) &&
           now < value >> TRIES_BITS;
}

bool
sg_overdue_failed(struct sg_core *core, struct sg_slice name, uint64_t now)
{
    uint64_t value = 0, wait = FIRST_US;

    (void)sg_table_get(core->overdue, name, &value);
    uint64_t tries = value & TRIES_MAX;
    for (uint64_t i = 0; i < tries && wait < LAST_US; i++)
        wait *= 2;
    uint64_t next = now + (wait < LAST_US ? wait : LAST_US);
    value = next << TRIES_BITS | (tries + (tries < TRIES_MAX));
    if (sg_table_put(core->overdue, name, value) != SG_OK)
        return false;
    look_at(core, next);
    return true;
}

void
sg_overdue_gone(struct sg_core *core, struct sg_slice name)
{
    sg_table_remove(core->overdue, name);
}

void
sg_overdue_looked(struct sg_core *core, uint64_t now)
{
    struct sg_slice name;
    uint64_t value;
    uint32_t at = 0;

    core->next_retry = 0;
    while (sg_table_next(core->overdue, &at, &name, &value)) {
        if (value >> TRIES_BITS <= now)
            sg_table_remove(core->overdue, name);
        else
            look_at(core, value >> TRIES_BITS);
    }
}

uint64_t
sg_overdue_next(const struct sg_core *core)
{
    return core->next_retry == 0 ? UINT64_MAX : core->next_retry;
}

uint32_t
sg_overdue_count(const struct sg_core *core)
{
    return sg_table_count(core->overdue);
}
