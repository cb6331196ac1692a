/* SPDX-License-Identifier: MIT */
#include "sys/screen.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "sys/signals.h"
#include "sys/terminal.h"
#include "sys/wait.h"

#define HIDE_CURSOR SLICE("\033[?25l")

/* The second one ends what a frame that was cut off may have begun. */
#define SHOW_CURSOR SLICE("\033[?25h\033[?7h")

/* A terminal that was stopped must not hold up an end. */
#define CURSOR_PATIENCE_MS 200

static int keys = -1;
static struct wait waiting; /* for keys, while they are for us */
static bool watched, away;

/* What is to be undone. */
static volatile sig_atomic_t changed, hidden;
static struct termios saved;

int screen_open(void)
{
	struct fault ignored;

	signals_take_screen();
	keys = terminal_is(STDIN_FILENO) ? STDIN_FILENO : open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (keys >= 0 && !wait_open(&waiting, &ignored))
		keys = -1;
	return keys >= 0 ? waiting.fd : -1;
}

/* A terminal that is not the one of our session knows no background. */
static bool in_foreground(void)
{
	pid_t group = tcgetpgrp(keys >= 0 ? keys : TERMINAL_OUT);

	return group < 0 || group == getpgrp();
}

static void watch(bool on)
{
	if (on && !watched)
		watched = wait_add(&waiting, keys, WAIT_IN, 0);
	if (!on && watched)
		wait_remove(&waiting, keys);
	watched = watched && on;
}

/* A shell gives the terminal back in a mode of its own, so this is looked at each time. */
static void take(void)
{
	struct termios mode;

	if (!hidden)
		hidden = terminal_write(TERMINAL_OUT, HIDE_CURSOR);
	if (keys < 0)
		return;
	if (tcgetattr(keys, &mode) == 0 && mode.c_lflag & (ICANON | ECHO)) {
		saved = mode;
		changed = 1;
		mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		mode.c_cc[VMIN] = 1;
		mode.c_cc[VTIME] = 0;
		tcsetattr(keys, TCSANOW, &mode);
	}
	watch(true);
}

enum screen screen_look(void)
{
	if (!in_foreground()) {
		/* What is typed now is for others, and would wake us again and again. */
		watch(false);
		away = true;
		return SCREEN_AWAY;
	}
	if (!terminal_ready(TERMINAL_OUT, 0))
		return SCREEN_BUSY;
	take();
	bool fresh = signals_continued() || away;
	bool resized = signals_resized();

	away = false;
	return fresh ? SCREEN_FRESH : resized ? SCREEN_RESIZED : SCREEN_OURS;
}

bool screen_quit(void)
{
	struct pollfd p = { .fd = keys, .events = POLLIN };
	char pressed[64];

	if (keys < 0 || !in_foreground()) {
		watch(false);
		return false;
	}
	while (poll(&p, 1, 0) > 0) {
		ssize_t n = read(keys, pressed, sizeof(pressed));

		if (n > 0 && memchr(pressed, 'q', (size_t)n))
			return true;
		if (n <= 0) { /* the terminal is gone */
			watch(false);
			return false;
		}
	}
	return false;
}

void screen_restore(void)
{
	if (!in_foreground())
		return;
	if (changed)
		tcsetattr(keys, TCSANOW, &saved);
	if (hidden && terminal_ready(TERMINAL_OUT, CURSOR_PATIENCE_MS))
		terminal_write(TERMINAL_OUT, SHOW_CURSOR);
	changed = hidden = 0;
}

void screen_close(void)
{
	watch(false);
	screen_restore();
}
