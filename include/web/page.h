/* SPDX-License-Identifier: MIT */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include "core/page.h"
#include "core/slice.h"

/* What a browser is shown: a file of src/web/, linked in without its comments. */
struct slice page(enum page_part part);

#endif
