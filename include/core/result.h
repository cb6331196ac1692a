/* SPDX-License-Identifier: MIT */
/*
 * What was measured, as plain values: engines fill these, out/ writes them. UNKNOWN
 * stands where nothing was measured; a zero is a measured zero.
 */
#ifndef CORE_RESULT_H
#define CORE_RESULT_H

#include "core/addr.h"
#include "core/json.h"

enum method { METHOD_NONE, METHOD_ICMP_RAW, METHOD_ICMP_DGRAM, METHOD_UDP, METHOD_TCP, METHOD_HTTP, METHOD_N };

/* Which clocks stand behind a round trip: the worse of its two ends. */
enum stamps { STAMPS_NONE, STAMPS_USER, STAMPS_KERNEL_RX, STAMPS_KERNEL_TXRX, STAMPS_N };

enum outcome {
	OUTCOME_REPLY,
	OUTCOME_LOST,
	OUTCOME_LATE,      /* came after it was given up; no longer counted as lost */
	OUTCOME_DUPLICATE, /* a second reply to one probe */
	OUTCOME_CORRUPT,   /* the right probe, but not the bytes that were sent */
	OUTCOME_ERROR,     /* a router, a host or this machine said that it did not arrive */
	OUTCOME_N,
};

/* Errors of one kind from one sender are counted together, so many kinds of each target. */
#define PING_KINDS 4

struct ping_kind {
	struct addr from; /* family 0: this machine itself, or a refused connection */
	uint8_t type, code;
	int64_t count;
	const char *text;
};

/*
 * One way of the probes' path, where the other end counts and stamps too (RFC 8762). Its clock is another one, so that
 * only the change of a one-way delay is known: how far it was above the lowest one seen.
 */
struct ping_way {
	int64_t sent; /* that went this way, as far as it is known what became of them */
	int64_t lost;
	int64_t loss_ppm;
	ns_t queue_p50, queue_p99;
};

struct ping_result {
	const char *target; /* as the user wrote it; where that is the address, it points to `address` below */
	enum method method;
	enum stamps stamps;
	const char *reason; /* why not a better method; "" where there is none better */
	int64_t sent, received, lost, in_flight, late, duplicates, reordered, corrupt, errors, local_drops;
	int64_t loss_ppm, loss_low_ppm, loss_high_ppm;
	int64_t loss_runs, loss_run_max; /* of probes without an answer in time, late ones included */
	ns_t rtt_min, rtt_mean, rtt_max, rtt_mdev, rtt_p50, rtt_p90, rtt_p99;
	ns_t jitter, ipdv_p99, host_queue_p50, connect_p50;
	struct ping_way there, back; /* all UNKNOWN by other methods than UDP */
	ns_t elapsed;
	ns_t resolve;              /* how long the name took; UNKNOWN where there was none to look up */
	const char *resolve_error; /* why it has no address, as a sentence; NULL where it has */
	struct ping_kind kinds[PING_KINDS];
	size_t n_kinds;
	char address[ADDR_TEXT_MAX];
};

enum flow_status { FLOW_SKIPPED, FLOW_OK, FLOW_UNSUPPORTED, FLOW_FAILED, FLOW_STATUS_N };

enum limited_by {
	LIMITED_UNKNOWN,
	LIMITED_NETWORK,
	LIMITED_RECEIVER,
	LIMITED_SENDER,
	LIMITED_CLIENT_CPU,
	LIMITED_SERVER,
	LIMITED_SIZE,
	LIMITED_N,
};

/*
 * How much a rate can be relied on, in the words of draft-ietf-ippm-responsiveness: too few samples to tell; enough, but
 * it was not steady; steady.
 */
enum confidence { CONFIDENCE_UNKNOWN, CONFIDENCE_LOW, CONFIDENCE_MEDIUM, CONFIDENCE_HIGH, CONFIDENCE_N };

#define FLOW_REASON_MAX 200
#define CONGESTION_MAX 16

struct flow_result {
	enum flow_status status;
	int64_t bits_per_second; /* over the measured part, as bytes and elapsed */
	int64_t bytes;
	ns_t elapsed;
	int64_t total_bytes; /* all payload of the run, ramp included */
	int64_t peer_bytes;  /* the same as the other end counted it */
	int64_t connections;
	bool stable;
	int64_t spread_ppm;
	bool counted_by_receiver;
	enum confidence confidence;
	enum limited_by limited_by;
	int64_t wire_bits_per_second; /* computed: with the headers of TCP, IP and Ethernet, by the segment size */
	int64_t link_bits_per_second; /* of this machine's own port, as its driver says */
	int64_t retransmits;
	ns_t cpu_per_gigabyte;                   /* CPU time of this process */
	int64_t cpu_share_ppm;                   /* of one CPU */
	int64_t server_share_ppm;                /* the same of the server's process */
	char congestion_control[CONGESTION_MAX]; /* "" where unknown */
	char reason[FLOW_REASON_MAX];            /* a clause, "" where status is ok and nothing is to be said */
};

/* Round trips a minute under load: the TCP form of draft-ietf-ippm-responsiveness, from connections of their own. */
struct rpm_result {
	int64_t rpm;          /* as engine/rpm.h has it; UNKNOWN where there were too few probes */
	ns_t connect, answer; /* trimmed means of the TCP handshake, and of a small request on the new connection */
	ns_t loaded;          /* the same of the round trips of the connections under load, as TCP has them */
	int64_t probes, failed;
};

enum server_kind {
	SERVER_UNKNOWN,
	SERVER_SONDE,
	SERVER_SPEEDTEST,
	SERVER_LIBRESPEED,
	SERVER_OPENSPEEDTEST,
	SERVER_FILE,
	SERVER_KIND_N,
};

struct check_result {
	char url[256];
	char host[256];
	struct addr address;
	char time[24]; /* wall clock of the start, 2026-01-31T12:00:00Z */
	enum server_kind server;
	char software[64]; /* the Server field, or what /info says */
	struct ping_result ping;
	struct flow_result download, upload;
	struct ping_result loaded_download, loaded_upload;
	struct flow_result both_download, both_upload; /* at once */
	struct ping_result loaded_both;
	struct rpm_result rpm_download, rpm_upload, rpm_both;
	bool has_ping, has_loaded_download, has_loaded_upload, has_both, has_loaded_both;
	/* conclusions, by check_conclude() */
	ns_t increase_download, increase_upload, increase_both; /* of the median round trip, over the idle one */
	ns_t increase;      /* the largest of them */
	const char *grade;  /* of it, "A+" to "F"; NULL where unknown */
	int64_t rpm;        /* the lowest of the three */
	const char *rating; /* of it, in the draft's words */
};

/* The contract's words for the values above. */
const char *method_name(enum method m);
const char *stamps_name(enum stamps s);
const char *outcome_name(enum outcome o);
const char *flow_status_name(enum flow_status s);
const char *limited_by_name(enum limited_by l);   /* NULL where unknown */
const char *confidence_name(enum confidence c);   /* NULL where unknown */
const char *server_kind_name(enum server_kind k); /* NULL where unknown */

/* Nothing measured, status skipped, every figure UNKNOWN. */
void flow_result_init(struct flow_result *f);
void rpm_result_init(struct rpm_result *r);
void ping_way_init(struct ping_way *w);
void check_result_init(struct check_result *r);

#endif
