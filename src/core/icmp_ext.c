/* SPDX-License-Identifier: MIT */
#include "core/icmp_ext.h"

#include "core/csum.h"
#include "core/wire.h"

enum {
	VERSION = 2,
	HEADER_LEN = 4,
	OBJECT_LEN = 4,
	LABEL_LEN = 4,
	MPLS_INCOMING = 1 << 8 | 1, /* class and type (RFC 4950 section 3) */
};

struct icmp_ext icmp_ext_find(const uint8_t *p, size_t n, size_t at, size_t usual)
{
	struct icmp_ext none = { NULL, 0, false };

	if (at > 0 && at < usual)
		return none;
	size_t from = at > 0 ? at : usual;

	return from < n ? (struct icmp_ext){ p + from, n - from, at > 0 } : none;
}

static bool is_genuine(const struct icmp_ext *e)
{
	if (e->n < HEADER_LEN || e->p[0] >> 4 != VERSION)
		return false;
	if (e->p[2] == 0 && e->p[3] == 0)
		return e->marked;
	return csum_inet(e->p, e->n) == 0;
}

static size_t read_stack(struct rd r, struct icmp_label *out)
{
	size_t n = 0;

	for (; n < ICMP_LABELS_MAX && rd_left(&r) >= LABEL_LEN; n++) {
		uint32_t entry = rd_u32(&r);

		out[n] = (struct icmp_label){ entry >> 12, entry >> 9 & 7, entry >> 8 & 1, (uint8_t)entry };
	}
	return n;
}

size_t icmp_ext_labels(const struct icmp_ext *e, struct icmp_label out[static ICMP_LABELS_MAX])
{
	if (!is_genuine(e))
		return 0;
	struct rd r = rd_of(e->p + HEADER_LEN, e->n - HEADER_LEN);

	while (rd_left(&r) >= OBJECT_LEN) {
		size_t length = rd_u16(&r);
		unsigned kind = rd_u16(&r);
		const uint8_t *body = length >= OBJECT_LEN ? rd_take(&r, length - OBJECT_LEN) : NULL;

		if (!body)
			return 0;
		if (kind == MPLS_INCOMING)
			return read_stack(rd_of(body, length - OBJECT_LEN), out);
	}
	return 0;
}
