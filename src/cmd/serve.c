/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"
#include "cmd/common.h"
#include "core/text_put.h"
#include "run/server.h"
#include "sys/lent.h"
#include "sys/netif.h"
#include "sys/privilege.h"
#include "sys/signals.h"
#include "web/page.h"

struct serve_options {
	int64_t port, clients, per_address, body_max;
	ns_t body_time;
	struct opt_list bind, names;
	bool open_to_all, cors, quiet;
	const char *congestion;
};

#define AT(member) offsetof(struct serve_options, member)

static const struct opt rows[] = {
	{ 'p', OPT_COUNT, AT(port), "port", "N", "listen on this port (8080); 0 takes a free one", 0, 65535, NULL },
	{ 'b', OPT_LIST, AT(bind), "bind", "ADDRESS", "listen on this address only (default: all); may be given again", 0, 0,
		NULL },
	{ 0, OPT_FLAG, AT(open_to_all), "public", NULL, "answer peers with public addresses too", 0, 0, NULL },
	{ 0, OPT_FLAG, AT(cors), "cors", NULL, "let web pages from elsewhere measure with this server", 0, 0, NULL },
	{ 0, OPT_STRING, AT(congestion), "congestion", "NAME", "congestion control of what is sent, such as reno or bbr", 0, 0,
		NULL },
	{ 0, OPT_LIST, AT(names), "name", "NAME", "a public name under which this server may be reached", 0, 0, NULL },
	{ 0, OPT_COUNT, AT(clients), "max-clients", "N", "connections at once (2048)", 1, 65536, NULL },
	{ 0, OPT_COUNT, AT(per_address), "max-per-address", "N", "connections at once of one address (1024)", 1, 65536, NULL },
	{ 0, OPT_SIZE, AT(body_max), "max-bytes", "SIZE", "the largest upload (1TB)", 1, INT64_MAX, NULL },
	{ 0, OPT_DURATION, AT(body_time), "max-time", "TIME", "the longest transfer (10m)", NS_PER_S, 86400 * NS_PER_S, NULL },
	{ 'q', OPT_FLAG, AT(quiet), "quiet", NULL, "say nothing on standard output", 0, 0, NULL },
};

static const struct opt_table tables[] = {
	{ "Options", rows, sizeof(rows) / sizeof(rows[0]) },
	{ NULL, NULL, 0 },
};

static struct server server;
static char own_name[256];

static bool add_listener(struct server_cfg *cfg, const char *address, uint16_t port, struct fault *why)
{
	struct addr *a = &cfg->listen[cfg->n_listen];

	if (!addr_parse(slice_of(address), a))
		return fault_set(why, FAULT_USAGE, "--bind", slice_of(address), "is not a numeric address");
	a->port = port;
	cfg->n_listen++;
	return true;
}

static bool choose_listeners(struct server_cfg *cfg, const struct serve_options *o, struct fault *why)
{
	for (size_t i = 0; i < o->bind.n; i++)
		if (!add_listener(cfg, o->bind.v[i], (uint16_t)o->port, why))
			return false;
	cfg->n_lent = lent_count();
	if (o->bind.n > 0 || cfg->n_lent > 0)
		return true;
	cfg->listen_all = true;
	return add_listener(cfg, "0.0.0.0", (uint16_t)o->port, why) && add_listener(cfg, "::", (uint16_t)o->port, why);
}

/* This machine's own name, and what the user adds. */
static void choose_names(struct serve_cfg *cfg, const struct serve_options *o)
{
	struct text t;

	text_init(&t, own_name, sizeof(own_name));
	netif_put_host(&t);
	if (t.len > 0)
		cfg->names[cfg->n_names++] = text_view(&t);
	for (size_t i = 0; i < o->names.n && cfg->n_names < SERVE_NAMES_MAX; i++)
		cfg->names[cfg->n_names++] = slice_of(o->names.v[i]);
}

static bool is_reachable(const struct server_cfg *cfg, const struct addr *a)
{
	for (size_t i = 0; i < cfg->n_listen; i++) {
		const struct addr *at = &cfg->listen[i];

		if (at->family == a->family && (addr_reach(at) == ADDR_UNSPECIFIED || addr_same_host(at, a)))
			return true;
	}
	return false;
}

/* A link-local address means something on one link only: whoever types it puts the name of its own interface there. */
static void put_command(struct text *t, const struct addr *a)
{
	struct addr plain = *a;

	plain.scope = 0;
	text_str(t, "  sonde ");
	if (a->scope > 0) {
		text_str(t, "'http://[");
		addr_put(t, &plain);
		text_put(t, "%%INTERFACE]:%d/'", (int64_t)a->port);
	} else {
		addr_put_port(t, &plain);
	}
	text_char(t, '\n');
}

static void put_addresses(struct text *t, const struct server_cfg *cfg, uint16_t port, enum addr_reach reach)
{
	struct addr v[32];
	size_t n = netif_addresses(v, 32);

	for (size_t i = 0; i < n; i++) {
		v[i].port = port;
		if (addr_reach(&v[i]) == reach && is_reachable(cfg, &v[i]))
			put_command(t, &v[i]);
	}
}

static bool put_banner(const struct serve_options *o)
{
	static char buf[8192];
	struct text t;
	uint16_t port = server_port(&server);

	text_init(&t, buf, sizeof(buf));
	text_put(&t, "sonde " SONDE_VERSION " serves on port %d, to %s\non the other machine, type:\n", (int64_t)port,
		o->open_to_all ? "everybody" : "private addresses only (--public for all)");
	put_addresses(&t, &server.cfg, port, ADDR_PRIVATE);
	if (o->open_to_all)
		put_addresses(&t, &server.cfg, port, ADDR_PUBLIC);
	put_addresses(&t, &server.cfg, port, ADDR_LINK_LOCAL);
	text_str(&t, "on this machine:\n");
	put_addresses(&t, &server.cfg, port, ADDR_LOOPBACK);
	if (server.udp_fault.kind != FAULT_NONE)
		text_put(&t, "UDP probes have no answer: %s\n", server.udp_fault.text);
	text_put(&t, "or open http://ADDRESS:%d/ in a browser; Ctrl-C ends it\n", (int64_t)port);
	return common_flush(&t);
}

static int run(int argc, char **argv, struct fault *why)
{
	struct serve_options o = { .port = 8080, .clients = 2048, .per_address = 1024, .body_max = INT64_C(1000000000000),
		.body_time = 600 * NS_PER_S };
	struct server_cfg cfg = { .n_listen = 0 };
	int n = opt_parse(tables, argc, argv, &o, why);

	if (n > 0)
		fault_set(why, FAULT_USAGE, "serve takes no target, but got", slice_of(argv[0]), NULL);
	if (n != 0 || !choose_listeners(&cfg, &o, why))
		return 2;
	if (o.congestion && !stream_congestion_works(o.congestion, why))
		return 2;
	cfg.congestion = o.congestion;
	choose_names(&cfg.serve, &o);
	cfg.open_to_all = o.open_to_all;
	cfg.clients_max = (size_t)o.clients;
	cfg.per_address_max = (size_t)o.per_address;
	cfg.serve.cors = o.cors;
	for (enum page_part part = PAGE_HTML; part < PAGE_PARTS; part++)
		cfg.serve.page[part] = page(part);
	cfg.serve.head_time = 10 * NS_PER_S;
	cfg.serve.idle_time = 15 * NS_PER_S;
	cfg.serve.body_time = o.body_time;
	cfg.serve.body_max = (uint64_t)o.body_max;
	signals_take();
	if (!server_open(&server, &cfg, why))
		return 2;
	privilege_drop();
	if (!o.quiet && !put_banner(&o))
		return EXIT_NO_OUTPUT;
	server_run(&server);
	return 0;
}

const struct command cmd_serve = {
	"serve",
	"",
	"the other end: test server for sonde and for browsers",
	"Serves sonde and the page at /, /down?bytes=N, /down?seconds=S, /up, /ping, /info and /metrics over HTTP, and the\n"
	"paths of LibreSpeed, OpenSpeedTest, the speedtest mini server, Cloudflare's client and responsiveness clients, to\n"
	"private, link-local and loopback peers; and answers STAMP probes (RFC 8762) over UDP on the same port.\n"
	"No file of this machine can be reached. Stops at Ctrl-C. Sockets of a service manager (LISTEN_FDS) come first.\n",
	tables,
	run,
};
