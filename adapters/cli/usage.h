// usage - what is wrong with a command, told from the text of its usage.
//
// The text is the one truth of what a verb takes: which second words there are,
// and what must stand behind them. Reads texts only; prints nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { SG_USAGE_TEXT = 512 };

struct sg_usage_fault {
    char sentence[SG_USAGE_TEXT];
    char cure[SG_USAGE_TEXT];
};

// word is, but for two letters at most, known: what somebody meant who typed it.
bool sg_usage_near(const char *word, const char *known);
// text: "usage: statgate VERB ...", one form a line that says statgate;
// argv[0] is the verb.
void sg_usage_find(const char *text, int argc, char *const *argv,
                   struct sg_usage_fault *out);
