/* SPDX-License-Identifier: MIT */
/* Processes of our own, which end with this one. Calls: fork, prctl, open, dup2, close. */
#ifndef SYS_CHILD_H
#define SYS_CHILD_H

/* Return: as fork(): 0 in the child, which is killed when this process ends; its number here; -1 where there can be none. */
int child_start(void);

/*
 * In a child: @out becomes its standard output, and the other standard streams lead nowhere, so that nothing that a library
 * writes goes astray; all else is closed but @keep, so that nothing is kept open for others. -1 for neither.
 */
void child_keep_only(int out, int keep);

#endif
