// verb_context - statgate context add | use | ls.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/context.h"
#include "adapters/cli/dry.h"
#include "adapters/cli/gate_call.h"
#include "adapters/cli/options.h"

enum { TEXT_MAX = 3 * SG_OS_PATH };

static int
write_file(const char *folder, const char *name, const char *text)
{
    char path[SG_OS_PATH], beside[SG_OS_PATH];

    if (!sg_context_path(folder, beside) ||
        !sg_os_file_path(path, "%s%s%s", beside, name[0] == '\0' ? "" : "/",
                         name))
        return sg_cli_fail(SG_ERR_FULL, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    enum sg_err err = sg_os_file_make_dirs(path);
    *slash = '/';
    if (err == SG_OK)
        err = sg_os_file_replace(path, sg_slice_text(text), true);
    return err == SG_OK ? 0 : sg_cli_fail(err, path);
}

static int
use(const char *name, bool json, bool dry)
{
    struct sg_context context;
    char text[80], path[SG_OS_PATH];

    enum sg_err err = sg_context_read(name, &context);
    if (err == SG_ERR_NOT_FOUND)
        return sg_cli_say(err, "statgate context ls", "there is no context %s",
                          name);
    if (err != SG_OK)
        return sg_cli_fail(err, name);
    if (dry) {
        err = sg_context_path("use", path) ? sg_dry_file(path, false)
                                           : SG_ERR_FULL;
        return err == SG_OK ? sg_dry_say(json, "use the context %s, home %s",
                                         name, context.home)
                            : sg_cli_fail(err, name);
    }
    (void)snprintf(text, sizeof text, "%s\n", name);
    int status = write_file("use", "", text);
    return status == 0 && json ? sg_cli_done("context", name) : status;
}

// The home as it is from everywhere.
static int
add(const char *name, const char *home, const char *gate, bool json, bool dry)
{
    char text[TEXT_MAX], used[64], path[SG_OS_PATH];
    char *whole = realpath(home, NULL);

    if (whole == NULL)
        return sg_cli_fail(SG_ERR_NOT_FOUND, home);
    int len = snprintf(text, sizeof text, "home %s\n%s%s%s", whole,
                       gate == NULL ? "" : "gate ", gate == NULL ? "" : gate,
                       gate == NULL ? "" : "\n");
    free(whole);
    if (len < 0 || (size_t)len >= sizeof text || strchr(home, '\n') != NULL ||
        (gate != NULL && strchr(gate, '\n') != NULL))
        return sg_cli_fail(SG_ERR_SYNTAX, home);
    if (dry) {
        enum sg_err err = sg_context_path("contexts", path)
                              ? sg_dry_folder(path)
                              : SG_ERR_FULL;
        text[len - 1] = '\0';
        for (char *at = text; (at = strchr(at, '\n')) != NULL;)
            *at = ',';
        return err == SG_OK
                   ? sg_dry_say(json, "write the context %s: %s", name, text)
                   : sg_cli_fail(err, name);
    }
    int status = write_file("contexts", name, text);
    sg_context_used(used);
    if (status == 0 && used[0] == '\0')
        return use(name, json, false); // the first one
    return status == 0 && json ? sg_cli_done("context", name) : status;
}

static void
print_one(const char *name, bool used, bool json, bool first)
{
    struct sg_context context;

    if (sg_context_read(name, &context) != SG_OK)
        return;
    if (!json) {
        printf("%s %-15s %s %s\n", used ? "*" : " ", name, context.home,
               context.gate);
        return;
    }
    printf("%s{\"name\":\"%s\",\"used\":%s,\"home\":", first ? "" : ",", name,
           used ? "true" : "false");
    sg_gate_call_print_string(context.home);
    printf(",\"gate\":");
    sg_gate_call_print_string(context.gate);
    printf("}");
}

static int
list(bool json)
{
    char folder[SG_OS_PATH], used[64], **names = NULL;
    size_t count = 0;
    bool first = true;

    sg_context_used(used);
    enum sg_err err = sg_context_path("contexts", folder)
                          ? sg_os_file_list(folder, &names, &count)
                          : SG_ERR_FULL;
    if (err != SG_OK && err != SG_ERR_NOT_FOUND)
        return sg_cli_fail(err, folder);
    if (json)
        printf("[");
    for (size_t i = 0; i < count; i++) {
        if (!sg_context_name(names[i]))
            continue;
        print_one(names[i], strcmp(names[i], used) == 0, json, first);
        first = false;
    }
    if (json)
        printf("]\n");
    free(names);
    return 0;
}

int
sg_verb_context(int argc, char **argv)
{
    const char *home = NULL, *gate = NULL;
    bool json = false, dry = false;
    struct sg_words rest = {.count = 0};
    const struct sg_option rows[] = {{"--home", &home, NULL, NULL},
                                     {"--gate", &gate, NULL, NULL},
                                     {"--dry-run", NULL, &dry, NULL},
                                     {"--json", NULL, &json, NULL}};
    const char *verb = argc < 2 ? "" : argv[1];

    bool fine = argc >= 2 &&
                sg_options_take(argc, argv, 2, rows, SG_COUNT_OF(rows), &rest);
    const char *name = rest.count == 1 ? rest.word[0] : NULL;
    if (fine && strcmp(verb, "ls") == 0 && rest.count == 0 && !dry)
        return list(json);
    if (fine && name != NULL && !sg_context_name(name))
        return sg_cli_fail(SG_ERR_SYNTAX,
                           "a context is named by letters, digits, _ . -");
    if (fine && name != NULL && strcmp(verb, "use") == 0)
        return use(name, json, dry);
    if (fine && name != NULL && home != NULL && strcmp(verb, "add") == 0)
        return add(name, home, gate, json, dry);
    return sg_cli_usage(
        stderr,
        "usage: statgate context add NAME --home DIR [--gate CONTROL,DATA]\n"
        "         [--dry-run] [--json]\n"
        "       statgate context use NAME [--dry-run] [--json]\n"
        "       statgate context ls [--json]\n\n"
        "A name for a home, and for the gate's addresses where they are not\n"
        "those of its home.conf. The first one that is added is used; --home,\n"
        "STATGATE_HOME and STATGATE_GATE come before it.\n");
}
