#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/cli/demo.h"
#include "broker/base/check.h"
#include "broker/os/process.h"

enum { PATHS = 32, FILE_CAP = 64 * 1024 * 1024, COULD_NOT = 126 };

const char *
sg_demo_path(const struct sg_demo *demo, const char *format, ...)
{
    static char ring[PATHS][SG_OS_PATH];
    static unsigned next;
    char *out = ring[next++ % PATHS];
    va_list args;

    int at = snprintf(out, SG_OS_PATH, "%s/", demo->dir);
    SG_ASSERT(at > 0 && at < SG_OS_PATH); // verb_demo.c looked at its length
    va_start(args, format);
    (void)vsnprintf(out + at, SG_OS_PATH - (size_t)at, format, args);
    va_end(args);
    return out;
}

bool
sg_demo_has(const char *text, const char *word)
{
    return text != NULL && strstr(text, word) != NULL;
}

char *
sg_demo_read(const char *path)
{
    uint8_t *bytes;
    size_t len;

    if (sg_os_file_read(path, FILE_CAP, &bytes, &len) != SG_OK)
        return NULL;
    return (char *)bytes; // a NUL is behind it
}

bool
sg_demo_write(const struct sg_demo *demo, const char *name, const char *text)
{
    return sg_os_file_replace(sg_demo_path(demo, "%s", name),
                              sg_slice_text(text), false) == SG_OK;
}

bool
sg_demo_copy(const struct sg_demo *demo, const char *path, const char *name)
{
    char *text = sg_demo_read(path);
    bool ok = text != NULL && sg_demo_write(demo, name, text);

    free(text);
    return ok;
}

void
sg_demo_wait(uint32_t ms)
{
    (void)usleep(ms * 1000);
}

unsigned
sg_demo_count(const char *text, const char *word)
{
    unsigned count = 0;

    for (const char *at = text; at != NULL && (at = strstr(at, word)) != NULL;
         at += strlen(word))
        count++;
    return count;
}

unsigned
sg_demo_lines(const char *path, const char *word)
{
    char *text = sg_demo_read(path);
    unsigned count = 0;

    for (const char *at = text; at != NULL && *at != '\0';) {
        size_t len = strcspn(at, "\n");
        const char *found = strstr(at, word);
        count += found != NULL && found < at + len ? 1 : 0;
        at += len + (at[len] == '\n' ? 1 : 0);
    }
    free(text);
    return count;
}

// In the child: what the verb says goes to files, then it runs.
static void
act(const struct sg_demo *demo, const char *home, sg_demo_run *run, int argc,
    char **argv)
{
    int out = -1, err = -1, none = -1;

    if (setenv("STATGATE_HOME", sg_demo_path(demo, "%s", home), 1) != 0 ||
        sg_os_file_open("/dev/null", SG_OS_OPEN_READ, &none) != SG_OK ||
        sg_os_file_open(sg_demo_path(demo, "said"), SG_OS_OPEN_NEW, &out) !=
            SG_OK ||
        sg_os_file_open(sg_demo_path(demo, "erred"), SG_OS_OPEN_NEW, &err) !=
            SG_OK ||
        dup2(none, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(COULD_NOT);
    int status = run(argc, argv);
    (void)fflush(stdout);
    (void)fflush(stderr);
    _exit(status);
}

static void
forget(struct sg_demo *demo)
{
    free(demo->said);
    free(demo->erred);
    demo->said = demo->erred = NULL;
    (void)!sg_os_file_remove(sg_demo_path(demo, "said"));
    (void)!sg_os_file_remove(sg_demo_path(demo, "erred"));
}

int
sg_demo_verb(struct sg_demo *demo, const char *home, sg_demo_run *run, ...)
{
    char *argv[SG_DEMO_WORDS + 1];
    int argc = 0, pid = 0;
    va_list args;

    va_start(args, run);
    // A verb does not write into its words, but is given them like main.
    for (char *word = va_arg(args, char *); word != NULL;
         word = va_arg(args, char *)) {
        SG_ASSERT(argc < SG_DEMO_WORDS);
        argv[argc++] = word;
    }
    va_end(args);
    argv[argc] = NULL;
    forget(demo);
    demo->exit = COULD_NOT;
    (void)fflush(stdout);
    if (sg_os_process_fork(&pid) != SG_OK)
        return demo->exit;
    if (pid == 0)
        act(demo, home, run, argc, argv);
    if (!sg_os_process_wait(pid, SG_DEMO_WAIT_MS, &demo->exit)) {
        sg_os_process_end(pid, true);
        (void)sg_os_process_wait(pid, SG_DEMO_WAIT_MS, &demo->exit);
    }
    demo->said = sg_demo_read(sg_demo_path(demo, "said"));
    demo->erred = sg_demo_read(sg_demo_path(demo, "erred"));
    return demo->exit;
}
