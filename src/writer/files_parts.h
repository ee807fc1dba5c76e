/* SPDX-License-Identifier: MIT */
/* The state of a writer's files, which their sources share. */
#ifndef BPEI_FILES_PARTS_H
#define BPEI_FILES_PARTS_H

#include "base/sha256.h"
#include "writer/files.h"
#include "writer/file_ring.h"

#include <stdatomic.h>

/* The kinds of failure, each told once. */
enum bpei_told {
	BPEI_TOLD_WRITE = 1,
	BPEI_TOLD_AGAIN = 2, /* a file is written again */
	BPEI_TOLD_CUT = 4,
	BPEI_TOLD_SYNC = 8,
	BPEI_TOLD_RENAME = 16,
	BPEI_TOLD_LEDGER = 32,
	BPEI_TOLD_REMOVE = 64,
	BPEI_TOLD_FOREIGN = 128,
	BPEI_TOLD_MEMORY = 256
};

/* The open file. */
struct bpei_open_file {
	int fd;           /* -1: none */
	bool stream;      /* a pipe or device: not cut, not completed */
	bool fresh;       /* nothing is in the file yet */
	bool replaces;    /* a file of the name */
	uint64_t start;   /* where the file begins; > 0: of a descriptor with bytes before */
	uint64_t settled; /* bytes handed on to the disk */
	uint64_t synced;  /* bytes at the last fsync */
	char name[BPEI_NAME_ROOM];
	char part[BPEI_NAME_ROOM]; /* the name while open, if another; else "" */
	uint32_t attempt;          /* of the name */
	struct tm when;            /* of the name */
	struct bpei_file_state state;
	struct bpe_written_file facts;
	struct bpei_books begun; /* totals when the file before ended */
	struct bpei_sha256 hash;
	struct bpei_ledger_frame *frames; /* [facts' frames]; free() */
	size_t frame_count, frame_room;
};

struct bpei_files {
	struct bpei_files_options o;
	const struct bpei_file_calls *calls;
	char *folder; /* of path, with its /; "": none */
	char *base;   /* of path: the template */
	struct bpei_file_names names;
	int directory;
	struct bpei_file_ring ring;
	struct bpei_open_file file;
	/* The name of the latest file without an attempt, and the attempt that led to a name.  A
	 * file of the same second or hour gets a later attempt, even if the ring has removed the
	 * file that had the name: so the names of a run follow one another. */
	char latest_name[BPEI_NAME_ROOM];
	uint32_t latest_attempt;
	uint64_t number;    /* of the open file, or of the file before */
	int64_t opened_ns;  /* of the file due */
	int64_t retry_ns;   /* no file could be opened: not again before (calls->now) */
	bool broken;        /* an error has ended the file, or the section of a descriptor */
	bool full;          /* ... because the disk was full */
	int64_t checked_ns; /* the last trim by the clock */
	int64_t synced_ns;  /* the last fsync (calls->now) */
	uint8_t *described; /* blocks for a file begun amid chunks; free() */
	size_t described_bytes, described_room;
	struct bpei_books books; /* of the latest chunk; ERROR is counts.lost */
	struct bpei_files_counts counts;
	int failed; /* the errno of the latest break */
	char failed_name[BPEI_NAME_ROOM];
	struct bpe_error error; /* the first with lost packets */
	unsigned told;          /* enum bpei_told */
	bool stopped, finished;
	bool owns_fd;           /* o.fd is closed with the files */
	_Atomic bool abandoned; /* w: any (only ever set to true)  r: the writer's thread */
};

/* ---- files.c ---- */
/* Opens the next file.  Returns 0 or a negative errno. */
int bpei_file_begin(struct bpei_files *files);
/* Removes old files as far as the limits ask.  now_ns: since 1970; INT64_MIN: no age counts. */
void bpei_files_trim(struct bpei_files *files, int64_t now_ns);
/* Completes the open file.  status: BPE_OK, or the error behind a cut. */
void bpei_file_complete(struct bpei_files *files, int status);
/* Counts a failure and tells the first of each kind. */
void bpei_files_tell(struct bpei_files *files, enum bpei_told kind, int failed, const char *what,
	const char *name);
/* Notes the first error with lost packets. */
void bpei_files_blame(struct bpei_files *files, int failed, const char *name);

/* ---- file_write.c ---- */
/* Writes bytes to the open file.  Returns 0 or a negative errno; *written counts those in the file.
 */
int bpei_file_write(struct bpei_files *files, const void *bytes, size_t n, size_t *written);

#endif
