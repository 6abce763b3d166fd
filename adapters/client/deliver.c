#include "adapters/client/deliver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/bytes.h"
#include "broker/base/encode.h"
#include "broker/base/limits.h"
#include "schemas/codec/codec.h"
#include "schemas/proof/commit.h"
#include "schemas/proof/seal.h"

enum {
    ARENA = 32 * 1024 * 1024,
    ARENA_BLOCK = 64 * 1024,
    SEALED = (int)SG_LIMIT_CHUNK + 16,
    PROOF_MAX = 16 * 1024 * 1024,
};

// ---- begin -----------------------------------------------------------------------

static enum sg_err
open_part(struct sg_delivery_in *in)
{
    struct sg_slice id = sg_slice_of(in->id, 16);
    char folder[SG_OS_PATH], attempt[9], suffix[16];
    uint64_t size;

    // Chunks of another attempt are other bytes: they are never gone on with.
    sg_encode_hex(in->statement.delivery->attempt.data, 4, attempt);
    (void)snprintf(suffix, sizeof suffix, ".%s.part", attempt);
    if (!sg_os_file_path(folder, "%s/inbox", in->home->path) ||
        !sg_home_path(in->home, "inbox", id, suffix, in->part) ||
        !sg_home_path(in->home, "inbox", id, ".data", in->data) ||
        !sg_home_path(in->home, "inbox", id, ".sgv", in->sidecar))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_make_dirs(folder);
    if (err == SG_OK)
        err = sg_os_file_open(in->part, SG_OS_OPEN_WRITE, &in->fd);
    if (err == SG_ERR_NOT_FOUND)
        err = sg_os_file_open(in->part, SG_OS_OPEN_NEW, &in->fd);
    if (err == SG_OK)
        err = sg_os_file_size(in->fd, &size);
    if (err != SG_OK)
        return err;
    // Whole chunks that are there already; the last one is asked for again.
    in->next = size / SEALED;
    if (in->next >= in->chunks)
        in->next = in->chunks - 1;
    return SG_OK;
}

enum sg_err
sg_deliver_begin(struct sg_home *home, const Sgpb__DeliveryBegin *begin,
                 const struct sg_statement_expect *expect,
                 struct sg_delivery_in **in, const char **why)
{
    void *kept = NULL;

    *in = NULL;
    *why = "no memory";
    struct sg_delivery_in *made = calloc(1, sizeof *made);
    if (made == NULL)
        return SG_ERR_MEMORY;
    made->home = home;
    made->fd = -1;
    made->arena = sg_arena_new(ARENA, ARENA_BLOCK);
    enum sg_err err =
        made->arena == NULL
            ? SG_ERR_MEMORY
            : sg_codec_pack(&begin->base, made->arena, &made->begin);
    if (err == SG_OK)
        err = sg_codec_unpack(&sgpb__delivery_begin__descriptor, made->begin,
                              made->arena, &kept);
    if (err == SG_OK)
        err = sg_statement_check(kept, expect, made->arena, &made->statement,
                                 why);
    if (err == SG_OK) {
        const Sgpb__Delivery *d = made->statement.delivery;
        memcpy(made->id, d->delivery_id.data, 16);
        made->subscription = ((const Sgpb__DeliveryBegin *)kept)->subscription;
        made->chunks = d->chunks;
        made->bytes = begin->bytes;
        made->offset = begin->offset;
        *why = "the sizes do not fit each other";
        if (made->bytes == 0 || made->bytes > SG_LIMIT_OBJECT ||
            made->chunks != (made->bytes + SG_LIMIT_CHUNK - 1) / SG_LIMIT_CHUNK)
            err = SG_ERR_FORMAT;
    }
    if (err == SG_OK) {
        *why = "the inbox cannot be written";
        err = open_part(made);
    }
    if (err != SG_OK) {
        sg_deliver_free(&made);
        return err;
    }
    *in = made;
    *why = "";
    return SG_OK;
}

static size_t
sealed_len(const struct sg_delivery_in *in, uint64_t index)
{
    return (index + 1 < in->chunks
                ? (size_t)SG_LIMIT_CHUNK
                : (size_t)(in->bytes - index * SG_LIMIT_CHUNK)) +
           SG_TAG_LEN;
}

enum sg_err
sg_deliver_chunk(struct sg_delivery_in *in, uint64_t index,
                 struct sg_slice sealed)
{
    if (in->state != SG_DELIVER_COMING || index < in->next)
        return SG_OK; // sent again
    if (index != in->next || sealed.len != sealed_len(in, index))
        return SG_ERR_CHUNK_ORDER;
    enum sg_err err = sg_os_file_pwrite(in->fd, index * SEALED, sealed);
    if (err != SG_OK)
        return err;
    if (++in->next == in->chunks)
        in->state = SG_DELIVER_WHOLE;
    return SG_OK;
}

// ---- key -------------------------------------------------------------------------

static enum sg_err
check_chunks(struct sg_delivery_in *in, uint8_t *room)
{
    struct sg_merkle tree;
    uint8_t leaf[32], root[32];

    sg_merkle_init(&tree, SG_MERKLE_CHUNKS);
    for (uint64_t i = 0; i < in->chunks; i++) {
        size_t len = sealed_len(in, i);
        enum sg_err err = sg_os_file_pread(in->fd, i * SEALED, room, len);
        if (err != SG_OK)
            return err;
        sg_seal_chunk_leaf(i, i + 1 == in->chunks, sg_slice_of(room, len),
                           leaf);
        if ((err = sg_merkle_add(&tree, leaf)) != SG_OK)
            return err;
    }
    sg_merkle_root(&tree, root);
    return memcmp(root, in->statement.delivery->chunk_root.data, 32) == 0
               ? SG_OK
               : SG_ERR_CORRUPT;
}

// blob(proof) | data, as it comes out of the chunks.
struct plain {
    struct sg_delivery_in *in;
    struct sg_sha256 *hash;
    uint8_t length[4];
    uint32_t length_got;
    uint8_t *proof; // in the delivery's arena
    uint32_t proof_len, proof_got;
    int fd;
};

static enum sg_err
take_proof(struct plain *plain, struct sg_slice *bytes)
{
    while (plain->length_got < 4 && bytes->len > 0) {
        plain->length[plain->length_got++] = bytes->ptr[0];
        bytes->ptr++;
        bytes->len--;
    }
    if (plain->length_got < 4)
        return SG_OK;
    if (plain->proof == NULL) {
        plain->proof_len = sg_bytes_load_u32(plain->length);
        if (plain->proof_len > PROOF_MAX)
            return SG_ERR_FULL;
        plain->proof =
            sg_arena_take(plain->in->arena, (size_t)plain->proof_len + 1);
        if (plain->proof == NULL)
            return SG_ERR_FULL;
    }
    size_t wanted = plain->proof_len - plain->proof_got;
    size_t part = bytes->len < wanted ? bytes->len : wanted;
    memcpy(plain->proof + plain->proof_got, bytes->ptr, part);
    plain->proof_got += (uint32_t)part;
    bytes->ptr += part;
    bytes->len -= part;
    return SG_OK;
}

static enum sg_err
take_plain(struct plain *plain, struct sg_slice bytes)
{
    sg_crypto_sha256_add(plain->hash, bytes.ptr, bytes.len);
    enum sg_err err = take_proof(plain, &bytes);
    if (err == SG_OK && bytes.len > 0)
        err = sg_os_file_write(plain->fd, bytes);
    return err;
}

static enum sg_err
open_chunks(struct plain *plain, const uint8_t key[32], uint8_t *room)
{
    struct sg_delivery_in *in = plain->in;
    struct sg_seal seal;

    enum sg_err err =
        sg_seal_begin(&seal, key, in->statement.manifest_sha256,
                      in->statement.delivery->attempt.data, SG_SEAL_VARIANT);
    if (err != SG_OK)
        return err;
    for (uint64_t i = 0; i < in->chunks && err == SG_OK; i++) {
        size_t len = sealed_len(in, i);
        err = sg_os_file_pread(in->fd, i * SEALED, room, len);
        if (err == SG_OK)
            err = sg_seal_open(&seal, i, i + 1 == in->chunks,
                               sg_slice_of(room, len), room);
        if (err == SG_OK)
            err = take_plain(plain, sg_slice_of(room, len - SG_TAG_LEN));
    }
    sg_seal_end(&seal);
    if (err == SG_OK &&
        (plain->length_got < 4 || plain->proof_got != plain->proof_len))
        err = SG_ERR_SHORT;
    return err;
}

// Data as plaintext in a file that nobody is told of, then checked.
static enum sg_err
check_data(struct plain *plain, const char *path)
{
    struct sg_delivery_in *in = plain->in;
    struct sg_content_file file = {.path = path, .dataflow = ""};
    struct sg_content_found found = {0};
    struct sg_slice proof = sg_slice_of(plain->proof, plain->proof_len);
    enum sg_err err = SG_OK;

    if (in->statement.level == SG_CONTENT_ROW) {
        in->why = "the structure is not in the home; import it: "
                  "statgate structure import";
        err = sg_home_structure(
            in->home, sg_codec_slice(in->statement.manifest->structure_sha256),
            &file.structure);
        file.any_flow = true;
    }
    if (err == SG_OK)
        err = sg_statement_data(&in->statement, &file, proof, &found, &in->why);
    if (err != SG_OK)
        return err;
    in->observations =
        in->statement.level == SG_CONTENT_ROW ? file.observations : 0;
    sg_commit_proof(in->id, proof, in->proof_commit);
    in->words =
        sg_statement_words(&in->statement, &found, in->observations, in->arena);
    return in->words == NULL ? SG_ERR_FULL : SG_OK;
}

// "SGSV1" | genesis 32 | blob(DeliveryBegin) | blob(proof) | blob(roster)
static enum sg_err
write_sidecar(const struct plain *plain)
{
    const struct sg_delivery_in *in = plain->in;
    struct sg_slice roster = in->home->roster.bytes;
    size_t room = 5 + 32 + 12 + in->begin.len + plain->proof_len + roster.len;
    uint8_t *bytes = malloc(room);
    struct sg_writer w = sg_writer_on(bytes, bytes == NULL ? 0 : room);

    sg_bytes_put(&w, "SGSV1", 5);
    sg_bytes_put(&w, in->home->genesis, 32);
    sg_bytes_put_blob(&w, in->begin);
    sg_bytes_put_blob(&w, sg_slice_of(plain->proof, plain->proof_len));
    sg_bytes_put_blob(&w, roster);
    enum sg_err err = w.full ? SG_ERR_MEMORY
                             : sg_os_file_put(in->sidecar, sg_writer_slice(&w));
    free(bytes);
    return err;
}

static enum sg_err
show(struct plain *plain, const char *path)
{
    // The sidecar first: data is never there without what verifies it. Both
    // become durable before the gate hears that they are kept (keep.h).
    enum sg_err err = write_sidecar(plain);

    return err == SG_OK ? sg_os_file_rename(path, plain->in->data) : err;
}

static enum sg_err
reveal(struct plain *plain, const uint8_t key[32], const char *path)
{
    struct sg_delivery_in *in = plain->in;
    uint8_t sha256[32];
    uint8_t *room = malloc((size_t)SEALED);

    in->why = "no memory";
    enum sg_err err = room == NULL ? SG_ERR_MEMORY : SG_OK;
    if (err == SG_OK) {
        in->why = "the ciphertext is not what the gate's statement names";
        err = check_chunks(in, room);
    }
    if (err == SG_OK) {
        in->why = "the ciphertext does not open under this key";
        err = open_chunks(plain, key, room);
    }
    if (err == SG_OK) {
        sg_crypto_sha256_final(plain->hash, sha256);
        sg_commit_plain(key, sha256, in->plain_commit);
    }
    sg_os_file_close(&plain->fd);
    if (err == SG_OK)
        err = check_data(plain, path);
    if (err == SG_OK)
        err = show(plain, path);
    free(room);
    return err;
}

bool
sg_deliver_is_damaged(struct sg_delivery_in *in)
{
    uint8_t *room = malloc((size_t)SEALED);
    bool damaged = room != NULL && in->state == SG_DELIVER_WHOLE &&
                   check_chunks(in, room) == SG_ERR_CORRUPT;

    free(room);
    return damaged;
}

enum sg_err
sg_deliver_key(struct sg_delivery_in *in, struct sg_slice frame_bytes)
{
    struct sg_seal_key_frame frame;
    struct plain plain = {.in = in, .fd = -1};
    char path[SG_OS_PATH];
    uint8_t commit[32];

    in->why = "a key came before the whole ciphertext";
    if (in->state != SG_DELIVER_WHOLE)
        return SG_ERR_CHUNK_ORDER;
    in->why = "the key frame is not of its form, or of another delivery";
    if (sg_seal_key_frame_decode(frame_bytes, &frame) != SG_OK ||
        memcmp(frame.delivery_id, in->id, 16) != 0)
        return SG_ERR_FORMAT;
    in->why = "the key is not the one that the gate committed to";
    sg_commit_key(frame.key, commit);
    enum sg_err err =
        memcmp(commit, in->statement.delivery->key_commit.data, 32) == 0
            ? SG_OK
            : SG_ERR_CORRUPT;
    if (err == SG_OK &&
        !sg_home_path(in->home, "inbox", sg_slice_of(in->id, 16), ".tmp", path))
        err = SG_ERR_FULL;
    if (err == SG_OK) {
        (void)!sg_os_file_remove(path); // of a program that ended here
        err = sg_os_file_open(path, SG_OS_OPEN_NEW, &plain.fd);
    }
    if (err == SG_OK && (plain.hash = sg_crypto_sha256_new()) == NULL)
        err = SG_ERR_MEMORY;
    if (err == SG_OK) {
        sg_crypto_sha256_init(plain.hash);
        err = reveal(&plain, frame.key, path);
        if (err != SG_OK)
            (void)!sg_os_file_remove(path);
    }
    sg_crypto_wipe(&frame, sizeof frame);
    sg_crypto_sha256_free(&plain.hash);
    sg_os_file_close(&plain.fd);
    if (sg_deliver_here(err)) { // the ciphertext stays
        (void)!sg_os_file_remove(in->data);
        (void)!sg_os_file_remove(in->sidecar);
        return err;
    }
    if (err != SG_OK) {
        sg_deliver_discard(in);
        return err;
    }
    in->state = SG_DELIVER_SHOWN;
    in->why = "";
    sg_os_file_close(&in->fd);
    (void)!sg_os_file_remove(in->part);
    return SG_OK;
}

bool
sg_deliver_here(enum sg_err err)
{
    return err == SG_ERR_DISK || err == SG_ERR_IO || err == SG_ERR_MEMORY ||
           err == SG_ERR_STRUCTURE;
}

void
sg_deliver_discard(struct sg_delivery_in *in)
{
    sg_os_file_close(&in->fd);
    (void)!sg_os_file_remove(in->part);
    if (in->state != SG_DELIVER_SHOWN) {
        (void)!sg_os_file_remove(in->sidecar);
        (void)!sg_os_file_remove(in->data);
    }
}

void
sg_deliver_free(struct sg_delivery_in **in)
{
    while (*in != NULL) {
        struct sg_delivery_in *one = *in;
        *in = one->following;
        sg_os_file_close(&one->fd);
        sg_arena_free(&one->arena);
        free(one);
    }
}
