/* SPDX-License-Identifier: MIT */
/* Many clients on the loopback, and a clock of ours. */
#include "run/desk.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "guard.h"
#include "sys/sockaddr.h"

#define CROWD (3 * DESK_CLIENTS)

static struct desk desk;
static struct wait wait;
static ns_t now = 40 * NS_PER_S;

static int open_desk(void **state)
{
	const struct addr at = { .family = 4, .ip = { 127, 0, 0, 1 } };
	struct fault why;

	(void)state;
	return wait_open(&wait, &why) && desk_open(&desk, &at, &wait, 5, &why) ? 0 : -1;
}

static void take_events(ns_t patience)
{
	struct wait_event v[64];
	size_t n;

	do {
		n = wait_next(&wait, patience, 0, v, 64);
		for (size_t i = 0; i < n; i++) {
			assert_true(desk_owns(&desk, v[i].key));
			desk_ready(&desk, &v[i]);
		}
		patience = 0;
	} while (n == 64);
}

/* The next event, within a time that is long enough. */
static bool next(struct desk_event *e, ns_t patience)
{
	if (desk_step(&desk, now, e))
		return true;
	take_events(patience);
	return desk_step(&desk, now, e);
}

static void settle(void)
{
	struct desk_event e;

	for (int i = 0; i < 3; i++)
		assert_false(next(&e, NS_PER_MS));
}

static int join(void)
{
	struct sockaddr_storage sa;
	const struct addr at = { .family = 4, .ip = { 127, 0, 0, 1 }, .port = desk.port };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sockaddr_put(&sa, &at)), 0);
	return fd;
}

static void ask(int fd, const char *path)
{
	char request[80];
	int n = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n\r\n", path);

	assert_int_equal(send(fd, request, (size_t)n, MSG_NOSIGNAL), n);
}

static struct desk_event expect(enum desk_kind kind)
{
	struct desk_event e;

	for (int i = 0; i < 100; i++)
		if (next(&e, 100 * NS_PER_MS)) {
			assert_int_equal(e.kind, kind);
			return e;
		}
	fail_msg("nothing happens");
	return e;
}

/* What there is to read; NULL where the connection is at its end. */
static const char *hear(int fd)
{
	static char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	buf[n > 0 ? n : 0] = '\0';
	return n == 0 ? NULL : buf;
}

static void reply_with(size_t client, const char *text)
{
	desk_answer_copy(&desk, client, &(struct reply){ .status = 200 }, slice_of(text));
}

static void every_client_gets_its_own_answer(void **state)
{
	(void)state;
	int fds[DESK_CLIENTS];
	char path[16];

	for (int i = 0; i < DESK_CLIENTS; i++)
		fds[i] = join();
	for (int i = DESK_CLIENTS - 1; i >= 0; i--) {
		snprintf(path, sizeof(path), "/%d/", i);
		ask(fds[i], path);
	}
	for (int i = 0; i < DESK_CLIENTS; i++) {
		struct desk_event e = expect(DESK_REQUEST);
		char text[16] = { 0 };

		memcpy(text, e.head->target.p, e.head->target.n);
		assert_int_equal(addr_reach(desk_peer(&desk, e.client)), ADDR_LOOPBACK);
		reply_with(e.client, text);
	}
	settle();
	for (int i = 0; i < DESK_CLIENTS; i++) {
		snprintf(path, sizeof(path), "\r\n\r\n/%d/", i);
		assert_non_null(strstr(hear(fds[i]), path));
		close(fds[i]);
	}
	settle();
}

static void who_asks_nothing_makes_room_and_who_waits_does_not(void **state)
{
	(void)state;
	int waiting = join(), fds[CROWD];

	ask(waiting, "/waiting");
	struct desk_event e = expect(DESK_REQUEST);

	for (int i = 0; i < CROWD; i++) {
		fds[i] = join();
		now += NS_PER_MS;
		settle();
	}
	/* The latest are there, the earliest are not. */
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(hear(fds[i]) != NULL, i >= CROWD - (DESK_CLIENTS - 1));
	reply_with(e.client, "at last");
	assert_non_null(strstr(hear(waiting), "at last"));
	for (int i = 0; i < CROWD; i++)
		close(fds[i]);
	close(waiting);
	settle();
}

static void where_all_wait_for_an_answer_a_new_one_is_turned_away(void **state)
{
	(void)state;
	int fds[DESK_CLIENTS];
	size_t numbers[DESK_CLIENTS];

	for (int i = 0; i < DESK_CLIENTS; i++) {
		fds[i] = join();
		ask(fds[i], "/");
		numbers[i] = expect(DESK_REQUEST).client;
	}
	int late = join();

	settle();
	assert_null(hear(late));
	close(late);
	for (int i = 0; i < DESK_CLIENTS; i++)
		reply_with(numbers[i], "x");
	late = join();
	ask(late, "/");
	reply_with(expect(DESK_REQUEST).client, "now");
	assert_non_null(strstr(hear(late), "now"));
	close(late);
	for (int i = 0; i < DESK_CLIENTS; i++)
		close(fds[i]);
	settle();
}

static void that_a_client_has_left_is_told_once_where_it_waits(void **state)
{
	(void)state;
	int fd = join();

	ask(fd, "/");
	size_t client = expect(DESK_REQUEST).client;

	close(fd);
	assert_int_equal(expect(DESK_GONE).client, client);
	reply_with(client, "to nobody");
	settle();
	fd = join();
	ask(fd, "/");
	client = expect(DESK_REQUEST).client;
	desk_stream(&desk, client, &(struct reply){ .status = 200 });
	close(fd);
	assert_int_equal(expect(DESK_GONE).client, client);
	/* One that has its answer, and one that never asked. */
	fd = join();
	ask(fd, "/");
	reply_with(expect(DESK_REQUEST).client, "x");
	close(fd);
	close(join());
	settle();
}

static void a_place_is_not_given_away_before_its_owner_knows(void **state)
{
	(void)state;
	int fds[DESK_CLIENTS], more[DESK_CLIENTS];
	bool waits[DESK_CLIENTS] = { false };

	for (int i = 0; i < DESK_CLIENTS; i++) {
		fds[i] = join();
		ask(fds[i], "/old");
		waits[expect(DESK_REQUEST).client] = true;
	}
	for (int i = 0; i < DESK_CLIENTS; i++)
		close(fds[i]);
	for (int i = 0; i < DESK_CLIENTS; i++) {
		more[i] = join();
		ask(more[i], "/new");
	}
	size_t gone = 0;
	struct desk_event e;

	for (int i = 0; i < 200 && gone < DESK_CLIENTS; i++) {
		if (!next(&e, 10 * NS_PER_MS))
			continue;
		assert_true(waits[e.client] == (e.kind == DESK_GONE));
		waits[e.client] = !waits[e.client];
		gone += e.kind == DESK_GONE;
	}
	assert_int_equal(gone, DESK_CLIENTS);
	for (int i = 0; i < DESK_CLIENTS; i++)
		close(more[i]);
	for (int i = 0; i < 20; i++)
		next(&e, 5 * NS_PER_MS);
}

static void without_a_descriptor_left_it_listens_later(void **state)
{
	(void)state;
	struct rlimit was, few;
	int fd = join(), spare = dup(0);

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = was;
	few.rlim_cur = (rlim_t)spare;
	close(spare);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	ask(fd, "/");
	struct desk_event e;

	for (int i = 0; i < 5; i++)
		assert_false(next(&e, 2 * NS_PER_MS));
	assert_true(desk_deadline(&desk) <= now + 100 * NS_PER_MS);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_false(next(&e, 2 * NS_PER_MS));
	now += 101 * NS_PER_MS;
	reply_with(expect(DESK_REQUEST).client, "better late");
	assert_non_null(strstr(hear(fd), "better late"));
	close(fd);
	settle();
}

static void time_closes_what_is_idle_and_without_anybody_there_is_no_deadline(void **state)
{
	(void)state;
	int fd = join();

	settle();
	assert_true(desk_deadline(&desk) <= now + 30 * NS_PER_S);
	assert_true(desk_deadline(&desk) > now);
	now += 31 * NS_PER_S;
	settle();
	assert_null(hear(fd));
	assert_int_equal(desk_deadline(&desk), NS_NEVER);
	close(fd);
}

static void only_its_own_keys_are_its_own(void **state)
{
	(void)state;
	assert_false(desk_owns(&desk, 4));
	assert_true(desk_owns(&desk, 5));
	assert_true(desk_owns(&desk, 5 + DESK_KEYS - 1));
	assert_false(desk_owns(&desk, 5 + DESK_KEYS));
	assert_false(desk_owns(&desk, UINT64_MAX));
	assert_false(desk_owns(&desk, (UINT64_C(1) << 32) + 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_client_gets_its_own_answer),
		cmocka_unit_test(who_asks_nothing_makes_room_and_who_waits_does_not),
		cmocka_unit_test(where_all_wait_for_an_answer_a_new_one_is_turned_away),
		cmocka_unit_test(that_a_client_has_left_is_told_once_where_it_waits),
		cmocka_unit_test(a_place_is_not_given_away_before_its_owner_knows),
		cmocka_unit_test(without_a_descriptor_left_it_listens_later),
		cmocka_unit_test(time_closes_what_is_idle_and_without_anybody_there_is_no_deadline),
		cmocka_unit_test(only_its_own_keys_are_its_own),
	};

	return cmocka_run_group_tests(tests, open_desk, NULL);
}
