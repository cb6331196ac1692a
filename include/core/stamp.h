/* SPDX-License-Identifier: MIT */
/*
 * Test packets of STAMP (RFC 8762 section 4, unauthenticated), which are those of TWAMP Light too: what a sender asks
 * and what a reflector answers. Both have 44 octets, so that an answer is never longer than its question; what stands
 * behind them (TLVs of RFC 8972, padding) is for the caller. Times of day are NTP's, 2^-32 s since 1900, or where the
 * error estimate beside them says so PTP's.
 */
#ifndef CORE_STAMP_H
#define CORE_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAMP_LEN 44

/* The port that reflectors of others listen on (RFC 8762 section 4.1). */
#define STAMP_PORT 862

struct stamp_probe {
	uint32_t seq;
	uint64_t sent;   /* time of day */
	uint16_t error;  /* estimate: S, Z, scale and multiplier (RFC 4656 section 4.1.2, RFC 8186 section 2.3) */
	uint16_t session; /* SSID (RFC 8972 section 3); 0 for none */
};

struct stamp_answer {
	uint32_t seq;       /* the reflector's own; the same as probe.seq from one that keeps no state */
	uint64_t sent;      /* by the reflector */
	uint16_t error;     /* of both times of the reflector: its format need not be the probe's */
	uint64_t received;  /* by the reflector */
	struct stamp_probe probe;
	uint8_t ttl;        /* with which the probe arrived there; 255 where the reflector cannot tell */
};

/* Z: 0 for NTP's format. A clock that nobody has synchronised: S 0, scale and multiplier 1 (never 0). */
#define STAMP_ERROR_UNKNOWN UINT16_C(0x0001)

/* Set in an error estimate whose timestamp is PTP's: seconds and nanoseconds since 1970, 32 bits each. */
#define STAMP_ERROR_PTP UINT16_C(0x4000)

void stamp_put_probe(uint8_t out[STAMP_LEN], const struct stamp_probe *p);
void stamp_put_answer(uint8_t out[STAMP_LEN], const struct stamp_answer *a);

/* The first 44 octets of @n; false where there are fewer, and then *ret is untouched. MBZ is not looked at. */
bool stamp_read_probe(const uint8_t *p, size_t n, struct stamp_probe *ret);
bool stamp_read_answer(const uint8_t *p, size_t n, struct stamp_answer *ret);

/* Unix time in nanoseconds as NTP's (RFC 5905 section 6), era 0 or 1 by wrapping; and as PTP's. */
uint64_t stamp_of_unix(int64_t unix_ns);
uint64_t stamp_ptp_of_unix(int64_t unix_ns);

/**
 * stamp_diff() - Nanoseconds from @from to @to, which are less than 68 years apart
 * @ptp:  both are PTP's instead of NTP's
 *
 * Any two values are safe: what a stranger writes gives a wrong number of at most 2^62, never an overflow.
 */
int64_t stamp_diff(uint64_t from, uint64_t to, bool ptp);

#endif
