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

/* Probes that nobody said a word about, of all that are decided; both below 1000. */
struct silence {
	int64_t n, of;
};

static struct silence silence_of(const struct place *p)
{
	struct silence s = { (int64_t)(p->more.lost - p->more.errors),
		(int64_t)(p->score.received + p->more.lost + p->more.late) };

	for (; s.of >= 1000; s.of /= 2)
		s.n /= 2;
	return s;
}

/* The two-proportion z-test: is @a more silent than @b, by so much that chance does so in one of 80 cases (z > 2.24)? */
static bool is_more_silent(struct silence a, struct silence b)
{
	int64_t apart = a.n * b.of - b.n * a.of, n = a.n + b.n, of = a.of + b.of;

	return apart > 0 && apart * apart * of >= 5 * a.of * b.of * n * (of - n);
}

static bool has_spoken(const struct place *p)
{
	return p->score.received + p->more.late + p->more.errors > 0;
}

bool place_is_rate_limited(const struct place *path, size_t i, size_t n)
{
	size_t last = n;

	while (last > i + 1 && !has_spoken(&path[last - 1]))
		last--;
	return last > i + 1 && path[i].score.received + path[i].more.late > 0 &&
	       is_more_silent(silence_of(&path[i]), silence_of(&path[last - 1]));
}

void place_put(const struct place *p, struct path_hop *ret)
{
	ret->n_addresses = p->n_addresses;
	ret->addresses = p->addresses;
	ret->n_labels = p->n_labels;
	ret->labels = p->labels;
}
