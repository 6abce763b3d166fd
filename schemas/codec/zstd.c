#include "schemas/codec/zstd.h"

#include <zstd.h>

struct sg_zstd {
    ZSTD_CCtx *pack; // one of the two
    ZSTD_DCtx *unpack;
    uint64_t taken, given, max; // bytes in, bytes out, plaintext allowed
    bool ended;                 // everything stands in out
};

static const uint64_t ratio_from = 1u << 20; // small streams may be extreme

static bool
worked(size_t result)
{
    return ZSTD_isError(result) == 0;
}

struct sg_zstd *
sg_zstd_open_pack(struct sg_arena *arena)
{
    struct sg_zstd *zstd = sg_arena_take(arena, sizeof *zstd);

    if (zstd == NULL)
        return NULL;
    zstd->pack = ZSTD_createCCtx();
    if (zstd->pack == NULL ||
        !worked(ZSTD_CCtx_setParameter(zstd->pack, ZSTD_c_compressionLevel,
                                       SG_ZSTD_LEVEL)))
        sg_zstd_close(&zstd);
    return zstd;
}

struct sg_zstd *
sg_zstd_open_unpack(struct sg_arena *arena, uint64_t max_bytes)
{
    struct sg_zstd *zstd = sg_arena_take(arena, sizeof *zstd);

    if (zstd == NULL)
        return NULL;
    zstd->max = max_bytes;
    zstd->unpack = ZSTD_createDCtx();
    if (zstd->unpack == NULL ||
        !worked(ZSTD_DCtx_setParameter(zstd->unpack, ZSTD_d_windowLogMax,
                                       SG_ZSTD_WINDOW_LOG)))
        sg_zstd_close(&zstd);
    return zstd;
}

void
sg_zstd_close(struct sg_zstd **zstd)
{
    if (*zstd == NULL)
        return;
    (void)ZSTD_freeCCtx((*zstd)->pack);
    (void)ZSTD_freeDCtx((*zstd)->unpack);
    *zstd = NULL;
}

// One call of the library; *result is what it returned.
static enum sg_err
call(struct sg_zstd *zstd, struct sg_slice *in, bool last,
     struct sg_writer *out, size_t *result)
{
    size_t room = out->cap - out->len;

    // One byte more than is allowed shows that there is more.
    if (zstd->unpack != NULL && room > zstd->max - zstd->given)
        room = (size_t)(zstd->max - zstd->given) + 1;
    ZSTD_inBuffer from = {in->ptr, in->len, 0};
    ZSTD_outBuffer to = {out->ptr + out->len, room, 0};
    *result = zstd->pack != NULL
                  ? ZSTD_compressStream2(zstd->pack, &to, &from,
                                         last ? ZSTD_e_end : ZSTD_e_continue)
                  : ZSTD_decompressStream(zstd->unpack, &to, &from);
    if (!worked(*result))
        return SG_ERR_FORMAT;
    zstd->taken += from.pos;
    zstd->given += to.pos;
    if (from.pos > 0)
        in->ptr += from.pos;
    in->len -= from.pos;
    out->len += to.pos;
    return SG_OK;
}

static enum sg_err
check_caps(const struct sg_zstd *zstd)
{
    if (zstd->given > zstd->max ||
        (zstd->given > ratio_from && zstd->given / SG_ZSTD_RATIO > zstd->taken))
        return SG_ERR_FULL;
    return SG_OK;
}

enum sg_err
sg_zstd_step(struct sg_zstd *zstd, struct sg_slice *in, bool last,
             struct sg_writer *out, bool *done)
{
    const bool unpacks = zstd->unpack != NULL;
    enum sg_err err = SG_OK;
    size_t result = 1;

    *done = false;
    while (err == SG_OK && !zstd->ended) {
        const size_t in_before = in->len, out_before = out->len;
        err = call(zstd, in, last, out, &result);
        if (err == SG_OK && unpacks)
            err = check_caps(zstd);
        if (result == 0 && (unpacks || last))
            zstd->ended = true;
        if (in->len == in_before && out->len == out_before)
            break; // it wants more of the one or the other
    }
    if (err != SG_OK)
        return err;
    if (zstd->ended && in->len > 0)
        return SG_ERR_FORMAT;
    if (!zstd->ended && unpacks && last && in->len == 0 && out->len < out->cap)
        return SG_ERR_SHORT;
    *done = zstd->ended;
    return SG_OK;
}
