// Preloaded into the real statgated: see faults.h. Stands between the program
// and libc, so that no program needs a seam for it, and no rights are needed.

#include "tests/e2e/faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static struct faults none;
static struct faults *faults = &none;

// The next definition of a function, as ISO C lets it be asked for.
#define REAL(name, type)                                                       \
    static __typeof__(type) *real;                                             \
    if (real == NULL) {                                                        \
        void *found = dlsym(RTLD_NEXT, name);                                  \
        memcpy(&real, &found, sizeof real);                                    \
    }

__attribute__((constructor)) static void
find_faults(void)
{
    const char *path = getenv(FAULTS_ENV);
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    void *map =
        mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED)
        faults = map;
    (void)close(fd);
}

// ---- clock ---------------------------------------------------------------------

int
clock_gettime(clockid_t id, struct timespec *out)
{
    REAL("clock_gettime", int(clockid_t, struct timespec *))
    int result = real(id, out);
    if (result != 0 ||
        (id != CLOCK_REALTIME && id != CLOCK_BOOTTIME && id != CLOCK_MONOTONIC))
        return result;
    int64_t us = out->tv_nsec / 1000;
    us += id == CLOCK_MONOTONIC ? faults->mono_us : faults->passed_us;
    if (id == CLOCK_REALTIME)
        us += faults->clock_us;
    int64_t s = us / 1000000, rest = us % 1000000;
    if (rest < 0) {
        rest += 1000000;
        s--;
    }
    out->tv_sec += s;
    out->tv_nsec = rest * 1000 + out->tv_nsec % 1000;
    return 0;
}

// ---- syncs ---------------------------------------------------------------------

static int
sync_with(int (*real)(int), int fd)
{
    faults->syncs++;
    if (faults->sync_delay_ms != 0)
        (void)poll(NULL, 0, (int)faults->sync_delay_ms);
    if (faults->sync_fails != 0) {
        faults->refused++;
        errno = EIO;
        return -1;
    }
    return real(fd);
}

int
fdatasync(int fd)
{
    REAL("fdatasync", int(int))
    return sync_with(real, fd);
}

int
fsync(int fd)
{
    REAL("fsync", int(int))
    return sync_with(real, fd);
}

// ---- space ---------------------------------------------------------------------

// What lies within a file already has its place on a full disk, too.
static int
no_room(int fd, off_t end)
{
    struct stat st;
    if (faults->disk_full == 0 || fd <= 2 || fstat(fd, &st) != 0 ||
        !S_ISREG(st.st_mode) || end <= st.st_size)
        return 0;
    faults->refused++;
    errno = ENOSPC;
    return 1;
}

ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    REAL("pwrite", ssize_t(int, const void *, size_t, off_t))
    return no_room(fd, at + (off_t)len) ? -1 : real(fd, bytes, len, at);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t len, off_t at)
{
    return pwrite(fd, bytes, len, at);
}

ssize_t
write(int fd, const void *bytes, size_t len)
{
    REAL("write", ssize_t(int, const void *, size_t))
    struct stat st;
    off_t at =
        faults->disk_full == 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)
            ? -1
            : lseek(fd, 0, SEEK_CUR);
    return at >= 0 && no_room(fd, at + (off_t)len) ? -1 : real(fd, bytes, len);
}

int
posix_fallocate(int fd, off_t at, off_t len)
{
    REAL("posix_fallocate", int(int, off_t, off_t))
    return no_room(fd, at + len) ? ENOSPC : real(fd, at, len);
}

int
fallocate(int fd, int mode, off_t at, off_t len)
{
    REAL("fallocate", int(int, int, off_t, off_t))
    return no_room(fd, at + len) ? -1 : real(fd, mode, at, len);
}

int
ftruncate(int fd, off_t len)
{
    REAL("ftruncate", int(int, off_t))
    return no_room(fd, len) ? -1 : real(fd, len);
}

static int
few_blocks(int result, struct statvfs *out)
{
    if (result == 0 && faults->disk_low != 0)
        out->f_bavail = out->f_bfree = out->f_blocks / 100;
    return result;
}

int
statvfs(const char *path, struct statvfs *out)
{
    REAL("statvfs", int(const char *, struct statvfs *))
    return few_blocks(real(path, out), out);
}

int
fstatvfs(int fd, struct statvfs *out)
{
    REAL("fstatvfs", int(int, struct statvfs *))
    return few_blocks(real(fd, out), out);
}
