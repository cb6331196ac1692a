/* SPDX-License-Identifier: MIT */
#include "core/io.h"

const char *io_text(int io)
{
	switch (io) {
	case IO_AGAIN:
		return "not ready";
	case IO_END:
		return "the connection was closed";
	case IO_RESET:
		return "Connection reset by peer";
	case IO_REFUSED:
		return "Connection refused";
	case IO_UNREACHABLE:
		return "Network is unreachable";
	case IO_TIMEOUT:
		return "no answer in time";
	case IO_DENIED:
		return "Permission denied";
	default:
		return "the connection failed";
	}
}
