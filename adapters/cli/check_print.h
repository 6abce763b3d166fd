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

enum { SG_CHECK_NAME = 512, SG_CHECK_VERSIONS = 8 };

struct sg_check_result {
    const char *path;
    uint64_t observations;
    bool accepted;
    struct sg_report *report;
    const struct sg_check_occurrences *occurrences; // --all
    enum sg_media media;
    const struct sg_structure *structure; // NULL: none was found
    // Other versions of the structure under which it is accepted.
    char under[SG_CHECK_VERSIONS][SG_CHECK_NAME];
    uint32_t under_count;
};

// false: no memory.
bool sg_check_print_keep(struct sg_check_occurrences *occurrences,
                         const struct sg_fault *fault);
void sg_check_print_drop(struct sg_check_occurrences *occurrences);
// A report as text, for those who have it from elsewhere: one line of it with
// its cure (count: how often it occurs), text of others in which nothing steers
// a terminal, and the sum.
void sg_check_print_fault(const char *path, const struct sg_fault *fault,
                          uint64_t count);
void sg_check_print_plain(struct sg_slice text);
struct sg_check_sum {
    uint64_t observations, faults, warnings;
    uint64_t not_listed; // of the faults
    bool accepted;
};
void sg_check_print_sum(const char *path, const struct sg_check_sum *sum);
void sg_check_print(const struct sg_check_print_options *options,
                    const struct sg_check_result *result);
