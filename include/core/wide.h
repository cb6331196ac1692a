/* SPDX-License-Identifier: MIT */
/* Sums of squares need more than 64 bits, and 32-bit targets have no __int128. */
#ifndef CORE_WIDE_H
#define CORE_WIDE_H

#include <stdint.h>

struct wide {
	uint64_t hi, lo;
};

struct wide wide_mul(uint64_t a, uint64_t b);
struct wide wide_add(struct wide a, struct wide b);

/* @a - @b; @a must not be less. */
struct wide wide_sub(struct wide a, struct wide b);

/* @a / @by, rounded down; saturates at UINT64_MAX. @by > 0. */
uint64_t wide_div(struct wide a, uint64_t by);

/* @a * @b / @by without overflow between; saturates. @by > 0. */
uint64_t wide_muldiv(uint64_t a, uint64_t b, uint64_t by);

/* Square root, rounded down. */
uint64_t wide_isqrt(uint64_t v);

/*
 * Population standard deviation of @n > 0 values, each up to 2^53, from their sum and the sum of
 * their squares. Rounded down; above 2^32 only the leading 31 bits are right.
 */
uint64_t wide_deviation(uint64_t n, uint64_t sum, struct wide sumsq);

#endif
