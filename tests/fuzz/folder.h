// folder - a folder in memory for parsers that read files.
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/os/file.h"

static char folder[64];

static inline void
folder_remove(void)
{
    if (sg_os_file_remove_tree(folder) != SG_OK)
        fprintf(stderr, "fuzz: %s stays\n", folder);
}

// Makes it once; it goes when the program ends.
static inline bool
folder_make(void)
{
    if (folder[0] != '\0')
        return false;
    (void)snprintf(folder, sizeof folder, "%s/fuzz-XXXXXX",
                   sg_os_file_exists("/dev/shm") ? "/dev/shm" : ".");
    if (mkdtemp(folder) == NULL)
        abort();
    (void)atexit(folder_remove);
    return true;
}

static inline void
folder_sub(const char *name)
{
    char path[SG_OS_PATH];

    if (!sg_os_file_path(path, "%s/%s", folder, name) || mkdir(path, 0700) != 0)
        abort();
}

// The file folder/name now holds bytes, and its owner alone may read it. path
// has SG_OS_PATH bytes.
static inline void
folder_put(const char *name, struct sg_slice bytes, char *path)
{
    if (!sg_os_file_path(path, "%s/%s", folder, name))
        abort();
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 ||
        (bytes.len > 0 &&
         write(fd, bytes.ptr, bytes.len) != (ssize_t)bytes.len) ||
        close(fd) != 0)
        abort();
}

// Verbs say on standard error what is wrong; nobody reads it here. Returns what
// folder_loud takes.
static inline int
folder_quiet(void)
{
    static int nowhere = -1;
    int kept = dup(STDERR_FILENO);

    if (nowhere < 0)
        nowhere = open("/dev/null", O_WRONLY);
    if (kept < 0 || nowhere < 0 || dup2(nowhere, STDERR_FILENO) < 0)
        abort();
    return kept;
}

static inline void
folder_loud(int kept)
{
    if (dup2(kept, STDERR_FILENO) < 0 || close(kept) != 0)
        abort();
}
