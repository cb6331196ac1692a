/* SPDX-License-Identifier: MIT */
#include "run/reflector.h"

#include "sys/clock.h"
#include "sys/random.h"

#define ANSWERS_AT_ONCE 64

bool reflector_open(struct reflector *r, const struct reflector_cfg *cfg, struct wait *wait, uint64_t key,
	struct fault *why)
{
	uint8_t chance[16];
	bool all = true;

	if (!random_fill(chance, sizeof(chance), why))
		return false;
	reflect_init(&r->reflect, chance, cfg->open_to_all, cfg->counters);
	for (size_t i = 0; i < cfg->n; i++) {
		if (cfg->fds) {
			udp_take(&r->sockets[r->n], cfg->fds[i], &cfg->listen[i]);
		} else if (udp_listen(&r->sockets[r->n], &cfg->listen[i], why) != 0) {
			all = false;
			continue;
		}
		wait_add(wait, r->sockets[r->n].fd, WAIT_IN, key + r->n);
		r->n++;
	}
	return all;
}

void reflector_ready(struct reflector *r, size_t i)
{
	static uint8_t bytes[REFLECT_MAX + 1]; /* one more, so that a longer one is seen to be longer */
	struct udp_socket *s = &r->sockets[i];
	struct packet pkt;

	for (int n = 0; n < ANSWERS_AT_ONCE && udp_recv(s, &pkt, bytes, sizeof(bytes)); n++) {
		ns_t now = clock_mono();

		/* An answer that this machine has no room for is lost like any other: its number shows on which way. */
		if (reflect_answer(&r->reflect, bytes, &pkt, clock_unix(now), now))
			udp_answer(s, bytes, pkt.n, &pkt.from, &pkt.to);
	}
}
