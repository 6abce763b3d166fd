#include "broker/base/check.h"

#include <stdio.h>
#include <stdlib.h>

// The last words of a program that found itself to be wrong.
_Noreturn void
sg_check_failed(const char *file, int line, const char *expr)
{
    fprintf(stderr,
            "{\"level\":\"fatal\",\"event\":\"bug\",\"at\":\"%s:%d\","
            "\"check\":\"%s\"}\n",
            file, line, expr);
    abort();
}
