// disk - the file operations that durability rests on, behind one table.
//
// Log, checkpoint slot, payload and keys change files only through it, so that
// tests can fail the n-th sync, fill the disk, and record every write for the
// replay of power cuts. Reading goes past it: what is on a disk may be anything,
// and tests change the bytes themselves. sg_disk_real is the only one in
// programs. A failed sync is never tried again (fsync semantics: the kernel may
// have dropped the pages and marked them clean).
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"

enum { SG_DISK_PATH = 1024 };

enum sg_disk_how {
    SG_DISK_READ,
    SG_DISK_WRITE,  // must exist
    SG_DISK_CREATE, // must not exist; mode 0600
    SG_DISK_UNNAMED // path is the folder; an O_TMPFILE
};

struct sg_disk {
    void *arg;
    enum sg_err (*open)(void *arg, const char *path, enum sg_disk_how how,
                        int *fd);
    void (*close)(void *arg, int fd);
    // All of it or an error: SG_ERR_DISK when the disk is full, SG_ERR_IO.
    enum sg_err (*write)(void *arg, int fd, uint64_t at, const void *bytes,
                         size_t len);
    enum sg_err (*sync)(void *arg, int fd); // fdatasync
    enum sg_err (*sync_dir)(void *arg, const char *path);
    enum sg_err (*rename)(void *arg, const char *from, const char *to);
    enum sg_err (*remove)(void *arg, const char *path); // absent: SG_OK
    enum sg_err (*remove_dir)(void *arg, const char *path);
    enum sg_err (*link)(void *arg, int fd, const char *path); // name an unnamed
    enum sg_err (*make_dir)(void *arg, const char *path); // 0700; exists: SG_OK
};

extern const struct sg_disk sg_disk_real;

// Zeros in [at, at + len), written for real, so that no later write has to
// change the file's size or extents.
SG_MUST_CHECK enum sg_err sg_disk_zero(const struct sg_disk *disk, int fd,
                                       uint64_t at, uint64_t len);
// Exactly len bytes; SG_ERR_SHORT when the file ends before.
SG_MUST_CHECK enum sg_err sg_disk_read(int fd, uint64_t at, void *bytes,
                                       size_t len);
SG_MUST_CHECK enum sg_err sg_disk_size(int fd, uint64_t *bytes);
bool sg_disk_exists(const char *path);
// false: the path does not fit SG_DISK_PATH.
SG_MUST_CHECK bool sg_disk_path(char out[SG_DISK_PATH], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
