/* SPDX-License-Identifier: MIT */
#include "engine/gate.h"

#include "core/url.h"

void gate_init(struct gate *g, uint16_t port, const uint8_t random[static GATE_TOKEN / 2])
{
	struct text t;

	g->port = port;
	text_init(&t, g->token, sizeof(g->token));
	for (size_t i = 0; i < GATE_TOKEN / 2; i++)
		text_digits(&t, random[i], 16, 2);
}

/* `127.0.0.1:8090`, `http://localhost:8090`; port 80 needs no mention. */
static bool is_here(const struct gate *g, struct slice s)
{
	struct url u;

	return !url_parse(s, &u) && u.path.n == 0 && (u.scheme.n == 0 || slice_is(u.scheme, "http")) &&
	       (u.port > 0 ? u.port : 80) == g->port && (slice_is(u.host, "127.0.0.1") || slice_is(u.host, "localhost"));
}

static bool is_welcome(const struct gate *g, const struct http1_head *h)
{
	unsigned hosts = 0;

	for (size_t i = 0; i < h->n_fields; i++) {
		struct slice name = h->fields[i].name, value = h->fields[i].value;
		bool host = slice_eq_nocase(name, SLICE("host"));

		hosts += host;
		if ((host || slice_eq_nocase(name, SLICE("origin"))) && !is_here(g, value))
			return false;
		if (slice_eq_nocase(name, SLICE("sec-fetch-site")) && !slice_is(value, "same-origin") &&
			!slice_is(value, "none"))
			return false;
	}
	return hosts == 1;
}

/* How long it takes tells nothing about how much of it is right. */
static bool is_token(const struct gate *g, const char *p)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < GATE_TOKEN; i++)
		wrong |= (unsigned)(p[i] ^ g->token[i]);
	return wrong == 0;
}

unsigned gate_pass(const struct gate *g, const struct http1_head *h, struct slice *ret_path, struct slice *ret_query)
{
	struct slice query = h->target, path = slice_cut(&query, '?');

	if (!is_welcome(g, h))
		return 403;
	if (path.n < GATE_TOKEN + 2 || path.p[0] != '/' || path.p[GATE_TOKEN + 1] != '/' || !is_token(g, path.p + 1))
		return 404;
	*ret_path = slice_from(path, GATE_TOKEN + 2);
	*ret_query = query;
	return 0;
}
