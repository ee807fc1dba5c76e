/* SPDX-License-Identifier: MIT */
/* Savefiles, pcap and pcapng: files and pipes are read into blocks and walked there, savefiles in
 * memory are walked in place.  Compressed savefiles come unpacked from stream.c.
 *
 * Life: open reads the file's head until the format is known; fill returns the next stretch; walk
 * notes where and why the walk stopped.  The next fill continues there, or reports the end: END,
 * TORN inside a record, FORMAT for damage.  Bytes which the last walk left over lie in the last
 * block's memory.  Nobody overwrites them before the next fill has copied them to the front of the
 * next block.  Files are not mapped.  Copying a stretch which stays in the second-level cache takes
 * less time than mapping pages (docs/performance.md).  Also, a file which is cut while being read
 * is a torn file, not a signal.  A large file is read by a second thread if there is a CPU for it;
 * a block is then a part of a piece of that thread's (ahead.h).
 *
 * A block of a savefile in memory is a part of the program's memory, with the length that the same
 * file's block would have.  So the walks see the same blocks, and the flows are the same. */
#include "device/savefile.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POLL_MOST_MS 1000000

static struct bpei_savefile *savefile_of(struct bpei_device *d)
{
	return (struct bpei_savefile *)(void *)d;
}

/* ---- The end ---- */

/* Returns the final status, with the reason in *error. */
static int report_end(struct bpei_savefile *s, struct bpe_error *error)
{
	if (error)
		*error = s->error;
	return s->ended;
}

/* Returns the final status of a walk which stopped at s->offset with `left` bytes to go. */
static int judge_end(struct bpei_savefile *s, size_t left)
{
	const unsigned long long offset = s->offset;
	const char *where = s->stream.packed ? " (decompressed)" : "";

	if (s->stop == BPEI_WALK_BAD)
		return bpei_fail(&s->error, BPE_E_FORMAT, "read", 0,
			"%s: damaged at byte %llu%s: %s", s->name, offset, where,
			s->is_ng ? s->ng.why : s->pcap.why);
	if (s->stream.ended < 0 && s->stream.ended != BPE_E_END) {
		s->error = s->stream.error;
		return s->stream.ended;
	}
	if (!left && (s->ng.skip || s->ng.trailer))
		return bpei_fail(&s->error, BPE_E_TORN, "read", 0,
			"%s: truncated dump file: the block of %u bytes that ends it has only its beginning",
			s->name, s->ng.trailer);
	if (left)
		return bpei_fail(&s->error, BPE_E_TORN, "read", 0,
			"%s: truncated dump file: the record at byte %llu has only %zu bytes left",
			s->name, offset, left);
	if (!s->stream.packed && s->offset < s->device.source_bytes)
		return bpei_fail(&s->error, BPE_E_TORN, "read", 0,
			"%s: truncated dump file: it shrank to %llu bytes while it was read",
			s->name, offset);
	return BPE_E_END;
}

/* Ends the savefile: no more bytes will come. */
static int end_savefile(struct bpei_savefile *s, size_t left, struct bpe_error *error)
{
	s->ended = judge_end(s, left);
	if (s->ng.oversized)
		bpei_notice(&s->options, "%s: %llu packets of more than 16 MiB were passed over",
			s->name, (unsigned long long)s->ng.oversized);
	if (s->pcap.files > 1)
		bpei_notice(&s->options,
			"%s: %u more savefiles were found in it, one behind another", s->name,
			s->pcap.files - 1);
	return report_end(s, error);
}

/* ---- Blocks ---- */

int bpei_savefile_wait(struct bpei_savefile *s, int64_t timeout_ns)
{
	struct pollfd p[2] = { { .fd = s->stream.file, .events = POLLIN },
		{ .fd = s->wake_pipe[0], .events = POLLIN } };
	int ms = -1;

	if (timeout_ns / 1000000 > POLL_MOST_MS)
		ms = POLL_MOST_MS;
	else if (timeout_ns >= 0)
		ms = (int)((timeout_ns + 999999) / 1000000);
	int r = poll(p, 2, ms);
	if (r > 0 && p[1].revents) {
		char drain[64];

		while (read(s->wake_pipe[0], drain, sizeof drain) > 0)
			continue;
	}
	return r > 0 && p[0].revents;
}

/* Reads behind the first `have` bytes, up to `want` bytes, or the bytes which a pipe has at once.
 * Stores the bytes there in *have.  A failure is an end which judge_end explains. */
static void read_stretch(struct bpei_savefile *s, uint8_t *to, size_t want, size_t *have)
{
	while (!s->eof && *have < want) {
		/* Bytes at hand are walked first, even if the pipe stays silent. */
		if (!s->regular && s->stream.starved && !bpei_savefile_wait(s, 0))
			break;
		const ssize_t n = bpei_file_stream_read(&s->stream, to + *have, want - *have);

		if (n == BPEI_STREAM_LATER)
			break;
		if (n > 0)
			*have += (size_t)n;
		else
			s->eof = true;
	}
}

/* Takes the next bytes of the memory, up to `want` with those that were not walked. */
static void take_stretch(struct bpei_savefile *s, size_t want, size_t *have)
{
	const uint64_t rest = s->device.source_bytes - s->offset;

	s->left = s->memory + s->offset;
	s->eof = rest < want;
	*have = s->eof ? (size_t)rest : want;
}

/* Returns the next block's length, with the bytes which were not walked.  The length depends on
 * nothing else, so the walks see the same blocks in whatever way the bytes come. */
static size_t choose_length(const struct bpei_savefile *s)
{
	return s->stretch + (s->left_bytes < s->stretch ? 0 : s->left_bytes);
}

/* Moves the bytes which were not walked to the block's memory.  The next bytes will lie in their
 * page as they lie in the file's page.  Kernels copy page by page, and CPUs copy slowly to an
 * address a little above the source's within a page.  Returns the room behind the place of the
 * bytes. */
static size_t move_left(struct bpei_savefile *s, const struct bpei_block *b)
{
	const uintptr_t behind = (uintptr_t)b->memory + s->left_bytes;
	const uintptr_t next = (uintptr_t)(s->offset + s->left_bytes);
	const size_t shift = (size_t)(next - behind) % BPEI_SAVEFILE_PAGE;

	memmove(b->memory + shift, s->left, s->left_bytes);
	s->left = b->memory + shift;
	return b->memory_bytes - shift;
}

/* Keeps the bytes which were not walked, and reads more.  The bytes are at s->left then. */
static void refill_block(struct bpei_savefile *s, struct bpei_block *b, size_t *have)
{
	size_t want = choose_length(s);

	*have = s->left_bytes;
	if (s->memory) {
		take_stretch(s, want, have);
		return;
	}
	if (bpei_savefile_is_read_ahead(s, s->offset + s->left_bytes)) {
		bpei_savefile_take_ahead(s, b, s->offset + want, have);
		return;
	}
	const size_t room = move_left(s, b);

	if (want > room)
		want = room;
	read_stretch(s, b->memory + (b->memory_bytes - room), want, have);
}

static int fill_savefile(
	struct bpei_device *d, struct bpei_block *b, int64_t timeout_ns, struct bpe_error *error)
{
	struct bpei_savefile *s = savefile_of(d);
	size_t have;

	if (s->ended)
		return report_end(s, error);
	/* Less than a record is left. */
	const bool stuck = s->left_bytes && s->stop != BPEI_WALK_MORE;
	const bool needs_more = stuck || !s->left_bytes;
	if (s->stop == BPEI_WALK_BAD || (s->eof && needs_more))
		return end_savefile(s, s->left_bytes, error);
	const bool waits = !s->regular && !s->eof && needs_more && s->stream.starved;
	if (waits && !bpei_savefile_wait(s, timeout_ns))
		return 0;
	refill_block(s, b, &have);
	/* Bytes left because more might come are walked once more when nothing does. */
	const bool walked_to_end = s->is_ng || s->pcap.at_end || !s->eof;
	if (stuck && have == s->left_bytes && walked_to_end)
		return s->eof ? end_savefile(s, have, error) : 0;
	s->left_bytes = have;
	if (!have)
		return s->eof ? end_savefile(s, 0, error) : 0;
	s->stop = BPEI_WALK_MORE;
	b->bytes = s->left;
	b->length = have;
	b->stop_offset = have;
	b->position = 0;
	b->device_data = s->offset;
	return 1;
}

/* ---- Walking ---- */

/* Reports a savefile inside the savefile; others are reported at the end. */
static void report_inner_file(struct bpei_savefile *s, uint64_t at)
{
	if (!s->files_reported)
		bpei_notice(&s->options,
			"%s: another savefile begins at byte %llu: its packets are read, too",
			s->name, (unsigned long long)at);
	s->files_reported = s->pcap.files;
}

/* Copies the counts which a pcapng file contains about its capture. */
static void publish_counts(struct bpei_savefile *s)
{
	struct bpei_device *d = &s->device;

	bpei_counter_set(&d->kernel_received, s->ng.stats.received);
	bpei_counter_set(&d->kernel_accepted, s->ng.stats.accepted);
	bpei_counter_set(&d->kernel_dropped, s->ng.stats.dropped);
	bpei_counter_set(&d->interface_dropped, s->ng.stats.interface_dropped);
	bpei_counter_set(&d->kernel_known, s->ng.stats.known);
	bpei_counter_set(&d->inbound, s->ng.inbound);
	bpei_counter_set(&d->outbound, s->ng.outbound);
}

static uint32_t walk_savefile(
	struct bpei_device *d, struct bpei_block *b, const struct bpei_columns *c, uint32_t max)
{
	struct bpei_savefile *s = savefile_of(d);
	const uint64_t begin = b->device_data;
	enum bpei_walk_stop stop;
	uint32_t n;

	const uint64_t bytes = s->stream.packed ? 0 : d->source_bytes; /* of the savefile itself */

	s->ng.source_end = bytes > begin ? bytes - begin : 0;
	s->pcap.at_end = s->eof;
	if (s->is_ng)
		n = bpei_walk_pcapng(&s->ng, b, c, max, BPE_MAX_SNAPLEN, &stop);
	else
		n = bpei_walk_pcap(&s->pcap, b, c, max, BPE_MAX_SNAPLEN, &stop);
	s->stop = stop;
	if (s->pcap.files != s->files_reported)
		report_inner_file(s, begin + s->pcap.file_at);
	d->timeless = s->is_ng && !s->ng.is_timed;
	if (s->is_ng)
		publish_counts(s);
	s->offset = begin + b->position;
	s->left = b->bytes + b->position;
	s->left_bytes = b->length - b->position;
	bpei_counter_set(&d->source_position,
		s->stream.packed ? bpei_file_stream_position(&s->stream) : s->offset);
	return n;
}

static bool look_ahead_savefile(struct bpei_device *d, const struct bpei_block *b, size_t *at,
	uint32_t *interface_id, int64_t *time_ns)
{
	struct bpei_savefile *s = savefile_of(d);

	if (!*at)
		*at = b->position;
	return s->is_ng && bpei_pcapng_look_ahead(&s->ng, b, at, interface_id, time_ns);
}

/* ---- The rest of the contract ---- */

/* Notes how far the file is done.  Blocks belong to the pool, or to the program. */
static void release_savefile(struct bpei_device *d, struct bpei_block *b)
{
	savefile_of(d)->done_end = b->device_data + b->length;
}

static void update_savefile_stats(struct bpei_device *d)
{
	(void)d;
}

static void wake_savefile(struct bpei_device *d)
{
	const struct bpei_savefile *s = savefile_of(d);
	ssize_t n = s->wake_pipe[1] < 0 ? 0 : write(s->wake_pipe[1], "", 1);

	(void)n; /* a full pipe has woken the reader already */
}

static void close_savefile(struct bpei_device *d)
{
	struct bpei_savefile *s = savefile_of(d);

	for (int i = 0; i < 2; i++)
		if (s->wake_pipe[i] >= 0)
			close(s->wake_pipe[i]);
	bpei_ahead_stop(s->ahead);
	bpei_file_stream_close(&s->stream);
	bpei_pcapng_free(&s->ng);
	bpei_pcapng_kept_free(&s->kept);
	free(s->head);
	free(s);
}

const struct bpei_device_ops bpei_savefile_ops = {
	.name = "savefile",
	.fill = fill_savefile,
	.walk = walk_savefile,
	.done = release_savefile,
	.stats = update_savefile_stats,
	.wake = wake_savefile,
	.close = close_savefile,
	.look_ahead = look_ahead_savefile,
};
