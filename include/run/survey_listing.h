/* SPDX-License-Identifier: MIT */
/* The largest file of a directory listing. */
#ifndef RUN_SURVEY_LISTING_H
#define RUN_SURVEY_LISTING_H

#include "run/survey.h"

/*
 * Ask for the size of each file that @html, the page at s->path, links to, within bounds. s->path and s->file_size
 * become the largest one's; they stay as they are where there is none.
 */
void survey_listing(struct survey *s, struct slice html);

#endif
