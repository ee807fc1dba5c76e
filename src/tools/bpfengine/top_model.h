/* SPDX-License-Identifier: MIT */
/* The rows of the live view: snapshots of the engine, rates, groups, filter, order, cursor; pure.
 * Sums by direction have index 0 for the way from the left end of a row, and 1 for the other way.
 */
#ifndef CLI_TOP_MODEL_H
#define CLI_TOP_MODEL_H

#include "cli.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOP_FLOWS 2000u          /* of a snapshot, at most */
#define TOP_TRACKS 4096u         /* flows with a history: of the snapshot, and earlier */
#define TOP_ROWS (2 * TOP_FLOWS) /* every flow has two hosts */
#define TOP_PROTOCOLS 24u
#define TOP_FILTER 64u
#define TOP_CLOSED 512u /* the latest closed flows */
#define TOP_WINDOWS 3   /* averages: over 2, 10 and 40 s */
#define TOP_TICKS 48u   /* of a flow's history; more than the longest average has */
#define TOP_PAST 240u   /* ticks of the link's history */

enum top_sort {
	TOP_RATE,
	TOP_BYTES,
	TOP_PACKETS,
	TOP_RETRANSMISSIONS,
	TOP_RTT,
	TOP_AGE,
	TOP_SORTS
};

enum top_group {
	TOP_GROUP_NONE, /* a row is a flow */
	TOP_GROUP_HOST,
	TOP_GROUP_PAIR,
	TOP_GROUP_SERVICE,
	TOP_GROUP_PROCESS,
	TOP_GROUP_NAME,
	TOP_GROUP_APP,
	TOP_GROUPS
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

/* A flow, or a group of flows. */
struct top_row {
	const struct bpe_flow *flow;     /* a group: the first flow */
	const struct top_track *track;   /* NULL: a group, or a closed flow */
	int end;                         /* a host: the end of the flow */
	uint32_t flows;                  /* 1, or the flows of the group */
	bool known;                      /* the rates are */
	uint64_t bytes[2], packets[2];   /* by direction */
	double rate[TOP_WINDOWS][2];     /* bytes a second, by direction */
	double packet_rate[TOP_WINDOWS]; /* packets a second, both ways */
	uint64_t retransmissions;
	int64_t rtt_ns; /* both halves: latest samples, else the handshake's; -1: none */
	int64_t age_ns; /* a group: of the oldest flow */
};

struct top_growth {
	uint64_t bytes[2], packets;
};

/* The growth of a flow in each of the latest ticks. */
struct top_track {
	uint32_t hash;
	uint16_t port[2], vlan[2];
	uint8_t addr[2][16];
	uint8_t ip_proto, ip_version;
	bool is_used, is_seen; /* seen: the flow is in the latest snapshot */
	int64_t first_ns;
	struct top_growth all;              /* counters when the flow was last seen */
	uint64_t tick;                      /* the latest counted */
	uint64_t since;                     /* the first with a known growth */
	struct top_growth grown[TOP_TICKS]; /* by tick % TOP_TICKS */
};

/* A tick lasts a second at least, and ends with a snapshot. */
struct top_tick {
	int64_t begin_ns, end_ns;
	uint64_t bytes, packets; /* of the link */
};

struct top_model {
	struct top_shot now;
	struct top_shot before; /* of the snapshot before, without flows */
	double seconds;         /* between the two snapshots */
	bool is_first;          /* there is no snapshot before: all counts are new */
	bool is_file;           /* time is the packets' */
	bool is_whole;          /* the run is over: rates are averages over all */

	struct top_tick past[TOP_PAST];
	uint64_t tick;          /* number of the latest */
	struct top_growth link; /* counted in ticks so far; [0] alone: both ways */
	struct {
		uint64_t ticks;
		double seconds;
	} window[TOP_WINDOWS];
	struct top_track *tracks;
	uint32_t *slots; /* tracks by hash: index + 1; 0: free */

	struct bpe_flow *closed; /* closed flows, the latest first */
	size_t closed_count;
	uint64_t closed_all; /* ended since the start, the forgotten included */

	struct top_row *rows;         /* of now.flows */
	struct top_row *others;       /* groups, or rows of closed flows */
	const struct top_row *listed; /* rows, or others */
	uint32_t *order;              /* indexes of listed as displayed: `shown` of them */
	size_t shown;
	bool has_processes;       /* a flow names its process */
	bool has_names, has_apps; /* a flow has a name; the protocol was recognised */

	enum top_sort sort;
	enum top_group group;
	uint32_t average; /* the chosen window */
	bool reverse;
	bool shows_closed;
	bool names; /* of services instead of port numbers */
	bool bytes; /* rates in bytes/s instead of bit/s */
	char filter[TOP_FILTER];
	const struct bpe_where *where; /* --where; NULL: none */
	struct {
		enum top_group group; /* NONE: no restriction */
		struct bpe_flow flow;
		int end;
	} within; /* a group which the listed flows belong to */
	/* Returns a service's name or NULL.  NULL: no names. */
	const char *(*service)(uint16_t port, uint8_t ip_proto);
};

/* Returns false without memory. */
bool top_model_init(struct top_model *m);
void top_model_free(struct top_model *m);
/* Takes the snapshot's content, and gives the snapshot memory for the next one in exchange. */
void top_model_take(struct top_model *m, struct top_shot *shot);
/* Computes rows and order anew, after a change of a setting below. */
void top_model_arrange(struct top_model *m);
/* Returns the row in place i of the list; i < m->shown. */
const struct top_row *top_row_at(const struct top_model *m, size_t i);
/* Returns the seconds of the run: of the packets in a file, else since the start. */
double top_run_seconds(const struct top_model *m);
const char *top_sort_name(const struct top_model *m);

/* ---- Growth (top_track.c) ---- */

/* Ends or extends a tick at the time of m->now; the run began at begin_ns. */
void top_tick_take(struct top_model *m, int64_t begin_ns, int64_t now_ns);
/* Counts all flows of m->now on their tracks, and sets their rows' track, rates and known. */
void top_tracks_take(struct top_model *m);
/* Returns the tick with the number, for the latest TOP_PAST ticks. */
const struct top_tick *top_tick_at(const struct top_model *m, uint64_t tick);

/* ---- Groups (top_group.c) ---- */

/* Returns whether two flows are in the same group.  end: of a host. */
bool top_same_group(enum top_group group, const struct bpe_flow *a, int end_a,
	const struct bpe_flow *b, int end_b);
/* Returns whether the flow belongs to the group. */
bool top_in_group(
	enum top_group group, const struct bpe_flow *of, int end, const struct bpe_flow *flow);
/* Sums the rows which `wanted` lists into groups.  Returns the number of groups. */
size_t top_group_rows(const struct top_row *rows, const uint32_t *wanted, size_t count,
	enum top_group group, struct top_row *groups);
const char *top_group_name(enum top_group group);

/* ---- Filter (top_filter.c) ---- */

/* Returns whether the flow matches.  Each word of the filter must occur in the flow's addresses,
 * ports, protocol, state, end, name, app or process; a word that begins with "!" must not.  ":443"
 * is the port. */
bool top_matches(const struct top_model *m, const struct bpe_flow *f, const char *filter);
/* Returns the port of an end as people know it: 0 for ICMP, where records have an identifier. */
uint16_t top_port(const struct bpe_flow *f, int end);

/* ---- Cursor (top_cursor.c) ---- */

/* The chosen row.  The cursor stays with its flow or group when the order changes, as long as the
 * row is in the window; else the cursor keeps its place, so the window never moves by itself.  At
 * home the first row is chosen, whichever row. */
struct top_cursor {
	size_t at, first; /* places in the list: of the cursor, of the window's first row */
	bool follows;     /* the flow below */
	struct bpe_flow flow;
	int end;
};

enum top_move { TOP_MOVE_NONE, TOP_MOVE_LINES, TOP_MOVE_HOME, TOP_MOVE_END };
/* Moves the cursor; lines: below 0 upwards, with TOP_MOVE_LINES.  rows: of the window's list. */
void top_cursor_move(struct top_cursor *c, const struct top_model *m, enum top_move move,
	long lines, size_t rows);
/* Returns the listed row of the cursor's flow or group, or NULL. */
const struct top_row *top_cursor_find(const struct top_cursor *c, const struct top_model *m);
/* Replaces the cursor's flow by the record of the closed flow.  Returns false if there is none. */
bool top_cursor_find_closed(struct top_cursor *c, const struct top_model *m);
/* Finds the cursor's row again after the list has changed, and keeps the row in the window. */
void top_cursor_settle(struct top_cursor *c, const struct top_model *m, size_t rows);

#endif
