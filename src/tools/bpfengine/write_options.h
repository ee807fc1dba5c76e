/* SPDX-License-Identifier: MIT */
/* Options about the savefiles that a run writes (-w and its kin), as they were typed.  All zero: no
 * option was given.  write_options.c reads the values, write_letters.c the letters of tcpdump and
 * dumpcap. */
#ifndef CLI_WRITE_OPTIONS_H
#define CLI_WRITE_OPTIONS_H

#include "bpfengine.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct cli;
struct option_spec;

/* --ledger and --no-ledger; by default there is a ledger if files are rotated. */
enum cli_ledger { CLI_LEDGER_AUTO = 0, CLI_LEDGER_ON, CLI_LEDGER_OFF };

/* How rotated files are named. */
enum cli_write_names {
	CLI_NAMES_OWN = 0,
	CLI_NAMES_TCPDUMP, /* -C: x, x1, x2; with -W 10: x0 to x9, again and again */
	CLI_NAMES_DUMPCAP  /* -b: x_00001_20240714120117.pcapng */
};

/* --split */
enum cli_split { CLI_SPLIT_NONE = 0, CLI_SPLIT_FLOW, CLI_SPLIT_HOST, CLI_SPLIT_PROCESS };

struct write_options {
	const char *path;          /* -w; NULL: nothing is written; "-": the standard output */
	uint32_t format;           /* enum bpe_write_format */
	uint32_t compression;      /* enum bpe_compression */
	int32_t compression_level; /* 0: the library's own */
	/* --rotate: a file ends at the first limit; 0: no such limit */
	uint64_t rotate_bytes, rotate_packets;
	int64_t rotate_ns;
	uint64_t stop_files; /* the run ends after so many files; 0: no limit */
	/* --keep: limits of the files of this name; 0: no such limit */
	uint64_t keep_files, keep_bytes;
	int64_t keep_ns;
	uint32_t keep_free_percent;
	bool error_continue;   /* --write-error continue */
	uint64_t memory_bytes; /* --write-memory; 0: the writer's own */
	int64_t sync_ns;       /* --sync; 0: at the end of each file only */
	const char *comment;   /* --write-comment; NULL: none */
	bool hash;             /* --write-hash */
	uint32_t ledger;       /* enum cli_ledger */
	bool sha256;           /* --ledger=sha256 */
	bool packet_buffered;  /* -U */
	const char *command;   /* -z: runs after each file; NULL: none */

	/* Letters of tcpdump and dumpcap, until cli_complete_write_letters. */
	uint64_t letter_bytes;      /* -C */
	int64_t letter_ns;          /* -G */
	uint64_t letter_files;      /* -W */
	uint64_t letter_stop_files; /* -a files: */
	uint64_t stop_bytes;        /* -a filesize: */
	bool is_ring;               /* -b was given */
	uint64_t ring_bytes, ring_packets, ring_files;
	int64_t ring_ns, ring_interval_ns;
	/* What they mean beside the values above. */
	uint32_t names;          /* enum cli_write_names */
	uint64_t name_files;     /* -W, for the digits of the number; 0: none */
	bool time_before_number; /* -b nametimenum:2 */
	bool from_start;        /* rotate_ns counts from the begin of each file, not by the clock */
	const char *print_name; /* -b printname: file for the names of complete files; NULL: none */

	bool cutoff;           /* --cutoff was given */
	uint64_t cutoff_bytes; /* bytes of each flow that are written whole */
	bool cutoff_drop;      /* after=drop: nothing behind them, and not the headers either */

	uint64_t recorder_bytes; /* --recorder SIZE; 0: no limit by size */
	int64_t recorder_ns;     /* --recorder SECONDS; 0: no limit by time */
	const char *trigger;     /* --trigger; NULL: none */
	uint32_t split;          /* enum cli_split */

	int64_t dedup_ns;         /* --dedup; 0 and no packets: copies are written */
	uint32_t dedup_packets;   /* --dedup packets=N */
	uint32_t dedup;           /* enum bpe_dedup */
	const char *anonymise;    /* --anonymise: the key's file, and words; NULL: addresses stay */
	uint32_t anonymise_flags; /* BPE_ANONYMISE_* */
	uint8_t anonymise_key[BPE_ANONYMISE_KEY_BYTES];
};

/* Checks the options about written files together, and completes them.  Returns 0 or EXIT_USAGE
 * after the message. */
int cli_check_write_options(struct cli *cli);

/* Refuses options with packets and text both on the standard output.  Returns 0 or EXIT_USAGE after
 * the message. */
int cli_check_packet_output(const struct cli *cli);

/* Returns whether files follow one another, so names have times and numbers. */
bool cli_write_rotates(const struct cli *cli);

/* Readers of values: target is a struct cli.  Return 0 or EXIT_USAGE after the message. */
int cli_read_compression(void *target, const struct option_spec *spec, const char *word);
int cli_read_rotate(void *target, const struct option_spec *spec, const char *word);
int cli_read_keep(void *target, const struct option_spec *spec, const char *word);
int cli_read_ledger(void *target, const struct option_spec *spec, const char *word);
int cli_read_cutoff(void *target, const struct option_spec *spec, const char *word);
int cli_read_recorder(void *target, const struct option_spec *spec, const char *word);
int cli_read_file_size(void *target, const struct option_spec *spec, const char *word);
int cli_read_file_time(void *target, const struct option_spec *spec, const char *word);
int cli_read_file_count(void *target, const struct option_spec *spec, const char *word);
int cli_read_command(void *target, const struct option_spec *spec, const char *word);
int cli_read_ring(void *target, const struct option_spec *spec, const char *word);
/* Read the values of -a filesize: and -a files:.  Return 0 or EXIT_USAGE after the message. */
int cli_read_stop_size(struct cli *cli, const char *word);
int cli_read_stop_files(struct cli *cli, const char *word);
/* Returns whether the word is a value of dumpcap's -b, such as files:3. */
bool cli_is_ring_word(const char *word);
/* Checks the letters together, and sets what they mean.  Returns 0 or EXIT_USAGE after the message.
 */
int cli_complete_write_letters(struct cli *cli);
/* Handles --no-ledger.  Returns 0. */
int cli_act_no_ledger(void *target);

/* ---- rewrite.c ---- */

int cli_read_dedup(void *target, const struct option_spec *spec, const char *word);
int cli_read_anonymise(void *target, const struct option_spec *spec, const char *word);
/* Reads the key of --anonymise, while the program still has its rights.  Returns 0 or an exit code
 * after the message. */
int cli_load_key(struct cli *cli);
/* Fills in what is changed of packets. */
void cli_set_rewriting(struct bpe_writer_options *options, const struct write_options *write);
/* Print what could not be changed, below the report's line about the files; and members of JSON. */
void cli_report_rewriting(FILE *to, const struct cli *cli, const struct bpe_written *stats);
void cli_report_rewriting_json(FILE *to, const struct bpe_written *stats);

#endif
