/* SPDX-License-Identifier: MIT */
#include "cmd/exporter.h"

#include "cmd/command.h"
#include "core/io.h"
#include "core/prefix.h"
#include "core/text_put.h"
#include "core/url.h"
#include "engine/route.h"
#include "sys/clock.h"

#define DESK_KEY (FLEET_OTHER_KEY + 1)
#define PROBES_KEY (DESK_KEY + DESK_KEYS)

/* Samples at a time, and how long the probes have then for themselves. */
#define SAMPLES 64
#define REST NS_PER_MS

/* What is read from a probe at a time, or written as metrics. */
#define PIECE 3000

#define TARGET_MAX 255

static const struct reply metrics_reply = { .status = 200, .type = "text/plain; version=0.0.4; charset=utf-8" };

static const char about[] = "<!DOCTYPE html><title>sonde</title><a href=\"metrics\">metrics</a> of what is watched, "
			    "<a href=\"probe?target=127.0.0.1\">probe?target=HOST</a> of any other\n";

static bool read_listen(const char *s, struct addr *ret, struct fault *why)
{
	uint64_t port;
	struct url url;

	*ret = (struct addr){ .family = 4, .ip = { 127, 0, 0, 1 } };
	if (slice_uint(slice_of(s), &port) && port <= UINT16_MAX) {
		ret->port = (uint16_t)port;
		return true;
	}
	if (url_parse(slice_of(s), &url) || url.scheme.n > 0 || url.path.n > 0 || url.port == 0 || !addr_parse(url.host, ret))
		return fault_set(why, FAULT_USAGE, "--listen", slice_of(s), "is neither PORT nor ADDRESS:PORT, like 192.0.2.1:9115");
	ret->port = url.port;
	return true;
}

bool exporter_open(struct exporter *x, struct probing *p, struct fault *why)
{
	struct addr at;

	if (!read_listen(p->o.listen, &at, why) || !desk_open(&x->desk, &at, &p->fleet.wait, DESK_KEY, why))
		return false;
	x->probing = p;
	if (p->o.common.format != FORMAT_TEXT || p->o.common.quiet)
		return true;
	at.port = x->desk.port;
	text_str(&p->text, "answers Prometheus at http://");
	addr_put_port(&p->text, &at);
	text_str(&p->text, "/\n");
	return true;
}

static void refuse(struct exporter *x, size_t client, unsigned status, const char *why)
{
	desk_answer(&x->desk, client, &(struct reply){ .status = status, .type = "text/plain; charset=utf-8" }, slice_of(why));
}

/* In the child: what goes wrong becomes a comment among the samples. */
static int probe(int argc, char **argv)
{
	static struct fault why;
	char buf[2 * FAULT_TEXT_MAX];
	struct text t;
	int code = cmd_ping.run(argc, argv, &why);

	text_init(&t, buf, sizeof(buf));
	if (why.kind != FAULT_NONE)
		text_put(&t, "# %s\n", why.text);
	common_flush(&t);
	return code;
}

static bool read_target(struct slice query, struct text *t)
{
	struct slice value;
	struct prefix p;

	return route_query(query, SLICE("target"), &value) && url_decode(t, value) && t->len > 0 && !t->cut &&
	       t->p[0] != '-' && !prefix_parse(text_view(t), &p);
}

static struct exporter_probe *find_free(struct exporter *x)
{
	for (size_t i = 0; i < EXPORTER_PROBES; i++)
		if (x->probes[i].process.pid <= 0)
			return &x->probes[i];
	return NULL;
}

static void answer_probe(struct exporter *x, size_t client, struct slice query)
{
	static char target[TARGET_MAX + 1];
	static char *argv[] = { "-f", "prom", "-c", "3", "-i", "200ms", "-w", "4s", "--", target, NULL };
	struct exporter_probe *to = find_free(x);
	struct fault why;
	struct text t;

	text_init(&t, target, sizeof(target));
	if (!read_target(query, &t)) {
		refuse(x, client, 400, "say target=HOST: one host of at most 255 bytes, no network, no dash before it\n");
	} else if (!to || !process_start(&to->process, probe, 10, argv, &why)) {
		refuse(x, client, 503, "no more probes at once\n");
	} else {
		to->client = client;
		to->began = clock_mono();
		desk_stream(&x->desk, client, &metrics_reply);
	}
}

static void answer_metrics(struct exporter *x, size_t client)
{
	x->writing[client] = true;
	x->places[client] = (struct probing_place){ .row = 0 };
	desk_stream(&x->desk, client, &metrics_reply);
	desk_send(&x->desk, client, SLICE("# HELP sonde_build_info What answers\n# TYPE sonde_build_info gauge\n"
					  "sonde_build_info{version=\"" SONDE_VERSION "\"} 1\n"));
}

/* Another page in a browser of this machine could ask too; Prometheus is none. */
static bool is_asked_by_a_page(const struct http1_head *h)
{
	struct slice v;

	return http1_head_find(h, "origin", &v) ||
	       (http1_head_find(h, "sec-fetch-site", &v) && !slice_is(v, "none") && !slice_is(v, "same-origin"));
}

static bool is_welcome(const struct exporter *x, size_t client, const struct http1_head *h)
{
	struct slice host;

	return route_admits(desk_peer(&x->desk, client), false) && !is_asked_by_a_page(h) &&
	       (!http1_head_find(h, "host", &host) || route_host_is_local(host, NULL, 0));
}

static void answer(struct exporter *x, size_t client, const struct http1_head *h)
{
	struct slice query = h->target, path = slice_cut(&query, '?');

	if (!is_welcome(x, client, h))
		refuse(x, client, 403, "only from near, by an address or a local name, and from no page\n");
	else if (!slice_is(h->method, "GET"))
		refuse(x, client, 405, "GET only\n");
	else if (slice_is(path, "/metrics"))
		answer_metrics(x, client);
	else if (slice_is(path, "/probe"))
		answer_probe(x, client, query);
	else if (slice_is(path, "/"))
		desk_answer(&x->desk, client, &(struct reply){ .status = 200, .type = "text/html; charset=utf-8" }, SLICE(about));
	else
		refuse(x, client, 404, "there are /metrics and /probe?target=HOST\n");
}

static void watch(struct exporter *x, struct exporter_probe *e, bool yes)
{
	if (yes && !e->watched)
		wait_add(&x->probing->fleet.wait, e->process.fd, WAIT_IN, PROBES_KEY);
	else if (!yes && e->watched)
		wait_remove(&x->probing->fleet.wait, e->process.fd);
	e->watched = yes;
}

static int end_probe(struct exporter *x, struct exporter_probe *e)
{
	watch(x, e, false);
	int code = process_end(&e->process);

	e->process.pid = 0;
	return code;
}

/* Its client has left. */
static void forget(struct exporter *x, size_t client)
{
	x->writing[client] = false;
	for (size_t i = 0; i < EXPORTER_PROBES; i++)
		if (x->probes[i].process.pid > 0 && x->probes[i].client == client)
			end_probe(x, &x->probes[i]);
}

/* In blackbox_exporter's words. */
static void conclude(struct exporter *x, struct exporter_probe *e, ns_t now)
{
	char buf[400];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_str(&t, "# HELP probe_duration_seconds Time taken\n# TYPE probe_duration_seconds gauge\n"
		     "probe_duration_seconds ");
	text_fixed(&t, now - e->began, 9, 9);
	text_put(&t, "\n# HELP probe_success 1 for an answer\n# TYPE probe_success gauge\nprobe_success %d\n",
		(int64_t)(end_probe(x, e) == 0));
	desk_send(&x->desk, e->client, text_view(&t));
	desk_finish(&x->desk, e->client);
}

static void go_on_probing(struct exporter *x, struct exporter_probe *e, ns_t now)
{
	char buf[PIECE];
	bool room = desk_room(&x->desk, e->client) >= sizeof(buf);
	long n = room ? process_read(&e->process, buf, sizeof(buf)) : IO_AGAIN;

	watch(x, e, room);
	if (n > 0)
		desk_send(&x->desk, e->client, (struct slice){ buf, (size_t)n });
	else if (n != IO_AGAIN)
		conclude(x, e, now);
}

/* The next one that takes a piece. */
static bool find_writer(struct exporter *x)
{
	for (size_t i = 0; i < DESK_CLIENTS; i++) {
		x->turn = (x->turn + 1) % DESK_CLIENTS;
		if (x->writing[x->turn] && desk_room(&x->desk, x->turn) >= PIECE)
			return true;
	}
	return false;
}

static void go_on_writing(struct exporter *x, size_t client)
{
	char buf[PIECE];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	x->writing[client] = probing_prom(x->probing, &x->places[client], &t, SAMPLES);
	desk_send(&x->desk, client, text_view(&t));
	if (!x->writing[client])
		desk_finish(&x->desk, client);
}

void exporter_ready(struct exporter *x, const struct wait_event *e)
{
	if (!x->probing)
		return;
	x->next = 0;
	if (desk_owns(&x->desk, e->key))
		desk_ready(&x->desk, e);
}

void exporter_work(struct exporter *x, ns_t now)
{
	struct desk_event e;

	if (now < exporter_deadline(x))
		return;
	x->next = NS_NEVER;
	while (desk_step(&x->desk, now, &e)) {
		if (e.kind == DESK_GONE)
			forget(x, e.client);
		else
			answer(x, e.client, e.head);
	}
	for (size_t i = 0; i < EXPORTER_PROBES; i++)
		if (x->probes[i].process.pid > 0)
			go_on_probing(x, &x->probes[i], now);
	if (find_writer(x)) {
		go_on_writing(x, x->turn);
		x->next = now + REST;
	}
}

ns_t exporter_deadline(const struct exporter *x)
{
	return x->probing ? ns_min(x->next, desk_deadline(&x->desk)) : NS_NEVER;
}

void exporter_close(struct exporter *x)
{
	for (size_t i = 0; i < EXPORTER_PROBES; i++)
		if (x->probes[i].process.pid > 0)
			end_probe(x, &x->probes[i]);
}
