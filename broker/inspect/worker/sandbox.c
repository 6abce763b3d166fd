#include "broker/inspect/worker/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "broker/base/limits.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "the sandbox knows x86-64 and aarch64; add the new architecture's calls"
#endif

// A sanitizer build needs calls at its end that a product never makes: there
// the filter only writes to the kernel's log. Tests of the filter run in
// release builds.
#ifdef SG_SANDBOX_LOGS
#define FORBIDDEN SECCOMP_RET_LOG
#else
#define FORBIDDEN SECCOMP_RET_KILL_PROCESS
#endif

#define ARG(n)       ((unsigned)offsetof(struct seccomp_data, args[n]))
#define LOAD(at)     BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(at))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
// The call with this number is allowed whatever its arguments.
#define ALLOW(name)                                                            \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 1),                    \
        RETURN(SECCOMP_RET_ALLOW)
// Allowed when none of these bits is in argument n (its lower half, which holds
// every flag that the kernel knows).
#define ALLOW_WITHOUT(name, n, bits)                                           \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 4), LOAD(ARG(n)),      \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 1, 0),                    \
        RETURN(SECCOMP_RET_ALLOW), RETURN(FORBIDDEN)
// Allowed when the lower half of argument n equals value.
#define ALLOW_IF(name, n, value)                                               \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 4), LOAD(ARG(n)),      \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1),                    \
        RETURN(SECCOMP_RET_ALLOW), RETURN(FORBIDDEN)

// AT_EMPTY_PATH: fstat of glibc since 2.33 is newfstatat(fd, "", ...).
enum { EMPTY_PATH = 0x1000 };

enum sg_err
sg_sandbox_filter(void)
{
    unsigned self = (unsigned)getpid();
    struct sock_filter code[] = {
        LOAD(offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
        RETURN(SECCOMP_RET_KILL_PROCESS),
        LOAD(offsetof(struct seccomp_data, nr)),
        ALLOW(read),
        ALLOW(write),
        ALLOW(pread64),
        ALLOW(pwrite64),
        ALLOW(recvmsg),
        ALLOW(sendmsg),
        ALLOW(ppoll),
        ALLOW(lseek),
        ALLOW(fstat),
        ALLOW_IF(newfstatat, 3, EMPTY_PATH),
        ALLOW(close),
        ALLOW(brk),
        ALLOW_WITHOUT(mmap, 2, PROT_EXEC),
        ALLOW(munmap),
        ALLOW(mremap),
        ALLOW(madvise),
        ALLOW_WITHOUT(mprotect, 2, PROT_EXEC),
        ALLOW(futex),
        ALLOW(clock_gettime),
        ALLOW(getrusage), // tells its own peak, nothing of others
        ALLOW(rt_sigprocmask),
        ALLOW(rt_sigreturn),
        ALLOW(getpid),
        ALLOW(gettid),
        ALLOW_IF(tgkill, 0, self), // abort() of our own
        ALLOW(exit),
        ALLOW(exit_group),
        RETURN(FORBIDDEN),
    };
    struct sock_fprog program = {
        .len = (unsigned short)(sizeof code / sizeof code[0]),
        .filter = code,
    };
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return SG_ERR_UNSUPPORTED;
    return SG_OK;
}

static bool
limit(int resource, rlim_t value)
{
    struct rlimit both = {value, value};

    return setrlimit((__rlimit_resource_t)resource, &both) == 0;
}

static bool
set_limits(void)
{
    return limit(RLIMIT_CPU, SG_LIMIT_WORKER_CPU_S) && limit(RLIMIT_CORE, 0) &&
           limit(RLIMIT_NOFILE, SG_LIMIT_WORKER_FILES) &&
           limit(RLIMIT_FSIZE, SG_LIMIT_OBJECT)
#ifndef SG_SANDBOX_LOGS
           && limit(RLIMIT_DATA, SG_LIMIT_WORKER_MEMORY)
#endif
        ;
}

// The job's descriptors arrive later; until then there is one. Limits on their
// number come last, when the others are closed.
static void
close_others(int keep)
{
    for (int fd = 0; fd < (int)SG_LIMIT_FILES; fd++) {
        if (fd != keep && fd != 2 && close(fd) != 0 && errno == EBADF &&
            fd > 1024)
            break;
    }
}

enum sg_err
sg_sandbox_enter(int keep)
{
    close_others(keep);
    if (!set_limits())
        return SG_ERR_UNSUPPORTED;
    // Nothing that hangs outlives this; the default action of SIGALRM ends us.
    (void)alarm(SG_LIMIT_WORKER_WALL_S);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return SG_ERR_UNSUPPORTED;
    return sg_sandbox_filter();
}

void
sg_sandbox_guard_memory(void)
{
    // Best effort: an unprivileged process may lock little. Swap is refused for
    // the gate by its unit (MemorySwapMax=0).
    (void)mlockall(MCL_CURRENT);
}
