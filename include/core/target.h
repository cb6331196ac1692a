/* SPDX-License-Identifier: MIT */
/* What may be measured, written the same way for every command. */
#ifndef CORE_TARGET_H
#define CORE_TARGET_H

#include "core/fault.h"
#include "core/url.h"

enum target_scheme { TARGET_ANY, TARGET_HTTP, TARGET_ICMP, TARGET_TCP, TARGET_UDP };

struct target {
	struct slice text; /* as the user wrote it */
	enum target_scheme scheme;
	struct slice host; /* without brackets, with its %zone */
	bool literal;      /* the host stood in brackets */
	uint16_t port;     /* 0 where none is given */
	struct slice path; /* "" where none is given; for TARGET_HTTP and TARGET_ANY only */
};

/**
 * target_parse() - Read `host`, `host:port`, `192.0.2.1`, `[2001:db8::1]:8080`, `fe80::1%eth0`,
 *                  `http://host:port/path`, `icmp://host`, `tcp://host:port`, `udp://host`,
 *                  `udp://host:port`, `host:port/path`
 * @s:    NUL-terminated, outlives @ret
 * @why:  filled on failure, FAULT_USAGE, with a hint that says what works instead:
 *        https:// names tcp://HOST:443, an unknown scheme names the known ones
 *
 * icmp:// takes no port and no path, tcp:// needs a port and takes no path, udp:// may have a port and takes no path.
 */
bool target_parse(const char *s, struct target *ret, struct fault *why);

#endif
