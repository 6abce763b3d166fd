// policy_files - policies named on the command line, read and loaded.
//
// A folder stands for all its *.policy files, in order of their names. What a
// policy includes is read from beside it. Owns all texts and the set.
#pragma once

#include "adapters/cli/cli.h"
#include "policy/compile.h"

enum { SG_POLICY_FILES_MAX = 1024 };

struct sg_policy_files {
    struct sg_policy_file files[SG_POLICY_FILES_MAX];
    size_t count;
    void *owned[4 * SG_POLICY_FILES_MAX]; // texts and names, to be freed
    size_t owned_count;
    struct sg_arena *arena;
    struct sg_policy_set *set; // NULL until loaded
};

// NULL: no memory.
struct sg_policy_files *sg_policy_files_new(void);
void sg_policy_files_free(struct sg_policy_files **files);
// Adds a file or folder. The exit status, 0 done; says on stderr what failed.
int sg_policy_files_add(struct sg_policy_files *files, const char *path);
// Parses all. The exit status; a fault is said as FILE:LINE:COLUMN.
int sg_policy_files_load(struct sg_policy_files *files);
// Rules for a day, kept until the next day asked for needs others. NULL: said.
struct sg_rules *sg_policy_files_rules(struct sg_policy_files *files,
                                       uint32_t day);
