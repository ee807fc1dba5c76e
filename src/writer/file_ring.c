/* SPDX-License-Identifier: MIT */
/* The ring of files and its ledger (file_ring.h).
 *
 * Life: init, load, then add, trim and note as files come and go, end.  Owner: the writer's thread.
 * Invariant: files and kept have the same order, oldest first.  Hazard: a name may belong to
 * another file by now.  The inode decides: only a writer's own file is removed. */
#include "writer/file_ring.h"

#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define READ_BYTES 65536u
#define LINE_MOST (UINT64_C(64) << 20) /* of a line of a ledger; frames make lines long */

void bpei_file_ring_init(struct bpei_file_ring *ring, const struct bpei_file_calls *calls,
	int directory, const struct bpei_keep *keep)
{
	memset(ring, 0, sizeof *ring);
	ring->calls = calls;
	ring->directory = directory;
	ring->keep = *keep;
	ring->ledger = -1;
}

void bpei_file_ring_end(struct bpei_file_ring *ring)
{
	for (size_t i = 0; i < ring->count; i++)
		free(ring->files[i].name);
	free(ring->files);
	free(ring->kept);
	if (ring->ledger >= 0)
		ring->calls->close(ring->calls->context, ring->ledger);
	memset(ring, 0, sizeof *ring);
	ring->ledger = -1;
}

/* ---- Files ---- */

static int grow_ring(struct bpei_file_ring *ring)
{
	const size_t room = ring->room ? 2 * ring->room : 64;

	if (ring->count < ring->room)
		return 0;
	void *files = realloc(ring->files, room * sizeof *ring->files);
	if (files)
		ring->files = files;
	void *kept = realloc(ring->kept, room * sizeof *ring->kept);
	if (kept)
		ring->kept = kept;
	if (!files || !kept)
		return -ENOMEM;
	ring->room = room;
	return 0;
}

int bpei_file_ring_add(struct bpei_file_ring *ring, const char *name,
	const struct bpei_file_state *state, uint64_t number, int64_t last_ns)
{
	char *copy = strdup(name);

	if (!copy || grow_ring(ring)) {
		free(copy);
		return -ENOMEM;
	}
	ring->files[ring->count] = (struct bpei_ring_entry){ copy, number, state->inode };
	ring->kept[ring->count] = (struct bpei_kept){ state->bytes, last_ns };
	ring->count++;
	return 0;
}

/* Takes files out of the ring, the first of them at `at`. */
static void forget_files(struct bpei_file_ring *ring, size_t at, size_t n)
{
	const size_t behind = ring->count - at - n;

	for (size_t i = at; i < at + n; i++)
		free(ring->files[i].name);
	memmove(ring->files + at, ring->files + at + n, behind * sizeof *ring->files);
	memmove(ring->kept + at, ring->kept + at + n, behind * sizeof *ring->kept);
	ring->count -= n;
}

static bool is_own(const struct bpei_file_state *state, uint64_t inode, uint64_t bytes)
{
	return state->regular && state->inode == inode && state->bytes == bytes;
}

/* Writes the line of a removed file. */
static int note_removal(struct bpei_file_ring *ring, const struct bpei_ring_entry *file,
	const struct bpei_file_state *state)
{
	const struct bpe_written_file facts = { .name = file->name, .number = file->number };
	const struct bpei_ledger_entry entry = { .event = BPEI_LEDGER_REMOVED,
		.file = &facts,
		.device = state->device,
		.inode = file->inode };

	ring->removed++;
	return bpei_file_ring_note(ring, &entry);
}

/* Removes a file, if the file is still the ring's: a complete file keeps inode and length. */
static void remove_own(struct bpei_file_ring *ring, const struct bpei_ring_entry *file,
	const struct bpei_kept *kept)
{
	const struct bpei_file_calls *calls = ring->calls;
	struct bpei_file_state state;
	int failed = calls->state_of(calls->context, ring->directory, file->name, &state);

	if (!failed && !is_own(&state, file->inode, kept->bytes)) {
		ring->foreign_kept = true;
		return;
	}
	if (!failed)
		failed = calls->remove(calls->context, ring->directory, file->name);
	if (failed == -ENOENT)
		return;
	if (!failed)
		failed = note_removal(ring, file, &state);
	if (failed < 0 && !ring->first_error)
		ring->first_error = failed;
}

void bpei_file_ring_trim(
	struct bpei_file_ring *ring, uint64_t open_files, uint64_t open_bytes, int64_t now_ns)
{
	struct bpei_keep_now now = {
		.open_files = open_files, .open_bytes = open_bytes, .now_ns = now_ns
	};

	if (ring->keep.free_percent && ring->calls->space(ring->calls->context, ring->directory,
					       &now.disk_bytes, &now.free_bytes) < 0)
		now.disk_bytes = 0;
	const size_t excess = bpei_keep_excess(&ring->keep, ring->kept, ring->count, &now);
	for (size_t i = 0; i < excess; i++)
		remove_own(ring, &ring->files[i], &ring->kept[i]);
	if (excess)
		forget_files(ring, 0, excess);
}

/* ---- The ledger ---- */

/* Appends bytes.  Returns 0 or a negative errno; *written counts the bytes in the ledger. */
static int append_ledger(struct bpei_file_ring *ring, const char *bytes, size_t n, size_t *written)
{
	const struct bpei_file_calls *calls = ring->calls;

	*written = 0;
	while (*written < n) {
		const int64_t done = calls->write(
			calls->context, ring->ledger, bytes + *written, n - *written, false);
		if (done > 0)
			*written += (size_t)done;
		else if (done != -EINTR)
			return done ? (int)done : -EIO;
	}
	return 0;
}

/* Appends a line whole, or cuts the ledger back.  A torn line that cannot be cut off gets an end
 * before the next line. */
static int append_line(struct bpei_file_ring *ring, const char *line, size_t n)
{
	const struct bpei_file_calls *calls = ring->calls;
	size_t written = 0;

	if (ring->torn_bytes && !calls->truncate(calls->context, ring->ledger, ring->ledger_bytes))
		ring->torn_bytes = 0;
	if (ring->torn_bytes) {
		const int failed = append_ledger(ring, "\n", 1, &written);
		if (failed)
			return failed;
		ring->ledger_bytes += ring->torn_bytes + 1;
		ring->torn_bytes = 0;
	}
	const int failed = append_ledger(ring, line, n, &written);
	if (!failed)
		ring->ledger_bytes += n;
	else if (written && calls->truncate(calls->context, ring->ledger, ring->ledger_bytes) < 0)
		ring->torn_bytes = written;
	return failed;
}

int bpei_file_ring_note(struct bpei_file_ring *ring, const struct bpei_ledger_entry *entry)
{
	size_t length = 0;

	if (ring->ledger < 0)
		return 0;
	char *line = bpei_ledger_line(entry, &length);
	if (!line)
		return -ENOMEM;
	const int failed = append_line(ring, line, length);
	free(line);
	return failed;
}

/* Takes the file of an inode out of the ring.  Files go in their order, and a complete file is the
 * latest. */
static void forget_inode(struct bpei_file_ring *ring, uint64_t inode, bool oldest)
{
	for (size_t i = 0; i < ring->count; i++) {
		const size_t at = oldest ? i : ring->count - 1 - i;
		if (ring->files[at].inode != inode)
			continue;
		forget_files(ring, at, 1);
		return;
	}
}

/* Takes the content of a line into the ring. */
static int take_line(struct bpei_file_ring *ring, const char *line, size_t n, bool *ours)
{
	const struct bpei_ledger_known known = bpei_ledger_read(line, n);
	struct bpei_file_state state;

	*ours = known.event != BPEI_LEDGER_NONE;
	if (known.event == BPEI_LEDGER_NONE || known.event == BPEI_LEDGER_END)
		return 0;
	if (known.event != BPEI_LEDGER_BEGUN)
		forget_inode(ring, known.inode, known.event == BPEI_LEDGER_REMOVED);
	if (known.event == BPEI_LEDGER_REMOVED)
		return 0;
	state = (struct bpei_file_state){ .inode = known.inode, .bytes = known.file_bytes };
	return bpei_file_ring_add(ring, known.name, &state, known.number, known.last_ns);
}

/* Takes files out of the ring which are gone or changed. */
static void check_files(struct bpei_file_ring *ring)
{
	const struct bpei_file_calls *calls = ring->calls;

	for (size_t i = ring->count; i > 0; i--) {
		const struct bpei_ring_entry *file = &ring->files[i - 1];
		struct bpei_kept *kept = &ring->kept[i - 1];
		struct bpei_file_state state;
		if (calls->state_of(calls->context, ring->directory, file->name, &state) < 0) {
			forget_files(ring, i - 1, 1);
			continue;
		}
		/* The ledger lacks the length of a file left by a killed run. */
		if (!kept->bytes)
			kept->bytes = state.bytes;
		if (!is_own(&state, file->inode, kept->bytes))
			forget_files(ring, i - 1, 1);
	}
}

/* Lines read piece by piece. */
struct ledger_reader {
	char *text;
	size_t used, room;
	bool any_ours, any_other;
};

/* Takes the whole lines, and moves the rest to the front. */
static int take_lines(struct bpei_file_ring *ring, struct ledger_reader *r)
{
	size_t at = 0;

	for (;;) {
		const char *end = memchr(r->text + at, '\n', r->used - at);
		bool ours = false;
		if (!end)
			break;
		const size_t n = (size_t)(end - r->text) - at;
		const int failed = take_line(ring, r->text + at, n, &ours);
		if (failed)
			return failed;
		r->any_ours |= ours;
		r->any_other |= !ours;
		at += n + 1;
	}
	r->used -= at;
	memmove(r->text, r->text + at, r->used);
	ring->ledger_bytes += at;
	return 0;
}

static int read_ledger(struct bpei_file_ring *ring, struct ledger_reader *r)
{
	const struct bpei_file_calls *calls = ring->calls;

	for (;;) {
		if (r->used + READ_BYTES > r->room) {
			char *more = realloc(r->text, 2 * r->room + READ_BYTES);
			if (!more)
				return -ENOMEM;
			r->text = more;
			r->room = 2 * r->room + READ_BYTES;
		}
		const int64_t n =
			calls->read(calls->context, ring->ledger, r->text + r->used, READ_BYTES);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		r->used += (size_t)n;
		const int failed = take_lines(ring, r);
		if (failed)
			return failed;
		if (r->used > LINE_MOST)
			return -EILSEQ;
	}
}

/* Reads the ledger, and ends a line left half by a killed run. */
static int load_lines(struct bpei_file_ring *ring, const char *name, struct bpe_error *error)
{
	struct ledger_reader r = { 0 };
	int failed = read_ledger(ring, &r);
	const bool foreign = failed == -EILSEQ || (!r.any_ours && (r.any_other || r.used));

	if (!failed && r.used && !foreign) {
		ring->ledger_bytes += r.used;
		failed = append_line(ring, "\n", 1);
	}
	free(r.text);
	if (foreign)
		return bpei_fail(error, BPE_E_ARGUMENT, "ledger", 0,
			"%s is not a ledger of this program: move the file, or write without a ledger",
			name);
	if (failed)
		return bpei_fail(
			error, bpei_status_of(-failed), "ledger", -failed, "cannot read %s", name);
	check_files(ring);
	return BPE_OK;
}

int bpei_file_ring_load(struct bpei_file_ring *ring, const char *name, struct bpe_error *error)
{
	const struct bpei_file_calls *calls = ring->calls;
	struct bpei_file_state state = { 0 };

	ring->ledger = calls->open(calls->context, ring->directory, name, BPEI_FILE_APPEND);
	if (ring->ledger < 0) {
		const int why = -ring->ledger;
		ring->ledger = -1;
		return bpei_fail(error, bpei_status_of(why), "ledger", why, "cannot open %s", name);
	}
	const int known = calls->state(calls->context, ring->ledger, &state);
	if (known < 0)
		return bpei_fail(
			error, bpei_status_of(-known), "ledger", -known, "cannot read %s", name);
	if (!state.regular)
		return bpei_fail(
			error, BPE_E_ARGUMENT, "ledger", 0, "%s is not a regular file", name);
	const int locked = calls->lock(calls->context, ring->ledger);
	if (locked == -EWOULDBLOCK)
		return bpei_fail(error, BPE_E_BUSY, "ledger", 0,
			"another run writes %s: give the files of each run a name of their own",
			name);
	/* File systems without locks (some network file systems) are used without a lock. */
	return load_lines(ring, name, error);
}
