/* SPDX-License-Identifier: MIT */
/* Foreign probes on the loopback, against a listener in this process that behaves or does not. */
#include "run/foreign.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "guard.h"
#include "sys/clock.h"
#include "sys/sockaddr.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define KEY 1000
#define PEERS 64
#define ALL_TIME (5 * NS_PER_S) /* much more than is needed */

static const struct origin anywhere;

enum manner { ANSWERS, STAYS_SILENT, RESETS, CLOSES };

static struct {
	enum manner manner;
	const char *answer;
	ns_t delay; /* from the request to what is done with it */
	int fd;
	struct addr at;
	int accepted, open, most;
	bool right; /* every request was what it should be */
	struct peer {
		int fd; /* -1 for none */
		size_t n;
		ns_t due;
	} peers[PEERS];
} server;

static struct foreign foreign;
static struct wait wait_for;

static void serve(enum manner manner, const char *answer, ns_t delay)
{
	struct fault why;

	memset(&server, 0, sizeof(server));
	server.manner = manner;
	server.answer = answer;
	server.delay = delay;
	server.right = true;
	server.at = (struct addr){ .family = 4, .ip = { 127, 0, 0, 1 } };
	server.fd = stream_listen(&server.at, &why);
	assert_true(server.fd >= 0);
	server.at.port = stream_port(server.fd);
	for (size_t i = 0; i < PEERS; i++)
		server.peers[i].fd = -1;
	assert_true(wait_open(&wait_for, &why));
}

static void probe_with(const char *path, bool head, ns_t interval, ns_t timeout)
{
	struct foreign_cfg cfg = { .to = server.at, .origin = anywhere, .host = SLICE("probed.test"),
		.path = slice_of(path), .head = head, .interval = interval, .timeout = timeout };

	memset(&foreign, 0xa5, sizeof(foreign));
	foreign_open(&foreign, &cfg, &wait_for, KEY, clock_mono());
}

static void probe(ns_t interval, ns_t timeout)
{
	probe_with("/ping?x=1", false, interval, timeout);
}

static void hang_up(struct peer *p, bool rudely)
{
	if (rudely)
		stream_abort(p->fd);
	else
		stream_close(p->fd);
	p->fd = -1;
	server.open--;
}

static void check_request(const char *text, size_t n)
{
	char want[64];
	int want_n = snprintf(want, sizeof(want), "%s /ping?x=1 HTTP/1.1\r\nHost: probed.test:%u\r\n",
		foreign.cfg.head ? "HEAD" : "GET", server.at.port);

	server.right = server.right && n > (size_t)want_n && memcmp(text, want, (size_t)want_n) == 0 &&
		       memcmp(text + n - 4, "\r\n\r\n", 4) == 0;
}

static void serve_peer(struct peer *p)
{
	char text[2048];
	ssize_t n = recv(p->fd, text, sizeof(text), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN)) { /* torn down by the other side */
		hang_up(p, false);
		return;
	}
	if (n > 0) {
		check_request(text, (size_t)n);
		p->n += (size_t)n;
		p->due = clock_mono() + server.delay;
	}
	if (p->n == 0 || clock_mono() < p->due)
		return;
	p->due = NS_NEVER;
	if (server.manner == ANSWERS)
		send(p->fd, server.answer, strlen(server.answer), MSG_NOSIGNAL | MSG_DONTWAIT);
	else if (server.manner != STAYS_SILENT)
		hang_up(p, server.manner == RESETS);
}

static void serve_peers(void)
{
	for (size_t i = 0; i < PEERS; i++) {
		struct peer *p = &server.peers[i];
		struct addr from;

		if (p->fd < 0) {
			*p = (struct peer){ .fd = stream_accept(server.fd, &from) };
			if (p->fd < 0)
				continue;
			server.accepted++;
			server.open++;
			server.most = server.open > server.most ? server.open : server.most;
		}
		serve_peer(p);
	}
}

/* One round of whoever owns the wait; no longer than a millisecond, since the listener is in here too. */
static void go_round(void)
{
	struct wait_event v[16];
	ns_t now = clock_mono();

	foreign_step(&foreign, now);
	size_t n = wait_next(&wait_for, ns_min(foreign_deadline(&foreign), now + NS_PER_MS), now, v, COUNT(v));

	now = clock_mono();
	for (size_t i = 0; i < n; i++) {
		assert_true(foreign_owns(&foreign, v[i].key));
		foreign_ready(&foreign, &v[i], now);
	}
	serve_peers();
}

static int64_t answered(void)
{
	return foreign.rpm.part[RPM_ANSWER].seen;
}

static int64_t connected(void)
{
	return foreign.rpm.part[RPM_CONNECT].seen;
}

static void go_on_until(int64_t answers, int64_t failures)
{
	ns_t end = clock_mono() + ALL_TIME;

	while ((answered() < answers || foreign.rpm.failed < failures) && clock_mono() < end)
		go_round();
	assert_true(answered() >= answers && foreign.rpm.failed >= failures);
}

static void stop(void)
{
	foreign_close(&foreign, clock_mono());
	for (size_t i = 0; i < FOREIGN_LANES; i++)
		assert_int_equal(foreign.lanes[i].state, LANE_FREE);
	for (size_t i = 0; i < PEERS; i++)
		if (server.peers[i].fd >= 0)
			hang_up(&server.peers[i], false);
	stream_close(server.fd);
	wait_close(&wait_for);
}

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"

static void answers_are_counted_and_not_quicker_than_the_server(void **state)
{
	(void)state;
	const ns_t slept = 20 * NS_PER_MS;

	for (int head = 0; head < 2; head++) {
		serve(ANSWERS, OK_ANSWER, slept);
		probe_with("/ping?x=1", head, 10 * NS_PER_MS, NS_PER_S);
		go_on_until(5, 0);
		struct rpm *r = &foreign.rpm;

		assert_true(server.right);
		assert_int_equal(r->failed, 0);
		assert_true(connected() >= answered() && server.accepted >= connected());
		for (size_t i = 0; i < r->part[RPM_ANSWER].n; i++)
			assert_true(r->part[RPM_ANSWER].v[i].took >= slept);
		struct rpm_result all = rpm_finish(r, 0);

		assert_true(all.answer >= slept && all.connect >= 0);
		assert_true(all.rpm > 0 && all.rpm <= 6000);
		stop();
	}
}

/* What a server says is its business: it was there and back. Of a large answer only the beginning is waited for. */
static void whatever_begins_like_an_answer_is_one(void **state)
{
	(void)state;
	static const char *const words[] = {
		"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.0 500 Oh\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\nxxx",
		"HTTP/1.1 200 OK\r\n",
		"H",
		"SSH-2.0-OpenSSH_9.2p1\r\n",
	};

	for (size_t i = 0; i < COUNT(words); i++) {
		serve(ANSWERS, words[i], 0);
		probe(10 * NS_PER_MS, NS_PER_S);
		go_on_until(2, 0);
		assert_int_equal(foreign.rpm.failed, 0);
		stop();
	}
}

static void a_connection_is_torn_down_when_its_answer_is_there(void **state)
{
	(void)state;
	serve(ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\nxxx", 0);
	probe(10 * NS_PER_MS, NS_PER_S);
	go_on_until(4, 0);
	assert_true(server.most <= 2);
	stop();
}

static void resets_and_silent_ends_are_failures(void **state)
{
	(void)state;
	for (enum manner m = RESETS; m <= CLOSES; m++) {
		serve(m, NULL, 0);
		probe(10 * NS_PER_MS, NS_PER_S);
		go_on_until(0, 5);
		assert_int_equal(answered(), 0);
		assert_true(connected() >= 5);
		struct rpm_result r = rpm_finish(&foreign.rpm, 0);

		assert_int_equal(r.rpm, UNKNOWN);
		assert_true(r.connect >= 0);
		assert_true(r.failed >= 5 && r.probes == r.failed);
		stop();
	}
}

static void refusals_are_failures(void **state)
{
	(void)state;
	serve(ANSWERS, OK_ANSWER, 0);
	stream_close(server.fd);
	probe(10 * NS_PER_MS, NS_PER_S);
	go_on_until(0, 5);
	assert_int_equal(connected(), 0);
	assert_int_equal(answered(), 0);
	server.fd = socket(AF_INET, SOCK_STREAM, 0);
	stop();
}

static void silence_is_given_up_and_not_waited_for(void **state)
{
	(void)state;
	serve(STAYS_SILENT, NULL, 0);
	probe(10 * NS_PER_MS, 90 * NS_PER_MS);
	ns_t begin = clock_mono();

	go_on_until(0, FOREIGN_LANES + 2);
	assert_int_equal(answered(), 0);
	assert_true(connected() >= FOREIGN_LANES + 2);
	/* The second eight begin when the first ones are given up, and not before. */
	assert_true(clock_mono() - begin >= 2 * 90 * NS_PER_MS);
	stop();
}

static void eight_at_once_and_no_more(void **state)
{
	(void)state;
	serve(STAYS_SILENT, NULL, 0);
	probe(10 * NS_PER_MS, 10 * NS_PER_S);
	ns_t end = clock_mono() + 120 * NS_PER_MS;

	while (clock_mono() < end)
		go_round();
	assert_int_equal(server.accepted, FOREIGN_LANES);
	/* With nothing to send, the deadline is that of the first one under way: nobody spins. */
	assert_true(foreign_deadline(&foreign) > clock_mono() + 9 * NS_PER_S);
	stop();
	/* They were under way, and nobody knows how they would have ended. */
	assert_int_equal(foreign.rpm.failed, 0);
	assert_int_equal(answered(), 0);
}

static void what_is_over_its_time_at_the_end_is_a_failure(void **state)
{
	(void)state;
	serve(STAYS_SILENT, NULL, 0);
	probe(10 * NS_PER_MS, 100 * NS_PER_MS);
	while (connected() == 0)
		go_round();
	foreign_close(&foreign, clock_mono() + 200 * NS_PER_MS);
	assert_true(foreign.rpm.failed >= 1);
	stop();
}

/* A process that was stopped finds the answer there and the time over: the answer counts. */
static void an_answer_that_is_there_is_read_before_anything_is_given_up(void **state)
{
	(void)state;
	serve(ANSWERS, OK_ANSWER, 0);
	probe(10 * NS_PER_MS, 100 * NS_PER_MS);
	while (connected() == 0)
		go_round();
	while (answered() == 0 && foreign.lanes[0].x.sent == 0)
		go_round();
	for (int i = 0; i < 20; i++) {
		serve_peers();
		usleep(1000);
	}
	foreign_step(&foreign, clock_mono() + NS_PER_S);
	assert_int_equal(answered(), 1);
	assert_int_equal(foreign.rpm.failed, 0);
	stop();
}

/* The backlog is full, so the first SYN is dropped and the kernel asks again after a second. */
static void a_handshake_that_had_to_ask_again_took_all_the_time(void **state)
{
	(void)state;
	struct sockaddr_storage sa;
	ns_t stamp, begin = clock_mono(), end = begin + 4 * NS_PER_S;
	struct fault why;
	int fillers[2];

	serve(ANSWERS, OK_ANSWER, 0);
	stream_close(server.fd);
	server.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	server.at.port = 0;
	assert_int_equal(bind(server.fd, (struct sockaddr *)&sa, sockaddr_put(&sa, &server.at)), 0);
	assert_int_equal(listen(server.fd, 0), 0);
	server.at.port = stream_port(server.fd);
	for (int i = 0; i < 2; i++)
		fillers[i] = stream_connect(&server.at, NULL, &stamp, &why);
	probe(10 * NS_PER_S, 5 * NS_PER_S);
	foreign_step(&foreign, clock_mono() + 10 * NS_PER_S);
	assert_int_equal(foreign.lanes[0].state, LANE_CONNECTING);
	usleep(20000);
	while (answered() == 0 && foreign.rpm.failed == 0 && clock_mono() < end)
		go_round();
	assert_int_equal(answered(), 1);
	ns_t connect = foreign.rpm.part[RPM_CONNECT].v[0].took, answer = foreign.rpm.part[RPM_ANSWER].v[0].took;

	assert_true(connect >= 900 * NS_PER_MS);
	/* One after the other: neither holds any of the other's time. */
	assert_true(connect + answer <= clock_mono() - begin);
	for (int i = 0; i < 2; i++)
		stream_abort(fillers[i]);
	stop();
}

static void probes_are_as_far_apart_as_the_load_is_slow(void **state)
{
	(void)state;
	static const struct {
		ns_t interval;
		int64_t load;
		ns_t apart;
	} cases[] = {
		{ 100 * NS_PER_MS, UNKNOWN, 100 * NS_PER_MS },
		{ 100 * NS_PER_MS, 0, 100 * NS_PER_MS },
		{ 0, UNKNOWN, 10 * NS_PER_MS }, /* a hundred a second, whatever is asked */
		{ 10 * NS_PER_MS, INT64_C(40000000000), 10 * NS_PER_MS },
		{ 10 * NS_PER_MS, 19200000, 10 * NS_PER_MS },
		{ 10 * NS_PER_MS, 9600000, 20 * NS_PER_MS }, /* 1,200 bytes are 9,600 bits, a twentieth of 192,000 */
		{ 100 * NS_PER_MS, 9600000, 100 * NS_PER_MS },
		{ 100 * NS_PER_MS, 192000, NS_PER_S },
		{ 100 * NS_PER_MS, 1000, 192 * NS_PER_S },
		{ 100 * NS_PER_MS, 1, 192000 * NS_PER_S },
	};

	serve(ANSWERS, OK_ANSWER, 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct foreign_cfg cfg = { .to = server.at, .interval = cases[i].interval, .timeout = NS_PER_S };

		foreign_open(&foreign, &cfg, &wait_for, KEY, 7 * NS_PER_S);
		foreign_pace(&foreign, 1); /* what was known before is forgotten */
		foreign_pace(&foreign, cases[i].load);
		assert_true(foreign_deadline(&foreign) == 7 * NS_PER_S + cases[i].apart);
	}
	stop();
}

static void no_probe_leaves_before_its_time(void **state)
{
	(void)state;
	serve(ANSWERS, OK_ANSWER, 0);
	ns_t begin = clock_mono();

	probe(25 * NS_PER_MS, NS_PER_S);
	go_on_until(5, 0);
	assert_true(clock_mono() - begin >= 5 * 25 * NS_PER_MS);
	/* After a pause they are not made up for. */
	int64_t before = server.accepted;

	usleep(100000);
	go_round();
	go_round();
	assert_true(server.accepted - before <= 2);
	stop();
}

static void a_key_is_ours_or_not(void **state)
{
	(void)state;
	serve(ANSWERS, OK_ANSWER, 0);
	probe(NS_PER_S, NS_PER_S);
	assert_false(foreign_owns(&foreign, KEY - 1));
	assert_true(foreign_owns(&foreign, KEY));
	assert_true(foreign_owns(&foreign, KEY + FOREIGN_LANES - 1));
	assert_false(foreign_owns(&foreign, KEY + FOREIGN_LANES));
	/* An event for a connection that is gone is nothing. */
	foreign_ready(&foreign, &(struct wait_event){ KEY + 3, true, true }, clock_mono());
	assert_int_equal(foreign.rpm.failed, 0);
	stop();
}

static void a_path_that_cannot_be_asked_for_is_a_failure(void **state)
{
	(void)state;
	serve(ANSWERS, OK_ANSWER, 0);
	probe_with("/a b", false, 10 * NS_PER_MS, NS_PER_S);
	go_on_until(0, 2);
	assert_int_equal(answered(), 0);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_counted_and_not_quicker_than_the_server),
		cmocka_unit_test(whatever_begins_like_an_answer_is_one),
		cmocka_unit_test(a_connection_is_torn_down_when_its_answer_is_there),
		cmocka_unit_test(resets_and_silent_ends_are_failures),
		cmocka_unit_test(refusals_are_failures),
		cmocka_unit_test(silence_is_given_up_and_not_waited_for),
		cmocka_unit_test(eight_at_once_and_no_more),
		cmocka_unit_test(what_is_over_its_time_at_the_end_is_a_failure),
		cmocka_unit_test(an_answer_that_is_there_is_read_before_anything_is_given_up),
		cmocka_unit_test(a_handshake_that_had_to_ask_again_took_all_the_time),
		cmocka_unit_test(probes_are_as_far_apart_as_the_load_is_slow),
		cmocka_unit_test(no_probe_leaves_before_its_time),
		cmocka_unit_test(a_key_is_ours_or_not),
		cmocka_unit_test(a_path_that_cannot_be_asked_for_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
