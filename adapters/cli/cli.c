#include "adapters/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

int
sg_cli_fail(enum sg_err err, const char *detail)
{
    if (err == SG_ERR_DISK)
        err = SG_ERR_DISK_HERE; // it is the gate's only in the gate's answers
    fprintf(stderr, "statgate: %s%s%s (%s)\n  %s\n", sg_err_sentence(err),
            detail == NULL ? "" : ": ", detail == NULL ? "" : detail,
            sg_err_code(err), sg_err_cure(err));
    return sg_err_exit(err);
}

int
sg_cli_fail_at(enum sg_err err, const char *file, const struct sg_diag *diag)
{
    fprintf(stderr, "%s", file);
    if (diag->line != 0)
        fprintf(stderr, ":%u", diag->line);
    if (diag->line != 0 && diag->column != 0)
        fprintf(stderr, ":%u", diag->column);
    fprintf(stderr, ": %s\n", diag->text);
    return sg_err_exit(err);
}

const char *
sg_cli_home(void)
{
    static char home[1024]; // the same for the whole program
    const char *given = getenv("STATGATE_HOME");
    if (given != NULL && given[0] != '\0')
        return given;
    given = getenv("HOME");
    int len =
        snprintf(home, sizeof home, "%s/.statgate", given == NULL ? "" : given);
    return len > 0 && (size_t)len < sizeof home ? home : ".statgate";
}
