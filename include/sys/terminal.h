/* SPDX-License-Identifier: MIT */
/* Standard output and error, and what they are. Calls: write, isatty, poll, ioctl(TIOCGWINSZ), tcgetpgrp, getpgrp. */
#ifndef SYS_TERMINAL_H
#define SYS_TERMINAL_H

#include "core/fault.h"

enum { TERMINAL_OUT = 1, TERMINAL_ERR = 2 };

/* Write all of it. Return: false where nobody reads any more (EPIPE) or the disk is full. */
bool terminal_write(int fd, struct slice s);

/* Why that was false, in words; false where nothing failed or only a reader went away, which is no failure of ours. */
bool terminal_fault(struct fault *why);

bool terminal_is(int fd);

/* Columns of the terminal behind @fd, 80 where it does not say; rows, 24 where it does not. */
size_t terminal_columns(int fd);
size_t terminal_rows(int fd);

/* Would it take more within @ms, or is it slower, or stopped with Ctrl-S? */
bool terminal_ready(int fd, int ms);

/* No other job of the session has the terminal behind @fd, as while this one is in the background. */
bool terminal_is_ours(int fd);

/* A variable of the environment; empty where there is none of that name. */
struct slice terminal_environment(const char *name);

/* A terminal that can redraw a line: is one, and TERM is neither unset nor "dumb". */
bool terminal_can_redraw(int fd);

/* It can show more than ASCII: the locale is UTF-8, and it is not the console of Linux, whose font has too little. */
bool terminal_utf8(void);

/* NO_COLOR is set and not empty. */
bool terminal_no_color(void);

#endif
