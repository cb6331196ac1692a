/* SPDX-License-Identifier: MIT */
#include "sys/memory.h"

#include <errno.h>
#include <sys/mman.h>

#include "sys/fail.h"

void *memory_get(size_t n, size_t size, struct fault *why)
{
	void *p = MAP_FAILED;

	if (n > SIZE_MAX / size)
		errno = ENOMEM;
	else
		p = mmap(NULL, n * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p != MAP_FAILED)
		return p;
	fail_fault(why, "cannot get enough memory", SLICE(""));
	return NULL;
}
