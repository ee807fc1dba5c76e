/* SPDX-License-Identifier: MIT */
/* Keeper and sender: the processes of a target, and what they share with the program.
 *
 * Life: the program makes the shared memory and the pipes, and forks the keeper.  The keeper closes
 * all else, prepares the sink while rights are there, gives rights up, and tells the program.  At
 * the word to go the keeper forks the sender, which inherits the prepared sink, opens the sink, and
 * takes records.  A sender that dies is counted and told, and another is forked after a pause.  At
 * the word to end the sender takes what is in the ring, sends the rest, and exits; the keeper
 * follows.
 *
 * Pipes: the program holds the only writing end of `life`, so its end is the death of the program.
 * `wake` ends the sleep of a sender.  `status` carries messages to the program; its end is the end
 * of keeper and sender. */
#ifndef EXPORT_KEEPER_H
#define EXPORT_KEEPER_H

#include "board.h"
#include "export.h"
#include "ring.h"

#define EXPORT_RING_BYTES (8u << 20)
#define EXPORT_FINISH_S 10      /* for a sink that says nothing else */
#define EXPORT_PATIENCE_MS 5000 /* without progress, until records are given up */
#define EXPORT_ORPHAN_MS 2000   /* for what is left, after the death of the program */

enum export_phase {
	EXPORT_WAITS = 0, /* the source is not open yet */
	EXPORT_GOES,
	EXPORT_ENDS /* the run has ended: no record will come */
};

/* Shared memory of a target; all zero at first. */
struct export_line {
	struct export_books books;
	struct export_ring ring;
	_Atomic uint32_t phase;     /* w: program  r: keeper, sender */
	_Atomic uint32_t reopens;   /* SIGHUPs so far.  w: program, in a handler  r: sender */
	_Atomic uint32_t is_asleep; /* w: sender; the program clears the word  r: program */
	_Alignas(EXPORT_RING_LINE) uint8_t bytes[EXPORT_RING_BYTES];
};

enum export_message_kind {
	EXPORT_SAYS = 1, /* a notice of the sink */
	EXPORT_READY,    /* the sink is prepared, and rights are given up; or text says why not */
	EXPORT_OPENED,   /* the first sender has opened the sink; or text says why not */
	EXPORT_DIED      /* a sender died; text says how */
};

/* A message on the pipe `status`: a write of this size is never cut (PIPE_BUF). */
struct export_message {
	uint32_t kind;
	int32_t failed; /* 0, or the exit code of the program */
	char text[400];
};

/* The ends of pipes that keeper and sender hold. */
struct export_wires {
	int life, wake; /* from the program */
	int status;     /* to the program; never blocks */
};

/* All that a keeper is given. */
struct export_start {
	struct export_sender sender; /* filled but for state */
	struct export_line *line;
	const struct export_board *board;
	struct export_wires wires;
	/* Cuts the process off from the program: descriptors, signals, terminal. */
	void (*become)(const int *kept, size_t count);
	/* Gives up rights.  Returns 0 or an errno. */
	int (*shed)(void);
};

/* Keeps the sender until the run ends, or the program dies.  Does not return. */
void export_keeper_run(struct export_start *start) __attribute__((noreturn));
/* Sends records until the run ends, or the program dies.  is_first: tells the program whether the
 * sink could be opened.  Returns the exit code of the process: 0 at a good end, EXPORT_NOT_OPENED,
 * or another at a bad one (sender.c). */
#define EXPORT_NOT_OPENED 3
int export_sender_run(struct export_start *start, bool is_first);
/* Settles the books after the death of the sender.  No sender may be alive. */
void export_books_settle(struct export_line *line);
/* Sends a message to the program; a full pipe takes none (sender.c). */
void export_message_send(
	const struct export_wires *wires, uint32_t kind, int32_t failed, const char *text);
/* Gives export_say its pipe, in a keeper and its senders (sender.c). */
void export_voice_set(const struct export_wires *wires);
/* Names the process in lists of processes, as far as the system can (keeper.c). */
void export_process_name(const char *name);

#endif
