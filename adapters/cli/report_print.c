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
        if (sg_fault_named(code, &fault.code))
            sg_check_print_fault(path, &fault, count);
        else // of a newer gate
            printf("%s: %.*s %.*s\n", path, SG_SLICE_ARG(code),
                   SG_SLICE_ARG(fault.component));
    }
    return all;
}

void
sg_report_print(const char *path, const char *json)
{
    json_t *report = json_loads(json, 0, NULL);
    const json_t *list = json_object_get(report, "faults");

    uint64_t faults = print_list(path, list, false);
    uint64_t warnings =
        print_list(path, json_object_get(report, "warnings"), true);
    printf("%s: %llu observation%s, %llu fault%s, %llu warning%s: %s\n", path,
           (unsigned long long)number_of(report, "observations"),
           number_of(report, "observations") == 1 ? "" : "s",
           (unsigned long long)faults, faults == 1 ? "" : "s",
           (unsigned long long)warnings, warnings == 1 ? "" : "s",
           faults == 0 ? "accept" : "reject");
    json_decref(report);
}
