/* SPDX-License-Identifier: MIT */
#include "core/wide.h"

#include <stdbool.h>

struct wide wide_mul(uint64_t a, uint64_t b)
{
	uint64_t a_hi = a >> 32, a_lo = (uint32_t)a;
	uint64_t b_hi = b >> 32, b_lo = (uint32_t)b;
	uint64_t low = a_lo * b_lo;
	uint64_t mid = a_hi * b_lo + (low >> 32);
	uint64_t mid2 = a_lo * b_hi + (uint32_t)mid;

	return (struct wide){ a_hi * b_hi + (mid >> 32) + (mid2 >> 32), mid2 << 32 | (uint32_t)low };
}

struct wide wide_add(struct wide a, struct wide b)
{
	uint64_t lo = a.lo + b.lo;

	return (struct wide){ a.hi + b.hi + (lo < a.lo), lo };
}

struct wide wide_sub(struct wide a, struct wide b)
{
	return (struct wide){ a.hi - b.hi - (a.lo < b.lo), a.lo - b.lo };
}

uint64_t wide_div(struct wide a, uint64_t by)
{
	uint64_t quotient = 0, rest = a.hi;

	if (a.hi >= by)
		return UINT64_MAX;
	for (int i = 63; i >= 0; i--) {
		bool carry = rest >> 63;

		rest = rest << 1 | (a.lo >> i & 1);
		if (carry || rest >= by) {
			rest -= by;
			quotient |= UINT64_C(1) << i;
		}
	}
	return quotient;
}

uint64_t wide_muldiv(uint64_t a, uint64_t b, uint64_t by)
{
	return wide_div(wide_mul(a, b), by);
}

uint64_t wide_isqrt(uint64_t v)
{
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 31; bit > 0; bit >>= 1)
		if ((root | bit) * (root | bit) <= v)
			root |= bit;
	return root;
}

/*
 * With sum = n * mean + rest, the squares about the whole-numbered mean add up to
 * sumsq - mean * (sum + rest), and about the true mean to rest^2 / n less: all exact.
 */
uint64_t wide_deviation(uint64_t n, uint64_t sum, struct wide sumsq)
{
	uint64_t mean = sum / n, rest = sum % n;
	struct wide about = wide_sub(sumsq, wide_add(wide_mul(mean, sum), wide_mul(mean, rest)));
	struct wide round_up = wide_add(wide_mul(rest, rest), (struct wide){ 0, n - 1 });
	unsigned halved = 0;

	about = wide_sub(about, (struct wide){ 0, wide_div(round_up, n) });
	for (; about.hi >= n; halved++)
		about = (struct wide){ about.hi >> 2, about.hi << 62 | about.lo >> 2 };
	return wide_isqrt(wide_div(about, n)) << halved;
}
