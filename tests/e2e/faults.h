// faults - what a test can let go wrong under a real program while it runs.
//
// faults.c is preloaded into the program; both sides map the file that
// SG_FAULTS names. All zero: nothing is wrong. Only tests load it: no program
// of the product knows of it.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#define FAULTS_ENV "SG_FAULTS"

struct faults {
    _Atomic int64_t passed_us;      // added to all clocks: time that went by
    _Atomic int64_t mono_us;        // added to the monotonic one: of timers
    _Atomic int64_t clock_us;       // added to the wall clock alone: a step
    _Atomic uint32_t sync_delay_ms; // each sync takes so much longer
    _Atomic uint32_t sync_fails;    // each sync fails with EIO
    _Atomic uint32_t disk_full;     // no file grows any more
    _Atomic uint32_t disk_low;      // statvfs says 1 % is free
    _Atomic uint32_t lie;           // of readers, where liar.c reads (lies.h)
    _Atomic uint32_t crash_at;      // where crash.c dies, once (crashes.h)
    _Atomic uint32_t crashed;
    _Atomic uint32_t syncs, refused, lied; // what happened so far
};
