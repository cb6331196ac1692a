/* SPDX-License-Identifier: MIT */
/* The live line of a check: what the check knows, the gauge that draws it, and the terminal on standard error. */
#ifndef CMD_METER_H
#define CMD_METER_H

#include "cmd/common.h"
#include "run/check.h"

/* Be ready to draw. Return: whether there is a terminal that somebody wants to see it on. */
bool meter_open(const struct common *c);

/* Something happened, but nothing of it has been written yet. Draws at most ten lines a second, and waits for nothing. */
void meter_event(const struct check *c, const struct check_event *e);

/* The same as one line of NDJSON has it. */
struct check_moment meter_moment(const struct check_event *e);

#endif
