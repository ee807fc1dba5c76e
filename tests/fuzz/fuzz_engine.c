/* SPDX-License-Identifier: MIT */
/* Gives any bytes as disorder in a pcapng file, read by a whole engine without workers: hostile
 * times, lengths, interfaces and link types.  The counts balance: read = delivered + dropped.  The
 * flows' records add up to the packets of flows, in packets and in bytes.  A flow's times are in
 * order.
 *
 * Input: a byte each for the table's size and the time-outs, then operations, a byte each with
 * operands.  An operation is an interface (link type, unit and offset of stamps), a section, a
 * packet (shape, changed bytes, time, length), or any bytes. */
#include "fuzz.h"

#include "bpfengine.h"

#include <string.h>
#include <unistd.h>

#define MOST_BYTES (1u << 18)

struct file {
	uint8_t *bytes;
	size_t n;
};

static void append_to_file(struct file *f, const void *from, size_t n)
{
	if (f->n + n <= MOST_BYTES)
		memcpy(f->bytes + f->n, from, n), f->n += n;
}
static void append_u16(struct file *f, uint16_t v)
{
	append_to_file(f, &v, sizeof v);
}
static void append_u32(struct file *f, uint32_t v)
{
	append_to_file(f, &v, sizeof v);
}

static void append_section(struct file *f)
{
	append_u32(f, 0x0a0d0d0a), append_u32(f, 28), append_u32(f, 0x1a2b3c4d), append_u16(f, 1),
		append_u16(f, 0);
	append_u32(f, UINT32_MAX), append_u32(f, UINT32_MAX), append_u32(f, 28);
}

static uint64_t draw_hostile_time(struct fuzz_input *in)
{
	static const uint64_t corners[8] = { 0, INT64_MAX, (uint64_t)INT64_MAX - 300000000,
		UINT64_MAX, 1700000000000000000, (uint64_t)INT64_MAX + 1, 9223372036u, 1 };
	uint8_t kind = fuzz_u8(in);
	return kind & 128 ? corners[kind & 7] + (kind >> 3 & 15)
			  : (uint64_t)fuzz_u32(in) << (kind & 31);
}

static void append_fuzzed_interface(struct file *f, struct fuzz_input *in)
{
	static const uint16_t links[8] = { 1, 1, 101, 113, 0, 228, 105, 276 };
	static const uint8_t units[8] = { 9, 9, 6, 0, 0x8a, 0xbf, 19, 255 };
	uint8_t kind = fuzz_u8(in);
	uint64_t offset = kind & 64 ? draw_hostile_time(in) : 0;
	append_u32(f, 1), append_u32(f, 44), append_u16(f, links[kind & 7]), append_u16(f, 0),
		append_u32(f, kind & 128 ? 60 : 0);
	append_u16(f, 9), append_u16(f, 1), append_u32(f, units[kind >> 3 & 7]); /* if_tsresol */
	append_u16(f, 14), append_u16(f, 8), append_to_file(f, &offset, 8);      /* if_tsoffset */
	append_u32(f, 0), append_u32(f, 44);
}

/* Ethernet frames: TCP both ways, UDP, UDP of IPv6, two fragments, an ICMP error, VXLAN. */
#define FROM_1 "\0\0\0\0\0\1\0\0\0\0\0\2"
#define FROM_2 "\0\0\0\0\0\2\0\0\0\0\0\1"
static const char *const shapes[8] = { FROM_1
	"\x08\0\x45\0\0\x28\0\1\0\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2\x04\xd2\0\x50"
	"\0\0\0\1\0\0\0\0\x50\2\1\0\0\0\0\0",
	FROM_2 "\x08\0\x45\0\0\x28\0\2\0\0\x40\6\0\0\x0a\0\0\2\x0a\0\0\1\0\x50\x04\xd2"
	       "\0\0\0\x07\0\0\0\2\x50\x12\1\0\0\0\0\0",
	FROM_1 "\x08\0\x45\0\0\x1d\0\3\0\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\3\x04\xd2\0"
	       "\x35\0\x09\0\0x",
	FROM_1 "\x86\xdd\x60\0\0\0\0\x08\x11\x40\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
	       "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\0\x35\0\x36\0\x08\0\0",
	FROM_1 "\x08\0\x45\0\0\x1c\0\4\x20\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\3\x04\xd2\0"
	       "\x35\0\x40\0\0",
	FROM_1 "\x08\0\x45\0\0\x1c\0\4\0\x01\x40\x11\0\0\x0a\0\0\1\x0a\0\0\3\0\0\0\0\0"
	       "\0\0\0",
	FROM_2 "\x08\0\x45\0\0\x38\0\5\0\0\x40\1\0\0\x0a\0\0\3\x0a\0\0\1\3\3\0\0\0\0\0"
	       "\0\x45\0\0\x1d\0\3\0\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\3\x04\xd2\0\x35\0"
	       "\x09\0\0",
	FROM_1 "\x08\0\x45\0\0\x40\0\6\0\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\4\x20\0\x12"
	       "\xb5\0\x2c\0\0\x08\0\0\0\0\0\1\0\0\0\0\0\0\1\0\0\0\0\0\2\x08\0\x45\0\0"
	       "\x1c" };
static const uint8_t lengths[8] = { 54, 54, 43, 62, 42, 42, 70, 68 };

static void append_fuzzed_packet(struct file *f, struct fuzz_input *in, uint8_t op, uint64_t *now)
{
	static const uint32_t wires[8] = { 60, 1514, 0, INT32_MAX, (uint32_t)INT32_MAX + 1,
		UINT32_MAX, 65535, 9000 };
	uint8_t frame[80], how = fuzz_u8(in), changes = fuzz_u8(in);
	uint32_t length = lengths[op & 7];
	uint32_t wire = how & 8 ? wires[how & 7] : length;
	memset(frame, 0, sizeof frame);
	memcpy(frame, shapes[op & 7], length);
	for (uint32_t k = changes & 3; k; k--)
		frame[fuzz_u8(in) % length] = fuzz_u8(in);
	if (changes & 4)
		length = fuzz_u8(in) % (length + 1);
	if (changes & 8)
		*now = draw_hostile_time(in);
	else
		*now += (uint64_t)(how >> 4) << (changes >> 4) * 2;
	uint32_t padded = (length + 3) & ~3u;
	uint32_t block = 32 + padded;
	append_u32(f, 6), append_u32(f, block), append_u32(f, op >> 3 & 3);
	append_u32(f, (uint32_t)(*now >> 32)), append_u32(f, (uint32_t)*now);
	append_u32(f, length), append_u32(f, wire), append_to_file(f, frame, padded),
		append_u32(f, block);
}

static void build_savefile(struct file *f, struct fuzz_input *in)
{
	uint64_t now = 1700000000000000000;
	append_section(f);
	append_u32(f, 1), append_u32(f, 32), append_u16(f, 1), append_u16(f, 0),
		append_u32(f, 0); /* an Ethernet in nanoseconds */
	append_u16(f, 9), append_u16(f, 1), append_u32(f, 9), append_u32(f, 0), append_u32(f, 32);
	while (fuzz_left(in)) {
		uint8_t op = fuzz_u8(in);
		if (op < 224)
			append_fuzzed_packet(f, in, op, &now);
		else if (op < 240)
			append_fuzzed_interface(f, in);
		else if (op < 244)
			append_section(f);
		else if (op < 248)
			for (uint8_t k = fuzz_u8(in) & 31; k; k--)
				append_u32(f, fuzz_u32(in));
		else
			now += (uint64_t)fuzz_u8(in) * 1000000000;
	}
}

struct books {
	uint64_t packets, captured, wire; /* of batches */
	uint64_t keyed, keyed_captured, keyed_wire;
	uint64_t flow_packets, flow_captured, flow_wire, records, periods;
};

static void count_fuzzed_batch(void *user, const struct bpe_batch *batch)
{
	struct books *b = user;
	for (uint32_t i = 0; i < batch->count; i++) {
		bool keyed = batch->layers[i].flags & BPE_PKT_KEY;
		b->packets++;
		b->captured += batch->caplen[i];
		b->wire += batch->wirelen[i];
		if (keyed) {
			b->keyed++;
			b->keyed_captured += batch->caplen[i];
			b->keyed_wire += batch->wirelen[i];
		}
	}
}

static void count_fuzzed_flow(void *user, const struct bpe_flow *f, uint32_t worker)
{
	struct books *b = user;
	FUZZ_CHECK(worker == 0 && f->packets[0] + f->packets[1] > 0 && f->first_ns <= f->last_ns);
	for (int k = 0; k < 2; k++) {
		FUZZ_CHECK(f->packets[k] || (!f->wire_bytes[k] && !f->captured_bytes[k]));
		b->flow_packets += f->packets[k];
		b->flow_captured += f->captured_bytes[k];
		b->flow_wire += f->wire_bytes[k];
	}
	b->records++;
	b->periods += f->end == BPE_END_ACTIVE;
}

static void check_books(const struct bpe_stats *s, const struct books *b)
{
	uint64_t dropped = 0, sizes = 0;
	for (int k = 0; k < BPE_DROP_COUNT; k++)
		dropped += s->dropped[k];
	for (int k = 0; k < BPE_SIZE_CLASSES; k++)
		sizes += s->sizes[k];
	FUZZ_CHECK(s->read_packets == s->delivered_packets + dropped && !s->in_flight && !dropped);
	FUZZ_CHECK(s->delivered_packets == b->packets && sizes == b->packets);
	FUZZ_CHECK(s->captured_bytes == b->captured && s->wire_bytes == b->wire);
	FUZZ_CHECK(s->flow_packets + s->flows_refused == b->keyed);
	FUZZ_CHECK(s->flows_opened == s->flows_active + s->flows_ended + s->flows_evicted);
	FUZZ_CHECK(
		b->records == s->flows_opened + s->flows_periods && b->periods == s->flows_periods);
	if (s->flows_refused)
		return;
	FUZZ_CHECK(b->flow_packets == b->keyed);
	FUZZ_CHECK(b->flow_captured == b->keyed_captured && b->flow_wire == b->keyed_wire);
}

static void run_engine_on(const struct file *f, struct bpe_options *o)
{
	char name[] = "/tmp/fuzz_engine.XXXXXX";
	struct bpe_engine *engine;
	struct bpe_error error;
	struct bpe_stats stats;
	struct books books = { 0 };
	int fd = mkstemp(name);
	FUZZ_CHECK(fd >= 0 && !unlink(name) && write(fd, f->bytes, f->n) == (ssize_t)f->n);
	FUZZ_CHECK(!lseek(fd, 0, SEEK_SET) && dup2(fd, STDIN_FILENO) == STDIN_FILENO && !close(fd));
	o->file = "-";
	o->on_batch = count_fuzzed_batch;
	o->on_flow = count_fuzzed_flow;
	o->user = &books;
	FUZZ_CHECK(bpe_engine_open(o, &engine, &error) == BPE_OK);
	int status = bpe_engine_run(engine, 0, &error);
	FUZZ_CHECK(
		status >= 0 || ((status == BPE_E_TORN || status == BPE_E_FORMAT) && error.text[0]));
	bpe_engine_stats(engine, &stats);
	check_books(&stats, &books);
	bpe_engine_close(engine);
}

void fuzz_engine(const uint8_t *bytes, size_t n)
{
	static const uint64_t tables[4] = { 1000, 7, 1, 0 };
	static const int64_t spans[4] = { 0, 1, 1000000000, INT64_MAX };
	struct fuzz_input in = { bytes, bytes + n };
	struct bpe_options o;
	uint8_t kind = fuzz_u8(&in), times = fuzz_u8(&in);
	struct file f = { malloc(MOST_BYTES), 0 };
	FUZZ_CHECK(f.bytes != NULL);
	bpe_options_init(&o);
	o.fixed_seed = true;
	o.hash_seed = kind;
	o.workers = 0;
	o.max_flows = tables[kind & 3];
	o.no_tcp_health = kind & 4;
	o.flow_lengths = kind & 8;
	if (times & 1)
		o.flow_idle_ns = spans[1 + (times >> 1 & 1)];
	if (times & 4)
		o.flow_closed_ns = spans[1 + (times >> 3 & 1)];
	o.flow_active_ns = spans[times >> 4 & 3];
	build_savefile(&f, &in);
	run_engine_on(&f, &o);
	free(f.bytes);
}
