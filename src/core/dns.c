/* SPDX-License-Identifier: MIT */
#include "core/dns.h"

#include <string.h>

#include "core/wire.h"

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, CLASS_IN = 1 };
enum { HEADER_LEN = 12, QUESTION_TAIL = 5, NAME_MAX = 253, LABEL_MAX = 63, POINTER = 0xc0 };
enum { FLAG_RESPONSE = 0x8000, OPCODE = 0x7800, FLAG_TRUNCATED = 0x0200, RCODE = 0x000f, RCODE_NO_NAME = 3 };

/* More aliases in a row than anybody has, and the bound of a circle of them. */
#define ALIASES_MAX 16

/* The 255 bytes of RFC 1035 section 2.3.4 and a NUL. Lengths of labels are no letters: it compares as text does. */
struct name {
	char p[256];
	size_t n;
};

struct record {
	struct name owner;
	uint16_t type, class, n;
	const uint8_t *data;
};

struct response {
	const uint8_t *start;
	struct rd records;
	uint16_t count, type;
	bool broken;
};

static struct slice without_last_dot(struct slice name)
{
	return slice_head(name, name.n - (name.n > 0 && name.p[name.n - 1] == '.'));
}

size_t dns_query(struct slice name, int family, uint16_t id, uint8_t out[static DNS_QUERY_MAX])
{
	const uint8_t header[HEADER_LEN] = { (uint8_t)(id >> 8), (uint8_t)id, [2] = 1, [5] = 1 };
	const uint8_t tail[QUESTION_TAIL] = { 0, 0, family == 6 ? TYPE_AAAA : TYPE_A, 0, CLASS_IN };
	uint8_t *at = out + sizeof(header);
	bool more;

	name = without_last_dot(name);
	if (name.n > NAME_MAX)
		return 0;
	memcpy(out, header, sizeof(header));
	do {
		more = slice_has(name, '.');
		struct slice label = slice_cut(&name, '.');

		if (label.n == 0 || label.n > LABEL_MAX)
			return 0;
		*at++ = (uint8_t)label.n;
		memcpy(at, label.p, label.n);
		at += label.n;
	} while (more);
	memcpy(at, tail, sizeof(tail));
	return (size_t)(at - out) + sizeof(tail);
}

/* A pointer must lead to before the labels it ends, so that none can be met twice. */
static bool read_name(struct rd *r, const uint8_t *start, struct name *ret)
{
	struct rd at = *r;
	size_t from = (size_t)(at.p - start);
	bool jumped = false;
	uint8_t len;
	struct text t;

	text_init(&t, ret->p, sizeof(ret->p));
	do {
		len = rd_u8(&at);
		if (len >= POINTER) {
			size_t to = (size_t)(len - POINTER) << 8 | rd_u8(&at);

			if (at.bad || to >= from)
				return false;
			if (!jumped)
				*r = at;
			jumped = true;
			from = to;
			at.p = start + to;
			continue;
		}
		const uint8_t *label = rd_take(&at, len);

		if (!label || len > LABEL_MAX)
			return false;
		text_char(&t, (char)len);
		text_slice(&t, (struct slice){ (const char *)label, len });
	} while (len > 0 && !t.cut);
	if (!jumped)
		*r = at;
	ret->n = t.len;
	return !t.cut;
}

static bool same_name(const struct name *a, const struct name *b)
{
	return slice_eq_nocase((struct slice){ a->p, a->n }, (struct slice){ b->p, b->n });
}

static bool read_record(struct rd *r, const uint8_t *start, struct record *ret)
{
	if (!read_name(r, start, &ret->owner))
		return false;
	ret->type = rd_u16(r);
	ret->class = rd_u16(r);
	rd_u32(r); /* how long it may be kept */
	ret->n = rd_u16(r);
	ret->data = rd_take(r, ret->n);
	return !r->bad;
}

/* Collect the addresses of @name; or where it is an alias, put the other name in its place and return true. */
static bool walk(struct response *m, struct name *name, struct addr *v, size_t cap, size_t *ret_n)
{
	struct rd r = m->records;
	size_t size = m->type == TYPE_AAAA ? 16 : 4;
	struct record rec;

	*ret_n = 0;
	for (size_t i = 0; i < m->count && !m->broken; i++) {
		m->broken = !read_record(&r, m->start, &rec);
		if (m->broken || rec.class != CLASS_IN || !same_name(&rec.owner, name))
			continue;
		if (rec.type == TYPE_CNAME) {
			struct rd data = rd_of(rec.data, rec.n);

			m->broken = !read_name(&data, m->start, name) || rd_left(&data) > 0;
			return !m->broken;
		}
		if (rec.type == m->type && rec.n == size && *ret_n < cap) {
			struct addr *a = &v[(*ret_n)++];

			*a = (struct addr){ .family = size == 16 ? 6 : 4 };
			memcpy(a->ip, rec.data, size);
		}
	}
	return false;
}

static enum dns_reply read_answer(struct response *m, bool truncated, struct addr *v, size_t cap, size_t *ret_n)
{
	struct rd question = { m->start + HEADER_LEN, m->records.p, false };
	struct name name;
	size_t aliases = 0;

	read_name(&question, m->start, &name);
	while (walk(m, &name, v, cap, ret_n))
		if (++aliases > ALIASES_MAX)
			return DNS_FAILED;
	if (truncated)
		return DNS_TRUNCATED;
	if (!m->broken)
		return DNS_ANSWER;
	*ret_n = 0;
	return DNS_NOT_OURS;
}

enum dns_reply dns_parse(const uint8_t *query, size_t query_n, const void *p, size_t n, struct addr *v, size_t cap,
	size_t *ret_n)
{
	struct rd r = rd_of(p, n);
	struct rd q = rd_of(query, query_n);
	bool same_id = rd_u16(&r) == rd_u16(&q);
	uint16_t flags = rd_u16(&r), questions = rd_u16(&r);
	struct response m = { .start = p, .count = rd_u16(&r), .type = query[query_n - 3] };
	size_t question_n = query_n - HEADER_LEN;

	*ret_n = 0;
	rd_u32(&r);
	const char *question = (const char *)rd_take(&r, question_n);

	if (!question || !same_id || (flags & (FLAG_RESPONSE | OPCODE)) != FLAG_RESPONSE || questions != 1)
		return DNS_NOT_OURS;
	if (!slice_eq_nocase((struct slice){ question, question_n },
		    (struct slice){ (const char *)query + HEADER_LEN, question_n }))
		return DNS_NOT_OURS;
	if ((flags & RCODE) != 0)
		return (flags & RCODE) == RCODE_NO_NAME ? DNS_NO_NAME : DNS_FAILED;
	m.records = r;
	return read_answer(&m, flags & FLAG_TRUNCATED, v, cap, ret_n);
}

bool dns_is_localhost(struct slice name)
{
	name = without_last_dot(name);
	return slice_eq_nocase(name, SLICE("localhost")) || slice_ends_nocase(name, SLICE(".localhost"));
}

static struct slice next_word(struct slice *line)
{
	slice_while(line, " \t\r");
	return slice_until(line, " \t\r");
}

static bool has_word(struct slice line, struct slice name)
{
	struct slice word = next_word(&line);

	while (word.n > 0 && !slice_eq_nocase(word, name))
		word = next_word(&line);
	return word.n > 0;
}

size_t dns_hosts(struct slice text, struct slice name, int family, struct addr *v, size_t cap)
{
	size_t n = 0;

	name = without_last_dot(name);
	while (text.n > 0 && n < cap) {
		struct slice whole = slice_cut(&text, '\n'), line = slice_cut(&whole, '#');
		struct addr a;

		if (addr_parse(next_word(&line), &a) && (family == 0 || a.family == family) && has_word(line, name))
			v[n++] = a;
	}
	return n;
}

static void read_server(struct dns_conf *c, struct slice word)
{
	struct addr *a = &c->servers[c->n_servers];

	if (c->n_servers == DNS_SERVERS_MAX || !addr_parse(word, a))
		return;
	a->port = DNS_PORT;
	c->n_servers++;
}

static void read_search(struct dns_conf *c, struct slice line)
{
	struct slice word = next_word(&line);

	for (c->n_search = 0; word.n > 0 && c->n_search < DNS_SEARCH_MAX; word = next_word(&line))
		c->search[c->n_search++] = word;
}

static unsigned within(uint64_t v, unsigned lo, unsigned hi)
{
	return v < lo ? lo : v > hi ? hi : (unsigned)v;
}

static void read_option(struct dns_conf *c, struct slice word)
{
	struct slice name = slice_cut(&word, ':');
	uint64_t v;

	if (!slice_uint(word, &v))
		return;
	if (slice_is(name, "ndots"))
		c->ndots = within(v, 0, 15);
	else if (slice_is(name, "timeout"))
		c->timeout_s = within(v, 1, 30);
	else if (slice_is(name, "attempts"))
		c->attempts = within(v, 1, 5);
}

void dns_conf_parse(struct slice text, struct dns_conf *ret)
{
	*ret = (struct dns_conf){ .ndots = 1, .timeout_s = 5, .attempts = 2 };
	while (text.n > 0) {
		struct slice line = slice_cut(&text, '\n'), key = next_word(&line);

		if (slice_is(key, "nameserver"))
			read_server(ret, next_word(&line));
		else if (slice_is(key, "search") || slice_is(key, "domain")) /* the last of them holds */
			read_search(ret, line);
		else if (slice_is(key, "options"))
			for (struct slice word = next_word(&line); word.n > 0; word = next_word(&line))
				read_option(ret, word);
	}
	if (ret->n_servers == 0)
		read_server(ret, SLICE("127.0.0.1"));
}
