/* SPDX-License-Identifier: MIT */
/* The requests of a survey, one after another, and where redirects lead them: for the parts of the survey only. */
#ifndef RUN_SURVEY_ASK_H
#define RUN_SURVEY_ASK_H

#include "run/survey.h"

/* As much as fits. */
void survey_copy(char *out, size_t cap, struct slice s);

/**
 * survey_connect() - Connect to the first address of @host that answers
 * @port:  0 for 8080 and then 80
 *
 * Return: false with @why.
 */
bool survey_connect(struct survey *s, struct slice host, uint16_t port, struct fault *why);

/**
 * survey_ask() - One request; its answer is in fetch_exchange()
 * @body:  of a POST, its length
 * @keep:  where the answer's body goes; what does not fit is not waited for. NULL to count it only
 *
 * Return: false with @why where there is no connection or the answer is broken.
 */
bool survey_ask(struct survey *s, enum exchange_method method, const char *path, uint64_t body, struct text *keep,
	struct fault *why);

/* Ask for s->path, wherever that leads: s->path, s->host and s->fetch.to change. @keep as above, emptied each time. */
bool survey_ask_following(struct survey *s, enum exchange_method method, struct text *keep, struct fault *why);

/**
 * survey_taste() - See what a GET of @path begins with, and hang up where more would come
 * @ret:  its slices live until the next request
 *
 * Return: false with @why where there is no connection; a broken answer has status 0.
 */
bool survey_taste(struct survey *s, const char *path, struct dialect_answer *ret, struct fault *why);

#endif
