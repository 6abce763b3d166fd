// entries - the evidence log, read from outside: all of it by an auditor, by
// anybody else what names him (S24).
#pragma once

#include "broker/core/turn.h"

void sg_entries_get(struct sg_turn *turn);
