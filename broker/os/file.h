// file - files and folders, whole or not at all.
//
// Paths come from an operator's command line or configuration and from names
// that we made ourselves; an id from outside is never one. Every call retries
// what a signal interrupted and treats a short write as unfinished work.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

enum { SG_OS_PATH = 1024 };

// What the system said of this thread's last failure, in words; "": nothing.
const char *sg_os_file_reason(void);

// printf into a path; false: it does not fit.
SG_MUST_CHECK bool sg_os_file_path(char out[SG_OS_PATH], const char *format,
                                   ...) __attribute__((format(printf, 2, 3)));

// The whole file with a NUL behind it that len does not count; free() it.
// SG_ERR_NOT_FOUND, SG_ERR_FULL (over cap), SG_ERR_IO, SG_ERR_MEMORY.
SG_MUST_CHECK enum sg_err sg_os_file_read(const char *path, size_t cap,
                                          uint8_t **bytes, size_t *len);
// The same of a file of our own: one that is no plain file is SG_ERR_IO at once,
// where a pipe that somebody put in its place would be waited for.
SG_MUST_CHECK enum sg_err sg_os_file_read_own(const char *path, size_t cap,
                                              uint8_t **bytes, size_t *len);
// The same from a descriptor, from where it stands (pipes too).
SG_MUST_CHECK enum sg_err sg_os_file_read_fd(int fd, size_t cap,
                                             uint8_t **bytes, size_t *len);
// Readers see all new bytes or all old ones, also after a power cut. Mode 0600
// when private_, else 0644.
SG_MUST_CHECK enum sg_err
sg_os_file_replace(const char *path, struct sg_slice bytes, bool private_);
// The same without syncing: whole or not there, and durable only after
// sg_os_file_sync_path and sg_os_file_sync_dir.
SG_MUST_CHECK enum sg_err sg_os_file_put(const char *path,
                                         struct sg_slice bytes);
// Many files: writing of each is started first, then each is waited for.
void sg_os_file_start_sync(const char *path);
SG_MUST_CHECK enum sg_err sg_os_file_sync_path(const char *path);
SG_MUST_CHECK enum sg_err sg_os_file_write(int fd, struct sg_slice bytes);
// Up to len bytes from fd; *got 0: the end.
SG_MUST_CHECK enum sg_err sg_os_file_read_some(int fd, void *bytes, size_t len,
                                               size_t *got);
SG_MUST_CHECK enum sg_err sg_os_file_pread(int fd, uint64_t at, void *bytes,
                                           size_t len); // SG_ERR_SHORT
SG_MUST_CHECK enum sg_err sg_os_file_pwrite(int fd, uint64_t at,
                                            struct sg_slice bytes);

enum sg_os_open {
    SG_OS_OPEN_READ, // of whatever it is
    SG_OS_OPEN_OWN,  // the same of a plain file
    SG_OS_OPEN_NEW,
    SG_OS_OPEN_APPEND, // a plain file
    SG_OS_OPEN_WRITE,  // a plain file; must exist; reading and writing anywhere
};
// NEW: must not exist, 0600. The descriptor closes on exec.
SG_MUST_CHECK enum sg_err sg_os_file_open(const char *path, enum sg_os_open how,
                                          int *fd);
void sg_os_file_close(int *fd); // *fd becomes -1; -1 is fine
// Another descriptor of the same open file, closed on exec.
SG_MUST_CHECK enum sg_err sg_os_file_duplicate(int fd, int *out);
SG_MUST_CHECK enum sg_err sg_os_file_sync(int fd);
SG_MUST_CHECK enum sg_err sg_os_file_size(int fd, uint64_t *bytes);
bool sg_os_file_exists(const char *path);
SG_MUST_CHECK enum sg_err sg_os_file_rename(const char *from, const char *to);
SG_MUST_CHECK enum sg_err sg_os_file_remove(const char *path); // absent: SG_OK
// An unnamed file in folder; gone when closed, unless _link names it.
SG_MUST_CHECK enum sg_err sg_os_file_unnamed(const char *folder, int *fd);
SG_MUST_CHECK enum sg_err sg_os_file_link(int fd, const char *path);
// Names made, changed or removed in the folder become durable (fsync).
SG_MUST_CHECK enum sg_err sg_os_file_sync_dir(const char *path);

// With parents, mode 0700; exists: SG_OK.
SG_MUST_CHECK enum sg_err sg_os_file_make_dirs(const char *path);
// Names in the folder (not . and ..), sorted; free() the array of pointers:
// names lie behind it. SG_ERR_FULL: more than 100,000.
SG_MUST_CHECK enum sg_err sg_os_file_list(const char *path, char ***names,
                                          size_t *count);
// The folder and what is in it, at most 16 levels deep.
SG_MUST_CHECK enum sg_err sg_os_file_remove_tree(const char *path);
// Free space for us, in bytes and in percent of the disk.
SG_MUST_CHECK enum sg_err sg_os_file_space(const char *path, uint64_t *bytes,
                                           uint32_t *percent);
// Holds the file path until fd is closed. SG_ERR_EXISTS: another holds it.
SG_MUST_CHECK enum sg_err sg_os_file_lock(const char *path, int *fd);
