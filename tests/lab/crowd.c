/* SPDX-License-Identifier: MIT */
/*
 * Many clients that download at once, each over a connection of its own, and how evenly they were served.
 *
 *	crowd ADDRESS PORT CLIENTS SECONDS
 *
 * All connect before the first one asks for /down?seconds=SECONDS. One line of JSON tells what came of it: Jain's index
 * is (sum x)^2 / (n * sum x^2), which is 1 where all got the same, and 1/n where one got everything.
 */
#include <arpa/inet.h>
#include <err.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/ns.h"

#define CLIENTS_MAX 60000
#define EVENTS 64
#define BITE (256 << 10) /* at once, so that one client does not keep this process from the others */
#define LATE (5 * NS_PER_S) /* after the time that was asked for, nobody is waited for any longer */

enum state { CONNECTING, WAITING, FLOWING, ENDED, FAILED };

static struct client {
	int fd;
	enum state state;
	uint64_t bytes; /* heads and frames too */
} clients[CLIENTS_MAX];

static struct sockaddr_in to;
static char request[128];
static int watch;
static unsigned n_clients, n_open;

static ns_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (ns_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void finish(struct client *c, enum state state)
{
	close(c->fd);
	c->state = state;
	n_open--;
}

static void dial(struct client *c)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		err(1, "socket");
	n_open++;
	if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		finish(c, FAILED);
	else if (epoll_ctl(watch, EPOLL_CTL_ADD, c->fd, &e) != 0)
		err(1, "epoll_ctl");
}

static void ask(struct client *c)
{
	if (c->state != CONNECTING)
		return;
	c->state = WAITING;
	if (send(c->fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		finish(c, FAILED);
}

/* The head is looked at; whoever is turned away has not been served. */
static ssize_t read_head(struct client *c)
{
	char head[2048];
	ssize_t n = recv(c->fd, head, sizeof(head), MSG_DONTWAIT);

	if (n > 0)
		c->state = n > 12 && memcmp(head, "HTTP/1.1 200", 12) == 0 ? FLOWING : FAILED;
	return n;
}

static void take(struct client *c)
{
	ssize_t n = c->state == WAITING ? read_head(c) : recv(c->fd, NULL, BITE, MSG_TRUNC | MSG_DONTWAIT);

	if (n > 0)
		c->bytes += (uint64_t)n;
	if (c->state == FAILED)
		finish(c, FAILED);
	else if (n == 0)
		finish(c, c->state == FLOWING ? ENDED : FAILED);
	else if (n < 0)
		finish(c, FAILED);
}

static void download(ns_t until)
{
	struct epoll_event v[EVENTS];

	while (n_open > 0 && now() < until) {
		int n = epoll_wait(watch, v, EVENTS, 100);

		for (int i = 0; i < n; i++)
			take(v[i].data.ptr);
	}
}

static int by_bytes(const void *a, const void *b)
{
	uint64_t x = ((const struct client *)a)->bytes, y = ((const struct client *)b)->bytes;

	return x < y ? -1 : x > y;
}

static void tell(ns_t took)
{
	unsigned served = 0, failed = 0, open = 0;
	double sum = 0, squares = 0;

	qsort(clients, n_clients, sizeof(clients[0]), by_bytes);
	for (unsigned i = 0; i < n_clients; i++) {
		double x = (double)clients[i].bytes;

		sum += x;
		squares += x * x;
		served += clients[i].state == ENDED;
		failed += clients[i].state == FAILED;
		open += clients[i].state == WAITING || clients[i].state == FLOWING;
	}
	printf("{\"clients\":%u,\"served\":%u,\"failed\":%u,\"unfinished\":%u,\"jain\":%.4f,\"bytes_min\":%" PRIu64
	       ",\"bytes_p50\":%" PRIu64 ",\"bytes_max\":%" PRIu64 ",\"bytes\":%.0f,\"seconds\":%.3f}\n",
		n_clients, served, failed, open, squares > 0 ? sum * sum / (n_clients * squares) : 0, clients[0].bytes,
		clients[n_clients / 2].bytes, clients[n_clients - 1].bytes, sum, (double)took / (double)NS_PER_S);
}

static void allow_descriptors(void)
{
	struct rlimit r = { n_clients + 64, n_clients + 64 };
	struct rlimit was;

	getrlimit(RLIMIT_NOFILE, &was);
	if (was.rlim_cur < r.rlim_cur && setrlimit(RLIMIT_NOFILE, &r) != 0)
		err(2, "cannot open %u connections", n_clients);
}

int main(int argc, char **argv)
{
	unsigned port = argc == 5 ? (unsigned)atoi(argv[2]) : 0, seconds = argc == 5 ? (unsigned)atoi(argv[4]) : 0;

	n_clients = argc == 5 ? (unsigned)atoi(argv[3]) : 0;
	to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	if (argc != 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 || n_clients < 1 || n_clients > CLIENTS_MAX)
		errx(2, "usage: crowd ADDRESS PORT CLIENTS SECONDS");
	allow_descriptors();
	watch = epoll_create1(EPOLL_CLOEXEC);
	snprintf(request, sizeof(request),
		"GET /down?seconds=%u HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", seconds, argv[1]);
	for (unsigned i = 0; i < n_clients; i++)
		dial(&clients[i]);
	ns_t began = now();
	for (unsigned i = 0; i < n_clients; i++)
		ask(&clients[i]);
	download(began + (ns_t)seconds * NS_PER_S + LATE);
	tell(now() - began);
	return 0;
}
