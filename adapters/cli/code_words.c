#include "adapters/cli/code_words.h"

#include <stdio.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "schemas/vocabulary/obligation.h"

enum { ARGS_MAX = 4, TEXT_MAX = 256, LIST_MAX = 4096 };

static bool
complain(const char *option, const char *text, const char *cure)
{
    (void)sg_cli_say(SG_ERR_USAGE, cure, "%s %s is not known", option, text);
    return false;
}

// Words after each other, as far as they fit.
static void
append(char list[LIST_MAX], const char *word)
{
    size_t len = strlen(list);

    (void)snprintf(list + len, LIST_MAX - len, " %s", word);
}

bool
sg_code_word(const char *option, enum sg_attr attr, const char *text)
{
    char list[LIST_MAX] = "it is one of:";

    if (text == NULL || sg_vocabulary_code(attr, sg_slice_text(text)) != 0)
        return true;
    uint16_t meant = sg_vocabulary_country_meant(sg_slice_text(text));
    if (sg_vocabulary_is_place(attr)) {
        (void)snprintf(list, sizeof list,
                       "write a country as in KE, or INTL%s%s",
                       meant == 0 ? "" : "; perhaps ",
                       meant == 0 ? "" : sg_vocabulary_text(attr, meant));
        return complain(option, text, list);
    }
    for (uint16_t i = 1; i < sg_vocabulary_code_count(attr); i++)
        append(list, sg_vocabulary_text(attr, i));
    return complain(option, text, list);
}

bool
sg_code_word_among(const char *option, const char *const *words,
                   const char *text)
{
    char list[LIST_MAX] = "it is one of:";

    for (const char *const *word = words; *word != NULL; word++) {
        if (strcmp(*word, text) == 0)
            return true;
    }
    for (const char *const *word = words; *word != NULL; word++)
        append(list, *word);
    return complain(option, text, list);
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
    return complain(option, text,
                    "write a duty as in no_onward or delete_after_days(30); "
                    "statgate-policy(5) lists them");
}

bool
sg_code_word_address(const char *option, const char *text)
{
    static const char scheme[] = "tcp://";

    if (text == NULL)
        return true;
    const char *port = strrchr(text, ':');
    if (strncmp(text, scheme, sizeof scheme - 1) == 0 &&
        port > text + sizeof scheme - 1 && strlen(text) < TEXT_MAX / 2) {
        size_t digits = strspn(++port, "0123456789");
        if (strcmp(port, "*") == 0 ||
            (digits > 0 && digits <= 5 && port[digits] == '\0'))
            return true;
    }
    (void)sg_cli_say(SG_ERR_USAGE, "write it as in tcp://gate.example:7171",
                     "%s %s is no address of a gate", option, text);
    return false;
}
