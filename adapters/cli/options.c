#include "adapters/cli/options.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/usage.h"
#include "broker/base/slice.h"

static bool
push(struct sg_words *list, const char *word)
{
    if (list->count == SG_OPTIONS_LIST) {
        (void)sg_cli_say(SG_ERR_USAGE, NULL, "too many words; at most %d",
                         (int)SG_OPTIONS_LIST);
        return false;
    }
    list->word[list->count++] = word;
    list->word[list->count] = NULL;
    return true;
}

static const struct sg_option *
find(const struct sg_option *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    return NULL;
}

static void
no_option(const struct sg_option *rows, size_t count, const char *word)
{
    const char *near = NULL;

    for (size_t i = 0; i < count && near == NULL; i++)
        near = sg_usage_near(word, rows[i].name) ? rows[i].name : NULL;
    (void)sg_cli_say(SG_ERR_USAGE, NULL,
                     near == NULL ? "there is no option %s"
                                  : "there is no option %s; did you mean %s?",
                     word, near);
}

bool
sg_options_take(int argc, char **argv, int first, const struct sg_option *rows,
                size_t count, struct sg_words *rest)
{
    rest->count = 0;
    rest->word[0] = NULL;
    for (int i = first; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            if (!push(rest, argv[i]))
                return false;
            continue;
        }
        const struct sg_option *row = find(rows, count, argv[i]);
        if (row == NULL && strcmp(argv[i], "--help") == 0)
            return false; // main has seen to it that the usage is the answer
        if (row == NULL && strcmp(argv[i], "--options") == 0) {
            for (size_t k = 0; k < count; k++)
                printf("%s\n", rows[k].name);
            return false;
        }
        if (row == NULL) {
            no_option(rows, count, argv[i]);
            return false;
        }
        if (row->flag != NULL) {
            *row->flag = true;
            continue;
        }
        if (i + 1 == argc) {
            (void)sg_cli_say(SG_ERR_USAGE, NULL, "%s needs a value", argv[i]);
            return false;
        }
        i++;
        if (row->value != NULL)
            *row->value = argv[i];
        else if (!push(row->list, argv[i]))
            return false;
    }
    return true;
}

bool
sg_options_number(const char *name, const char *text, unsigned long long most,
                  unsigned long long *out)
{
    uint64_t value;

    if (!sg_slice_u64(sg_slice_text(text), &value) || value > most) {
        (void)sg_cli_say(SG_ERR_USAGE, NULL, "%s is a number of at most %llu",
                         name, most);
        return false;
    }
    *out = value;
    return true;
}

bool
sg_options_yes(const char *name, const char *text, bool *out)
{
    *out = strcmp(text, "yes") == 0;
    if (*out || text[0] == '\0' || strcmp(text, "no") == 0)
        return true;
    (void)sg_cli_say(SG_ERR_USAGE, "write yes or no", "%s: %s", name, text);
    return false;
}

bool
sg_options_words(const char *name, char *text, struct sg_arena *arena,
                 char ***out, size_t *count)
{
    *count = 0;
    *out = sg_arena_take(arena, SG_OPTIONS_LIST * sizeof **out);
    if (*out == NULL) {
        (void)sg_cli_fail(SG_ERR_FULL, name);
        return false;
    }
    for (char *at = text + strspn(text, " ,\t"); *at != '\0';
         at += strspn(at, " ,\t")) {
        if (*count == SG_OPTIONS_LIST) {
            (void)sg_cli_say(SG_ERR_USAGE, NULL, "%s: at most %d words", name,
                             (int)SG_OPTIONS_LIST);
            return false;
        }
        (*out)[(*count)++] = at;
        at += strcspn(at, " ,\t");
        if (*at != '\0')
            *at++ = '\0';
    }
    return true;
}
