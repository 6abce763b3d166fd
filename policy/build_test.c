// Tests: given facts, what is expected.
#include "policy/build.h"

void
sg_build_test_begin(struct sg_build *b, const struct sg_token *at,
                    const struct sg_token *name, const struct sg_token *day)
{
    struct sg_test *test = sg_build_take(b, sizeof *test);
    if (test == NULL)
        return;
    test->name = name->text;
    test->line = at->line;
    test->column = at->column;
    test->has_day = day != NULL;
    if (day != NULL && !sg_policy_day_parse(day->text, &test->day))
        sg_build_fail(b, day,
                      "there is no day " SG_SLICE_FMT " in the calendar",
                      SG_SLICE_ARG(day->text));
    b->test = test;
    *b->tests_end = test;
    b->tests_end = &test->next;
}

// Facts are kept last first, and a later one wins.
static void
apply(struct sg_request *given, const struct sg_fact *facts)
{
    uint64_t set = 0;
    for (; facts != NULL; facts = facts->next) {
        if ((set >> facts->attr & 1) == 0)
            given->code[facts->attr] = facts->code;
        set |= 1ull << facts->attr;
    }
}

void
sg_build_given_example(struct sg_build *b, const struct sg_token *name)
{
    char cure[160];
    if (b->err != SG_OK)
        return;
    for (const struct sg_example *e = b->file->examples; e != NULL;
         e = e->next) {
        if (sg_slice_eq(e->name, name->text)) {
            apply(&b->test->given, e->facts);
            return;
        }
    }
    sg_cure_example(b, name->text, cure, sizeof cure);
    sg_build_fail(b, name, "unknown example \"" SG_SLICE_FMT "\"%s",
                  SG_SLICE_ARG(name->text), cure);
}

void
sg_build_given(struct sg_build *b, struct sg_fact *facts)
{
    if (b->err == SG_OK)
        apply(&b->test->given, facts);
}

void
sg_build_expect(struct sg_build *b, enum sg_verdict verdict, bool incomplete)
{
    if (b->err != SG_OK)
        return;
    b->test->verdict = (uint8_t)verdict;
    b->test->incomplete = incomplete;
}

void
sg_build_expect_by(struct sg_build *b, const struct sg_token *name)
{
    if (b->err != SG_OK)
        return;
    b->test->has_by = true;
    b->test->by = name->text;
}

void
sg_build_expect_with(struct sg_build *b, const struct sg_obligation *one)
{
    if (b->err != SG_OK)
        return;
    struct sg_test *test = b->test;
    struct sg_obligation *list =
        sg_build_take(b, (test->with_count + 1) * sizeof *list);
    if (list == NULL)
        return;
    if (test->with_count > 0)
        memcpy(list, test->with, test->with_count * sizeof *list);
    list[test->with_count++] = *one;
    test->with = list;
}
