/* SPDX-License-Identifier: MIT */
/*
 * The terminal while something is drawn on it: keys come one by one and are not echoed, the cursor is hidden. However
 * the program stops or ends, the terminal is as it was; while another job has it, it is left alone.
 * Calls: tcgetattr, tcsetattr, tcgetpgrp, open, poll, read, and those of sys/wait and sys/signals.
 */
#ifndef SYS_SCREEN_H
#define SYS_SCREEN_H

#include <stdbool.h>

enum screen {
	SCREEN_OURS,    /* as it was left */
	SCREEN_FRESH,   /* others have written on it: begin where the cursor is */
	SCREEN_RESIZED,
	SCREEN_BUSY,    /* not now: it is slow, or was stopped with Ctrl-S */
	SCREEN_AWAY,    /* not now: this job is in the background */
};

/**
 * screen_open() - Be ready to draw on standard output; after signals_take()
 *
 * Keys come from standard input, or where that is no terminal from /dev/tty; where there is none, from nowhere.
 * Ctrl-C and Ctrl-Z work as ever. Whether it is stopped or ended by a signal, the terminal is restored before.
 * Return: a descriptor that is readable when there are keys for us; -1 where there never are.
 */
int screen_open(void);

/*
 * May a frame be written now? Call it before each one; with the first three answers all is set for it. With the
 * others only the last one is written, which is the result: from where the cursor is, if the job was away.
 */
enum screen screen_look(void);

/* Read the keys that were pressed; call it when the descriptor is readable. Return: was one of them q? */
bool screen_quit(void);

/* The end: leave the terminal as it was. */
void screen_close(void);

/* The same from within a signal handler: all that must not stay changed. */
void screen_restore(void);

#endif
