// upload - bytes on their way in: releases, structures, policy bundles.
//
// Not in the log: forgotten at a restart, the publisher begins again. A chunk
// belongs to one number once; gaps are refused with the number that is wanted.
#pragma once

#include "broker/core/turn.h"

// NULL: no room (gate.busy).
struct sg_upload *sg_upload_new(struct sg_turn *turn, enum sg_upload_kind kind,
                                uint32_t *index);
// Names the upload by what it will be: a second one finds it (resume). A release
// by its manifest, which nobody else can sign; a document by owner and hash, so
// that nobody stands in the way of another who has the same.
void sg_upload_name(struct sg_core *core, uint32_t index,
                    const uint8_t sha256[32]);
struct sg_upload *sg_upload_at(const struct sg_core *core, uint32_t index);
uint32_t sg_upload_by(const struct sg_core *core, const uint8_t name[32]);
// Forgets it; what was stored and is not evidence is dropped.
void sg_upload_drop(struct sg_turn *turn, uint32_t index, bool keep_bytes);
// No more bytes come: the store gives its object up.
void sg_upload_close(struct sg_turn *turn, struct sg_upload *upload);
// An answer to whoever sent it, under the first request, after all entries so
// far.
struct sg_effect_send *sg_upload_answer(struct sg_turn *turn,
                                        const struct sg_upload *upload,
                                        Sgpb__Envelope *envelope);
// Key, object and token for its bytes.
void sg_upload_begin_object(struct sg_turn *turn, struct sg_upload *upload,
                            uint32_t chunk_size);
// Hands a chunk of the message in hand over to the store.
void sg_upload_store(struct sg_turn *turn, struct sg_upload *upload,
                     uint64_t index, struct sg_slice payload);

void sg_upload_put(struct sg_turn *turn);
void sg_upload_chunk(struct sg_turn *turn);
void sg_upload_stored(struct sg_turn *turn, const struct sg_event *event);
void sg_upload_expire(struct sg_turn *turn);
