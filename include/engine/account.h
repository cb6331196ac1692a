/* SPDX-License-Identifier: MIT */
/*
 * The books of one direction under load: what moved and who says so; and at the end, what may be said about it. A number
 * that nobody at the other end can confirm is left out.
 */
#ifndef ENGINE_ACCOUNT_H
#define ENGINE_ACCOUNT_H

#include "core/rate.h"
#include "core/result.h"

/* Of all sending sockets together, UNKNOWN where the kernel does not say. */
struct account_tcp {
	int64_t retransmits;
	ns_t busy, rwnd_limited, sndbuf_limited;
};

struct account {
	bool up;
	bool counts;           /* the other end counts every body to its end */
	bool rationed;         /* it was over because so much had moved, whatever the time */
	uint64_t gone;         /* payload of exchanges that are over */
	uint64_t agreed, peer; /* payload of exchanges that both ends counted: by us, by the peer */
	uint64_t exchanges;    /* complete ones */
	uint64_t answered;     /* payload of requests that were answered */
	uint64_t moved;        /* payload until the time was up */
	ns_t waited;           /* for first bytes, over all connections */
	ns_t wall, cpu;        /* of the flow, from its first byte on */
	unsigned connections;
	struct account_tcp tcp;
	unsigned segment, headers; /* payload of a full segment, and what travels with each; 0 where unknown */
	int64_t link_bits_per_second, server_share_ppm; /* UNKNOWN possible */
	char congestion[CONGESTION_MAX];
};

void account_init(struct account *a, bool up, bool counts);

/**
 * account_exchange() - One complete exchange
 * @sent:      payload of the request
 * @received:  payload of the answer
 * @told:      what the other end says that it sent or received; NULL where it says nothing
 */
void account_exchange(struct account *a, uint64_t sent, uint64_t received, const uint64_t *told);

/* A socket that was used for sending is closed. */
void account_tcp(struct account *a, const struct account_tcp *t);

/**
 * account_fault() - Why there is no figure after all
 * @stalled:  nothing moved any more for the last part of the time
 *
 * Return: NULL where there is one.
 */
const char *account_fault(const struct account *a, const struct rate_result *rate, bool stalled);

/* The figures; status and reason are the caller's. */
void account_result(const struct account *a, const struct rate_result *rate, struct flow_result *ret);

#endif
