/* SPDX-License-Identifier: MIT */
#include "out/hops.h"

#include "core/text_put.h"

#define WIDTH_MIN 12

size_t hops_target_width(const struct grid *g)
{
	size_t width = g->columns / 6;

	return width > WIDTH_MIN ? width : WIDTH_MIN;
}

static void put_target(const struct grid *g, struct text *t, const char *target, size_t width)
{
	for (size_t n = grid_put_cut(g, t, target, width); n < width + 1; n++)
		text_char(t, ' ');
}

static void put_address(struct text *t, const struct path_hop *h)
{
	if (h->n_addresses == 0)
		text_char(t, '*');
	else
		addr_put(t, &h->addresses[0]);
}

void hops_row(const struct grid *g, const struct path_hop *h, const char *target, size_t width, bool last, char *label,
	struct grid_row *ret)
{
	const char *name = h->n_addresses > 0 ? h->names[0] : NULL;
	struct ping_result *r = &ret->result;
	struct text t;

	*r = h->figures;
	ret->calm = hops_is_calm(h->rate_limited, r->received > 0, last);
	text_init(&t, r->address, sizeof(r->address));
	if (name)
		put_address(&t, h);
	text_init(&t, label, HOPS_LABEL_MAX);
	if (width > 0)
		put_target(g, &t, target, width);
	text_put(&t, h->ttl < 10 ? " %d  " : "%d  ", (int64_t)h->ttl);
	if (name)
		text_put(&t, "%s", name);
	else
		put_address(&t, h);
	if (h->n_addresses > 1)
		text_put(&t, " +%d", (int64_t)h->n_addresses - 1);
	r->target = label;
	if (r->lost > 0 && h->n_addresses == 0 && r->n_kinds == 0)
		r->kinds[r->n_kinds++] = (struct ping_kind){ .count = r->lost, .text = "no answer" };
}
