/* SPDX-License-Identifier: MIT */
#include "sys/memory.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

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

size_t memory_descriptors(void)
{
	struct rlimit limit;

	if (prlimit(0, RLIMIT_NOFILE, NULL, &limit) != 0)
		return 1024;
	limit.rlim_cur = limit.rlim_max;
	prlimit(0, RLIMIT_NOFILE, &limit, NULL);
	if (prlimit(0, RLIMIT_NOFILE, NULL, &limit) != 0 || limit.rlim_cur > SIZE_MAX)
		return SIZE_MAX;
	return limit.rlim_cur < 64 ? 64 : (size_t)limit.rlim_cur;
}
