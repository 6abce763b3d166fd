// options - the command line of a verb: flags, values, lists, and the rest.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "broker/base/arena.h"

enum { SG_OPTIONS_LIST = 64 };

struct sg_words { // a list, ended by NULL
    const char *word[SG_OPTIONS_LIST + 1];
    size_t count;
};

struct sg_option {    // one of the three destinations is set
    const char *name; // "--home"
    const char **value;
    bool *flag;
    struct sg_words *list; // may be given more than once
};

// From argv[first] on. What is no option goes to rest. false: an unknown
// option, or a value is missing; said on stderr. false and silent: --help; and
// --options, by which tests hear of the rows, one a line.
bool sg_options_take(int argc, char **argv, int first,
                     const struct sg_option *rows, size_t count,
                     struct sg_words *rest);
// false: not a number up to most; said on stderr.
bool sg_options_number(const char *name, const char *text,
                       unsigned long long most, unsigned long long *out);
// yes, no, or nothing, which is no. false: another word; said on stderr.
bool sg_options_yes(const char *name, const char *text, bool *out);
// The words of a text, apart by spaces or commas, cut in the text itself. Never
// fewer than stand there: false, said on stderr, where they are more than
// SG_OPTIONS_LIST or the arena is full.
bool sg_options_words(const char *name, char *text, struct sg_arena *arena,
                      char ***out, size_t *count);
