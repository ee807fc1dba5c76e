/* SPDX-License-Identifier: MIT */
/* The live view (--top).  Three parts:
 *   the model (top_model.c)  pure: makes rows of snapshots: rates, order, filter;
 *   the text (top_text.c)    pure: chooses the lines and columns of a window, and writes them;
 *   the view (top_view.h)    the terminal, its keys, and the thread that asks the engine.
 * A build without a curses library has top_none.c in the place of the view. */
#ifndef CLI_TOP_H
#define CLI_TOP_H

#include "cli.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOP_FLOWS 2000u /* of a snapshot, at most */
#define TOP_PROTOCOLS 24u
#define TOP_FILTER 64u

enum top_sort {
	TOP_RATE,
	TOP_BYTES,
	TOP_PACKETS,
	TOP_RETRANSMISSIONS,
	TOP_RTT,
	TOP_AGE,
	TOP_SORTS
};

/* A snapshot of the engine. */
struct top_shot {
	struct bpe_stats stats;
	struct bpe_protocol protocols[TOP_PROTOCOLS];
	size_t protocol_count; /* filled */
	struct bpe_flow_totals about;
	struct bpe_flow *flows; /* room for TOP_FLOWS; largest first */
	size_t count;
};

struct top_row {
	const struct bpe_flow *flow;     /* of the latest snapshot */
	uint64_t bytes, packets;         /* of both ends */
	uint64_t new_bytes, new_packets; /* since the snapshot before */
	bool known; /* false: the growth is unknown, since the flow was too small to be in the
		     * snapshot before */
	uint64_t retransmissions;
	int64_t rtt_ns; /* both halves: latest samples, else the handshake's; -1: none */
	int64_t age_ns;
};

struct top_model {
	struct top_shot now, before; /* all zero at first */
	struct top_row *rows;        /* of now.flows */
	uint32_t *order;             /* indexes of rows as displayed: `shown` of them */
	size_t shown;
	uint32_t *slots; /* before.flows by hash: index + 1; 0: free */
	double seconds;  /* between the two snapshots */
	bool first;      /* there is no snapshot before: all counts are new */
	bool processes;  /* a flow names its process */
	enum top_sort sort;
	bool reverse;
	bool names; /* of services instead of port numbers */
	bool bytes; /* rates in bytes/s instead of bit/s */
	char filter[TOP_FILTER];
	/* Returns a service's name or NULL.  NULL: no names. */
	const char *(*service)(uint16_t port, uint8_t ip_proto);
};

/* Returns false without memory. */
bool top_model_init(struct top_model *m);
void top_model_free(struct top_model *m);
/* Takes the snapshot's content, and gives the snapshot memory for the next one in exchange. */
void top_model_take(struct top_model *m, struct top_shot *shot);
/* Computes the order anew, after a change of sort, reverse, filter or names. */
void top_model_arrange(struct top_model *m);

/* Returns whether the flow matches.  Each word of the filter must occur in the flow's addresses,
 * ports, protocol, state or process; a word that begins with "!" must not.  ":443" is the port. */
bool top_matches(const struct top_model *m, const struct bpe_flow *f, const char *filter);
const char *top_sort_name(enum top_sort sort);

/* ---- Text ---- */

enum top_column_id {
	TOP_COLUMN_FROM,
	TOP_COLUMN_TO,
	TOP_COLUMN_PROTO,
	TOP_COLUMN_RATE,
	TOP_COLUMN_PPS,
	TOP_COLUMN_BYTES,
	TOP_COLUMN_PACKETS,
	TOP_COLUMN_STATE,
	TOP_COLUMN_RTT,
	TOP_COLUMN_RETRANSMISSIONS,
	TOP_COLUMN_AGE,
	TOP_COLUMN_PROCESS,
	TOP_COLUMNS
};

/* Columns from left to right, with a blank between two columns.  Widths and blanks together are no
 * wider than the window. */
struct top_layout {
	uint32_t count;
	struct {
		enum top_column_id id;
		int width;
	} column[TOP_COLUMNS];
};
void top_layout(struct top_layout *l, int width, enum top_sort sort, bool processes);

/* Line numbers in a window; -1: no room for the line. */
struct top_lines {
	int source, rate, drops, protocols, head, rows, row_count, status;
};
void top_lines(struct top_lines *l, int height);

/* The calls below write one line of at most `width` cells, without colours, and return the text.
 * utf8: the terminal can show more than ASCII. */
#define TOP_LINE 1024
const char *top_text_source(char text[TOP_LINE], const char *source, double seconds,
	const char *state, int width, bool utf8);
const char *top_text_rate(char text[TOP_LINE], const struct top_model *m, int width);
/* *some: packets were dropped since the snapshot before. */
const char *top_text_drops(char text[TOP_LINE], const struct top_model *m, int width, bool *some);
const char *top_text_protocols(char text[TOP_LINE], const struct top_model *m, int width);
const char *top_text_head(
	char text[TOP_LINE], const struct top_model *m, const struct top_layout *l, bool utf8);
const char *top_text_row(char text[TOP_LINE], const struct top_model *m, const struct top_layout *l,
	const struct top_row *r, bool utf8);
/* Cuts any text, and makes the text harmless for a terminal. */
const char *top_text_cut(char text[TOP_LINE], const char *s, int width, bool utf8);
/* Returns the cells that a text takes. */
int top_cells(const char *s, bool utf8);

/* ---- View ---- */

struct top_view;

/* Opens all files that the terminal needs, so this runs before the program is confined.  Returns 0,
 * or an exit code after the message. */
int top_view_open(struct top_view **view, const struct cli *cli);
/* Takes the terminal. */
void top_view_start(struct top_view *view, struct bpe_engine *engine);
/* Waits for a key, 0.1 s at most, and draws changes.  ended: the run is over.  Returns false if the
 * user wants to leave, or the terminal is gone. */
bool top_view_step(struct top_view *view, bool ended);
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
