/* SPDX-License-Identifier: MIT */
/*
 * Over UDP alone: a truncated answer with one usable address is enough for a program that wants one host, and
 * one without any is told.
 */
#include "sys/look_up.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/dns.h"
#include "core/text_put.h"
#include "sys/clock.h"
#include "sys/fail.h"
#include "sys/input.h"
#include "sys/random.h"
#include "sys/sockaddr.h"

struct question {
	struct dns_query query;
	enum dns_reply reply;
};

struct search {
	struct dns_conf conf;
	ns_t deadline;
	struct pollfd fds[DNS_SERVERS_MAX]; /* one socket a server, since a late answer is an answer too */
	struct question questions[2];       /* AAAA and A, or one of them */
	size_t n_questions;
	struct dns_list found;
};

/* The text holds until the next call. */
static struct slice read_file(const char *path)
{
	static char text[64 << 10];
	struct slice s = input_file(path, text, sizeof(text));

	if (s.n == sizeof(text)) /* the half of a line can name another host */
		while (s.n > 0 && text[s.n - 1] != '\n')
			s.n--;
	return s;
}

/* Sends nothing, but asks the routing table. */
static int connect_udp(const struct addr *to)
{
	struct sockaddr_storage sa;
	int fd = socket(to->family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sockaddr_put(&sa, to)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool has_route(const struct addr *to)
{
	int fd = connect_udp(to);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* IPv6 before IPv4, and behind both what cannot be reached from here. */
static size_t arrange(const struct dns_list *found, struct addr *v, size_t cap)
{
	size_t n = 0;

	for (unsigned turn = 0; turn < 4; turn++)
		for (size_t i = 0; i < found->n && n < cap; i++)
			if (found->v[i].family == (turn % 2 ? 4 : 6) && has_route(&found->v[i]) == (turn < 2))
				v[n++] = found->v[i];
	return n;
}

static enum dns_reply least_known(const struct search *s)
{
	enum dns_reply reply = DNS_NO_NAME;

	for (size_t i = 0; i < s->n_questions; i++)
		if (s->questions[i].reply > reply)
			reply = s->questions[i].reply;
	return reply;
}

/* What failed is asked again. The first try may fail for what became of an earlier datagram. */
static void send_questions(struct search *s, int fd)
{
	for (size_t i = 0; i < s->n_questions; i++) {
		struct question *q = &s->questions[i];

		if (q->reply < DNS_FAILED)
			continue;
		q->reply = DNS_NOT_OURS;
		if (send(fd, q->query.p, q->query.n, 0) < 0 && send(fd, q->query.p, q->query.n, 0) < 0)
			q->reply = DNS_FAILED;
	}
}

static void receive(struct search *s, int fd)
{
	uint8_t m[1500];
	ssize_t n = recv(fd, m, sizeof(m), MSG_DONTWAIT);

	if (n < 0 && fail_io() == IO_AGAIN)
		return;
	for (size_t i = 0; i < s->n_questions; i++) {
		struct question *q = &s->questions[i];

		if (q->reply < DNS_FAILED)
			continue;
		enum dns_reply reply = n < 0 ? DNS_FAILED : dns_parse(&q->query, m, (size_t)n, &s->found);

		if (reply < q->reply)
			q->reply = reply;
	}
}

/* Ask server @at, and listen to all that were asked: for an even share of the time that is left. */
static void ask_server(struct search *s, size_t at, size_t turns_left)
{
	ns_t now = clock_mono(), deadline = now + (s->deadline - now) / (ns_t)turns_left;

	if (s->fds[at].fd < 0)
		s->fds[at] = (struct pollfd){ connect_udp(&s->conf.servers[at]), POLLIN, 0 };
	send_questions(s, s->fds[at].fd);
	while (least_known(s) == DNS_NOT_OURS && now < deadline) {
		poll(s->fds, s->conf.n_servers, (int)((deadline - now) / NS_PER_MS) + 1);
		for (size_t i = 0; i < s->conf.n_servers; i++)
			if (s->fds[i].revents != 0)
				receive(s, s->fds[i].fd);
		now = clock_mono();
	}
}

/* Return: the patience there is, which is at most what resolv.conf(5) says. */
static ns_t begin(struct search *s, ns_t timeout)
{
	dns_conf_parse(read_file("/etc/resolv.conf"), &s->conf);
	for (size_t i = 0; i < DNS_SERVERS_MAX; i++)
		s->fds[i].fd = -1;
	timeout = ns_min(timeout, (ns_t)s->conf.n_servers * s->conf.attempts * s->conf.timeout_s * NS_PER_S);
	s->deadline = clock_mono() + timeout;
	return timeout;
}

static void end(struct search *s)
{
	for (size_t i = 0; i < DNS_SERVERS_MAX; i++)
		close(s->fds[i].fd);
}

/* Where one family is here after a turn, the other is let go: some servers never answer about it. */
static enum dns_reply ask(struct search *s)
{
	size_t turns = s->conf.attempts * s->conf.n_servers;

	for (size_t i = 0; i < s->n_questions; i++)
		s->questions[i].reply = DNS_NOT_OURS;
	for (size_t i = 0; i < turns && s->found.n == 0 && least_known(s) >= DNS_FAILED; i++)
		ask_server(s, i % s->conf.n_servers, turns - i);
	return least_known(s);
}

static enum dns_reply ask_for(struct search *s, struct slice name, int family)
{
	uint16_t ids[2];
	struct fault unused;

	if (!random_fill(ids, sizeof(ids), &unused))
		return DNS_FAILED;
	for (size_t i = 0; i < s->n_questions; i++)
		if (!dns_query_init(&s->questions[i].query, name, family == 4 || i > 0 ? 4 : 6, ids[i]))
			return DNS_NO_NAME;
	return ask(s);
}

static enum dns_reply ask_all(struct search *s, struct slice name, int family)
{
	enum dns_reply reply = DNS_NO_NAME;
	char full[256];
	struct text t;

	text_init(&t, full, sizeof(full));
	for (size_t i = 0; s->found.n == 0 && clock_mono() < s->deadline && dns_candidate(&s->conf, name, i, &t); i++) {
		enum dns_reply other = ask_for(s, text_view(&t), family);

		reply = other > reply ? other : reply;
		text_init(&t, full, sizeof(full));
	}
	return reply;
}

static size_t refuse(struct fault *why, struct slice name, size_t reason, ns_t patience)
{
	static const char reasons[] = /* in the order of enum dns_reply, and one more */
		"no such name\0"
		"no address of that family\0"
		"the answer is too long for a datagram\0"
		"the name servers fail or cannot be reached\0"
		"no answer from the name servers within %t\0"
		"it has no address";
	struct text t = fault_begin(why, FAULT_HOST);

	text_put(&t, "cannot resolve %q: ", name);
	text_put(&t, slice_word(reasons, reason), patience);
	fault_hint(why, "is the name right? an address always works");
	return 0;
}

size_t look_up(struct slice name, int family, struct addr *v, size_t cap, ns_t timeout, struct fault *why)
{
	struct search s = { .n_questions = family == 0 ? 2 : 1 };

	dns_hosts(read_file("/etc/hosts"), name, family, &s.found);
	if (s.found.n == 0) {
		timeout = begin(&s, timeout);
		enum dns_reply reply = ask_all(&s, name, family);

		end(&s);
		if (s.found.n == 0) {
			bool bare = reply == DNS_ANSWER && family == 0;

			return refuse(why, name, bare ? DNS_NOT_OURS + 1 : reply, timeout);
		}
	}
	return arrange(&s.found, v, cap);
}

bool look_back(const struct addr *a, char name[static DNS_TEXT_MAX], ns_t timeout)
{
	struct search s = { .n_questions = 1 };
	struct slice found = dns_hosts_back(read_file("/etc/hosts"), a);
	struct fault unused;
	struct text t;
	uint16_t id;

	if (found.n == 0) {
		begin(&s, timeout);
		if (random_fill(&id, sizeof(id), &unused)) {
			dns_query_back(&s.questions[0].query, a, id);
			ask(&s);
		}
		end(&s);
		found = slice_of(s.found.n > 0 ? s.found.name : "");
	}
	text_init(&t, name, DNS_TEXT_MAX);
	text_slice(&t, found);
	return found.n > 0;
}
