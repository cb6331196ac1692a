/* SPDX-License-Identifier: MIT */
#include "core/io.h"

#include "core/slice.h"

const char *io_text(int io)
{
	static const char texts[] = /* of IO_AGAIN, which is -1, and so on down */
		"not ready\0"
		"the connection was closed\0"
		"Connection reset by peer\0"
		"Connection refused\0"
		"Network is unreachable\0"
		"no answer in time\0"
		"Permission denied\0"
		"Address already in use\0"
		"Too many open files\0"
		"the connection failed";

	return slice_word(texts, io < 0 && io >= IO_FAILED ? (size_t)(-1 - io) : -1 - IO_FAILED);
}
