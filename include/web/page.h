/* SPDX-License-Identifier: MIT */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include "core/slice.h"

/* What a browser is shown at `/`: src/web/index.html, linked in as it stands. */
struct slice page_html(void);

#endif
