#include "adapters/cli/usage.h"

#include <stdio.h>
#include <string.h>

#include "broker/base/slice.h"

enum { WORD_MAX = 24, MISSED_MOST = 2 };
static const char lower[] = "abcdefghijklmnopqrstuvwxyz-";

// Letters to change, add or leave out between two words of the command line.
static size_t
distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1], width = strlen(b);

    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < width; j++) {
            size_t change = corner + (a[i] != b[j]);
            size_t other = 1 + (row[j] < row[j + 1] ? row[j] : row[j + 1]);
            corner = row[j + 1];
            row[j + 1] = change < other ? change : other;
        }
    }
    return row[width];
}

bool
sg_usage_near(const char *word, const char *known)
{
    size_t len = strlen(known);

    return len > MISSED_MOST + 1 && len <= WORD_MAX &&
           strlen(word) <= WORD_MAX && distance(word, known) <= MISSED_MOST;
}

// ---- the forms of a text -------------------------------------------------------

static void
append(char out[SG_USAGE_TEXT], const char *between, const char *text,
       size_t len)
{
    size_t at = strlen(out);

    (void)snprintf(out + at, SG_USAGE_TEXT - at, "%s%.*s", between, (int)len,
                   text);
}

// What stands behind "statgate VERB " in the next form; NULL: there is none.
static const char *
next_form(const char *text, const char *verb)
{
    static const char program[] = "statgate ";
    const char *blank = strstr(text, "\n\n");
    size_t len = strlen(verb);

    while ((text = strstr(text, program)) != NULL &&
           (blank == NULL || text < blank)) {
        text += sizeof program - 1;
        if (strncmp(text, verb, len) == 0 &&
            (text[len] == ' ' || text[len] == '\n'))
            return text + len + 1;
    }
    return NULL;
}

// "list | show FLOW | close FLOW": the next word after a bar, in the same line.
static const char *
next_word(const char *at)
{
    const char *bar = strstr(at, " | ");
    const char *line = strchr(at, '\n');

    return bar == NULL || (line != NULL && bar > line) ? NULL : bar + 3;
}

struct second {
    const char *word;            // as typed; may be NULL
    const char *form;            // of that word, behind it
    char all[SG_USAGE_TEXT / 2]; // "new, list, show"
    char near[WORD_MAX + 1];     // probably meant
    size_t count;
};

static void
look(struct second *s, const char *at, size_t len)
{
    char known[WORD_MAX + 1];
    size_t used = strlen(s->all);

    (void)snprintf(known, sizeof known, "%.*s", (int)len, at);
    (void)snprintf(s->all + used, sizeof s->all - used, "%s%s",
                   s->count == 0 ? "" : ", ", known);
    s->count++;
    if (s->word == NULL)
        return;
    if (strcmp(s->word, known) == 0)
        s->form = at + len;
    else if (s->near[0] == '\0' && sg_usage_near(s->word, known))
        memcpy(s->near, known, sizeof known);
}

static void
seconds(const char *text, const char *verb, struct second *s)
{
    for (const char *form = next_form(text, verb); form != NULL;
         form = next_form(form, verb)) {
        for (const char *at = form; at != NULL; at = next_word(at)) {
            size_t len = strspn(at, lower);
            if (len > 0 && len <= WORD_MAX && at[0] != '-' &&
                (at[len] == ' ' || at[len] == '\n'))
                look(s, at, len);
        }
    }
}

// What a form has outside of brackets: it must be there.
static void
needed(const char *form, char out[SG_USAGE_TEXT])
{
    int depth = 0;

    while (*form != '\0' && strncmp(form, "\n\n", 2) != 0) {
        size_t len = strcspn(form, " \n[]");
        bool another = strncmp(form, "statgate ", 9) == 0 ||
                       (strncmp(form, "| ", 2) == 0 && strspn(form + 2, lower));
        if (another)
            return;
        if (depth == 0 && len > 0 && strncmp(form, "...", 3) != 0)
            append(out, out[0] == '\0' ? "" : " ", form, len);
        form += len;
        depth += (*form == '[') - (*form == ']');
        form += *form != '\0' && strncmp(form, "\n\n", 2) != 0;
    }
}

void
sg_usage_find(const char *text, int argc, char *const *argv,
              struct sg_usage_fault *out)
{
    struct second s = {.word = argc > 1 ? argv[1] : NULL};
    const char *verb = argv[0], *form = next_form(text, verb);
    char wanted[SG_USAGE_TEXT] = "";

    seconds(text, verb, &s);
    (void)snprintf(out->cure, sizeof out->cure, "statgate %s --help says more",
                   verb);
    if (s.count > 0 && s.form == NULL) {
        (void)snprintf(out->sentence, sizeof out->sentence,
                       s.word == NULL ? "%s needs one more word"
                                      : "there is no \"%s %s\"",
                       verb, s.word);
        (void)snprintf(
            out->cure, sizeof out->cure, "%s%s%s%s",
            s.near[0] == '\0' ? "" : "did you mean \"", s.near,
            s.near[0] == '\0' ? "it is one of: " : "\"? it is one of: ", s.all);
        return;
    }
    if (s.form != NULL)
        needed(s.form, wanted);
    else if (form != NULL && next_form(form, verb) == NULL)
        needed(form, wanted);
    (void)snprintf(out->sentence, sizeof out->sentence,
                   wanted[0] == '\0'
                       ? "something is missing, or too much, after \"%s%s%s\""
                       : "\"%s%s%s\" needs %s",
                   verb, s.form == NULL ? "" : " ",
                   s.form == NULL ? "" : s.word, wanted);
}
