/* SPDX-License-Identifier: MIT */
/* What the process may take for as long as it lives. Calls: mmap, prlimit. */
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

/* Descriptors that this process may have at once, after asking for as many as it may ask for. At least 64. */
size_t memory_descriptors(void);

#endif
