/* SPDX-License-Identifier: MIT */
/* The one JSON writer (RFC 8259): commas by itself, every string escaped, numbers by integers. */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include "core/addr.h"
#include "core/ns.h"

struct json {
	struct text *out;
	bool comma; /* private: something stands before in this object or array */
};

void json_init(struct json *j, struct text *out);

/* A document of ours: `{"schema":1,"type":…`, and at its end the brace and a new line. */
void json_begin(struct json *j, struct text *out, const char *type);
void json_end(struct json *j);

/* In an object @key is the member's name; in an array, or at the top, NULL. */
void json_open(struct json *j, const char *key);  /* { */
void json_close(struct json *j);                  /* } */
void json_array(struct json *j, const char *key); /* [ */
void json_array_end(struct json *j);              /* ] */

/* Bytes that are not valid UTF-8 become U+FFFD; control characters \u00NN. NULL slice.p gives null. */
void json_string(struct json *j, const char *key, struct slice s);

/* A C string; NULL and "" give null. */
void json_word(struct json *j, const char *key, const char *word);

/* As addr_put(); null where there is none. */
void json_address(struct json *j, const char *key, const struct addr *a);

void json_int(struct json *j, const char *key, int64_t v);
void json_bool(struct json *j, const char *key, bool v);
void json_null(struct json *j, const char *key);

/* @v / 10^@scale, with @decimals digits; UNKNOWN gives null, here and in json_int. */
void json_fixed(struct json *j, const char *key, int64_t v, unsigned scale, unsigned decimals);

/* Nanoseconds as milliseconds with six decimals: nothing is lost. */
void json_ms(struct json *j, const char *key, ns_t ns);

/**
 * json_put() - Several members at once
 * @format:  words with a blank between: `key:X` is a member, `key{` and `key[` open, `}` and `]` close; inside an array
 *           without the key. X says what the next argument, of exactly this type, is:
 *
 *	s  const char *         as json_word()
 *	a  const struct addr *  as json_address()
 *	b  int                  as json_bool()
 *	d  int64_t              as json_int()
 *	m  int64_t              as json_ms(); parts per million are a ratio in the same way
 *	0 to 9  int64_t         nanoseconds in seconds, with so many decimals
 */
void json_put(struct json *j, const char *format, ...);

/**
 * json_find_uint(), json_find_string() - Read one member of a small object that a peer sent
 * @doc:  any bytes; never trusted
 * @key:  a member of the outermost object
 *
 * A bounded scan, not a parser: strings are skipped with their escapes, nested values by depth.
 * A fraction or exponent ends the integer read. Strings are returned as they stand, still escaped.
 * Return: false where the member is missing or of another type.
 */
bool json_find_uint(struct slice doc, const char *key, uint64_t *ret);
bool json_find_string(struct slice doc, const char *key, struct slice *ret);

#endif
