// demo - the story that `statgate demo` tells, and what its chapters share.
//
// One gate and its participants in one folder. A chapter does what people
// would do: it runs the same verbs, each in a process of its own, and checks
// that each turned out as told. Owns the gate as a child, ended by its pid.
// Never reaches another process, nor a network other than loopback.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/os/file.h"

enum {
    SG_DEMO_SAID = 64 * 1024, // of what a verb says; more is cut
    SG_DEMO_WORDS = 32,
    SG_DEMO_WAIT_MS = 30000, // for one verb
    SG_DEMO_CHAPTERS = 16,
};

struct sg_demo_chapter {
    const char *title;
    unsigned steps, wrong;
};

struct sg_demo {
    char dir[SG_OS_PATH];    // everything lies here
    char sdg[SG_OS_PATH];    // structures and figures that are shipped
    char policy[SG_OS_PATH]; // policies that are shipped
    char gated[SG_OS_PATH];  // statgated
    int gate;                // its pid; 0: it does not run
    bool pause;              // wait for Enter between chapters
    bool broken;             // what follows cannot be told
    int exit;                // of the last verb
    char *said, *erred;      // its stdout and stderr
    struct sg_demo_chapter chapter[SG_DEMO_CHAPTERS];
    size_t chapters;
};

// Columns of what the demo makes up, and the mark that it is made up.
#define SG_DEMO_HEADER                                                         \
    "DATAFLOW,FREQ,REPORTING_TYPE,SERIES,REF_AREA,SEX,AGE,URBANISATION,"       \
    "INCOME_WEALTH_QUANTILE,EDUCATION_LEV,OCCUPATION,CUST_BREAKDOWN,"          \
    "COMPOSITE_BREAKDOWN,DISABILITY_STATUS,ACTIVITY,PRODUCT,TIME_PERIOD,"      \
    "OBS_VALUE,OBS_STATUS,UNIT_MULT,UNIT_MEASURE,NATURE,COMMENT_OBS\n"
#define SG_DEMO_FICTIONAL "fictional: made up for the demo"

typedef int sg_demo_run(int argc, char **argv);

// ---- telling (demo_tell.c) --------------------------------------------------
void sg_demo_chapter(struct sg_demo *demo, const char *title);
// One line of the story; ok: it turned out so. Returns ok.
bool sg_demo_step(struct sg_demo *demo, bool ok, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// What follows builds upon this step.
bool sg_demo_must(struct sg_demo *demo, bool ok, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// A line that explains.
void sg_demo_note(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
// The line of text that has word, printed under the step.
void sg_demo_quote(const char *text, const char *word);
// That line from word on.
void sg_demo_quote_from(const char *text, const char *word);
// Table of the chapters. true: every step turned out as told.
bool sg_demo_summary(const struct sg_demo *demo, uint64_t took_us);

// ---- doing (demo_do.c) ------------------------------------------------------
// Runs a verb in a child with STATGATE_HOME = dir/home; words end with NULL.
// Returns its exit status; 128 + signal when it was ended.
int sg_demo_verb(struct sg_demo *demo, const char *home, sg_demo_run *run, ...);
// "dir/...", for arguments of one call: it lives until 32 more are asked for.
const char *sg_demo_path(const struct sg_demo *demo, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool sg_demo_has(const char *text, const char *word);
// Writes text to dir/name.
bool sg_demo_write(const struct sg_demo *demo, const char *name,
                   const char *text);
// The file as text; free() it. NULL: it cannot be read.
char *sg_demo_read(const char *path);
bool sg_demo_copy(const struct sg_demo *demo, const char *path,
                  const char *name);
void sg_demo_wait(uint32_t ms);
unsigned sg_demo_count(const char *text, const char *word);
// A panel of made-up households: 3,500 rows for each of up to 4 groups.
bool sg_demo_panel(const struct sg_demo *demo, const char *name,
                   unsigned groups);
// How many lines of the file hold word?
unsigned sg_demo_lines(const char *path, const char *word);

// ---- the gate (demo_gate.c) -------------------------------------------------
bool sg_demo_gate_start(struct sg_demo *demo);
// now: kill -9. Returns the exit status, -1 when it does not end.
int sg_demo_gate_end(struct sg_demo *demo, bool now);

// Takes one delivery of the subscription into dir/received/home.
bool sg_demo_receive(struct sg_demo *demo, const char *home, const char *name);

// ---- chapters ---------------------------------------------------------------
void sg_demo_people(struct sg_demo *demo);   // demo_people.c
void sg_demo_laws(struct sg_demo *demo);     // demo_laws.c
void sg_demo_flows(struct sg_demo *demo);    // demo_flow.c
void sg_demo_publish(struct sg_demo *demo);  // demo_publish.c
void sg_demo_refuse(struct sg_demo *demo);   // demo_publish.c
void sg_demo_deliver(struct sg_demo *demo);  // demo_deliver.c
void sg_demo_suppress(struct sg_demo *demo); // demo_deliver.c
void sg_demo_withdraw(struct sg_demo *demo); // demo_withdraw.c
void sg_demo_crash(struct sg_demo *demo);    // demo_crash.c
void sg_demo_evidence(struct sg_demo *demo); // demo_crash.c
