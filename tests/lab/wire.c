/* SPDX-License-Identifier: MIT */
/*
 * A wire between two network namespaces that delays, loses, doubles, reorders and damages packets, and counts exactly
 * what it did: many kernels come without netem, and netem does not count.
 *
 *	wire NEAR FAR DEVICE
 *
 * NEAR and FAR are processes that hold a namespace each. DEVICE appears in both; addresses are the caller's business.
 * Each line on standard input is answered by one line of JSON: the counts until then; and, since the answer before it,
 * how long whoever came at any time had to wait at the bottleneck. A line of rules begins anew:
 * other rules, counts of zero, nothing on the way. Rules stand for both directions, behind the word `there` (near to
 * far) or `back` for that one. The wire ends with its input, and so with whoever started it.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/hist.h"
#include "core/ns.h"
#include "core/slice.h"
#include "core/units.h"
#include "rng.h"

/* From the kernel's headers, which a bare C library does not bring along. */
#define KERNEL_TUNSETIFF _IOW('T', 202, int)
#define KERNEL_TUN_BARE 0x1001 /* IFF_TUN | IFF_NO_PI: IP packets and nothing else */

#define PACKET_MAX 2048
#define ROOM 4096 /* packets on the way in one direction */
#define DROPS 64
#define HOLD_MAX (150 * NS_PER_MS)
#define AHEAD (80 * NS_PER_US) /* a sleep ends late by tens of microseconds: end it before, and watch the clock */
#define READS_AT_ONCE 64
#define LOOK_INTERVAL NS_PER_MS
#define LIFE_S 600

/* At most one of those from LOSS on befalls a packet, so that each count can be compared alone. */
enum rule { DELAY, JITTER, RATE, QUEUE, SEED, LOSS, DUPLICATE, REORDER, CORRUPT, MANGLE, RULES };

static const struct {
	const char *name;
	enum units_kind kind;
} rules[RULES] = {
	[DELAY] = { "delay", UNITS_DURATION },      /* from arrival to departure */
	[JITTER] = { "jitter", UNITS_DURATION },    /* up to so much more, evenly distributed */
	[RATE] = { "rate", UNITS_RATE },            /* of the bottleneck before the delay, in bits of IP packets */
	[QUEUE] = { "queue", UNITS_COUNT },         /* packets that find room there, with the one being sent; 0: all */
	[SEED] = { "seed", UNITS_COUNT },           /* with the number of a packet, decides all that befalls it */
	[LOSS] = { "loss", UNITS_RATIO },           /* also drop=3,4,5: exactly these, the first being 1 */
	[DUPLICATE] = { "duplicate", UNITS_RATIO }, /* one copy, right behind it */
	[REORDER] = { "reorder", UNITS_RATIO },     /* held back until the next one has left, at most HOLD_MAX */
	[CORRUPT] = { "corrupt", UNITS_RATIO },     /* one bit of the payload; no checksum fits */
	[MANGLE] = { "mangle", UNITS_RATIO },       /* two words of the payload change places; every checksum fits */
};

/*
 * Lost: by chance or by list. Overflowed: no room in the queue. Reordered: left after one that had come later (RFC
 * 4737), not counting copies and damaged ones. Delivered: copies too. Refused: by the kernel at the other end.
 */
enum count { SEEN, LOST, OVERFLOWED, DUPLICATED, REORDERED, CORRUPTED, MANGLED, DELIVERED, REFUSED, COUNTS };

static const char *const counts[COUNTS] = { "seen", "lost", "overflowed", "duplicated", "reordered", "corrupted",
	"mangled", "delivered", "refused" };

struct packet {
	ns_t due;     /* when it leaves */
	ns_t through; /* when the bottleneck is done with it */
	uint64_t k;   /* its number, from 1 */
	bool copy, damaged;
	size_t n;
	uint8_t p[PACKET_MAX];
};

struct way {
	int from, to; /* TUN devices */
	int64_t rule[RULES];
	uint64_t drop[DROPS], count[COUNTS];
	size_t drops;
	uint64_t highest;    /* that has left sound */
	ns_t busy_until;     /* the bottleneck */
	ns_t looked;         /* at how long that is */
	struct hist wait;
	struct packet *held; /* waits for the next one to pass it */
	struct packet *queue[ROOM]; /* by time of departure, first in, first out where that is equal */
	struct packet *spare[ROOM];
	size_t head, tail, spares;
	struct packet room[ROOM];
};

static struct way ways[2];

static ns_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (ns_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* No rules, no counts, and nothing on the way. */
static void begin(void)
{
	for (struct way *w = ways; w < ways + 2; w++) {
		w->drops = w->head = w->tail = 0;
		w->highest = 0;
		w->busy_until = w->looked = 0;
		memset(&w->wait, 0, sizeof(w->wait));
		w->held = NULL;
		memset(w->rule, 0, sizeof(w->rule));
		memset(w->count, 0, sizeof(w->count));
		for (w->spares = 0; w->spares < ROOM; w->spares++)
			w->spare[w->spares] = &w->room[w->spares];
	}
}

static void enqueue(struct way *w, struct packet *p)
{
	size_t i = w->tail++;

	for (; i != w->head && w->queue[(i - 1) % ROOM]->due > p->due; i--)
		w->queue[i % ROOM] = w->queue[(i - 1) % ROOM];
	w->queue[i % ROOM] = p;
}

static void release_held(struct way *w, ns_t due)
{
	w->held->due = due;
	enqueue(w, w->held);
	w->held = NULL;
}

static enum rule draw_fate(const struct way *w, uint64_t k, struct rng *chance)
{
	int64_t ppm = (int64_t)rng_below(chance, 1000000);
	enum rule fate = LOSS;

	for (size_t i = 0; i < w->drops; i++)
		if (w->drop[i] == k)
			return LOSS;
	for (; fate < RULES && ppm >= w->rule[fate]; fate++)
		ppm -= w->rule[fate];
	return fate;
}

/* A packet takes its time at the bottleneck after those before it. Return: false where it finds no room. */
static bool pass_bottleneck(struct way *w, struct packet *p)
{
	if (w->rule[RATE] == 0)
		return true;
	int64_t waiting = w->held && w->held->through > p->due;
	for (size_t i = w->head; i != w->tail; i++)
		waiting += w->queue[i % ROOM]->through > p->due;
	if (w->rule[QUEUE] > 0 && waiting >= w->rule[QUEUE])
		return false;
	w->busy_until = ns_max(w->busy_until, p->due) + (int64_t)p->n * 8 * NS_PER_S / w->rule[RATE];
	p->due = p->through = w->busy_until;
	return true;
}

/* Behind the headers of IP and of ICMP or UDP. */
static size_t payload_of(const struct packet *p)
{
	return (p->p[0] >> 4 == 6 ? 40 : (p->p[0] & 15u) * 4) + 8;
}

static bool flip_bit(struct packet *p, struct rng *chance)
{
	size_t at = payload_of(p);

	if (at >= p->n)
		return false;
	at += rng_below(chance, p->n - at);
	p->p[at] ^= (uint8_t)(1u << rng_below(chance, 8));
	return true;
}

/* Their sum stays what it is (RFC 1071 section 2). Return: false where there are no two, or they are the same. */
static bool swap_words(struct packet *p, struct rng *chance)
{
	size_t at = payload_of(p);
	uint8_t was[2];

	if (at + 4 > p->n)
		return false;
	uint8_t *a = p->p + at + 2 * rng_below(chance, (p->n - at) / 2 - 1), *b = a + 2;
	memcpy(was, a, 2);
	memcpy(a, b, 2);
	memcpy(b, was, 2);
	return memcmp(a, b, 2) != 0;
}

static void enqueue_copy(struct way *w, const struct packet *p)
{
	struct packet *copy = w->spare[--w->spares];

	*copy = *p;
	copy->copy = true;
	copy->through = 0; /* it comes from behind the bottleneck */
	enqueue(w, copy);
	w->count[DUPLICATED]++;
}

/* What befalls a packet depends on the rules and on its number alone. */
static void meet(struct way *w, struct packet *p)
{
	struct rng chance = rng_of((uint64_t)w->rule[SEED] << 33 | (uint64_t)(w - ways) << 32 | p->k);
	enum rule fate = draw_fate(w, p->k, &chance);

	if (fate == LOSS || w->spares < 2 || !pass_bottleneck(w, p)) {
		w->count[fate == LOSS ? LOST : OVERFLOWED]++;
		return;
	}
	w->spares--;
	p->due += w->rule[DELAY] + (ns_t)rng_below(&chance, (uint64_t)w->rule[JITTER] + 1);
	if (fate == REORDER && !w->held) {
		w->held = p;
		p->due += HOLD_MAX;
		return;
	}
	p->damaged = (fate == CORRUPT && flip_bit(p, &chance)) || (fate == MANGLE && swap_words(p, &chance));
	w->count[fate == CORRUPT ? CORRUPTED : MANGLED] += p->damaged;
	enqueue(w, p);
	if (fate == DUPLICATE)
		enqueue_copy(w, p);
	if (w->held)
		release_held(w, p->due);
}

/* To everybody: IPv6 looks for routers and listeners by itself, and that is no part of a measurement. */
static bool is_multicast(const struct packet *p)
{
	return p->p[0] >> 4 == 6 ? p->p[24] == 0xff : p->p[16] >> 4 == 0xe;
}

static bool arrive(struct way *w)
{
	struct packet *p = w->spare[w->spares - 1];
	ssize_t n = read(w->from, p->p, sizeof(p->p));

	if (n <= 0)
		return false;
	if (is_multicast(p))
		return true;
	p->n = (size_t)n;
	p->due = now();
	p->through = 0;
	p->copy = p->damaged = false;
	p->k = ++w->count[SEEN];
	meet(w, p);
	return true;
}

static void leave(struct way *w, struct packet *p)
{
	bool ok = write(w->to, p->p, p->n) == (ssize_t)p->n;

	w->count[ok ? DELIVERED : REFUSED]++;
	w->spare[w->spares++] = p;
	if (p->copy || p->damaged)
		return;
	if (p->k < w->highest)
		w->count[REORDERED]++;
	else
		w->highest = p->k;
}

static void send_due(struct way *w, ns_t at)
{
	if (w->held && w->held->due <= at)
		release_held(w, at);
	while (w->head != w->tail && w->queue[w->head % ROOM]->due <= at)
		leave(w, w->queue[w->head++ % ROOM]);
}

static void look_at_queue(struct way *w, ns_t at)
{
	if (w->rule[RATE] == 0 || at < w->looked + LOOK_INTERVAL)
		return;
	w->looked = at;
	hist_add(&w->wait, ns_max(w->busy_until - at, 0));
}

static double wait_ms(const struct way *w, unsigned per_mille)
{
	return w->wait.n > 0 ? (double)hist_quantile(&w->wait, per_mille) / (double)NS_PER_MS : 0;
}

static ns_t next_due(const struct way *w)
{
	ns_t due = w->held ? w->held->due : NS_NEVER;

	return w->head != w->tail ? ns_min(due, w->queue[w->head % ROOM]->due) : due;
}

static void tell(void)
{
	for (struct way *w = ways; w < ways + 2; w++) {
		printf(w == ways ? "{\"there\":{" : ",\"back\":{");
		for (size_t c = 0; c < COUNTS; c++)
			printf("\"%s\":%" PRIu64 ",", counts[c], w->count[c]);
		printf("\"on_the_way\":%zu,\"wait_p50_ms\":%.3f,\"wait_max_ms\":%.3f}",
			w->tail - w->head + (w->held != NULL), wait_ms(w, 500), wait_ms(w, 1000));
		memset(&w->wait, 0, sizeof(w->wait));
	}
	puts("}");
	fflush(stdout);
}

static bool read_drops(struct way *w, struct slice list)
{
	while (list.n > 0 && w->drops < DROPS)
		if (!slice_uint(slice_cut(&list, ','), &w->drop[w->drops++]))
			return false;
	return list.n == 0;
}

static bool read_rule(struct way *w, struct slice word)
{
	struct slice name = slice_cut(&word, '=');

	if (slice_is(name, "drop"))
		return read_drops(w, word);
	for (size_t r = 0; r < RULES; r++)
		if (slice_is(name, rules[r].name))
			return !units_read(word, rules[r].kind, 0, r < LOSS ? UINT32_MAX : 1000000, &w->rule[r]);
	return false;
}

static void read_rules(struct slice line)
{
	struct way *first = &ways[0], *last = &ways[1];

	while (line.n > 0) {
		struct slice word = slice_cut(&line, ' ');

		if (slice_is(word, "there"))
			first = last = &ways[0];
		else if (slice_is(word, "back"))
			first = last = &ways[1];
		else if (word.n > 0)
			for (struct way *w = first; w <= last; w++)
				if (!read_rule(w, word))
					errx(2, "'%.*s' is no rule", (int)word.n, word.p);
	}
}

/* Return: false at the end of the input. */
static bool obey(void)
{
	char line[1024];

	if (!fgets(line, sizeof(line), stdin))
		return false;
	tell();
	struct slice s = slice_trim((struct slice){ line, strcspn(line, "\n") });
	if (s.n > 0) {
		begin();
		read_rules(s);
	}
	return true;
}

static int open_end(const char *pid, const char *device)
{
	struct ifreq r = { .ifr_flags = KERNEL_TUN_BARE };
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	int ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) != 0)
		err(2, "cannot enter %s", path);
	close(ns);
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", device);
	if (fd < 0 || ioctl(fd, KERNEL_TUNSETIFF, &r) != 0)
		err(2, "cannot make the device %s by /dev/net/tun", device);
	return fd;
}

static void wait_for_input(struct pollfd v[static 3])
{
	ns_t due = ns_min(next_due(&ways[0]), next_due(&ways[1]));
	ns_t left = ns_max(0, due == NS_NEVER ? NS_PER_S : due - now() - AHEAD);
	struct timespec t = { .tv_sec = (time_t)(left / NS_PER_S), .tv_nsec = (long)(left % NS_PER_S) };

	if (ppoll(v, 3, &t, NULL) < 0)
		err(1, "ppoll");
	if ((v[1].revents | v[2].revents) & POLLERR)
		errx(1, "a namespace is gone");
}

int main(int argc, char **argv)
{
	if (argc != 4)
		errx(2, "usage: wire NEAR-PID FAR-PID DEVICE; rules come by standard input");
	ways[0].from = ways[1].to = open_end(argv[1], argv[3]);
	ways[1].from = ways[0].to = open_end(argv[2], argv[3]);
	begin();
	/* In time on a busy machine too, where that is permitted; musl has no function that does it. */
	syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &(int){ 1 });
	alarm(LIFE_S);
	struct pollfd v[3] = { { 0, POLLIN, 0 }, { ways[0].from, POLLIN, 0 }, { ways[1].from, POLLIN, 0 } };
	do {
		wait_for_input(v);
		for (size_t i = 0; i < 2; i++) {
			for (int left = READS_AT_ONCE; left > 0 && arrive(&ways[i]); left--)
				;
			send_due(&ways[i], now());
			look_at_queue(&ways[i], now());
		}
	} while (!v[0].revents || obey());
	return 0;
}
