#include "adapters/cli/report_print.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "adapters/cli/check_print.h"

static struct sg_slice
text_of(const json_t *fault, const char *name)
{
    const json_t *value = json_object_get(fault, name);

    return sg_slice_of(json_string_value(value), json_string_length(value));
}

static uint64_t
number_of(const json_t *object, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(object, name));

    return value < 0 ? 0 : (uint64_t)value;
}

static uint64_t
print_list(const char *path, const json_t *list, bool warnings)
{
    uint64_t all = 0;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *from = json_array_get(list, i);
        struct sg_fault fault = {.warning = warnings,
                                 .component = text_of(from, "component"),
                                 .value = text_of(from, "value"),
                                 .hint = text_of(from, "hint"),
                                 .row = number_of(from, "row"),
                                 .line = number_of(from, "line")};
        struct sg_slice code = text_of(from, "code");
        uint64_t count = number_of(from, "count");
        all += count;
        if (sg_fault_named(code, &fault.code)) {
            sg_check_print_fault(path, &fault, count);
        } else { // of a newer gate
            printf("%s: ", path);
            sg_check_print_plain(code);
            putchar(' ');
            sg_check_print_plain(fault.component);
            putchar('\n');
        }
    }
    return all;
}

void
sg_report_print(const char *path, const char *json)
{
    json_t *report = json_loads(json, 0, NULL);
    uint64_t listed =
        print_list(path, json_object_get(report, "faults"), false);
    struct sg_check_sum sum = {
        .observations = number_of(report, "observations"),
        .faults = number_of(report, "faults_total"),
        .warnings = print_list(path, json_object_get(report, "warnings"), true),
        .accepted =
            sg_slice_eq(text_of(report, "verdict"), SG_SLICE("accept"))};

    sum.not_listed = sum.faults > listed ? sum.faults - listed : 0;
    sg_check_print_sum(path, &sum);
    json_decref(report);
}
