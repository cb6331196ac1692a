/* SPDX-License-Identifier: MIT */
/*
 * A tool for tests/lab/test_names.py, since no command alone asks for all of this: `names WORKERS PATIENCE_MS WORD…`
 * looks each word up, which is a host, `4:HOST`, `6:HOST`, or `@ADDRESS` for its name, and prints answers as they come.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"
#include "sys/clock.h"
#include "sys/names.h"

static struct names names;
static struct fault why;

static bool ask_word(uint32_t tag, const char *word)
{
	struct addr a;

	if (word[0] == '@')
		return addr_parse(slice_of(word + 1), &a) && names_ask_back(&names, tag, &a);
	bool chosen = (word[0] == '4' || word[0] == '6') && word[1] == ':';

	return names_ask(&names, tag, slice_of(chosen ? word + 2 : word), chosen ? word[0] - '0' : 0);
}

static void print(const char *word, const struct names_answer *a, ns_t since)
{
	char buf[2048], addr[ADDR_TEXT_MAX];
	struct text t, shown;
	struct json j;

	text_init(&shown, addr, sizeof(addr));
	if (a->addr.family != 0)
		addr_put(&shown, &a->addr);
	text_init(&t, buf, sizeof(buf));
	json_begin(&j, &t, "answer");
	json_word(&j, "word", word);
	json_word(&j, "address", addr);
	json_string(&j, "text", slice_of(a->text));
	json_ms(&j, "took_ms", a->took);
	json_ms(&j, "at_ms", since);
	json_end(&j);
	fputs(buf, stdout);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	ns_t began = clock_mono();

	if (argc < 4 || !names_open(&names, (size_t)atoi(argv[1]), atoi(argv[2]) * NS_PER_MS, &why)) {
		fprintf(stderr, "%s\n", argc < 4 ? "WORKERS PATIENCE_MS WORD..." : why.text);
		return 2;
	}
	ns_t opened = clock_mono();

	for (int i = 3; i < argc; i++)
		if (!ask_word((uint32_t)i, argv[i]))
			return 1;
	fprintf(stderr, "opened in %lld us\n", (long long)(opened - began) / 1000);
	for (struct names_answer a; names.asked > 0;) {
		struct pollfd p = { names.fd, POLLIN, 0 };

		if (names_answer(&names, &a))
			print(argv[a.tag], &a, clock_mono() - opened);
		else if (names.fd < 0 || poll(&p, 1, -1) < 0)
			return 1;
	}
	names_close(&names);
	return 0;
}
