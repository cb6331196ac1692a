/* SPDX-License-Identifier: MIT */
/* One place on a path: who answers there, and what became of the probes that went so far. */
#ifndef ENGINE_PLACE_H
#define ENGINE_PLACE_H

#include "core/path.h"
#include "engine/score.h"

/* Zeroed before the first probe. */
struct place {
	struct score score;
	struct score_more more;
	uint8_t n_addresses, n_labels;
	struct addr addresses[PATH_ADDRESSES_MAX];
	struct icmp_label labels[ICMP_LABELS_MAX];
};

/* This one answered: listed unless it is already, or the list is full. */
void place_note_address(struct place *p, const struct addr *a);

/* With this behind its answer; where that holds labels, they replace the ones before. */
void place_note_labels(struct place *p, const struct icmp_ext *ext);

/**
 * place_is_rate_limited() - Has it answered, yet left more probes without a word than the farthest that answered?
 * @path:  @n places; shares of the probes are compared, since not all need have been sent as many
 * @i:     0..@n - 1
 *
 * More means: by more than chance. What got farther has passed here. The assumption is that such a router forwards
 * what it does not answer, because it rations its errors or writes them at leisure. Loss on the way back from it
 * alone looks the same.
 */
bool place_is_rate_limited(const struct place *path, size_t i, size_t n);

/* Who and what, without figures and names. */
void place_put(const struct place *p, struct path_hop *ret);

#endif
