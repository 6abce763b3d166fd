// random - bytes that nobody can guess.
#pragma once

#include <stddef.h>

// Waits for the system's pool once after boot. Never fails: without randomness
// the program ends.
void sg_os_random_fill(void *out, size_t len);
