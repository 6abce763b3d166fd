#include "broker/os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/base/slice.h"
#include "broker/os/clock.h"

extern char **environ;

volatile sig_atomic_t sg_os_process_stop;

static void
on_stop(int number)
{
    (void)number;
    sg_os_process_stop = 1;
}

void
sg_os_process_signals(void)
{
    struct sigaction stop = {.sa_handler = on_stop};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    (void)sigaction(SIGTERM, &stop, NULL);
    (void)sigaction(SIGINT, &stop, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

enum sg_err
sg_os_process_spawn(const char *const *argv, const int *keep, int *pid)
{
    posix_spawn_file_actions_t actions;
    enum sg_err err = SG_ERR_IO;
    union { // posix_spawn promises not to write the arguments
        const char *const *ours;
        char *const *api;
    } arguments = {argv};

    if (posix_spawn_file_actions_init(&actions) != 0)
        return SG_ERR_MEMORY;
    // dup2 onto itself takes close-on-exec away in the child alone.
    for (size_t i = 0; keep != NULL && keep[i] >= 0; i++) {
        if (posix_spawn_file_actions_adddup2(&actions, keep[i], keep[i]) != 0)
            goto out;
    }
    pid_t child;
    int result =
        posix_spawn(&child, argv[0], &actions, NULL, arguments.api, environ);
    if (result == ENOENT)
        err = SG_ERR_NOT_FOUND;
    if (result != 0)
        goto out;
    *pid = (int)child;
    err = SG_OK;

out:
    (void)posix_spawn_file_actions_destroy(&actions);
    return err;
}

static int
status_of(int raw)
{
    return WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
}

bool
sg_os_process_wait(int pid, uint32_t timeout_ms, int *status)
{
    uint64_t end_us = sg_os_clock_mono_us() + (uint64_t)timeout_ms * 1000;
    int raw;

    for (;;) {
        pid_t got = waitpid((pid_t)pid, &raw, WNOHANG);
        if (got == (pid_t)pid) {
            *status = status_of(raw);
            return true;
        }
        if ((got < 0 && errno != EINTR) || sg_os_clock_mono_us() >= end_us)
            return false;
        (void)poll(NULL, 0, 2);
    }
}

void
sg_os_process_end(int pid, bool now)
{
    if (pid > 0)
        (void)kill((pid_t)pid, now ? SIGKILL : SIGTERM);
}

enum sg_err
sg_os_process_fork(int *pid)
{
    pid_t child = fork();

    if (child < 0)
        return SG_ERR_IO;
    *pid = (int)child;
    return SG_OK;
}

bool
sg_os_process_reap(int *pid, int *status)
{
    int raw;
    pid_t got = waitpid(-1, &raw, WNOHANG);

    if (got <= 0)
        return false;
    *pid = (int)got;
    *status = status_of(raw);
    return true;
}

// "size resident shared ...", in pages (proc(5)).
uint64_t
sg_os_process_rss(void)
{
    char text[128];
    uint64_t pages;

    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t got = read(fd, text, sizeof text - 1);
    (void)close(fd);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    const char *start = strchr(text, ' ');
    const char *end = start == NULL ? NULL : strchr(start + 1, ' ');
    if (end == NULL ||
        !sg_slice_u64(sg_slice_of(start + 1, (size_t)(end - start - 1)),
                      &pages))
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t
sg_os_process_peak(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (uint64_t)usage.ru_maxrss * 1024;
}

uint64_t
sg_os_process_raise_files(uint64_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

void
sg_os_process_no_core(void)
{
    struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

enum sg_err
sg_os_process_folder(char *out, uint32_t cap)
{
    ssize_t len = readlink("/proc/self/exe", out, cap);

    if (len <= 0 || (size_t)len >= cap)
        return SG_ERR_IO;
    out[len] = '\0';
    char *slash = strrchr(out, '/');
    if (slash == NULL)
        return SG_ERR_IO;
    *slash = '\0';
    return SG_OK;
}
