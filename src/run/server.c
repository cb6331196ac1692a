/* SPDX-License-Identifier: MIT */
#include "run/server.h"

#include <string.h>

#include "core/io.h"
#include "sys/clock.h"
#include "sys/input.h"
#include "sys/lent.h"
#include "sys/memory.h"
#include "sys/signals.h"

/* Deadlines are looked for this often, and then met exactly: cheap with a thousand clients. */
#define SWEEP (100 * NS_PER_MS)

#define DESCRIPTORS_KEPT 32

#define LISTENER_KEY (UINT64_C(1) << 32)
#define REFLECTOR_KEY (UINT64_C(1) << 33)

/* Accepted at once, so that a flood of connections does not starve those that are there. */
#define ACCEPTS_AT_ONCE 64

/* For a shorter rest of a body, or chunk, it costs more to set a mark than to be woken. */
#define GATHER_MIN (128 << 10)

/* A head, a body and what follows it go out in one turn; a long body does not keep others waiting. */
#define WRITES_AT_ONCE 4
#define FEW 6
#define PIECE_OF_MANY (UINT64_C(256) << 10)

static void add_listener(struct server *s, int fd, const struct addr *at)
{
	s->cfg.listen[s->n_fds] = *at;
	s->fds[s->n_fds] = fd;
	wait_add(&s->wait, fd, WAIT_IN, LISTENER_KEY + s->n_fds);
	s->n_fds++;
}

/* Return: 0 or an enum io with @why. */
static int listen_on(struct server *s, struct addr at, struct fault *why)
{
	int fd = stream_listen(&at, why);

	if (fd < 0)
		return fd;
	at.port = stream_port(fd);
	add_listener(s, fd, &at);
	return 0;
}

/* A machine may have one family only; any other refusal counts. */
static bool open_listeners(struct server *s, struct fault *why)
{
	struct server_cfg *cfg = &s->cfg;

	for (size_t i = 0; i < cfg->n_listen; i++) {
		struct addr at = cfg->listen[i];

		if (at.port == 0 && s->n_fds > 0)
			at.port = cfg->listen[0].port;
		int io = listen_on(s, at, why);

		if (io == IO_IN_USE)
			fault_hint(why, "another port: sonde serve --port 8081");
		if (io < 0 && !(cfg->listen_all && io == IO_UNREACHABLE))
			return false;
	}
	cfg->n_listen = s->n_fds;
	return s->n_fds > 0;
}

/* UDP beside it. A server without it is still one: that it is missing is told, and no more. */
static bool open_reflector(struct server *s, const struct reflector_cfg *cfg, struct fault *why)
{
	s->reflector = memory_get(1, sizeof(*s->reflector), why);
	if (s->reflector)
		reflector_open(s->reflector, cfg, &s->wait, REFLECTOR_KEY, &s->udp_fault);
	return s->reflector;
}

/* Take what we were given to serve at. */
static bool take_sockets(struct server *s, struct fault *why)
{
	struct addr at, udp[SERVER_LISTENERS_MAX];
	int fds[SERVER_LISTENERS_MAX];
	struct reflector_cfg cfg = { udp, 0, fds, s->cfg.open_to_all, &s->counters.udp };

	bool fit = s->cfg.n_lent <= SERVER_LISTENERS_MAX;

	for (size_t i = 0; fit && i < s->cfg.n_lent; i++) {
		int fd = LENT_FIRST + (int)i;
		enum lent kind = lent_take(fd, &at);

		fit = kind != LENT_UNFIT;
		if (kind == LENT_STREAM) {
			add_listener(s, fd, &at);
		} else {
			fds[cfg.n] = fd;
			udp[cfg.n++] = at;
		}
	}
	if (!fit || s->n_fds == 0)
		return fault_set(why, FAULT_HOST, "cannot serve at the sockets of LISTEN_FDS", SLICE(""), NULL);
	s->cfg.n_listen = s->n_fds;
	return open_reflector(s, &cfg, why);
}

/* UDP on the same ports. */
static bool open_sockets(struct server *s, struct fault *why)
{
	if (s->cfg.n_lent > 0)
		return take_sockets(s, why);
	if (!open_listeners(s, why))
		return false;
	struct reflector_cfg cfg = { s->cfg.listen, s->cfg.n_listen, NULL, s->cfg.open_to_all, &s->counters.udp };

	return open_reflector(s, &cfg, why);
}

/* Connections inherit it from the socket that listens. */
static void choose_congestion(struct server *s)
{
	for (size_t i = 0; i < s->n_fds && s->cfg.congestion; i++)
		stream_use_congestion(s->fds[i], s->cfg.congestion);
	stream_congestion(s->fds[0], s->congestion);
	s->cfg.serve.congestion = slice_of(s->congestion);
	struct slice words = input_file("/proc/sys/net/ipv4/tcp_allowed_congestion_control", s->allowed, sizeof(s->allowed));

	s->cfg.serve.congestion_allowed = slice_until(&words, "\n");
}

bool server_open(struct server *s, const struct server_cfg *cfg, struct fault *why)
{
	memset(s, 0, sizeof(*s));
	s->cfg = *cfg;
	/* Some descriptors are for listening, waiting and the data itself. */
	size_t most = memory_descriptors() - DESCRIPTORS_KEPT;

	if (s->cfg.clients_max > most)
		s->cfg.clients_max = most;
	s->clients = memory_get(s->cfg.clients_max, sizeof(*s->clients), why);
	s->peers = memory_get(s->cfg.clients_max, sizeof(*s->peers), why);
	s->free_slots = memory_get(s->cfg.clients_max, sizeof(*s->free_slots), why);
	s->counters.started_s = (uint64_t)clock_wall_s();
	if (!s->clients || !s->peers || !s->free_slots || !wait_open(&s->wait, why) || !bulk_open(&s->bulk, why) ||
		!open_sockets(s, why))
		return false;
	choose_congestion(s);
	return true;
}

uint16_t server_port(const struct server *s)
{
	return s->cfg.listen[0].port;
}

static struct client *take_slot(struct server *s)
{
	if (s->n_free > 0)
		return &s->clients[s->free_slots[--s->n_free]];
	return s->top < s->cfg.clients_max ? &s->clients[s->top++] : NULL;
}

static void drop(struct server *s, struct client *c)
{
	stream_close(c->fd);
	c->fd = -1;
	s->peers[c - s->clients].family = 0;
	s->counters.open--;
	s->free_slots[s->n_free++] = (uint32_t)(c - s->clients);
}

static size_t clients_from(const struct server *s, const struct addr *peer)
{
	size_t n = 0;

	for (size_t i = 0; i < s->top; i++)
		if (addr_same_host(&s->peers[i], peer))
			n++;
	return n;
}

/* A fast client may have more written for it in advance, when that has doubled. */
static void look_ahead(struct client *c)
{
	uint64_t n = source_ahead(&c->serve.source);

	if (c->serve.state != SERVE_DOWNLOAD || n <= c->ahead * 2)
		return;
	c->ahead = n;
	stream_unsent_max(c->fd, (int)n);
}

static void set_mark(struct client *c, ns_t now)
{
	struct want in = serve_in(&c->serve);
	bool upload = c->serve.state == SERVE_UPLOAD && in.kind == WANT_DISCARD && in.n >= GATHER_MIN;
	int mark = gather_mark(&c->gather, now, c->serve.uploaded, upload ? in.n : 0);

	if (mark > 0)
		stream_low_water(c->fd, mark);
}

static void read_some(struct client *c, ns_t now)
{
	static char buf[SERVE_IN_MAX];
	struct want in = serve_in(&c->serve);

	if (in.kind == WANT_NOTHING)
		return;
	int64_t n = stream_in(c->fd, &in, buf, sizeof(buf));

	if (n > 0)
		serve_got(&c->serve, in.kind == WANT_READ ? buf : NULL, (uint64_t)n, now);
	else if (n != IO_AGAIN)
		serve_closed(&c->serve, (int)n);
}

static bool is_writing(const struct client *c)
{
	enum want_kind kind = serve_out(&c->serve).kind;

	return kind != WANT_NOTHING && kind != WANT_CLOSE;
}

/* With many at work each gets a smaller piece in its turn, so that small requests and probes do not wait for long. */
static uint64_t piece(const struct server *s)
{
	return s->counters.open > FEW ? PIECE_OF_MANY : UINT64_MAX;
}

static void write_some(struct server *s, struct client *c, ns_t now)
{
	uint64_t left = piece(s);

	for (int i = 0; i < WRITES_AT_ONCE && left > 0 && is_writing(c); i++) {
		struct want out = serve_out(&c->serve);

		out.n = out.n < left ? out.n : left;
		int64_t n = stream_out(c->fd, &out, &s->bulk);

		if (n < 0 && n != IO_AGAIN)
			serve_closed(&c->serve, (int)n);
		if (n < 0)
			break;
		serve_moved(&c->serve, (uint64_t)n, now);
		left -= (uint64_t)n;
	}
}

/* Move what can be moved, then watch for what is wanted next. */
static void turn(struct server *s, struct client *c, bool readable, bool writable, ns_t now)
{
	if (readable)
		read_some(c, now);
	if (c->serve.congestion[0]) {
		stream_use_congestion(c->fd, c->serve.congestion);
		c->serve.congestion[0] = '\0';
	}
	/* What was asked for just now can nearly always be written at once, and then nothing has to be waited for. */
	if (readable || writable)
		write_some(s, c, now);
	if (serve_out(&c->serve).kind == WANT_CLOSE) {
		drop(s, c);
		return;
	}
	look_ahead(c);
	set_mark(c, now);
	unsigned what = (serve_in(&c->serve).kind != WANT_NOTHING ? WAIT_IN : 0) | (is_writing(c) ? WAIT_OUT : 0);

	if (what != c->watched)
		wait_change(&s->wait, c->fd, what, (uint64_t)(c - s->clients));
	c->watched = what;
}

/* Say why in a word, and close: there is no slot to do it slowly. */
static void turn_away(int fd)
{
	static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
				   "Connection: close\r\n\r\n";
	struct want w = { WANT_WRITE, busy, sizeof(busy) - 1, false };

	stream_out(fd, &w, NULL);
	stream_close(fd);
}

/* Why a peer gets nothing but that answer; 0 where it is welcome. */
static unsigned refusal(const struct server *s, const struct addr *peer, const char **ret_why)
{
	*ret_why = "this server answers private addresses only; start it with --public to change that";
	if (!route_admits(peer, s->cfg.open_to_all))
		return 403;
	*ret_why = "too many connections from your address at once";
	return clients_from(s, peer) >= s->cfg.per_address_max ? 503 : 0;
}

static void admit(struct server *s, int fd, const struct addr *peer, ns_t now)
{
	const char *why;
	unsigned status = refusal(s, peer, &why);
	size_t used = s->top - s->n_free;
	/* Those who are refused in words never take the last quarter from those who are not. */
	struct client *c = status != 0 && used >= s->cfg.clients_max / 4 * 3 ? NULL : take_slot(s);

	s->counters.accepted++;
	if (!c) {
		s->counters.refused++;
		turn_away(fd);
		return;
	}
	s->counters.open++;
	s->peers[c - s->clients] = *peer;
	c->fd = fd;
	c->watched = WAIT_IN;
	c->ahead = STREAM_UNSENT_FIRST;
	c->unacked = 0;
	gather_init(&c->gather, now);
	serve_init(&c->serve, &s->cfg.serve, &s->counters, now);
	c->serve.peer = &s->peers[c - s->clients];
	if (status != 0)
		serve_refuse(&c->serve, status, why, now);
	if (!wait_add(&s->wait, fd, WAIT_IN, (uint64_t)(c - s->clients)))
		drop(s, c);
	else
		turn(s, c, true, true, now);
}

/* With no descriptor left, listening would only spin: it goes on at the next sweep. */
static void listen_again(struct server *s, bool yes)
{
	s->deaf = !yes;
	for (size_t i = 0; i < s->n_fds; i++)
		wait_change(&s->wait, s->fds[i], yes ? WAIT_IN : WAIT_NOTHING, LISTENER_KEY + i);
}

static void accept_some(struct server *s, int listener, ns_t now)
{
	struct addr peer;

	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		int fd = stream_accept(listener, &peer);

		if (fd == IO_RESET)
			continue;
		if (fd == IO_NO_ROOM)
			listen_again(s, false);
		if (fd < 0)
			return;
		admit(s, fd, &peer, now);
	}
}

/* A deadline is over. On a slow link data may still arrive at the other end though the socket takes no more. */
static void expire(struct client *c, ns_t now)
{
	int64_t unacked = stream_unacked(c->fd);

	if (c->serve.state == SERVE_DOWNLOAD && unacked > 0 && unacked != c->unacked)
		serve_touch(&c->serve, now);
	c->unacked = unacked;
	serve_tick(&c->serve, now);
}

static void sweep_client(struct server *s, struct client *c, ns_t now)
{
	bool late = now >= serve_deadline(&c->serve), upload = c->serve.state == SERVE_UPLOAD;

	if (late)
		expire(c, now);
	/* A kernel before 4.18 does not wake for what is there when the mark is lowered: look. */
	if (late || upload)
		turn(s, c, upload, true, now);
	if (c->fd >= 0)
		s->sweep_at = ns_min(s->sweep_at, ns_max(serve_deadline(&c->serve), now + NS_PER_MS));
}

static void sweep(struct server *s, ns_t now)
{
	if (now < s->sweep_at)
		return;
	s->sweep_at = now + SWEEP;
	s->counters.cpu_ns = (uint64_t)clock_cpu();
	if (s->deaf)
		listen_again(s, true);
	for (size_t i = 0; i < s->top; i++)
		if (s->clients[i].fd >= 0)
			sweep_client(s, &s->clients[i], now);
}

/* Without clients there is nothing to look after, and nothing to wake up for. */
static ns_t next_sweep(const struct server *s)
{
	return s->deaf || s->n_free < s->top ? s->sweep_at : NS_NEVER;
}

void server_run(struct server *s)
{
	struct wait_event v[64];

	while (!signals_stop()) {
		size_t n = wait_next(&s->wait, next_sweep(s), clock_mono(), v, sizeof(v) / sizeof(v[0]));
		ns_t now = clock_mono();

		for (size_t i = 0; i < n; i++) {
			if (v[i].key >= REFLECTOR_KEY)
				reflector_ready(s->reflector, (size_t)(v[i].key - REFLECTOR_KEY));
			else if (v[i].key >= LISTENER_KEY)
				accept_some(s, s->fds[v[i].key - LISTENER_KEY], now);
			else if (s->clients[v[i].key].fd >= 0)
				turn(s, &s->clients[v[i].key], v[i].in, v[i].out, now);
		}
		sweep(s, now);
	}
}
