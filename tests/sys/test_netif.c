/* SPDX-License-Identifier: MIT */
/* What the kernel says of the loopback, and a folder made to look like /sys/class/net. */
#include "sys/netif.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "guard.h"
#include "sys/sockaddr.h"
#include "sys/stream.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct addr loopback(int family)
{
	struct addr a = { .family = (uint8_t)family, .ip = { [15] = 1 } };

	if (family == 4)
		a = (struct addr){ .family = 4, .ip = { 127, 0, 0, 1 } };
	return a;
}

/* A datagram socket is connected without a packet; -1 where there is no such family. */
static int aim_at(struct addr at, const struct addr *from)
{
	struct sockaddr_storage sa;
	int fd = socket(at.family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

	at.port = 9;
	if (from)
		assert_int_equal(bind(fd, (struct sockaddr *)&sa, sockaddr_put(&sa, from)), 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sockaddr_put(&sa, &at)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void check_is_loopback(int fd)
{
	struct netif_link link;

	memset(&link, 0xa5, sizeof(link));
	assert_true(netif_link_of(fd, &link));
	assert_string_equal(link.name, "lo");
	assert_int_equal(link.bits_per_second, UNKNOWN);
	assert_false(link.wireless);
}

static void a_connection_to_the_loopback_leaves_by_lo(void **state)
{
	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		struct addr at = loopback(family);
		struct fault why;
		ns_t stamp;
		int listener = stream_listen(&at, &why);

		if (listener < 0)
			continue; /* no such family here */
		at.port = stream_port(listener);
		int fd = stream_connect(&at, NULL, &stamp, &why);

		assert_true(fd >= 0);
		check_is_loopback(fd);
		stream_close(fd);
		stream_close(listener);
	}
}

/* The address is that of a port, but nothing that is sent there leaves by it. */
static void an_address_of_our_own_is_reached_by_lo(void **state)
{
	(void)state;
	struct addr v[32];
	size_t n = netif_addresses(v, COUNT(v)), aimed = 0;

	for (size_t i = 0; i < n; i++) {
		int fd = addr_reach(&v[i]) != ADDR_LINK_LOCAL ? aim_at(v[i], NULL) : -1;

		if (fd < 0)
			continue;
		check_is_loopback(fd);
		close(fd);
		aimed++;
	}
	assert_true(aimed > 0);
}

static void a_source_of_its_own_is_no_obstacle(void **state)
{
	(void)state;
	struct addr from = loopback(4);

	from.ip[3] = 9;
	int fd = aim_at(loopback(4), &from);

	check_is_loopback(fd);
	close(fd);
}

static void a_socket_that_is_bound_to_a_device_leaves_by_it(void **state)
{
	(void)state;
	struct netif_link link;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) != 0) {
		print_message("# this kernel binds no socket to a device for us\n");
		skip();
	}
	assert_true(netif_link_of(fd, &link)); /* connected or not */
	assert_string_equal(link.name, "lo");
	close(fd);
}

static void a_socket_that_is_not_connected_has_none(void **state)
{
	(void)state;
	struct netif_link link = { .bits_per_second = 7 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_false(netif_link_of(fd, &link));
	assert_false(netif_link_of(-1, &link));
	assert_int_equal(link.bits_per_second, 7);
	close(fd);
}

static char folder[] = "/tmp/sonde-netif-XXXXXX";

/* `folder/eth9/file`, or a folder of that name where there is no text for it. */
static void make(const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/eth9/%s", folder, file);
	if (!text) {
		assert_int_equal(mkdir(path, 0700), 0);
		return;
	}
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void unmake(const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/eth9/%s", folder, file);
	remove(path);
}

struct port {
	const char *speed; /* NULL for no such file */
	const char *mark;  /* a folder beside it, NULL for none */
	bool device;
	int64_t bits_per_second;
	bool wireless;
};

#define MBIT INT64_C(1000000)

static const struct port ports[] = {
	{ "1000\n", NULL, true, 1000 * MBIT, false },
	{ "10\n", NULL, true, 10 * MBIT, false },
	{ "2500", NULL, true, 2500 * MBIT, false },
	{ "400000\n", NULL, true, 400000 * MBIT, false },
	{ "10000\n", NULL, false, UNKNOWN, false }, /* veth */
	{ "-1\n", NULL, true, UNKNOWN, false },     /* no carrier, or virtio */
	{ "65535\n", NULL, true, UNKNOWN, false },
	{ "4294967295\n", NULL, true, UNKNOWN, false },
	{ "0\n", NULL, true, UNKNOWN, false },
	{ "", NULL, true, UNKNOWN, false },
	{ "fast\n", NULL, true, UNKNOWN, false },
	{ "99999999999999999999999999999999999999\n", NULL, true, UNKNOWN, false },
	{ NULL, NULL, true, UNKNOWN, false },
	{ NULL, NULL, false, UNKNOWN, false },
	{ NULL, "phy80211", true, UNKNOWN, true },
	{ "-1\n", "wireless", true, UNKNOWN, true },
	{ "866\n", "wireless", true, 866 * MBIT, true },
};

static void only_a_real_port_has_a_rate(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	make("", NULL);
	for (size_t i = 0; i < COUNT(ports); i++) {
		const struct port *p = &ports[i];
		struct netif_link link = { .name = "eth9", .bits_per_second = 7, .wireless = !p->wireless };

		if (p->speed)
			make("speed", p->speed);
		if (p->mark)
			make(p->mark, NULL);
		if (p->device)
			make("device", NULL);
		netif_link_read(folder, &link);
		assert_int_equal(link.bits_per_second, p->bits_per_second);
		assert_int_equal(link.wireless, p->wireless);
		unmake("speed");
		unmake("device");
		if (p->mark)
			unmake(p->mark);
	}
	unmake("");
	remove(folder);
}

static void without_such_a_folder_nothing_is_known(void **state)
{
	(void)state;
	struct netif_link link = { .name = "eth9", .bits_per_second = 7, .wireless = true };

	netif_link_read("/nonexistent", &link);
	assert_int_equal(link.bits_per_second, UNKNOWN);
	assert_false(link.wireless);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_to_the_loopback_leaves_by_lo),
		cmocka_unit_test(an_address_of_our_own_is_reached_by_lo),
		cmocka_unit_test(a_source_of_its_own_is_no_obstacle),
		cmocka_unit_test(a_socket_that_is_bound_to_a_device_leaves_by_it),
		cmocka_unit_test(a_socket_that_is_not_connected_has_none),
		cmocka_unit_test(only_a_real_port_has_a_rate),
		cmocka_unit_test(without_such_a_folder_nothing_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
