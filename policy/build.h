// build - what the grammar's actions do: texts become a policy file.
//
// One build per file, used by scan.re and grammar.y only. The first fault
// stops it: everything afterwards is ignored and the diag keeps place and
// cure. Definitions come before uses, so each action can check at once.
#pragma once

#include "policy/ast.h"

struct sg_values { // a list of codes as it is read
    uint64_t *codes;
    uint32_t names; // how many values were written
    bool has_unknown;
    const struct sg_token *last, *first;
};

struct sg_open_obligation { // an obligation whose arguments are being read
    const struct sg_token *name;
    struct sg_obligation one;
    uint32_t count;
};

struct sg_all { // conditions as they are read
    struct sg_term *terms, *last_term;
    struct sg_cond *last_cond;
    bool either;       // the last term began with "either"
    bool alternatives; // plain A or B or C
};

struct sg_build {
    struct sg_policy_set *set;
    struct sg_file *file;
    uint16_t file_index;
    const struct sg_policy_file *others; // files that may be included
    size_t others_count;
    const struct sg_policy_loader *loader;
    uint32_t depth;       // of includes
    bool lint;            // notes and the errors of policy-language 5.6
    enum sg_err err;      // SG_OK until the first fault
    struct sg_diag *diag; // its place and cure
    const struct sg_token *tokens;
    size_t token_count;
    // what is being read
    enum sg_attr attr; // of the condition or group
    unsigned dim;
    struct sg_rule *rule;
    bool in_unless;
    struct sg_test *test;
    struct sg_group *group;
    bool has_review, has_source;
    struct sg_rule **rules_end, **nevers_end;
    struct sg_test **tests_end;
    uint32_t terms_depth;
};

// Splits text (NUL behind it) into tokens. false: b->err is set.
bool sg_scan_text(struct sg_build *b, struct sg_slice text,
                  struct sg_token **tokens, size_t *count);
// Runs the grammar over text; included: definitions only.
void sg_grammar_run(struct sg_build *b, struct sg_slice text, bool included);

// The fault at a token; the first one counts.
void sg_build_fail(struct sg_build *b, const struct sg_token *at,
                   const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sg_build_full(struct sg_build *b);
void *sg_build_take(struct sg_build *b, size_t size); // NULL: b->err is set
void sg_build_note(struct sg_build *b, enum sg_policy_note_kind kind,
                   uint32_t line, uint32_t column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

// Header.
void sg_build_name(struct sg_build *b, const struct sg_token *name,
                   const struct sg_token *version);
void sg_build_layer(struct sg_build *b, enum sg_layer layer,
                    const struct sg_token *at, const struct sg_token *scope);
void sg_build_import_default(struct sg_build *b, const struct sg_token *at);
void sg_build_force(struct sg_build *b, const struct sg_token *from,
                    const struct sg_token *until);
void sg_build_vocabulary(struct sg_build *b, const struct sg_token *version);
void sg_build_include(struct sg_build *b, const struct sg_token *name,
                      const struct sg_token *sha256);
void sg_build_header_end(struct sg_build *b);

// Definitions.
void sg_build_group_begin(struct sg_build *b, const struct sg_token *type,
                          const struct sg_token *name);
void sg_build_group_values(struct sg_build *b, const struct sg_values *in,
                           const struct sg_values *except);
void sg_build_group_from(struct sg_build *b, const struct sg_token *name,
                         const struct sg_token *sha256);
void sg_build_group_end(struct sg_build *b);
void sg_build_review(struct sg_build *b, const struct sg_token *at);
void sg_build_example(struct sg_build *b, const struct sg_token *name,
                      struct sg_fact *facts);
void sg_build_protected(struct sg_build *b, const struct sg_token *name,
                        const struct sg_token *value);
struct sg_fact *sg_build_fact(struct sg_build *b, struct sg_fact *after,
                              const struct sg_token *attr,
                              const struct sg_token *code);

// Conditions.
void sg_build_subject(struct sg_build *b, const struct sg_token *attr);
void sg_build_value(struct sg_build *b, struct sg_values *values,
                    const struct sg_token *value);
enum sg_cond_form {
    SG_COND_IS,
    SG_COND_IS_NOT,
    SG_COND_ONE_OF,
    SG_COND_NONE_OF,
    SG_COND_AT_LEAST,
    SG_COND_AT_MOST
};
struct sg_cond *sg_build_cond(struct sg_build *b, const struct sg_token *attr,
                              enum sg_cond_form form,
                              const struct sg_values *values);
struct sg_cond *sg_build_any(struct sg_build *b, const struct sg_token *attr,
                             const struct sg_token *any);
struct sg_cond *sg_build_same(struct sg_build *b, const struct sg_token *attr,
                              const struct sg_token *other, bool yes);
void sg_build_all_first(struct sg_build *b, struct sg_all *all,
                        struct sg_cond *cond, bool either);
void sg_build_all_and(struct sg_build *b, struct sg_all *all,
                      const struct sg_token *at, struct sg_cond *cond,
                      bool either);
void sg_build_all_or(struct sg_build *b, struct sg_all *all,
                     const struct sg_token *at, struct sg_cond *cond);

// Rules, nevers, tests.
void sg_build_rule_begin(struct sg_build *b, const struct sg_token *at,
                         const struct sg_token *name, enum sg_effect effect);
void sg_build_hold_days(struct sg_build *b, const struct sg_token *days);
void sg_build_when(struct sg_build *b, const struct sg_all *all);
void sg_build_unless(struct sg_build *b, const struct sg_all *all);
void sg_build_obligation_begin(struct sg_build *b, const struct sg_token *name,
                               struct sg_obligation *out);
void sg_build_obligation_arg(struct sg_build *b, const struct sg_token *name,
                             struct sg_obligation *out, uint32_t *count,
                             const struct sg_token *arg);
void sg_build_obligation_end(struct sg_build *b, const struct sg_token *name,
                             struct sg_obligation *out, uint32_t count);
void sg_build_oblige_word(struct sg_build *b, const struct sg_token *at);
void sg_build_oblige(struct sg_build *b, const struct sg_obligation *one);
void sg_build_because(struct sg_build *b, const struct sg_token *text);
void sg_build_say(struct sg_build *b, const struct sg_token *lang,
                  const struct sg_token *text);
void sg_build_valid(struct sg_build *b, const struct sg_token *from,
                    const struct sg_token *until);
void sg_build_rule_review(struct sg_build *b, const struct sg_token *at);
void sg_build_rule_end(struct sg_build *b);
void sg_build_test_begin(struct sg_build *b, const struct sg_token *at,
                         const struct sg_token *name,
                         const struct sg_token *day);
void sg_build_given_example(struct sg_build *b, const struct sg_token *name);
void sg_build_given(struct sg_build *b, struct sg_fact *facts);
void sg_build_expect(struct sg_build *b, enum sg_verdict verdict,
                     bool incomplete);
void sg_build_expect_by(struct sg_build *b, const struct sg_token *name);
void sg_build_expect_with(struct sg_build *b, const struct sg_obligation *one);

// Cures (cure.c): "; did you mean ...?" or "" into out.
void sg_cure_attr(struct sg_slice word, char *out, size_t cap);
void sg_cure_code(const struct sg_build *b, unsigned dim, bool with_groups,
                  struct sg_slice word, char *out, size_t cap);
void sg_cure_obligation(struct sg_slice word, char *out, size_t cap);
void sg_cure_example(const struct sg_build *b, struct sg_slice word, char *out,
                     size_t cap);
// The group of this type and name; NULL: none.
struct sg_group *sg_build_find_group(const struct sg_build *b, unsigned dim,
                                     struct sg_slice name);
// Type of groups that a dimension uses: places share one.
unsigned sg_build_group_type(unsigned dim);
// Lint of one finished rule, in build_lint.c.
void sg_build_lint_rule(struct sg_build *b, const struct sg_rule *rule);
void sg_build_lint_file(struct sg_build *b);
