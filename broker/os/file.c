#define _GNU_SOURCE // O_TMPFILE, strerrordesc_np
#include "broker/os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "broker/os/calls.h"
#include "broker/os/log.h"

enum { NAMES_MAX = 100000, TREE_DEPTH = 16, READ_STEP = 64 * 1024 };

static enum sg_err
error_of(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return SG_ERR_NOT_FOUND;
    case EEXIST:
        return SG_ERR_EXISTS;
    case ENOSPC:
    case EDQUOT:
        return SG_ERR_DISK;
    case ENOMEM:
        return SG_ERR_MEMORY;
    default:
        return SG_ERR_IO;
    }
}

static _Thread_local const char *last_reason = "";

const char *
sg_os_file_reason(void)
{
    return last_reason;
}

// The error that errno says. What only the system can explain goes to the log
// with its reason, since an sg_err has no room for it. path may be NULL.
static enum sg_err
failed(const char *call, const char *path)
{
    int number = errno;
    enum sg_err err = error_of(number);

    last_reason = strerrordesc_np(number);
    if (err == SG_ERR_IO || err == SG_ERR_DISK)
        sg_log(SG_LOG_ERROR, "file.failed", "call", call, "path",
               path == NULL ? "" : path, "reason", strerrordesc_np(number),
               NULL);
    return err;
}

bool
sg_os_file_path(char out[SG_OS_PATH], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int len = vsnprintf(out, SG_OS_PATH, format, arguments);
    va_end(arguments);
    return len >= 0 && len < SG_OS_PATH;
}

static bool
is_plain(int fd)
{
    struct stat about;

    return fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

static enum sg_err
not_plain(const char *path)
{
    last_reason = "it is a pipe, a device or a folder, and no plain file";
    sg_log(SG_LOG_ERROR, "file.failed", "call", "open", "path", path, "reason",
           last_reason, NULL);
    return SG_ERR_IO;
}

enum sg_err
sg_os_file_open(const char *path, enum sg_os_open how, int *fd)
{
    static const int flags[] = {
        [SG_OS_OPEN_READ] = O_RDONLY,
        [SG_OS_OPEN_OWN] = O_RDONLY | O_NONBLOCK,
        [SG_OS_OPEN_NEW] = O_RDWR | O_CREAT | O_EXCL,
        [SG_OS_OPEN_APPEND] = O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK,
        [SG_OS_OPEN_WRITE] = O_RDWR | O_NONBLOCK,
    };

    do
        *fd = open(path, flags[how] | O_CLOEXEC | O_NOCTTY, 0600);
    while (*fd < 0 && errno == EINTR);
    if (*fd < 0)
        return failed("open", path);
    if ((flags[how] & O_NONBLOCK) == 0 || is_plain(*fd))
        return SG_OK;
    sg_os_file_close(fd);
    return not_plain(path);
}

void
sg_os_file_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

enum sg_err
sg_os_file_read_some(int fd, void *bytes, size_t len, size_t *got)
{
    ssize_t count;

    *got = 0;
    do
        count = sg_os_calls()->read(fd, bytes, len);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return failed("read", NULL);
    *got = (size_t)count;
    return SG_OK;
}

enum sg_err
sg_os_file_read_fd(int fd, size_t cap, uint8_t **bytes, size_t *len)
{
    uint8_t *buffer = NULL;
    size_t used = 0, room = 0, got = 1;
    enum sg_err err = SG_OK;

    *bytes = NULL;
    *len = 0;
    while (err == SG_OK && got > 0) {
        if (room - used < READ_STEP) {
            room = room == 0 ? READ_STEP + 1 : room * 2;
            uint8_t *larger = realloc(buffer, room + 1);
            if (larger == NULL) {
                err = SG_ERR_MEMORY;
                break;
            }
            buffer = larger;
        }
        err = sg_os_file_read_some(fd, buffer + used, room - used, &got);
        used += got;
        if (used > cap)
            err = SG_ERR_FULL;
    }
    if (err != SG_OK) {
        free(buffer);
        return err;
    }
    buffer[used] = '\0';
    *bytes = buffer;
    *len = used;
    return SG_OK;
}

static enum sg_err
read_as(const char *path, enum sg_os_open how, size_t cap, uint8_t **bytes,
        size_t *len)
{
    int fd;
    enum sg_err err = sg_os_file_open(path, how, &fd);

    *bytes = NULL;
    *len = 0;
    if (err == SG_OK)
        err = sg_os_file_read_fd(fd, cap, bytes, len);
    sg_os_file_close(&fd);
    return err;
}

enum sg_err
sg_os_file_read(const char *path, size_t cap, uint8_t **bytes, size_t *len)
{
    return read_as(path, SG_OS_OPEN_READ, cap, bytes, len);
}

enum sg_err
sg_os_file_read_own(const char *path, size_t cap, uint8_t **bytes, size_t *len)
{
    return read_as(path, SG_OS_OPEN_OWN, cap, bytes, len);
}

enum sg_err
sg_os_file_write(int fd, struct sg_slice bytes)
{
    while (bytes.len > 0) {
        ssize_t count = sg_os_calls()->write(fd, bytes.ptr, bytes.len);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count == 0 ? SG_ERR_IO : failed("write", NULL);
        bytes.ptr += count;
        bytes.len -= (size_t)count;
    }
    return SG_OK;
}

enum sg_err
sg_os_file_pwrite(int fd, uint64_t at, struct sg_slice bytes)
{
    while (bytes.len > 0) {
        ssize_t count =
            sg_os_calls()->pwrite(fd, bytes.ptr, bytes.len, (off_t)at);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count == 0 ? SG_ERR_IO : failed("pwrite", NULL);
        bytes.ptr += count;
        bytes.len -= (size_t)count;
        at += (uint64_t)count;
    }
    return SG_OK;
}

enum sg_err
sg_os_file_pread(int fd, uint64_t at, void *bytes, size_t len)
{
    uint8_t *to = (uint8_t *)bytes;

    while (len > 0) {
        ssize_t count = sg_os_calls()->pread(fd, to, len, (off_t)at);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return failed("pread", NULL);
        if (count == 0)
            return SG_ERR_SHORT;
        to += count;
        len -= (size_t)count;
        at += (uint64_t)count;
    }
    return SG_OK;
}

enum sg_err
sg_os_file_duplicate(int fd, int *out)
{
    *out = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return *out < 0 ? SG_ERR_IO : SG_OK;
}

enum sg_err
sg_os_file_sync(int fd)
{
    if (sg_os_calls()->fdatasync(fd) == 0)
        return SG_OK;
    (void)failed("fdatasync", NULL); // never tried again
    return SG_ERR_IO;
}

enum sg_err
sg_os_file_sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return failed("open", path);
    int result = sg_os_calls()->fsync(fd);
    if (result != 0)
        (void)failed("fsync", path);
    (void)close(fd);
    return result == 0 ? SG_OK : SG_ERR_IO;
}

static enum sg_err
sync_folder_of(const char *path)
{
    char folder[SG_OS_PATH];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);

    if (len + 2 > sizeof folder)
        return SG_ERR_FULL;
    memcpy(folder, path, len);
    folder[len] = len > 0 ? '\0' : slash == NULL ? '.' : '/';
    folder[len + (len == 0)] = '\0';
    return sg_os_file_sync_dir(folder);
}

void
sg_os_file_start_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return; // sg_os_file_sync_path says so
    (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    (void)close(fd);
}

enum sg_err
sg_os_file_sync_path(const char *path)
{
    int fd;
    enum sg_err err = sg_os_file_open(path, SG_OS_OPEN_OWN, &fd);

    if (err != SG_OK)
        return err;
    err = sg_os_file_sync(fd);
    sg_os_file_close(&fd);
    return err;
}

// Under another name first, so that path is whole or not there.
static enum sg_err
put(const char *path, struct sg_slice bytes, bool private_, bool sync)
{
    char temporary[SG_OS_PATH];
    int fd;

    if (!sg_os_file_path(temporary, "%s.new", path))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_remove(temporary);
    if (err != SG_OK ||
        (err = sg_os_file_open(temporary, SG_OS_OPEN_NEW, &fd)) != SG_OK)
        return err;
    err = sg_os_file_write(fd, bytes);
    if (err == SG_OK && ((!private_ && fchmod(fd, 0644) != 0) ||
                         (sync && sg_os_calls()->fsync(fd) != 0))) {
        (void)failed("fsync", temporary);
        err = SG_ERR_IO;
    }
    sg_os_file_close(&fd);
    if (err == SG_OK)
        err = sg_os_file_rename(temporary, path);
    if (err != SG_OK)
        (void)unlink(temporary);
    return err;
}

enum sg_err
sg_os_file_put(const char *path, struct sg_slice bytes)
{
    return put(path, bytes, true, false);
}

enum sg_err
sg_os_file_replace(const char *path, struct sg_slice bytes, bool private_)
{
    enum sg_err err = put(path, bytes, private_, true);

    return err == SG_OK ? sync_folder_of(path) : err;
}

enum sg_err
sg_os_file_size(int fd, uint64_t *bytes)
{
    struct stat about;

    *bytes = 0;
    if (fstat(fd, &about) != 0)
        return SG_ERR_IO;
    *bytes = (uint64_t)about.st_size;
    return SG_OK;
}

bool
sg_os_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

enum sg_err
sg_os_file_rename(const char *from, const char *to)
{
    return sg_os_calls()->rename(from, to) == 0 ? SG_OK : failed("rename", to);
}

enum sg_err
sg_os_file_remove(const char *path)
{
    return unlink(path) == 0 || errno == ENOENT ? SG_OK
                                                : failed("unlink", path);
}

enum sg_err
sg_os_file_unnamed(const char *folder, int *fd)
{
    *fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return *fd < 0 ? failed("open", folder) : SG_OK;
}

enum sg_err
sg_os_file_link(int fd, const char *path)
{
    char own[64]; // linkat by descriptor alone would need a capability
    (void)snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, own, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0
               ? SG_OK
               : failed("linkat", path);
}

static bool
is_folder(const char *path, bool follow)
{
    struct stat about;

    return fstatat(AT_FDCWD, path, &about, follow ? 0 : AT_SYMLINK_NOFOLLOW) ==
               0 &&
           S_ISDIR(about.st_mode);
}

enum sg_err
sg_os_file_make_dirs(const char *path)
{
    char part[SG_OS_PATH];
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof part)
        return SG_ERR_FULL;
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return failed("mkdir", part);
    }
    return is_folder(path, true) ? SG_OK : SG_ERR_EXISTS;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Names one behind the other, each with its NUL.
struct names {
    char *text;
    size_t bytes, cap, count;
};

static enum sg_err
add_name(struct names *names, const char *name)
{
    size_t len = strlen(name) + 1;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return SG_OK;
    if (names->count == NAMES_MAX)
        return SG_ERR_FULL;
    if (names->bytes + len > names->cap) {
        size_t cap = names->cap == 0 ? 4096 : names->cap * 2;
        char *larger = realloc(names->text, cap);
        if (larger == NULL)
            return SG_ERR_MEMORY;
        names->text = larger;
        names->cap = cap;
    }
    memcpy(names->text + names->bytes, name, len);
    names->bytes += len;
    names->count++;
    return SG_OK;
}

static enum sg_err
read_names(DIR *folder, const char *path, struct names *names)
{
    enum sg_err err = SG_OK;

    while (err == SG_OK) {
        errno = 0; // tells the end from a failure
        const struct dirent *entry =
            readdir(folder); // NOLINT(concurrency-mt-unsafe)
        if (entry == NULL)
            return errno == 0 ? SG_OK : failed("readdir", path);
        err = add_name(names, entry->d_name);
    }
    return err;
}

static char **
sorted(const struct names *names)
{
    char **list = malloc((names->count + 1) * sizeof *list + names->bytes);

    if (list == NULL)
        return NULL;
    char *at = (char *)(list + names->count + 1);
    if (names->bytes > 0)
        memcpy(at, names->text, names->bytes);
    for (size_t i = 0; i < names->count; i++, at += strlen(at) + 1)
        list[i] = at;
    list[names->count] = NULL;
    qsort(list, names->count, sizeof *list, by_name);
    return list;
}

enum sg_err
sg_os_file_list(const char *path, char ***names, size_t *count)
{
    *names = NULL;
    *count = 0;
    DIR *folder = opendir(path);
    if (folder == NULL)
        return failed("opendir", path);
    struct names found = {.text = NULL};
    enum sg_err err = read_names(folder, path, &found);
    (void)closedir(folder);
    if (err == SG_OK && (*names = sorted(&found)) == NULL)
        err = SG_ERR_MEMORY;
    if (err == SG_OK)
        *count = found.count;
    free(found.text);
    return err;
}

static enum sg_err
remove_level(const char *path, unsigned depth) // NOLINT(misc-no-recursion)
{
    char **names, child[SG_OS_PATH];
    size_t count;

    if (depth == 0)
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_list(path, &names, &count);
    for (size_t i = 0; err == SG_OK && i < count; i++) {
        if (!sg_os_file_path(child, "%s/%s", path, names[i]))
            err = SG_ERR_FULL;
        else if (is_folder(child, false))
            err = remove_level(child, depth - 1);
        else
            err = sg_os_file_remove(child);
    }
    free(names);
    if (err == SG_OK && rmdir(path) != 0)
        err = failed("rmdir", path);
    return err;
}

enum sg_err
sg_os_file_remove_tree(const char *path)
{
    if (!is_folder(path, false)) // what a link points to is not in the tree
        return SG_ERR_NOT_FOUND;
    return remove_level(path, TREE_DEPTH);
}

enum sg_err
sg_os_file_space(const char *path, uint64_t *bytes, uint32_t *percent)
{
    struct statvfs about;

    *bytes = 0;
    *percent = 0;
    if (statvfs(path, &about) != 0)
        return failed("statvfs", path);
    *bytes = (uint64_t)about.f_bavail * about.f_frsize;
    *percent =
        about.f_blocks == 0
            ? 0
            : (uint32_t)((uint64_t)about.f_bavail * 100 / about.f_blocks);
    return SG_OK;
}

enum sg_err
sg_os_file_lock(const char *path, int *fd)
{
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return failed("open", path);
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return SG_OK;
    enum sg_err err = errno == EWOULDBLOCK ? SG_ERR_EXISTS : SG_ERR_IO;
    sg_os_file_close(fd);
    return err;
}
