/* SPDX-License-Identifier: MIT */
#include "out/rank.h"

#include <string.h>

void rank_begin(struct rank *r, size_t room)
{
	r->n = 0;
	r->room = room < RANK_MAX ? room : RANK_MAX;
}

/* Who would be given up first: the last of those with the least score. */
static size_t least_of(const struct rank *r)
{
	size_t least = 0;

	for (size_t i = 1; i < r->n; i++)
		if (r->score[i] <= r->score[least])
			least = i;
	return least;
}

static void drop(struct rank *r, size_t i)
{
	r->n--;
	memmove(&r->score[i], &r->score[i + 1], (r->n - i) * sizeof(r->score[0]));
	memmove(&r->v[i], &r->v[i + 1], (r->n - i) * sizeof(r->v[0]));
}

void rank_offer(struct rank *r, uint32_t what, uint8_t score)
{
	if (r->room == 0 || (r->n == r->room && score <= r->score[r->least]))
		return;
	if (r->n == r->room)
		drop(r, r->least);
	r->score[r->n] = score;
	r->v[r->n++] = what;
	if (r->n == r->room)
		r->least = least_of(r);
}
