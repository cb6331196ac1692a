/* SPDX-License-Identifier: MIT */
/*
 * The answering end of STAMP (RFC 8762, RFC 8972), which TWAMP Light's senders know too. It numbers its answers apart
 * for each session, so that whoever asks can tell on which way a packet was lost.
 *
 * An answer is as long as its question, never longer. There is none past the caps, and none to what is itself an
 * answer: two reflectors that are set on each other, by a forged sender address, would go on for ever.
 */
#ifndef ENGINE_REFLECT_H
#define ENGINE_REFLECT_H

#include "core/packet.h"

/* A longer question is refused: its answer would leave in fragments. */
#define REFLECT_MAX 1472

/* Answers a second to one address and to all, and how much of that may be asked for at once. */
#define REFLECT_PER_SECOND 2000
#define REFLECT_PER_SECOND_ALL 20000
#define REFLECT_AT_ONCE (NS_PER_S / 4)

/* A session that is silent for so long is over (REFWAIT, RFC 5357 section 4.2), one that begins again at 0 sooner. */
#define REFLECT_IDLE (900 * NS_PER_S)
#define REFLECT_RESTART NS_PER_S

/*
 * Addresses are spread over so many places by a keyed hash; the cap and the sessions belong to the place. So a host
 * with thousands of ports makes this machine forget no session of a host elsewhere.
 */
#define REFLECT_PLACES 128
#define REFLECT_SESSIONS 32

struct reflect_counters {
	uint64_t probes; /* all that came: the sum of the others */
	uint64_t answered;
	uint64_t refused; /* no probe, too long, from a peer that is not welcome */
	uint64_t limited; /* past a cap */
};

struct reflect {
	/* private */
	uint8_t key[16];
	bool open_to_all;
	struct reflect_counters *counters;
	ns_t due;
	struct reflect_place {
		ns_t due; /* when all that was answered would have been, at the rate of the cap */
		struct reflect_session {
			uint64_t key;
			ns_t used;
			uint32_t next;
		} sessions[REFLECT_SESSIONS];
	} places[REFLECT_PLACES];
};

/**
 * reflect_init() - Begin
 * @r:            all zero: places that nobody asks are never touched, and cost no memory
 * @key:          chance, so that a stranger cannot choose the place of an address
 * @open_to_all:  answer public addresses too
 * @counters:     outlive @r
 */
void reflect_init(struct reflect *r, const uint8_t key[static 16], bool open_to_all, struct reflect_counters *counters);

/**
 * reflect_answer() - Turn a question into its answer, in place
 * @bytes:    those of @pkt, from its `from`, `to` (family 0: nobody is answered), `stamp` and `ttl`
 * @unix_ns:  time of day
 * @now:      the same moment: just before the answer leaves
 *
 * Return: false where there is no answer; else send @bytes, as many as there are, from `to` to `from`.
 */
bool reflect_answer(struct reflect *r, uint8_t *bytes, const struct packet *pkt, int64_t unix_ns, ns_t now);

#endif
