/* SPDX-License-Identifier: MIT */
#include "run/survey.h"

#include <stdarg.h>
#include <string.h>

#include "core/json.h"
#include "core/text_put.h"
#include "core/units.h"
#include "run/survey_ask.h"
#include "run/survey_listing.h"

/* As much of a listing as is looked at: some two thousand files. */
static char page[256 << 10];

/* Who takes an upload says so in a few words; a longer answer to a POST is something else. */
#define RECEIPT_MAX (16 << 10)

/* Nothing is known yet of what is at s->path. */
static void forget(struct survey *s)
{
	s->kind = SERVER_UNKNOWN;
	s->dialect = &dialect_file;
	s->file_size = UNKNOWN;
	s->worth = s->too_small = false;
	s->software[0] = s->reason[0] = '\0';
}

bool survey_open(struct survey *s, struct fault *why)
{
	const struct target *t = &s->cfg.target;
	uint16_t port = t->port > 0 ? t->port : t->scheme == TARGET_HTTP ? 80 : 0;

	s->fetch.origin = s->cfg.origin;
	s->fetch.timeout = s->cfg.timeout;
	s->redirects = 0;
	forget(s);
	survey_copy(s->host, sizeof(s->host), t->host);
	survey_copy(s->path, sizeof(s->path), s->cfg.path.n > 0 ? s->cfg.path : t->path);
	return fetch_open(&s->fetch, why) && survey_connect(s, t->host, port, why);
}

void survey_close(struct survey *s)
{
	fetch_close(&s->fetch);
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

static void take(struct survey *s, const struct dialect *d)
{
	s->kind = d->kind;
	s->dialect = d;
	s->worth = true;
}

static bool look_for_sonde(struct survey *s, struct fault *why, bool *ret_found)
{
	struct text doc;
	struct slice name, version;

	*ret_found = false;
	text_init(&doc, page, sizeof(page));
	if (!survey_ask(s, EXCHANGE_GET, "/info", 0, &doc, why))
		return false;
	if (fetch_exchange(&s->fetch)->status != 200 || !json_find_string(text_view(&doc), "name", &name) ||
		!slice_eq(name, SLICE("sonde")) || !json_find_string(text_view(&doc), "version", &version))
		return true;
	struct text t;

	text_init(&t, s->software, sizeof(s->software));
	text_str(&t, "sonde ");
	text_safe(&t, version);
	take(s, &dialect_sonde);
	*ret_found = true;
	s->path[0] = '\0';
	survey_copy(s->up_path, sizeof(s->up_path), slice_of(dialect_sonde.up));
	survey_copy(s->small, sizeof(s->small), slice_of(dialect_sonde.small));
	return true;
}

/* A path below the folder that @beside is in. Return: whether it fits. */
static bool put_path(const char *beside, const char *prefix, const char *word, char out[URL_MAX + 1])
{
	struct slice rest = slice_of(beside), folder = slice_cut(&rest, '?');
	struct text t;

	while (folder.n > 0 && folder.p[folder.n - 1] != '/')
		folder.n--;
	text_init(&t, out, URL_MAX + 1);
	text_slice(&t, slice_head(folder, folder.n > 0 ? folder.n - 1 : 0));
	text_str(&t, prefix);
	text_str(&t, word);
	return !t.cut;
}

/* The best of its downloads that is there; s->path is left alone where there is none. */
static bool look_for_download(struct survey *s, const struct dialect *d, struct fault *why, bool *ret_found)
{
	static char path[URL_MAX + 1];
	struct dialect_answer a = { .status = 1 };

	*ret_found = false;
	for (size_t i = 0; slice_word(d->down, i)[0] != '\0' && a.status != 0 && !*ret_found; i++) {
		if (!put_path(s->small, "", slice_word(d->down, i), path))
			continue;
		if (!survey_taste(s, path, &a, why))
			return false;
		*ret_found = dialect_serves(d, &a);
	}
	if (*ret_found) {
		s->file_size = a.length < INT64_MAX ? (int64_t)a.length : UNKNOWN;
		survey_copy(s->path, sizeof(s->path), slice_of(path));
	}
	return true;
}

/* What answered as a @d would: is it one? */
static bool look_closer(struct survey *s, const struct dialect *d, struct fault *why, bool *ret_found)
{
	const struct exchange *x = fetch_exchange(&s->fetch);
	bool there;

	if (!look_for_download(s, d, why, &there))
		return false;
	*ret_found = (there || d->says) && put_path(s->small, "", d->up, s->up_path);
	if (!*ret_found)
		return true;
	take(s, d);
	s->worth = there;
	if (!there)
		say(s, "nothing to measure: none of the images that a server of this kind has is there");
	survey_copy(s->software, sizeof(s->software), slice_of(x->server));
	return true;
}

/* One small request for each kind; a server that does not answer one properly is not asked for more. */
static bool look_for_others(struct survey *s, struct fault *why, bool *ret_found)
{
	struct dialect_answer a = { .status = 1 };

	*ret_found = false;
	for (const struct dialect *d = dialects; d->kind != SERVER_UNKNOWN && a.status != 0 && !*ret_found; d++) {
		if (!put_path(s->path, d->prefix, d->small, s->small))
			continue;
		if (!survey_taste(s, s->small, &a, why))
			return false;
		if (dialect_is(d, &a) && !look_closer(s, d, why, ret_found))
			return false;
	}
	return true;
}

/* The size of the file at s->path, by HEAD; a server that does not know HEAD is taken at its word later. */
static bool look_at_file(struct survey *s, struct fault *why)
{
	const struct exchange *x = fetch_exchange(&s->fetch);

	s->kind = SERVER_FILE;
	if (!survey_ask_following(s, EXCHANGE_HEAD, NULL, why))
		return false;
	survey_copy(s->software, sizeof(s->software), slice_of(x->server));
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
	say(s, "nothing to measure: %s%s; put a large one there (head -c 1G /dev/urandom > test.bin), "
	       "or run sonde serve there",
		t.len > 0 ? "the largest file there has only " : "there is no file to download", size);
}

/* What a folder shows: a listing, a page, or a file after all. */
static void judge_page(struct survey *s, struct slice html)
{
	const struct exchange *x = fetch_exchange(&s->fetch);

	s->kind = SERVER_FILE;
	survey_copy(s->software, sizeof(s->software), slice_of(x->server));
	if (x->status != 200) {
		say(s, "nothing to measure: the server answered %d %s", (int64_t)x->status, x->reason);
		return;
	}
	if (slice_starts(slice_of(x->type), SLICE("text/html")))
		survey_listing(s, html);
	else
		s->file_size = (int64_t)x->body.received;
	judge_listing(s);
}

static bool names_a_folder(struct slice path)
{
	struct slice name = slice_cut(&path, '?');

	return name.n == 0 || name.p[name.n - 1] == '/';
}

/* Where a redirect leads from there may be another folder, with a test server in it. */
static bool look_at_folder(struct survey *s, struct fault *why)
{
	struct text html;
	bool found = false;

	forget(s);
	if (s->path[0] == '\0')
		survey_copy(s->path, sizeof(s->path), SLICE("/"));
	if (strcmp(s->path, "/") == 0 && !look_for_sonde(s, why, &found))
		return false;
	text_init(&html, page, sizeof(page));
	for (int i = 0; i < 2 && !found; i++) {
		unsigned before = s->redirects;

		if (!look_for_others(s, why, &found))
			return false;
		if (!found && !survey_ask_following(s, EXCHANGE_GET, &html, why))
			return false;
		if (s->redirects == before || !names_a_folder(slice_of(s->path)))
			break;
	}
	if (!found)
		judge_page(s, text_view(&html));
	return true;
}

bool survey_look(struct survey *s, struct fault *why)
{
	bool folder = names_a_folder(slice_of(s->path));

	if (!folder && !look_at_file(s, why))
		return false;
	/* A folder that was named without its slash redirects to the name with it. */
	if (names_a_folder(slice_of(s->path)) && !look_at_folder(s, why))
		return false;
	if (s->kind == SERVER_FILE) {
		survey_copy(s->up_path, sizeof(s->up_path), slice_of(s->path));
		survey_copy(s->small, sizeof(s->small), slice_of(s->path));
	}
	return true;
}

/*
 * The script that most of these servers have counts the fields of a form, and 500 for a head: of a body that is no form
 * it says too much, here of the single byte. Then nobody counts but us.
 */
static void judge_receipt(struct survey *s, struct slice body)
{
	uint64_t n;

	if (!dialect_receipt(s->dialect->receipt, body, &n) || n <= 1)
		return;
	s->uncounted = *s->dialect;
	s->uncounted.receipt = RECEIPT_NONE;
	s->dialect = &s->uncounted;
}

static enum flow_status try_post(struct survey *s, char reason[FLOW_REASON_MAX])
{
	struct fault why;
	struct text t, receipt;
	const struct exchange *x = fetch_exchange(&s->fetch);

	text_init(&t, reason, FLOW_REASON_MAX);
	text_init(&receipt, page, sizeof(page));
	if (!survey_ask(s, EXCHANGE_POST, s->up_path, 1, &receipt, &why)) {
		text_str(&t, why.text);
		return FLOW_FAILED;
	}
	if (x->status / 100 == 2 && x->body.received > RECEIPT_MAX) {
		text_str(&t, "the server answers a POST with a file, as if it had been asked for it");
		return FLOW_UNSUPPORTED;
	}
	if (x->status / 100 == 2) {
		judge_receipt(s, text_view(&receipt));
		return FLOW_OK;
	}
	text_put(&t, "the server answered %d %s to a POST", (int64_t)x->status, x->reason);
	return x->status >= 500 && x->status != 501 ? FLOW_FAILED : FLOW_UNSUPPORTED;
}

enum flow_status survey_try_upload(struct survey *s, char reason[FLOW_REASON_MAX])
{
	enum flow_status status = try_post(s, reason);
	const struct dialect *d = s->dialect;

	for (size_t i = 1; status == FLOW_UNSUPPORTED && fetch_exchange(&s->fetch)->status == 404 && d->up; i++) {
		if (slice_word(d->up, i)[0] == '\0' || !put_path(s->small, "", slice_word(d->up, i), s->up_path))
			break;
		status = try_post(s, reason);
	}
	return status;
}

bool survey_info(struct survey *s, struct survey_info *ret)
{
	struct text doc;
	struct fault ignored;
	uint64_t us, seconds;

	struct slice word;
	struct text t;

	*ret = (struct survey_info){ .cpu = UNKNOWN, .body_time = UNKNOWN };
	text_init(&doc, page, sizeof(page));
	if (s->kind != SERVER_SONDE || !survey_ask(s, EXCHANGE_GET, "/info", 0, &doc, &ignored))
		return false;
	if (json_find_uint(text_view(&doc), "cpu_us", &us) && us < NS_NEVER / NS_PER_US)
		ret->cpu = (ns_t)us * NS_PER_US;
	if (json_find_uint(text_view(&doc), "body_seconds_max", &seconds) && seconds > 0 && seconds < NS_NEVER / NS_PER_S)
		ret->body_time = (ns_t)seconds * NS_PER_S;
	if (json_find_string(text_view(&doc), "congestion_control", &word)) {
		text_init(&t, ret->congestion, sizeof(ret->congestion));
		text_safe(&t, word);
	}
	return true;
}
