/* SPDX-License-Identifier: MIT */
/* Readers of our machine output that know nothing of its writers: is it what its format allows? */
#ifndef FORMATS_H
#define FORMATS_H

#include <stdio.h>

#include "guard.h"

/* JSON (RFC 8259). Each returns what is left, or NULL where it is none. */
static inline const char *skim_value(const char *s);

static inline const char *skim_escape(const char *s)
{
	if (*s == 'u') {
		for (int i = 0; i < 4; i++)
			if (*++s == '\0' || !strchr("0123456789abcdefABCDEF", *s))
				return NULL;
	} else if (*s == '\0' || !strchr("\"\\/bfnrt", *s)) {
		return NULL;
	}
	return s;
}

static inline const char *skim_text(const char *s)
{
	if (*s++ != '"')
		return NULL;
	for (; *s != '"'; s++) {
		if ((unsigned char)*s < 0x20)
			return NULL;
		if (*s == '\\' && !(s = skim_escape(s + 1)))
			return NULL;
	}
	return s + 1;
}

static inline const char *skim_number(const char *s)
{
	size_t n;

	s += *s == '-';
	n = strspn(s, "0123456789");
	if (n == 0 || (n > 1 && *s == '0'))
		return NULL;
	s += n;
	if (*s == '.') {
		n = strspn(++s, "0123456789");
		if (n == 0)
			return NULL;
		s += n;
	}
	return s;
}

static inline const char *skim_members(const char *s, char end)
{
	if (*++s == end)
		return s + 1;
	for (;;) {
		if (end == '}') {
			s = skim_text(s);
			if (!s || *s++ != ':')
				return NULL;
		}
		s = skim_value(s);
		if (!s || (*s != ',' && *s != end))
			return NULL;
		if (*s++ == end)
			return s;
	}
}

static inline const char *skim_value(const char *s)
{
	static const char *const words[] = { "null", "true", "false" };

	if (*s == '{')
		return skim_members(s, '}');
	if (*s == '[')
		return skim_members(s, ']');
	if (*s == '"')
		return skim_text(s);
	for (size_t i = 0; i < 3; i++)
		if (strncmp(s, words[i], strlen(words[i])) == 0)
			return s + strlen(words[i]);
	return skim_number(s);
}

/* One value in one line, with its LF. */
static inline bool is_json_line(const char *s)
{
	const char *rest = skim_value(s);

	return rest && strcmp(rest, "\n") == 0;
}

/* The text of a member of the outermost object, or of the one inside that stands at `a.b`; "" for none. */
static inline const char *member_of(const char *s, const char *path)
{
	static char out[512];

	for (;;) {
		size_t n = strcspn(path, ".");
		const char *value = NULL;

		for (const char *at = s + 1; *s == '{' && *at == '"' && !value;) {
			const char *end = skim_text(at);
			const char *after = end ? skim_value(end + 1) : NULL;

			if (!after)
				break;
			if ((size_t)(end - at) == n + 2 && strncmp(at + 1, path, n) == 0)
				value = end + 1;
			at = after + (*after == ',');
		}
		if (!value)
			return "";
		s = value;
		if (path[n] == '\0')
			break;
		path += n + 1;
	}
	size_t n = (size_t)(skim_value(s) - s);

	assert_true(n < sizeof(out));
	memcpy(out, s, n);
	out[n] = '\0';
	return out;
}

/* RFC 4180. Cell @i of the line at @s, unquoted; NULL where there are fewer. */
static inline const char *csv_cell(const char *s, size_t i)
{
	static char out[1024];

	for (;; i--) {
		size_t n = 0;

		if (*s == '"') {
			for (s++; *s != '"' || s[1] == '"'; s++) {
				assert_true(*s != '\0' && n < sizeof(out) - 1);
				out[n++] = *s;
				s += *s == '"';
			}
			s++;
			assert_true(*s == ',' || *s == '\n');
		} else {
			for (; *s != ',' && *s != '\n'; s++) {
				assert_true(*s != '\0' && *s != '"' && n < sizeof(out) - 1);
				out[n++] = *s;
			}
		}
		out[n] = '\0';
		if (i == 0)
			return out;
		if (*s++ == '\n')
			return NULL;
	}
}

static inline size_t csv_width(const char *s)
{
	size_t n = 0;

	while (csv_cell(s, n))
		n++;
	return n;
}

/* The cell below the head's @name, in a text of a head and a line. */
static inline const char *csv_below(const char *s, const char *name)
{
	const char *line = strchr(s, '\n') + 1;
	size_t i = 0;

	for (const char *cell; (cell = csv_cell(s, i)) != NULL; i++)
		if (strcmp(cell, name) == 0)
			return csv_cell(line, i);
	return NULL;
}

static inline const char *prom_name(const char *s)
{
	return s + strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:");
}

static inline const char *prom_labels(const char *s)
{
	for (s++; *s != '}';) {
		const char *name = s;

		s = prom_name(s);
		if (s == name || s[0] != '=' || s[1] != '"')
			return NULL;
		for (s += 2; *s != '"'; s++)
			if (*s == '\0' || *s == '\n' || (*s == '\\' && !strchr("\\\"n", *++s)))
				return NULL;
		s++;
		if (*s == ',')
			s++;
		else if (*s != '}')
			return NULL;
	}
	return s + 1;
}

/*
 * The text format of Prometheus: every sample is of the metric whose head came last, and no metric
 * has two heads. Return: the number of samples, -1 where it is not that format.
 */
static inline int prom_samples(const char *s)
{
	char metric[128] = "", seen[65536] = " ";
	int samples = 0;

	while (*s) {
		if (strncmp(s, "# HELP ", 7) == 0) {
			size_t n = (size_t)(prom_name(s + 7) - (s + 7));

			snprintf(metric, sizeof(metric), " %.*s ", (int)n, s + 7);
			if (n == 0 || strstr(seen, metric) || s[7 + n] != ' ')
				return -1;
			strcat(seen, metric);
			s = strchr(s, '\n') + 1;
			if (strncmp(s, "# TYPE", 6) != 0 || strncmp(s + 6, metric, n + 2) != 0)
				return -1;
			s += 8 + n;
			if (strncmp(s, "gauge\n", 6) != 0 && strncmp(s, "counter\n", 8) != 0)
				return -1;
		} else {
			size_t n = (size_t)(prom_name(s) - s);

			if (n == 0 || strncmp(metric + 1, s, n) != 0 || metric[1 + n] != ' ')
				return -1;
			s += n;
			if (*s == '{' && !(s = prom_labels(s)))
				return -1;
			if (*s++ != ' ' || !(s = skim_number(s)) || *s != '\n')
				return -1;
			samples++;
		}
		s = strchr(s, '\n') + 1;
	}
	return samples;
}

#endif
