/* SPDX-License-Identifier: MIT */
#include "engine/source.h"

#include <string.h>

#include "core/http1_write.h"

/*
 * A chunk is a small share of what went before: framing costs nothing on a fast link, and on a
 * slow one a body can still end soon after it is told to.
 */
#define CHUNK_SHARE 64
#define CHUNK_MIN (UINT64_C(16) << 10)
#define CHUNK_MAX (UINT64_C(64) << 20)

/*
 * What waits in this machine keeps a link busy while the process has to wait for its CPU. More of it makes a fast sender
 * slower: BBR then never sees it run dry, and paces it by the rate that it had.
 */
#define AHEAD_SHARE 16
#define AHEAD_MAX (UINT64_C(512) << 10)

static void put_frame(struct source *s, bool last)
{
	struct text t;

	text_init(&t, s->frame, sizeof(s->frame));
	if (s->sent > 0)
		text_str(&t, "\r\n");
	if (last)
		http1_put_last_chunk(&t, s->sent);
	else
		http1_put_chunk_size(&t, s->left);
	s->frame_n = (uint8_t)t.len;
	s->frame_at = 0;
}

static uint64_t clamp(uint64_t n, uint64_t least, uint64_t most)
{
	return n < least ? least : n > most ? most : n;
}

uint64_t source_ahead(const struct source *s)
{
	return clamp(s->sent / AHEAD_SHARE, 0, AHEAD_MAX);
}

static void next_chunk(struct source *s)
{
	uint64_t chunk = clamp(s->sent / CHUNK_SHARE, CHUNK_MIN, CHUNK_MAX);

	s->finishing = s->finishing || s->sent == s->most;
	s->left = s->finishing ? 0 : clamp(chunk, 0, s->most - s->sent);
	put_frame(s, s->finishing);
}

void source_init(struct source *s, uint64_t bytes)
{
	memset(s, 0, sizeof(*s));
	s->chunked = bytes == SOURCE_UNBOUNDED;
	s->left = bytes;
	s->done = bytes == 0;
	s->most = UINT64_MAX;
	if (s->chunked)
		next_chunk(s);
}

struct want source_out(const struct source *s)
{
	bool last = s->left == 0;

	if (s->done)
		return (struct want){ .kind = WANT_NOTHING };
	if (s->frame_at < s->frame_n)
		return (struct want){ WANT_WRITE, s->frame + s->frame_at, (uint64_t)(s->frame_n - s->frame_at), !last };
	return (struct want){ .kind = WANT_BULK, .n = s->left, .more = s->chunked };
}

void source_moved(struct source *s, uint64_t n)
{
	if (s->frame_at < s->frame_n) {
		s->frame_at = (uint8_t)(s->frame_at + n);
		s->done = s->left == 0 && s->frame_at == s->frame_n;
		return;
	}
	s->left -= n;
	s->sent += n;
	if (s->left > 0)
		return;
	if (s->chunked)
		next_chunk(s);
	else
		s->done = true;
}

void source_limit(struct source *s, uint64_t most)
{
	s->most = most;
	next_chunk(s);
}

void source_finish(struct source *s)
{
	s->finishing = true;
	if (!s->chunked)
		s->done = true;
}
