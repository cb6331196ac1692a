/* SPDX-License-Identifier: MIT */
#include "run/survey_ask.h"

#include "core/io.h"
#include "sys/resolve.h"

#define REDIRECTS_MAX 5

static const uint16_t guessed_ports[] = { 8080, 80 };

static bool connect_to(struct survey *s, const struct addr *v, size_t n, uint16_t port, struct fault *why, int *ret_io)
{
	for (size_t i = 0; i < n; i++) {
		s->fetch.to = v[i];
		s->fetch.to.port = port;
		*ret_io = fetch_connect(&s->fetch, why);
		if (*ret_io == 0) {
			why->kind = FAULT_NONE; /* an address before this one does not matter any more */
			return true;
		}
	}
	return false;
}

static void advise(struct fault *why, int io)
{
	if (io == IO_REFUSED)
		fault_hint(why, "start one there: sonde serve");
	else if (io == IO_TIMEOUT)
		fault_hint(why, "a firewall may drop it; wait longer with -W 30s");
}

bool survey_connect(struct survey *s, struct slice host, uint16_t port, struct fault *why)
{
	struct addr v[RESOLVE_MAX];
	size_t n = resolve(host, s->cfg.family, v, RESOLVE_MAX, s->cfg.timeout, why);
	int io = 0;

	if (n == 0)
		return false;
	if (port > 0) {
		if (connect_to(s, v, n, port, why, &io))
			return true;
	} else {
		for (size_t i = 0; i < sizeof(guessed_ports) / sizeof(guessed_ports[0]); i++)
			if (connect_to(s, v, n, guessed_ports[i], why, &io))
				return true;
	}
	if (port == 0 && why->kind == FAULT_PEER && io == IO_REFUSED)
		fault_set(why, FAULT_PEER, "nothing answers at", host, "on ports 8080 and 80: Connection refused");
	if (why->kind == FAULT_PEER)
		advise(why, io);
	return false;
}

void survey_copy(char *out, size_t cap, struct slice s)
{
	struct text t;

	text_init(&t, out, cap);
	text_slice(&t, s);
}

/* Return: whether there was an exchange at all. */
static bool exchange(struct survey *s, enum exchange_method method, const char *path, uint64_t body, struct text *keep,
	struct fault *why)
{
	struct exchange_request r = {
		.method = method,
		.host = slice_of(s->host),
		.port = s->fetch.to.port,
		.path = slice_of(path),
		.body = body,
		.timeout = s->cfg.timeout,
		.keep = keep,
	};

	return fetch_do(&s->fetch, &r, why);
}

bool survey_ask(struct survey *s, enum exchange_method method, const char *path, uint64_t body, struct text *keep,
	struct fault *why)
{
	const struct exchange *x = fetch_exchange(&s->fetch);
	char at[ADDR_TEXT_MAX];
	struct text t;

	if (!exchange(s, method, path, body, keep, why))
		return false;
	/* What did not fit was not waited for: that is no fault of the server's. */
	if (x->state == EXCHANGE_DONE || (x->status >= 200 && keep && keep->cut))
		return true;
	text_init(&t, at, sizeof(at));
	addr_put_port(&t, &s->fetch.to);
	return fault_set(why, FAULT_PEER, "the server", text_view(&t), x->why);
}

bool survey_taste(struct survey *s, const char *path, struct dialect_answer *ret, struct fault *why)
{
	static char beginning[4096];
	const struct exchange *x = fetch_exchange(&s->fetch);
	struct text keep;

	text_init(&keep, beginning, sizeof(beginning));
	if (!exchange(s, EXCHANGE_GET, path, 0, &keep, why))
		return false;
	bool whole = x->state == EXCHANGE_DONE;

	*ret = (struct dialect_answer){
		.status = whole || keep.cut ? x->status : 0,
		.type = slice_of(x->type),
		.body = text_view(&keep),
		.length = whole ? x->body.received : x->has_length ? x->length : UINT64_MAX,
	};
	return true;
}

static bool is_redirect(const struct exchange *x)
{
	return x->status / 100 == 3 && x->status != 304 && x->location[0] != '\0';
}

/* Go where the answer points: perhaps to another host. */
static bool follow(struct survey *s, struct fault *why)
{
	static char whole[URL_MAX + 1];
	struct url base = { .scheme = SLICE("http"), .host = slice_of(s->host), .port = s->fetch.to.port,
		.path = slice_of(s->path) }, to;
	struct text t;

	base.literal = slice_find(base.host, ':') < base.host.n;
	text_init(&t, whole, sizeof(whole));
	url_resolve(&base, slice_of(fetch_exchange(&s->fetch)->location), &t);
	const char *bad = t.cut ? "which is too long" : url_parse(text_view(&t), &to);

	if (!bad && !slice_eq_nocase(to.scheme, SLICE("http")))
		bad = slice_eq_nocase(to.scheme, SLICE("https")) ? "and sonde does not speak TLS" : "which is no http URL";
	s->redirects++;
	if (bad)
		return fault_set(why, FAULT_PEER, "the server redirects to", text_view(&t), bad);
	uint16_t port = to.port > 0 ? to.port : 80;
	bool same = slice_eq(to.host, slice_of(s->host)) && port == s->fetch.to.port;
	struct origin origin = s->fetch.origin;

	survey_copy(s->path, sizeof(s->path), to.path);
	if (same)
		return true;
	survey_copy(s->host, sizeof(s->host), to.host);
	fetch_close(&s->fetch);
	s->fetch.origin = origin;
	return fetch_open(&s->fetch, why) && survey_connect(s, slice_of(s->host), port, why);
}

bool survey_ask_following(struct survey *s, enum exchange_method method, struct text *keep, struct fault *why)
{
	for (int i = 0; i <= REDIRECTS_MAX; i++) {
		if (keep)
			text_init(keep, keep->p, keep->cap);
		if (!survey_ask(s, method, s->path, 0, keep, why))
			return false;
		if (!is_redirect(fetch_exchange(&s->fetch)))
			return true;
		if (!follow(s, why))
			return false;
	}
	return fault_set(why, FAULT_PEER, "the server redirects more than 5 times, last to",
		slice_of(fetch_exchange(&s->fetch)->location), NULL);
}
