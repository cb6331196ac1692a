/* SPDX-License-Identifier: MIT */
/* A real child, a real client on the loopback, and a clock of ours. */
#include "run/errand.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "guard.h"
#include "sys/sockaddr.h"

#define KEY 100

static struct desk desk;
static struct wait wait;
static struct errand errand;
static ns_t now;
static int client = -1;
static char got[1 << 20]; /* what the client got */
static size_t got_n;

static void listen_for_clients(void)
{
	const struct addr at = { .family = 4, .ip = { 127, 0, 0, 1 } };
	struct fault why;

	now = 40 * NS_PER_S;
	if (desk.port > 0)
		return;
	assert_true(wait_open(&wait, &why));
	assert_true(desk_open(&desk, &at, &wait, 0, &why));
}

/* One turn of the owner's loop. Return: events of the wait. */
static size_t turn(ns_t patience)
{
	struct wait_event v[8];
	struct desk_event e;
	size_t n = wait_next(&wait, patience, 0, v, 8);

	for (size_t i = 0; i < n; i++)
		if (desk_owns(&desk, v[i].key))
			desk_ready(&desk, &v[i]);
	while (desk_step(&desk, now, &e)) {
		if (e.kind == DESK_REQUEST)
			errand = (struct errand){ .number = 7, .client = e.client, .desk = &desk, .wait = &wait, .key = KEY };
		else if (errand.number > 0)
			errand_drop(&errand);
	}
	if (errand.process.pid > 0 && errand.number > 0)
		errand_go(&errand, now);
	return n;
}

static void hear(void)
{
	ssize_t n;

	while ((n = recv(client, got + got_n, sizeof(got) - 1 - got_n, MSG_DONTWAIT)) > 0)
		got_n += (size_t)n;
	got[got_n] = '\0';
}

static void ask(int receive)
{
	struct sockaddr_storage sa;
	const struct addr at = { .family = 4, .ip = { 127, 0, 0, 1 }, .port = desk.port };
	static const char request[] = "GET / HTTP/1.1\r\n\r\n";

	if (client >= 0)
		close(client);
	client = socket(AF_INET, SOCK_STREAM, 0);
	if (receive > 0)
		setsockopt(client, SOL_SOCKET, SO_RCVBUF, &receive, sizeof(receive));
	assert_int_equal(connect(client, (struct sockaddr *)&sa, sockaddr_put(&sa, &at)), 0);
	assert_int_equal(send(client, request, sizeof(request) - 1, 0), sizeof(request) - 1);
	got_n = 0;
	memset(&errand, 0, sizeof(errand));
	while (errand.number == 0)
		turn(NS_PER_S);
}

static void begin(int (*f)(int argc, char **argv), int receive)
{
	struct fault why;
	char *argv[] = { NULL };

	listen_for_clients();
	ask(receive);
	assert_true(errand_start(&errand, f, 0, argv, &why));
	errand_go(&errand, now);
}

static void until_it_ends(void)
{
	for (int i = 0; errand.number > 0; i++) {
		assert_true(i < 100000);
		turn(NS_PER_S);
		hear();
	}
	for (int i = 0; i < 200 && !strstr(got, "event: end"); i++) {
		turn(10 * NS_PER_MS);
		hear();
	}
}

static const char *body(void)
{
	const char *at = strstr(got, "\r\n\r\n");

	assert_non_null(at);
	return at + 4;
}

static void say(const char *s)
{
	if (write(STDOUT_FILENO, s, strlen(s)) < 0)
		_exit(99);
}

static int speak_in_pieces(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	say("{\"a\"");
	poll(NULL, 0, 5);
	say(":1}\n{\"b\":2}");
	poll(NULL, 0, 5);
	say("\n\n{\"c\":3}\nrest");
	return 3;
}

static void every_line_is_a_message_however_it_comes(void **state)
{
	(void)state;
	begin(speak_in_pieces, 0);
	until_it_ends();
	assert_string_equal(body(), "event: run\nid: 7\ndata: {\"run\":7}\n\n"
				    "data: {\"a\":1}\n\ndata: {\"b\":2}\n\ndata: \n\ndata: {\"c\":3}\n\ndata: rest\n\n"
				    "event: end\ndata: {\"code\":3}\n\n");
}

#define LONG 300000

static int speak_at_length(int argc, char **argv)
{
	char piece[1000];

	(void)argc;
	(void)argv;
	memset(piece, 'x', sizeof(piece) - 1);
	piece[sizeof(piece) - 1] = '\0';
	for (int n = 0; n < LONG; n += (int)sizeof(piece) - 1)
		say(piece);
	say("\n\n\n\n\n\n");
	return 0;
}

static void a_line_of_any_length_is_one_message(void **state)
{
	(void)state;
	begin(speak_at_length, 0);
	until_it_ends();
	const char *line = strstr(body(), "data: xxx");

	assert_non_null(line);
	assert_true(strspn(line + 6, "x") >= LONG);
	assert_non_null(strstr(line, "x\n\ndata: \n\ndata: \n\n"));
}

static int keep_silent(int argc, char **argv)
{
	(void)argv;
	say("{\"half\":");
	poll(NULL, 0, 50);
	say("1}\n");
	while (argc < 100)
		pause();
	return 0;
}

static void silence_is_broken_from_time_to_time_but_no_line_is(void **state)
{
	(void)state;
	begin(keep_silent, 0);
	while (!strstr(got, "half")) {
		turn(NS_PER_S);
		hear();
	}
	now += 20 * NS_PER_S; /* may be in the middle of the line */
	turn(0);
	while (!strstr(got, "data: {\"half\":1}\n\n")) {
		turn(NS_PER_S);
		hear();
	}
	for (int i = 0; i < 3; i++) {
		turn(0);
		hear();
		size_t before = got_n;

		assert_true(errand_deadline(&errand) <= now + 15 * NS_PER_S);
		turn(0);
		hear();
		assert_int_equal(got_n, before);
		now += 16 * NS_PER_S;
		turn(0);
		hear();
		assert_string_equal(got + before, ": \n\n");
	}
	errand_drop(&errand);
}

static int speak_for_ever(int argc, char **argv)
{
	(void)argv;
	while (argc < 100)
		say("0123456789abcdefghijklmnopqrstuvwxyz\n");
	return 0;
}

static void a_client_that_does_not_read_stops_the_child_and_costs_nothing(void **state)
{
	(void)state;
	int quiet = 0;

	begin(speak_for_ever, 4096);
	/* Until all buffers are full nobody sleeps; then everybody does. */
	for (int i = 0; i < 100000 && quiet < 3; i++)
		quiet = turn(20 * NS_PER_MS) == 0 ? quiet + 1 : 0;
	assert_int_equal(quiet, 3);
	assert_int_equal(errand_deadline(&errand), NS_NEVER);
	hear();
	size_t first = got_n;

	for (int i = 0; i < 1000 && got_n < first + 200000; i++) {
		turn(20 * NS_PER_MS);
		hear();
	}
	assert_true(got_n >= first + 200000);
	/* Nothing was lost on the way. */
	const char *at = strstr(body(), "data: 0");
	static const char message[] = "data: 0123456789abcdefghijklmnopqrstuvwxyz\n\n";

	for (; strlen(at) >= sizeof(message) - 1; at += sizeof(message) - 1)
		assert_memory_equal(at, message, sizeof(message) - 1);
	/* Nobody takes anything for two minutes: that is no client any more. */
	while (turn(20 * NS_PER_MS) > 0)
		continue;
	now += 121 * NS_PER_S;
	turn(0);
	assert_int_equal(errand.number, 0);
}

static void the_child_of_a_client_that_leaves_is_ended(void **state)
{
	(void)state;
	begin(keep_silent, 0);
	turn(NS_PER_S);
	close(client);
	client = -1;
	for (int i = 0; i < 100 && errand.number > 0; i++)
		turn(NS_PER_S);
	assert_int_equal(errand.number, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_is_a_message_however_it_comes),
		cmocka_unit_test(a_line_of_any_length_is_one_message),
		cmocka_unit_test(silence_is_broken_from_time_to_time_but_no_line_is),
		cmocka_unit_test(a_client_that_does_not_read_stops_the_child_and_costs_nothing),
		cmocka_unit_test(the_child_of_a_client_that_leaves_is_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
