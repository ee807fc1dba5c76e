/* SPDX-License-Identifier: MIT */
/* The inside of a writer.
 *
 * Callers encode packets into the current chunk under the lock.  A full chunk goes to the queue,
 * and the writer's thread takes chunks from the queue to the files, without the lock.  A writer
 * without a thread (options.no_thread) writes a full chunk at once, under the lock.
 *
 * A file ends while packets are encoded, or by the clock: the current chunk gets the statistics
 * and the mark ends_file.  The next file begins with the next packet, in a chunk of its own. */
#ifndef BPEI_WRITER_WRITER_H
#define BPEI_WRITER_WRITER_H

#include "bpfengine.h"
#include "compress/compress.h"
#include "write/limits.h"
#include "write/passing.h"
#include "write/process_table.h"
#include "writer/chunks.h"
#include "writer/interfaces.h"
#include "writer/known_names.h"
#include "writer/recorder.h"
#include "writer/split.h"

#include <pthread.h>

/* Most bytes of a block that is no packet, and of a packet's options. */
#define BPEI_DESCRIPTION_MOST (3u * 65536)

struct bpe_writer {
	pthread_mutex_t lock; /* all members but files, which are the thread's */
	pthread_cond_t work;  /* the thread waits: chunks in the queue, or the close */
	pthread_cond_t room;  /* callers wait: a chunk is free, or the queue is empty */
	pthread_t thread;
	bool has_thread, is_closing;
	bool is_writing; /* the thread has a chunk in its hands */

	struct bpe_writer_options o; /* constant; texts are the writer's own */
	uint32_t format;             /* never BPE_WRITE_AUTO */
	struct bpei_files *files;    /* without a thread: under the lock; NULL: finished */
	struct bpei_split *split;    /* in place of files; NULL: one file after the other */
	uint64_t split_waiting;      /* packets of stats.waiting that the split has */
	struct bpei_packer *packer;  /* as files; NULL: plain files */
	int64_t opened_ns;           /* since 1970 */
	int64_t ticked_ns;           /* mono: the last tick of the files */

	struct bpei_chunks chunks;
	struct bpei_chunk_node *current; /* being filled; NULL: none */
	int64_t current_since_ns;        /* mono: when the current chunk was taken */
	size_t enough;                   /* bytes of a chunk at which a call hands it on */
	size_t tail;                     /* bytes kept free at the chunk's end, for statistics */

	struct bpei_recorder recorder;
	struct bpei_chunk_node *head; /* of the recorder's files; NULL: there is no recorder */
	bool is_triggered;            /* what the recorder has goes to a file */
	int64_t until_ns;             /* of packets, or of the clock: the file ends behind it */

	struct bpei_limits limits;
	struct bpei_limit_state state; /* of the file */
	bool has_limits;
	bool is_in_file; /* a file has begun, and has not ended */
	bool owes_end;   /* the file has ended, and no chunk was free to say so */
	bool is_over;    /* the last file has ended (stop_files) */
	uint64_t files_begun;
	int64_t packet_ns; /* the latest time of a packet */

	struct bpei_writer_interfaces interfaces;
	struct bpei_rewriting *rewriting; /* NULL: packets are written as they are */
	int32_t pcap_link;                /* link type of a pcap file; -1: not known yet */
	struct bpei_known_names names;
	struct bpei_process_table processes;     /* of the section */
	struct bpei_passing passing;             /* of the section */
	const struct bpei_packet_source *source; /* of the batch in the present call; NULL: none */

	struct bpe_written stats;
	int status;             /* why no packets are taken; BPE_OK: they are */
	int result;             /* of bpe_writer_finish */
	struct bpe_error error; /* the first */
};

/* ---- encoder.c; the lock is held ---- */

/* The fate of a packet, beside enum bpe_unwritten. */
enum bpei_encoded {
	BPEI_ENCODED = -1,
	BPEI_ENCODED_OVER = BPE_UNWRITTEN_ROOM /* the writer has ended: the packet is not offered */
};

/* Makes room in the current chunk for `bytes` of a packet of the interface: in a file within the
 * limits, behind the interface's description.  Returns BPEI_ENCODED; an enum
 * bpe_unwritten; BPEI_ENCODED_OVER.  May wait, and let go of the lock meanwhile. */
int bpei_encoder_prepare(struct bpe_writer *w, uint32_t interface, size_t bytes, int64_t time_ns);
/* Ends the file, if there is one. */
void bpei_encoder_end_file(struct bpe_writer *w);
/* Begins a file for an interface; the file is whole without packets.  Returns false without a
 * free chunk. */
bool bpei_encoder_begin_file(struct bpe_writer *w, uint32_t interface);
/* Hands the current chunk on. */
void bpei_encoder_hand_on(struct bpe_writer *w);
/* Ends the file, or hands the chunk on, if the clock says so. */
void bpei_encoder_tick(struct bpe_writer *w);
/* Appends the statistics of an interface, if its file is open and a chunk is free. */
void bpei_encoder_put_counts(struct bpe_writer *w, struct bpei_writer_interface *interface);
/* Appends a name, likewise. */
void bpei_encoder_put_name(struct bpe_writer *w, const struct bpei_known_name *name);
/* Writes the names and secrets of the batch's source that the file lacks, if the file is open. */
void bpei_encoder_pass_blocks(struct bpe_writer *w);
/* Returns the time by which files end: the clock's, or the latest packet's. */
int64_t bpei_encoder_now(const struct bpe_writer *w);
/* Adds up the totals for the ledger.  *books is zeroed before. */
void bpei_encoder_books(const struct bpe_writer *w, struct bpei_books *books);

/* Passes a chunk to the files, by the queue if there is a thread. */
void bpei_encoder_pass(struct bpe_writer *w, struct bpei_chunk_node *node);
/* Ends the file of owes_end, as soon as a chunk is free. */
void bpei_encoder_pay_end(struct bpe_writer *w);

/* Ends the file of a trigger, if there is one. */
void bpei_encoder_end_recorded(struct bpe_writer *w);

/* ---- recording.c; the lock is held ---- */

/* Makes the recorder of the options, if any.  Returns BPE_OK or BPE_E_MEMORY. */
int bpei_recording_open(struct bpe_writer *w);
/* Forgets all packets, and frees the recorder. */
void bpei_recording_close(struct bpe_writer *w);
/* Keeps a chunk.  Returns false if the chunk goes to the files. */
bool bpei_recording_keeps(struct bpe_writer *w, struct bpei_chunk_node *node, int64_t now_ns);
/* Forgets chunks too old. */
void bpei_recording_forget(struct bpe_writer *w, int64_t now_ns);
/* Forgets the oldest chunk, which is free then.  Returns false if nothing is kept. */
bool bpei_recording_gives_room(struct bpe_writer *w);

/* ---- trigger.c; the lock is held ---- */

/* Writes the kept packets: bpe_writer_trigger. */
int bpei_trigger_pull(struct bpe_writer *w, int64_t after_ns);

/* ---- writer_thread.c ---- */

/* Starts the thread.  Returns 0 or an errno. */
int bpei_writer_thread_start(struct bpe_writer *w);
/* Ends the thread once the queue is empty. */
void bpei_writer_thread_end(struct bpe_writer *w);

/* ---- written.c ---- */

/* Takes a chunk to the files, or to the split.  Returns the packets that were lost.  Called by the
 * thread without the lock, or without a thread with the lock. */
struct bpei_split_lost bpei_writer_write_chunk(
	struct bpe_writer *w, const struct bpei_chunk *chunk);
/* Counts a chunk that the files had, and lost packets.  The lock is held. */
void bpei_writer_count_chunk(
	struct bpe_writer *w, const struct bpei_chunk *chunk, const struct bpei_split_lost *lost);
/* Copies the files' counters.  The lock is held. */
void bpei_writer_count_files(struct bpe_writer *w);

#endif
