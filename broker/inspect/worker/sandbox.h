// sandbox - shuts a worker in before it sees the first foreign byte.
//
// Owns: the order in which authority is given up (core-design 4): limits, then
// descriptors, then no-new-privileges, not dumpable, then the system call
// filter (raw BPF). After sg_sandbox_enter a process can read, write, map and
// grow memory, and end; it cannot open, connect, execute or signal others. A
// forbidden call ends the process.
// Never: loosened by data, by an environment variable or by a job.
#pragma once

#include <stdbool.h>

#include "broker/base/err.h"

// keep: the one descriptor that stays open besides 2 (talk of sanitizers and of
// the last words). Address and wall-clock limits hold from here on too.
// SG_ERR_UNSUPPORTED: the kernel refuses the filter; nothing may be served.
SG_MUST_CHECK enum sg_err sg_sandbox_enter(int keep);

// The filter alone; sg_sandbox_enter ends with it. Tests call it to see what
// each system call brings.
SG_MUST_CHECK enum sg_err sg_sandbox_filter(void);

// Memory that holds keys stays out of swap and core files as far as the system
// lets it. Called before the sandbox closes.
void sg_sandbox_guard_memory(void);
