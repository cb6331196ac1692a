/* SPDX-License-Identifier: MIT */
#include "core/fault.h"

#include <string.h>

#define OBJECT_MAX 80

/* Character by character, so that the cut falls between two of them and counts what is shown. */
static void put_object(struct text *t, struct slice s)
{
	size_t start = t->len;

	while (s.n > 0 && t->len - start < OBJECT_MAX) {
		size_t n = slice_utf8(s);

		n = n > 0 ? n : 1;
		text_safe(t, slice_head(s, n));
		s = slice_from(s, n);
	}
	if (s.n > 0)
		text_str(t, "...");
}

bool fault_set(struct fault *f, enum fault_kind kind, const char *what, struct slice object, const char *why)
{
	struct text t;

	memset(f, 0, sizeof(*f));
	f->kind = kind;
	text_init(&t, f->text, sizeof(f->text));
	text_str(&t, what);
	if (object.n > 0) {
		text_str(&t, " '");
		put_object(&t, object);
		text_char(&t, '\'');
	}
	if (why && why[0] != ':')
		text_char(&t, ' ');
	if (why)
		text_str(&t, why);
	return false;
}

void fault_hint(struct fault *f, const char *text, struct slice tail)
{
	size_t i = 0;
	struct text t;

	while (i < FAULT_HINTS && f->hints[i][0] != '\0')
		i++;
	if (i == FAULT_HINTS)
		return;
	text_init(&t, f->hints[i], sizeof(f->hints[i]));
	text_str(&t, text);
	text_safe(&t, tail);
}

void fault_put(struct text *t, const struct fault *f, const char *command)
{
	text_str(t, "sonde: ");
	if (command) {
		text_str(t, command);
		text_str(t, ": ");
	}
	text_str(t, f->text);
	text_char(t, '\n');
	for (size_t i = 0; i < FAULT_HINTS && f->hints[i][0] != '\0'; i++) {
		text_str(t, i == 0 ? "  try: " : "  or: ");
		text_str(t, f->hints[i]);
		text_char(t, '\n');
	}
}

int fault_exit_code(const struct fault *f)
{
	if (f->kind == FAULT_NONE)
		return 0;
	return f->kind == FAULT_PEER ? 1 : 2;
}
