/* SPDX-License-Identifier: MIT */
/*
 * Over UDP alone: a truncated answer with one usable address is enough for a program that wants one host, and
 * one without any is told.
 */
#include "sys/look_up.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/dns.h"
#include "sys/clock.h"
#include "sys/fail.h"
#include "sys/random.h"
#include "sys/sockaddr.h"

#define FILE_MAX (64 << 10)
#define ANSWER_MAX 8

struct question {
	uint8_t query[DNS_QUERY_MAX];
	size_t n;
	enum dns_reply reply; /* DNS_NOT_OURS as long as there is none */
};

struct search {
	struct dns_conf conf;
	ns_t patience, deadline;            /* with one server, once; with all of it */
	struct pollfd fds[DNS_SERVERS_MAX]; /* one socket a server, since a late answer is an answer too */
	struct question questions[2];
	size_t n_questions;
	struct addr found[2 * ANSWER_MAX];
	size_t n_found;
};

/* Holds until the next call. */
static struct slice read_file(const char *path)
{
	static char text[FILE_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
	size_t n = got > 0 ? (size_t)got : 0;

	if (fd >= 0)
		close(fd);
	if (n == sizeof(text)) /* the half of a line can name another host */
		while (n > 0 && text[n - 1] != '\n')
			n--;
	return (struct slice){ text, n };
}

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

/* Connecting sends nothing; it asks the routing table. */
static bool has_route(struct addr to)
{
	to.port = DNS_PORT;
	int fd = connect_udp(&to);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* IPv6 before IPv4, and behind both what cannot be reached from here. */
static size_t arrange(const struct search *s, struct addr *v, size_t cap)
{
	size_t n = 0;

	for (unsigned turn = 0; turn < 4; turn++)
		for (size_t i = 0; i < s->n_found && n < cap; i++)
			if (s->found[i].family == (turn % 2 ? 4 : 6) && has_route(s->found[i]) == (turn < 2))
				v[n++] = s->found[i];
	return n;
}

static bool any(const struct search *s, enum dns_reply reply)
{
	for (size_t i = 0; i < s->n_questions; i++)
		if (s->questions[i].reply == reply)
			return true;
	return false;
}

static bool is_settled(const struct question *q)
{
	return q->reply != DNS_NOT_OURS && q->reply != DNS_FAILED;
}

static bool send_questions(struct search *s, int fd)
{
	for (size_t i = 0; i < s->n_questions; i++) {
		struct question *q = &s->questions[i];

		if (is_settled(q))
			continue;
		q->reply = DNS_NOT_OURS;
		if (send(fd, q->query, q->n, MSG_NOSIGNAL) < 0)
			return false;
	}
	return true;
}

/* Return: false where nobody listens there. */
static bool receive(struct search *s, int fd)
{
	uint8_t m[1500];
	ssize_t n = recv(fd, m, sizeof(m), MSG_DONTWAIT);

	if (n < 0)
		return fail_io() == IO_AGAIN;
	for (size_t i = 0; i < s->n_questions; i++) {
		struct question *q = &s->questions[i];
		size_t got;

		if (is_settled(q))
			continue;
		enum dns_reply reply =
			dns_parse(q->query, q->n, m, (size_t)n, s->found + s->n_found, ANSWER_MAX, &got);

		if (reply != DNS_NOT_OURS)
			q->reply = reply;
		s->n_found += got;
	}
	return true;
}

/* Ask server @at, and listen to all that were asked, for as long as one of them deserves. */
static void ask_server(struct search *s, size_t at)
{
	ns_t now = clock_mono(), deadline = ns_min(now + s->patience, s->deadline);

	if (s->fds[at].fd < 0)
		s->fds[at] = (struct pollfd){ connect_udp(&s->conf.servers[at]), POLLIN, 0 };
	bool alive = send_questions(s, s->fds[at].fd);

	while (alive && any(s, DNS_NOT_OURS) && now < deadline) {
		poll(s->fds, s->conf.n_servers, (int)((deadline - now + NS_PER_MS - 1) / NS_PER_MS));
		for (size_t i = 0; i < s->conf.n_servers; i++)
			if (s->fds[i].revents != 0 && !receive(s, s->fds[i].fd) && i == at)
				alive = false;
		now = clock_mono();
	}
}

/* Once one family is here, the other is not asked for again: some servers never answer about it. */
static enum dns_reply ask(struct search *s, struct slice name, int family)
{
	enum dns_reply worst = DNS_ANSWER;
	uint16_t ids[2];
	struct fault unused;

	if (!random_fill(ids, sizeof(ids), &unused))
		return DNS_FAILED;
	for (size_t i = 0; i < s->n_questions; i++) {
		struct question *q = &s->questions[i];

		q->n = dns_query(name, family != 0 ? family : i == 0 ? 6 : 4, ids[i], q->query);
		q->reply = DNS_NOT_OURS;
		if (q->n == 0)
			return DNS_NO_NAME;
	}
	for (size_t i = 0; i < s->conf.attempts * s->conf.n_servers && clock_mono() < s->deadline; i++)
		if (s->n_found == 0 && (any(s, DNS_NOT_OURS) || any(s, DNS_FAILED)))
			ask_server(s, i % s->conf.n_servers);
	for (size_t i = 0; i < s->n_questions; i++)
		if (s->questions[i].reply > worst)
			worst = s->questions[i].reply;
	return worst;
}

/* The name as it is, and with each domain of the search list behind it, in the order of resolv.conf(5). */
static enum dns_reply ask_all(struct search *s, struct slice name, int family)
{
	enum dns_reply best = DNS_NO_NAME;
	size_t dots = 0;

	for (size_t i = 0; i < name.n; i++)
		dots += name.p[i] == '.';
	if (slice_ends_nocase(name, SLICE(".")))
		s->conf.n_search = 0;
	size_t as_it_is = dots >= s->conf.ndots ? 0 : s->conf.n_search;

	for (size_t i = 0; i <= s->conf.n_search && s->n_found == 0; i++) {
		char full[256]; /* what is cut is too long for a name, still */
		struct text t;

		text_init(&t, full, sizeof(full));
		text_slice(&t, name);
		if (i != as_it_is) {
			text_char(&t, '.');
			text_slice(&t, s->conf.search[i - (as_it_is == 0)]);
		}
		enum dns_reply reply = ask(s, text_view(&t), family);

		best = reply < best ? reply : best;
	}
	return best;
}

static size_t refuse(struct fault *why, struct slice name, size_t reason, ns_t patience)
{
	static const char reasons[] = /* in the order of enum dns_reply, and two more */
		"no address of that family\0"
		"the answer is too long for a datagram\0"
		"no answer from the name servers within %t\0"
		"the name servers failed to find out\0"
		"no such name\0"
		"it has no address\0"
		"no name server can be reached";
	struct text t = fault_begin(why, FAULT_HOST);

	text_put(&t, "cannot resolve %q: ", name);
	text_put(&t, slice_word(reasons, reason), patience);
	fault_hint(why, "is the name right? an address always works");
	return 0;
}

/* Return: 0 with addresses, or a reason for refuse(). */
static size_t ask_servers(struct search *s, struct slice name, int family, ns_t timeout, ns_t *ret_patience)
{
	dns_conf_parse(read_file("/etc/resolv.conf"), &s->conf);
	unsigned turns = s->conf.attempts * (unsigned)s->conf.n_servers;

	*ret_patience = ns_min(timeout, turns * s->conf.timeout_s * NS_PER_S);
	s->patience = *ret_patience / turns;
	s->deadline = clock_mono() + *ret_patience;
	for (size_t i = 0; i < s->conf.n_servers; i++)
		s->fds[i].fd = -1;
	enum dns_reply reply = ask_all(s, name, family);

	for (size_t i = 0; i < s->conf.n_servers; i++)
		if (s->fds[i].fd >= 0)
			close(s->fds[i].fd);
	if (reply == DNS_ANSWER && family == 0)
		return DNS_NO_NAME + 1;
	return reply == DNS_NOT_OURS && clock_mono() < s->deadline ? DNS_NO_NAME + 2 : reply;
}

size_t look_up(struct slice name, int family, struct addr *v, size_t cap, ns_t timeout, struct fault *why)
{
	struct search s = { .n_questions = family == 0 ? 2 : 1 };
	bool local = dns_is_localhost(name);
	struct slice hosts = local ? SLICE("::1 localhost\n127.0.0.1 localhost") : read_file("/etc/hosts");
	struct slice host = local ? SLICE("localhost") : name;
	size_t reason = 0;
	ns_t patience = 0;

	s.n_found = dns_hosts(hosts, host, family, s.found, 2 * ANSWER_MAX);
	if (s.n_found == 0)
		reason = ask_servers(&s, name, family, timeout, &patience);
	return s.n_found > 0 ? arrange(&s, v, cap) : refuse(why, name, reason, patience);
}
