/* SPDX-License-Identifier: MIT */
/*
 * Many targets at once: words of the command line, lists on standard input, whole networks; names that become
 * addresses while others are already probed.
 */
#ifndef RUN_FLEET_H
#define RUN_FLEET_H

#include "core/target.h"
#include "run/pinger.h"
#include "sys/names.h"

/* Keys of the wait: the pinger's, this one, then those of whoever watches more than probes. */
#define FLEET_NAMES_KEY 256
#define FLEET_OTHER_KEY 257

/* Descriptors that are ready at once. */
#define FLEET_READY 16

struct fleet_cfg {
	struct pinger_cfg pinger; /* via, and for HTTP host and path, are completed by what the targets say */
	int family;               /* 4, 6, or 0 */
	ns_t names_timeout;       /* without any answer about a name for this long: the others have none */
};

enum fleet_kind {
	FLEET_PROBE, /* `probe` says what became of one */
	FLEET_NAME,  /* the name of `target` has become an address, or will not */
	FLEET_OTHER, /* a descriptor under FLEET_OTHER_KEY or a key after it is ready */
	FLEET_TICK,  /* the time given to fleet_next() has come, or a signal, or nothing much */
};

struct fleet_event {
	enum fleet_kind kind;
	size_t target;
	struct ping_event probe;
	struct wait_event other;
};

struct fleet {
	struct ping_room room;
	size_t unresolved; /* names that have no address and will not get one */
	/* private */
	bool naming;               /* there are names to look up */
	bool heard;                /* their descriptor is readable */
	size_t n_others;
	size_t asked, answered;    /* of `named` */
	size_t n_named;
	struct fleet_name *named;  /* what is to be looked up */
	ns_t patience;             /* until when, on names */
	/* public, and from here on large */
	struct wait wait;     /* open from fleet_open() on, for others too */
	struct fleet_cfg cfg; /* as given and completed; may be changed until fleet_open() */
	struct pinger pinger;
	/* private */
	struct names names;
	struct wait_event others[FLEET_READY];
};

struct fleet_name {
	struct slice host;
	uint32_t target;
	uint16_t port;
	char error[NAMES_TEXT_MAX];
};

/**
 * fleet_read() - Who is to be measured
 * @f:     zeroed
 * @argv:  @argc words: targets as in core/target.h, networks as in core/prefix.h, and `-` for standard input, which
 *         holds such words between blanks or NULs; a word that begins with `#` and the rest of its line are passed over
 *
 * Nothing is looked up yet. Return: false with @why: a word that is no target, more than PING_TARGETS_MAX, none.
 */
bool fleet_read(struct fleet *f, const struct fleet_cfg *cfg, int argc, char **argv, struct fault *why);

/* Open what is needed, first of all the helpers that look names up; after it privileges may be dropped. */
bool fleet_open(struct fleet *f, struct fault *why);

/* The next event, at the latest a tick at @tick (NS_NEVER for none); false when all is done or a signal asks to stop. */
bool fleet_next(struct fleet *f, ns_t tick, struct fleet_event *ret);

#endif
