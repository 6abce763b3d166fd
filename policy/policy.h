// policy - the policies of a gate: texts in, one checked set out.
//
// A set is loaded whole or not at all. It owns (in the caller's arena) every
// parsed file, its SHA-256 and the built-in import default; it never changes
// afterwards. Compiling it for a day gives the rules that decide.h reads
// (compile.h); a set decides nothing itself. No set, or an empty one, denies
// everything.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/base/arena.h"
#include "broker/base/diag.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"
#include "schemas/vocabulary/obligation.h"
#include "schemas/vocabulary/vocabulary.h"

// A text under a label. Labels ending in ".policy" are policies; all others
// are only there to be included or read as party lists by the policies.
struct sg_policy_file {
    struct sg_slice name; // a label for messages; never used as a path here
    struct sg_slice text;
};

// Fetches what a policy includes and no file of the set is called. Optional.
// from: label of the file that names it. SG_ERR_NOT_FOUND: there is none.
// The digest is checked by the set, not here. bytes: live as long as the set.
struct sg_policy_loader {
    enum sg_err (*load)(void *ctx, struct sg_slice from, struct sg_slice name,
                        struct sg_slice *bytes);
    void *ctx;
};

// Why a set was not loaded.
struct sg_policy_fault {
    struct sg_slice file; // label of the file, borrowed from the set's files
    struct sg_diag at;
};

// What check says of a set beside errors.
enum sg_policy_note_kind { SG_POLICY_NOTE, SG_POLICY_WARNING, SG_POLICY_ERROR };
struct sg_policy_note {
    uint16_t file;
    uint8_t kind; // enum sg_policy_note_kind
    uint32_t line, column;
    const char *text;
};

struct sg_policy_set; // opaque

// Days since 1970-01-01 (UTC) are how this folder knows time.
enum { SG_DAY_NEVER = 0x7fffffff };
bool sg_policy_day_parse(struct sg_slice text, uint32_t *day); // 2027-01-31
void sg_policy_day_print(uint32_t day, char out[11]);

// Parses, checks and keeps all files. Texts and names must outlive the arena's
// content. SG_ERR_SYNTAX with fault set: a text is wrong, *set is NULL.
// SG_ERR_FULL: arena or a limit (fault says which). O(text).
SG_MUST_CHECK enum sg_err
sg_policy_load(struct sg_arena *arena, const struct sg_policy_file *files,
               size_t count, const struct sg_policy_loader *loader,
               struct sg_policy_set **set, struct sg_policy_fault *fault);

// Policies of the set, in the order given; the last is the built-in import
// default unless a file of the set replaces it.
uint16_t sg_policy_count(const struct sg_policy_set *set);
struct sg_slice sg_policy_label(const struct sg_policy_set *set, uint16_t file);
struct sg_slice sg_policy_name(const struct sg_policy_set *set, uint16_t file);
uint32_t sg_policy_version(const struct sg_policy_set *set, uint16_t file);
const uint8_t *sg_policy_digest(const struct sg_policy_set *set,
                                uint16_t file); // 32 bytes, SHA-256 of the text

// A rule: file and its place in the file. File SG_POLICY_GUARDS: the rules
// that are built in.
enum { SG_POLICY_GUARDS = 0xffff };
struct sg_rule_ref {
    uint16_t file;
    uint16_t rule;
};
// Empty for a reference that is none.
struct sg_slice sg_policy_rule_name(const struct sg_policy_set *set,
                                    struct sg_rule_ref ref);
uint32_t sg_policy_rule_line(const struct sg_policy_set *set,
                             struct sg_rule_ref ref);

// Number of a participant for attribute party: SG_PARTY_OTHER when no list of
// the set names it.
uint16_t sg_policy_party(const struct sg_policy_set *set, struct sg_slice id);
struct sg_slice sg_policy_party_id(const struct sg_policy_set *set,
                                   uint16_t code);
// Name i of drop_dimensions masks; empty: none.
struct sg_slice sg_policy_dimension(const struct sg_policy_set *set,
                                    unsigned i);

// The first day after day on which a rule or file begins or ends;
// SG_DAY_NEVER: none. Compile again then.
uint32_t sg_policy_next_slice(const struct sg_policy_set *set, uint32_t day);
