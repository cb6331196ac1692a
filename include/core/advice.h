/* SPDX-License-Identifier: MIT */
/* Why this process may not do what it would like to, and the one command that changes it. */
#ifndef CORE_ADVICE_H
#define CORE_ADVICE_H

#include "core/slice.h"

#define ADVICE_MAX 6

/* What sys/privilege found out, by trying and by reading. */
struct privilege {
	bool icmp_raw, icmp_dgram;    /* a socket was opened */
	bool kernel_timestamps;       /* SO_TIMESTAMPING was accepted on one of them */
	bool bind_device;             /* SO_BINDTODEVICE was accepted */
	bool seccomp;                 /* the kernel has seccomp filters */
	bool status_known;            /* the kernel told its capabilities: the next four are valid */
	bool cap_net_raw, cap_permitted, cap_bounding; /* CAP_NET_RAW */
	bool no_new_privs;
	bool user_namespace;          /* not the machine's own one */
	bool group_range_known;
	int64_t group_low, group_high; /* net.ipv4.ping_group_range */
	bool group_inside;            /* one of our groups is in it */
	bool root;
	char raw_error[64], dgram_error[64]; /* words of the system; "" where it worked */
};

struct advice {
	const char *reasons[ADVICE_MAX]; /* sentences without full stop */
	size_t n_reasons;
	const char *fixes[ADVICE_MAX];   /* commands */
	size_t n_fixes;
};

/* Nothing to say where raw ICMP works. The strings are constant. */
struct advice advise(const struct privilege *p);

#endif
