/* SPDX-License-Identifier: MIT */
/*
 * A command of ours that a client of the desk has asked for: what it prints goes there line by line, as server-sent
 * events (the HTML standard, section 9.2). Where the client reads slowly, the command waits: nothing is kept here.
 */
#ifndef RUN_ERRAND_H
#define RUN_ERRAND_H

#include "run/desk.h"
#include "sys/process.h"

struct errand {
	uint32_t number; /* as the client knows it; 0 where there is none */
	size_t client;
	/* private */
	struct desk *desk;
	struct wait *wait;
	uint64_t key;
	struct process process;
	bool watched;     /* its pipe is in the wait */
	bool inside;      /* a line of its output is begun */
	bool stopping;    /* it is to be interrupted as soon as it surely is not in the middle of writing */
	bool interrupted;
	ns_t speak_at;    /* say something then, so that nobody in between thinks that we are gone */
};

/* What an event stream is sent as. */
extern const struct reply errand_reply;

/**
 * errand_start() - Start it, and begin the answer to @client's request
 * @e:       zeroed, but for number, client, desk, wait, and a key of that wait
 * @f:       as in process_start()
 *
 * Return: false with @why, and the request has no answer yet.
 */
bool errand_start(struct errand *e, int (*f)(int argc, char **argv), int argc, char **argv, struct fault *why);

/* Move what can be moved; when it has ended, end the answer, and the number is 0. */
void errand_go(struct errand *e, ns_t now);
ns_t errand_deadline(const struct errand *e);

/* As Ctrl-C does, once, when what it has written is read: it still says what it has. */
void errand_interrupt(struct errand *e);

/* Nobody listens any more: end it now. */
void errand_drop(struct errand *e);

#endif
