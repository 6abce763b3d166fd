#include "adapters/cli/policy_request.h"

#include <stdio.h>
#include <string.h>

#include "adapters/cli/usage.h"

static void
complain(const char *what, struct sg_slice word)
{
    (void)sg_cli_say(SG_ERR_SYNTAX, NULL, "%s \"" SG_SLICE_FMT "\"", what,
                     SG_SLICE_ARG(word));
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct sg_slice
next_word(const char **at)
{
    while (is_space(**at))
        (*at)++;
    const char *begin = *at;
    while (**at != '\0' && **at != ',' && !is_space(**at))
        (*at)++;
    return sg_slice_of(begin, (size_t)(*at - begin));
}

static uint16_t
code_of(const struct sg_policy_set *set, enum sg_attr attr,
        struct sg_slice text)
{
    uint16_t code = sg_vocabulary_code(attr, text);
    if (attr == SG_ATTR_PARTY && code == 0 &&
        !sg_slice_eq(text, SG_SLICE("unknown")))
        return sg_policy_party(set, text);
    return code;
}

// A code that is mistyped would be unknown, and the answer about another request.
static bool
is_code(enum sg_attr attr, uint16_t code, struct sg_slice text)
{
    const char *near = NULL;
    char word[64];

    if (code != 0 || sg_slice_eq(text, SG_SLICE("unknown")))
        return true;
    (void)snprintf(word, sizeof word, SG_SLICE_FMT, SG_SLICE_ARG(text));
    for (uint16_t i = 1; attr != SG_ATTR_PARTY && near == NULL &&
                         i < sg_vocabulary_code_count(attr);
         i++)
        near = sg_usage_near(word, sg_vocabulary_text(attr, i))
                   ? sg_vocabulary_text(attr, i)
                   : NULL;
    (void)sg_cli_say(SG_ERR_SYNTAX,
                     "statgate-policy(5) lists the codes; unknown says that it "
                     "is not known",
                     near == NULL ? "\"%s\" is no code of %s"
                                  : "\"%s\" is no code of %s; did you mean "
                                    "\"%s\"?",
                     word, sg_vocabulary_attr(attr)->name, near);
    return false;
}

bool
sg_policy_request_words(const struct sg_policy_set *set, const char *words,
                        struct sg_policy_request *r)
{
    const char *at = words;
    for (;;) {
        struct sg_slice name = next_word(&at), text = next_word(&at);
        enum sg_attr attr = sg_vocabulary_attr_named(name);
        if (attr == SG_ATTR_COUNT) {
            complain("unknown attribute", name);
            return false;
        }
        r->q.code[attr] = code_of(set, attr, text);
        if (!is_code(attr, r->q.code[attr], text))
            return false;
        while (is_space(*at))
            at++;
        if (*at == '\0')
            return true;
        if (*at != ',') {
            complain("expected a comma before", next_word(&at));
            return false;
        }
        at++;
    }
}

static uint16_t
json_code(const struct sg_policy_set *set, enum sg_attr attr,
          const json_t *value)
{
    const char *text = json_string_value(value);
    return text == NULL ? 0 : code_of(set, attr, sg_slice_text(text));
}

enum { TERMS_MAX = 512 };

static void
take_stated(const struct sg_policy_set *set, enum sg_attr attr,
            const json_t *value, struct sg_policy_request *r)
{
    uint16_t terms[TERMS_MAX];
    const json_t *list = json_object_get(value, "terms");
    const json_t *derived = json_object_get(value, "derived");
    struct sg_stated stated = {
        .claim = json_code(set, attr, json_object_get(value, "claim")),
        .terms = terms,
        .has_derived = json_is_string(derived),
        .derived = json_code(set, attr, derived),
    };
    for (size_t i = 0; i < json_array_size(list) && i < TERMS_MAX; i++)
        terms[stated.terms_count++] =
            json_code(set, attr, json_array_get(list, i));
    if (!sg_vocabulary_strictest(attr, &stated, &r->q.code[attr]))
        r->outside = true;
}

static bool
take_performed(const json_t *list, struct sg_policy_request *r)
{
    size_t count = json_array_size(list);
    if (list == NULL)
        return true;
    r->context.second = true;
    r->context.performed = r->performed;
    for (size_t i = 0; i < count && i < SG_LIMIT_OBLIGATIONS; i++) {
        const json_t *one = json_array_get(list, i);
        const json_t *args = json_array_get(one, 1);
        const char *name = json_string_value(json_array_get(one, 0));
        struct sg_slice words[2];
        char numbers[2][24];
        size_t n = json_array_size(args);
        if (name == NULL || n > 2)
            return false;
        for (size_t k = 0; k < n; k++) {
            const json_t *arg = json_array_get(args, k);
            snprintf(numbers[k], sizeof numbers[k], "%lld",
                     (long long)json_integer_value(arg));
            words[k] = sg_slice_text(
                json_is_string(arg) ? json_string_value(arg) : numbers[k]);
        }
        if (!sg_obligation_parse(sg_slice_text(name), words, n,
                                 &r->performed[i]))
            return false;
        r->context.performed_count++;
    }
    return true;
}

static void
take_cannot(const json_t *list, struct sg_policy_request *r)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        enum sg_obligation_name id = sg_obligation_named(sg_slice_text(name));
        if (id != SG_OBLIGATION_COUNT)
            r->context.performs &= ~(1u << id);
    }
}

static bool
take_day(const json_t *value, struct sg_policy_request *r)
{
    const char *text = json_string_value(value);
    if (value == NULL)
        return true;
    r->has_day = true;
    return text != NULL && sg_policy_day_parse(sg_slice_text(text), &r->day);
}

// A name that is mistyped would leave its attribute unknown, and the answer
// would be about another request.
static bool
names_fit(json_t *json)
{
    static const char *const others[] = {"law_of_the_area", "held_days",
                                         "cannot", "on", "performed"};
    const char *name, *near = NULL;
    const json_t *value;

    json_object_foreach(json, name, value)
    {
        bool fits =
            sg_vocabulary_attr_named(sg_slice_text(name)) != SG_ATTR_COUNT;
        for (size_t i = 0; i < SG_COUNT_OF(others) && !fits; i++)
            fits = strcmp(name, others[i]) == 0;
        if (fits)
            continue;
        for (unsigned a = 0; a < SG_ATTR_COUNT && near == NULL; a++) {
            const char *known = sg_vocabulary_attr((enum sg_attr)a)->name;
            near = sg_usage_near(name, known) ? known : NULL;
        }
        (void)sg_cli_say(SG_ERR_SYNTAX,
                         "statgate-policy(5) lists the attributes",
                         near == NULL ? "unknown attribute \"%s\""
                                      : "unknown attribute \"%s\"; did you "
                                        "mean \"%s\"?",
                         name, near);
        return false;
    }
    return true;
}

bool
sg_policy_request_json(const struct sg_policy_set *set, json_t *json,
                       struct sg_policy_request *r)
{
    if (!names_fit(json))
        return false;
    for (unsigned a = 0; a < SG_ATTR_COUNT; a++) {
        const char *name = sg_vocabulary_attr((enum sg_attr)a)->name;
        const json_t *value = json_object_get(json, name);
        if (json_is_object(value))
            take_stated(set, (enum sg_attr)a, value, r);
        else if (value != NULL)
            r->q.code[a] = json_code(set, (enum sg_attr)a, value);
        if (json_is_string(value) &&
            !is_code((enum sg_attr)a, r->q.code[a],
                     sg_slice_text(json_string_value(value))))
            return false;
    }
    r->context.law_of_the_area =
        json_is_true(json_object_get(json, "law_of_the_area"));
    r->context.held_days =
        (uint32_t)json_integer_value(json_object_get(json, "held_days"));
    take_cannot(json_object_get(json, "cannot"), r);
    if (!take_day(json_object_get(json, "on"), r) ||
        !take_performed(json_object_get(json, "performed"), r)) {
        (void)sg_cli_say(SG_ERR_SYNTAX, NULL,
                         "the request's \"on\" or \"performed\" is malformed");
        return false;
    }
    return true;
}
