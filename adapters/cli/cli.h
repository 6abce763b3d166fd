// cli - the verbs of the command line and what they share.
//
// Data goes to stdout, talk to stderr. A verb is one file, verb_<name>.c, and
// one row of the table in main.c. Exit statuses are those of err.h: 0 done,
// 1 failed, 2 usage, 65 bad data or text, 69 gate unreachable, 75 try again,
// 77 refused by policy, consent or rights.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "broker/base/diag.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

struct sg_verb {
    const char *name;
    int (*run)(int argc, char **argv); // argv[0] is the verb; returns the exit
    const char *summary;               // one line of `statgate help`
};

// The verbs, one a file.
int sg_verb_check(int argc, char **argv);
int sg_verb_log(int argc, char **argv);
int sg_verb_policy(int argc, char **argv);
int sg_verb_structure(int argc, char **argv);
int sg_verb_init(int argc, char **argv);
int sg_verb_root(int argc, char **argv);
int sg_verb_roster(int argc, char **argv);
int sg_verb_join(int argc, char **argv);
int sg_verb_admit(int argc, char **argv);
int sg_verb_revoke(int argc, char **argv);
int sg_verb_flow(int argc, char **argv);
int sg_verb_releases(int argc, char **argv);
int sg_verb_publish(int argc, char **argv);
int sg_verb_why(int argc, char **argv);
int sg_verb_convert(int argc, char **argv);
int sg_verb_testify(int argc, char **argv);
int sg_verb_status(int argc, char **argv);
int sg_verb_subscribe(int argc, char **argv);
int sg_verb_unsubscribe(int argc, char **argv);
int sg_verb_receive(int argc, char **argv);
int sg_verb_verify(int argc, char **argv);
int sg_verb_consent(int argc, char **argv);
int sg_verb_context(int argc, char **argv);
int sg_verb_demo(int argc, char **argv);

// The verb and its words, from which sg_cli_usage tells what is missing; help:
// --help was asked for, and nothing is.
void sg_cli_command(int argc, char *const *argv, bool help);
// What went wrong, as one object: what --json prints of every error, whether
// the gate or the command line found it.
struct sg_cli_error {
    int exit;
    const char *code, *sentence, *cure, *component;
    uint64_t row, line, seq;
};
void sg_cli_print_error(const struct sg_cli_error *error);
// --json was given: from here on errors are kept, the first one, and
// sg_cli_end prints it with the exit status that came of it.
void sg_cli_json(void);
int sg_cli_end(int status);

// "statgate: SENTENCE (code)\n  cure" on stderr; returns the exit status of err.
// cure NULL: that of err.
int sg_cli_say(enum sg_err err, const char *cure, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// {"exit":0,"code":"ok","NAME":"VALUE"}, for --json; returns 0.
int sg_cli_done(const char *name, const char *value);
// The usage: on stdout it was asked for, and 0 is returned; else 2, and where
// nothing was said yet, what does not fit is said first.
int sg_cli_usage(FILE *out, const char *text);
// One line "statgate: sentence (code)\n  cure" on stderr; returns the exit
// status of err. detail may be NULL; it comes after the sentence.
int sg_cli_fail(enum sg_err err, const char *detail);
// "FILE:LINE:COLUMN: sentence" on stderr.
int sg_cli_fail_at(enum sg_err err, const char *file,
                   const struct sg_diag *diag);
// STATGATE_HOME, the context in use, or $HOME/.statgate; never NULL.
const char *sg_cli_home(void);
// STATGATE_GATE, or the address of the context in use unless another home was
// said; NULL: as home.conf has it.
const char *sg_cli_gate(bool home_said);
