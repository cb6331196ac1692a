/* SPDX-License-Identifier: MIT */
#include "core/dns.h"

#include <string.h>

#include "core/wire.h"

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_PTR = 12, TYPE_AAAA = 28, CLASS_IN = 1 };
enum { HEADER_LEN = 12, NAME_MAX = 253, LABEL_MAX = 63, POINTER = 0xc0 };
enum { RESPONSE = 0x80, OPCODE = 0x78, TRUNCATED = 0x02, RCODE = 0x0f, RCODE_NO_NAME = 3 };

/* More aliases in a row than anybody has, and the bound of a circle of them. */
#define ALIASES_MAX 16

#define BLANKS " \t\r"

/* The 255 bytes of RFC 1035 section 2.3.4 and a NUL. Lengths of labels are no letters: it compares as text does. */
struct name {
	char p[256];
	size_t n;
};

enum step { STEP_DONE, STEP_ALIAS, STEP_BROKEN };

static struct slice without_last_dot(struct slice name)
{
	name.n -= slice_ends_nocase(name, SLICE("."));
	return name;
}

static bool write_query(struct dns_query *q, struct slice name, uint8_t type, uint16_t id)
{
	const uint8_t header[HEADER_LEN + 1] = { (uint8_t)(id >> 8), (uint8_t)id, [2] = 1, [5] = 1, [12] = '.' };
	const uint8_t tail[] = { 0, 0, type, 0, CLASS_IN };
	uint8_t *at = q->p + HEADER_LEN;
	size_t len = 0;

	name = without_last_dot(name);
	if (name.n > NAME_MAX)
		return false;
	memcpy(q->p, header, sizeof(header));
	memcpy(at + 1, name.p, name.n);
	memcpy(at + 1 + name.n, tail, sizeof(tail));
	q->n = sizeof(header) + name.n + sizeof(tail);
	for (size_t i = name.n + 1; i-- > 0; len++) { /* a dot makes room for the length of what is behind it */
		if (at[i] != '.')
			continue;
		if (len == 0 || len > LABEL_MAX)
			return false;
		at[i] = (uint8_t)len;
		len = SIZE_MAX;
	}
	return true;
}

bool dns_query_init(struct dns_query *q, struct slice name, int family, uint16_t id)
{
	return write_query(q, name, family == 6 ? TYPE_AAAA : TYPE_A, id);
}

void dns_query_back(struct dns_query *q, const struct addr *a, uint16_t id)
{
	char name[16 * 4 + sizeof("ip6.arpa")];
	struct text t;

	text_init(&t, name, sizeof(name));
	for (size_t i = a->family == 4 ? 4 : 16; i-- > 0; text_char(&t, '.')) {
		if (a->family == 4) {
			text_uint(&t, a->ip[i]);
			continue;
		}
		text_digits(&t, a->ip[i] & 15, 16, 1);
		text_char(&t, '.');
		text_digits(&t, a->ip[i] >> 4, 16, 1);
	}
	text_str(&t, a->family == 4 ? "in-addr.arpa" : "ip6.arpa");
	write_query(q, text_view(&t), TYPE_PTR, id);
}

/* A pointer must lead to before the labels it ends, so that none can be met twice. */
static bool read_name(struct rd *r, const uint8_t *start, struct name *ret)
{
	struct rd at = *r;
	struct rd *end = r;
	size_t from = (size_t)(at.p - start);
	uint8_t len;
	struct text t;

	text_init(&t, ret->p, sizeof(ret->p));
	do {
		len = rd_u8(&at);
		if (len >= POINTER) {
			size_t to = (size_t)(len - POINTER) << 8 | rd_u8(&at);

			if (at.bad || to >= from)
				return false;
			if (end)
				*end = at;
			end = NULL;
			from = to;
			at.p = start + to;
			continue;
		}
		const uint8_t *label = rd_take(&at, len);

		if (!label || len > LABEL_MAX)
			return false;
		text_slice(&t, (struct slice){ (const char *)label - 1, len + 1u });
	} while (len > 0 && !t.cut);
	if (end)
		*end = at;
	ret->n = t.len;
	return !t.cut;
}

static bool same(const void *a, const void *b, size_t n)
{
	return slice_eq_nocase((struct slice){ a, n }, (struct slice){ b, n });
}

static bool write_name(struct text *t, const struct name *name)
{
	for (size_t at = 0; name->p[at] != 0; at += 1u + (size_t)name->p[at]) {
		struct slice label = { name->p + at + 1, (size_t)name->p[at] };

		if (at > 0)
			text_char(t, '.');
		for (; label.n > 0; slice_skip(&label, 1)) {
			uint8_t c = (uint8_t)label.p[0];
			bool blank = c <= ' ' || c == 0x7f;

			if (blank || c == '.' || c == '\\')
				text_char(t, '\\');
			if (blank)
				text_digits(t, c, 10, 3);
			else
				text_char(t, (char)c);
		}
	}
	return t->len > 0 && !t->cut;
}

/* A record of the type that was asked for. Return: false where it is broken. */
static bool add(struct dns_list *found, uint8_t type, struct rd data, const uint8_t *start)
{
	size_t n = rd_left(&data);
	struct name name;
	struct text t;

	if (type == TYPE_PTR) {
		if (!read_name(&data, start, &name))
			return false;
		text_init(&t, found->name, sizeof(found->name));
		found->n += write_name(&t, &name);
	} else if (n == (type == TYPE_A ? 4 : 16)) {
		struct addr *a = &found->v[found->n++];

		*a = (struct addr){ .family = n == 4 ? 4 : 6 };
		memcpy(a->ip, data.p, n);
	}
	return true;
}

/* Add what @name has from the records at @r; or where it is an alias, put the other name in its place. */
static enum step walk(const struct dns_query *q, struct rd r, struct name *name, struct dns_list *found)
{
	const uint8_t *start = r.p - q->n;
	uint8_t type = q->p[q->n - 3];
	uint32_t wanted = (uint32_t)type << 16 | CLASS_IN;
	size_t most = found->n + (type == TYPE_PTR ? 1 : DNS_ANSWER_MAX);
	struct name owner;

	for (unsigned left = (unsigned)start[6] << 8 | start[7]; left > 0; left--) {
		if (!read_name(&r, start, &owner))
			return STEP_BROKEN;
		uint32_t kind = rd_u32(&r);

		rd_u32(&r); /* how long it may be kept */
		uint16_t n = rd_u16(&r);
		const uint8_t *data = rd_take(&r, n);

		if (!data)
			return STEP_BROKEN;
		if (owner.n != name->n || !same(owner.p, name->p, name->n))
			continue;
		if (kind == (TYPE_CNAME << 16 | CLASS_IN)) {
			struct rd alias = rd_of(data, n);

			return read_name(&alias, start, name) ? STEP_ALIAS : STEP_BROKEN;
		}
		if (kind == wanted && found->n < most && !add(found, type, rd_of(data, n), start))
			return STEP_BROKEN;
	}
	return STEP_DONE;
}

enum dns_reply dns_parse(const struct dns_query *q, const uint8_t *p, size_t n, struct dns_list *found)
{
	size_t before = found->n;
	enum step step = STEP_ALIAS;
	struct name name;

	if (n < q->n || memcmp(p, q->p, 2) != 0 || (p[2] & (RESPONSE | OPCODE)) != RESPONSE ||
		memcmp(p + 4, q->p + 4, 2) != 0 || !same(p + HEADER_LEN, q->p + HEADER_LEN, q->n - HEADER_LEN))
		return DNS_NOT_OURS;
	if ((p[3] & RCODE) != 0)
		return (p[3] & RCODE) == RCODE_NO_NAME ? DNS_NO_NAME : DNS_FAILED;

	struct rd r = rd_of(p + HEADER_LEN, n - HEADER_LEN);

	read_name(&r, p, &name);
	r.p = p + q->n;
	for (size_t aliases = 0; step == STEP_ALIAS && aliases <= ALIASES_MAX; aliases++) {
		found->n = before;
		step = walk(q, r, &name, found);
	}
	if ((p[2] & TRUNCATED) && step != STEP_ALIAS)
		return DNS_TRUNCATED;
	if (step == STEP_DONE)
		return DNS_ANSWER;
	found->n = before;
	return step == STEP_ALIAS ? DNS_FAILED : DNS_NOT_OURS;
}

static struct slice next_word(struct slice *line)
{
	slice_while(line, BLANKS);
	return slice_until(line, BLANKS);
}

static bool has_word(struct slice line, struct slice name)
{
	struct slice word;

	do
		word = next_word(&line);
	while (word.n > 0 && !slice_eq_nocase(word, name));
	return word.n > 0;
}

void dns_hosts(struct slice text, struct slice name, int family, struct dns_list *found)
{
	name = without_last_dot(name);
	if (slice_eq_nocase(name, SLICE("localhost")) || slice_ends_nocase(name, SLICE(".localhost"))) {
		text = SLICE("::1 localhost\n127.0.0.1 localhost");
		name = SLICE("localhost");
	}
	while (text.n > 0 && found->n < sizeof(found->v) / sizeof(found->v[0])) {
		struct slice whole = slice_cut(&text, '\n'), line = slice_cut(&whole, '#');
		struct addr *a = &found->v[found->n];

		if (addr_parse(next_word(&line), a) && (family == 0 || a->family == family) && has_word(line, name))
			found->n++;
	}
}

struct slice dns_hosts_back(struct slice text, const struct addr *a)
{
	struct addr found;

	while (text.n > 0) {
		struct slice whole = slice_cut(&text, '\n'), line = slice_cut(&whole, '#');

		if (!addr_parse(next_word(&line), &found) || !addr_same_host(&found, a))
			continue;
		struct slice name = next_word(&line);

		if (name.n > 0 && name.n < DNS_TEXT_MAX)
			return name;
	}
	return SLICE("");
}

static void read_server(struct dns_conf *c, struct slice word)
{
	struct addr *a = &c->servers[c->n_servers];

	if (c->n_servers == DNS_SERVERS_MAX || !addr_parse(word, a))
		return;
	a->port = DNS_PORT;
	c->n_servers++;
}

static void read_option(struct dns_conf *c, struct slice word)
{
	static const struct {
		char name[9];
		uint8_t at, least, most;
	} rows[] = {
		{ "ndots", offsetof(struct dns_conf, ndots), 0, 15 },
		{ "timeout", offsetof(struct dns_conf, timeout_s), 1, 30 },
		{ "attempts", offsetof(struct dns_conf, attempts), 1, 5 },
	};
	struct slice name = slice_cut(&word, ':');
	uint64_t v;

	if (!slice_uint(word, &v))
		return;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t least = rows[i].least, most = rows[i].most;

		if (slice_is(name, rows[i].name))
			((uint8_t *)c)[rows[i].at] = (uint8_t)(v < least ? least : v > most ? most : v);
	}
}

void dns_conf_parse(struct slice text, struct dns_conf *ret)
{
	*ret = (struct dns_conf){ .ndots = 1, .timeout_s = 5, .attempts = 2 };
	while (text.n > 0) {
		struct slice line = slice_cut(&text, '\n'), key = next_word(&line);

		if (slice_is(key, "nameserver"))
			read_server(ret, next_word(&line));
		else if (slice_is(key, "search") || slice_is(key, "domain"))
			ret->search = line; /* the last of them holds */
		else if (slice_is(key, "options"))
			while (line.n > 0)
				read_option(ret, next_word(&line));
	}
	if (ret->n_servers == 0)
		read_server(ret, SLICE("127.0.0.1"));
}

bool dns_candidate(const struct dns_conf *c, struct slice name, size_t i, struct text *t)
{
	bool absolute = slice_ends_nocase(name, SLICE("."));
	struct slice line = c->search, domain;
	size_t dots = 0;

	for (size_t at = 0; at < name.n; at++)
		dots += name.p[at] == '.';
	bool as_it_is_first = absolute || dots >= c->ndots;

	text_slice(t, name);
	if (as_it_is_first && i-- == 0)
		return true;
	do
		domain = next_word(&line);
	while (domain.n > 0 && i-- > 0);
	if (domain.n == 0 || absolute)
		return !as_it_is_first && i == 0;
	text_char(t, '.');
	text_slice(t, domain);
	return true;
}
