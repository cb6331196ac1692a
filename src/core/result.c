/* SPDX-License-Identifier: MIT */
#include "core/result.h"

#include <string.h>

const char *method_name(enum method m)
{
	static const char *const names[METHOD_N] = { "none", "icmp-raw", "icmp-dgram", "tcp", "http" };

	return names[m];
}

const char *stamps_name(enum stamps s)
{
	static const char *const names[STAMPS_N] = { NULL, "user", "kernel-rx", "kernel-txrx" };

	return names[s];
}

const char *outcome_name(enum outcome o)
{
	static const char *const names[OUTCOME_N] = { "reply", "lost", "late", "duplicate", "corrupt", "error" };

	return names[o];
}

const char *flow_status_name(enum flow_status s)
{
	static const char *const names[FLOW_STATUS_N] = { "skipped", "ok", "unsupported", "failed" };

	return names[s];
}

const char *limited_by_name(enum limited_by l)
{
	static const char *const names[LIMITED_N] = { NULL, "network", "receiver", "sender", "client-cpu", "server",
		"size" };

	return names[l];
}

const char *server_kind_name(enum server_kind k)
{
	static const char *const names[SERVER_KIND_N] = { NULL, "sonde", "file" };

	return names[k];
}

void flow_result_init(struct flow_result *f)
{
	memset(f, 0, sizeof(*f));
	f->bits_per_second = f->bytes = f->elapsed = UNKNOWN;
	f->total_bytes = f->peer_bytes = f->connections = f->spread_ppm = f->retransmits = UNKNOWN;
	f->cpu_per_gigabyte = f->cpu_share_ppm = UNKNOWN;
}
