/* SPDX-License-Identifier: MIT */
#include "core/target.h"

/* The hint is the user's own host, in a form that works. */
static bool suggest(struct fault *why, struct slice text, const char *reason, const char *command, struct url *form)
{
	char buf[FAULT_TEXT_MAX];
	struct text t;

	form->path = SLICE("");
	text_init(&t, buf, sizeof(buf));
	url_resolve(form, SLICE(""), &t);
	fault_set(why, FAULT_USAGE, "", text, reason);
	fault_hint(why, "%s%s", command, buf);
	return false;
}

static bool refuse_tls(struct fault *why, struct slice text, struct url *u)
{
	u->scheme = SLICE("tcp");
	if (u->port == 0)
		u->port = 443;
	return suggest(why, text, "needs TLS, which sonde does not speak", "sonde ping ", u);
}

/* icmp knows no port and tcp needs one; only http has a path. */
static bool check_form(struct fault *why, struct slice text, struct url *u, enum target_scheme scheme)
{
	if (scheme == TARGET_ICMP && u->port != 0) {
		u->port = 0;
		return suggest(why, text, "has a port, which icmp does not know", "", u);
	}
	if (scheme == TARGET_TCP && u->port == 0) {
		u->port = 80;
		return suggest(why, text, "needs a port", "", u);
	}
	if (scheme >= TARGET_ICMP && u->path.n > 0)
		return suggest(why, text, "has a path, which only http knows", "", u);
	return true;
}

bool target_parse(const char *s, struct target *ret, struct fault *why)
{
	static const char schemes[][5] = { "", "http", "icmp", "tcp", "udp" }; /* in the order of enum target_scheme */
	struct slice text = slice_of(s);
	struct url u;
	const char *reason = url_parse(text, &u);
	unsigned scheme = TARGET_ANY;

	if (!reason) {
		if (slice_eq_nocase(u.scheme, SLICE("https")))
			return refuse_tls(why, text, &u);
		while (scheme <= TARGET_UDP && !slice_eq_nocase(u.scheme, slice_of(schemes[scheme])))
			scheme++;
		if (scheme > TARGET_UDP)
			reason = "has a scheme that is not one of http, icmp, tcp, udp";
	}
	if (reason) {
		fault_set(why, FAULT_USAGE, text.n > 0 ? "" : "''", text, reason);
		fault_hint(why, "HOST, HOST:PORT, [IPV6]:PORT, http://HOST/PATH, icmp://HOST, tcp://HOST:PORT or udp://HOST");
		return false;
	}
	if (!check_form(why, text, &u, (enum target_scheme)scheme))
		return false;
	*ret = (struct target){ text, (enum target_scheme)scheme, u.host, u.literal, u.port, u.path };
	return true;
}
