/* SPDX-License-Identifier: MIT */
/* Savefiles, pcap and pcapng, files and pipes alike: read into blocks and walked there.
 *
 * Life: open reads the file's head until it is known; fill gives the next stretch; walk notes where
 * it stopped and why, and the next fill goes on from there, or tells the end: END, TORN inside a
 * record, FORMAT for damage. What the last walk left over lies in the last block's memory, which
 * nobody overwrites before the next fill has copied it to the front of the next block. Files are
 * not mapped: a stretch that stays in the second-level cache is copied in less time than its pages
 * take to be mapped (docs/performance.md), and a file cut while it is read is a torn file, not a
 * signal. */
#include "base/descriptor.h"
#include "base/error.h"
#include "records/walk.h"
#include "device/device.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STRETCH (256u << 10) /* read and walked at a time */
#define HEAD_FIRST 4096u
#define LEAST_BLOCK (BPEI_PCAPNG_MAX_BLOCK + STRETCH) /* virtual: only what is read is touched */

struct savefile {
	struct bpei_device device;
	struct bpei_pcap pcap;
	struct bpei_pcapng ng;
	bool is_ng;
	char name[200];
	int file;
	int wake_pipe[2];
	size_t stretch;
	enum bpei_walk_stop stop; /* of the last walk that gave nothing */
	uint64_t offset;          /* in the file, of what fill gives next */
	int ended;                /* what fill says for ever; 0 before */
	struct bpe_error error;
	const uint8_t *left; /* bytes read and not yet walked */
	size_t left_bytes;
	uint8_t *head;       /* read at open */
	bool regular;        /* a file: never waited for */
	uint32_t files_told; /* of pcap.files */
	struct bpe_options options;
	bool eof;
};

static struct savefile *of(struct bpei_device *d)
{
	return (struct savefile *)(void *)d;
}

/* ---- End ---- */

static int end(struct savefile *s, struct bpe_error *error)
{
	if (error)
		*error = s->error;
	return s->ended;
}

/* The walk stopped at s->offset with `left` bytes to go, and no more will come. */
static int tell_end(struct savefile *s, size_t left, struct bpe_error *error)
{
	if (s->stop == BPEI_WALK_BAD)
		s->ended = bpei_fail(&s->error, BPE_E_FORMAT, "read", 0,
			"%s: damaged at byte %llu: %s", s->name, (unsigned long long)s->offset,
			s->is_ng ? s->ng.why : s->pcap.why);
	else if (!left && (s->ng.skip || s->ng.trailer))
		s->ended = bpei_fail(&s->error, BPE_E_TORN, "read", 0,
			"%s: truncated dump file: the block of %u bytes that ends it has only its beginning",
			s->name, s->ng.trailer);
	else if (left)
		s->ended = bpei_fail(&s->error, BPE_E_TORN, "read", 0,
			"%s: truncated dump file: the record at byte %llu has only %zu bytes left",
			s->name, (unsigned long long)s->offset, left);
	else if (s->offset < s->device.source_bytes)
		s->ended = bpei_fail(&s->error, BPE_E_TORN, "read", 0,
			"%s: truncated dump file: it shrank to %llu bytes while it was read",
			s->name, (unsigned long long)s->offset);
	else
		s->ended = BPE_E_END;
	if (s->ng.oversized)
		bpei_notice(&s->options, "%s: %llu packets of more than 16 MiB were passed over",
			s->name, (unsigned long long)s->ng.oversized);
	if (s->pcap.files > 1)
		bpei_notice(&s->options,
			"%s: %u more savefiles were found in it, one behind another", s->name,
			s->pcap.files - 1);
	return end(s, error);
}

/* ---- Blocks ---- */

/* Waits for bytes: 1 if there are some (or the end), 0 if not in time or woken. */
static int wait_readable(struct savefile *s, int64_t timeout_ns)
{
	struct pollfd p[2] = { { .fd = s->file, .events = POLLIN },
		{ .fd = s->wake_pipe[0], .events = POLLIN } };
	int ms = timeout_ns < 0                   ? -1
		 : timeout_ns / 1000000 > 1000000 ? 1000000
						  : (int)((timeout_ns + 999999) / 1000000);
	int r = poll(p, 2, ms);
	if (r > 0 && p[1].revents) {
		char drain[64];
		while (read(s->wake_pipe[0], drain, sizeof drain) > 0)
			continue;
	}
	return r > 0 && p[0].revents;
}

static int fill(
	struct bpei_device *d, struct bpei_block *b, int64_t timeout_ns, struct bpe_error *error)
{
	struct savefile *s = of(d);
	if (s->ended)
		return end(s, error);
	bool stuck =
		s->left_bytes && s->stop != BPEI_WALK_MORE; /* what is left is less than a record */
	if (s->stop == BPEI_WALK_BAD || (s->eof && (stuck || !s->left_bytes)))
		return tell_end(s, s->left_bytes, error);
	if (!s->regular && !s->eof && (stuck || !s->left_bytes) && !wait_readable(s, timeout_ns))
		return 0;

	memmove(b->memory, s->left, s->left_bytes);
	s->left = b->memory;
	size_t have = s->left_bytes, want = have < s->stretch ? s->stretch : have + s->stretch;
	if (want > b->memory_bytes)
		want = b->memory_bytes;
	while (!s->eof && have < want) {
		ssize_t n = read(s->file, b->memory + have, want - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n < 0) {
			s->ended = bpei_fail(&s->error, BPE_E_IO, "read", errno, "%s", s->name);
			return end(s, error);
		}
		if (!n)
			s->eof = true;
		have += (size_t)n;
		if (!s->regular && !wait_readable(s, 0))
			break; /* what is here now, now */
	}
	/* What the walk left because more might come is walked once more when nothing does. */
	const bool judged = s->is_ng || s->pcap.at_end || !s->eof;
	if (stuck && have == s->left_bytes && judged)
		return s->eof ? tell_end(s, have, error) : 0;
	s->left_bytes = have;
	if (!have)
		return s->eof ? tell_end(s, 0, error) : 0;
	s->stop = BPEI_WALK_MORE;
	b->bytes = b->memory;
	b->length = b->stop_offset = have;
	b->position = 0;
	b->device_data = s->offset;
	return 1;
}

/* A savefile in the savefile; the first one is told at once, the others at the end. */
static void tell_file(struct savefile *s, uint64_t at)
{
	if (!s->files_told)
		bpei_notice(&s->options,
			"%s: another savefile begins at byte %llu: its packets are read, too",
			s->name, (unsigned long long)at);
	s->files_told = s->pcap.files;
}

/* What a pcapng file says of its own making. */
static void tell_counts(struct savefile *s)
{
	bpei_counter_set(&s->device.kernel_received, s->ng.told.received);
	bpei_counter_set(&s->device.kernel_accepted, s->ng.told.accepted);
	bpei_counter_set(&s->device.kernel_dropped, s->ng.told.dropped);
	bpei_counter_set(&s->device.interface_dropped, s->ng.told.interface_dropped);
	bpei_counter_set(&s->device.kernel_known, s->ng.told.known);
	bpei_counter_set(&s->device.inbound, s->ng.inbound);
	bpei_counter_set(&s->device.outbound, s->ng.outbound);
}

static uint32_t walk(
	struct bpei_device *d, struct bpei_block *b, const struct bpei_columns *c, uint32_t max)
{
	struct savefile *s = of(d);
	enum bpei_walk_stop stop;
	s->ng.source_end = d->source_bytes > b->device_data ? d->source_bytes - b->device_data : 0;
	s->pcap.at_end = s->eof;
	uint32_t n = s->is_ng ? bpei_walk_pcapng(&s->ng, b, c, max, BPE_MAX_SNAPLEN, &stop)
			      : bpei_walk_pcap(&s->pcap, b, c, max, BPE_MAX_SNAPLEN, &stop);
	s->stop = stop;
	if (s->pcap.files != s->files_told)
		tell_file(s, b->device_data + s->pcap.file_at);
	d->timeless = s->is_ng && !s->ng.is_timed;
	if (s->is_ng)
		tell_counts(s);
	s->offset = b->device_data + b->position;
	s->left = b->bytes + b->position;
	s->left_bytes = b->length - b->position;
	bpei_counter_set(&d->source_position, s->offset);
	return n;
}

static bool look_ahead(struct bpei_device *d, const struct bpei_block *b, size_t *at,
	uint32_t *interface_id, int64_t *time_ns)
{
	if (!*at)
		*at = b->position;
	return of(d)->is_ng && bpei_pcapng_look_ahead(&of(d)->ng, b, at, interface_id, time_ns);
}

static void done(struct bpei_device *d, struct bpei_block *b)
{
	(void)d;
	(void)b;
}

static void stats(struct bpei_device *d)
{
	(void)d;
}

static void wake(struct bpei_device *d)
{
	ssize_t n = write(of(d)->wake_pipe[1], "", 1); /* full: it is awake already */
	(void)n;
}

static void close_savefile(struct bpei_device *d)
{
	struct savefile *s = of(d);
	for (int i = 0; i < 2; i++)
		if (s->wake_pipe[i] >= 0)
			close(s->wake_pipe[i]);
	if (s->file > 0)
		close(s->file);
	bpei_pcapng_free(&s->ng);
	free(s->head);
	free(s);
}

/* ---- Open ---- */

static const struct bpei_device_ops ops = { "savefile", fill, walk, done, stats, wake,
	close_savefile, NULL, look_ahead, NULL };

static int refuse(const struct savefile *s, struct bpe_error *error, const uint8_t *h, size_t n)
{
	static const struct {
		const char *magic;
		size_t length;
		const char *tool;
	} packers[] = {
		{ "\x1f\x8b", 2, "zcat" },
		{ "\x28\xb5\x2f\xfd", 4, "zstdcat" },
		{ "\xfd"
		  "7zXZ",
			5, "xzcat" },
		{ "BZh", 3, "bzcat" },
		{ "\x04\x22\x4d\x18", 4, "lz4cat" },
	};
	for (size_t i = 0; i < sizeof packers / sizeof *packers; i++)
		if (n >= packers[i].length && !memcmp(h, packers[i].magic, packers[i].length))
			return bpei_fail(error, BPE_E_FORMAT, "open", 0,
				"%s is compressed: read it with %s FILE | bpfengine -r -", s->name,
				packers[i].tool);
	if (!n)
		return bpei_fail(
			error, BPE_E_FORMAT, "open", 0, "%s is empty: not a savefile", s->name);
	return bpei_fail(error, BPE_E_FORMAT, "open", 0,
		"%s is neither pcap nor pcapng (it begins with %02x %02x %02x %02x)", s->name, h[0],
		n > 1 ? h[1] : 0, n > 2 ? h[2] : 0, n > 3 ? h[3] : 0);
}

static int truncated(const struct savefile *s, struct bpe_error *error, size_t n)
{
	return bpei_fail(error, BPE_E_FORMAT, "open", 0,
		"%s: truncated dump file: its header has only %zu bytes", s->name, n);
}

/* Looks at the first n bytes: 1 known and right; 0 more bytes are needed to say; or a status. */
static int look(struct savefile *s, const uint8_t *h, size_t n, bool all, struct bpe_error *error)
{
	if (n < 4)
		return all ? n ? truncated(s, error, n) : refuse(s, error, h, n) : 0;
	s->is_ng = bpei_pcapng_is(h);
	if (!s->is_ng) {
		uint8_t header[BPEI_PCAP_HEADER] = { 0 };
		memcpy(header, h, n < sizeof header ? n : sizeof header);
		int r = bpei_pcap_init(&s->pcap, header);
		if (!r)
			return refuse(s, error, h, n);
		if (n < sizeof header)
			return all ? truncated(s, error, n) : 0;
		if (r < 0)
			return bpei_fail(
				error, BPE_E_FORMAT, "open", 0, "%s: %s", s->name, s->pcap.why);
		s->device.link_type = s->pcap.link_type;
		return 1;
	}
	/* The link type is that of the first interface, which stands somewhere before the first
	 * packet. */
	struct bpei_block b = { .bytes = h, .length = n, .stop_offset = n };
	struct bpei_pcapng ng = { .swapped = false };
	enum bpei_walk_stop stop;
	bpei_walk_pcapng(&ng, &b, NULL, 0, 0, &stop);
	bool has = ng.has_link_type, begun = ng.in_section;
	s->device.link_type = ng.first_link_type;
	s->ng.swapped = ng.swapped;
	const char *why = ng.why;
	bpei_pcapng_free(&ng);
	if (has)
		return 1;
	if (stop == BPEI_WALK_BAD && !begun)
		return bpei_fail(error, BPE_E_FORMAT, "open", 0, "%s: %s", s->name, why);
	if (stop == BPEI_WALK_BAD || stop == BPEI_WALK_MORE ||
		all) { /* the walk will tell; whole blocks before it are delivered */
		if (!begun)
			return truncated(s, error, n);
		return 1;
	}
	return 0;
}

/* Reads until the head is known; what was read is walked later. */
static int read_head(struct savefile *s, struct bpe_error *error)
{
	size_t room = HEAD_FIRST, have = 0;
	s->head = malloc(room);
	for (int known = 0; !known;) {
		if (have == room && room < LEAST_BLOCK) {
			void *more = realloc(s->head, room *= 2);
			if (!more)
				free(s->head);
			s->head = more;
		}
		if (!s->head)
			return bpei_fail(error, BPE_E_MEMORY, "open", 0,
				"no memory for the head of %s", s->name);
		ssize_t n = have < room ? read(s->file, s->head + have, room - have) : 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			wait_readable(s, -1);
			continue;
		}
		if (n < 0)
			return bpei_fail(error, BPE_E_IO, "read", errno, "%s", s->name);
		if (!n)
			s->eof = have < room;
		have += (size_t)n;
		known = look(s, s->head, have, !n, error);
		if (known < 0)
			return known;
	}
	s->left = s->head + (s->is_ng ? 0 : BPEI_PCAP_HEADER);
	s->left_bytes = have - (size_t)(s->left - s->head);
	s->offset += (uint64_t)(s->left - s->head);
	/* A record that has begun to come always has room to be gone on with. */
	size_t longest = s->is_ng ? BPEI_PCAPNG_MAX_BLOCK
				  : 24 /* a modified record's header */ + (size_t)s->pcap.most;
	s->device.block_bytes =
		(longest + s->stretch > LEAST_BLOCK ? longest + s->stretch : LEAST_BLOCK) + room;
	s->device.max_blocks_in_flight = longest > LEAST_BLOCK ? 2 : 64;
	s->device.fd = s->file;
	return 1;
}

static void describe(struct savefile *s)
{
	char *to = s->device.source;
	size_t room = sizeof s->device.source;
	if (s->is_ng)
		snprintf(to, room, "savefile %s (pcapng)", s->name);
	else
		snprintf(to, room, "savefile %s (pcap, %s, %s-endian%s)", s->name,
			s->pcap.nanoseconds ? "nanoseconds" : "microseconds",
			(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) != s->pcap.swapped ? "big"
										    : "little",
			s->pcap.modified ? ", modified records" : "");
}

static int open_file(struct savefile *s, const struct bpe_options *o, struct bpe_error *error)
{
	struct stat st;
	bool input = !strcmp(o->file, "-");
	snprintf(s->name, sizeof s->name, "%s", input ? "standard input" : o->file);
	s->file = input ? bpei_fd_dup(STDIN_FILENO) : bpei_fd_open(o->file, O_RDONLY);
	if (s->file < 0)
		return bpei_fail(error, bpei_status_of(errno), "open", errno, "%s", s->name);
	if (fstat(s->file, &st))
		return bpei_fail(error, BPE_E_IO, "fstat", errno, "%s", s->name);
	if (S_ISDIR(st.st_mode))
		return bpei_fail(error, BPE_E_FORMAT, "open", 0,
			"%s is a directory: name a savefile", s->name);
	if (input && isatty(s->file))
		return bpei_fail(error, BPE_E_FORMAT, "open", 0,
			"standard input is a terminal: feed it a savefile, as in -r - < FILE");
	if (bpei_fd_pipe(s->wake_pipe, true))
		return bpei_fail(error, BPE_E_IO, "pipe", errno, "no pipe");
	s->regular = S_ISREG(st.st_mode);
	if (s->regular) {
		off_t start = lseek(s->file, 0, SEEK_CUR); /* standard input may stand anywhere */
		s->offset = start > 0 ? (uint64_t)start : 0;
		s->device.source_bytes = (uint64_t)st.st_size;
	}
	return read_head(s, error);
}

int bpei_savefile_open(
	const struct bpe_options *o, struct bpei_device **device, struct bpe_error *error)
{
	struct savefile *s = calloc(1, sizeof *s);
	if (!s)
		return bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory");
	s->device.ops = &ops;
	s->device.fd = s->file = s->wake_pipe[0] = s->wake_pipe[1] = -1;
	s->device.snaplen = o->snaplen;
	s->options = *o;
	s->stretch = o->block_bytes ? o->block_bytes : STRETCH;
	int r = open_file(s, o, error);
	if (r < 0) {
		close_savefile(&s->device);
		return r;
	}
	s->device.many_interfaces = s->device.is_directed = s->is_ng;
	s->ng.names = &s->device.names;
	describe(s);
	*device = &s->device;
	return BPE_OK;
}
