// plain - words of others made fit to be shown.
//
// What a gate or a participant says is printed on terminals and in texts where
// each line means something. Characters that move the cursor, turn the direction
// of writing, hide, or end a line become '?', one for each; everything else stays
// as it is. Pure; the bytes of signed documents are never touched.
#pragma once

#include <protobuf-c/protobuf-c.h>

#include <stdbool.h>
#include <stddef.h>

// In place, NUL-terminated. lines: line feeds stay. O(length).
void sg_plain_text(char *text, bool lines);
// All strings of an unpacked message and of those in it; line feeds stay in the
// fields that are made of lines: `cure` and `text`.
void sg_plain_message(ProtobufCMessage *message);
// Have all hashes and ids in it their length, or none? By the names of fields:
// sha256 and key_id 32 bytes, delivery_id and record_id 16.
bool sg_plain_lengths(const ProtobufCMessage *message);
// text into out[cap], whole characters; "..." at the end of one that was cut.
void sg_plain_copy(char *out, size_t cap, const char *text);
