#include "adapters/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "adapters/cli/context.h"
#include "broker/os/file.h"

// The system's own word is the only one that helps with a file.
static int
fail_io(const char *detail)
{
    fprintf(stderr,
            "statgate: reading or writing failed%s%s: %s (%s)\n"
            "  check the name, and who may read and write there\n",
            detail == NULL ? "" : ": ", detail == NULL ? "" : detail,
            sg_os_file_reason(), sg_err_code(SG_ERR_IO));
    return sg_err_exit(SG_ERR_IO);
}

int
sg_cli_fail(enum sg_err err, const char *detail)
{
    if (err == SG_ERR_DISK)
        err = SG_ERR_DISK_HERE; // it is the gate's only in the gate's answers
    if (err == SG_ERR_IO && sg_os_file_reason()[0] != '\0')
        return fail_io(detail);
    if (err == SG_ERR_NOT_FOUND && detail != NULL)
        fprintf(stderr, "statgate: there is no %s (%s)\n  %s\n", detail,
                sg_err_code(err), sg_err_cure(err));
    else
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
    if (sg_context_now() != NULL)
        return sg_context_now()->home;
    given = getenv("HOME");
    int len =
        snprintf(home, sizeof home, "%s/.statgate", given == NULL ? "" : given);
    return len > 0 && (size_t)len < sizeof home ? home : ".statgate";
}

const char *
sg_cli_gate(bool home_said)
{
    const char *given = getenv("STATGATE_GATE");

    if (given != NULL && given[0] != '\0')
        return given;
    given = getenv("STATGATE_HOME");
    // The context's address is that of the context's home.
    if (home_said || (given != NULL && given[0] != '\0') ||
        sg_context_now() == NULL || sg_context_now()->gate[0] == '\0')
        return NULL;
    return sg_context_now()->gate;
}
