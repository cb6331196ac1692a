/* SPDX-License-Identifier: MIT */
/*
 * What Prometheus asks for, beside the probing: /metrics of the targets, written in pieces between the probes, and
 * /probe of any other target, which is a process of its own.
 */
#ifndef CMD_EXPORTER_H
#define CMD_EXPORTER_H

#include "cmd/probing.h"
#include "run/desk.h"
#include "sys/process.h"

#define EXPORTER_PROBES 8

struct exporter_probe {
	struct process process; /* pid 0: free */
	size_t client;
	ns_t began;
	bool watched; /* its pipe is in the wait */
};

/* Zeroed before it is opened; as long as it is not, the other functions do nothing. */
struct exporter {
	struct desk desk;
	/* private */
	struct probing *probing;
	struct exporter_probe probes[EXPORTER_PROBES];
	struct probing_place places[DESK_CLIENTS];
	bool writing[DESK_CLIENTS]; /* the metrics, from that place on */
	size_t turn;
	ns_t next;
};

/* Listen where --listen says, with the wait of @p's fleet. */
bool exporter_open(struct exporter *x, struct probing *p, struct fault *why);

/* FLEET_OTHER that may be ours. */
void exporter_ready(struct exporter *x, const struct wait_event *e);

/* Do what can be done without waiting, and little at a time; then sleep no longer than the deadline. */
void exporter_work(struct exporter *x, ns_t now);
ns_t exporter_deadline(const struct exporter *x);

/* End what is under way. */
void exporter_close(struct exporter *x);

#endif
