/* SPDX-License-Identifier: MIT */
/* Messages of a run (run.h); stateless. */
#include "run.h"

#include <stdarg.h>

void run_tell(struct run *r, const char *format, ...)
{
	char text[600];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (r->view_has_terminal) {
		top_view_say(r->view, text);
		return;
	}
	cli_live_clear();
	program_tell("%s", text);
}

void run_on_notice(void *user, const char *text)
{
	struct run *r = user;

	cli_notice_keep(text);
	if (!r->cli.quiet)
		run_tell(r, "%s", text);
}
