/* SPDX-License-Identifier: MIT */
#include "sys/privilege.h"

#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/text.h"
#include "sys/fail.h"
#include "sys/input.h"

/* From linux/capability.h, which a bare C library does not bring along. */
#define CAP_NET_RAW_BIT 13
#define CAP_VERSION_3 0x20080522

/* SO_TIMESTAMPING with receive and software stamps. */
#define KERNEL_TIMESTAMPING 37
#define STAMPS_WANTED (1 << 3 | 1 << 4)

/* libc's own go to every thread, which is 2 kB for the one there is. Numbers of 16 bits came first on some machines. */
#ifdef SYS_setresuid32
enum { SET_USER = SYS_setresuid32, SET_GROUP = SYS_setresgid32 };
#else
enum { SET_USER = SYS_setresuid, SET_GROUP = SYS_setresgid };
#endif

struct cap_header {
	uint32_t version;
	int pid;
};

struct cap_data {
	uint32_t effective, permitted, inheritable;
};

static int try_icmp(int type, char *error, size_t cap)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, IPPROTO_ICMP);
	struct text t;

	text_init(&t, error, cap);
	if (fd < 0)
		fail_put(&t, errno);
	return fd;
}

static void try_options(struct privilege *p, int fd)
{
	int stamps = STAMPS_WANTED;

	p->kernel_timestamps = setsockopt(fd, SOL_SOCKET, KERNEL_TIMESTAMPING, &stamps, sizeof(stamps)) == 0;
	p->bind_device = setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == 0;
}

/* The two halves of all that there are. */
static bool get_capabilities(struct cap_data d[2])
{
	struct cap_header h = { CAP_VERSION_3, 0 };

	return syscall(SYS_capget, &h, d) == 0;
}

static bool set_capabilities(const struct cap_data d[2])
{
	struct cap_header h = { CAP_VERSION_3, 0 };

	return syscall(SYS_capset, &h, d) == 0;
}

static void read_capabilities(struct privilege *p)
{
	struct cap_data d[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	p->status_known = get_capabilities(d);
	p->cap_net_raw = d[0].effective >> CAP_NET_RAW_BIT & 1;
	p->cap_permitted = d[0].permitted >> CAP_NET_RAW_BIT & 1;
	p->cap_bounding = prctl(PR_CAPBSET_READ, CAP_NET_RAW_BIT, 0, 0, 0) == 1;
	p->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static bool group_in(int64_t low, int64_t high)
{
	gid_t groups[256];
	int n = getgroups(256, groups);

	if (getegid() >= low && getegid() <= high)
		return true;
	for (int i = 0; i < n; i++)
		if (groups[i] >= low && groups[i] <= high)
			return true;
	return false;
}

static void read_group_range(struct privilege *p)
{
	char buf[64];
	struct slice s = input_file("/proc/sys/net/ipv4/ping_group_range", buf, sizeof(buf));
	uint64_t low, high;
	struct slice line = slice_cut(&s, '\n'), first = slice_cut(&line, '\t');

	p->group_range_known = slice_uint(slice_trim(first), &low) && slice_uint(slice_trim(line), &high);
	if (!p->group_range_known)
		return;
	p->group_low = (int64_t)low;
	p->group_high = (int64_t)high;
	p->group_inside = group_in(p->group_low, p->group_high);
}

/* The machine's own user namespace maps every identifier to itself. */
static void read_user_namespace(struct privilege *p)
{
	char buf[128];
	struct slice s = input_file("/proc/self/uid_map", buf, sizeof(buf));

	while (s.n > 0 && s.p[0] == ' ')
		s = slice_from(s, 1);
	bool whole = slice_starts(s, SLICE("0 ")) && slice_ends_nocase(s, SLICE(" 4294967295\n"));

	p->user_namespace = s.n > 0 && !whole;
}

void privilege_probe(struct privilege *p)
{
	memset(p, 0, sizeof(*p));
	privilege_raise();
	int raw = try_icmp(SOCK_RAW, p->raw_error, sizeof(p->raw_error));
	int dgram = try_icmp(SOCK_DGRAM, p->dgram_error, sizeof(p->dgram_error));

	p->icmp_raw = raw >= 0;
	p->icmp_dgram = dgram >= 0;
	/* Any socket can tell about these two. */
	int any = raw >= 0 ? raw : dgram >= 0 ? dgram : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (any >= 0)
		try_options(p, any);
	if (any >= 0 && any != raw && any != dgram)
		close(any);
	if (raw >= 0)
		close(raw);
	if (dgram >= 0)
		close(dgram);
	p->seccomp = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
	p->root = geteuid() == 0;
	read_capabilities(p);
	read_group_range(p);
	read_user_namespace(p);
}

void privilege_raise(void)
{
	struct cap_data d[2];

	if (!get_capabilities(d))
		return;
	d[0].effective |= d[0].permitted & UINT32_C(1) << CAP_NET_RAW_BIT;
	set_capabilities(d);
}

static const struct cap_data none[2];

void privilege_drop(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	set_capabilities(none);
}

void privilege_rest(void)
{
	struct cap_data d[2];

	if (!get_capabilities(d))
		return;
	d[0].effective = d[1].effective = 0;
	set_capabilities(d);
}

bool privilege_leave(void)
{
	return syscall(SET_GROUP, getgid(), getgid(), getgid()) == 0 &&
	       syscall(SET_USER, getuid(), getuid(), getuid()) == 0 && set_capabilities(none);
}
