#include "adapters/cli/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/slice.h"
#include "broker/os/conf.h"

enum { NAME_MAX_LEN = 63 };

bool
sg_context_name(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= NAME_MAX_LEN && name[0] != '.' && name[0] != '-' &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                        "0123456789_.-") == len;
}

bool
sg_context_path(const char *what, char out[SG_OS_PATH])
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");

    if (config != NULL && config[0] != '\0')
        return sg_os_file_path(out, "%s/statgate/%s", config, what);
    return home != NULL &&
           sg_os_file_path(out, "%s/.config/statgate/%s", home, what);
}

enum sg_err
sg_context_read(const char *name, struct sg_context *out)
{
    char folder[SG_OS_PATH], path[SG_OS_PATH];
    struct sg_diag diag;
    const struct sg_os_conf_row rows[] = {
        {"home", out->home, sizeof out->home, true},
        {"gate", out->gate, sizeof out->gate, false}};

    memset(out, 0, sizeof *out);
    if (!sg_context_name(name))
        return SG_ERR_SYNTAX;
    if (!sg_context_path("contexts", folder) ||
        !sg_os_file_path(path, "%s/%s", folder, name))
        return SG_ERR_FULL;
    if (!sg_os_file_exists(path))
        return SG_ERR_NOT_FOUND;
    return sg_os_conf_read(path, rows, SG_COUNT_OF(rows), &diag);
}

void
sg_context_used(char name[64])
{
    char path[SG_OS_PATH];
    uint8_t *bytes;
    size_t len;

    name[0] = '\0';
    if (!sg_context_path("use", path) ||
        sg_os_file_read(path, NAME_MAX_LEN + 1, &bytes, &len) != SG_OK)
        return;
    bytes[strcspn((char *)bytes, "\n")] = '\0';
    if (sg_context_name((char *)bytes))
        (void)snprintf(name, 64, "%s", (char *)bytes);
    free(bytes);
}

const struct sg_context *
sg_context_now(void)
{
    static struct sg_context now; // the same for the whole program
    static enum { NEW, NONE, THERE } state;
    char name[64];

    if (state == NEW) {
        sg_context_used(name);
        state = name[0] != '\0' && sg_context_read(name, &now) == SG_OK ? THERE
                                                                        : NONE;
    }
    return state == THERE ? &now : NULL;
}
