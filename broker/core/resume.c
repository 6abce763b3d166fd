#include "broker/core/resume.h"

#include "broker/core/match.h"
#include "broker/core/policy_admin.h"
#include "broker/core/restored.h"
#include "broker/core/roster.h"
#include "broker/core/session.h"

void
sg_resume_all(struct sg_turn *turn, const char *reason)
{
    struct sg_core *core = turn->core;
    Sgpb__GateStarted body = SGPB__GATE_STARTED__INIT;

    sg_restored_begin(turn);
    body.reason = (char *)(uintptr_t)reason;
    body.clock = (char *)(uintptr_t) "system";
    body.snapshot = core->snapshot_at == 0 ? 0 : core->snapshot_at - 1;
    uint64_t seq = sg_turn_append(turn, SG_ENTRY_GATE_STARTED, &body.base);
    if (turn->state->roster.doc == NULL)
        return; // sg_core_found comes next
    sg_session_new_roster(turn);
    sg_roster_swap(turn, seq);
    sg_policy_compile(core, turn->now);
    for (uint32_t i = sg_pool_next(turn->state->deliveries, 0); i != 0;
         i = sg_pool_next(turn->state->deliveries, i))
        sg_match_wait(core, i);
    sg_policy_due_all(core, SG_DUE_MATCH | SG_DUE_DECIDE);
}
