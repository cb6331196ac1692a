/* SPDX-License-Identifier: MIT */
#include "sys/udp.h"

#include <poll.h>

#include "core/io.h"
#include "guard.h"
#include "sys/clock.h"

static struct udp_socket asker, answerer;
static struct fault why;
static uint8_t buf[2000];

static struct addr loopback(int family, uint16_t port)
{
	struct addr a;

	assert_true(addr_parse(family == 6 ? SLICE("::1") : SLICE("127.0.0.1"), &a));
	a.port = port;
	return a;
}

static void wait_for(int fd, short what)
{
	struct pollfd p = { .fd = fd, .events = what };

	assert_int_equal(poll(&p, 1, 5000), 1);
}

static void begin(int family)
{
	struct udp_options o = { .stamping = ICMP_STAMP_ALL };
	struct addr at = loopback(family, 0);

	assert_true(udp_open(&asker, family, &o, &why));
	assert_int_equal(udp_listen(&answerer, &at, &why), 0);
	assert_true(asker.port != 0 && answerer.port != 0);
}

static void end(void)
{
	udp_close(&asker);
	udp_close(&answerer);
}

static void a_question_and_its_answer_come_with_addresses_hops_and_stamps(void **state)
{
	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		struct packet q, a;

		begin(family);
		struct addr to = loopback(family, answerer.port);
		ns_t before = clock_mono();

		assert_int_equal(udp_send(&asker, "question", 8, &to, 7), 0);
		wait_for(answerer.fd, POLLIN);
		assert_true(udp_recv(&answerer, &q, buf, sizeof(buf)));
		assert_int_equal(q.kind, PACKET_MESSAGE);
		assert_int_equal(q.n, 8);
		assert_memory_equal(q.p, "question", 8);
		assert_true(addr_same_host(&q.from, &to) && q.from.port == asker.port);
		assert_true(addr_same_host(&q.to, &to));
		assert_int_equal(q.ttl, UDP_TTL);
		assert_true(q.stamp <= q.user && (!q.kernel_stamp || q.stamp > before - NS_PER_MS));
		assert_false(udp_recv(&answerer, &q, buf, sizeof(buf)));

		assert_int_equal(udp_answer(&answerer, "answer", 6, &q.from, &q.to), 0);
		wait_for(asker.fd, POLLIN);
		assert_true(udp_recv(&asker, &a, buf, sizeof(buf)));
		assert_int_equal(a.n, 6);
		assert_true(addr_same_host(&a.from, &to) && a.from.port == answerer.port);
		assert_int_equal(a.ttl, UDP_TTL);
		end();
	}
}

/* Both stamps of each send, under the name that it was given; none where the kernel stamps nothing. */
static void sends_are_stamped_under_their_names(void **state)
{
	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		struct packet pkt;
		int sched = 0, left = 0;

		begin(family);
		struct addr to = loopback(family, answerer.port);

		if (asker.stamping.type == 0)
			skip();
		for (uint32_t tag = 500; tag < 510; tag++)
			assert_int_equal(udp_send(&asker, "x", 1, &to, tag), 0);
		while (udp_recv_error(&asker, &pkt, buf, sizeof(buf))) {
			int *n = pkt.kind == PACKET_SCHED ? &sched : &left;

			assert_true(pkt.kind == PACKET_SCHED || pkt.kind == PACKET_LEFT);
			assert_int_equal(pkt.id, 500 + (*n)++);
			assert_true(pkt.kernel_stamp && pkt.stamp <= pkt.user);
		}
		assert_int_equal(sched, 10);
		assert_int_equal(left, 10);
		end();
	}
}

static void a_port_where_nobody_listens_is_told_with_what_was_sent(void **state)
{
	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		struct packet pkt = { .kind = PACKET_MESSAGE };

		begin(family);
		struct addr to = loopback(family, answerer.port);

		udp_close(&answerer);
		assert_int_equal(udp_send(&asker, "anybody?", 8, &to, 1), 0);
		wait_for(asker.fd, POLLERR);
		while (pkt.kind != PACKET_ERROR)
			assert_true(udp_recv_error(&asker, &pkt, buf, sizeof(buf)));
		assert_int_equal(pkt.type, family == 6 ? 1 : 3);
		assert_int_equal(pkt.code, family == 6 ? 4 : 3);
		assert_int_equal(pkt.n, 8);
		assert_memory_equal(pkt.p, "anybody?", 8);
		assert_true(addr_same_host(&pkt.to, &to) && pkt.to.port == to.port);
		/* Whatever is still pending, the next send is not refused for it. */
		assert_int_equal(udp_send(&asker, "anybody?", 8, &to, 2), 0);
		assert_int_equal(udp_send(&asker, "anybody?", 8, &to, 3), 0);
		udp_close(&asker);
	}
}

static void a_port_that_is_taken_is_refused_and_named(void **state)
{
	(void)state;
	struct udp_socket second;

	begin(4);
	struct addr at = loopback(4, answerer.port);

	assert_int_equal(udp_listen(&second, &at, &why), IO_IN_USE);
	assert_non_null(strstr(why.text, "cannot answer UDP on '127.0.0.1:"));
	assert_non_null(strstr(why.text, "Address already in use"));
	end();
}

static void the_origin_is_kept_to_and_its_refusal_is_told(void **state)
{
	(void)state;
	struct udp_options o = { .origin = { .source = loopback(4, 0), .ttl = 9 } };
	struct udp_socket s;
	struct packet q;

	begin(4);
	o.origin.source.ip[3] = 7;
	assert_true(udp_open(&s, 4, &o, &why));
	struct addr to = loopback(4, answerer.port);

	assert_int_equal(udp_send(&s, "x", 1, &to, 0), 0);
	wait_for(answerer.fd, POLLIN);
	assert_true(udp_recv(&answerer, &q, buf, sizeof(buf)));
	assert_int_equal(q.from.ip[3], 7);
	assert_int_equal(q.ttl, 9);
	udp_close(&s);
	o.origin.interface = "no such one";
	assert_false(udp_open(&s, 4, &o, &why));
	assert_non_null(strstr(why.text, "cannot open a UDP socket"));
	end();
}

static void a_datagram_is_cut_to_the_room_there_is(void **state)
{
	(void)state;
	struct packet q;

	begin(4);
	struct addr to = loopback(4, answerer.port);

	memset(buf, 0xee, sizeof(buf));
	assert_int_equal(udp_send(&asker, "0123456789", 10, &to, 0), 0);
	wait_for(answerer.fd, POLLIN);
	assert_true(udp_recv(&answerer, &q, buf, 4));
	assert_int_equal(q.n, 4);
	assert_memory_equal(buf, "0123\xee", 5);
	end();
}

static void the_wall_clock_is_told_for_any_moment(void **state)
{
	(void)state;
	ns_t now = clock_mono();
	int64_t at = clock_unix(now), before = clock_unix(now - 3 * NS_PER_S);

	assert_in_range(at - before, 3 * NS_PER_S - NS_PER_MS, 3 * NS_PER_S + NS_PER_MS);
	assert_in_range(at / NS_PER_S, clock_wall_s() - 5, clock_wall_s() + 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_and_its_answer_come_with_addresses_hops_and_stamps),
		cmocka_unit_test(sends_are_stamped_under_their_names),
		cmocka_unit_test(a_port_where_nobody_listens_is_told_with_what_was_sent),
		cmocka_unit_test(a_port_that_is_taken_is_refused_and_named),
		cmocka_unit_test(the_origin_is_kept_to_and_its_refusal_is_told),
		cmocka_unit_test(a_datagram_is_cut_to_the_room_there_is),
		cmocka_unit_test(the_wall_clock_is_told_for_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
