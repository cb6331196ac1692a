/* SPDX-License-Identifier: MIT */
#include "run/errand.h"

#include "core/io.h"
#include "core/text_put.h"

#define SPEAK_TIME (15 * NS_PER_S)

/* Bytes at a time, what they may become (each could be an empty line), and how often before it is others' turn. */
#define PIECE 512
#define PIECE_FRAMED (PIECE * 8)
#define PIECES_AT_ONCE 16

_Static_assert(PIECE_FRAMED <= DESK_COPY_MAX, "a stream that is read has room for a piece");

const struct reply errand_reply = { .status = 200, .type = "text/event-stream" };

static void watch(struct errand *e, bool yes)
{
	/* Not only without interest: that an empty pipe is at its end would be told all the time. */
	if (yes && !e->watched)
		wait_add(e->wait, e->process.fd, WAIT_IN, e->key);
	else if (!yes && e->watched)
		wait_remove(e->wait, e->process.fd);
	e->watched = yes;
}

bool errand_start(struct errand *e, int (*f)(int argc, char **argv), int argc, char **argv, struct fault *why)
{
	char buf[80];
	struct text t;

	if (!process_start(&e->process, f, argc, argv, why))
		return false;
	text_init(&t, buf, sizeof(buf));
	text_put(&t, "event: run\nid: %d\ndata: {\"run\":%d}\n\n", (int64_t)e->number, (int64_t)e->number);
	desk_stream(e->desk, e->client, &errand_reply);
	desk_send(e->desk, e->client, text_view(&t));
	return true;
}

static void send_piece(struct errand *e, struct slice s)
{
	static char buf[PIECE_FRAMED + 1];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	for (; s.n > 0; slice_skip(&s, 1)) {
		bool last = s.p[0] == '\n';

		text_str(&t, e->inside ? "" : "data: ");
		text_char(&t, s.p[0]);
		text_str(&t, last ? "\n" : "");
		e->inside = !last;
	}
	desk_send(e->desk, e->client, text_view(&t));
}

static int end_process(struct errand *e)
{
	watch(e, false);
	e->number = 0;
	return process_end(&e->process);
}

static void finish(struct errand *e)
{
	char buf[64];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_str(&t, e->inside ? "\n\n" : "");
	text_put(&t, "event: end\ndata: {\"code\":%d}\n\n", (int64_t)end_process(e));
	desk_send(e->desk, e->client, text_view(&t));
	desk_finish(e->desk, e->client);
}

static void speak(struct errand *e, ns_t now)
{
	if (now >= e->speak_at && e->speak_at > 0 && !e->inside)
		desk_send(e->desk, e->client, SLICE(": \n\n"));
	if (now >= e->speak_at)
		e->speak_at = now + SPEAK_TIME;
}

void errand_go(struct errand *e, ns_t now)
{
	char buf[PIECE];

	for (int i = 0; i < PIECES_AT_ONCE; i++) {
		bool room = desk_room(e->desk, e->client) >= PIECE_FRAMED;
		long n = room ? process_read(&e->process, buf, sizeof(buf)) : 0;

		if (n > 0)
			send_piece(e, (struct slice){ buf, (size_t)n });
		watch(e, room);
		if (e->stopping && !e->interrupted && (n == IO_AGAIN || now >= e->speak_at)) {
			process_interrupt(&e->process);
			e->interrupted = true;
		}
		if (n == IO_AGAIN)
			speak(e, now);
		else if (n < 0)
			finish(e);
		if (n <= 0)
			return;
	}
}

ns_t errand_deadline(const struct errand *e)
{
	return e->number > 0 && e->watched ? e->speak_at : NS_NEVER;
}

void errand_interrupt(struct errand *e)
{
	e->stopping = true;
}

void errand_drop(struct errand *e)
{
	end_process(e);
}
