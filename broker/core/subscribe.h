// subscribe - standing requests, signed by the recipient (S15).
#pragma once

#include "broker/core/turn.h"

enum sg_err sg_subscribe_apply(struct sg_state *state,
                               const struct sg_appended *entry,
                               const void *body);
enum sg_err sg_subscribe_apply_ended(struct sg_state *state,
                                     const struct sg_appended *entry,
                                     const void *body);
// Unpacks kept; also after a snapshot.
enum sg_err sg_subscribe_open(struct sg_subscription *subscription);
// Puts it into the tables; also after a snapshot.
enum sg_err sg_subscribe_index(struct sg_state *state, uint32_t index);
// enum sg_media of a word ("" as published: 0); 255: not one that is made here.
uint8_t sg_subscribe_media(const char *format);

void sg_subscribe_put(struct sg_turn *turn);
void sg_subscribe_end(struct sg_turn *turn);
void sg_subscribe_list(struct sg_turn *turn);
