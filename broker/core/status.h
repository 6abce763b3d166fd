// status - what anybody may ask: catalogue, why, status, checkpoint.
#pragma once

#include "broker/core/turn.h"

void sg_status_catalogue(struct sg_turn *turn);
void sg_status_why(struct sg_turn *turn);
void sg_status_get(struct sg_turn *turn);
void sg_status_checkpoint(struct sg_turn *turn);
