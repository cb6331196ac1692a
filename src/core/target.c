/* SPDX-License-Identifier: MIT */
#include "core/target.h"

#define FORMS "HOST, HOST:PORT, [IPV6]:PORT, http://HOST/PATH, icmp://HOST or tcp://HOST:PORT"

static bool refuse(struct fault *why, struct slice text, const char *reason, const char *hint, struct slice tail)
{
	fault_set(why, FAULT_USAGE, text.n > 0 ? "" : "''", text, reason);
	fault_hint(why, hint, tail);
	return false;
}

/* The hint is the user's own host, in a form that works. */
static bool suggest(struct fault *why, struct slice text, const char *reason, const char *command, struct url form)
{
	char buf[FAULT_TEXT_MAX];
	struct text t;

	form.path = SLICE("");
	text_init(&t, buf, sizeof(buf));
	url_resolve(&form, SLICE(""), &t);
	return refuse(why, text, reason, command, text_view(&t));
}

static bool refuse_tls(struct fault *why, struct slice text, struct url u)
{
	u.scheme = SLICE("tcp");
	if (u.port == 0)
		u.port = 443;
	return suggest(why, text, "needs TLS, which sonde does not speak", "sonde ping ", u);
}

static bool check_icmp(struct fault *why, struct slice text, struct url u)
{
	if (u.port != 0) {
		u.port = 0;
		return suggest(why, text, "has a port, which icmp does not know", "", u);
	}
	if (u.path.n > 0)
		return suggest(why, text, "has a path, which only http knows", "", u);
	return true;
}

static bool check_tcp(struct fault *why, struct slice text, struct url u)
{
	if (u.port == 0) {
		u.port = 80;
		return suggest(why, text, "needs a port", "", u);
	}
	if (u.path.n > 0)
		return suggest(why, text, "has a path, which only http knows", "", u);
	return true;
}

static bool is_known(struct slice scheme, enum target_scheme *ret)
{
	static const char names[][5] = { "", "http", "icmp", "tcp" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (slice_eq_nocase(scheme, slice_of(names[i]))) {
			*ret = (enum target_scheme)i;
			return true;
		}
	}
	return false;
}

bool target_parse(const char *s, struct target *ret, struct fault *why)
{
	struct slice text = slice_of(s);
	enum target_scheme scheme;
	struct url u;
	const char *reason = url_parse(text, &u);

	if (reason)
		return refuse(why, text, reason, FORMS, SLICE(""));
	if (slice_eq_nocase(u.scheme, SLICE("https")))
		return refuse_tls(why, text, u);
	if (!is_known(u.scheme, &scheme))
		return refuse(why, text, "has a scheme that is not one of http, icmp, tcp", FORMS, SLICE(""));
	if (scheme == TARGET_ICMP && !check_icmp(why, text, u))
		return false;
	if (scheme == TARGET_TCP && !check_tcp(why, text, u))
		return false;
	*ret = (struct target){ text, scheme, u.host, u.literal, u.port, u.path };
	return true;
}
