/* SPDX-License-Identifier: MIT */
#include "engine/dialect.h"

#define MIB (UINT32_C(1) << 20)

/* By width of the image, from 32 MB down to 0.2 MB: small installations lack the large ones. */
#define IMAGES "/random4000x4000.jpg\0/random3000x3000.jpg\0/random2000x2000.jpg\0/random1500x1500.jpg\0" \
	"/random1000x1000.jpg\0/random500x500.jpg\0/random350x350.jpg\0"
#define SCRIPTS "/upload.php\0/upload.aspx\0/upload.asp\0/upload.jsp\0"

const struct dialect dialect_sonde = {
	SERVER_SONDE, RECEIPT_JSON, true, 0, 0, "", "/ping", NULL, "/down\0", "/up\0",
};

const struct dialect dialect_file = { .kind = SERVER_FILE };

/*
 * Bodies are as large as the largest that the dialect's own clients send, because every server that works for them
 * takes those: PHP refuses more than 8 MB unless told, nginx what OpenSpeedTest's instructions tell it.
 */
#define SPEEDTEST(prefix) \
	{ SERVER_SPEEDTEST, RECEIPT_SIZE, false, MIB / 16, 7 * MIB, prefix, "/latency.txt", "test=test", IMAGES, SCRIPTS }
#define LIBRESPEED(prefix, php) \
	{ SERVER_LIBRESPEED, RECEIPT_NONE, false, MIB, 20 * MIB, prefix, "/empty" php, NULL, "/garbage" php "?ckSize=100\0", \
		"/empty" php "\0" }

const struct dialect dialects[] = {
	SPEEDTEST("/speedtest"),
	SPEEDTEST(""),
	LIBRESPEED("/backend", ".php"),
	LIBRESPEED("", ".php"),
	LIBRESPEED("", ""),
	{ SERVER_OPENSPEEDTEST, RECEIPT_NONE, false, MIB, 30 * MIB, "", "/upload", NULL, "/downloading\0", "/upload\0" },
	{ .kind = SERVER_UNKNOWN },
};

bool dialect_is(const struct dialect *d, const struct dialect_answer *a)
{
	if (a->status != 200)
		return false;
	return d->says ? slice_starts(a->body, slice_of(d->says)) : a->length == 0;
}

bool dialect_serves(const struct dialect *d, const struct dialect_answer *a)
{
	return a->status == 200 && a->length >= d->down_min && !slice_starts(a->type, SLICE("text/html"));
}

static bool read_size(struct slice body, uint64_t *ret)
{
	slice_while(&body, " \t\r\n");
	if (!slice_starts(body, SLICE("size=")))
		return false;
	slice_skip(&body, 5);
	struct slice digits = slice_until(&body, " \t\r\n");

	return slice_has_only(body, " \t\r\n") && slice_uint(digits, ret);
}

bool dialect_receipt(enum receipt r, struct slice body, uint64_t *ret)
{
	switch (r) {
	case RECEIPT_JSON:
		return json_find_uint(body, "bytes", ret);
	case RECEIPT_SIZE:
		return read_size(body, ret);
	case RECEIPT_NONE:
		break;
	}
	return false;
}
