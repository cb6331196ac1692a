/* SPDX-License-Identifier: MIT */
/* The test server's loop: one process, one epoll, many connections. A slow client costs its own slot and nothing else. */
#ifndef RUN_SERVER_H
#define RUN_SERVER_H

#include "engine/gather.h"
#include "engine/serve.h"
#include "run/reflector.h"
#include "sys/stream.h"
#include "sys/wait.h"

#define SERVER_LISTENERS_MAX 16

struct server_cfg {
	struct serve_cfg serve;
	struct addr listen[SERVER_LISTENERS_MAX];
	size_t n_listen;
	bool listen_all;        /* 0.0.0.0 and [::]: one of them may be missing */
	size_t n_lent;          /* sockets of sys/lent.h to serve at, and no other; UDP where such are among them */
	bool open_to_all;       /* peers with public addresses too */
	const char *congestion; /* of what is sent; NULL for the system's */
	size_t clients_max;     /* connections in all */
	size_t per_address_max; /* of one address */
};


/* One connection's slot, private to the loop. A small request touches the first page of it alone. */
struct client {
	_Alignas(4096) int fd; /* -1 for a free slot */
	unsigned watched;
	struct gather gather;
	int64_t unacked; /* when its deadline was last over */
	uint64_t ahead; /* written before it is sent, as the socket has it */
	struct serve serve;
};

struct server {
	struct server_cfg cfg;
	struct serve_counters counters;
	struct fault udp_fault; /* why UDP probes are not answered everywhere; kind FAULT_NONE where they are */
	/* private */
	struct wait wait;
	struct bulk bulk;
	struct reflector *reflector;
	int fds[SERVER_LISTENERS_MAX];
	size_t n_fds;
	struct client *clients;
	struct addr *peers;   /* theirs, close together since all are looked at; family 0 for a free slot */
	uint32_t *free_slots; /* a stack */
	size_t n_free;
	size_t top; /* no slot from here on was ever used */
	char congestion[CONGESTION_MAX], allowed[256];
	bool deaf; /* no descriptor was left: not listening for a moment */
	ns_t sweep_at;
};

/* Bind everything, and get all the memory there will ever be. Return: false with @why. */
bool server_open(struct server *s, const struct server_cfg *cfg, struct fault *why);

/* The port that was bound, for one that was asked for as 0. */
uint16_t server_port(const struct server *s);

/* Serve until SIGINT or SIGTERM. */
void server_run(struct server *s);

#endif
