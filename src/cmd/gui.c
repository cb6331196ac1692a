/* SPDX-License-Identifier: MIT */
/*
 * A page that drives this machine's own probe. Each run is a command of ours in a process of its own, so what it can do
 * is what the command line can do, and what it prints as ndjson is what the page gets.
 */
#include "cmd/command.h"
#include "cmd/common.h"
#include "core/page.h"
#include "core/text_put.h"
#include "core/url.h"
#include "engine/gate.h"
#include "engine/offer.h"
#include "run/errand.h"
#include "sys/clock.h"
#include "sys/gateway.h"
#include "sys/privilege.h"
#include "sys/random.h"
#include "sys/signals.h"
#include "web/page.h"

#define PORT 8090
#define ERRANDS 4
#define TARGETS 16
#define TARGET_MAX 255

/* Of events in the wait: ours first, then those of the desk. */
#define DESK_KEY ERRANDS

struct gui_options {
	int64_t port;
	bool no_browser;
};

#define AT(member) offsetof(struct gui_options, member)

static const struct opt rows[] = {
	{ 'p', OPT_COUNT, AT(port), "port", "PORT", "TCP port (8090, or another where that is taken); 0 for any free one", 0, 65535, NULL },
	{ 0, OPT_FLAG, AT(no_browser), "no-browser", NULL, "do not open the browser of this desktop", 0, 0, NULL },
};

static const struct opt_table tables[] = {
	{ "Options", rows, sizeof(rows) / sizeof(rows[0]) },
	{ NULL, NULL, 0 },
};

static struct desk desk;
static struct wait wait;
static struct gate gate;
static struct errand errands[ERRANDS];
static uint32_t last_number;

/* What a page may have run, and how: the words of its command line before the targets, and an empty one. */
#define WORDS 6
static const char *const tasks[] = {
	"check\0-fndjson\0--\0",
	"ping\0-fndjson\0-i500ms\0--\0",
	"trace\0-fndjson\0-i500ms\0-c10\0--\0",
};

static void refuse(size_t client, unsigned status, const char *why)
{
	desk_answer(&desk, client, &(struct reply){ .status = status, .type = "text/plain; charset=utf-8",
		.fields = status == 503 ? "Retry-After: 5\r\n" : NULL }, slice_of(why));
}

static void answer_page(size_t client, enum page_part part)
{
	desk_answer(&desk, client, &(struct reply){ .status = 200, .type = page_type(part), .fields = page_fields(part) }, page(part));
}

static void answer_info(size_t client)
{
	char buf[512], router[ADDR_TEXT_MAX];
	struct text t, r;
	struct json j;
	struct addr gateway;

	text_init(&r, router, sizeof(router));
	if (gateway_find(GATEWAY_FILE, &gateway))
		addr_put(&r, &gateway);
	text_init(&t, buf, sizeof(buf));
	json_begin(&j, &t, "gui");
	json_word(&j, "version", SONDE_VERSION);
	json_word(&j, "gateway", router);
	offer_put_grades(&j);
	json_end(&j);
	desk_answer_copy(&desk, client, &(struct reply){ .status = 200, .type = "application/json" }, text_view(&t));
}

/* A run that ends before it begins: a stream too, since a page sees nothing else of what it asks for with EventSource. */
static void answer_fault(size_t client, const struct fault *why)
{
	char buf[COMMON_ERROR_MAX + 64];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_str(&t, "id: 0\ndata: ");
	common_put_error(&t, why);
	text_str(&t, "\nevent: end\ndata: {\"code\":2}\n\n");
	desk_answer_copy(&desk, client, &errand_reply, text_view(&t));
}

/* In the child. */
static int obey(int argc, char **argv)
{
	static struct fault why;
	int code = command_find(argv[0])->run(argc - 1, argv + 1, &why);

	if (code != 0)
		common_error(&(struct common){ .format = FORMAT_NDJSON }, &why);
	return code;
}

/* Every `target=` of the query, behind the words of the task. Return: the number of words, 0 where one is no target. */
static int read_targets(struct slice query, char **argv, int argc)
{
	static char words[TARGETS][TARGET_MAX + 1];
	size_t n = 0;

	while (query.n > 0) {
		struct slice value = slice_cut(&query, '&');
		struct text t;

		if (!slice_is(slice_cut(&value, '='), "target"))
			continue;
		if (n == TARGETS)
			return 0;
		text_init(&t, words[n], sizeof(words[n]));
		if (!url_decode(&t, value) || t.cut || slice_first(text_view(&t)) == '-')
			return 0;
		argv[argc++] = words[n++];
	}
	argv[argc] = NULL;
	return argc;
}

static const char *find_task(struct slice query)
{
	struct slice name;

	if (route_query(query, SLICE("run"), &name))
		for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++)
			if (slice_is(name, tasks[i]))
				return tasks[i];
	return NULL;
}

static void run_task(struct errand *e, const char *word, struct slice query)
{
	char *argv[WORDS + TARGETS];
	struct fault why;
	int argc = 0;

	for (; *word; word = slice_word(word, 1))
		argv[argc++] = (char *)word;
	argc = read_targets(query, argv, argc);
	if (argc == 0)
		fault_set(&why, FAULT_USAGE, "a target has at most 255 bytes and begins with no dash, and there are at most 16",
			SLICE(""), NULL);
	else if (errand_start(e, obey, argc, argv, &why))
		return;
	e->number = 0;
	answer_fault(e->client, &why);
}

/* The run of that number, or a free place for 0; NULL where there is none. */
static struct errand *find_errand(uint64_t number)
{
	for (size_t i = 0; i < ERRANDS; i++)
		if (errands[i].number == number)
			return &errands[i];
	return NULL;
}

static void answer_events(size_t client, const struct http1_head *h, struct slice query)
{
	struct slice last;
	const char *task = find_task(query);
	struct errand *e = find_errand(0);

	/* What a browser does by itself when a stream has broken: it is not to start another run. */
	if (http1_head_find(h, "last-event-id", &last)) {
		desk_answer(&desk, client, &(struct reply){ .status = 204 }, SLICE(""));
	} else if (!task) {
		refuse(client, 400, "say run=check, run=ping or run=trace, and target=\n");
	} else if (!e) {
		refuse(client, 503, "four runs are under way already\n");
	} else {
		*e = (struct errand){ .number = ++last_number, .client = client, .desk = &desk, .wait = &wait,
			.key = (uint64_t)(e - errands) };
		run_task(e, task, query);
	}
}

static void answer_stop(size_t client, struct slice query)
{
	struct slice value;
	uint64_t number;
	bool told = route_query(query, SLICE("run"), &value) && slice_uint(value, &number) && number > 0;
	struct errand *e = told ? find_errand(number) : NULL;

	if (e)
		errand_interrupt(e);
	if (e)
		desk_answer(&desk, client, &(struct reply){ .status = 204 }, SLICE(""));
	else
		refuse(client, 404, "there is no such run\n");
}

/* What is at /TOKEN/. */
enum { PLACE_EVENTS = PAGE_PLAIN, PLACE_STOP, PLACE_INFO, PLACES };
static const char places[] = "\0sonde.css\0sonde.js\0events\0stop\0info";

static void answer(size_t client, const struct http1_head *h)
{
	struct slice path, query;
	unsigned status = gate_pass(&gate, h, &path, &query), i = 0;

	while (status == 0 && i < PLACES && !slice_is(path, slice_word(places, i)))
		i++;
	if (status == 403)
		refuse(client, status, "that is not for other pages\n");
	else if (status != 0 || i == PLACES)
		refuse(client, 404, "there is nothing here\n");
	else if (slice_is(h->method, "POST") != (i == PLACE_STOP))
		refuse(client, 405, "not with that method\n");
	else if (i < PAGE_PLAIN)
		answer_page(client, (enum page_part)i);
	else if (i == PLACE_EVENTS)
		answer_events(client, h, query);
	else if (i == PLACE_STOP)
		answer_stop(client, query);
	else
		answer_info(client);
}

/* The stream of a run is not wanted any more. */
static void forget(size_t client)
{
	for (size_t i = 0; i < ERRANDS; i++)
		if (errands[i].number > 0 && errands[i].client == client)
			errand_drop(&errands[i]);
}

/* Return: when to look again, whatever happens. */
static ns_t work(ns_t now)
{
	struct desk_event e;
	ns_t next = NS_NEVER;

	while (desk_step(&desk, now, &e)) {
		if (e.kind == DESK_GONE)
			forget(e.client);
		else
			answer(e.client, e.head);
	}
	for (size_t i = 0; i < ERRANDS; i++) {
		if (errands[i].number > 0)
			errand_go(&errands[i], now);
		next = ns_min(next, errand_deadline(&errands[i]));
	}
	return ns_min(next, desk_deadline(&desk));
}

static void serve_page(void)
{
	struct wait_event v[32];
	ns_t next = 0;

	while (!signals_stop()) {
		size_t n = wait_next(&wait, next, clock_mono(), v, sizeof(v) / sizeof(v[0]));

		for (size_t i = 0; i < n; i++)
			if (desk_owns(&desk, v[i].key))
				desk_ready(&desk, &v[i]);
		next = work(clock_mono());
	}
	for (size_t i = 0; i < ERRANDS; i++)
		if (errands[i].number > 0)
			errand_drop(&errands[i]);
}

static bool listen_at(uint16_t port, struct fault *why)
{
	const struct addr loopback = { .family = 4, .ip = { 127, 0, 0, 1 }, .port = port };

	return desk_open(&desk, &loopback, &wait, DESK_KEY, why);
}

/* The port is the same every time where that can be had: what the page remembers is kept under it. */
static bool open_desk(const struct gui_options *o, struct fault *why)
{
	if (o->port == UNKNOWN ? listen_at(PORT, why) || listen_at(0, why) : listen_at((uint16_t)o->port, why))
		return true;
	fault_hint(why, "another port: sonde gui --port 0");
	return false;
}

static bool put_banner(const struct gui_options *o)
{
	char url[80], buf[256];
	struct text t, u;

	text_init(&u, url, sizeof(url));
	text_put(&u, "http://127.0.0.1:%d/%s/", (int64_t)gate.port, gate.token);
	bool shown = !o->no_browser && process_browse(url);

	text_init(&t, buf, sizeof(buf));
	text_put(&t, "sonde " SONDE_VERSION " measures from this machine; %s\n  %s\nCtrl-C ends it\n",
		shown ? "your browser shows it at" : "open in a browser here", url);
	return common_flush(&t);
}

static int run(int argc, char **argv, struct fault *why)
{
	struct gui_options o = { .port = UNKNOWN };
	uint8_t token[GATE_TOKEN / 2];
	int n = opt_parse(tables, argc, argv, &o, why);

	if (n > 0)
		fault_set(why, FAULT_USAGE, "gui takes no target, but got", slice_of(argv[0]), NULL);
	if (n != 0)
		return 2;
	signals_take();
	if (!random_fill(token, sizeof(token), why) || !wait_open(&wait, why) || !open_desk(&o, why))
		return 2;
	gate_init(&gate, desk.port, token);
	privilege_rest();
	if (!put_banner(&o))
		return EXIT_NO_OUTPUT;
	serve_page();
	return 0;
}

const struct command cmd_gui = {
	"gui",
	"",
	"a page in the browser that drives this machine's probe",
	"Serves a page on 127.0.0.1, and there alone, that runs check, ping and trace from this machine and shows what\n"
	"comes while it comes. Its address holds a secret, new every time: keep it to yourself. Requests that come from\n"
	"other pages are refused. Opens the browser where there is a desktop. Stops at Ctrl-C and with its terminal.\n",
	tables,
	run,
};
