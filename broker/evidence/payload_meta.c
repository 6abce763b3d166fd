// What stands with an object, and where objects lie.
#include <stdio.h>
#include <string.h>

#include "broker/base/bytes.h"
#include "broker/base/encode.h"
#include "broker/base/limits.h"
#include "broker/base/utc.h"
#include "broker/evidence/payload_write.h"

static const char magic[8] = "SGOBJ1";
enum { STATE_AT = 7, LIVE = 1, REMOVED = 2, CRC_AT = SG_PAYLOAD_META_LEN - 4 };

void
sg_payload_meta_encode(const struct sg_payload_meta *meta, bool removed,
                       uint8_t bytes[SG_PAYLOAD_META_LEN])
{
    memset(bytes, 0, SG_PAYLOAD_META_LEN);
    struct sg_writer w = sg_writer_on(bytes, CRC_AT);
    sg_bytes_put(&w, magic, STATE_AT);
    sg_bytes_put_u8(&w, removed ? REMOVED : LIVE);
    sg_bytes_put(&w, meta->id, 16);
    sg_bytes_put(&w, meta->manifest_sha256, 32);
    sg_bytes_put(&w, meta->variant, 16);
    sg_bytes_put(&w, meta->attempt, 16);
    sg_bytes_put_u32(&w, meta->purpose);
    sg_bytes_put_u32(&w, meta->chunk_size);
    sg_bytes_put_u64(&w, meta->chunks);
    sg_bytes_put_u64(&w, meta->bytes);
    sg_bytes_put_u64(&w, meta->created_us);
    sg_bytes_put(&w, meta->chunk_root, 32);
    SG_ASSERT(!w.full);
    sg_bytes_store_u32(bytes + CRC_AT, sg_bytes_crc32c(0, bytes, CRC_AT));
}

static void
take(struct sg_reader *r, uint8_t *out, size_t len)
{
    struct sg_slice bytes = sg_bytes_take(r, len);
    if (bytes.len == len)
        memcpy(out, bytes.ptr, len);
}

enum sg_err
sg_payload_meta_decode(const uint8_t bytes[SG_PAYLOAD_META_LEN],
                       struct sg_payload_meta *meta, bool *removed)
{
    memset(meta, 0, sizeof(*meta));
    *removed = false;
    if (memcmp(bytes, magic, STATE_AT) != 0 ||
        sg_bytes_load_u32(bytes + CRC_AT) != sg_bytes_crc32c(0, bytes, CRC_AT))
        return SG_ERR_CORRUPT;
    struct sg_reader r = sg_reader_on(sg_slice_of(bytes, CRC_AT));
    (void)sg_bytes_take(&r, STATE_AT);
    *removed = sg_bytes_u8(&r) == REMOVED;
    take(&r, meta->id, 16);
    take(&r, meta->manifest_sha256, 32);
    take(&r, meta->variant, 16);
    take(&r, meta->attempt, 16);
    meta->purpose = sg_bytes_u32(&r);
    meta->chunk_size = sg_bytes_u32(&r);
    meta->chunks = sg_bytes_u64(&r);
    meta->bytes = sg_bytes_u64(&r);
    meta->created_us = sg_bytes_u64(&r);
    take(&r, meta->chunk_root, 32);
    // The check sum says that these are bytes we wrote; sizes are looked at all
    // the same, because reading follows them.
    if (r.failed || meta->chunk_size == 0 ||
        meta->chunk_size > SG_LIMIT_CHUNK || meta->bytes == 0 ||
        meta->bytes > SG_LIMIT_OBJECT ||
        meta->chunks != (meta->bytes - 1) / meta->chunk_size + 1)
        return SG_ERR_CORRUPT;
    return SG_OK;
}

uint64_t
sg_payload_stored_bytes(const struct sg_payload_meta *meta)
{
    return meta->bytes + meta->chunks * SG_TAG_LEN;
}

bool
sg_payload_is_small(const struct sg_payload_meta *meta)
{
    return meta->chunks == 1 &&
           sg_payload_stored_bytes(meta) <= SG_LIMIT_SMALL_OBJECT;
}

uint32_t
sg_payload_month(uint64_t time_us)
{
    uint64_t year, month, day;
    sg_utc_date(time_us / 86400000000ull, &year, &month, &day);
    return (uint32_t)(year * 100 + month);
}

static bool
month_path(char out[SG_DISK_PATH], const char *dir, uint32_t month,
           const char *name)
{
    return sg_disk_path(out, "%s/%04u-%02u/%s", dir, month / 100, month % 100,
                        name);
}

bool
sg_payload_object_path(char out[SG_DISK_PATH], const char *dir, uint32_t month,
                       const uint8_t id[16])
{
    char name[SG_PAYLOAD_NAME_LEN + 1];
    sg_encode_hex(id, 16, name);
    return month_path(out, dir, month, name);
}

bool
sg_payload_segment_path(char out[SG_DISK_PATH], const char *dir, uint32_t month,
                        uint32_t segment)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "small-%06u.seg", segment);
    return month_path(out, dir, month, name);
}
