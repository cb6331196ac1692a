/* SPDX-License-Identifier: MIT */
/* On the loopback, where every hop is the target; routers are met in the lab. */
#include "sys/hop.h"

#include <poll.h>

#include "core/io.h"
#include "guard.h"
#include "sys/clock.h"

static const struct origin anywhere;

static struct addr loopback(int family)
{
	struct addr a = { .family = (uint8_t)family, .ip = { [15] = 1 } };

	if (family == 4)
		a = (struct addr){ .family = 4, .ip = { 127, 0, 0, 1 } };
	return a;
}

/* A listener and where it is; skips where there is no such family. */
static int listen_at(struct addr *at)
{
	struct fault why;
	int fd = stream_listen(at, &why);

	if (fd < 0)
		skip();
	at->port = stream_port(fd);
	return fd;
}

static int outcome_of(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	assert_int_equal(poll(&p, 1, 5000), 1);
	return stream_connected(fd);
}

static void check_connects(int family)
{
	struct addr at = loopback(family);
	int listener = listen_at(&at);
	uint16_t port = 0, first = 0;
	struct packet pkt;
	uint8_t buf[256];
	ns_t before = clock_mono(), stamp = 0;

	for (int ttl = 1; ttl <= 255; ttl += 127) { /* again and again from one port */
		int fd = hop_connect(&at, &anywhere, &port, ttl, &stamp);

		assert_true(fd >= 0);
		assert_true(stamp >= before && stamp <= clock_mono());
		first = ttl == 1 ? port : first;
		assert_true(port != 0 && port == first && stream_port(fd) == port);
		assert_int_equal(outcome_of(fd), 0);
		assert_false(hop_error(fd, &pkt, buf, sizeof(buf)));
		stream_abort(fd);
	}
	stream_close(listener);
	int fd = hop_connect(&at, &anywhere, &port, 1, &stamp);

	assert_true(fd >= 0);
	assert_int_equal(outcome_of(fd), IO_REFUSED);
	assert_int_equal(port, first);
	stream_abort(fd);
}

static void ipv4_connects_and_is_refused_from_one_port(void **state)
{
	(void)state;
	check_connects(4);
}

static void ipv6_connects_and_is_refused_from_one_port(void **state)
{
	(void)state;
	check_connects(6);
}

static void two_ends_may_be_tried_at_once_from_one_port(void **state)
{
	(void)state;
	struct addr a = loopback(4), b = loopback(4);
	int la = listen_at(&a), lb = listen_at(&b);
	uint16_t port = 0, same;
	ns_t stamp;
	int fa = hop_connect(&a, &anywhere, &port, 64, &stamp);

	same = port;
	int fb = hop_connect(&b, &anywhere, &port, 64, &stamp);

	assert_true(fa >= 0 && fb >= 0);
	assert_int_equal(port, same);
	assert_true(hop_connect(&a, &anywhere, &port, 64, &stamp) < 0); /* but not one end twice */
	stream_abort(fa);
	stream_abort(fb);
	stream_close(la);
	stream_close(lb);
}

static void what_this_machine_refuses_is_told_at_once(void **state)
{
	(void)state;
	struct addr at = loopback(4);
	struct origin nowhere = { .source = { .family = 4, .ip = { 192, 0, 2, 1 } } };
	struct origin no_such = { .interface = "nosuchif0" };
	uint16_t port = 0;
	ns_t stamp = 0;

	at.port = 9;
	assert_true(hop_connect(&at, &nowhere, &port, 1, &stamp) < 0);
	assert_true(hop_connect(&at, &no_such, &port, 1, &stamp) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_connects_and_is_refused_from_one_port),
		cmocka_unit_test(ipv6_connects_and_is_refused_from_one_port),
		cmocka_unit_test(two_ends_may_be_tried_at_once_from_one_port),
		cmocka_unit_test(what_this_machine_refuses_is_told_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
