#include "broker/evidence/disk.h"

#include <stdio.h>
#include <unistd.h>

#include "broker/os/file.h"

_Static_assert((int)SG_DISK_PATH == (int)SG_OS_PATH, "one length of paths");

static enum sg_err
real_open(void *arg, const char *path, enum sg_disk_how how, int *fd)
{
    (void)arg;
    *fd = -1;
    switch (how) {
    case SG_DISK_READ:
        return sg_os_file_open(path, SG_OS_OPEN_OWN, fd);
    case SG_DISK_WRITE:
        return sg_os_file_open(path, SG_OS_OPEN_WRITE, fd);
    case SG_DISK_CREATE:
        return sg_os_file_open(path, SG_OS_OPEN_NEW, fd);
    case SG_DISK_UNNAMED:
        return sg_os_file_unnamed(path, fd);
    }
    SG_UNREACHABLE();
}

static void
real_close(void *arg, int fd)
{
    (void)arg;
    sg_os_file_close(&fd);
}

static enum sg_err
real_write(void *arg, int fd, uint64_t at, const void *bytes, size_t len)
{
    (void)arg;
    return sg_os_file_pwrite(fd, at, sg_slice_of(bytes, len));
}

static enum sg_err
real_sync(void *arg, int fd)
{
    (void)arg;
    return sg_os_file_sync(fd);
}

static enum sg_err
real_sync_dir(void *arg, const char *path)
{
    (void)arg;
    return sg_os_file_sync_dir(path);
}

static enum sg_err
real_rename(void *arg, const char *from, const char *to)
{
    (void)arg;
    return sg_os_file_rename(from, to);
}

static enum sg_err
real_remove(void *arg, const char *path)
{
    (void)arg;
    return sg_os_file_remove(path);
}

static enum sg_err
real_remove_dir(void *arg, const char *path)
{
    (void)arg;
    return rmdir(path) == 0 ? SG_OK : SG_ERR_IO;
}

static enum sg_err
real_link(void *arg, int fd, const char *path)
{
    (void)arg;
    return sg_os_file_link(fd, path);
}

static enum sg_err
real_make_dir(void *arg, const char *path)
{
    (void)arg;
    return sg_os_file_make_dirs(path);
}

const struct sg_disk sg_disk_real = {
    .open = real_open,
    .close = real_close,
    .write = real_write,
    .sync = real_sync,
    .sync_dir = real_sync_dir,
    .rename = real_rename,
    .remove = real_remove,
    .remove_dir = real_remove_dir,
    .link = real_link,
    .make_dir = real_make_dir,
};

enum sg_err
sg_disk_zero(const struct sg_disk *disk, int fd, uint64_t at, uint64_t len)
{
    static const uint8_t zeros[256 * 1024];
    enum sg_err err = SG_OK;
    while (len > 0 && err == SG_OK) {
        size_t part = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);
        err = disk->write(disk->arg, fd, at, zeros, part);
        at += part;
        len -= part;
    }
    return err;
}

enum sg_err
sg_disk_read(int fd, uint64_t at, void *bytes, size_t len)
{
    return sg_os_file_pread(fd, at, bytes, len);
}

enum sg_err
sg_disk_size(int fd, uint64_t *bytes)
{
    return sg_os_file_size(fd, bytes);
}

bool
sg_disk_exists(const char *path)
{
    return sg_os_file_exists(path);
}

bool
sg_disk_path(char out[SG_DISK_PATH], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(out, SG_DISK_PATH, format, arguments);
    va_end(arguments);
    return len >= 0 && len < SG_DISK_PATH;
}
