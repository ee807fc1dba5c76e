/* SPDX-License-Identifier: MIT */
/* The live view (--top).  Four parts:
 *   the model (top_model.h)  pure: makes rows of snapshots: rates, groups, order, filter, cursor;
 *   the text (top_text.h)    pure: chooses the lines and columns of a window, and writes them;
 *   closed flows (top_closed.c)  keeps the latest flows that ended;
 *   the view (top_view.h)    the terminal, its keys, and the thread that asks the engine.
 * A build without a curses library has top_none.c in the place of the view.  This header is what
 * the rest of the program sees. */
#ifndef CLI_TOP_H
#define CLI_TOP_H

#include "cli.h"

#include <stdbool.h>

struct top_view;

/* Opens all files that the terminal needs, so this runs before the program is confined.  Returns 0,
 * or an exit code after the message. */
int top_view_open(struct top_view **view, const struct cli *cli);
/* Takes the terminal. */
void top_view_start(struct top_view *view, struct bpe_engine *engine);
/* Waits for a key, 0.1 s at most, and draws changes.  ended: the run is over.  Returns false if the
 * user wants to leave, or the terminal is gone. */
bool top_view_step(struct top_view *view, bool ended);
/* Keeps a copy of a flow that ended; on_record of the engine, any thread.  flow: may be NULL. */
void top_view_record(struct top_view *view, const struct bpe_flow *flow);
/* Handles SIGTSTP: gives the terminal back and stops the process.  Returns after SIGCONT. */
void top_view_suspend(struct top_view *view);
/* Handles SIGCONT: draws the window anew. */
void top_view_redraw(struct top_view *view);
/* Shows a notice, and prints the notice on stderr at the end.  Any thread. */
void top_view_say(struct top_view *view, const char *text);
/* Gives the terminal back, ends the thread, frees the view.  The run has ended, or was never
 * started.  view: may be NULL. */
void top_view_close(struct top_view *view);
/* Gives the terminal back from a signal handler that is about to leave the process. */
void top_view_restore(void);

#endif
