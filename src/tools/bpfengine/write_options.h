/* SPDX-License-Identifier: MIT */
/* Options about the savefiles that a run writes (-w and its kin), as they were typed.  All zero: no
 * option was given.  write_options.c reads the values, write_letters.c the letters of tcpdump and
 * dumpcap. */
#ifndef CLI_WRITE_OPTIONS_H
#define CLI_WRITE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct cli;
struct option_spec;

/* --ledger and --no-ledger; by default there is a ledger if files are rotated. */
enum cli_ledger { CLI_LEDGER_AUTO = 0, CLI_LEDGER_ON, CLI_LEDGER_OFF };

/* --split */
enum cli_split { CLI_SPLIT_NONE = 0, CLI_SPLIT_FLOW, CLI_SPLIT_HOST, CLI_SPLIT_PROCESS };

struct write_options {
	const char *path;          /* -w; NULL: nothing is written; "-": the standard output */
	uint32_t format;           /* enum bpe_write_format */
	uint32_t compression;      /* enum bpe_compression */
	int32_t compression_level; /* 0: the library's own */
	/* --rotate: a file ends at the first limit that is reached; 0: no such limit */
	uint64_t rotate_bytes, rotate_packets;
	int64_t rotate_ns;
	uint64_t stop_files; /* the run ends after so many files; 0: no limit */
	/* --keep: files of this run's name that may stay; 0: no such limit */
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

	bool cutoff;           /* --cutoff was given */
	uint64_t cutoff_bytes; /* bytes of each flow that are written whole */
	bool cutoff_drop;      /* after=drop: nothing behind them, and not the headers either */

	uint64_t recorder_bytes; /* --recorder SIZE; 0: no limit by size */
	int64_t recorder_ns;     /* --recorder SECONDS; 0: no limit by time */
	const char *trigger;     /* --trigger; NULL: none */
	uint32_t split;          /* enum cli_split */

	int64_t dedup_ns;      /* --dedup; 0: duplicates are written */
	const char *anonymise; /* --anonymise: the key's file; NULL: addresses stay */
};

/* Checks the options about written files together.  Returns 0 or EXIT_USAGE after the message. */
int cli_check_write_options(const struct cli *cli);

/* Readers of values: target is a struct cli.  Return 0 or EXIT_USAGE after the message. */
int cli_read_compression(void *target, const struct option_spec *spec, const char *word);
int cli_read_rotate(void *target, const struct option_spec *spec, const char *word);
int cli_read_keep(void *target, const struct option_spec *spec, const char *word);
int cli_read_ledger(void *target, const struct option_spec *spec, const char *word);
int cli_read_cutoff(void *target, const struct option_spec *spec, const char *word);
int cli_read_recorder(void *target, const struct option_spec *spec, const char *word);
/* Handles --no-ledger.  Returns 0. */
int cli_act_no_ledger(void *target);

#endif
