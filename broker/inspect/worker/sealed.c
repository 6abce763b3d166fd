#include "broker/inspect/worker/sealed.h"

#include "broker/base/limits.h"
#include "broker/os/file.h"

static bool
names_fit(ProtobufCBinaryData attempt, ProtobufCBinaryData manifest,
          ProtobufCBinaryData key, uint32_t chunk_size)
{
    return attempt.len == 16 && manifest.len == 32 && key.len == SG_KEY_LEN &&
           chunk_size > 0 && chunk_size <= SG_LIMIT_CHUNK;
}

enum sg_err
sg_sealed_in_open(struct sg_sealed_in *in, const Sgpb__SealedInput *from,
                  int fd, uint64_t *at, struct sg_arena *arena)
{
    memset(in, 0, sizeof *in);
    if (from == NULL ||
        !names_fit(from->attempt, from->manifest_sha256, from->key,
                   from->chunk_size) ||
        from->bytes > SG_LIMIT_OBJECT ||
        from->chunks !=
            (from->bytes + from->chunk_size - 1) / from->chunk_size ||
        from->purpose == 0 || from->purpose >= SG_SEAL_END)
        return SG_ERR_FORMAT;
    in->fd = fd;
    in->at = *at;
    in->chunks = from->chunks;
    in->bytes = from->bytes;
    in->chunk_size = from->chunk_size;
    *at += from->bytes + from->chunks * SG_TAG_LEN;
    in->room_len = (from->bytes < from->chunk_size ? (size_t)from->bytes
                                                   : from->chunk_size) +
                   SG_TAG_LEN;
    in->room = sg_arena_room(arena, in->room_len);
    if (in->room == NULL)
        return SG_ERR_FULL;
    return sg_seal_begin(&in->seal, from->key.data, from->manifest_sha256.data,
                         from->attempt.data,
                         (enum sg_seal_purpose)from->purpose);
}

void
sg_sealed_in_rewind(struct sg_sealed_in *in)
{
    uint64_t full = (uint64_t)in->chunk_size + SG_TAG_LEN;
    uint64_t read = in->index == in->chunks && in->index > 0
                        ? in->bytes + in->chunks * SG_TAG_LEN
                        : in->index * full;

    in->at -= read;
    in->index = 0;
}

enum sg_err
sg_sealed_in_next(struct sg_sealed_in *in, struct sg_slice *plain)
{
    *plain = (struct sg_slice){NULL, 0};
    if (in->index == in->chunks)
        return SG_OK;
    bool last = in->index + 1 == in->chunks;
    uint64_t before = in->index * in->chunk_size;
    size_t len = last ? (size_t)(in->bytes - before) : in->chunk_size;
    enum sg_err err =
        sg_os_file_pread(in->fd, in->at, in->room, len + SG_TAG_LEN);
    if (err == SG_OK)
        err = sg_seal_open(&in->seal, in->index, last,
                           sg_slice_of(in->room, len + SG_TAG_LEN), in->room);
    if (err != SG_OK)
        return err;
    in->at += len + SG_TAG_LEN;
    in->index++;
    *plain = sg_slice_of(in->room, len);
    return SG_OK;
}

void
sg_sealed_in_close(struct sg_sealed_in *in)
{
    if (in->room != NULL)
        sg_crypto_wipe(in->room, in->room_len);
    sg_seal_end(&in->seal);
}

// ---- out -----------------------------------------------------------------------

enum sg_err
sg_sealed_out_open(struct sg_sealed_out *out, const Sgpb__SealedOutput *from,
                   int fd, uint64_t at, struct sg_arena *arena)
{
    memset(out, 0, sizeof *out);
    out->fd = -1;
    if (from == NULL)
        return SG_OK;
    if (!names_fit(from->attempt, from->manifest_sha256, from->key,
                   from->chunk_size) ||
        from->purpose == 0 || from->purpose >= SG_SEAL_END)
        return SG_ERR_FORMAT;
    out->fd = fd;
    out->at = at;
    out->chunk_size = from->chunk_size;
    out->room = sg_arena_room(arena, (size_t)from->chunk_size + SG_TAG_LEN);
    out->hash = sg_crypto_sha256_new();
    if (out->room == NULL || out->hash == NULL)
        return SG_ERR_FULL;
    return sg_seal_begin(&out->seal, from->key.data, from->manifest_sha256.data,
                         from->attempt.data,
                         (enum sg_seal_purpose)from->purpose);
}

static enum sg_err
write_chunk(struct sg_sealed_out *out, bool last)
{
    enum sg_err err =
        sg_seal_chunk(&out->seal, out->index, last,
                      sg_slice_of(out->room, out->used), out->room);

    if (err == SG_OK)
        err = sg_os_file_pwrite(out->fd, out->at,
                                sg_slice_of(out->room, out->used + SG_TAG_LEN));
    out->at += out->used + SG_TAG_LEN;
    out->most =
        out->used + SG_TAG_LEN > out->most ? out->used + SG_TAG_LEN : out->most;
    out->bytes += out->used;
    out->index++;
    out->used = 0;
    return err;
}

enum sg_err
sg_sealed_out_write(void *context, struct sg_slice plain)
{
    struct sg_sealed_out *out = (struct sg_sealed_out *)context;

    if (out->fd < 0)
        return SG_OK;
    sg_crypto_sha256_add(out->hash, plain.ptr, plain.len);
    while (plain.len > 0) {
        // A full chunk waits: only the end knows which one is the last.
        if (out->used == out->chunk_size) {
            enum sg_err err = write_chunk(out, false);
            if (err != SG_OK)
                return err;
        }
        size_t room = out->chunk_size - out->used;
        size_t part = plain.len < room ? plain.len : room;
        memcpy(out->room + out->used, plain.ptr, part);
        out->used += part;
        out->most = out->used > out->most ? out->used : out->most;
        plain = sg_slice_of(plain.ptr + part, plain.len - part);
        if (out->bytes + out->used > SG_LIMIT_OBJECT)
            return SG_ERR_FULL;
    }
    return SG_OK;
}

enum sg_err
sg_sealed_out_end(struct sg_sealed_out *out, uint8_t sha256[32])
{
    memset(sha256, 0, 32);
    if (out->fd < 0)
        return SG_OK;
    sg_crypto_sha256_final(out->hash, sha256);
    return out->used == 0 ? SG_OK : write_chunk(out, true);
}

void
sg_sealed_out_close(struct sg_sealed_out *out)
{
    if (out->room != NULL)
        sg_crypto_wipe(out->room, out->most);
    sg_crypto_sha256_free(&out->hash);
    sg_seal_end(&out->seal);
}
