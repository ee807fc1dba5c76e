/* SPDX-License-Identifier: MIT */
/* Declarations that the program's files share.  The program includes bpfengine.h and the system's
 * headers, and nothing else of the project but tools/common. */
#ifndef CLI_H
#define CLI_H

#include "bpfengine.h"
#include "file_command.h"
#include "owner_helper.h"
#include "tools/common/option.h"
#include "tools/common/program.h"
#include "tools/print/print.h"
#include "write_options.h"
#include "write_place.h"

#include <stdio.h>

enum cli_exit { EXIT_GOOD = 0, EXIT_ERROR = 1, EXIT_USAGE = 2, EXIT_RIGHTS = 3, EXIT_SOURCE = 4 };

/* What a run does. */
enum cli_mode {
	CLI_MODE_CAPTURE = 1,
	CLI_MODE_LIST = 2, /* -L, -D, -J */
	CLI_MODE_DUMP = 4, /* -d */
	CLI_MODE_EXPLAIN = 8
};

/* Rights after the opening of the source.  A string is empty where there is nothing to report. */
struct cli_rights {
	bool dropped;      /* the program runs as another user than the one who started it */
	bool filter_fixed; /* the confinement forbids a change of the filter */
	char user[64];
	char capabilities[64];
	char confined[160]; /* mechanisms that confine the program */
	char missing[160];  /* mechanisms that failed, and why */
	char kept[192];     /* rights that are kept, or options that do not work, and why */
};

struct cli_exports;
struct cli_flows;
struct cli_targets;

/* When a table's file ends, and the next begins; 0: no such limit. */
struct cli_table_limits {
	uint64_t bytes, rows, every_ns;
};

struct cli {
	struct bpe_options engine;
	int64_t duration_ns;       /* 0: no limit */
	int64_t stats_interval_ns; /* 0: none */
	const char *flows_path;    /* NULL: none */
	char flows_shown[200];     /* flows_path, fit for a terminal */
	const char *table_path;    /* --flows NAME.parquet, NAME.sqlite; then flows_path is NULL */
	struct cli_table_limits table_limits; /* --flows-rotate */
	const char *events_path;              /* NULL: none */
	char events_shown[200];               /* events_path, fit for a terminal */
	struct print_options print;           /* packets on stdout (--print) */
	bool prints;                 /* a letter was given that says how packets are printed */
	struct write_options write;  /* savefiles that are written (-w) */
	struct write_place place;    /* ... and where */
	struct cli_command *command; /* -z; NULL: none */
	struct cli_owners *owners;   /* the helper of --process; NULL: none */
	struct cli_targets *targets; /* as options name them; NULL: none */
	struct cli_exports *exports; /* their processes; NULL: none */
	struct bpe_writer *writer;   /* NULL: nothing is written */
	bool colors;                 /* --color was given, for packets or for the live view */
	bool immediate;              /* --immediate-mode */
	bool top;                    /* the live view */
	uint32_t largest;            /* largest flows in the report */
	uint32_t flows_format;       /* enum bpe_format */
	uint32_t events_format;      /* likewise; while options are read, ECS has CSV's number */
	bool flows_stop;             /* a failure to write flows ends the run */
	bool flows_append;           /* the content of the flow file stays */
	struct program_files used;   /* files that no output may be */
	struct cli_flows *flows;     /* NULL: none */
	struct cli_flows *events;    /* NULL: none */
	int verbose;
	int dump; /* -d: 1, 2, 3 */
	bool explain;
	struct bpe_source *sources; /* -i and -r in their order; the first is in engine, too */
	struct cli_source_list
		*source_lists; /* copies of "en0,en1", which the sources point into */
	uint32_t source_count;
	uint32_t group;          /* place of the first source of the last -i or -r */
	char *filter;            /* the expression, allocated; NULL: none */
	uint32_t filter_of;      /* sources that were given before the filter */
	bool filter_on_input;    /* -F - */
	const char *filter_path; /* -F; NULL: the expression was given in words */
	bool unoptimized;        /* -O: for -d */
	const char *user;        /* -Z; NULL: chosen as rights.h says */
	bool no_confine;
	bool no_names;           /* --no-names */
	bool ja3;                /* --ja3 */
	struct bpe_where *where; /* --where, compiled; NULL: none */
	bool with_ssh;           /* the own SSH connection is shown, too */
	char ssh_filter[192];    /* leaves out the own SSH connection; "": no such filter */
	struct cli_rights rights;
	bool quiet, json;
	bool list;                   /* -L, -D: the interfaces */
	bool numbered;               /* -D: with their numbers */
	bool list_clocks;            /* -J */
	bool counts;                 /* --count: the number of packets instead of a report */
	uint8_t uses[OPTION_MOST];   /* of each row of the table */
	char **words;                /* words behind the options, ended by NULL */
	char numbered_interface[64]; /* the name behind -i 3 */
	const char *notices[8];      /* to be told once the source is open */
	uint32_t notice_count;
	char notice_text[400]; /* a notice that is made here */
	char repeated[200];    /* likewise: options that were given twice */
	bool done;             /* the options asked for no run (--help) */
};

/* ---- The command line (options.c, option_values.c, tunnels.c) ---- */

/* Reads the command line.  Returns 0, or the exit code after the message was printed. */
int cli_options(struct cli *cli, int argc, char **argv);
/* Frees what cli_options kept, also after it refused the command line. */
void cli_free(struct cli *cli);
/* Reads the list of --tunnels.  Returns 0 and the bits of the closed tunnels in *closed, or the
 * length of the first unknown word, which begins at *wrong. */
size_t cli_tunnels(const char *list, uint64_t *closed, const char **wrong);
/* Prints the names of all tunnels as lines of --help. */
void cli_tunnels_help(FILE *to);
/* Returns the text of a filter's file, to be freed by the caller, or NULL and the reason in why. */
char *cli_filter_file(const char *path, char *why, size_t room);

/* ---- The sources of a run (sources.c) ---- */

/* Returns whether there are several sources. */
bool cli_has_several(const struct cli *cli);
/* Checks the sources.  Returns 0 or EXIT_USAGE after the message. */
int cli_sources_check(struct cli *cli);
/* Sets the source or the sources of the engine in a copy of cli->engine. */
void cli_sources_apply(const struct cli *cli, struct bpe_options *options);
/* Writes the names as "en0, en1 and en2".  Returns to. */
const char *cli_sources_text(const struct cli *cli, char *to, size_t room);
/* Makes *alone a copy with the only source that the failure's text names.  Returns false if there
 * are not several sources, or none is named. */
bool cli_sources_failed(const struct cli *cli, const char *text, struct cli *alone);
void cli_sources_free(struct cli *cli);

/* ---- The own SSH connection (own_ssh.c) ---- */

/* Ends of a TCP connection; addresses as a filter knows them. */
struct cli_ssh {
	char client[46], server[46];
	unsigned client_port, server_port;
};

/* Reads a value of SSH_CONNECTION.  Returns false if the value is no connection. */
bool cli_ssh_read(struct cli_ssh *ssh, const char *connection);
/* Sets a filter that leaves out the own SSH connection, if the run shows packets and has no filter.
 * Runs before rights are given up. */
void cli_ssh_leave_out(struct cli *cli);
/* Takes that filter back.  Returns false if there is none. */
bool cli_ssh_take_back(struct cli *cli);

/* ---- Runs without a capture: -L, -d, --explain.  Each returns an exit code. ---- */

int cli_list_interfaces(const struct cli *cli);
/* Returns the link type that the list names for an interface, or -1 if the type is not
 * known yet. */
int cli_listed_link_type(const char *name, bool *found);
int cli_dump_filter(const struct cli *cli);
/* Prints a program as -d (style 1), -dd (2) or -ddd (3) does. */
void cli_print_program(FILE *to, const struct bpe_insn *program, uint32_t length, int style);

/* ---- Rights (rights.c) ---- */

/* Decides which rights the program keeps.  Runs before anything is opened.  Returns 0, or the exit
 * code after the message. */
int cli_rights_prepare(struct cli *cli);
/* Gives up rights.  Runs after the source was opened and before the first thread starts.  Returns
 * 0, or the exit code after the message. */
int cli_rights_give_up(struct cli *cli);
/* Returns the user that the program will run as. */
uid_t cli_rights_user(void);
/* Writes the name of that user.  Returns `to`. */
const char *cli_rights_user_name(char *to, size_t room);
/* Gives up rights in a helper process, which becomes the same user and keeps nothing.  Returns 0 or
 * an errno. */
int cli_rights_shed(void);
/* Likewise in a process that needs no rights in any run: root becomes the unprivileged user also if
 * the capture keeps rights.  -Z root keeps root. */
int cli_rights_shed_wholly(void);
/* Likewise in the helper of --process, which keeps the rights for asking. */
int cli_rights_shed_for_owners(void);
/* Returns whether the user that the program will run as may make files in the directory. */
bool cli_rights_may_make(int directory);
/* Returns whether the file is the user's after opening.  made: root made the file and may give the
 * file away.  Only -Z nobody gives a file to nobody, since other programs run as nobody, too. */
bool cli_rights_give(int file, bool made);

/* ---- The report (report.c, report_json.c) and lines while the program runs (live_line.c) ---- */

void cli_report_text(FILE *to, struct bpe_engine *engine, const struct cli *cli, const char *error);
/* Opens what tells of huge pages, before the program is confined; Linux alone (huge_pages.c). */
void cli_huge_pages_watch(void);
/* Prints how much memory lies in huge pages, if cli_huge_pages_watch could open what tells. */
void cli_huge_pages_report(FILE *to);
void cli_report_json(FILE *to, struct bpe_engine *engine, const struct cli *cli, const char *error);
/* Report what was written, in a line or as a member; nothing if nothing was to be written
 * (write_report.c). */
void cli_report_written(FILE *to, const struct cli *cli);
void cli_report_written_json(FILE *to, const struct cli *cli);
/* Print the numbers of each source (report_sources.c): as a table, if there are several, and as the
 * member "sources". */
void cli_report_sources_text(FILE *to, struct bpe_engine *engine, bool are_files);
void cli_report_sources_json(FILE *to, struct bpe_engine *engine);
/* Rates that a line shows. */
struct cli_shown_rates {
	const char *of; /* words before the rates: "trace: " of a savefile */
	double packets, bits;
	double reading; /* packets read in a second of a savefile; else 0 */
};
/* Writes the line of statistics in place on the terminal.  Returns false if the terminal is gone.
 */
bool cli_live_line(const struct bpe_stats *stats, const struct cli_shown_rates *rates);
/* Returns whether a line of statistics was ever shown. */
bool cli_live_was_shown(void);
/* Clears the line of statistics, so the next message begins in an empty line. */
void cli_live_clear(void);
/* Prints a line of --stats-interval, with the words of its time and of its rates. */
void cli_interval_line(
	FILE *to, const char *when, const struct bpe_stats *stats, const char *rates);

/* Counters at earlier times, from which rates are computed (rates.c).  All zero at first. */
struct cli_reading {
	uint64_t ns, packets, bytes;
	int64_t packet_ns;
};
struct cli_rates {
	uint32_t count;
	struct cli_reading at[8];
};
/* Computes the rates.  They count from the latest call at least span_ns ago (0: the call before),
 * or from the start of the run if there was none.  by_packet_time: for a savefile. */
void cli_rates_take(struct cli_rates *rates, const struct bpe_stats *stats, uint64_t span_ns,
	bool by_packet_time, struct cli_shown_rates *shown);

/* ---- Outputs (outputs.c) ---- */

/* Returns the columns of the terminal behind the stream; 0: it is no terminal. */
size_t cli_terminal_width(FILE *stream);

/* Notes the files that no output may be, and checks stdout and stderr.  Returns 0, or the exit code
 * after the message. */
int cli_outputs_check(struct cli *cli);

/* ---- The files of --flows and --events (flow_file.c).  Calls that return int return 0, or the
 * exit code after the message, unless noted. ---- */

/* Opens the file without changing it.  owner: a user that the file may belong to. */
int cli_flows_open(struct cli_flows **flows, const struct cli *cli, uid_t owner);
/* Opens the file of --events likewise, behind the file of --flows. */
int cli_events_open(struct cli_flows **events, const struct cli *cli, uid_t owner);
/* Makes a missing file.  Runs once the source is open. */
int cli_flows_make(struct cli_flows *flows);
/* Empties the file unless it is appended to.  Runs just before the engine starts. */
int cli_flows_begin(struct cli_flows *flows, struct bpe_engine *engine);
bool cli_flows_on_stdout(const struct cli_flows *flows);
/* Writes a record; on_record of the engine, on its output thread.  flow NULL: flushes. */
void cli_flows_record(struct cli_flows *flows, const struct bpe_flow *flow);
/* Writes an event; on_event of the engine, likewise. */
void cli_flows_event(struct cli_flows *events, const struct bpe_event *event);
/* Asks for the file to be opened anew.  Safe in a signal handler. */
void cli_flows_reopen(struct cli_flows *flows);
/* Limits from now on how long a slow reader is waited for.  Safe in a signal handler. */
void cli_flows_ending(struct cli_flows *flows);
/* Returns the descriptor of the file's directory, or -1 if the file is no regular file. */
int cli_flows_directory(const struct cli_flows *flows);
/* Gives the lines that were written and lost.  Any thread. */
void cli_flows_counts(const struct cli_flows *flows, uint64_t *written, uint64_t *lost);
/* Closes and frees.  Returns 0, or the errno of the last failure to write. */
int cli_flows_close(struct cli_flows *flows);
/* Returns the descriptor of the file, or -1 if the file is no regular file.  *made: by this run. */
int cli_flows_descriptor(const struct cli_flows *flows, bool *made);

/* ---- What a user of --flows is told at the start of a live run (flow_start.c) ---- */

/* Tells when lines are written. */
void cli_flows_tell_waiting(const struct cli *cli);
/* Prepares the opening of a file anew after SIGHUP, and tells what SIGHUP will not be able to do.
 * Runs before rights are given up.  shown: the file's path; file NULL: none. */
void cli_flows_prepare_rotation(
	const struct cli *cli, const struct cli_flows *file, const char *shown);

/* ---- The first line of a run (first_line.c) ---- */

/* Returns whether the source is generated traffic. */
bool cli_is_generated(const struct bpe_options *options);
/* Prints "listening on ..." on stderr, unless --quiet or --top. */
void cli_first_line(const struct cli *cli, const struct bpe_engine *engine);

/* ---- Notices (notices.c).  Any thread. ---- */

/* Prints a notice on stderr unless quiet, and keeps the notice for the report. */
void cli_notice(bool quiet, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Keeps a notice that was printed elsewhere. */
void cli_notice_keep(const char *text);
/* Prints the members "notices" and, if not all were kept, "notices_more" of the JSON report. */
void cli_notices_json(FILE *to);
/* Prints the notices as a section of the report; nothing if there are none. */
void cli_notices_text(FILE *to);

/* ---- Numbers for people (people.c).  Each returns `to`, unless noted. ---- */

enum { CLI_NUMBER = 32, CLI_RATE = 64, CLI_TIME = 48 }; /* room for a text of each kind */

/* Writes 1,234,567. */
const char *cli_number(char *to, size_t room, uint64_t n);
/* Writes "1 packet" or "1,234 packets" for the word "packet". */
const char *cli_counted(char *to, size_t room, uint64_t n, const char *word);
const char *cli_counted_as(
	char *to, size_t room, uint64_t n, const char *singular, const char *plural);
/* Writes a rate with a unit that takes prefixes: 0 bit/s, 1.2 Mbit/s. */
const char *cli_rate(char *to, size_t room, double n, const char *unit);
/* Writes 12 packets/s or 1.2 k packets/s. */
const char *cli_packet_rate(char *to, size_t room, double n);
/* Writes packets/s and bit/s. */
const char *cli_both_rates(char *to, size_t room, const struct cli_shown_rates *rates);
/* Writes packets/s and bit/s to the last digit. */
const char *cli_exact_rates(char *to, size_t room, const struct cli_shown_rates *rates);
/* Writes packets/s and bit/s over a time; rates without time are 0. */
const char *cli_rates_text(
	char *to, size_t room, uint64_t packets, uint64_t wire_bytes, double seconds);
/* Writes 0.000123 s, 12.345 s, 2 min 03 s, 1 h 02 min 03 s or 2 days 03 h 04 min. */
const char *cli_duration(char *to, size_t room, uint64_t ns);
/* Writes a time in UTC as ISO 8601 does, with so many digits of the second (0 to 9). */
const char *cli_date(char *to, size_t room, int64_t ns, int digits);
/* Writes a counter of the kernel as digits, or `unknown` if the source does not report the counter.
 * which: a bit of kernel_known. */
const char *cli_kernel_count(char *to, size_t room, const struct bpe_stats *stats, uint64_t which,
	uint64_t n, const char *unknown);
/* Returns the time from the earliest packet to the latest. */
uint64_t cli_packet_span_ns(const struct bpe_stats *stats);
/* Returns the packets that this program dropped. */
uint64_t cli_own_drops(const struct bpe_stats *stats);
/* Returns whether the flow is of ICMP or ICMPv6, with an identifier in place of ports. */
bool cli_is_icmp(const struct bpe_flow *flow);
/* Writes an end of a flow: address and port.  ICMP has no ports. */
const char *cli_endpoint(char *to, size_t room, const struct bpe_flow *flow, int side);

/* ---- Names and numbers (text.c).  Each returns `to`, unless noted. ---- */

const char *cli_address(char *to, size_t room, const uint8_t *addr, int version);
const char *cli_protocol(char *to, size_t room, uint8_t ip_proto, uint8_t ip_version);
/* Returns the state's name; "" for no TCP. */
const char *cli_tcp_state(uint8_t state);
/* Writes a number with a decimal unit: 1.23 M. */
const char *cli_count(char *to, size_t room, double n);
/* Returns the number at an offset in *stats (struct bpe_stat). */
uint64_t cli_stat_value(const struct bpe_stats *stats, size_t offset);

#endif
