/* SPDX-License-Identifier: MIT */
/* Which of many deserve the few lines that there are: those with the highest scores, in the order they came in. */
#ifndef OUT_RANK_H
#define OUT_RANK_H

#include <stddef.h>
#include <stdint.h>

#define RANK_MAX 96

struct rank {
	size_t n; /* chosen so far */
	/* private */
	size_t room, least;
	/* public again */
	uint32_t v[RANK_MAX];
	uint8_t score[RANK_MAX];
};

/* Choose up to @room, and never more than RANK_MAX. */
void rank_begin(struct rank *r, size_t room);

/* The next one. Of equals the first ones are kept. */
void rank_offer(struct rank *r, uint32_t what, uint8_t score);

#endif
