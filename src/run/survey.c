/* SPDX-License-Identifier: MIT */
#include "run/survey.h"

#include <stdarg.h>

#include "core/io.h"
#include "core/json.h"
#include "core/listing.h"
#include "core/text_put.h"
#include "core/units.h"
#include "sys/clock.h"
#include "sys/resolve.h"

#define REDIRECTS_MAX 5

/* Sizes are asked for one by one: so many of them, and no longer than this. */
#define HEADS_MAX 256
#define HEADS_TIME (3 * NS_PER_S)

/* As much of a listing as is looked at: some two thousand files. */
static char page[256 << 10];

/* Who takes an upload says so in a few words; a longer answer to a POST is something else. */
#define RECEIPT_MAX (16 << 10)

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

static bool connect_host(struct survey *s, struct slice host, uint16_t port, struct fault *why)
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

static void copy(char *out, size_t cap, struct slice s)
{
	struct text t;

	text_init(&t, out, cap);
	text_slice(&t, s);
}

bool survey_open(struct survey *s, struct fault *why)
{
	const struct target *t = &s->cfg.target;
	uint16_t port = t->port > 0 ? t->port : t->scheme == TARGET_HTTP ? 80 : 0;

	s->fetch.origin = s->cfg.origin;
	s->fetch.timeout = s->cfg.timeout;
	s->kind = SERVER_UNKNOWN;
	s->file_size = UNKNOWN;
	s->worth = s->too_small = false;
	s->software[0] = s->reason[0] = '\0';
	copy(s->host, sizeof(s->host), t->host);
	copy(s->path, sizeof(s->path), s->cfg.path.n > 0 ? s->cfg.path : t->path);
	return fetch_open(&s->fetch, why) && connect_host(s, t->host, port, why);
}

void survey_close(struct survey *s)
{
	fetch_close(&s->fetch);
}

static bool ask(struct survey *s, enum exchange_method method, const char *path, uint64_t body, struct text *keep,
	struct fault *why)
{
	char at[ADDR_TEXT_MAX];
	struct text t;
	struct exchange_request r = {
		.method = method,
		.host = slice_of(s->host),
		.port = s->fetch.to.port,
		.path = slice_of(path),
		.body = body,
		.timeout = s->cfg.timeout,
		.keep = keep,
	};

	if (!fetch_do(&s->fetch, &r, why))
		return false;
	const struct exchange *x = fetch_exchange(&s->fetch);

	/* What did not fit was not waited for: that is no fault of the server's. */
	if (x->state == EXCHANGE_DONE || (x->status >= 200 && keep && keep->cut))
		return true;
	text_init(&t, at, sizeof(at));
	addr_put_port(&t, &s->fetch.to);
	return fault_set(why, FAULT_PEER, "the server", text_view(&t), fetch_exchange(&s->fetch)->why);
}

/* Why there is nothing to download, written as text_put(). */
static void say(struct survey *s, const char *format, ...)
{
	va_list args;
	struct text t;

	text_init(&t, s->reason, sizeof(s->reason));
	va_start(args, format);
	text_put_args(&t, format, args);
	va_end(args);
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
	if (bad)
		return fault_set(why, FAULT_PEER, "the server redirects to", text_view(&t), bad);
	uint16_t port = to.port > 0 ? to.port : 80;
	bool same = slice_eq(to.host, slice_of(s->host)) && port == s->fetch.to.port;
	struct origin origin = s->fetch.origin;

	copy(s->path, sizeof(s->path), to.path);
	if (same)
		return true;
	copy(s->host, sizeof(s->host), to.host);
	fetch_close(&s->fetch);
	s->fetch.origin = origin;
	return fetch_open(&s->fetch, why) && connect_host(s, slice_of(s->host), port, why);
}

/* Ask for s->path, wherever that leads. */
static bool ask_following(struct survey *s, enum exchange_method method, struct text *keep, struct fault *why)
{
	for (int i = 0; i <= REDIRECTS_MAX; i++) {
		if (keep)
			text_init(keep, page, sizeof(page));
		if (!ask(s, method, s->path, 0, keep, why))
			return false;
		if (!is_redirect(fetch_exchange(&s->fetch)))
			return true;
		if (!follow(s, why))
			return false;
	}
	return fault_set(why, FAULT_PEER, "the server redirects more than 5 times, last to", slice_of(fetch_exchange(&s->fetch)->location), NULL);
}

static bool look_for_sonde(struct survey *s, struct fault *why, bool *ret_found)
{
	struct text doc;
	struct slice name, version;

	*ret_found = false;
	text_init(&doc, page, sizeof(page));
	if (!ask(s, EXCHANGE_GET, "/info", 0, &doc, why))
		return false;
	if (fetch_exchange(&s->fetch)->status != 200 || !json_find_string(text_view(&doc), "name", &name) ||
		!slice_eq(name, SLICE("sonde")) || !json_find_string(text_view(&doc), "version", &version))
		return true;
	struct text t;

	text_init(&t, s->software, sizeof(s->software));
	text_str(&t, "sonde ");
	text_safe(&t, version);
	s->kind = SERVER_SONDE;
	s->worth = *ret_found = true;
	s->path[0] = '\0';
	return true;
}

/* The size of the file at s->path, by HEAD; a server that does not know HEAD is taken at its word later. */
static bool look_at_file(struct survey *s, struct fault *why)
{
	const struct exchange *x = fetch_exchange(&s->fetch);

	s->kind = SERVER_FILE;
	if (!ask_following(s, EXCHANGE_HEAD, NULL, why))
		return false;
	copy(s->software, sizeof(s->software), slice_of(x->server));
	if (x->status == 404 || x->status == 403 || x->status == 401 || x->status == 410) {
		say(s, "the server answered %d %s", (int64_t)x->status, x->reason);
		return true;
	}
	if (x->status == 200 && x->has_length)
		s->file_size = (int64_t)x->length;
	s->worth = s->file_size != 0;
	s->too_small = !s->worth;
	if (!s->worth)
		say(s, "nothing to measure: the file is empty; name a large one");
	return true;
}

static bool head_size(struct survey *s, const char *path, int64_t *ret)
{
	struct fault ignored;

	*ret = UNKNOWN;
	if (!ask(s, EXCHANGE_HEAD, path, 0, NULL, &ignored))
		return false;
	if (fetch_exchange(&s->fetch)->status == 200 && fetch_exchange(&s->fetch)->has_length)
		*ret = (int64_t)fetch_exchange(&s->fetch)->length;
	return true;
}

/* The path of a reference in the listing at s->path. */
static bool listed_path(const struct survey *s, struct slice href, char out[URL_MAX + 1])
{
	static char whole[URL_MAX + 1];
	struct url base = { .scheme = SLICE("http"), .host = SLICE("h"), .path = slice_of(s->path) }, to;
	struct text t;

	text_init(&t, whole, sizeof(whole));
	url_resolve(&base, href, &t);
	if (t.cut || url_parse(text_view(&t), &to))
		return false;
	copy(out, URL_MAX + 1, to.path);
	return true;
}

static void look_through(struct survey *s, struct slice html)
{
	struct listing l;
	struct slice href;
	static char path[URL_MAX + 1], best[URL_MAX + 1];
	ns_t until = clock_mono() + HEADS_TIME;
	int64_t size, largest = UNKNOWN;

	listing_init(&l);
	for (int n = 0; n < HEADS_MAX && listing_feed(&l, &html, &href) && clock_mono() < until;) {
		if (!listing_is_file(href) || !listed_path(s, href, path))
			continue;
		n++;
		if (!head_size(s, path, &size))
			break;
		if (size > largest) {
			largest = size;
			copy(best, sizeof(best), slice_of(path));
		}
	}
	if (largest != UNKNOWN) {
		s->file_size = largest;
		copy(s->path, sizeof(s->path), slice_of(best));
	}
}

static void judge_listing(struct survey *s)
{
	char size[32];
	struct text t;

	s->worth = s->file_size >= SURVEY_SIZE_MIN;
	s->too_small = !s->worth;
	if (s->worth)
		return;
	text_init(&t, size, sizeof(size));
	if (s->file_size != UNKNOWN)
		units_put_size(&t, (uint64_t)s->file_size);
	say(s, "nothing to measure: %s%s; put a large one there (head -c 1G /dev/urandom > test.bin), or run sonde serve there",
		t.len > 0 ? "the largest file there has only " : "there is no file to download", size);
}

/* What a folder shows: a listing, a page, or a file after all. */
static bool look_at_folder(struct survey *s, struct fault *why)
{
	const struct exchange *x = fetch_exchange(&s->fetch);
	struct text html;

	s->kind = SERVER_FILE;
	if (s->path[0] == '\0')
		copy(s->path, sizeof(s->path), SLICE("/"));
	if (!ask_following(s, EXCHANGE_GET, &html, why))
		return false;
	copy(s->software, sizeof(s->software), slice_of(x->server));
	if (x->status != 200) {
		say(s, "nothing to measure: the server answered %d %s", (int64_t)x->status, x->reason);
		return true;
	}
	if (slice_starts(slice_of(x->type), SLICE("text/html")))
		look_through(s, text_view(&html));
	else
		s->file_size = (int64_t)x->body.received;
	judge_listing(s);
	return true;
}

static bool names_a_folder(struct slice path)
{
	struct slice rest = path;
	struct slice name = slice_cut(&rest, '?');

	return name.n == 0 || name.p[name.n - 1] == '/';
}

bool survey_look(struct survey *s, struct fault *why)
{
	struct slice path = slice_of(s->path);
	bool found = false;

	if (!names_a_folder(path))
		return look_at_file(s, why);
	if (path.n <= 1 && !look_for_sonde(s, why, &found))
		return false;
	return found || look_at_folder(s, why);
}

enum flow_status survey_try_upload(struct survey *s, char reason[FLOW_REASON_MAX])
{
	struct fault why;
	struct text t, receipt;
	const struct exchange *x = fetch_exchange(&s->fetch);

	text_init(&t, reason, FLOW_REASON_MAX);
	text_init(&receipt, page, sizeof(page));
	if (!ask(s, EXCHANGE_POST, s->path, 1, &receipt, &why)) {
		text_str(&t, why.text);
		return FLOW_FAILED;
	}
	if (x->status / 100 == 2 && x->body.received > RECEIPT_MAX) {
		text_str(&t, "the server answers a POST with a file, as if it had been asked for it");
		return FLOW_UNSUPPORTED;
	}
	if (x->status / 100 == 2)
		return FLOW_OK;
	text_put(&t, "the server answered %d %s to a POST", (int64_t)x->status, x->reason);
	return x->status >= 500 && x->status != 501 ? FLOW_FAILED : FLOW_UNSUPPORTED;
}

bool survey_info(struct survey *s, struct survey_info *ret)
{
	struct text doc;
	struct fault ignored;
	uint64_t us, seconds;

	*ret = (struct survey_info){ UNKNOWN, UNKNOWN };
	text_init(&doc, page, sizeof(page));
	if (s->kind != SERVER_SONDE || !ask(s, EXCHANGE_GET, "/info", 0, &doc, &ignored))
		return false;
	if (json_find_uint(text_view(&doc), "cpu_us", &us) && us < NS_NEVER / NS_PER_US)
		ret->cpu = (ns_t)us * NS_PER_US;
	if (json_find_uint(text_view(&doc), "body_seconds_max", &seconds) && seconds > 0 && seconds < NS_NEVER / NS_PER_S)
		ret->body_time = (ns_t)seconds * NS_PER_S;
	return true;
}
