/* SPDX-License-Identifier: MIT */
/* Standard input, as a whole. Calls: read. */
#ifndef SYS_INPUT_H
#define SYS_INPUT_H

#include "core/fault.h"

/* Up to @cap bytes into @p, to its end; NULs become line ends. *ret_n == @cap may mean that there is more. */
bool input_read(char *p, size_t cap, size_t *ret_n, struct fault *why);

#endif
