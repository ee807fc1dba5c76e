/* SPDX-License-Identifier: MIT */
/* A capture split into many files (split.h). */
#include "writer/split.h"

#include "base/error.h"
#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define GATHER_LEAST 1024u
#define GATHER_MOST 65536u
#define TICK_FILES 64u
#define ATTEMPTS 1000u

/* A file of the split, by number. */
struct split_file {
	struct bpei_split_key key;
	uint32_t next;           /* in the hash chain; NONE: the last */
	uint32_t newer, older;   /* in the order of use; NONE: an end */
	uint32_t attempt;        /* in the name */
	uint32_t packets;        /* in memory */
	uint64_t captured_bytes; /* of these packets */
	uint64_t file_bytes;     /* on the disk */
	size_t described;        /* bytes of split.head in the file and in memory */
	size_t has_described;    /* ... in the file */
	uint8_t *bytes;          /* in memory; NULL: none */
	size_t used, room;
	int fd;        /* -1: not open */
	bool is_there; /* the file exists */
};

struct bpei_split {
	struct bpei_split_options o;
	char *name; /* of all files, without folders */
	size_t stem;
	int directory; /* of the files */
	uint8_t *head; /* describing blocks, at the beginning of each file */
	size_t head_used, head_room;
	struct split_file *files;
	uint32_t count, room;
	uint32_t *chains; /* first file of each hash chain; a power of two */
	uint32_t mask;
	uint32_t newest, oldest; /* in the order of use */
	uint64_t seed;
	bool told_bound;
	struct bpe_error error; /* the first; status BPE_OK: none */
	struct bpei_split_lost lost;
	struct bpei_split_counts counts;
};

/* ---- Finding a file ---- */

/* Returns a hash of a key; seeded, since the senders of packets choose the keys. */
static uint32_t hash_split_key(const struct bpei_split *s, const struct bpei_split_key *key)
{
	uint64_t words[(sizeof *key + 7) / 8] = { 0 };
	uint64_t h = s->seed;

	memcpy(words, key, sizeof *key);
	for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
		h = (h ^ words[k]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
		h += s->seed;
	}
	return (uint32_t)(h >> 32);
}

/* Doubles the room for files and the chains.  Returns false without memory. */
static bool grow_split(struct bpei_split *s)
{
	const uint32_t room = s->room ? 2 * s->room : 64;
	uint32_t *const chains = malloc(2 * (size_t)room * sizeof *chains);
	struct split_file *const files = realloc(s->files, room * sizeof *files);

	if (files)
		s->files = files;
	if (!files || !chains) {
		free(chains);
		return false;
	}
	free(s->chains);
	s->chains = chains;
	s->room = room;
	s->mask = 2 * room - 1;
	memset(chains, 0xff, 2 * (size_t)room * sizeof *chains);
	for (uint32_t n = 0; n < s->count; n++) {
		uint32_t *const first = &chains[hash_split_key(s, &files[n].key) & s->mask];

		files[n].next = *first;
		*first = n;
	}
	return true;
}

/* Takes a file out of the order of use. */
static void unlink_file(struct bpei_split *s, uint32_t n)
{
	const struct split_file *const f = &s->files[n];

	if (f->newer == NONE)
		s->newest = f->older;
	else
		s->files[f->newer].older = f->older;
	if (f->older == NONE)
		s->oldest = f->newer;
	else
		s->files[f->older].newer = f->newer;
}

/* Puts a file in front of the order of use. */
static void link_newest(struct bpei_split *s, uint32_t n)
{
	struct split_file *const f = &s->files[n];

	f->newer = NONE;
	f->older = s->newest;
	if (s->newest == NONE)
		s->oldest = n;
	else
		s->files[s->newest].newer = n;
	s->newest = n;
}

/* Tells once of the bound. */
static void tell_bound(struct bpei_split *s)
{
	char text[160];

	if (s->told_bound || !s->o.on_notice)
		return;
	s->told_bound = true;
	snprintf(text, sizeof text,
		"packets are lost (split_files): there are %u files already, and no more are made",
		s->o.most_files);
	s->o.on_notice(s->o.user, text);
}

/* Returns the file of a key, which may be new; NONE: there is no file for the packet. */
static uint32_t find_split_file(struct bpei_split *s, const struct bpei_split_key *key)
{
	uint32_t *first = s->chains ? &s->chains[hash_split_key(s, key) & s->mask] : NULL;

	for (uint32_t n = first ? *first : NONE; n != NONE; n = s->files[n].next)
		if (!memcmp(&s->files[n].key, key, sizeof *key))
			return n;
	if (s->count >= s->o.most_files) {
		tell_bound(s);
		return NONE;
	}
	if (s->count == s->room && !grow_split(s))
		return NONE;
	const uint32_t n = s->count++;

	first = &s->chains[hash_split_key(s, key) & s->mask];
	s->files[n] = (struct split_file){ .key = *key, .next = *first, .fd = -1 };
	*first = n;
	link_newest(s, n);
	return n;
}

/* ---- The disk ---- */

/* Returns the system's calls. */
static const struct bpei_file_calls *calls_of(const struct bpei_split *s)
{
	return s->o.calls;
}

/* Keeps the first error.  failed: a negative errno. */
static void keep_error(struct bpei_split *s, int64_t failed, const char *name)
{
	s->counts.errors++;
	if (s->error.status == BPE_OK)
		bpei_fail(&s->error, bpei_status_of((int)-failed), "split", (int)-failed,
			"cannot write to %s", name);
}

/* Writes the name of a file. */
static void make_split_name(
	const struct bpei_split *s, const struct split_file *f, char name[BPEI_NAME_ROOM])
{
	char words[BPEI_SPLIT_WORDS];
	char again[16] = "";

	bpei_split_words(&f->key, words);
	if (f->attempt)
		snprintf(again, sizeof again, "-%u", f->attempt + 1);
	/* bpei_split_open has proved the room */
	snprintf(name, BPEI_NAME_ROOM, "%.*s-%s%s%s", (int)s->stem, s->name, words, again,
		s->name + s->stem);
}

static void close_split_file(struct bpei_split *s, struct split_file *f)
{
	if (f->fd < 0)
		return;
	calls_of(s)->close(calls_of(s)->context, f->fd);
	f->fd = -1;
	s->counts.open--;
}

/* Closes the open file used longest ago, but for file n.  Returns false: none is open. */
static bool close_oldest(struct bpei_split *s, uint32_t n)
{
	for (uint32_t k = s->oldest; k != NONE; k = s->files[k].newer)
		if (k != n && s->files[k].fd >= 0) {
			close_split_file(s, &s->files[k]);
			return true;
		}
	return false;
}

/* Opens a name; other files are closed while the system has no descriptor left. */
static int open_split_name(struct bpei_split *s, uint32_t n, const char *name)
{
	const enum bpei_file_open how = s->files[n].is_there ? BPEI_FILE_APPEND : BPEI_FILE_CREATE;
	const struct bpei_file_calls *const calls = calls_of(s);
	int fd;

	do
		fd = calls->open(calls->context, s->directory, name, how);
	while ((fd == -EMFILE || fd == -ENFILE) && close_oldest(s, n));
	return fd;
}

/* Opens file n.  Returns false after the error was kept. */
static bool open_split_file(struct bpei_split *s, uint32_t n)
{
	struct split_file *const f = &s->files[n];
	char name[BPEI_NAME_ROOM];
	int fd;

	if (f->fd >= 0)
		return true;
	while (s->counts.open >= s->o.most_open && close_oldest(s, n))
		;
	make_split_name(s, f, name);
	fd = open_split_name(s, n, name);
	while (fd == -EEXIST && !f->is_there && f->attempt < ATTEMPTS) {
		f->attempt++;
		make_split_name(s, f, name);
		fd = open_split_name(s, n, name);
	}
	if (fd < 0) {
		keep_error(s, fd, name);
		return false;
	}
	s->counts.files += !f->is_there;
	s->counts.open++;
	f->is_there = true;
	f->fd = fd;
	return true;
}

/* Writes the bytes in memory.  Returns 0, or the errno of the failure, negative. */
static int64_t write_gathered(struct bpei_split *s, struct split_file *f)
{
	const struct bpei_file_calls *const calls = calls_of(s);
	size_t at = 0;
	int64_t n;

	while (at < f->used) {
		n = calls->write(calls->context, f->fd, f->bytes + at, f->used - at, false);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n ? n : -EIO;
		at += (size_t)n;
	}
	return 0;
}

/* Frees the bytes in memory. */
static void empty_gathered(struct bpei_split *s, struct split_file *f)
{
	s->counts.waiting -= f->packets;
	s->counts.bytes -= f->room;
	free(f->bytes);
	f->bytes = NULL;
	f->used = f->room = 0;
	f->packets = 0;
	f->captured_bytes = 0;
}

/* Appends the bytes in memory of file n, or loses the packets. */
static void flush_split_file(struct bpei_split *s, uint32_t n)
{
	struct split_file *const f = &s->files[n];
	const struct bpei_file_calls *const calls = calls_of(s);
	int64_t failed = -EIO;
	char name[BPEI_NAME_ROOM];

	if (!f->used)
		return;
	const bool may_write = s->error.status == BPE_OK || !s->o.stop_on_error;
	const bool is_open = may_write && open_split_file(s, n);

	if (is_open) {
		failed = write_gathered(s, f);
		if (failed) {
			make_split_name(s, f, name);
			keep_error(s, failed, name);
			calls->truncate(calls->context, f->fd, f->file_bytes);
			close_split_file(s, f);
		}
	}
	if (is_open && !failed) {
		f->file_bytes += f->used;
		s->counts.file_bytes += f->used;
		s->counts.packets += f->packets;
		s->counts.captured_bytes += f->captured_bytes;
		f->has_described = f->described;
	} else {
		s->lost.error += f->packets;
		f->described = f->has_described;
	}
	empty_gathered(s, f);
}

/* Flushes files, the longest unused first, until at most most_bytes are in memory, or `most` files
 * were flushed. */
static void flush_oldest(struct bpei_split *s, uint64_t most_bytes, uint32_t most)
{
	for (uint32_t n = s->oldest; n != NONE && most && s->counts.bytes > most_bytes;
		n = s->files[n].newer) {
		if (!s->files[n].used)
			continue;
		flush_split_file(s, n);
		most--;
	}
}

/* ---- Records ---- */

/* Makes room for more bytes in a buffer that doubles.  Returns false without memory. */
static bool make_split_room(uint8_t **bytes, size_t *room, size_t needed, size_t least)
{
	size_t larger = *room > least ? *room : least;

	if (needed <= *room)
		return true;
	while (larger < needed)
		larger *= 2;
	uint8_t *const grown = realloc(*bytes, larger);

	if (!grown)
		return false;
	*bytes = grown;
	*room = larger;
	return true;
}

/* Gathers bytes for a file.  Returns false without memory. */
static bool gather_bytes(struct bpei_split *s, struct split_file *f, const uint8_t *bytes, size_t n)
{
	const size_t before = f->room;

	if (!make_split_room(&f->bytes, &f->room, f->used + n, GATHER_LEAST))
		return false;
	s->counts.bytes += f->room - before;
	if (n)
		memcpy(f->bytes + f->used, bytes, n);
	f->used += n;
	return true;
}

/* Adds a packet's block to its file. */
static void add_packet_record(
	struct bpei_split *s, const struct bpei_split_record *r, const uint8_t *block)
{
	const uint32_t n = find_split_file(s, &r->key);

	if (n == NONE) {
		s->lost.files++;
		return;
	}
	unlink_file(s, n);
	link_newest(s, n);
	struct split_file *const f = &s->files[n];
	const size_t missing = s->head_used - f->described;

	if (f->used && f->used + missing + r->bytes > GATHER_MOST)
		flush_split_file(s, n);
	const size_t used = f->used;
	/* A failed flush may have taken the file's head along. */
	const size_t head = s->head_used - f->described;

	if (!gather_bytes(s, f, s->head + f->described, head) ||
		!gather_bytes(s, f, block, r->bytes)) {
		f->used = used;
		s->lost.error++;
		return;
	}
	f->described = s->head_used;
	f->packets++;
	f->captured_bytes += r->caplen;
	s->counts.waiting++;
	if (s->counts.bytes > s->o.most_bytes)
		flush_oldest(s, s->o.most_bytes / 4 * 3, UINT32_MAX);
}

/* Adds a describing block. */
static void add_head(struct bpei_split *s, const uint8_t *block, uint32_t n)
{
	if (!make_split_room(&s->head, &s->head_room, s->head_used + n, GATHER_LEAST))
		return; /* the packets behind are lost likewise, and counted */
	memcpy(s->head + s->head_used, block, n);
	s->head_used += n;
}

/* Returns what was lost since the call before. */
static struct bpei_split_lost take_lost(struct bpei_split *s)
{
	const struct bpei_split_lost lost = s->lost;

	s->lost = (struct bpei_split_lost){ 0 };
	return lost;
}

struct bpei_split_lost bpei_split_add(struct bpei_split *s, const struct bpei_chunk *chunk)
{
	struct bpei_split_record r;
	size_t at = 0;

	while (at + sizeof r <= chunk->used) {
		memcpy(&r, chunk->bytes + at, sizeof r);
		at += sizeof r;
		if (r.is_packet)
			add_packet_record(s, &r, chunk->bytes + at);
		else
			add_head(s, chunk->bytes + at, r.bytes);
		at += r.bytes;
	}
	return take_lost(s);
}

struct bpei_split_lost bpei_split_tick(struct bpei_split *s)
{
	flush_oldest(s, 0, TICK_FILES);
	return take_lost(s);
}

struct bpei_split_lost bpei_split_flush(struct bpei_split *s)
{
	flush_oldest(s, 0, UINT32_MAX);
	return take_lost(s);
}

/* ---- Open and close ---- */

/* Copies the name, and opens the folder in front of it. */
static int open_split_folder(struct bpei_split *s, struct bpe_error *error)
{
	const char *const path = s->o.path;
	const char *const slash = strrchr(path, '/');
	const char *const name = slash ? slash + 1 : path;
	char *folder = slash ? strndup(path, (size_t)(slash - path + 1)) : strdup("");

	s->name = strdup(name);
	if (!s->name || !folder) {
		free(folder);
		return bpei_fail(error, BPE_E_MEMORY, "split", 0, "no memory to split a capture");
	}
	s->stem = bpei_name_stem(name);
	const size_t longest = strlen(name) + BPEI_SPLIT_WORDS + 16;

	if (!*name || longest > BPEI_NAME_ROOM) {
		free(folder);
		return bpei_fail(error, BPE_E_ARGUMENT, "split", 0,
			"a name for many files has 1 to %d characters",
			BPEI_NAME_ROOM - BPEI_SPLIT_WORDS - 16);
	}
	s->directory = calls_of(s)->open_directory(calls_of(s)->context, s->o.directory, folder);
	const int failed = s->directory < 0 ? -s->directory : 0;

	free(folder);
	if (failed)
		return bpei_fail(error, bpei_status_of(failed), "split", failed,
			"cannot open the folder of %s", path);
	return BPE_OK;
}

static void free_split(struct bpei_split *s)
{
	if (s->directory >= 0)
		calls_of(s)->close(calls_of(s)->context, s->directory);
	for (uint32_t n = 0; n < s->count; n++) {
		close_split_file(s, &s->files[n]);
		free(s->files[n].bytes);
	}
	free(s->name);
	free(s->head);
	free(s->files);
	free(s->chains);
	free(s);
}

int bpei_split_open(struct bpei_split **split, const struct bpei_split_options *options,
	struct bpe_error *error)
{
	struct bpei_split *const s = calloc(1, sizeof *s);
	bool weak;

	if (!s)
		return bpei_fail(error, BPE_E_MEMORY, "split", 0, "no memory to split a capture");
	s->o = *options;
	if (!s->o.calls)
		s->o.calls = &bpei_file_calls_real;
	s->newest = s->oldest = NONE;
	s->directory = -1;
	s->seed = bpei_random_seed(&bpei_random_sys_real, &weak) | 1;
	const int status = open_split_folder(s, error);

	if (status != BPE_OK) {
		free_split(s);
		return status;
	}
	*split = s;
	return BPE_OK;
}

const struct bpei_split_counts *bpei_split_counts(const struct bpei_split *s)
{
	return &s->counts;
}

int bpei_split_status(const struct bpei_split *s, struct bpe_error *error)
{
	if (s->error.status != BPE_OK && error)
		*error = s->error;
	return s->error.status;
}

int bpei_split_close(struct bpei_split *s, struct bpe_error *error)
{
	if (!s)
		return BPE_OK;
	const int status = bpei_split_status(s, error);

	free_split(s);
	return status;
}
