/* SPDX-License-Identifier: MIT */
/* Opening a savefile, standard input ("-") or a savefile in memory, and reading the head until the
 * format is known. */
#include "device/savefile.h"

#include "base/descriptor.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STRETCH (256u << 10)
#define HEAD_FIRST 4096u
/* Empty frames may make a savefile's beginning as long as they like. */
#define HEAD_MOST_PACKED (64u << 20)
/* Virtual: only memory which is read into is touched. */
#define LEAST_BLOCK (BPEI_PCAPNG_MAX_BLOCK + STRETCH)
#define MODIFIED_RECORD_HEADER 24u
#define BLOCKS_IN_FLIGHT 64u
#define LARGE_BLOCKS_IN_FLIGHT 2u

/* ---- Errors ---- */

/* Refuses a file of another format. */
static int refuse_format(
	const struct bpei_savefile *s, struct bpe_error *error, const uint8_t *h, size_t n)
{
	if (!n)
		return bpei_fail(
			error, BPE_E_FORMAT, "open", 0, "%s is empty: not a savefile", s->name);
	uint8_t first[4] = { 0 };
	memcpy(first, h, n < sizeof first ? n : sizeof first);
	return bpei_fail(error, BPE_E_FORMAT, "open", 0,
		"%s is neither pcap nor pcapng (it begins with %02x %02x %02x %02x)", s->name,
		first[0], first[1], first[2], first[3]);
}

static int fail_truncated(const struct bpei_savefile *s, struct bpe_error *error, size_t n)
{
	return bpei_fail(error, BPE_E_FORMAT, "open", 0,
		"%s: truncated dump file: its header has only %zu bytes", s->name, n);
}

/* ---- The head ---- */

/* The bytes read so far; all: there are no more. */
struct head {
	const uint8_t *bytes;
	size_t length;
	bool all;
};

/* Examines the head of a pcap file.  Returns as examine_head. */
static int examine_pcap(struct bpei_savefile *s, const struct head *head, struct bpe_error *error)
{
	uint8_t header[BPEI_PCAP_HEADER] = { 0 };

	memcpy(header, head->bytes, head->length < sizeof header ? head->length : sizeof header);
	int r = bpei_pcap_init(&s->pcap, header);
	if (!r)
		return refuse_format(s, error, head->bytes, head->length);
	if (head->length < sizeof header)
		return head->all ? fail_truncated(s, error, head->length) : 0;
	if (r < 0)
		return bpei_fail(error, BPE_E_FORMAT, "open", 0, "%s: %s", s->name, s->pcap.why);
	s->device.link_type = s->pcap.link_type;
	return 1;
}

/* Examines the head of a pcapng file up to the first interface, which has the link type, and stands
 * before the first packet.  Returns as examine_head. */
static int examine_pcapng(struct bpei_savefile *s, const struct head *head, struct bpe_error *error)
{
	struct bpei_block b = {
		.bytes = head->bytes, .length = head->length, .stop_offset = head->length
	};
	struct bpei_pcapng ng = { .swapped = false };
	enum bpei_walk_stop stop;

	bpei_walk_pcapng(&ng, &b, NULL, 0, 0, &stop);
	const bool has_link_type = ng.has_link_type;
	const bool in_section = ng.in_section;
	const char *why = ng.why;
	s->device.link_type = ng.first_link_type;
	s->ng.swapped = ng.swapped;
	bpei_pcapng_free(&ng);
	if (has_link_type)
		return 1;
	if (stop == BPEI_WALK_BAD && !in_section)
		return bpei_fail(error, BPE_E_FORMAT, "open", 0, "%s: %s", s->name, why);
	if (stop != BPEI_WALK_BAD && stop != BPEI_WALK_MORE && !head->all)
		return 0;
	/* The walk will report the damage, after the whole blocks before. */
	return in_section ? 1 : fail_truncated(s, error, head->length);
}

/* Finds the format.  Returns 1 if known and right; 0 if more bytes are needed; or a status. */
static int examine_head(struct bpei_savefile *s, const struct head *head, struct bpe_error *error)
{
	if (head->length < 4) {
		if (!head->all)
			return 0;
		return head->length ? fail_truncated(s, error, head->length)
				    : refuse_format(s, error, head->bytes, 0);
	}
	s->is_ng = bpei_pcapng_is(head->bytes);
	return s->is_ng ? examine_pcapng(s, head, error) : examine_pcap(s, head, error);
}

/* Doubles the memory of the head if it is full.  Returns false without memory. */
static bool grow_head(struct bpei_savefile *s, size_t have, size_t *room)
{
	if (s->head && have == *room && *room < LEAST_BLOCK) {
		*room *= 2;
		void *more = realloc(s->head, *room);

		if (!more)
			free(s->head);
		s->head = more;
	}
	return s->head;
}

/* Copies more of the head from memory.  Returns the bytes copied, 0 at the end. */
static ssize_t copy_more_head(struct bpei_savefile *s, size_t have, size_t room)
{
	const uint64_t rest = s->device.source_bytes - have;
	const size_t n = rest < room - have ? (size_t)rest : room - have;

	if (n)
		memcpy(s->head + have, s->memory + have, n);
	s->eof = !n && have < room;
	return (ssize_t)n;
}

/* Reads more of the head.  Returns the bytes read, 0 at the end or without room, or a status. */
static ssize_t read_more_head(
	struct bpei_savefile *s, size_t have, size_t room, struct bpe_error *error)
{
	if (s->memory)
		return copy_more_head(s, have, room);
	while (have < room) {
		const ssize_t n = bpei_file_stream_read(&s->stream, s->head + have, room - have);

		if (n >= 0) {
			s->eof = !n;
			return n;
		}
		if (n != BPEI_STREAM_LATER) {
			if (error)
				*error = s->stream.error;
			return n;
		}
		if (s->stream.packed && bpei_file_stream_position(&s->stream) > HEAD_MOST_PACKED)
			return bpei_fail(error, BPE_E_FORMAT, "open", 0,
				"%s: the first %u MiB of the compressed file have no savefile in "
				"them",
				s->name, HEAD_MOST_PACKED >> 20);
		if (!s->regular && s->stream.starved)
			bpei_savefile_wait(s, -1);
	}
	return 0;
}

/* Sets the size of blocks: a record whose beginning was read always has room for the rest. */
static void choose_block_bytes_for(struct bpei_savefile *s, size_t head_room)
{
	const size_t longest =
		s->is_ng ? BPEI_PCAPNG_MAX_BLOCK : MODIFIED_RECORD_HEADER + (size_t)s->pcap.most;
	size_t bytes = longest + s->stretch;

	if (bytes < LEAST_BLOCK)
		bytes = LEAST_BLOCK;
	s->device.block_bytes = bytes + head_room + BPEI_SAVEFILE_PAGE;
	s->device.max_blocks_in_flight =
		longest > LEAST_BLOCK ? LARGE_BLOCKS_IN_FLIGHT : BLOCKS_IN_FLIGHT;
}

/* Reads until the format is known; the bytes read are walked later. */
static int read_head(struct bpei_savefile *s, struct bpe_error *error)
{
	size_t room = HEAD_FIRST;
	size_t have = 0;
	int known = 0;

	s->head = malloc(room);
	while (!known) {
		if (!grow_head(s, have, &room))
			return bpei_fail(error, BPE_E_MEMORY, "open", 0,
				"no memory for the head of %s", s->name);
		const ssize_t n = read_more_head(s, have, room, error);
		if (n < 0)
			return (int)n;
		have += (size_t)n;
		const struct head head = { s->head, have, !n };
		known = examine_head(s, &head, error);
		if (known < 0)
			return known;
	}
	s->left = s->head + (s->is_ng ? 0 : BPEI_PCAP_HEADER);
	s->left_bytes = have - (size_t)(s->left - s->head);
	s->offset += (uint64_t)(s->left - s->head);
	choose_block_bytes_for(s, room);
	s->device.fd = s->stream.file;
	return BPE_OK;
}

/* ---- Open ---- */

/* Writes the description of the source. */
static void describe_savefile(struct bpei_savefile *s)
{
	char *to = s->device.source;
	const size_t room = sizeof s->device.source;
	const bool host_is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
	const char *order = host_is_big != s->pcap.swapped ? "big" : "little";
	const char *unit = s->pcap.nanoseconds ? "nanoseconds" : "microseconds";
	const char *kind = s->pcap.modified ? ", modified records" : "";

	/* A name of memory says so itself. */
	const char *what = s->options.memory ? "" : "savefile ";
	const char *comma = s->stream.packed ? ", " : "";
	const char *packing = "";

	if (s->stream.packed)
		packing = bpei_packing_name(s->stream.unpacker.packing);
	if (s->is_ng)
		snprintf(to, room, "%s%s (pcapng%s%s)", what, s->name, comma, packing);
	else
		snprintf(to, room, "%s%s (pcap, %s, %s-endian%s%s%s)", what, s->name, unit, order,
			kind, comma, packing);
}

/* Opens the file, or standard input for "-". */
static int open_descriptor(struct bpei_savefile *s, struct stat *st, struct bpe_error *error)
{
	const char *path = s->options.file;
	const bool is_input = !strcmp(path, "-");

	snprintf(s->name, sizeof s->name, "%s", is_input ? "standard input" : path);
	s->stream.file = is_input ? bpei_fd_dup(STDIN_FILENO) : bpei_fd_open(path, O_RDONLY);
	if (s->stream.file < 0)
		return bpei_fail(error, bpei_status_of(errno), "open", errno, "%s", s->name);
	if (fstat(s->stream.file, st))
		return bpei_fail(error, BPE_E_IO, "fstat", errno, "%s", s->name);
	if (S_ISDIR(st->st_mode))
		return bpei_fail(error, BPE_E_FORMAT, "open", 0,
			"%s is a directory: name a savefile", s->name);
	if (is_input && isatty(s->stream.file))
		return bpei_fail(error, BPE_E_FORMAT, "open", 0,
			"standard input is a terminal: feed it a savefile, as in -r - < FILE");
	return BPE_OK;
}

/* Looks for a compressed form, and reads the head. */
static int open_stream(struct bpei_savefile *s, struct bpe_error *error)
{
	s->stream.name = s->name;
	s->stream.regular = s->regular;
	const int r = bpei_file_stream_open(&s->stream, error);

	if (r < 0)
		return r;
	s->offset = s->stream.packed ? 0 : s->stream.start;
	return read_head(s, error);
}

/* Takes the program's memory for the file. */
static int open_memory(struct bpei_savefile *s, struct bpe_error *error)
{
	snprintf(s->name, sizeof s->name, "savefile in memory");
	s->memory = (const uint8_t *)s->options.memory;
	s->device.source_bytes = s->options.memory_bytes;
	s->regular = true;
	if (bpei_packing_of(s->memory, s->options.memory_bytes) != BPEI_PACKING_NONE) {
		s->stream.memory = s->memory;
		s->stream.memory_bytes = s->options.memory_bytes;
		s->memory = NULL;
		return open_stream(s, error);
	}
	s->device.maps_blocks = true;
	return read_head(s, error);
}

static int open_savefile(struct bpei_savefile *s, struct bpe_error *error)
{
	struct stat st;

	if (s->options.memory)
		return open_memory(s, error);
	int r = open_descriptor(s, &st, error);
	if (r < 0)
		return r;
	if (bpei_fd_pipe(s->wake_pipe, true))
		return bpei_fail(error, BPE_E_IO, "pipe", errno, "no pipe");
	s->regular = S_ISREG(st.st_mode);
	if (s->regular) {
		/* Of standard input: any. */
		const off_t start = lseek(s->stream.file, 0, SEEK_CUR);

		s->stream.start = start > 0 ? (uint64_t)start : 0;
		s->device.source_bytes = (uint64_t)st.st_size;
		s->is_named = strcmp(s->options.file, "-") != 0;
	}
	return open_stream(s, error);
}

int bpei_savefile_open(
	const struct bpe_options *o, struct bpei_device **device, struct bpe_error *error)
{
	struct bpei_savefile *s = calloc(1, sizeof *s);

	if (!s)
		return bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory");
	s->device.ops = &bpei_savefile_ops;
	s->device.fd = -1;
	s->device.snaplen = o->snaplen;
	s->options = *o;
	s->stream.file = -1;
	s->wake_pipe[0] = -1;
	s->wake_pipe[1] = -1;
	s->stretch = o->block_bytes ? o->block_bytes : STRETCH;
	int r = open_savefile(s, error);
	if (r < 0) {
		bpei_device_close(&s->device);
		return r;
	}
	s->device.many_interfaces = s->is_ng;
	s->device.is_directed = s->is_ng;
	s->device.has_meta = s->is_ng;
	s->ng.names = &s->device.names;
	bpei_pcapng_kept_init(&s->kept);
	s->ng.kept = &s->kept;
	if (s->is_ng)
		s->device.told.kept = &s->kept;
	describe_savefile(s);
	*device = &s->device;
	return BPE_OK;
}
