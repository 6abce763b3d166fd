#include "broker/base/diag.h"

#include <stdarg.h>
#include <stdio.h>

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
    (void)vsnprintf(diag->text, sizeof diag->text, format, arguments);
    va_end(arguments);
}
