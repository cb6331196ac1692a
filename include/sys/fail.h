/* SPDX-License-Identifier: MIT */
/* The one place where errno becomes something else. */
#ifndef SYS_FAIL_H
#define SYS_FAIL_H

#include "core/fault.h"
#include "core/io.h"

/* The errno of the call that just failed, as an enum io. */
int fail_io(void);

/* The same for a given error number. */
int fail_io_of(int error);

/* What an error number says, in glibc's words whatever the libc. */
void fail_put(struct text *t, int error);

/* `<what> '<object>': <what errno says>`; @object may be empty. Return: false. */
bool fail_fault(struct fault *why, const char *what, struct slice object);

#endif
