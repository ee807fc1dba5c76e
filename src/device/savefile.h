/* SPDX-License-Identifier: MIT */
/* Declarations shared by the files of the savefile device: savefile.c (blocks, the end),
 * savefile_open.c (opening, the head of the file), savefile_ahead.c (a thread that reads ahead). */
#ifndef BPEI_SAVEFILE_H
#define BPEI_SAVEFILE_H

#include "device/ahead.h"
#include "device/device.h"
#include "device/stream.h"
#include "records/walk_pcap.h"
#include "records/walk_pcapng.h"

/* Of kernels that copy page by page; a power of two. */
#define BPEI_SAVEFILE_PAGE 4096u

struct bpei_savefile {
	struct bpei_device device;
	struct bpe_options options;
	struct bpei_pcap pcap;
	struct bpei_pcapng ng;
	struct bpei_pcapng_kept kept; /* of ng */
	bool is_ng;
	char name[200];                 /* for people */
	struct bpei_file_stream stream; /* of all sources but plain memory */
	int wake_pipe[2];
	size_t stretch;           /* bytes read and walked at a time */
	enum bpei_walk_stop stop; /* of the last walk without packets */
	uint64_t offset;          /* in the file (unpacked), of the bytes which fill returns next */
	int ended;                /* fill's final status; 0 before the end */
	struct bpe_error error;   /* of the final status */
	const uint8_t *left;      /* bytes read and not yet walked */
	size_t left_bytes;
	uint8_t *head;         /* bytes read at open */
	const uint8_t *memory; /* options.memory, not compressed: the whole savefile, the
				  program's; NULL: other sources */
	bool regular;          /* a file or memory, never waited for; else a pipe */
	bool eof;
	bool is_named;                        /* a regular file, opened by its name */
	bool is_planned;                      /* whether a thread reads ahead was decided */
	struct bpei_ahead *ahead;             /* NULL: no thread reads ahead */
	const struct bpei_ahead_piece *piece; /* the last one taken; NULL: none was */
	uint64_t done_end;                    /* offset up to which all blocks are done */
	uint32_t files_reported;              /* of pcap.files */
};

/* Returns true if a second thread reads the file ahead.  The first call behind the head decides and
 * starts the thread.  next: offset of the bytes to read next. */
bool bpei_savefile_is_read_ahead(struct bpei_savefile *savefile, uint64_t next);
/* Sets s->left and *have to the block's bytes, up to the offset `end` at most, from pieces read
 * ahead.  Bytes that do not fit before a piece are copied to the block's memory. */
void bpei_savefile_take_ahead(
	struct bpei_savefile *savefile, struct bpei_block *block, uint64_t end, size_t *have);

extern const struct bpei_device_ops bpei_savefile_ops;

/* Waits until the file is readable or at the end.  Returns 0 if the time passed, or the reader was
 * woken. */
int bpei_savefile_wait(struct bpei_savefile *savefile, int64_t timeout_ns);

#endif
