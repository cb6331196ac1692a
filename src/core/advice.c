/* SPDX-License-Identifier: MIT */
#include "core/advice.h"

static void reason(struct advice *a, const char *text)
{
	if (a->n_reasons < ADVICE_MAX)
		a->reasons[a->n_reasons++] = text;
}

static void fix(struct advice *a, const char *text)
{
	if (a->n_fixes < ADVICE_MAX)
		a->fixes[a->n_fixes++] = text;
}

static void explain_raw(struct advice *a, const struct privilege *p)
{
	if (!p->status_known)
		reason(a, "raw ICMP needs CAP_NET_RAW, and the kernel does not tell whether it is there");
	else if (!p->cap_bounding)
		reason(a, "CAP_NET_RAW is not in the bounding set: nothing started from here can get it");
	else if (p->no_new_privs && !p->cap_permitted)
		reason(a, "no_new_privs is set: file capabilities and set-uid have no effect here");
	else if (p->user_namespace && p->cap_net_raw)
		reason(a, "CAP_NET_RAW counts in this user namespace only, and the network belongs to another one");
	else if (!p->cap_net_raw)
		reason(a, "this process does not have CAP_NET_RAW");
	else
		reason(a, "this process has CAP_NET_RAW, and the kernel refused all the same");
}

static void explain_dgram(struct advice *a, const struct privilege *p)
{
	if (!p->group_range_known)
		reason(a, "net.ipv4.ping_group_range cannot be read");
	else if (p->group_low > p->group_high)
		reason(a, "net.ipv4.ping_group_range is empty: nobody may use ICMP datagram sockets");
	else if (!p->group_inside)
		reason(a, "none of this user's groups is in net.ipv4.ping_group_range");
	else
		reason(a, "this user's group is in net.ipv4.ping_group_range, and the kernel refused all the same");
}

static void propose(struct advice *a, const struct privilege *p)
{
	if (!p->icmp_dgram)
		fix(a, "sysctl -w net.ipv4.ping_group_range='0 2147483647'   (as root; every user may then ping)");
	if (p->status_known && !p->cap_bounding)
		fix(a, "in a container, start it with: --cap-add NET_RAW");
	else if (!p->no_new_privs && !p->root)
		fix(a, "setcap cap_net_raw+p /path/to/sonde   (as root; for this program alone)");
}

struct advice advise(const struct privilege *p)
{
	struct advice a = { .n_reasons = 0 };

	if (p->icmp_raw)
		return a;
	explain_raw(&a, p);
	if (!p->icmp_dgram)
		explain_dgram(&a, p);
	propose(&a, p);
	return a;
}
