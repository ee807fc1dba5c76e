/* SPDX-License-Identifier: MIT */
/* --top in a build without a curses library; stateless. */
#include "top.h"

int top_view_open(struct top_view **view, const struct cli *cli)
{
	(void)view;
	(void)cli;
	program_tell(
		"--top: this build has no live view, since no curses library was found for it: install one (Debian and Ubuntu: libncurses-dev; Fedora: "
		"ncurses-devel; macOS and the BSDs have it) and build anew with -Dcurses=enabled");
	return EXIT_USAGE;
}

void top_view_start(struct top_view *view, struct bpe_engine *engine)
{
	(void)view;
	(void)engine;
}

bool top_view_step(struct top_view *view, bool ended)
{
	(void)view;
	(void)ended;
	return false;
}

void top_view_record(struct top_view *view, const struct bpe_flow *flow)
{
	(void)view;
	(void)flow;
}

void top_view_suspend(struct top_view *view)
{
	(void)view;
}

void top_view_redraw(struct top_view *view)
{
	(void)view;
}

void top_view_say(struct top_view *view, const char *text)
{
	(void)view;
	(void)text;
}

void top_view_close(struct top_view *view)
{
	(void)view;
}

void top_view_restore(void)
{
}
