#define _GNU_SOURCE // memfd_create, F_ADD_SEALS
#include "broker/os/memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broker/os/file.h"

enum sg_err
sg_os_memory_open(int *fd)
{
    *fd = memfd_create("statgate", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return *fd < 0 ? SG_ERR_MEMORY : SG_OK;
}

enum sg_err
sg_os_memory_seal(int fd)
{
    return fcntl(fd, F_ADD_SEALS,
                 F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0
               ? SG_OK
               : SG_ERR_IO;
}

enum sg_err
sg_os_memory_sealed(struct sg_slice bytes, int *fd)
{
    enum sg_err err = sg_os_memory_open(fd);

    if (err != SG_OK)
        return err;
    if ((err = sg_os_file_pwrite(*fd, 0, bytes)) != SG_OK ||
        (err = sg_os_memory_seal(*fd)) != SG_OK)
        sg_os_file_close(fd);
    return err;
}

enum sg_err
sg_os_memory_map(int fd, struct sg_slice *bytes)
{
    uint64_t size;
    enum sg_err err = sg_os_file_size(fd, &size);

    *bytes = (struct sg_slice){NULL, 0};
    if (err != SG_OK)
        return err;
    if (size == 0 || size > SIZE_MAX)
        return SG_ERR_SHORT;
    void *at = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return SG_ERR_MEMORY;
    *bytes = sg_slice_of(at, (size_t)size);
    return SG_OK;
}

void
sg_os_memory_unmap(struct sg_slice *bytes)
{
    union { // mapped by us, read-only: nothing is written through it
        const uint8_t *ours;
        void *api;
    } at = {bytes->ptr};

    if (bytes->ptr != NULL)
        (void)munmap(at.api, bytes->len);
    *bytes = (struct sg_slice){NULL, 0};
}
