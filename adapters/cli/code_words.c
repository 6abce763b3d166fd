#include "adapters/cli/code_words.h"

#include <stdio.h>
#include <string.h>

#include "schemas/vocabulary/obligation.h"

enum { ARGS_MAX = 4, TEXT_MAX = 256 };

static bool
complain(const char *option, const char *text)
{
    fprintf(stderr, "statgate: %s %s is not known; ", option, text);
    return false;
}

bool
sg_code_word(const char *option, enum sg_attr attr, const char *text)
{
    if (text == NULL || sg_vocabulary_code(attr, sg_slice_text(text)) != 0)
        return true;
    (void)complain(option, text);
    uint16_t meant = sg_vocabulary_country_meant(sg_slice_text(text));
    if (sg_vocabulary_is_place(attr)) {
        fprintf(stderr, "write a country as in KE, or INTL%s%s\n",
                meant == 0 ? "" : "; perhaps ",
                meant == 0 ? "" : sg_vocabulary_text(attr, meant));
        return false;
    }
    fprintf(stderr, "it is one of:\n ");
    for (uint16_t i = 1; i < sg_vocabulary_code_count(attr); i++)
        fprintf(stderr, " %s", sg_vocabulary_text(attr, i));
    fprintf(stderr, "\n");
    return false;
}

bool
sg_code_word_among(const char *option, const char *const *words,
                   const char *text)
{
    for (const char *const *word = words; *word != NULL; word++) {
        if (strcmp(*word, text) == 0)
            return true;
    }
    (void)complain(option, text);
    fprintf(stderr, "it is one of:\n ");
    for (const char *const *word = words; *word != NULL; word++)
        fprintf(stderr, " %s", *word);
    fprintf(stderr, "\n");
    return false;
}

bool
sg_code_word_promise(const char *option, const char *text)
{
    struct sg_slice args[ARGS_MAX];
    struct sg_obligation parsed;
    char copy[TEXT_MAX], *state = NULL;
    size_t count = 0;

    int len = snprintf(copy, sizeof copy, "%s", text);
    char *open = strchr(copy, '(');
    if (open != NULL) {
        *open = '\0';
        for (char *at = strtok_r(open + 1, ", )", &state);
             at != NULL && count < ARGS_MAX; at = strtok_r(NULL, ", )", &state))
            args[count++] = sg_slice_text(at);
    }
    if (len > 0 && (size_t)len < sizeof copy &&
        sg_obligation_parse(sg_slice_text(copy), args, count, &parsed))
        return true;
    (void)complain(option, text);
    fprintf(stderr, "write a duty as in no_onward or delete_after_days(30); "
                    "statgate-policy(5) lists them\n");
    return false;
}
