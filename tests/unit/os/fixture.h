// fixture - what the tests of os share: a folder of their own.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/err.h"
#include "broker/os/file.h"

struct home {
    char path[SG_OS_PATH / 2];
};

static inline int
home_make(void **state)
{
    struct home *home = calloc(1, sizeof *home);
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(home->path, sizeof home->path, "%s/sg-test-os-XXXXXX",
                   tmp == NULL ? "/tmp" : tmp);
    *state = home;
    return mkdtemp(home->path) == NULL ? -1 : 0;
}

static inline int
home_drop(void **state)
{
    struct home *home = *state;
    enum sg_err err = sg_os_file_remove_tree(home->path);

    free(home);
    return err == SG_OK ? 0 : -1;
}

// A path in it; good until the fourth call after it.
static inline const char *
in(void **state, const char *name)
{
    static char paths[4][SG_OS_PATH];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    assert_true(
        sg_os_file_path(path, "%s/%s", ((struct home *)*state)->path, name));
    return path;
}
