/* SPDX-License-Identifier: MIT */
/* Sentences with figures in them: above the plain text and the units, which it brings together. */
#ifndef CORE_TEXT_PUT_H
#define CORE_TEXT_PUT_H

#include <stdarg.h>

#include "core/addr.h"

/**
 * text_put() - A sentence
 * @format:  written as it stands, but for these, which each take an argument of exactly this type:
 *
 *	%s  const char *   made safe for a terminal, as text_safe()
 *	%v  struct slice   the same
 *	%q  struct slice   the same in single quotes, cut with ... past 80 bytes
 *	%a  struct addr *  as addr_put()
 *	%d  int64_t        a whole number
 *	%m  int64_t        nanoseconds as units_put_ms(); - where UNKNOWN
 *	%t  int64_t        nanoseconds as units_put_duration()
 *	%p  int64_t        parts per million as units_put_percent(); - where UNKNOWN
 *	%b  int64_t        bits a second as units_put_bitrate()
 *	%%                 a percent sign
 */
void text_put(struct text *t, const char *format, ...);
void text_put_args(struct text *t, const char *format, va_list args);

#endif
