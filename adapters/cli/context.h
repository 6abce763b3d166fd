// context - which home, at which gate, when nobody says it.
//
// Flags > environment (STATGATE_HOME, STATGATE_GATE) > context in use > file
// (~/.statgate and its home.conf). A context is a file of its name in
// $XDG_CONFIG_HOME/statgate/contexts, ~/.config without it; `use` beside that
// folder names the one in use. Holds no secret.
#pragma once

#include "broker/os/file.h"

struct sg_context {
    char home[SG_OS_PATH];
    char gate[SG_OS_PATH]; // "CONTROL,DATA"; "": as home.conf has it
};

// A name is letters, digits, _ - and . within it.
bool sg_context_name(const char *name);
// The folder of contexts, or the file that names the one in use.
SG_MUST_CHECK bool sg_context_path(const char *what, char out[SG_OS_PATH]);
SG_MUST_CHECK enum sg_err sg_context_read(const char *name,
                                          struct sg_context *out);
// The name in use; "": none.
void sg_context_used(char name[64]);
// The one in use, read once; NULL: none, or its file is gone.
const struct sg_context *sg_context_now(void);
