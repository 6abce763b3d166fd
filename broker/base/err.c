#include "broker/base/err.h"

#include <string.h>

static const struct {
    const char *code, *sentence, *cure;
    int exit;
    bool retry;
} rows[] = {
#define X(name, code, sentence, cure, exit, retry)                             \
    [SG_ERR_##name] = {code, sentence, cure, exit, retry},
    SG_ERR_TABLE(X)
#undef X
};
_Static_assert(SG_COUNT_OF(rows) == SG_ERR_COUNT, "a row for each error");

// Outside the table is a bug of ours; it must not become silence.
static size_t
index_of(enum sg_err err)
{
    SG_ASSERT((size_t)err < SG_COUNT_OF(rows));
    return (size_t)err;
}

const char *
sg_err_code(enum sg_err err)
{
    return rows[index_of(err)].code;
}

const char *
sg_err_sentence(enum sg_err err)
{
    return rows[index_of(err)].sentence;
}

const char *
sg_err_cure(enum sg_err err)
{
    return rows[index_of(err)].cure;
}

int
sg_err_exit(enum sg_err err)
{
    return rows[index_of(err)].exit;
}

bool
sg_err_retry(enum sg_err err)
{
    return rows[index_of(err)].retry;
}

enum sg_err
sg_err_by_code(const char *code)
{
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        if (strcmp(rows[i].code, code) == 0)
            return (enum sg_err)i;
    }
    return SG_ERR_COUNT;
}
