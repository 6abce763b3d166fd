// golden - reads tests/golden/policy/*.case (README.md there) and decides them.
#pragma once

#include "tests/unit/policy/fixture.h"

struct golden {
    struct world world;
    char path[256];
    char base[4096];
    char texts[8][8192]; // of the files
    size_t text_count;
    bool loaded;
    // the case at hand
    char name[256];
    bool has_case;
    struct sg_request given;
    struct sg_context context;
    struct sg_obligation promises[8];
    uint32_t day;
    char verdict[16], why[32];
    char rules[8][96], obligations[8][96];
    size_t rule_count, obligation_count;
    uint64_t waits, missing;
    bool says_waits;
    unsigned cases;
};

// Runs every case of the file; failures name file and case.
static inline unsigned golden_run(const char *path);

static inline void
golden_fail(const struct golden *g, const char *what, const char *have)
{
    fail_msg("%s: case \"%s\": %s, have %s", g->path, g->name, what, have);
}

static inline void
golden_check_lists(const struct golden *g, const struct sg_decision *d)
{
    char text[96];
    bool none = g->rule_count == 1 && strcmp(g->rules[0], "-") == 0;
    size_t rules = none ? 0 : g->rule_count;
    if ((g->rule_count > 0) && d->rules_count != rules)
        golden_fail(g, "other number of rules", "");
    for (size_t i = 0; i < rules; i++) {
        struct sg_slice name = sg_policy_rule_name(g->world.set, d->rules[i]);
        if (!sg_slice_eq(name, sg_slice_text(g->rules[i])))
            golden_fail(g, g->rules[i], "another rule");
    }
    if (g->obligation_count > 0 && d->obligations_count != g->obligation_count)
        golden_fail(g, "other number of obligations", "");
    for (size_t i = 0; i < g->obligation_count; i++) {
        sg_obligation_print(&d->obligations[i], text, sizeof text);
        if (strcmp(text, g->obligations[i]) != 0)
            golden_fail(g, g->obligations[i], text);
    }
}

static inline void
golden_finish(struct golden *g)
{
    struct sg_decision d;
    struct sg_rules *rules;
    if (!g->has_case)
        return;
    g->has_case = false;
    g->cases++;
    assert_int_equal(
        sg_compile_slice(g->world.arena, g->world.set, g->day, 1, &rules),
        SG_OK);
    sg_decide_request(rules, &g->given, g->day, &g->context, &d);
    const char *verdict = sg_decide_verdict((enum sg_verdict)d.verdict);
    const char *why = sg_decide_why((enum sg_why)d.why);
    if (strcmp(verdict, g->verdict) != 0)
        golden_fail(g, g->verdict, why);
    if (strcmp(why, g->why) != 0)
        golden_fail(g, g->why, why);
    golden_check_lists(g, &d);
    if (g->says_waits && d.waiting_for != g->waits)
        golden_fail(g, "waits", "for something else");
    if (g->missing != 0 && d.missing != g->missing)
        golden_fail(g, "missing", "something else");
}

static inline void
golden_begin(struct golden *g, const char *name)
{
    golden_finish(g);
    if (!g->loaded)
        world_must_load(&g->world);
    g->loaded = true;
    g->has_case = true;
    snprintf(g->name, sizeof g->name, "%s", name);
    memset(&g->given, 0, sizeof g->given);
    facts(&g->world, &g->given, g->base);
    g->context = generous;
    g->day = g->world.day;
    g->rule_count = g->obligation_count = 0;
    g->waits = g->missing = 0;
    g->says_waits = false;
    g->verdict[0] = g->why[0] = '\0';
}

static inline void
golden_promises(struct golden *g, char *words)
{
    g->context.promises_anything = false;
    g->context.promises = g->promises;
    g->context.promises_count = 0;
    for (char *one = strtok(words, ","); one != NULL; one = strtok(NULL, ",")) {
        char name[64], arg[32];
        int n = sscanf(one, " %63s %31s", name, arg);
        struct sg_slice args[1] = {sg_slice_text(arg)};
        assert_true(
            sg_obligation_parse(sg_slice_text(name), args, n == 2 ? 1 : 0,
                                &g->promises[g->context.promises_count++]));
    }
}

static inline void
golden_with(struct golden *g, char *words)
{
    if (strcmp(words, "law_of_the_area") == 0)
        g->context.law_of_the_area = true;
    else if (strncmp(words, "held ", 5) == 0)
        g->context.held_days = (uint32_t)atoi(words + 5);
    else if (strncmp(words, "cannot ", 7) == 0)
        g->context.performs &=
            ~(1u << sg_obligation_named(sg_slice_text(words + 7)));
    else if (strncmp(words, "promises ", 9) == 0)
        golden_promises(g, words + 9);
    else
        golden_fail(g, "unknown words after with", words);
}

static inline uint64_t
golden_attr(const struct golden *g, const char *name)
{
    enum sg_attr a = sg_vocabulary_attr_named(sg_slice_text(name));
    if (a == SG_ATTR_COUNT)
        golden_fail(g, "no attribute", name);
    return 1ull << a;
}

static inline void
golden_expectation(struct golden *g, const char *word, char *rest)
{
    if (strcmp(word, "expect") == 0)
        sscanf(rest, "%15s %31s", g->verdict, g->why);
    else if (strcmp(word, "rule") == 0)
        snprintf(g->rules[g->rule_count++], sizeof g->rules[0], "%s", rest);
    else if (strcmp(word, "oblige") == 0)
        snprintf(g->obligations[g->obligation_count++],
                 sizeof g->obligations[0], "%s", rest);
    else if (strcmp(word, "missing") == 0)
        g->missing |= golden_attr(g, rest);
    else if (strcmp(word, "waits") == 0) {
        g->waits |= golden_attr(g, rest);
        g->says_waits = true;
    } else
        golden_fail(g, "unknown word", word);
}

static inline void
golden_line(struct golden *g, const char *word, char *rest)
{
    if (strcmp(word, "file") == 0) {
        static char names[8][64];
        snprintf(names[g->text_count], sizeof names[0], "%s", rest);
        world_add(&g->world, names[g->text_count], g->texts[g->text_count]);
        g->text_count++;
    } else if (strcmp(word, "|") == 0) {
        char *text = g->texts[g->text_count - 1];
        strcat(strcat(text, rest), "\n");
        g->world.files[g->world.count - 1].text = sg_slice_text(text);
    } else if (strcmp(word, "base") == 0 || strcmp(word, "+") == 0) {
        strcat(strcat(g->base, rest), ", ");
    } else if (strcmp(word, "case") == 0) {
        golden_begin(g, rest);
    } else if (strcmp(word, "given") == 0) {
        facts(&g->world, &g->given, rest);
    } else if (strcmp(word, "with") == 0) {
        golden_with(g, rest);
    } else if (strcmp(word, "on") == 0) {
        assert_true(sg_policy_day_parse(sg_slice_text(rest), &g->day));
    } else {
        golden_expectation(g, word, rest);
    }
}

static inline unsigned
golden_run(const char *path)
{
    struct golden *g = calloc(1, sizeof *g);
    char line[1024], word[16];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(g);
    snprintf(g->path, sizeof g->path, "%s", path);
    world_begin(&g->world);
    while (fgets(line, sizeof line, file) != NULL) {
        int used = 0;
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || sscanf(line, "%15s %n", word, &used) != 1)
            continue;
        golden_line(g, word, line + used);
    }
    golden_finish(g);
    fclose(file);
    world_end(&g->world);
    unsigned cases = g->cases;
    free(g);
    return cases;
}
