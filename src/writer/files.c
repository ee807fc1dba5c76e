/* SPDX-License-Identifier: MIT */
/* The files of a writer (files.h): opening, names, completing.
 *
 * Life: open, then a file is begun with each starting chunk and completed with each ending chunk;
 * close.  Owner: the writer's thread.  Invariant: a new file takes no file's name, except for
 * `replace`.  With `part`, a file under the last name is complete. Hazard: others change the
 * directory meanwhile; all calls go by the directory's descriptor. */
#include "writer/files.h"

#include "base/error.h"
#include "writer/files_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ATTEMPTS 10000u
#define TRIM_NS INT64_C(1000000000)
#define NS_IN_S INT64_C(1000000000)
#define PART ".part"

/* Removes old files as far as the limits ask, and tells failures. */
static void trim_ring(struct bpei_files *files, uint64_t open_files, uint64_t bytes, int64_t now_ns)
{
	struct bpei_file_ring *ring = &files->ring;

	bpei_file_ring_trim(ring, open_files, bytes, now_ns);
	files->counts.files_removed = ring->removed;
	if (ring->first_error)
		bpei_files_tell(files, BPEI_TOLD_REMOVE, ring->first_error,
			"cannot remove an old file of", files->base);
	ring->first_error = 0;
	if (ring->foreign_kept)
		bpei_files_tell(files, BPEI_TOLD_FOREIGN, 0,
			"another file has the name of an old file and stays, of", files->base);
}

/* ---- Beginning a file ---- */

/* Returns the local time of a file's name. */
static struct tm local_time(int64_t ns)
{
	struct tm when = { 0 };
	const time_t seconds = (time_t)(ns / NS_IN_S);

	localtime_r(&seconds, &when);
	return when;
}

/* Opens a free name of a part.  Returns a descriptor or a negative errno. */
static int open_part(struct bpei_files *files, struct bpei_open_file *file)
{
	const struct bpei_file_calls *calls = files->calls;
	int fd = -EEXIST;

	for (uint32_t i = 1; i < ATTEMPTS && fd == -EEXIST; i++) {
		const int n =
			i > 1 ? snprintf(file->part, sizeof file->part, "%s" PART "%" PRIu32,
					file->name, i)
			      : snprintf(file->part, sizeof file->part, "%s" PART, file->name);
		if (n < 0 || (size_t)n >= sizeof file->part)
			return -ENAMETOOLONG;
		fd = calls->open(calls->context, files->directory, file->part, BPEI_FILE_CREATE);
	}
	return fd;
}

/* Opens a name for a new file, or the file of the name.  Returns a descriptor, -EEXIST if the
 * name is taken, or another negative errno. */
static int open_name(struct bpei_files *files, struct bpei_open_file *file)
{
	const struct bpei_file_calls *calls = files->calls;
	struct bpei_file_state state;
	int fd = 0;

	file->part[0] = 0;
	const int there = calls->state_of(calls->context, files->directory, file->name, &state);
	if (there < 0 && there != -ENOENT)
		return there;
	if (!there && !file->replaces)
		return -EEXIST;
	if (files->o.part && (there || state.regular))
		return open_part(files, file);
	if (there)
		return calls->open(calls->context, files->directory, file->name, BPEI_FILE_CREATE);
	do
		fd = calls->open(calls->context, files->directory, file->name, BPEI_FILE_REPLACE);
	while (fd == -EINTR && state.regular);
	return fd;
}

/* Returns the first attempt at a name for the file due: 0, or behind the attempt of the latest file
 * with the same name. */
static uint32_t choose_attempt(const struct bpei_files *files, const struct tm *when)
{
	char name[BPEI_NAME_ROOM];

	if (bpei_name_make(&files->names, when, files->number + 1, 0, name) != BPE_OK ||
		strcmp(name, files->latest_name) != 0)
		return 0;
	return files->latest_attempt + 1;
}

/* Notes the name that a file has got. */
static void note_name(struct bpei_files *files)
{
	const struct bpei_open_file *file = &files->file;

	if (bpei_name_make(&files->names, &file->when, file->facts.number, 0, files->latest_name) !=
		BPE_OK)
		files->latest_name[0] = 0;
	files->latest_attempt = file->attempt;
}

/* Finds a free name, and opens the file.  Returns a descriptor or a negative errno. */
static int open_next(struct bpei_files *files, struct bpei_open_file *file)
{
	int fd = -EEXIST;

	file->when = local_time(files->opened_ns);
	const uint32_t first = choose_attempt(files, &file->when);
	for (uint32_t k = 0; k < ATTEMPTS && fd == -EEXIST; k++) {
		file->attempt = first + k;
		if (bpei_name_make(&files->names, &file->when, files->number + 1, file->attempt,
			    file->name) != BPE_OK)
			return -EINVAL;
		fd = open_name(files, file);
	}
	return fd;
}

/* Prepares an open descriptor.  Returns 0 or a negative errno. */
static int adopt_file(struct bpei_files *files, struct bpei_open_file *file, int fd)
{
	const struct bpei_file_calls *calls = files->calls;
	int failed = calls->state(calls->context, fd, &file->state);

	if (failed < 0)
		return failed;
	file->stream = !file->state.regular;
	if (files->o.fd < 0 && !file->stream && file->state.bytes)
		failed = calls->truncate(calls->context, fd, 0);
	else if (!file->stream)
		file->start = file->state.offset;
	return failed;
}

/* Writes the line of a new file. */
static void note_begun(struct bpei_files *files, const struct bpei_open_file *file)
{
	const struct bpe_written_file facts = { .name = file->part[0] ? file->part : file->name,
		.number = file->facts.number };
	const struct bpei_ledger_entry entry = { .event = BPEI_LEDGER_BEGUN,
		.file = &facts,
		.device = file->state.device,
		.inode = file->state.inode };
	const int failed = file->stream ? 0 : bpei_file_ring_note(&files->ring, &entry);

	if (failed < 0)
		bpei_files_tell(
			files, BPEI_TOLD_LEDGER, failed, "cannot write the ledger of", files->base);
}

int bpei_file_begin(struct bpei_files *files)
{
	struct bpei_open_file *file = &files->file;
	const struct bpei_file_calls *calls = files->calls;
	const struct bpei_books begun = file->begun;

	memset(file, 0, sizeof *file);
	file->begun = begun;
	file->fd = -1;
	/* Behind an error the name may be that of the file which the error cut short. */
	file->replaces = files->o.replace && !files->broken;
	trim_ring(files, 1, files->o.file_bytes, files->opened_ns);
	int fd = files->o.fd;
	if (fd < 0)
		fd = open_next(files, file);
	else
		snprintf(file->name, sizeof file->name, "%s", files->base);
	if (fd < 0)
		return fd;
	const int failed = adopt_file(files, file, fd);
	if (failed < 0) {
		if (files->o.fd < 0)
			calls->close(calls->context, fd);
		return failed;
	}
	file->fd = fd;
	file->fresh = true;
	file->facts.size = sizeof file->facts;
	file->facts.number = ++files->number;
	files->counts.files++;
	bpei_sha256_init(&file->hash);
	note_begun(files, file);
	return 0;
}

/* ---- Completing a file ---- */

/* Gives the file the last name, or another if the name was taken meanwhile. */
static void rename_part(struct bpei_files *files)
{
	struct bpei_open_file *file = &files->file;
	const struct bpei_file_calls *calls = files->calls;
	const uint32_t most = file->attempt + ATTEMPTS;
	int failed = -EEXIST;

	while (failed == -EEXIST || failed == -EINTR) {
		failed = calls->rename(
			calls->context, files->directory, file->part, file->name, files->o.replace);
		if (failed != -EEXIST)
			continue;
		if (++file->attempt >= most ||
			bpei_name_make(&files->names, &file->when, file->facts.number,
				file->attempt, file->name) != BPE_OK)
			break;
	}
	if (failed < 0) {
		bpei_files_tell(files, BPEI_TOLD_RENAME, failed, "cannot rename", file->part);
		memcpy(file->name, file->part, sizeof file->name);
	} else {
		note_name(files);
	}
	file->part[0] = 0;
}

/* Syncs a descriptor. */
static void sync_open(struct bpei_files *files, int fd, const char *name)
{
	int failed = -EINTR;

	for (int i = 0; i < 100 && failed == -EINTR; i++)
		failed = files->calls->sync(files->calls->context, fd);
	/* File systems and descriptors without a disk. */
	if (failed < 0 && failed != -EINVAL && failed != -ENOTSUP && failed != -EBADF)
		bpei_files_tell(files, BPEI_TOLD_SYNC, failed, "cannot sync", name);
	files->synced_ns = files->calls->now(files->calls->context);
}

/* Closes the descriptor of a whole file. */
static void close_open(struct bpei_files *files)
{
	struct bpei_open_file *file = &files->file;
	const struct bpei_file_calls *calls = files->calls;

	if (!file->stream) {
		sync_open(files, file->fd, file->name);
		calls->settle(calls->context, file->fd, 0, 0);
	}
	const int failed = files->o.fd < 0 ? calls->close(calls->context, file->fd) : 0;
	if (failed < 0 && failed != -EINTR)
		bpei_files_tell(files, BPEI_TOLD_WRITE, failed, "cannot close", file->name);
	file->fd = -1;
}

/* Fills in the losses since the file before. */
static void fill_losses(struct bpei_files *files, struct bpe_written_file *facts)
{
	struct bpei_books *begun = &files->file.begun;
	struct bpei_books now = files->books;

	now.unwritten[BPE_UNWRITTEN_ERROR] = files->counts.lost;
	for (int i = 0; i < BPEI_CAUSES; i++)
		facts->unwritten[i] = now.unwritten[i] - begun->unwritten[i];
	facts->kernel_dropped = now.kernel_dropped - begun->kernel_dropped;
	facts->interface_dropped = now.interface_dropped - begun->interface_dropped;
	*begun = now;
}

/* Writes the ledger's line, tells the program, and puts the file into the ring. */
static void report_file(struct bpei_files *files)
{
	struct bpei_open_file *file = &files->file;
	struct bpe_written_file *facts = &file->facts;
	const struct bpei_ledger_entry entry = {
		.event = facts->status == BPE_OK ? BPEI_LEDGER_COMPLETE : BPEI_LEDGER_CUT,
		.file = facts,
		.device = file->state.device,
		.inode = file->state.inode,
		.frames = file->frames,
		.frame_count = file->frame_count
	};
	char path[2 * BPEI_NAME_ROOM];

	facts->name = file->name;
	int failed = bpei_file_ring_note(&files->ring, &entry);
	if (failed < 0)
		bpei_files_tell(
			files, BPEI_TOLD_LEDGER, failed, "cannot write the ledger of", files->base);
	if (!file->stream && files->o.fd < 0) {
		file->state.bytes = facts->file_bytes;
		failed = bpei_file_ring_add(&files->ring, file->name, &file->state, facts->number,
			facts->packets ? facts->last_ns : files->opened_ns);
		if (failed < 0)
			bpei_files_tell(files, BPEI_TOLD_MEMORY, failed, "no memory to remember",
				file->name);
	}
	snprintf(path, sizeof path, "%s%s", files->folder, file->name);
	facts->name = path;
	if (files->o.on_file)
		files->o.on_file(files->o.user, facts);
	facts->name = NULL;
}

void bpei_file_complete(struct bpei_files *files, int status)
{
	struct bpei_open_file *file = &files->file;
	const struct bpei_file_calls *calls = files->calls;
	char hash[BPEI_SHA256_TEXT];

	/* An error before the first byte leaves no file. */
	if (file->fresh && status != BPE_OK && files->o.fd < 0 && !file->stream) {
		calls->close(calls->context, file->fd);
		file->fd = -1;
		calls->remove(
			calls->context, files->directory, file->part[0] ? file->part : file->name);
		files->number--;
		files->counts.files--;
		return;
	}
	close_open(files);
	if (file->part[0])
		rename_part(files);
	if (!file->stream && files->o.fd < 0)
		sync_open(files, files->directory, *files->folder ? files->folder : ".");
	file->facts.status = status;
	if (files->o.sha256) {
		bpei_sha256_text(&file->hash, hash);
		file->facts.sha256 = hash;
	}
	fill_losses(files, &file->facts);
	report_file(files);
	free(file->frames);
	file->frames = NULL;
	file->frame_count = 0;
	file->frame_room = 0;
	file->facts.sha256 = NULL;
}

/* ---- The clock ---- */
/* Trims the ring. */
void bpei_files_trim(struct bpei_files *files, int64_t now_ns)
{
	const bool is_open = files->file.fd >= 0;

	trim_ring(files, is_open, is_open ? files->file.facts.file_bytes : 0, now_ns);
}

void bpei_files_tick(struct bpei_files *files, int64_t now_ns)
{
	const int64_t now = files->calls->now(files->calls->context);
	struct bpei_open_file *file = &files->file;

	if (files->o.sync_ns > 0 && file->fd >= 0 && !file->stream &&
		file->synced != file->facts.file_bytes &&
		now - files->synced_ns >= files->o.sync_ns) {
		sync_open(files, file->fd, file->name);
		file->synced = file->facts.file_bytes;
	}
	if (now - files->checked_ns < TRIM_NS)
		return;
	files->checked_ns = now;
	bpei_files_trim(files, now_ns);
}

/* ---- Open and close ---- */

/* Splits the path into folder and template.  Returns false without memory. */
static bool split_path(struct bpei_files *files, const char *path)
{
	const char *slash = strrchr(path, '/');
	const size_t n = slash ? (size_t)(slash - path) + 1 : 0;

	files->folder = calloc(1, n + 1);
	files->base = strdup(path + n);
	if (!files->folder || !files->base)
		return false;
	memcpy(files->folder, path, n);
	return true;
}

/* Returns the descriptor of a path as /dev/stdout or /dev/fd/63, or -1. These paths are symbolic
 * links, and other links are not followed. */
static int descriptor_of(const char *path)
{
	static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/" };

	if (!strcmp(path, "/dev/stdout"))
		return 1;
	if (!strcmp(path, "/dev/stderr"))
		return 2;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		const char *digits = path + strlen(folders[i]);
		if (strncmp(path, folders[i], strlen(folders[i])) != 0)
			continue;
		const size_t n = strspn(digits, "0123456789");
		if (n > 0 && n < 9 && !digits[n])
			return atoi(digits);
	}
	return -1;
}

/* Opens the descriptor of the path, if the path means a descriptor. */
static int open_meant_descriptor(struct bpei_files *files, struct bpe_error *error)
{
	const int fd = files->o.fd < 0 ? descriptor_of(files->o.path) : -1;

	if (fd < 0)
		return BPE_OK;
	files->o.fd = files->calls->dup(files->calls->context, fd);
	if (files->o.fd < 0)
		return bpei_fail(error, bpei_status_of(-files->o.fd), "open", -files->o.fd,
			"cannot write %s", files->o.path);
	files->owns_fd = true;
	return BPE_OK;
}

/* Opens the directory and the ledger. */
static int open_place(struct bpei_files *files, struct bpe_error *error)
{
	const struct bpei_file_calls *calls = files->calls;
	char ledger[BPEI_NAME_ROOM];

	if (files->o.times && strchr(files->folder, '%'))
		return bpei_fail(error, BPE_E_ARGUMENT, "path", 0,
			"%s%s: the folder's name cannot have a time in it", files->folder,
			files->base);
	files->directory = calls->open_directory(calls->context, files->o.directory, files->folder);
	if (files->directory < 0) {
		const int why = -files->directory;
		files->directory = -1;
		return bpei_fail(error, bpei_status_of(why), "open", why,
			"cannot open the folder of %s%s", files->folder, files->base);
	}
	bpei_file_ring_init(&files->ring, calls, files->directory, &files->o.keep);
	if (!files->o.ledger)
		return BPE_OK;
	bpei_name_ledger(&files->names, ledger);
	return bpei_file_ring_load(&files->ring, ledger, error);
}

/* Opens the first file. */
static int open_first(struct bpei_files *files, struct bpe_error *error)
{
	const int failed = bpei_file_begin(files);

	if (failed >= 0)
		return BPE_OK;
	if (failed == -ELOOP)
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0,
			"%s is a symbolic link: name the file itself", files->base);
	return bpei_fail(error, bpei_status_of(-failed), "open", -failed, "cannot write %s%s",
		files->folder, files->base);
}

static void free_files(struct bpei_files *files)
{
	bpei_file_ring_end(&files->ring);
	if (files->directory >= 0)
		files->calls->close(files->calls->context, files->directory);
	if (files->owns_fd)
		files->calls->close(files->calls->context, files->o.fd);
	free(files->file.frames);
	free(files->described);
	free(files->folder);
	free(files->base);
	free(files);
}

int bpei_files_open(struct bpei_files **out, const struct bpei_files_options *options,
	int64_t opened_ns, struct bpe_error *error)
{
	struct bpei_files *files = calloc(1, sizeof *files);
	int status = BPE_OK;

	if (!files)
		return bpei_fail(error, BPE_E_MEMORY, "files", 0, "no memory for files");
	files->o = *options;
	files->calls = options->calls ? options->calls : &bpei_file_calls_real;
	files->directory = -1;
	files->file.fd = -1;
	files->opened_ns = opened_ns;
	bpei_file_ring_init(&files->ring, files->calls, -1, &options->keep);
	atomic_init(&files->abandoned, false);
	tzset();
	if (!split_path(files, options->path))
		status = bpei_fail(error, BPE_E_MEMORY, "files", 0, "no memory for files");
	files->names = (struct bpei_file_names){ files->base, options->style, options->times,
		options->ring };
	files->synced_ns = files->calls->now(files->calls->context);
	files->checked_ns = files->synced_ns;
	if (status == BPE_OK)
		status = open_meant_descriptor(files, error);
	if (status == BPE_OK && files->o.fd < 0)
		status = open_place(files, error);
	if (status == BPE_OK && (options->at_once || files->o.fd >= 0))
		status = open_first(files, error);
	if (status != BPE_OK) {
		free_files(files);
		return status;
	}
	*out = files;
	return BPE_OK;
}

void bpei_files_abandon(struct bpei_files *files)
{
	/* pairs: bpei_file_write; only the word itself is published */
	atomic_store_explicit(&files->abandoned, true, memory_order_relaxed);
}

int bpei_files_status(const struct bpei_files *files, struct bpe_error *error)
{
	if (files->error.status != BPE_OK && error)
		*error = files->error;
	return files->error.status;
}

bool bpei_files_stopped(const struct bpei_files *files)
{
	return files->stopped;
}

const struct bpei_files_counts *bpei_files_counts(const struct bpei_files *files)
{
	return &files->counts;
}

/* Writes the ledger's last line: the sums of all files, and the losses. */
static void note_end(struct bpei_files *files)
{
	struct bpe_written_file sums = { .packets = files->counts.packets,
		.captured_bytes = files->counts.captured_bytes,
		.file_bytes = files->counts.file_bytes,
		.kernel_dropped = files->books.kernel_dropped,
		.interface_dropped = files->books.interface_dropped };
	const struct bpei_ledger_entry entry = {
		.event = BPEI_LEDGER_END, .file = &sums, .files = files->counts.files
	};

	memcpy(sums.unwritten, files->books.unwritten, sizeof sums.unwritten);
	sums.unwritten[BPE_UNWRITTEN_ERROR] = files->counts.lost;
	const int failed = bpei_file_ring_note(&files->ring, &entry);
	if (failed < 0)
		bpei_files_tell(
			files, BPEI_TOLD_LEDGER, failed, "cannot write the ledger of", files->base);
	if (files->ring.ledger >= 0)
		sync_open(files, files->ring.ledger, "the ledger");
}

void bpei_files_finish(struct bpei_files *files, const struct bpei_books *books)
{
	if (files->finished)
		return;
	files->finished = true;
	if (books)
		files->books = *books;
	if (files->file.fd >= 0)
		bpei_file_complete(files, files->broken ? files->error.status : BPE_OK);
	trim_ring(files, 0, 0, files->opened_ns);
	note_end(files);
}

int bpei_files_close(
	struct bpei_files *files, const struct bpei_books *books, struct bpe_error *error)
{
	if (!files)
		return BPE_OK;
	bpei_files_finish(files, books);
	const int status = bpei_files_status(files, error);
	free_files(files);
	return status;
}
