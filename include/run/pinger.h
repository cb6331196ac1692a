/* SPDX-License-Identifier: MIT */
/*
 * The ping engine on real sockets. It never blocks: whoever owns the wait calls `step` until it has
 * no more events, then sleeps until `deadline` or a socket of ours is ready. So it can run alone or
 * beside a load.
 */
#ifndef RUN_PINGER_H
#define RUN_PINGER_H

#include "engine/ping.h"
#include "sys/icmp.h"
#include "sys/udp.h"
#include "sys/wait.h"

enum via { VIA_AUTO, VIA_ICMP, VIA_UDP, VIA_TCP, VIA_HTTP };

/* UDP, where a target names no port: that of `sonde serve`. */
#define PINGER_UDP_PORT 8080

/* TCP connections that may be under way at once; with all of them taken the schedule waits. */
#define PINGER_HAILS 128

struct pinger_cfg {
	struct ping_cfg ping; /* key, id, port and wall are filled in by pinger_open() */
	enum via via;
	enum method icmp_only; /* METHOD_NONE: raw, else datagram */
	enum icmp_stamping stamping;
	bool closed_is_reply;  /* TCP: a refusal has travelled the same way as an answer; so it always is without a port */
	struct origin origin;
	const char *reason;    /* why not a better way, where the caller knows; NULL to find out */
	struct slice path;     /* HTTP: what to ask for */
	struct slice host;     /* HTTP: for the Host field */
};

enum hail_state { HAIL_FREE, HAIL_CONNECTING, HAIL_ASKED };

struct hail {
	enum hail_state state;
	int fd;
	uint16_t wire;
	bool ready;
	ns_t until;
};

struct pinger {
	enum method method;
	uint64_t unroutable; /* probes that this machine knows no way for */
	/* private */
	struct wait *wait;
	uint64_t key;
	bool open[4], ready[4], errors[4]; /* ICMP for IPv4 and for IPv6, then UDP */
	size_t hails_max; /* as descriptors allow */
	ns_t looked;      /* when all that waited was read before something was given up */
	int reads[4]; /* that are left until everything else has had its turn */
	int64_t drops; /* of the sockets before this run */
	/* public, and from here on large */
	struct ping ping;
	char reason[120]; /* why not a better method; "" where there is none */
	/* private */
	struct pinger_cfg cfg;
	struct icmp_socket icmp[2];
	struct udp_socket udp[2];
	struct hail hails[PINGER_HAILS];
	struct flight_slot slots[FLIGHT_SLOTS];
};

/* Open the ICMP socket of a family ahead of time, while it is still permitted; pinger_open() does with what is there. */
void pinger_prepare(struct pinger *r, int family, const struct origin *origin, struct wait *wait, uint64_t key);

/**
 * pinger_open() - Open what the probes need, and be ready to send the first one
 * @r:        zeroed before the first use; a closed one may be opened again
 * @wait:     where our sockets are watched, under @key and the 255 keys after it
 * @room:     with the addresses that are known; for VIA_TCP and VIA_HTTP with their ports
 *
 * VIA_AUTO takes ICMP where this process may, else TCP; `reason` then says why.
 */
bool pinger_open(struct pinger *r, const struct pinger_cfg *cfg, const struct ping_room *room, struct wait *wait,
	uint64_t key, struct fault *why);

/* End the run; the ICMP sockets stay open for the next one. Each run by UDP is a session, with a port of its own. */
void pinger_close(struct pinger *r);

/* One of our keys came back from the wait. */
void pinger_ready(struct pinger *r, const struct wait_event *e);

/* Do what can be done without waiting. Return: whether there is an event; call again until not. */
bool pinger_step(struct pinger *r, ns_t now, struct ping_event *ret);

ns_t pinger_deadline(const struct pinger *r);

static inline bool pinger_owns(const struct pinger *r, uint64_t key)
{
	return key - r->key < 256;
}

/* Wait for the next event; false when all is done or a signal asks to stop. For a pinger that runs alone. */
bool pinger_next(struct pinger *r, struct ping_event *ret);

/* ping_label() with the method. */
void pinger_label(const struct pinger *r, size_t target, struct ping_result *ret);

/* ping_result() with what only this floor knows. */
void pinger_result(const struct pinger *r, size_t target, ns_t now, struct ping_result *ret);

/* Replies that our own sockets had no room for, to whichever target; UNKNOWN where the kernel does not say. */
int64_t pinger_drops(const struct pinger *r);

#endif
