/* SPDX-License-Identifier: MIT */
/*
 * What kind of server is there, and what on it is worth measuring: a sonde, somebody else's test server, a file that
 * was named, or the largest file of a directory listing.
 */
#ifndef RUN_SURVEY_H
#define RUN_SURVEY_H

#include "core/result.h"
#include "core/target.h"
#include "engine/dialect.h"
#include "run/fetch.h"

/* A smaller file says more about round trips than about the link. */
#define SURVEY_SIZE_MIN (64 << 10)

struct survey_cfg {
	struct target target;
	struct slice path;   /* of --path, in place of the target's; "" for none */
	int family;          /* 4, 6, or 0 */
	struct origin origin;
	ns_t timeout;
};

struct survey {
	struct survey_cfg cfg;
	enum server_kind kind;
	const struct dialect *dialect; /* that of a plain file until something else was recognised; see survey_try_upload() */
	char host[256];      /* for the Host field; a redirect may change it, as the two after it */
	char path[URL_MAX + 1]; /* what to download, with its query; "" for a sonde */
	struct fetch fetch;  /* .to is the address that answered */
	char up_path[URL_MAX + 1]; /* what to POST to */
	char small[URL_MAX + 1]; /* a small answer; of a plain file the file itself, so ask for it with HEAD */
	char software[64];   /* safe to print */
	int64_t file_size;   /* UNKNOWN where the server does not say */
	bool worth;          /* there is something to download */
	bool too_small;      /* there is none because of its size */
	char reason[FLOW_REASON_MAX]; /* why not; "" where worth */
	/* private */
	unsigned redirects;  /* followed so far */
	struct dialect uncounted; /* the dialect without its receipts */
};

/**
 * survey_open() - Connect to the target, at its port or at 8080 and then 80
 * @s:  cfg set
 *
 * Return: false with @why: it does not resolve, refuses, is unreachable or silent. Close all the same.
 */
bool survey_open(struct survey *s, struct fault *why);

/* Find out what is there. Return: false with @why where the server does not speak HTTP as it should. */
bool survey_look(struct survey *s, struct fault *why);

/**
 * survey_try_upload() - Does a POST get anywhere? For servers other than a sonde
 *
 * A single byte goes to @s->up_path, or where it leads nowhere to the next one of the dialect. Where the receipt counts
 * something else than bytes, @s->dialect becomes one without receipts.
 * Return: status OK, or UNSUPPORTED or FAILED with a reason.
 */
enum flow_status survey_try_upload(struct survey *s, char reason[FLOW_REASON_MAX]);

/* What a sonde at the other end tells of itself; UNKNOWN where it does not. */
struct survey_info {
	ns_t cpu;       /* of its process so far */
	ns_t body_time; /* the longest transfer that it allows */
	char congestion[CONGESTION_MAX]; /* the control of what it sends; "" where unknown */
};

bool survey_info(struct survey *s, struct survey_info *ret);

void survey_close(struct survey *s);

#endif
