/* SPDX-License-Identifier: MIT */
/* Declarations of the live view's terminal (top_view.c, top_terminal.c, top_draw.c,
 * top_keys.c). */
#ifndef CLI_TOP_VIEW_H
#define CLI_TOP_VIEW_H

#include "top.h"
#include "top_closed.h"
#include "top_text.h"

#include <curses.h>
#include <pthread.h>

#define TOP_NOTICES 8

enum top_mode { TOP_MODE_LIST, TOP_MODE_FILTER, TOP_MODE_HELP, TOP_MODE_FLOW };
/* Curses' colour pairs, all on the terminal's own background. */
enum { TOP_STYLE_PLAIN, TOP_STYLE_ALERT, TOP_STYLE_BARS };

struct top_view {
	/* Main thread. */
	struct top_model model;
	struct top_cursor cursor;
	struct top_cursor detail; /* the flow of TOP_MODE_FLOW */
	struct top_page page;     /* of TOP_MODE_HELP and TOP_MODE_FLOW */
	SCREEN *screen;
	FILE *input;               /* the terminal, if stdin is something else; NULL: stdin */
	struct bpe_engine *engine; /* NULL until start */
	bool utf8, blocks;         /* the terminal has more than ASCII; it has U+2581 to U+2588 */
	bool colours;
	bool is_shown; /* curses has the terminal */
	bool is_paused;
	bool is_changed; /* the window is to be drawn */
	bool is_over;    /* the run has ended */
	enum top_mode mode;
	char filter_before[TOP_FILTER]; /* the filter which Escape brings back */
	size_t page_first;              /* line at the top of the page */
	int ends[2];                    /* cells that the list's ends got; see top_draw.c */
	int ends_spare;                 /* draws since the ends needed all these cells */
	int64_t interval_ns, due_ns;
	int settled; /* snapshots taken since the end of the run; after two nothing changes */

	struct top_closed closed; /* any thread */

	/* The thread which asks the engine, and members under the mutex. */
	pthread_t asker;
	bool has_asker;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool wanted; /* the asker has the snapshot and fills it */
	bool ready;  /* the snapshot is filled */
	bool leave;
	enum bpe_order order;
	int64_t since_ns;
	struct top_shot shot;
	char notice[TOP_NOTICES][256];
	uint32_t notices; /* in all; the last TOP_NOTICES are kept */
};

/* ---- The terminal (top_terminal.c) ---- */

/* Starts curses and returns the terminal to its former state.  Reads the table of services.
 * color: enum print_color.  Returns 0, or an exit code after the message. */
int top_terminal_open(struct top_view *view, uint32_t color);
/* Gives the terminal back in the former state. */
void top_terminal_leave(struct top_view *view);
/* Frees the members of open. */
void top_terminal_close(struct top_view *view);
/* Returns whether the terminal is gone.  Without SIGHUP (nohup, a shell which traps the signal)
 * only this function tells, since reading keys from a lost terminal fails at once, for ever. */
bool top_terminal_is_gone(const struct top_view *view);

/* ---- The window (top_draw.c) and the keys (top_keys.c) ---- */

void top_draw(struct top_view *view);
/* Returns the rows of the list that the window has room for. */
size_t top_draw_rows(void);
/* Handles a key.  Returns false if the user wants to leave. */
bool top_handle_key(struct top_view *view, int key);

#endif
