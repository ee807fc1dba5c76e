/* SPDX-License-Identifier: MIT */
/* The live view (--top).  Three parts:
 *   the model (top_model.c)  pure: snapshots in, rows out: rates, order, filter;
 *   the text (top_text.c)    pure: which lines and columns a window has, and what stands in them;
 *   the view (top_view.c)    the terminal, its keys, and the thread that asks the engine;
 * top_none.c where there is no curses library. */
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

/* What the engine said at one time. */
struct top_shot {
	struct bpe_stats stats;
	struct bpe_protocol protocols[TOP_PROTOCOLS];
	size_t protocol_count; /* filled */
	struct bpe_flow_totals about;
	struct bpe_flow *flows; /* room for TOP_FLOWS; largest first */
	size_t count;
};

struct top_row {
	const struct bpe_flow *flow;     /* of the latest shot */
	uint64_t bytes, packets;         /* both ends */
	uint64_t new_bytes, new_packets; /* since the shot before */
	bool known; /* false: it was among the smaller ones then, which are not looked at: how much
		       is new is not known */
	uint64_t retransmissions;
	int64_t rtt_ns; /* both halves, as they are lately, else of the handshake; -1: not seen */
	int64_t age_ns;
};

struct top_model {
	struct top_shot now, before; /* all zero at first */
	struct top_row *rows;        /* of now.flows */
	uint32_t *order;             /* of rows, as they are shown: `shown` of them */
	size_t shown;
	uint32_t *slots; /* before.flows by hash: number + 1; 0: free */
	double seconds;  /* between the two */
	bool first;      /* nothing was before: everything is new, since the start */
	bool processes;  /* a flow names one */
	enum top_sort sort;
	bool reverse, names, bytes; /* bytes: rates in bytes/s instead of bit/s */
	char filter[TOP_FILTER];
	const char *(*service)(uint16_t port, uint8_t ip_proto); /* NULL, or gives NULL: no name */
};

bool top_model_init(struct top_model *m); /* false: no memory */
void top_model_free(struct top_model *m);
/* Takes the shot's content and gives it memory for the next one in exchange. */
void top_model_take(struct top_model *m, struct top_shot *shot);
void top_model_arrange(struct top_model *m); /* after sort, reverse, filter or names changed */

/* Every word of the filter is to be found in the flow's addresses, ports, protocol, state or
 * process; one that begins with ! is not to be. :443 is that port. */
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

/* Columns from left to right, a blank between two: their widths and blanks are no wider than the
 * window. */
struct top_layout {
	uint32_t count;
	struct {
		enum top_column_id id;
		int width;
	} column[TOP_COLUMNS];
};
void top_layout(struct top_layout *l, int width, enum top_sort sort, bool processes);

/* Lines of a window so high; -1: no room for it. */
struct top_lines {
	int source, rate, drops, protocols, head, rows, row_count, status;
};
void top_lines(struct top_lines *l, int height);

/* Each writes one line of at most `width` cells, without colours; utf8: may it be more than ASCII?
 * Returns the text. */
#define TOP_LINE 1024
const char *top_text_source(char text[TOP_LINE], const char *source, double seconds,
	const char *state, int width, bool utf8);
const char *top_text_rate(char text[TOP_LINE], const struct top_model *m, int width);
const char *top_text_drops(char text[TOP_LINE], const struct top_model *m, int width,
	bool *some); /* *some: since the shot before */
const char *top_text_protocols(char text[TOP_LINE], const struct top_model *m, int width);
const char *top_text_head(
	char text[TOP_LINE], const struct top_model *m, const struct top_layout *l, bool utf8);
const char *top_text_row(char text[TOP_LINE], const struct top_model *m, const struct top_layout *l,
	const struct top_row *r, bool utf8);
const char *top_text_cut(char text[TOP_LINE], const char *s, int width,
	bool utf8); /* any text, made harmless for a terminal */
int top_cells(const char *s, bool utf8);

/* ---- View ---- */

struct top_view;

/* Before the program is confined: all files that the terminal needs are opened here.  0, or an exit
 * code after the message. */
int top_view_open(struct top_view **view, const struct cli *cli);
void top_view_start(struct top_view *view, struct bpe_engine *engine); /* shows itself */
/* Waits for a key, 0.1 s at most, and shows what is new.  ended: the run is over, why: NULL, or
 * what went wrong.  False: the user wants to leave. */
bool top_view_step(struct top_view *view, bool ended);
void top_view_suspend(struct top_view *
		view); /* SIGTSTP came: gives the terminal back and stops; returns when continued */
void top_view_redraw(struct top_view *view); /* SIGCONT came */
void top_view_say(struct top_view *view,
	const char *text); /* a notice, from any thread; also on stderr at the end */
/* The terminal as it was; the thread ends.  The run has ended, or was never started. */
void top_view_close(struct top_view *view);
void top_view_restore(
	void); /* the terminal as it was, by a signal handler that is about to leave */

#endif
