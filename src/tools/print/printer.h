/* SPDX-License-Identifier: MIT */
/* Prints the packets of batches as lines on a descriptor (--print).
 *
 * Life: print_open, before the program is confined -> print_batch for each batch, on one thread ->
 * print_close.  print_idle may run on another thread meanwhile. */
#ifndef PRINT_PRINTER_H
#define PRINT_PRINTER_H

#include "print.h"

struct printer;

struct print_setup {
	struct print_options options;
	int fd;                         /* where to; stays the caller's */
	bool is_live;                   /* packets come as they are seen, not from a savefile */
	bool has_directions;            /* a packet that is not outgoing is incoming */
	bool is_any;                    /* interface_id is the system's index */
	const char *interface_name;     /* NULL: packets say, or nobody knows */
	bool has_names;                 /* lines have the names of flows */
	const struct bpe_where *where;  /* chooses flows; NULL: all packets are printed */
	void (*on_failure)(void *user); /* lines cannot be written any more; printing thread */
	void *user;
};

struct print_counts {
	uint64_t printed;  /* packets written whole */
	uint64_t withheld; /* left out, so that a terminal shows so many lines a second at most */
	uint64_t lost;     /* not written, as the output failed */
	int error;         /* errno of the failure; ETIMEDOUT: nobody took the lines; 0: none */
};

/* Returns 0, or ENOMEM. */
int print_open(struct printer **printer, const struct print_setup *setup);
/* Returns whether the lines go to a terminal. */
bool print_has_terminal(const struct printer *printer);
/* Prints the packets of a batch; on_batch of the engine. */
void print_batch(struct printer *printer, const struct bpe_batch *batch);
/* Writes lines that wait although no packets come; every 100 ms.  Any thread. */
void print_idle(struct printer *printer);
/* Limits from now on how long a slow reader is waited for.  Any thread, and signal handlers. */
void print_ending(struct printer *printer);
/* Writes what waits.  Runs after the last batch.  The counts are final then. */
void print_finish(struct printer *printer);
/* Any thread. */
void print_counts(struct printer *printer, struct print_counts *counts);
/* Frees; NULL is allowed. */
void print_close(struct printer *printer);

#endif
