/* SPDX-License-Identifier: MIT */
/* The ledger of a writer: a line of JSON for each event of a file.  Pure. */
#ifndef BPEI_LEDGER_H
#define BPEI_LEDGER_H

#include "bpfengine.h"
#include "write/file_names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bpei_ledger_event {
	BPEI_LEDGER_NONE,     /* not a line of ours */
	BPEI_LEDGER_BEGUN,    /* the file exists */
	BPEI_LEDGER_COMPLETE, /* nothing is missing in the file */
	BPEI_LEDGER_CUT,      /* ended by an error behind the last whole block */
	BPEI_LEDGER_REMOVED,  /* by the ring */
	BPEI_LEDGER_END       /* of the run: totals */
};

/* A frame of a compressed file. */
struct bpei_ledger_frame {
	uint64_t offset; /* in the file */
	int64_t first_ns, last_ns;
	uint32_t packets;
};

/* A line before writing. */
struct bpei_ledger_entry {
	enum bpei_ledger_event event;
	const struct bpe_written_file *file; /* BEGUN, REMOVED: only the name and the number */
	uint64_t files;                      /* END */
	uint64_t device, inode;              /* tell the file from another file of the name */
	const struct bpei_ledger_frame *frames;
	size_t frame_count;
};

/* A line after reading. */
struct bpei_ledger_known {
	enum bpei_ledger_event event;
	char name[BPEI_NAME_ROOM];
	uint64_t device, inode, file_bytes, number;
	int64_t last_ns;
};

/* Returns the line with its end, for free(), and its length.  NULL: no memory.  Bytes of a name
 * outside UTF-8 become \udc80 to \udcff, as Python does. */
char *bpei_ledger_line(const struct bpei_ledger_entry *entry, size_t *length);

/* Reads a line of n bytes without its end.  Any bytes are allowed. event is NONE for a foreign or
 * damaged line, and for an impossible name. */
struct bpei_ledger_known bpei_ledger_read(const char *line, size_t n);

#endif
