/* SPDX-License-Identifier: MIT */
/* Calls: getrandom, or /dev/urandom before 3.17. */
#ifndef SYS_RANDOM_H
#define SYS_RANDOM_H

#include "core/fault.h"

/* @n unpredictable bytes. Return: false with @why where this machine has none. */
bool random_fill(void *out, size_t n, struct fault *why);

#endif
