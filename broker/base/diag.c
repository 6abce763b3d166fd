#include "broker/base/diag.h"

#include <stdarg.h>
#include <stdio.h>

#include "broker/base/slice.h"

// What was cut inside a character loses the rest of it too: the text goes into
// messages that must be UTF-8.
static void
trim(char *text)
{
    size_t len = strlen(text);

    for (size_t cut = 0; cut < 4 && cut < len; cut++) {
        if (sg_slice_is_utf8(sg_slice_of(text, len - cut))) {
            text[len - cut] = '\0';
            return;
        }
    }
}

void
sg_diag_set(struct sg_diag *diag, uint32_t line, uint32_t column,
            const char *format, ...)
{
    va_list arguments;

    if (diag == NULL)
        return;
    diag->line = line;
    diag->column = column;
    va_start(arguments, format);
    int len = vsnprintf(diag->text, sizeof diag->text, format, arguments);
    va_end(arguments);
    if (len >= (int)sizeof diag->text)
        trim(diag->text);
}
