// obligation - what a permit obliges gate and recipient to (vocabulary 4).
//
// An obligation is a name of the table and its arguments, in range. Unknown
// names do not exist here: texts that carry one are refused where they are
// read. Merging only ever makes the sum stricter.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/slice.h"
#include "schemas/vocabulary/obligation_table.h"

enum sg_obligation_name {
#define X(name, text, kind, args, least, most, stricter) SG_OBLIGATION_##name,
    SG_OBLIGATION_TABLE(X)
#undef X
        SG_OBLIGATION_COUNT,
};
enum sg_obligation_kind {
    SG_OBLIGATION_KIND_CHECK,
    SG_OBLIGATION_KIND_CHANGE,
    SG_OBLIGATION_KIND_PROMISE,
};

#define SG_OBLIGATION_BIT(name) (1u << SG_OBLIGATION_##name)
// What this version of the gate performs or follows up; all others deny.
#define SG_OBLIGATION_PERFORMED                                                \
    (SG_OBLIGATION_BIT(ATTRIBUTE_SOURCE) | SG_OBLIGATION_BIT(KEEP_LICENCE) |   \
     SG_OBLIGATION_BIT(DELETE_AFTER_DAYS) | SG_OBLIGATION_BIT(NOTIFY_ORIGIN) | \
     SG_OBLIGATION_BIT(NO_ONWARD) | SG_OBLIGATION_BIT(SUPPRESS_SMALL_CELLS))
#define SG_OBLIGATION_ALL ((1u << SG_OBLIGATION_COUNT) - 1)

// One obligation with its arguments. arg: the number; dominance: n, k;
// coarsen_geography: 1 country, 2 admin1, 3 admin2, 4 admin3 in arg[0].
// names: drop_dimensions, bit i is name i of the policy set.
struct sg_obligation {
    uint8_t name;   // enum sg_obligation_name
    uint8_t hidden; // an argument is a protected parameter: traces omit it
    uint32_t arg[2];
    uint64_t names;
};

const char *sg_obligation_text(enum sg_obligation_name name);
enum sg_obligation_kind sg_obligation_kind_of(enum sg_obligation_name name);
// SG_OBLIGATION_COUNT: no such obligation.
enum sg_obligation_name sg_obligation_named(struct sg_slice text);
bool sg_obligation_takes_names(enum sg_obligation_name name);
// country, admin1, admin2, admin3 as 1..4; 0: none of them.
uint32_t sg_obligation_level(struct sg_slice text);
const char *sg_obligation_level_text(uint32_t level);
// How it is written, for messages: "\"k_anonymity\" is written ...(2..1000)".
void sg_obligation_usage(enum sg_obligation_name name, char *out, size_t cap);
unsigned sg_obligation_arg_count(enum sg_obligation_name name); // names: 0
bool sg_obligation_valid(const struct sg_obligation *one); // arguments in range
// "delete_after_days(730)": snprintf into out, NUL-terminated.
void sg_obligation_print(const struct sg_obligation *one, char *out,
                         size_t cap);
// From name and decimal or level arguments, as subscriptions state promises.
// false: unknown name, wrong number or range of arguments, drop_dimensions.
SG_MUST_CHECK bool sg_obligation_parse(struct sg_slice name,
                                       const struct sg_slice *args,
                                       size_t count, struct sg_obligation *out);
// Does promising have (same name) satisfy what wanted asks?
bool sg_obligation_satisfies(const struct sg_obligation *have,
                             const struct sg_obligation *wanted);
// Merges one into list (union, stricter parameter), which stays ordered by
// name. false: list is full.
SG_MUST_CHECK bool sg_obligation_merge(struct sg_obligation *list,
                                       size_t *count, size_t cap,
                                       const struct sg_obligation *one);
