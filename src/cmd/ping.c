/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"
#include "cmd/probing.h"
#include "out/ping.h"
#include "sys/terminal.h"

static const struct opt_table tables[] = {
	{ "Options", probing_rows, PROBING_END_OF_PING },
	COMMON_OPTIONS,
	{ NULL, NULL, 0 },
};

static struct probing probing;

static void put_event(struct probing *p, const struct fleet_event *e)
{
	struct ping_result r;
	bool many = p->fleet.room.n > 1, name = e->kind == FLEET_NAME;

	if (!name && (e->kind != FLEET_PROBE || p->o.common.quiet))
		return;
	pinger_label(&p->fleet.pinger, name ? e->target : e->probe.target, &r);
	if (!name)
		ping_text_event(&p->text, &e->probe, &r, many);
	else if (many)
		ping_text_name(&p->text, &r);
	else if (!r.resolve_error)
		ping_text_start(&p->text, &r, (size_t)p->o.size);
}

/* Among many, on standard error: that the figures are not those of ICMP, as nobody asked for. */
static bool put_start(struct probing *p)
{
	struct text *t = &p->text;
	struct ping_result r;

	if (p->o.common.format != FORMAT_TEXT)
		return true;
	pinger_label(&p->fleet.pinger, 0, &r);
	if (p->fleet.room.n == 1 && r.address[0])
		ping_text_start(t, &r, (size_t)p->o.size);
	if (p->fleet.room.n == 1 || p->fleet.pinger.method != METHOD_TCP || !r.reason[0])
		return true;
	ping_text_way(t, &r);
	bool ok = terminal_write(TERMINAL_ERR, text_view(t));

	text_init(t, t->p, t->cap);
	return ok;
}

static int run(int argc, char **argv, struct fault *why)
{
	struct probing *p = &probing;
	struct fleet_event e;
	int n = probing_parse(p, tables, argc, argv, why);

	if (n < 0)
		return 2;
	if (!probing_start(p, n, argv, 2, why))
		return fault_exit_code(why);
	p->alive = put_start(p);
	while (p->alive && probing_next(p, NS_NEVER, &e)) {
		if (p->o.common.format == FORMAT_NDJSON)
			probing_ndjson(p, &e);
		else if (p->o.common.format == FORMAT_TEXT && !board_is_open(&p->board))
			put_event(p, &e);
	}
	return probing_end(p, why);
}

const struct command cmd_ping = {
	"ping",
	"TARGET…",
	"round trips and loss, one host or many",
	"ICMP echo, raw where this process may, else through the unprivileged ICMP socket, else by TCP connections.\n"
	"Round trips are taken from the kernel's own packet stamps where there are any. TARGET is a name, an address,\n"
	"host:port, tcp://host:port, udp://host:port, icmp://host, a network such as 10.0.0.0/24, or - for a list of\n"
	"these on standard input. The probes of a round are spread over the interval; with -c 1 over 100ms.\n"
	"\n"
	"--via udp asks a reflector: sonde serve (port 8080, taken where none is named) or any other of STAMP and TWAMP\n"
	"Light (host:862). It needs no privilege, and tells for each direction what was lost and how long packets queued.\n"
	"\n"
	"A port does not count with ICMP. By TCP a refusal is an answer where no port was named (80 is asked then), else\n"
	"a loss. An answer after -W is late and not lost; what -w or an interrupt cuts off has no say in the loss.\n"
	"\n"
	"--expect knows: loss, rtt, rtt.p99, rtt.max, jitter, received.\n",
	tables,
	run,
};
