#include "broker/os/conf.h"

#include <stdlib.h>

#include "broker/os/file.h"

enum { FILE_MAX = 64 * 1024, ROWS_MAX = 64 };

static struct sg_slice
trim(struct sg_slice text)
{
    while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
        text = sg_slice_of(text.ptr + 1, text.len - 1);
    while (text.len > 0 &&
           (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t' ||
            text.ptr[text.len - 1] == '\r'))
        text.len--;
    return text;
}

static enum sg_err
take_line(struct sg_slice line, const struct sg_os_conf_row *rows, size_t count,
          bool *seen, struct sg_diag *diag)
{
    size_t word = 0;

    line = trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return SG_OK;
    while (word < line.len && line.ptr[word] != ' ' && line.ptr[word] != '\t')
        word++;
    struct sg_slice name = {line.ptr, word};
    struct sg_slice value = trim(sg_slice_of(line.ptr + word, line.len - word));
    for (size_t i = 0; i < count; i++) {
        if (!sg_slice_eq(name, sg_slice_text(rows[i].name)))
            continue;
        if (seen[i] || value.len == 0 || value.len >= rows[i].cap) {
            sg_diag_set(diag, diag->line, 0, "\"%s\" %s", rows[i].name,
                        seen[i]          ? "stands twice; remove one line"
                        : value.len == 0 ? "has no value; write one behind it"
                                         : "has a value that is too long");
            return SG_ERR_SYNTAX;
        }
        seen[i] = true;
        memcpy(rows[i].value, value.ptr, value.len);
        rows[i].value[value.len] = '\0';
        return SG_OK;
    }
    sg_diag_set(diag, diag->line, 1,
                "there is no setting \"" SG_SLICE_FMT
                "\"; see the man page for the names",
                SG_SLICE_ARG(name));
    return SG_ERR_SYNTAX;
}

static enum sg_err
take_lines(struct sg_slice text, const struct sg_os_conf_row *rows,
           size_t count, bool *seen, struct sg_diag *diag)
{
    while (text.len > 0) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.ptr);
        diag->line++;
        enum sg_err err =
            take_line(sg_slice_of(text.ptr, len), rows, count, seen, diag);
        if (err != SG_OK)
            return err;
        len += end != NULL;
        text = sg_slice_of(text.ptr + len, text.len - len);
    }
    return SG_OK;
}

enum sg_err
sg_os_conf_read(const char *path, const struct sg_os_conf_row *rows,
                size_t count, struct sg_diag *diag)
{
    bool seen[ROWS_MAX] = {false};
    uint8_t *bytes;
    size_t len;

    SG_ASSERT(count <= ROWS_MAX);
    *diag = (struct sg_diag){.line = 0};
    enum sg_err err = sg_os_file_read_own(path, FILE_MAX, &bytes, &len);
    if (err != SG_OK) {
        sg_diag_set(diag, 0, 0, "%s", sg_err_sentence(err));
        return err;
    }
    err = take_lines(sg_slice_of(bytes, len), rows, count, seen, diag);
    free(bytes);
    for (size_t i = 0; err == SG_OK && i < count; i++) {
        if (!rows[i].required || seen[i])
            continue;
        sg_diag_set(diag, 0, 0, "\"%s\" is missing; add a line for it",
                    rows[i].name);
        err = SG_ERR_SYNTAX;
    }
    return err;
}
