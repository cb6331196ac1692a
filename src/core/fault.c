/* SPDX-License-Identifier: MIT */
#include "core/fault.h"

#include "core/text_put.h"

struct text fault_begin(struct fault *f, enum fault_kind kind)
{
	struct text t;

	f->kind = kind;
	for (size_t i = 0; i < FAULT_HINTS; i++)
		f->hints[i][0] = '\0';
	text_init(&t, f->text, sizeof(f->text));
	return t;
}

bool fault_set(struct fault *f, enum fault_kind kind, const char *what, struct slice object, const char *why)
{
	struct text t = fault_begin(f, kind);

	text_str(&t, what);
	if (object.n > 0)
		text_put(&t, t.len > 0 ? " %q" : "%q", object);
	if (why)
		text_put(&t, why[0] == ':' ? "%s" : " %s", why);
	return false;
}

void fault_hint(struct fault *f, const char *format, ...)
{
	size_t i = 0;
	struct text t;
	va_list args;

	while (i < FAULT_HINTS && f->hints[i][0] != '\0')
		i++;
	if (i == FAULT_HINTS)
		return;
	va_start(args, format);
	text_init(&t, f->hints[i], sizeof(f->hints[i]));
	text_put_args(&t, format, args);
	va_end(args);
}

void fault_put(struct text *t, const struct fault *f, const char *command)
{
	text_put(t, command ? "sonde: %s: %s\n" : "sonde%s: %s\n", command ? command : "", f->text);
	for (size_t i = 0; i < FAULT_HINTS && f->hints[i][0] != '\0'; i++)
		text_put(t, i == 0 ? "  try: %s\n" : "  or: %s\n", f->hints[i]);
}

int fault_exit_code(const struct fault *f)
{
	if (f->kind == FAULT_NONE)
		return 0;
	return f->kind == FAULT_PEER ? 1 : 2;
}
