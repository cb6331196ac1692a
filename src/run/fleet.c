/* SPDX-License-Identifier: MIT */
#include "run/fleet.h"

#include <string.h>

#include "core/prefix.h"
#include "core/text_put.h"
#include "core/url.h"
#include "sys/clock.h"
#include "sys/input.h"
#include "sys/memory.h"
#include "sys/resolve.h"
#include "sys/signals.h"

/* A list of a million targets with long names. */
#define LIST_MAX (64 << 20)

/* More targets than this have no distributions: one takes 77 kB. */
#define HISTS_MAX 1024

#define LOOK_UPS_AT_ONCE 16

#define BLANKS " \t\r\n\f\v"

/* All words in their order, those of standard input in the place of the `-`. */
struct words {
	char **argv;
	int argc, i;
	struct slice input; /* standard input, until its place has come */
	struct slice list;  /* what is left of it from there on */
};

static bool next_word(struct words *w, struct slice *ret)
{
	for (;;) {
		slice_while(&w->list, BLANKS);
		if (slice_first(w->list) == '#') {
			slice_until(&w->list, "\n");
		} else if (w->list.n > 0) {
			*ret = slice_until(&w->list, BLANKS);
			w->list = slice_from(w->list, 1);
			return true;
		} else if (w->i == w->argc) {
			return false;
		} else if (slice_is(slice_of(w->argv[w->i]), "-")) {
			w->list = w->input;
			w->input = SLICE("");
			w->i++;
		} else {
			*ret = slice_of(w->argv[w->i++]);
			return true;
		}
	}
}

static bool read_list(struct slice *ret, struct fault *why)
{
	char *p = memory_get(LIST_MAX, 1, why);
	size_t n = 0;

	if (!p || !input_read(p, LIST_MAX, &n, why))
		return false;
	*ret = (struct slice){ p, n };
	return n < LIST_MAX || fault_set(why, FAULT_USAGE, "the list on standard input is too long", SLICE(""), NULL);
}

static bool has_list(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (slice_is(slice_of(argv[i]), "-"))
			return true;
	return false;
}

/* How many targets, and how many words. */
static bool count(struct words w, size_t *ret_targets, size_t *ret_words, struct fault *why)
{
	struct prefix p;
	struct slice word;
	uint64_t n = 0;

	for (*ret_words = 0; next_word(&w, &word); ++*ret_words) {
		uint64_t more = prefix_parse(word, &p) ? p.n : 1;

		if (more > PING_TARGETS_MAX || n + more > PING_TARGETS_MAX)
			return fault_set(why, FAULT_USAGE, "", word, "makes more than 1048576 targets");
		n += more;
	}
	*ret_targets = (size_t)n;
	if (n > 0)
		return true;
	fault_set(why, FAULT_USAGE, "there is nothing to ping", SLICE(""), NULL);
	fault_hint(why, "sonde ping 192.0.2.1");
	return false;
}

static bool get_room(struct fleet *f, size_t n, size_t words, struct fault *why)
{
	f->room.n = n;
	f->room.targets = memory_get(n, sizeof(*f->room.targets), why);
	f->room.more = memory_get(n, sizeof(*f->room.more), why);
	f->room.names = memory_get(n, sizeof(*f->room.names), why);
	f->named = memory_get(words, sizeof(*f->named), why);
	f->room.hists = n <= HISTS_MAX ? memory_get(n, sizeof(*f->room.hists), why) : NULL;
	return f->room.targets && f->room.more && f->room.names && f->named;
}

/* How the words of the targets and --via go together. */
static bool choose_via(struct fleet *f, const struct target *t, struct fault *why)
{
	static const enum via ways[] = { VIA_AUTO, VIA_AUTO, VIA_ICMP, VIA_TCP, VIA_UDP }; /* in the order of enum target_scheme */
	enum via said = ways[t->scheme];
	struct pinger_cfg *cfg = &f->cfg.pinger;

	if (t->scheme == TARGET_ANY && t->path.n > 0)
		return fault_set(why, FAULT_USAGE, "", t->text, "has a path, and ping takes hosts; a network is ADDRESS/BITS");
	if (said != VIA_AUTO && cfg->via != VIA_AUTO && said != cfg->via)
		return fault_set(why, FAULT_USAGE, "one run measures one way:", t->text, "does not fit the others");
	cfg->via = said != VIA_AUTO ? said : cfg->via;
	cfg->host = t->host;
	cfg->path = t->path.n > 0 ? t->path : SLICE("/");
	return true;
}

/* Kept as text only where the address would be written differently. */
static const char *name_of(const struct ping_target *t, const char *word)
{
	char buf[ADDR_TEXT_MAX];
	struct text text;

	text_init(&text, buf, sizeof(buf));
	addr_put(&text, &t->addr);
	return slice_is(text_view(&text), word) ? NULL : word;
}

static bool add_host(struct fleet *f, size_t i, const char *word, struct fault *why)
{
	struct ping_target *to = &f->room.targets[i];
	struct slice zone;
	struct target t;

	if (!target_parse(word, &t, why) || !choose_via(f, &t, why))
		return false;
	if (addr_parse(url_host_zone(t.host, &zone), &to->addr)) {
		if (resolve(t.host, f->cfg.family, &to->addr, 1, 0, why) == 0)
			return false;
		to->addr.port = t.port;
		f->room.names[i].text = name_of(to, word);
		return true;
	}
	f->room.names[i].text = word;
	f->named[f->n_named++] = (struct fleet_name){ .host = t.host, .target = (uint32_t)i, .port = t.port };
	return true;
}

static bool fill(struct fleet *f, struct words w, struct fault *why)
{
	struct slice word;
	struct prefix p;

	for (size_t i = 0; next_word(&w, &word);) {
		if (!prefix_parse(word, &p)) {
			/* What stands behind a word is a blank of a list, or a NUL already. */
			((char *)(uintptr_t)word.p)[word.n] = '\0';
			if (!add_host(f, i++, word.p, why))
				return false;
			continue;
		}
		if (f->cfg.family != 0 && f->cfg.family != p.first.family)
			return fault_set(why, FAULT_USAGE, "", word, f->cfg.family == 4 ? "is not IPv4" : "is not IPv6");
		for (uint64_t k = 0; k < p.n; k++)
			f->room.targets[i++].addr = prefix_at(&p, k);
	}
	return true;
}

/* A network has no host to name in a request. */
static bool fits_http(const struct fleet *f, struct fault *why)
{
	return f->cfg.pinger.via != VIA_HTTP || (f->room.n == 1 && f->cfg.pinger.host.n > 0) ||
	       fault_set(why, FAULT_USAGE, "--via http takes one target", SLICE(""), NULL);
}

bool fleet_read(struct fleet *f, const struct fleet_cfg *cfg, int argc, char **argv, struct fault *why)
{
	struct words w = { argv, argc, 0, SLICE(""), SLICE("") };
	size_t targets = 0, words = 0;

	f->cfg = *cfg;
	if (has_list(argc, argv) && !read_list(&w.input, why))
		return false;
	return count(w, &targets, &words, why) && get_room(f, targets, words, why) && fill(f, w, why) &&
	       fits_http(f, why);
}

/* They give up by themselves; this is for those that cannot. */
static ns_t patience(const struct fleet *f)
{
	return f->cfg.names_timeout + NS_PER_S;
}

bool fleet_open(struct fleet *f, struct fault *why)
{
	size_t workers = f->n_named < LOOK_UPS_AT_ONCE ? f->n_named : LOOK_UPS_AT_ONCE;

	/* Where no child may be started they are looked up one by one, before anything is sent. */
	f->naming = workers > 0 && names_open(&f->names, workers, f->cfg.names_timeout, why);
	why->kind = FAULT_NONE;
	if (!wait_open(&f->wait, why) || !pinger_open(&f->pinger, &f->cfg.pinger, &f->room, &f->wait, 0, why))
		return false;
	if (f->naming)
		wait_add(&f->wait, f->names.fd, WAIT_IN, FLEET_NAMES_KEY);
	f->patience = clock_mono() + patience(f);
	return true;
}

/* As many questions as there is room for. */
static void ask(struct fleet *f)
{
	while (f->asked < f->n_named &&
		names_ask(&f->names, (uint32_t)f->asked, f->named[f->asked].host, f->cfg.family))
		f->asked++;
}

static void end_naming(struct fleet *f)
{
	names_close(&f->names);
	f->naming = false;
}

static void fail_name(struct fleet *f, struct fleet_name *name, ns_t took, const char *reason)
{
	struct text t;

	text_init(&t, name->error, sizeof(name->error));
	text_put(&t, "%s", reason);
	name->host = SLICE(""); /* decided */
	ping_unresolved(&f->pinger.ping, name->target, took, name->error);
	f->unresolved++;
	f->answered++;
}

static void take_name(struct fleet *f, const struct names_answer *a, ns_t now)
{
	struct fleet_name *name = &f->named[a->tag];
	struct addr addr = a->addr;

	if (addr.family == 0) {
		fail_name(f, name, a->took, a->text);
		return;
	}
	name->host = SLICE("");
	addr.port = name->port;
	ping_resolved(&f->pinger.ping, name->target, &addr, a->took, now);
	f->answered++;
}

/* Nobody has answered for too long: one name after the other is given up. Return: which. */
static size_t give_up_name(struct fleet *f)
{
	struct fault why;
	size_t i = 0;

	while (f->named[i].host.n == 0)
		i++;
	fault_set(&why, FAULT_HOST, "cannot resolve", f->named[i].host, ": no answer from the name service in time");
	fail_name(f, &f->named[i], f->cfg.names_timeout, why.text);
	return f->named[i].target;
}

static bool read_names(struct fleet *f, ns_t now, struct fleet_event *ret)
{
	struct names_answer a;

	ret->kind = FLEET_NAME;
	f->heard = f->heard || now >= f->patience;
	if (f->heard && (f->heard = names_answer(&f->names, &a))) {
		if (a.tag >= f->asked || f->named[a.tag].host.n == 0)
			return false; /* of nothing that is open */
		take_name(f, &a, now);
		f->patience = now + patience(f);
		ret->target = f->named[a.tag].target;
	} else if (now >= f->patience || f->names.fd < 0) {
		ret->target = give_up_name(f);
	} else {
		ask(f);
		return false;
	}
	if (f->answered == f->n_named)
		end_naming(f);
	return true;
}

/* For want of helpers. */
static size_t look_up_next(struct fleet *f)
{
	struct fleet_name *name = &f->named[f->answered];
	struct names_answer a = { .tag = (uint32_t)f->answered };
	struct addr v[RESOLVE_MAX];
	struct fault why;
	ns_t began = clock_mono();
	size_t target = name->target;

	if (resolve(name->host, f->cfg.family, v, RESOLVE_MAX, f->cfg.names_timeout, &why) > 0)
		a.addr = v[0];
	else
		memcpy(a.text, why.text, sizeof(why.text));
	a.took = clock_mono() - began;
	take_name(f, &a, clock_mono());
	return target;
}

static bool step(struct fleet *f, ns_t now, ns_t tick, struct fleet_event *ret)
{
	if (f->naming && read_names(f, now, ret))
		return true;
	if (!f->naming && f->answered < f->n_named && !signals_stop()) {
		ret->kind = FLEET_NAME;
		ret->target = look_up_next(f);
		return true;
	}
	ret->kind = f->n_others > 0 ? FLEET_OTHER : now >= tick ? FLEET_TICK : FLEET_PROBE;
	if (f->n_others > 0)
		ret->other = f->others[--f->n_others];
	return ret->kind != FLEET_PROBE || pinger_step(&f->pinger, now, &ret->probe);
}

static void note_ready(struct fleet *f, const struct wait_event *e)
{
	if (pinger_owns(&f->pinger, e->key))
		pinger_ready(&f->pinger, e);
	else if (e->key == FLEET_NAMES_KEY)
		f->heard = true;
	else
		f->others[f->n_others++] = *e;
}

bool fleet_next(struct fleet *f, ns_t tick, struct fleet_event *ret)
{
	struct wait_event v[FLEET_READY];

	for (;;) {
		ns_t now = clock_mono();

		if (step(f, now, tick, ret))
			return true;
		if (ping_done(&f->pinger.ping, now) || signals_stop())
			return false;
		ns_t until = ns_min(pinger_deadline(&f->pinger), tick);
		size_t n = wait_next(&f->wait, f->naming ? ns_min(until, f->patience) : until, now, v, FLEET_READY);

		for (size_t i = 0; i < n; i++)
			note_ready(f, &v[i]);
		if (n == 0) { /* a deadline or a signal: who called may have something to do */
			ret->kind = FLEET_TICK;
			return true;
		}
	}
}
