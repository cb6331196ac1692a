/* SPDX-License-Identifier: MIT */
/* Memory for as long as the process lives. Calls: mmap. */
#ifndef SYS_MEMORY_H
#define SYS_MEMORY_H

#include "core/fault.h"

/**
 * memory_get() - Zeroed room for @n objects of @size bytes, n * size > 0
 *
 * A page costs nothing before it is touched, so room for the most there may be is only a promise.
 * It is never given back. Return: NULL with @why.
 */
void *memory_get(size_t n, size_t size, struct fault *why);

#endif
