/* SPDX-License-Identifier: MIT */
#include "engine/place.h"

#include <string.h>

void place_note_address(struct place *p, const struct addr *a)
{
	size_t i = 0;

	while (i < p->n_addresses && !addr_same_host(&p->addresses[i], a))
		i++;
	if (i < p->n_addresses || i == PATH_ADDRESSES_MAX)
		return;
	p->addresses[i] = *a;
	p->addresses[i].port = 0;
	p->n_addresses++;
}

void place_note_labels(struct place *p, const struct icmp_ext *ext)
{
	struct icmp_label v[ICMP_LABELS_MAX];
	size_t n = icmp_ext_labels(ext, v);

	if (n == 0)
		return;
	memcpy(p->labels, v, n * sizeof(v[0]));
	p->n_labels = (uint8_t)n;
}

/* The share of probes that nobody said a word about; UNKNOWN where none is decided. */
static int64_t silence_of(const struct place *p)
{
	return tally_loss_ratio(p->more.lost - p->more.errors, p->score.received + p->more.lost + p->more.late);
}

bool place_is_rate_limited(const struct place *path, size_t i, size_t n)
{
	int64_t own = silence_of(&path[i]);

	if (path[i].score.received + path[i].more.late == 0)
		return false;
	for (i++; i < n; i++) {
		int64_t farther = silence_of(&path[i]);

		if (farther != UNKNOWN && farther < own)
			return true;
	}
	return false;
}

void place_put(const struct place *p, struct path_hop *ret)
{
	ret->n_addresses = p->n_addresses;
	ret->addresses = p->addresses;
	ret->n_labels = p->n_labels;
	ret->labels = p->labels;
}
