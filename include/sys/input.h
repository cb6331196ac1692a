/* SPDX-License-Identifier: MIT */
/* Standard input and small files, as a whole. Calls: open, read, close. */
#ifndef SYS_INPUT_H
#define SYS_INPUT_H

#include "core/fault.h"

/* Up to @cap bytes into @p, to its end; NULs become line ends. *ret_n == @cap may mean that there is more. */
bool input_read(char *p, size_t cap, size_t *ret_n, struct fault *why);

/* The first @cap bytes of a file; empty where it cannot be read. */
struct slice input_file(const char *path, char *buf, size_t cap);

#endif
