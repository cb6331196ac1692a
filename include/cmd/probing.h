/* SPDX-License-Identifier: MIT */
/* What ping and watch have in common: their options, a fleet, the table that shows it, and the result at the end. */
#ifndef CMD_PROBING_H
#define CMD_PROBING_H

#include "cmd/board.h"
#include "run/fleet.h"

struct probing_options {
	struct common common;
	int64_t count, size, ttl;
	bool numeric;
	ns_t interval, duration;
	int via;  /* enum via */
	int icmp; /* enum method of the ICMP socket: METHOD_NONE for any */
	const char *listen;
};

/* Those of ping, and those of watch: a table has all from the first one of its own to the last one. */
extern const struct opt probing_rows[];
enum { PROBING_FIRST_OF_WATCH = 3, PROBING_END_OF_PING = 8, PROBING_END = 9 };

/* The words of --icmp-socket: their numbers are those of enum method. */
extern const char *const probing_icmp_words[];

struct probing {
	struct probing_options o;
	struct fleet fleet;
	struct board board;
	struct expectations expect;
	struct text text;     /* on its way to standard output */
	struct spark *sparks; /* of the targets, where there is a board */
	bool alive;           /* standard output can be written */
};

/* Read the options, with their defaults. @p: zeroed. Return: as opt_parse(). */
int probing_parse(struct probing *p, const struct opt_table *tables, int argc, char **argv, struct fault *why);

/**
 * probing_start() - Open all that is needed
 * @argv:        @argc words, as fleet_read() takes them
 * @table_from:  so many targets get a table where the terminal can show one
 *
 * Return: false with @why, which is told as ndjson too.
 */
bool probing_start(struct probing *p, int argc, char **argv, size_t table_from, struct fault *why);

/**
 * probing_next() - Write what there is, draw, and wait for the next event, or for a tick at @tick
 *
 * SIGQUIT is answered here. Return: false where all is done, the user wants it to end, or `alive` is not any more.
 */
bool probing_next(struct probing *p, ns_t tick, struct fleet_event *ret);

/* An event as a line of NDJSON, where it makes one. */
void probing_ndjson(struct probing *p, const struct fleet_event *e);

/* A place among the samples of all targets. Zeroed for the first one. */
struct probing_place {
	size_t row, target;
	bool named;
};

/* Append up to @n samples for Prometheus that fit into what is left of @t. Return: are there more? */
bool probing_prom(const struct probing *p, struct probing_place *at, struct text *t, size_t n);

/* The end: judge, and write the result. Return: the exit code; @why set where that says so. */
int probing_end(struct probing *p, struct fault *why);

/* Judge by one target; of several the worst decides. NULL: nothing was measured. */
void probing_judge(struct expectations *e, const struct ping_result *r);

/**
 * probing_verdict() - What an exit code is made of
 * @some, @all:   targets that answered
 * @unroutable:   the name of the first target, where this machine knows no way to any; else NULL
 */
int probing_verdict(const struct expectations *e, bool some, bool all, const char *unroutable, struct fault *why);

#endif
