/* SPDX-License-Identifier: MIT */
/* A check of which every figure is known, and a buffer to write it into. */
#ifndef CHECKED_H
#define CHECKED_H

#include "core/result.h"
#include "formats.h"

static char buf[65536];
static struct text out;
static struct check_result result;

static struct text *fresh(void)
{
	text_init(&out, buf, sizeof(buf));
	return &out;
}

static struct ping_result pinged(ns_t median)
{
	return (struct ping_result){
		.target = "server", .address = "192.0.2.1", .method = METHOD_ICMP_RAW, .stamps = STAMPS_KERNEL_TXRX,
		.reason = "",
		.sent = 20, .received = 20, .local_drops = UNKNOWN, .loss_high_ppm = 161125,
		.rtt_min = median - 1, .rtt_mean = median, .rtt_max = median * 3, .rtt_mdev = 1000, .rtt_p50 = median,
		.rtt_p90 = median * 2, .rtt_p99 = median * 3, .jitter = 123456, .ipdv_p99 = 1,
		.host_queue_p50 = UNKNOWN,
		.elapsed = NS_PER_S,
	};
}

static struct flow_result flowed(int64_t rate)
{
	return (struct flow_result){ .status = FLOW_OK, .bits_per_second = rate, .bytes = rate / 8 * 5,
		.elapsed = 5 * NS_PER_S,
		.total_bytes = rate / 8 * 6, .peer_bytes = rate / 8 * 6, .connections = 2, .stable = true,
		.spread_ppm = 12345,
		.counted_by_receiver = true, .limited_by = LIMITED_NETWORK, .retransmits = 3,
		.congestion_control = "cubic",
		.cpu_per_gigabyte = 250 * NS_PER_MS, .cpu_share_ppm = 100000, .server_share_ppm = 50000,
		.wire_bits_per_second = rate / 1448 * 1538, .link_bits_per_second = 1000000000, .confidence = CONFIDENCE_HIGH };
}

/* Nothing is measured yet. */
static struct check_result *empty(void)
{
	struct check_result *r = &result;

	check_result_init(r);
	return r;
}

static struct check_result *full(void)
{
	struct check_result *r = empty();

	strcpy(r->url, "http://server:8080/");
	strcpy(r->host, "server");
	r->address = (struct addr){ .family = 4, .ip = { 192, 0, 2, 1 }, .port = 8080 };
	strcpy(r->time, "2026-01-31T12:00:00Z");
	r->server = SERVER_SONDE;
	strcpy(r->software, "sonde 0.1.0");
	r->ping = pinged(1234000);
	r->download = flowed(941200000);
	r->upload = flowed(88000000);
	r->loaded_download = pinged(20000000);
	r->loaded_upload = pinged(30000000);
	r->has_ping = r->has_loaded_download = r->has_loaded_upload = true;
	r->increase_download = 18766000;
	r->increase_upload = r->increase = 28766000;
	r->grade = "A";
	r->rpm_download = (struct rpm_result){ .rpm = 900, .connect = 20000000, .answer = 46666666, .probes = 50, .failed = 1 };
	r->rpm = 812;
	r->rating = "fair";
	return r;
}

#endif
