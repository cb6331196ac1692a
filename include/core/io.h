/* SPDX-License-Identifier: MIT */
/* What can come of moving bytes, as one small vocabulary: errno stays in sys/. */
#ifndef CORE_IO_H
#define CORE_IO_H

/* Calls that move bytes return a count >= 0, or one of these. */
enum io {
	IO_AGAIN = -1,       /* nothing now; wait and come back */
	IO_END = -2,         /* the peer closed its side in good order */
	IO_RESET = -3,       /* the peer tore the connection down */
	IO_REFUSED = -4,     /* nobody listens there */
	IO_UNREACHABLE = -5, /* no route, or a router said no */
	IO_TIMEOUT = -6,     /* no answer in time */
	IO_DENIED = -7,      /* this machine does not allow it */
	IO_IN_USE = -8,      /* somebody else has that address and port */
	IO_NO_ROOM = -9,     /* no descriptor left */
	IO_FAILED = -10,     /* anything else */
};

/* "Connection refused", in the words of strerror(3), so that they can be searched for. */
const char *io_text(int io);

#endif
