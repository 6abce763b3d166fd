// grammar - the policy language (policy-language 5.3). lemon.
//
// Tokens come from scan.re; words become keywords here, where two tokens of
// look-ahead settle what one word alone would not ("none" is a code, "none of"
// is not). A keyword stays an ordinary word wherever the grammar wants one.
%name sg_grammar
%token_prefix SG_TOKEN_
%token_type {const struct sg_token *}
%extra_context {struct sg_build *b}
%stack_size 200
%start_symbol file

%include {
#include <stdio.h>

#include "policy/grammar.h"
#include "policy/build.h"
#define YYNOERRORRECOVERY 1

enum { WANTED_MOST = 6 };
struct wanted { // tokens that could have stood here
    unsigned kinds[WANTED_MOST], count;
};
static void wanted_add(struct wanted *w, unsigned kind);
static void syntax_error(struct sg_build *b, const struct sg_token *at,
                         const struct wanted *w);
}

%syntax_error {
    struct wanted w = {0};
    bool word = yy_find_shift_action(SG_TOKEN_ID, yypParser->yytos->stateno) !=
                YY_ERROR_ACTION;
    for (unsigned i = 1; i < YYNTOKEN; i++) {
        // Where an ordinary word may stand every keyword could.
        if (word && i < SG_COUNT_OF(yyFallback) &&
            yyFallback[i] == SG_TOKEN_ID)
            continue;
        if (yy_find_shift_action((YYCODETYPE)i, yypParser->yytos->stateno) !=
            YY_ERROR_ACTION)
            wanted_add(&w, i);
    }
    syntax_error(b, TOKEN, &w);
}
%stack_overflow {
    sg_build_full(b);
}

%fallback ID POLICY VERSION OWNER LAYER HUB EXPORT IMPORT DEFAULT FOR IN FORCE
  FROM UNTIL VOCABULARY STATGATE INCLUDE SHA256 DEFINE GROUP EXCEPT REVIEW BY
  SOURCE EXAMPLE PROTECTED RULE PERMIT HOLD FORBID DAYS WHEN UNLESS OBLIGE
  BECAUSE SAY VALID NEVER TEST ON GIVEN EXPECT DENY INCOMPLETE WITH.

file ::= START_POLICY header_end items END.
file ::= START_INCLUDE included END.

// ---- header -----------------------------------------------------------------
header_end ::= header. { sg_build_header_end(b); }
header ::= POLICY STRING(N) VERSION NUMBER(V). { sg_build_name(b, N, V); }
header ::= header OWNER STRING.
header ::= header VOCABULARY STATGATE NUMBER(V). { sg_build_vocabulary(b, V); }
header ::= header IN FORCE FROM DATE(F). { sg_build_force(b, F, NULL); }
header ::= header IN FORCE FROM DATE(F) UNTIL DATE(U). {
    sg_build_force(b, F, U);
}
header ::= header LAYER(L) HUB. { sg_build_layer(b, SG_LAYER_HUB, L, NULL); }
header ::= header LAYER(L) EXPORT FOR ID(C). {
    sg_build_layer(b, SG_LAYER_EXPORT, L, C);
}
header ::= header LAYER(L) IMPORT FOR ID(C). {
    sg_build_layer(b, SG_LAYER_IMPORT, L, C);
}
header ::= header LAYER(L) IMPORT DEFAULT. { sg_build_import_default(b, L); }
header ::= header include.

include ::= INCLUDE STRING(N) SHA256 STRING(H). { sg_build_include(b, N, H); }

included ::= .
included ::= included include.
included ::= included definition.

items ::= .
items ::= items definition.
items ::= items rule.
items ::= items test.

// ---- definitions --------------------------------------------------------------
definition ::= group_body group_marks. { sg_build_group_end(b); }
group_body ::= group_head EQUALS values(V). {
    sg_build_group_values(b, &V, NULL);
}
group_body ::= group_head EQUALS values(V) EXCEPT values(W). {
    sg_build_group_values(b, &V, &W);
}
group_body ::= group_head FROM STRING(N) SHA256 STRING(H). {
    sg_build_group_from(b, N, H);
}
group_head ::= DEFINE ID(T) GROUP ID(N). { sg_build_group_begin(b, T, N); }
group_marks ::= .
group_marks ::= group_marks REVIEW BY DATE(D). { sg_build_review(b, D); }
group_marks ::= group_marks SOURCE STRING. { b->has_source = true; }

definition ::= DEFINE EXAMPLE ID(N) EQUALS facts(F). {
    sg_build_example(b, N, F);
}
definition ::= DEFINE PROTECTED ID(N) EQUALS NUMBER(V). {
    sg_build_protected(b, N, V);
}

%type facts {struct sg_fact *}
facts(A) ::= ID(N) code(C). { A = sg_build_fact(b, NULL, N, C); }
facts(A) ::= facts(F) COMMA ID(N) code(C). { A = sg_build_fact(b, F, N, C); }
code(A) ::= ID(C). { A = C; }
code(A) ::= NUMBER(C). { A = C; }

// ---- lists of codes -------------------------------------------------------------
%type values {struct sg_values}
%type list {struct sg_values}
values(A) ::= list(L). { A = L; }
values(A) ::= list(L) LIST_OR code(C). { A = L; sg_build_value(b, &A, C); }
values(A) ::= list(L) COMMA LIST_OR code(C). {
    A = L;
    sg_build_value(b, &A, C);
}
list(A) ::= code(C). {
    A = (struct sg_values){0};
    sg_build_value(b, &A, C);
}
list(A) ::= list(L) COMMA code(C). { A = L; sg_build_value(b, &A, C); }

// ---- conditions -----------------------------------------------------------------
%type all {struct sg_all}
all(A) ::= cond(C). {
    A = (struct sg_all){0};
    sg_build_all_first(b, &A, C, false);
}
all(A) ::= EITHER cond(C). {
    A = (struct sg_all){0};
    sg_build_all_first(b, &A, C, true);
}
all(A) ::= all(L) AND(T) cond(C). {
    A = L;
    sg_build_all_and(b, &A, T, C, false);
}
all(A) ::= all(L) AND(T) EITHER cond(C). {
    A = L;
    sg_build_all_and(b, &A, T, C, true);
}
all(A) ::= all(L) OR(T) cond(C). { A = L; sg_build_all_or(b, &A, T, C); }

subject(A) ::= ID(T) IS. { A = T; sg_build_subject(b, T); }

%type cond {struct sg_cond *}
cond(A) ::= subject(S) ANY(T). { A = sg_build_any(b, S, T); }
cond(A) ::= subject(S) code(C). {
    struct sg_values v = {0};
    sg_build_value(b, &v, C);
    A = sg_build_cond(b, S, SG_COND_IS, &v);
}
cond(A) ::= subject(S) NOT code(C). {
    struct sg_values v = {0};
    sg_build_value(b, &v, C);
    A = sg_build_cond(b, S, SG_COND_IS_NOT, &v);
}
cond(A) ::= subject(S) ONE_OF values(V). {
    A = sg_build_cond(b, S, SG_COND_ONE_OF, &V);
}
cond(A) ::= subject(S) NONE_OF values(V). {
    A = sg_build_cond(b, S, SG_COND_NONE_OF, &V);
}
cond(A) ::= subject(S) AT_LEAST code(C). {
    struct sg_values v = {0};
    sg_build_value(b, &v, C);
    A = sg_build_cond(b, S, SG_COND_AT_LEAST, &v);
}
cond(A) ::= subject(S) AT_MOST code(C). {
    struct sg_values v = {0};
    sg_build_value(b, &v, C);
    A = sg_build_cond(b, S, SG_COND_AT_MOST, &v);
}
cond(A) ::= subject(S) SAME_AS ID(O). { A = sg_build_same(b, S, O, true); }
cond(A) ::= subject(S) NOT_SAME_AS ID(O). {
    A = sg_build_same(b, S, O, false);
}

// ---- rules -----------------------------------------------------------------------
rule ::= rule_text clauses. { sg_build_rule_end(b); }
rule_text ::= rule_when.
rule_text ::= rule_unless all(A). { sg_build_unless(b, &A); }
rule_unless ::= rule_when UNLESS. { b->in_unless = true; }
rule_when ::= rule_head WHEN all(A). { sg_build_when(b, &A); }
rule_head ::= RULE(R) STRING(N) PERMIT. {
    sg_build_rule_begin(b, R, N, SG_EFFECT_PERMIT);
}
rule_head ::= RULE(R) STRING(N) FORBID. {
    sg_build_rule_begin(b, R, N, SG_EFFECT_FORBID);
}
rule_head ::= hold_head.
rule_head ::= hold_head FOR AT_MOST NUMBER(D) DAYS. {
    sg_build_hold_days(b, D);
}
hold_head ::= RULE(R) STRING(N) HOLD. {
    sg_build_rule_begin(b, R, N, SG_EFFECT_HOLD);
}
rule_head ::= NEVER(R) STRING(N) PERMIT. {
    sg_build_rule_begin(b, R, N, SG_EFFECT_NEVER);
}

clauses ::= .
clauses ::= clauses obliged.
clauses ::= clauses BECAUSE STRING(T). { sg_build_because(b, T); }
clauses ::= clauses SOURCE STRING(T). { sg_build_because(b, T); }
clauses ::= clauses SAY ID(L) STRING(T). { sg_build_say(b, L, T); }
clauses ::= clauses valid.
clauses ::= clauses valid REVIEW BY DATE(D). { sg_build_rule_review(b, D); }
valid ::= VALID FROM DATE(F). { sg_build_valid(b, F, NULL); }
valid ::= VALID FROM DATE(F) UNTIL DATE(U). { sg_build_valid(b, F, U); }
obliged ::= oblige_word oblig(O). { sg_build_oblige(b, &O); }
obliged ::= obliged COMMA oblig(O). { sg_build_oblige(b, &O); }
oblige_word ::= OBLIGE(T). { sg_build_oblige_word(b, T); }

%type oblig {struct sg_obligation}
%type oblig_open {struct sg_open_obligation}
oblig(A) ::= ID(N). {
    sg_build_obligation_begin(b, N, &A);
    sg_build_obligation_end(b, N, &A, 0);
}
oblig(A) ::= oblig_open(O) CLOSE. {
    A = O.one;
    sg_build_obligation_end(b, O.name, &A, O.count);
}
oblig_open(A) ::= ID(N) OPEN code(C). {
    A.name = N;
    A.count = 0;
    sg_build_obligation_begin(b, N, &A.one);
    sg_build_obligation_arg(b, N, &A.one, &A.count, C);
}
oblig_open(A) ::= oblig_open(O) COMMA code(C). {
    A = O;
    sg_build_obligation_arg(b, A.name, &A.one, &A.count, C);
}

// ---- tests -----------------------------------------------------------------------
test ::= expectation.
test ::= expectation WITH duties.
duties ::= oblig(O). { sg_build_expect_with(b, &O); }
duties ::= duties COMMA oblig(O). { sg_build_expect_with(b, &O); }
expectation ::= verdict.
expectation ::= verdict BY STRING(N). { sg_build_expect_by(b, N); }
verdict ::= given EXPECT PERMIT. {
    sg_build_expect(b, SG_VERDICT_PERMIT, false);
}
verdict ::= given EXPECT HOLD. { sg_build_expect(b, SG_VERDICT_HOLD, false); }
verdict ::= given EXPECT DENY. { sg_build_expect(b, SG_VERDICT_DENY, false); }
verdict ::= given EXPECT DENY INCOMPLETE. {
    sg_build_expect(b, SG_VERDICT_DENY, true);
}
given ::= test_head GIVEN example.
given ::= test_head GIVEN example COMMA facts(F). { sg_build_given(b, F); }
given ::= test_head GIVEN facts(F). { sg_build_given(b, F); }
example ::= EXAMPLE ID(N). { sg_build_given_example(b, N); }
test_head ::= TEST(T) STRING(N). { sg_build_test_begin(b, T, N, NULL); }
test_head ::= TEST(T) STRING(N) ON DATE(D). {
    sg_build_test_begin(b, T, N, D);
}

%code {
struct word {
    const char *text;
    uint8_t kind;
};
static const struct word words[] = {
    {"policy", SG_TOKEN_POLICY},         {"version", SG_TOKEN_VERSION},
    {"owner", SG_TOKEN_OWNER},           {"layer", SG_TOKEN_LAYER},
    {"hub", SG_TOKEN_HUB},               {"export", SG_TOKEN_EXPORT},
    {"import", SG_TOKEN_IMPORT},         {"default", SG_TOKEN_DEFAULT},
    {"for", SG_TOKEN_FOR},               {"in", SG_TOKEN_IN},
    {"force", SG_TOKEN_FORCE},           {"from", SG_TOKEN_FROM},
    {"until", SG_TOKEN_UNTIL},           {"vocabulary", SG_TOKEN_VOCABULARY},
    {"statgate", SG_TOKEN_STATGATE},     {"include", SG_TOKEN_INCLUDE},
    {"sha256", SG_TOKEN_SHA256},         {"define", SG_TOKEN_DEFINE},
    {"group", SG_TOKEN_GROUP},           {"except", SG_TOKEN_EXCEPT},
    {"review", SG_TOKEN_REVIEW},         {"by", SG_TOKEN_BY},
    {"source", SG_TOKEN_SOURCE},         {"example", SG_TOKEN_EXAMPLE},
    {"protected", SG_TOKEN_PROTECTED},   {"rule", SG_TOKEN_RULE},
    {"permit", SG_TOKEN_PERMIT},         {"hold", SG_TOKEN_HOLD},
    {"forbid", SG_TOKEN_FORBID},         {"days", SG_TOKEN_DAYS},
    {"when", SG_TOKEN_WHEN},             {"unless", SG_TOKEN_UNLESS},
    {"oblige", SG_TOKEN_OBLIGE},         {"because", SG_TOKEN_BECAUSE},
    {"say", SG_TOKEN_SAY},               {"valid", SG_TOKEN_VALID},
    {"never", SG_TOKEN_NEVER},           {"test", SG_TOKEN_TEST},
    {"on", SG_TOKEN_ON},                 {"given", SG_TOKEN_GIVEN},
    {"expect", SG_TOKEN_EXPECT},         {"deny", SG_TOKEN_DENY},
    {"incomplete", SG_TOKEN_INCOMPLETE}, {"with", SG_TOKEN_WITH},
    {"either", SG_TOKEN_EITHER},         {"is", SG_TOKEN_IS},
    {"any", SG_TOKEN_ANY},               {"not", SG_TOKEN_NOT},
    {"and", SG_TOKEN_AND},               {"or", SG_TOKEN_OR},
};

static bool
is_word(const struct sg_token *at, const char *text)
{
    return at->raw == SG_RAW_ID &&
           sg_slice_eq(at->text, sg_slice_text(text));
}

// Two words that are one token; 0: these are not. at is not the last token.
static uint8_t
pair_kind(const struct sg_token *at)
{
    static const struct {
        const char *first, *second;
        uint8_t kind;
    } pairs[] = {
        {"one", "of", SG_TOKEN_ONE_OF},
        {"none", "of", SG_TOKEN_NONE_OF},
        {"at", "least", SG_TOKEN_AT_LEAST},
        {"at", "most", SG_TOKEN_AT_MOST},
        {"same", "as", SG_TOKEN_SAME_AS},
    };
    for (size_t i = 0; i < SG_COUNT_OF(pairs); i++) {
        if (is_word(at, pairs[i].first) && is_word(at + 1, pairs[i].second))
            return pairs[i].kind;
    }
    return 0;
}

// "or" and "and" belong to a list when what follows is no condition.
static bool
is_of_list(const struct sg_token *at, const struct sg_token *end)
{
    if (!is_word(at, "or") && !is_word(at, "and"))
        return false;
    return end - at > 2 && at[1].raw == SG_RAW_ID &&
           !is_word(&at[1], "either") && !is_word(&at[2], "is");
}

static uint8_t
word_kind(const struct sg_token *at)
{
    for (size_t i = 0; i < SG_COUNT_OF(words); i++) {
        if (is_word(at, words[i].text))
            return words[i].kind;
    }
    return SG_TOKEN_ID;
}

// Kind of the token at, and how many raw tokens it is made of.
static unsigned
classify(struct sg_token *at, const struct sg_token *end)
{
    static const uint8_t plain[] = {
        [SG_RAW_END] = SG_TOKEN_END,       [SG_RAW_NUMBER] = SG_TOKEN_NUMBER,
        [SG_RAW_DATE] = SG_TOKEN_DATE,     [SG_RAW_STRING] = SG_TOKEN_STRING,
        [SG_RAW_COMMA] = SG_TOKEN_COMMA,   [SG_RAW_EQUALS] = SG_TOKEN_EQUALS,
        [SG_RAW_OPEN] = SG_TOKEN_OPEN,     [SG_RAW_CLOSE] = SG_TOKEN_CLOSE,
    };
    if (at->raw != SG_RAW_ID) {
        at->kind = plain[at->raw];
        return 1;
    }
    if (end - at > 3 && is_word(at, "not") &&
        pair_kind(at + 1) == SG_TOKEN_SAME_AS) {
        at->kind = SG_TOKEN_NOT_SAME_AS;
        return 3;
    }
    at->kind = end - at > 2 ? pair_kind(at) : 0;
    if (at->kind != 0)
        return 2;
    at->kind = is_of_list(at, end) ? SG_TOKEN_LIST_OR : word_kind(at);
    return 1;
}

static const char *
kind_text(unsigned kind, char out[24])
{
    static const struct word others[] = {
        {"a word", SG_TOKEN_ID},
        {"a text in quotes", SG_TOKEN_STRING},
        {"a number", SG_TOKEN_NUMBER},
        {"a date like 2027-01-31", SG_TOKEN_DATE},
        {"a comma", SG_TOKEN_COMMA},
        {"\"=\"", SG_TOKEN_EQUALS},
        {"\"(\"", SG_TOKEN_OPEN},
        {"\")\"", SG_TOKEN_CLOSE},
        {"the end of the file", SG_TOKEN_END},
        {"\"is one of\"", SG_TOKEN_ONE_OF},
        {"\"none of\"", SG_TOKEN_NONE_OF},
        {"\"at least\"", SG_TOKEN_AT_LEAST},
        {"\"at most\"", SG_TOKEN_AT_MOST},
        {"\"same as\"", SG_TOKEN_SAME_AS},
        {"\"not same as\"", SG_TOKEN_NOT_SAME_AS},
        {"\"or\"", SG_TOKEN_LIST_OR},
    };
    for (size_t i = 0; i < SG_COUNT_OF(words); i++) {
        if (words[i].kind == kind) {
            snprintf(out, 24, "\"%s\"", words[i].text);
            return out;
        }
    }
    for (size_t i = 0; i < SG_COUNT_OF(others); i++) {
        if (others[i].kind == kind)
            return others[i].text;
    }
    return "a word";
}

static void
wanted_add(struct wanted *w, unsigned kind)
{
    if (kind == SG_TOKEN_LIST_OR)
        return; // said by the comma beside it
    if (w->count < WANTED_MOST)
        w->kinds[w->count] = kind;
    w->count++;
}

// `destination is KE, UG`: the commonest slip has its own cure.
static bool
is_list_without_of(const struct sg_build *b, const struct sg_token *at)
{
    return at->kind == SG_TOKEN_COMMA && at - b->tokens >= 2 &&
           (is_word(&at[-2], "is") || is_word(&at[-2], "not"));
}

static void
syntax_error(struct sg_build *b, const struct sg_token *at,
             const struct wanted *w)
{
    char expected[200] = "", one[24];
    size_t len = 0;
    if (at->raw != SG_RAW_END && is_list_without_of(b, at)) {
        sg_build_fail(b, at, "a list needs \"is one of\"");
        return;
    }
    if (b->depth > 0 &&
        (at->kind == SG_TOKEN_RULE || at->kind == SG_TOKEN_NEVER ||
         at->kind == SG_TOKEN_TEST || at->kind == SG_TOKEN_POLICY)) {
        sg_build_fail(b, at,
                      "in the included file: only definitions may be "
                      "included, found \"" SG_SLICE_FMT "\"",
                      SG_SLICE_ARG(at->text));
        return;
    }
    for (unsigned i = 0; w->count <= WANTED_MOST && i < w->count; i++) {
        const char *glue = i == 0 ? "" : i + 1 == w->count ? " or " : ", ";
        len += (size_t)snprintf(expected + len, sizeof expected - len, "%s%s",
                                glue, kind_text(w->kinds[i], one));
    }
    if (at->raw == SG_RAW_END)
        sg_build_fail(b, at, "the text ends too early%s%s",
                      len > 0 ? "; expected " : "", expected);
    else if (len > 0)
        sg_build_fail(b, at, "expected %s, found \"" SG_SLICE_FMT "\"",
                      expected, SG_SLICE_ARG(at->text));
    else
        sg_build_fail(b, at, "\"" SG_SLICE_FMT "\" does not belong here",
                      SG_SLICE_ARG(at->text));
}

void
sg_grammar_run(struct sg_build *b, struct sg_slice text, bool included)
{
    struct sg_token *tokens;
    size_t count;
    yyParser parser;
    if (!sg_scan_text(b, text, &tokens, &count))
        return;
    const struct sg_token *outer = b->tokens;
    size_t outer_count = b->token_count;
    b->tokens = tokens;
    b->token_count = count;
    sg_grammarInit(&parser, b);
    sg_grammar(&parser, included ? SG_TOKEN_START_INCLUDE
                                 : SG_TOKEN_START_POLICY, tokens);
    for (size_t i = 0; i < count && b->err == SG_OK;) {
        unsigned used = classify(&tokens[i], tokens + count);
        sg_grammar(&parser, tokens[i].kind, &tokens[i]);
        i += used;
    }
    if (b->err == SG_OK)
        sg_grammar(&parser, 0, NULL);
    sg_grammarFinalize(&parser);
    b->tokens = outer;
    b->token_count = outer_count;
}
}
