/* SPDX-License-Identifier: MIT */
#include "core/result.h"

#include <string.h>

/* Number @i of @words; NULL where it is empty. */
static const char *name_of(const char *words, unsigned i)
{
	const char *word = slice_word(words, i);

	return *word != '\0' ? word : NULL;
}

const char *method_name(enum method m)
{
	return name_of("none\0icmp-raw\0icmp-dgram\0udp\0tcp\0http", m);
}

const char *stamps_name(enum stamps s)
{
	return name_of("\0user\0kernel-rx\0kernel-txrx", s);
}

const char *outcome_name(enum outcome o)
{
	return name_of("reply\0lost\0late\0duplicate\0corrupt\0error", o);
}

const char *flow_status_name(enum flow_status s)
{
	return name_of("skipped\0ok\0unsupported\0failed", s);
}

const char *limited_by_name(enum limited_by l)
{
	return name_of("\0network\0receiver\0sender\0client-cpu\0server\0size", l);
}

const char *confidence_name(enum confidence c)
{
	return name_of("\0low\0medium\0high", c);
}

const char *server_kind_name(enum server_kind k)
{
	return name_of("\0sonde\0speedtest\0librespeed\0openspeedtest\0file", k);
}

void flow_result_init(struct flow_result *f)
{
	memset(f, 0, sizeof(*f));
	f->bits_per_second = f->bytes = f->elapsed = UNKNOWN;
	f->total_bytes = f->peer_bytes = f->connections = f->spread_ppm = f->retransmits = UNKNOWN;
	f->cpu_per_gigabyte = f->cpu_share_ppm = f->server_share_ppm = UNKNOWN;
	f->wire_bits_per_second = f->link_bits_per_second = UNKNOWN;
}

void rpm_result_init(struct rpm_result *r)
{
	*r = (struct rpm_result){ .rpm = UNKNOWN, .connect = UNKNOWN, .answer = UNKNOWN, .loaded = UNKNOWN };
}

void ping_way_init(struct ping_way *w)
{
	*w = (struct ping_way){ UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN };
}

void check_result_init(struct check_result *r)
{
	memset(r, 0, sizeof(*r));
	flow_result_init(&r->download);
	flow_result_init(&r->upload);
	flow_result_init(&r->both_download);
	flow_result_init(&r->both_upload);
	rpm_result_init(&r->rpm_download);
	rpm_result_init(&r->rpm_upload);
	rpm_result_init(&r->rpm_both);
	r->increase_download = r->increase_upload = r->increase_both = r->increase = r->rpm = UNKNOWN;
}
