// check_print - how a check's report looks: text, JSON, ESS.
//
// Owns nothing but the occurrences that --all lists; everything goes to
// stdout. JSON is the contract of ARCHITECTURE 12: bytes that are no UTF-8 come
// out as U+FFFD, so the object is always valid.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/sdmx/obs.h"
#include "schemas/sdmx/report.h"

enum sg_check_print_form {
    SG_CHECK_PRINT_TEXT = 0,
    SG_CHECK_PRINT_JSON,
    SG_CHECK_PRINT_ESS, // one record a cause (data-cleaning/ValidatReport)
};

struct sg_check_print_options {
    const char *foreign; // what the file is; said in place of the cures
    enum sg_check_print_form form;
    bool all;
};

struct sg_check_occurrences { // copies, freed by _drop
    struct sg_fault *list;
    size_t count, cap;
};

struct sg_check_result {
    const char *path;
    uint64_t observations;
    bool accepted;
    struct sg_report *report;
    const struct sg_check_occurrences *occurrences; // --all
    enum sg_media media;
    const struct sg_structure *structure; // NULL: none was found
};

// false: no memory.
bool sg_check_print_keep(struct sg_check_occurrences *occurrences,
                         const struct sg_fault *fault);
void sg_check_print_drop(struct sg_check_occurrences *occurrences);
// One line of a report and its cure, as text; count: how often it occurs.
void sg_check_print_fault(const char *path, const struct sg_fault *fault,
                          uint64_t count);
void sg_check_print(const struct sg_check_print_options *options,
                    const struct sg_check_result *result);
