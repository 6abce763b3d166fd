// calls - the system calls that can fail half-way, behind one table.
//
// So that tests can fill the disk, fail a sync, interrupt a call or cut a write
// short. Programs never change it. The evidence log has a wider table of its
// own (broker/evidence/disk.h) whose real side ends here.
#pragma once

#include <stddef.h>
#include <sys/types.h>

// Each as in POSIX, errno and all.
struct sg_os_calls {
    ssize_t (*read)(int fd, void *bytes, size_t len);
    ssize_t (*write)(int fd, const void *bytes, size_t len);
    ssize_t (*pread)(int fd, void *bytes, size_t len, off_t at);
    ssize_t (*pwrite)(int fd, const void *bytes, size_t len, off_t at);
    int (*fdatasync)(int fd);
    int (*fsync)(int fd);
    int (*rename)(const char *from, const char *to);
};

// Those in force; at the start those of the system.
const struct sg_os_calls *sg_os_calls(void);
// For tests: others from now on, borrowed; NULL: those of the system again. A
// NULL entry is that of the system. Not while another thread does I/O.
void sg_os_calls_replace(const struct sg_os_calls *calls);
