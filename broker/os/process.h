// process - this process and its children.
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"

// Set by SIGTERM and SIGINT after sg_os_process_signals; SIGPIPE is ignored.
extern volatile sig_atomic_t sg_os_process_stop;
void sg_os_process_signals(void);

// argv as for execv (argv[0] is the path); keep: descriptors that the child
// gets under the same numbers, -1 ends. Others close on exec.
SG_MUST_CHECK enum sg_err sg_os_process_spawn(const char *const *argv,
                                              const int *keep, int *pid);
// Waits at most timeout_ms. true: it has ended, *status is its exit status, or
// 128 + the signal's number.
bool sg_os_process_wait(int pid, uint32_t timeout_ms, int *status);
void sg_os_process_end(int pid, bool now); // SIGTERM, or SIGKILL
// Splits off a child with the same memory; 0 in the child.
SG_MUST_CHECK enum sg_err sg_os_process_fork(int *pid);
// Waits for no child in particular; false: none has ended.
bool sg_os_process_reap(int *pid, int *status);

uint64_t sg_os_process_rss(void);  // bytes now
uint64_t sg_os_process_peak(void); // bytes at most, of this process
uint64_t sg_os_process_raise_files(uint64_t wanted); // the limit reached
void sg_os_process_no_core(void); // no core file, not to be traced
// The folder of the running program, without a slash at the end.
SG_MUST_CHECK enum sg_err sg_os_process_folder(char *out, uint32_t cap);
