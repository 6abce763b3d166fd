// commit - salted commitments: the only digests of content outside a release.
//
// Nothing unsalted stands in manifests, entries, receipts or log lines
// (decisions-security S09). Each is H("statgate/<what>/v1" 00, salt, ...) as
// formats.md (a), (c), (d), (e) say.
#pragma once

#include <stdint.h>

#include "broker/base/slice.h"

// seed: the first half of root_seed, 16 bytes.
void sg_commit_seed(const uint8_t seed[16], uint8_t out[32]);
// sha256: of the bytes as sent. In mode file the manifest's file_commit is the
// content root instead.
void sg_commit_file(const uint8_t file_salt[32], const uint8_t sha256[32],
                    uint8_t out[32]);
void sg_commit_report(const uint8_t report_salt[32], const uint8_t sha256[32],
                      uint8_t out[32]);
void sg_commit_proof(const uint8_t delivery_id[16], struct sg_slice proof,
                     uint8_t out[32]);
// The same proof in every delivery of one rendition; attempt: of its object.
void sg_commit_shared_proof(const uint8_t attempt[16], struct sg_slice proof,
                            uint8_t out[32]);
// key: K of the delivery's variant; sha256: of the plaintext.
void sg_commit_plain(const uint8_t key[32], const uint8_t sha256[32],
                     uint8_t out[32]);
// AES-GCM does not commit to its key; this does (S33).
void sg_commit_key(const uint8_t key[32], uint8_t out[32]);
