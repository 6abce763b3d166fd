// fixture - what the tests of base share: bytes from hexadecimal, and proof
// that a bug ends the program.
#pragma once

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/slice.h"

// Its own decoder, so that a fault in encode.c cannot hide in a vector; good
// until the eighth call after it.
static inline struct sg_slice
hex(const char *text)
{
    static uint8_t buffers[8][512];
    static unsigned turn;
    uint8_t *out = buffers[turn++ % 8];
    size_t len = strlen(text) / 2;

    assert_true(len <= sizeof buffers[0]);
    for (size_t i = 0; i < len; i++) {
        char pair[3] = {text[2 * i], text[2 * i + 1], '\0'}, *end;
        out[i] = (uint8_t)strtoul(pair, &end, 16);
        assert_ptr_equal(end, pair + 2);
    }
    return sg_slice_of(out, len);
}

static inline void
assert_hex(const void *bytes, const char *expected)
{
    struct sg_slice want = hex(expected);
    assert_memory_equal(bytes, want.ptr, want.len);
}

// act(arg) ends by abort, as SG_ASSERT does.
static inline void
assert_stops(void (*act)(void *), void *arg)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        (void)close(STDERR_FILENO); // its last words would confuse
        act(arg);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
