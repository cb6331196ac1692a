/* SPDX-License-Identifier: MIT */
#include "engine/account.h"

#include <string.h>

#include "core/wide.h"

/* A process that uses more than this of a CPU is what limits the rate. */
#define BUSY_PPM 850000

void account_init(struct account *a, bool up, bool counts)
{
	memset(a, 0, sizeof(*a));
	a->up = up;
	a->counts = counts;
	a->tcp = (struct account_tcp){ UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN };
	a->link_bits_per_second = a->server_share_ppm = UNKNOWN;
}

void account_exchange(struct account *a, uint64_t sent, uint64_t received, const uint64_t *told)
{
	uint64_t payload = a->up ? sent : received;

	a->gone += payload;
	a->exchanges++;
	a->answered += sent;
	if (!told || *told > INT64_MAX - a->peer)
		return;
	a->peer += *told;
	a->agreed += payload;
}

static void add(int64_t *sum, int64_t v)
{
	if (v != UNKNOWN)
		*sum = (*sum == UNKNOWN ? 0 : *sum) + v;
}

void account_tcp(struct account *a, const struct account_tcp *t)
{
	add(&a->tcp.retransmits, t->retransmits);
	add(&a->tcp.busy, t->busy);
	add(&a->tcp.rwnd_limited, t->rwnd_limited);
	add(&a->tcp.sndbuf_limited, t->sndbuf_limited);
}

const char *account_fault(const struct account *a, const struct rate_result *rate, bool stalled)
{
	if (!rate->measured || rate->bytes == 0)
		return "no data was moved";
	if (stalled)
		return "the transfer came to a stop";
	/* Bytes that a kernel took are no upload: somebody has to say that they were read. Bodies double in size, so that
	 * nearly half of all bytes are in answered ones where all is well. */
	if (a->up && !a->counts && a->answered < a->moved / 4)
		return "the server did not answer to most of what was sent: not measured";
	/* Who says how much it read and names another number has lost the rest. */
	if (a->up && a->peer != a->agreed && a->peer < a->agreed / 100 * 99)
		return "the server says that it received less than was sent: not measured";
	return NULL;
}

static bool mostly(ns_t part, ns_t whole)
{
	return part != UNKNOWN && whole != UNKNOWN && whole > 0 && part > whole / 2;
}

/* Small files one after another: the time went by waiting for the next one. */
static bool file_was_small(const struct account *a)
{
	return !a->counts && a->exchanges > 0 && a->waited > a->wall * a->connections / 10;
}

static enum limited_by limit_of(const struct account *a, bool stable, int64_t share_ppm)
{
	const struct account_tcp *t = &a->tcp;

	if (file_was_small(a) || (a->rationed && !stable))
		return LIMITED_SIZE;
	if (share_ppm > BUSY_PPM)
		return LIMITED_CLIENT_CPU;
	if (a->server_share_ppm > BUSY_PPM)
		return LIMITED_SERVER;
	if (mostly(t->rwnd_limited, t->busy))
		return LIMITED_RECEIVER;
	if (mostly(t->sndbuf_limited, t->busy))
		return LIMITED_SENDER;
	/* Known sockets with data to send that neither end held back, or a known server that was not busy. */
	return t->busy > 0 || a->server_share_ppm != UNKNOWN ? LIMITED_NETWORK : LIMITED_UNKNOWN;
}

static enum confidence confidence_of(const struct rate_result *rate)
{
	if (rate->stable)
		return CONFIDENCE_HIGH;
	return rate->judged ? CONFIDENCE_MEDIUM : CONFIDENCE_LOW;
}

/* Goodput with the headers of its segments, as full ones: acknowledgements and what was sent again are not in it. */
static int64_t wire_rate(const struct account *a, int64_t bits_per_second)
{
	if (a->segment == 0 || bits_per_second < 0)
		return UNKNOWN;
	return (int64_t)wide_muldiv((uint64_t)bits_per_second, a->segment + a->headers, a->segment);
}

void account_result(const struct account *a, const struct rate_result *rate, struct flow_result *ret)
{
	bool told = a->peer > 0;

	ret->bits_per_second = rate->bits_per_s;
	ret->bytes = (int64_t)rate->bytes;
	ret->elapsed = rate->elapsed;
	ret->total_bytes = (int64_t)(told ? a->agreed : a->moved);
	ret->peer_bytes = told ? (int64_t)a->peer : UNKNOWN;
	ret->connections = a->connections;
	ret->stable = rate->stable;
	ret->spread_ppm = rate->spread_ppm;
	ret->confidence = confidence_of(rate);
	ret->counted_by_receiver = !a->up || (told && a->peer == a->agreed);
	ret->retransmits = a->tcp.retransmits;
	ret->wire_bits_per_second = wire_rate(a, rate->bits_per_s);
	ret->link_bits_per_second = a->link_bits_per_second;
	ret->server_share_ppm = a->server_share_ppm;
	memcpy(ret->congestion_control, a->congestion, sizeof(a->congestion));
	if (a->wall > 0) {
		ret->cpu_share_ppm = (int64_t)wide_muldiv((uint64_t)a->cpu, 1000000, (uint64_t)a->wall);
		if (a->moved > 0)
			ret->cpu_per_gigabyte = (ns_t)wide_muldiv((uint64_t)a->cpu, 1000000000, a->moved);
	}
	ret->limited_by = limit_of(a, rate->stable, ret->cpu_share_ppm);
}
