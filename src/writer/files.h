/* SPDX-License-Identifier: MIT */
/* The files of a writer: chunks of whole blocks go to files, which are named, completed, kept and
 * removed here.  All calls but bpei_files_abandon come from the writer's thread, or with the
 * writer's lock where it has no thread. */
#ifndef BPEI_FILES_H
#define BPEI_FILES_H

#include "bpfengine.h"
#include "write/file_names.h"
#include "write/keep.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPEI_CAUSES 8 /* BPE_UNWRITTEN_ROOM */

/* Totals since the writer was opened, at the time when a chunk was closed. */
struct bpei_books {
	uint64_t unwritten[BPEI_CAUSES]; /* by enum bpe_unwritten; the files know ERROR better */
	uint64_t kernel_dropped, interface_dropped;
};

/* Whole pcapng blocks or pcap records, the first of a file behind its header.  The writer's encoder
 * fills a chunk. */
struct bpei_chunk {
	uint8_t *bytes;
	size_t used;
	uint32_t packets;
	uint64_t captured_bytes;   /* of the packets */
	int64_t first_ns, last_ns; /* earliest and latest packet; without meaning if packets is 0 */
	int64_t opened_ns;         /* of the file: the time in the name, since 1970 */
	bool starts_file;          /* begins with the header of a file */
	bool ends_file;            /* the file is complete behind the chunk, which may be empty */
	bool describes; /* has other blocks than packets (interfaces, processes, names) */
	struct bpei_books books;
};

/* A file's state, as fstat(2) tells. */
struct bpei_file_state {
	uint64_t device, inode, bytes;
	uint64_t offset; /* where the next write goes */
	bool regular;    /* else a write may wait for a reader, and nothing can be cut back */
	bool fifo;
};

enum bpei_file_open {
	BPEI_FILE_CREATE,  /* no such file exists; regular, mode 0600 whatever the umask */
	BPEI_FILE_REPLACE, /* exists; not cut off yet */
	BPEI_FILE_APPEND   /* exists or not; for reading, too */
};

/* The system's calls.  They return >= 0, or a negative errno.  Tests give their own. */
struct bpei_file_calls {
	void *context;
	/* Opens a folder ("": the directory itself); -1: the working directory. */
	int (*open_directory)(void *context, int directory, const char *folder);
	/* Opens a file for writing, but no symbolic link. */
	int (*open)(void *context, int directory, const char *name, enum bpei_file_open how);
	int (*dup)(void *context, int fd);
	int64_t (*read)(void *context, int fd, void *bytes, size_t n);
	/* Writes without a signal of the kernel's (SIGPIPE, SIGXFSZ).  stream: as many bytes as a
	 * pipe takes without a wait, or -EAGAIN. */
	int64_t (*write)(void *context, int fd, const void *bytes, size_t n, bool stream);
	/* Waits until fd takes bytes.  Returns 0 if timeout_ns passed before, else 1. */
	int (*wait)(void *context, int fd, int64_t timeout_ns);
	/* Cuts a file off; the next write goes to the end. */
	int (*truncate)(void *context, int fd, uint64_t bytes);
	int (*sync)(void *context, int fd);
	/* Hands bytes of a file on to the disk without a wait, and takes bytes before them out of
	 * the page cache. */
	void (*settle)(void *context, int fd, uint64_t from, uint64_t to);
	int (*close)(void *context, int fd);
	/* Renames a file; replace: over a file of that name, else -EEXIST. */
	int (*rename)(void *context, int directory, const char *from, const char *to, bool replace);
	int (*remove)(void *context, int directory, const char *name);
	int (*state)(void *context, int fd, struct bpei_file_state *state);
	/* Tells the state of a name; of a symbolic link, the link's own. */
	int (*state_of)(
		void *context, int directory, const char *name, struct bpei_file_state *state);
	/* Tells the file system's size and the part free for this user. */
	int (*space)(void *context, int directory, uint64_t *bytes, uint64_t *free_bytes);
	int (*lock)(void *context, int fd); /* without a wait; -EWOULDBLOCK */
	int64_t (*now)(void *context);      /* nanoseconds of a clock which never steps */
};
extern const struct bpei_file_calls bpei_file_calls_real;

/* Compresses a chunk to a frame.  *out is good until the next call.  Returns 0, or an
 * enum bpe_status. */
typedef int (*bpei_frame_fn)(
	void *user, const void *bytes, size_t n, const void **out, size_t *out_bytes);

struct bpei_files_options {
	const struct bpei_file_calls *calls; /* NULL: the system's */
	const char *path; /* template; a folder in front is without conversions */
	int directory;    /* path begins here; -1: the working directory; not closed */
	int fd;           /* write here instead (path is for reports); -1; not closed */
	enum bpei_name_style style;
	bool times;    /* bpei_file_names */
	uint32_t ring; /* bpei_file_names */
	bool part;     /* files are NAME.part until they are complete */
	bool replace;  /* an existing regular file NAME is replaced; else a number is added */
	bool at_once;  /* the first file is opened by bpei_files_open */
	bool pcapng;   /* blocks of pcapng, else records of pcap: for cutting back */
	bool ledger, sha256;
	bool stop_on_error;
	struct bpei_keep keep;
	uint64_t file_bytes; /* the length that files reach (rotate_bytes); 0: unknown */
	int64_t sync_ns;     /* 0: at the end of a file alone */
	bpei_frame_fn frame; /* NULL: not compressed */
	void *frame_user;
	bpe_file_fn on_file;                             /* NULL */
	void (*on_notice)(void *user, const char *text); /* NULL; a line without its end */
	void *user;
};

/* Counters, for bpe_writer_stats; one writer: the writer's thread. */
struct bpei_files_counts {
	uint64_t packets, captured_bytes; /* in files */
	uint64_t lost;                    /* packets that did not get into a file */
	uint64_t file_bytes;              /* in files */
	uint64_t files, files_removed;
	uint64_t errors; /* calls that failed, of every kind */
};

struct bpei_files;

/* Opens the directory, the ledger and, if asked, the first file.  opened_ns: the time in the file's
 * name. Returns BPE_OK; BPE_E_ARGUMENT, BPE_E_RIGHTS, BPE_E_ABSENT, BPE_E_BUSY (another run has the
 * ledger), BPE_E_IO, BPE_E_MEMORY. */
int bpei_files_open(struct bpei_files **files, const struct bpei_files_options *options,
	int64_t opened_ns, struct bpe_error *error);
/* Writes a chunk.  Returns how many of the chunk's packets did not get into a file. The file was
 * then cut back to the last whole block and completed. The next file repeats the descriptions, and
 * is tried once a second.  With stop_on_error nothing is written any more. */
uint32_t bpei_files_write(struct bpei_files *files, const struct bpei_chunk *chunk);
/* Does what is due by the clock: fsync, files that are too old.  now_ns: since 1970. */
void bpei_files_tick(struct bpei_files *files, int64_t now_ns);
/* Makes waits for a stuck pipe end: after 5 seconds in which the pipe takes nothing, the rest is
 * lost.  Any thread. */
void bpei_files_abandon(struct bpei_files *files);
/* Returns BPE_OK, or the status of the first error that lost packets, and fills *error. */
int bpei_files_status(const struct bpei_files *files, struct bpe_error *error);
/* Returns true if no more packets are taken: after an error with stop_on_error, or after the reader
 * of a pipe has gone (BPE_E_END, no error). */
bool bpei_files_stopped(const struct bpei_files *files);
const struct bpei_files_counts *bpei_files_counts(const struct bpei_files *files);
/* Completes the present file, if any.  books: the last totals, for the ledger; NULL: those of the
 * latest chunk.  Only the counters, the status and the close may follow. */
void bpei_files_finish(struct bpei_files *files, const struct bpei_books *books);
/* Finishes, if that is not done, closes and frees.  Returns as bpei_files_status.  NULL is allowed.
 */
int bpei_files_close(
	struct bpei_files *files, const struct bpei_books *books, struct bpe_error *error);

#endif
