#include "broker/base/fsm.h"

#include <stddef.h>

uint8_t
sg_fsm_next(const struct sg_fsm *fsm, uint8_t state, uint8_t event)
{
    SG_ASSERT(state < fsm->states && event < fsm->events);
    return fsm->next[(unsigned)state * fsm->events + event];
}

void
sg_fsm_check(const struct sg_fsm *fsm)
{
    unsigned pairs = (unsigned)fsm->states * fsm->events;

    for (unsigned i = 0; i < pairs; i++)
        SG_ASSERT(fsm->next[i] < fsm->states || fsm->next[i] == SG_FSM_NO);
    for (unsigned i = 0; i < fsm->states; i++)
        SG_ASSERT(fsm->state_name[i] != NULL);
    for (unsigned i = 0; i < fsm->events; i++)
        SG_ASSERT(fsm->event_name[i] != NULL);
}
