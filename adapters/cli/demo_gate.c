#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/cli/demo.h"
#include "broker/os/process.h"

enum { START_TRIES = 500, START_MS = 20, END_MS = 20000, NO_PROGRAM = 127 };

// statgated with its own log beside its home.
static void
become(const struct sg_demo *demo)
{
    char home[SG_OS_PATH], program[SG_OS_PATH];
    char *argv[] = {program, home, NULL};
    int log = -1;

    if (!sg_os_file_path(home, "%s", sg_demo_path(demo, "HUB")) ||
        !sg_os_file_path(program, "%s", demo->gated))
        _exit(NO_PROGRAM);
    const char *path = sg_demo_path(demo, "HUB/statgated.log");
    if ((sg_os_file_open(path, SG_OS_OPEN_APPEND, &log) != SG_OK &&
         sg_os_file_open(path, SG_OS_OPEN_NEW, &log) != SG_OK) ||
        dup2(log, 2) < 0)
        _exit(NO_PROGRAM);
    (void)execv(program, argv);
    _exit(NO_PROGRAM);
}

bool
sg_demo_gate_start(struct sg_demo *demo)
{
    const char *endpoints = sg_demo_path(demo, "HUB/endpoints");
    int status;

    (void)fflush(stdout);
    if (sg_os_file_remove(endpoints) != SG_OK ||
        sg_os_process_fork(&demo->gate) != SG_OK)
        return false;
    if (demo->gate == 0)
        become(demo);
    for (int i = 0; i < START_TRIES && !sg_os_file_exists(endpoints); i++) {
        if (sg_os_process_wait(demo->gate, START_MS, &status)) {
            demo->gate = 0;
            return false;
        }
    }
    return sg_os_file_exists(endpoints);
}

int
sg_demo_gate_end(struct sg_demo *demo, bool now)
{
    int status = -1;

    if (demo->gate == 0)
        return 0;
    sg_os_process_end(demo->gate, now);
    if (!sg_os_process_wait(demo->gate, END_MS, &status)) {
        sg_os_process_end(demo->gate, true);
        (void)sg_os_process_wait(demo->gate, END_MS, &status);
        status = -1;
    }
    demo->gate = 0;
    return status;
}
