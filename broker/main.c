// main - statgated: reads its arguments and runs the gate.
#include <stdio.h>
#include <string.h>

#include "broker/base/crypto.h"
#include "broker/base/limits.h"
#include "broker/gate.h"
#include "broker/os/process.h"

static const char usage[] =
    "usage: statgated HOME [--workers N] [--restored]\n\n"
    "Runs the gate whose home `statgate init` made, in the foreground, until\n"
    "SIGTERM. Says what it does as JSON lines on stderr; statgated(8).\n"
    "--restored: the home was brought back from a copy; once, at its first start.\n";

static int
parse(int argc, char **argv, struct sg_gate_options *options)
{
    for (int i = 1; i < argc; i++) {
        uint64_t number;
        if (strcmp(argv[i], "--workers") == 0 && i + 1 < argc &&
            sg_slice_u64(sg_slice_text(argv[i + 1]), &number) && number >= 1 &&
            number <= 64) {
            options->workers = (uint32_t)number;
            i++;
        } else if (strcmp(argv[i], "--restored") == 0) {
            options->restored = true;
        } else if (argv[i][0] != '-' && options->home == NULL) {
            options->home = argv[i];
        } else {
            return 0;
        }
    }
    return options->home != NULL;
}

int
main(int argc, char **argv)
{
    struct sg_gate_options options = {.home = NULL};

    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("statgated %s\n", SG_VERSION);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (!parse(argc, argv, &options)) {
        fputs(usage, stderr);
        return sg_err_exit(SG_ERR_USAGE);
    }
    sg_os_process_no_core();
    sg_os_process_signals();
    (void)sg_os_process_raise_files(SG_LIMIT_FILES);
    enum sg_err err = sg_crypto_start();
    if (err == SG_OK)
        err = sg_gate_run(&options);
    return sg_err_exit(err);
}
