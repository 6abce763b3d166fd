#include "adapters/cli/policy_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/limits.h"
#include "broker/os/file.h"

enum { ARENA_CAP = 1024 * 1024 * 1024, ARENA_BLOCK = 4 * 1024 * 1024 };

struct sg_policy_files *
sg_policy_files_new(void)
{
    struct sg_policy_files *files = calloc(1, sizeof *files);
    if (files == NULL)
        return NULL;
    files->arena = sg_arena_new(ARENA_CAP, ARENA_BLOCK);
    if (files->arena == NULL)
        sg_policy_files_free(&files);
    return files;
}

void
sg_policy_files_free(struct sg_policy_files **files)
{
    struct sg_policy_files *f = *files;
    *files = NULL;
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->owned_count; i++)
        free(f->owned[i]);
    sg_arena_free(&f->arena);
    free(f);
}

static bool
own(struct sg_policy_files *f, void *memory)
{
    if (memory == NULL || f->owned_count == SG_COUNT_OF(f->owned)) {
        free(memory);
        return false;
    }
    f->owned[f->owned_count++] = memory;
    return true;
}

static enum sg_err
read_owned(struct sg_policy_files *f, const char *path, struct sg_slice *text)
{
    uint8_t *bytes;
    size_t len;
    enum sg_err err = sg_os_file_read(path, SG_LIMIT_POLICY_FILE, &bytes, &len);
    if (err != SG_OK)
        return err;
    *text = sg_slice_of(bytes, len);
    return own(f, bytes) ? SG_OK : SG_ERR_FULL;
}

static int
add_file(struct sg_policy_files *f, const char *path)
{
    char *name = strdup(path);
    struct sg_slice text;
    if (!own(f, name) || f->count == SG_POLICY_FILES_MAX)
        return sg_cli_fail(SG_ERR_FULL, path);
    enum sg_err err = read_owned(f, path, &text);
    if (err != SG_OK)
        return sg_cli_fail(err, path);
    f->files[f->count++] = (struct sg_policy_file){sg_slice_text(name), text};
    return 0;
}

static bool
is_policy(const char *name)
{
    size_t len = strlen(name);
    return len > 7 && strcmp(name + len - 7, ".policy") == 0;
}

int
sg_policy_files_add(struct sg_policy_files *f, const char *path)
{
    char **names, full[SG_OS_PATH];
    size_t count, before = f->count;
    int status = 0;
    if (sg_os_file_list(path, &names, &count) != SG_OK) {
        if (is_policy(path) || !sg_os_file_exists(path))
            return add_file(f, path);
        return sg_cli_say(SG_ERR_USAGE, "rename it, or name another file",
                          "%s: a policy is called NAME.policy", path);
    }
    for (size_t i = 0; i < count && status == 0; i++) {
        if (!is_policy(names[i]))
            continue;
        bool fits = sg_os_file_path(full, "%s/%s", path, names[i]);
        status = fits ? add_file(f, full) : sg_cli_fail(SG_ERR_FULL, path);
    }
    free(names);
    if (status == 0 && f->count == before)
        return sg_cli_say(SG_ERR_NOT_FOUND,
                          "name the folder or the files where the policies lie",
                          "there is no file NAME.policy in %s", path);
    return status;
}

// What a policy includes lies beside it.
static enum sg_err
load_beside(void *ctx, struct sg_slice from, struct sg_slice name,
            struct sg_slice *bytes)
{
    char path[SG_OS_PATH];
    size_t folder = from.len;
    while (folder > 0 && from.ptr[folder - 1] != '/')
        folder--;
    if (name.len > 0 && name.ptr[0] == '/')
        folder = 0;
    if (!sg_os_file_path(path, "%.*s" SG_SLICE_FMT, (int)folder,
                         (const char *)from.ptr, SG_SLICE_ARG(name)))
        return SG_ERR_FULL;
    return read_owned(ctx, path, bytes);
}

int
sg_policy_files_load(struct sg_policy_files *f)
{
    struct sg_policy_loader loader = {load_beside, f};
    struct sg_policy_fault fault;
    enum sg_err err =
        sg_policy_load(f->arena, f->files, f->count, &loader, &f->set, &fault);
    if (err == SG_OK)
        return 0;
    if (fault.at.text[0] == '\0')
        return sg_cli_fail(err, NULL);
    char *label = strndup((const char *)fault.file.ptr, fault.file.len);
    int status =
        sg_cli_fail_at(err, label == NULL ? "policy" : label, &fault.at);
    free(label);
    return status;
}

struct sg_rules *
sg_policy_files_rules(struct sg_policy_files *f, uint32_t day)
{
    struct sg_rules *rules;
    enum sg_err err = sg_compile_slice(f->arena, f->set, day, 0, &rules);
    if (err != SG_OK)
        sg_cli_fail(err, "compiling the policies");
    return err == SG_OK ? rules : NULL;
}
