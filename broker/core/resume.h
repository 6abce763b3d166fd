// resume - what is owed after a start, derived from the state alone (R1).
#pragma once

#include "broker/core/turn.h"

void sg_resume_all(struct sg_turn *turn, const char *reason);
