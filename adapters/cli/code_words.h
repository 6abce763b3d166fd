// code_words - is a word of the command line a code of the vocabulary?
//
// A typing mistake in a code is told where it is typed, with the codes that
// there are; otherwise it is found when the gate denies what nobody expected.
#pragma once

#include <stdbool.h>

#include "schemas/vocabulary/vocabulary.h"

// text NULL: nothing was said, which is fine. false: said on stderr.
bool sg_code_word(const char *option, enum sg_attr attr, const char *text);
// The same among words that are in no vocabulary; ended by NULL.
bool sg_code_word_among(const char *option, const char *const *words,
                        const char *text);
// A promise such as delete_after_days(30).
bool sg_code_word_promise(const char *option, const char *text);
// Where a gate listens: tcp://HOST:PORT, the port a number, or * to let the
// system choose one.
bool sg_code_word_address(const char *option, const char *text);
