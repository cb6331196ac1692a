/* SPDX-License-Identifier: MIT */
#include "core/stamp.h"

#include "core/ns.h"
#include "core/wire.h"

/* From 1900, where NTP begins, to 1970. */
#define UNIX_IN_NTP UINT32_C(2208988800)

/* What follows in a probe: the room that its answer needs (RFC 8762 section 4.2.1). */
#define PROBE_MBZ 28

void stamp_put_probe(uint8_t out[STAMP_LEN], const struct stamp_probe *p)
{
	struct wr w = wr_of(out, STAMP_LEN);

	wr_u32(&w, p->seq);
	wr_u64(&w, p->sent);
	wr_u16(&w, p->error);
	wr_u16(&w, p->session);
	for (int i = 0; i < PROBE_MBZ / 4; i++)
		wr_u32(&w, 0);
}

void stamp_put_answer(uint8_t out[STAMP_LEN], const struct stamp_answer *a)
{
	struct wr w = wr_of(out, STAMP_LEN);

	wr_u32(&w, a->seq);
	wr_u64(&w, a->sent);
	wr_u16(&w, a->error);
	wr_u16(&w, a->probe.session);
	wr_u64(&w, a->received);
	wr_u32(&w, a->probe.seq);
	wr_u64(&w, a->probe.sent);
	wr_u16(&w, a->probe.error);
	wr_u16(&w, 0);
	wr_u32(&w, (uint32_t)a->ttl << 24);
}

bool stamp_read_probe(const uint8_t *p, size_t n, struct stamp_probe *ret)
{
	struct rd r = rd_of(p, n);

	if (n < STAMP_LEN)
		return false;
	ret->seq = rd_u32(&r);
	ret->sent = rd_u64(&r);
	ret->error = rd_u16(&r);
	ret->session = rd_u16(&r);
	return true;
}

bool stamp_read_answer(const uint8_t *p, size_t n, struct stamp_answer *ret)
{
	struct rd r = rd_of(p, n);

	if (n < STAMP_LEN)
		return false;
	ret->seq = rd_u32(&r);
	ret->sent = rd_u64(&r);
	ret->error = rd_u16(&r);
	ret->probe.session = rd_u16(&r);
	ret->received = rd_u64(&r);
	ret->probe.seq = rd_u32(&r);
	ret->probe.sent = rd_u64(&r);
	ret->probe.error = rd_u16(&r);
	rd_u16(&r);
	ret->ttl = rd_u8(&r);
	return true;
}

/* Whole seconds, and the nanoseconds above them: 0..999,999,999 before 1970 too. */
static int64_t split(int64_t ns, uint32_t *ret_rest)
{
	int64_t s = ns / NS_PER_S - (ns % NS_PER_S < 0);

	*ret_rest = (uint32_t)(ns - s * NS_PER_S);
	return s;
}

uint64_t stamp_of_unix(int64_t unix_ns)
{
	uint32_t rest;
	uint64_t s = (uint64_t)split(unix_ns, &rest) + UNIX_IN_NTP;

	return s << 32 | ((uint64_t)rest << 32) / NS_PER_S;
}

uint64_t stamp_ptp_of_unix(int64_t unix_ns)
{
	uint32_t rest;
	uint64_t s = (uint64_t)split(unix_ns, &rest);

	return s << 32 | rest;
}

/* To the nearest nanosecond: two times that were cut to 2^-32 s give the very difference that they had before. */
static int64_t diff_ntp(uint64_t from, uint64_t to)
{
	uint64_t d = to - from;
	uint64_t rest = (d & UINT32_MAX) * NS_PER_S + (UINT64_C(1) << 31);

	return (int64_t)(int32_t)(d >> 32) * NS_PER_S + (int64_t)(rest >> 32);
}

int64_t stamp_diff(uint64_t from, uint64_t to, bool ptp)
{
	if (!ptp)
		return diff_ntp(from, to);
	int32_t s = (int32_t)((uint32_t)(to >> 32) - (uint32_t)(from >> 32));

	return s * NS_PER_S + ((int64_t)(to & UINT32_MAX) - (int64_t)(from & UINT32_MAX));
}
