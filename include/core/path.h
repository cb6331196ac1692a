/* SPDX-License-Identifier: MIT */
/* What a trace found, as plain values: engine/trace fills these, out/trace writes them. */
#ifndef CORE_PATH_H
#define CORE_PATH_H

#include "core/icmp_ext.h"
#include "core/ping_event.h"

/* Routers that share one place on the path; further ones count, but are not listed. */
#define PATH_ADDRESSES_MAX 8

struct path_hop {
	unsigned ttl; /* from 1 */
	bool rate_limited;
	size_t n_addresses, n_labels;
	const struct addr *addresses;    /* who answered, in the order of appearance; none of a silent hop */
	const struct icmp_label *labels; /* of the latest answer that had any */
	const char *names[PATH_ADDRESSES_MAX]; /* of the addresses; NULL where there is none, or not yet */
	struct ping_result figures;      /* target and address are those of the path */
};

struct path {
	const char *target; /* as the user wrote it */
	enum method method;
	const char *reason; /* why not a better method; "" where there is none better */
	int64_t reached;    /* 1 where the target itself answered, else 0 */
	int64_t hops;       /* as many as were probed, and no farther than the target */
	int64_t answered;   /* the farthest of them that answered, or told why it cannot be passed; 0 for none */
	int64_t errors;     /* probes to the last hop that somebody refused */
	struct ping_kind error; /* and who it was first, and why */
	char address[ADDR_TEXT_MAX];
};

#endif
