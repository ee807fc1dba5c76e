/* SPDX-License-Identifier: MIT */
/* What the program's files share.  The program sees bpfengine.h and the system, nothing else of the
 * project. */
#ifndef CLI_H
#define CLI_H

#include "bpfengine.h"
#include "tools/common/program.h"

#include <stdio.h>

enum cli_exit { EXIT_GOOD = 0, EXIT_ERROR = 1, EXIT_USAGE = 2, EXIT_RIGHTS = 3, EXIT_SOURCE = 4 };

struct cli_rights {        /* after opening; strings are empty where there is nothing to say */
	bool dropped;      /* another user than the one that started it */
	bool filter_fixed; /* what confines it does not let the filter change */
	char user[64], capabilities[64], confined[160];
	char missing[160], kept[192]; /* what of the confinement is not there; what is kept, or does
					 not work, and why */
};

struct cli_flows;

struct cli {
	struct bpe_options engine;
	int64_t duration_ns;       /* 0: no limit */
	int64_t stats_interval_ns; /* 0: none */
	const char *flows_path;    /* NULL: none */
	char flows_shown[200];     /* the same, fit for a terminal */
	bool top;                  /* the live view */
	uint32_t largest;          /* largest flows in the report */
	uint32_t flows_format;     /* enum bpe_format */
	bool flows_stop;           /* what cannot be written ends the run */
	bool flows_append;         /* what stands in the file stays */
	struct program_files used; /* files that no output may be */
	struct cli_flows *flows;   /* NULL: none */
	int verbose;
	int dump; /* -d: 1, 2, 3 */
	bool explain;
	char *filter;            /* the expression, in memory of its own */
	const char *filter_path; /* -F; NULL: it was given in words */
	bool unoptimized;        /* -O: for -d */
	const char *user;        /* -Z; NULL: as rights.h has it */
	bool no_confine;
	struct cli_rights rights;
	bool quiet, json, list, done; /* done: options asked for no run (--help) */
};

/* 0, or the exit code after the message was printed. */
int cli_options(struct cli *cli, int argc, char **argv);

/* --tunnels LIST (tunnels.c): 0 and *closed, or the length of the first word that is none, at
 * *wrong. */
size_t cli_tunnels(const char *list, uint64_t *closed, const char **wrong);
void cli_tunnels_help(FILE *to); /* the names, as lines of --help */

char *cli_filter_file(
	const char *path, char *why, size_t room); /* the file's text, for free; NULL, and why */
int cli_list(bool json);
int cli_program_print(const struct cli *cli);
void cli_program(FILE *to, const struct bpe_insn *program, uint32_t length, int style);

/* Rights: prepare before anything is opened, give_up when the source is and no thread runs yet.  0,
 * or the exit code after the message. */
int cli_rights_prepare(struct cli *cli);
int cli_rights_give_up(struct cli *cli);
uid_t cli_rights_user(void);             /* who the program will be */
bool cli_rights_may_make(int directory); /* whether that user may make files in it */

/* The whole of a run as people or programs read it. */
void cli_report_text(FILE *to, struct bpe_engine *engine, const struct cli *cli, const char *error);
double cli_packet_seconds(
	const struct bpe_stats *stats); /* from the earliest packet to the latest */
void cli_report_json(FILE *to, struct bpe_engine *engine, const struct cli *cli, const char *error);
bool cli_live_line(
	const struct bpe_stats *stats); /* on the terminal, in place; false: it has gone */
void cli_live_clear(void);
void cli_interval_line(FILE *to, const struct bpe_stats *stats);

/* Rates between the lines that are shown (rates.c).  All zero at first. */
struct cli_rates {
	uint32_t count;
	struct {
		uint64_t ns, packets, bytes;
	} at[8];
};
/* Puts the rates since the call before into the stats, or with span_ns since the latest call that
 * is at least so long ago; since the start where there was none. */
void cli_rates_take(struct cli_rates *rates, struct bpe_stats *stats, uint64_t span_ns);

/* Notes what no output may be (outputs.c), and looks at stdout and stderr: 0, or an exit code after
 * the message. */
int cli_outputs_check(struct cli *cli);

/* --flows: records as lines.  open: what stands there stays as it is; owner: a user that the file
 * may belong to; make: behind the source's opening; begin: before the run, empties the file; these
 * three give 0 or an exit code after the message.  record: as on_record; reopen and ending: also by
 * signal handlers: the file is opened anew, nothing is waited for much longer; close: 0 or the
 * errno of what was not written last. */
int cli_flows_open(struct cli_flows **flows, const struct cli *cli, uid_t owner);
int cli_flows_make(struct cli_flows *flows);
int cli_flows_begin(struct cli_flows *flows, struct bpe_engine *engine);
bool cli_flows_on_stdout(const struct cli_flows *flows);
void cli_flows_record(struct cli_flows *flows, const struct bpe_flow *flow);
void cli_flows_reopen(struct cli_flows *flows);
void cli_flows_ending(struct cli_flows *flows);
int cli_flows_directory(const struct cli_flows
		*flows); /* descriptor of where the file is; -1: it is no regular file */
void cli_flows_counts(
	const struct cli_flows *flows, uint64_t *written, uint64_t *lost); /* any thread */
int cli_flows_close(struct cli_flows *flows);

/* Names and numbers (text.c). */
const char *cli_address(char *to, size_t room, const uint8_t *addr, int version);
const char *cli_protocol(char *to, size_t room, uint8_t ip_proto, uint8_t ip_version);
const char *cli_tcp_state(uint8_t state);
const char *cli_count(char *to, size_t room, double n); /* 1.23 M */

#endif
