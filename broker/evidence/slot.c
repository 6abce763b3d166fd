#include "broker/evidence/slot.h"

#include <string.h>

#include "broker/base/bytes.h"

static const char magic[8] = "SGSLOT1";
enum { CRC_AT = SG_SLOT_BYTES - 4, NOTE_AT = 8 + 8 + 8 + 32 + 4 };

_Static_assert(NOTE_AT + SG_SLOT_NOTE_MAX <= CRC_AT, "a note fits its slot");

void
sg_slot_encode(const struct sg_slot *slot, uint8_t bytes[SG_SLOT_BYTES])
{
    SG_ASSERT(slot->note_len <= SG_SLOT_NOTE_MAX);
    memset(bytes, 0, SG_SLOT_BYTES);
    memcpy(bytes, magic, sizeof(magic));
    sg_bytes_store_u64(bytes + 8, slot->counter);
    sg_bytes_store_u64(bytes + 16, slot->size);
    memcpy(bytes + 24, slot->root, 32);
    sg_bytes_store_u32(bytes + 56, slot->note_len);
    memcpy(bytes + NOTE_AT, slot->note, slot->note_len);
    sg_bytes_store_u32(bytes + CRC_AT, sg_bytes_crc32c(0, bytes, CRC_AT));
}

bool
sg_slot_decode(const uint8_t bytes[SG_SLOT_BYTES], struct sg_slot *slot)
{
    memset(slot, 0, sizeof(*slot));
    uint32_t note_len = sg_bytes_load_u32(bytes + 56);
    if (memcmp(bytes, magic, sizeof(magic)) != 0 ||
        note_len > SG_SLOT_NOTE_MAX ||
        sg_bytes_load_u32(bytes + CRC_AT) != sg_bytes_crc32c(0, bytes, CRC_AT))
        return false;
    slot->counter = sg_bytes_load_u64(bytes + 8);
    slot->size = sg_bytes_load_u64(bytes + 16);
    memcpy(slot->root, bytes + 24, 32);
    slot->note_len = note_len;
    memcpy(slot->note, bytes + NOTE_AT, note_len);
    return slot->counter != 0 && slot->size != 0;
}

enum sg_err
sg_slot_create(const struct sg_disk *disk, const char *path,
               const struct sg_slot *slot)
{
    uint8_t bytes[SG_SLOT_BYTES];
    struct sg_slot copy = *slot;
    int fd = -1;
    enum sg_err err = disk->open(disk->arg, path, SG_DISK_CREATE, &fd);
    for (unsigned i = 0; i < 2 && err == SG_OK; i++) {
        copy.counter = i + 1;
        sg_slot_encode(&copy, bytes);
        err =
            disk->write(disk->arg, fd, i * SG_SLOT_BYTES, bytes, sizeof(bytes));
    }
    if (err == SG_OK)
        err = disk->sync(disk->arg, fd);
    if (fd >= 0)
        disk->close(disk->arg, fd);
    return err;
}

enum sg_err
sg_slot_open(const struct sg_disk *disk, const char *path,
             struct sg_slots *slots, struct sg_slot *newest, unsigned *valid)
{
    *slots = (struct sg_slots){.fd = -1};
    memset(newest, 0, sizeof(*newest));
    *valid = 0;
    if (!sg_disk_exists(path))
        return SG_ERR_NOT_FOUND;
    enum sg_err err = disk->open(disk->arg, path, SG_DISK_WRITE, &slots->fd);
    if (err != SG_OK)
        return err;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t bytes[SG_SLOT_BYTES];
        struct sg_slot slot;
        if (sg_disk_read(slots->fd, i * SG_SLOT_BYTES, bytes, sizeof(bytes)) !=
                SG_OK ||
            !sg_slot_decode(bytes, &slot))
            continue;
        *valid |= 1u << i;
        if (slot.counter > slots->counter)
            slots->counter = slot.counter;
        if (slot.size < newest->size ||
            (slot.size == newest->size && slot.counter < newest->counter))
            continue;
        *newest = slot;
        slots->next = 1 - i;
    }
    if (*valid == 0)
        sg_slot_close(disk, slots);
    return *valid == 0 ? SG_ERR_CORRUPT : SG_OK;
}

enum sg_err
sg_slot_put(const struct sg_disk *disk, struct sg_slots *slots,
            struct sg_slot *slot, void (*written)(void *arg), void *arg)
{
    uint8_t bytes[SG_SLOT_BYTES];
    slot->counter = slots->counter + 1;
    sg_slot_encode(slot, bytes);
    enum sg_err err =
        disk->write(disk->arg, slots->fd, slots->next * SG_SLOT_BYTES, bytes,
                    sizeof(bytes));
    if (err == SG_OK && written != NULL)
        written(arg);
    if (err == SG_OK)
        err = disk->sync(disk->arg, slots->fd);
    if (err != SG_OK)
        return err;
    slots->counter = slot->counter;
    slots->next = 1 - slots->next;
    return SG_OK;
}

void
sg_slot_close(const struct sg_disk *disk, struct sg_slots *slots)
{
    if (slots->fd >= 0)
        disk->close(disk->arg, slots->fd);
    slots->fd = -1;
}
