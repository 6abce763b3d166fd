#include "adapters/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/cli/context.h"
#include "adapters/cli/gate_call.h"
#include "adapters/cli/usage.h"
#include "broker/os/file.h"

// The first error under --json, until the exit status is known.
enum { SENTENCE = 1024, CURE = 4096 };
static struct {
    bool json, told;
    const char *code; // NULL: none yet
    char sentence[SENTENCE], cure[CURE], component[SENTENCE];
    uint64_t line;
    bool asked, spoke; // for --help; some words on stderr
    int argc;          // of the verb
    char *const *argv;
} said;

void
sg_cli_print_error(const struct sg_cli_error *error)
{
    printf("{\"exit\":%d,\"code\":", error->exit);
    sg_gate_call_print_string(error->code);
    printf(",\"sentence\":");
    sg_gate_call_print_string(error->sentence);
    printf(",\"cure\":");
    sg_gate_call_print_string(error->cure);
    printf(",\"component\":");
    sg_gate_call_print_string(error->component);
    printf(",\"row\":%llu,\"line\":%llu,\"seq\":%llu}\n",
           (unsigned long long)error->row, (unsigned long long)error->line,
           (unsigned long long)error->seq);
    said.told = true;
}

void
sg_cli_command(int argc, char *const *argv, bool help)
{
    said.argc = argc;
    said.argv = argv;
    said.asked = help;
}

void
sg_cli_json(void)
{
    said.json = true;
}

int
sg_cli_end(int status)
{
    if (!said.json || status == 0 || said.told ||
        (said.code == NULL && status != sg_err_exit(SG_ERR_USAGE)))
        return status;
    bool usage = said.code == NULL;
    sg_cli_print_error(&(struct sg_cli_error){
        .exit = status,
        .code = usage ? sg_err_code(SG_ERR_USAGE) : said.code,
        .sentence = usage ? sg_err_sentence(SG_ERR_USAGE) : said.sentence,
        .cure = usage ? sg_err_cure(SG_ERR_USAGE) : said.cure,
        .component = said.component,
        .line = said.line});
    return status;
}

// false: there is no --json, and the text is said.
static bool
keep(enum sg_err err, const char *sentence, const char *cure,
     const char *component)
{
    said.spoke = true;
    if (!said.json || said.code != NULL)
        return said.json;
    said.code = sg_err_code(err);
    (void)snprintf(said.sentence, sizeof said.sentence, "%s", sentence);
    (void)snprintf(said.cure, sizeof said.cure, "%s", cure);
    (void)snprintf(said.component, sizeof said.component, "%s",
                   component == NULL ? "" : component);
    return true;
}

int
sg_cli_say(enum sg_err err, const char *cure, const char *format, ...)
{
    char sentence[SENTENCE];
    va_list list;

    va_start(list, format);
    (void)vsnprintf(sentence, sizeof sentence, format, list);
    va_end(list);
    cure = cure == NULL ? sg_err_cure(err) : cure;
    if (!keep(err, sentence, cure, NULL))
        fprintf(stderr, "statgate: %s (%s)\n  %s\n", sentence, sg_err_code(err),
                cure);
    return sg_err_exit(err);
}

int
sg_cli_done(const char *name, const char *value)
{
    printf("{\"exit\":0,\"code\":\"ok\",\"%s\":", name);
    sg_gate_call_print_string(value);
    printf("}\n");
    return 0;
}

// The verb has said nothing but that its words do not fit.
static void
say_misfit(const char *text)
{
    struct sg_usage_fault fault = {{0}, {0}};

    if (said.argc == 0 || said.spoke)
        return;
    sg_usage_find(text, said.argc, said.argv, &fault);
    (void)sg_cli_say(SG_ERR_USAGE, fault.cure, "%s", fault.sentence);
}

int
sg_cli_usage(FILE *out, const char *text)
{
    if (out != stdout && !said.asked)
        say_misfit(text);
    if (out == stdout || !said.json)
        fputs(text, out);
    return out == stdout ? 0 : sg_err_exit(SG_ERR_USAGE);
}

int
sg_cli_fail(enum sg_err err, const char *detail)
{
    const char *between = detail == NULL ? "" : ": ";
    const char *what = detail == NULL ? "" : detail;

    if (err == SG_ERR_DISK)
        err = SG_ERR_DISK_HERE; // it is the gate's only in the gate's answers
    const char *sentence = sg_err_sentence(err), *cure = sg_err_cure(err);
    // The system's own word is the only one that helps with a file.
    if (err == SG_ERR_IO && sg_os_file_reason()[0] != '\0') {
        cure = "check the name, and who may read and write there";
        if (!keep(err, sg_os_file_reason(), cure, detail))
            fprintf(stderr,
                    "statgate: reading or writing failed%s%s: %s (%s)\n"
                    "  %s\n",
                    between, what, sg_os_file_reason(), sg_err_code(err), cure);
        return sg_err_exit(err);
    }
    if (keep(err, sentence, cure, detail))
        return sg_err_exit(err);
    if (err == SG_ERR_NOT_FOUND && detail != NULL)
        fprintf(stderr, "statgate: there is no %s (%s)\n  %s\n", detail,
                sg_err_code(err), cure);
    else
        fprintf(stderr, "statgate: %s%s%s (%s)\n  %s\n", sentence, between,
                what, sg_err_code(err), cure);
    return sg_err_exit(err);
}

int
sg_cli_fail_at(enum sg_err err, const char *file, const struct sg_diag *diag)
{
    if (keep(err, diag->text, sg_err_cure(err), file)) {
        if (said.line == 0)
            said.line = diag->line;
        return sg_err_exit(err);
    }
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
