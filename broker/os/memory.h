// memory - anonymous files that two of our processes share.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

// A file in memory with these bytes that nobody can change any more, neither
// through this descriptor nor through one handed on.
SG_MUST_CHECK enum sg_err sg_os_memory_sealed(struct sg_slice bytes, int *fd);
// An empty one that may grow; for small outputs of a worker.
SG_MUST_CHECK enum sg_err sg_os_memory_open(int *fd);
// No more writing from now on, whoever holds it.
SG_MUST_CHECK enum sg_err sg_os_memory_seal(int fd);
// The whole file, read-only. Unmap with _unmap. An empty file: SG_ERR_SHORT.
SG_MUST_CHECK enum sg_err sg_os_memory_map(int fd, struct sg_slice *bytes);
void sg_os_memory_unmap(struct sg_slice *bytes);
