/* SPDX-License-Identifier: MIT */
/* Pushes any packets into a capture, and takes the packets out again.  Packets come out in order,
 * with unchanged bytes, numbers and metadata.  A call with a wrong packet takes none.
 * The books balance, and bpe_parse gives the layers of the batch.
 *
 * Input: a byte of choices (bits 0-1 snaplen, 2-3 direction, 4 a filter, 5 a limit of packets),
 * then packets.  A packet is a byte of choices, an interface, a wire length, a time, a length, and
 * bytes. Bits 0-2 choose the link type, bit 3 adds metadata, bits 4-5 are the direction.  Bit 6
 * ends a call; bit 7 also takes all packets out.  A length above 250 is multiplied: such packets
 * fill the buffer. */
#include "bpfengine.h"
#include "fuzz.h"
#include "layers_check.h"

#include <string.h>

#define MOST_CALL 8u
#define MOST_WAITING 8192u
#define MULTIPLIED 250u

/* A packet as pushed. */
struct made {
	uint8_t *bytes;
	struct bpe_packet packet;
	struct bpe_meta meta;
};

struct run {
	struct bpe_capture *capture;
	struct bpe_options options;
	bool keeps_all; /* neither filter nor direction: each packet comes out */
	struct made call[MOST_CALL];
	uint32_t calls;        /* packets of the call */
	struct made *waiting;  /* MOST_WAITING: taken and not read */
	uint32_t first, count; /* of waiting */
	uint64_t taken, read;
	bool over; /* the limit is reached */
};

static void free_made(struct made *m)
{
	free(m->bytes);
	m->bytes = NULL;
}

/* Reads a packet into the call. */
static void make_packet(struct run *r, struct fuzz_input *in, uint8_t how)
{
	static const int32_t links[8] = { 1, -1, 101, 113, 0, 65535, 276, 12 };
	struct made *m = &r->call[r->calls++];
	struct bpe_packet *p = &m->packet;
	size_t length;

	bpe_packet_init(p);
	p->link_type = links[how & 7];
	p->direction = how >> 4 & 3;
	p->interface_id = fuzz_u8(in);
	p->wirelen = fuzz_u16(in);
	p->time_ns = (int64_t)fuzz_u8(in) << (how & 31);
	length = fuzz_u8(in);
	const size_t given = length < fuzz_left(in) ? length : fuzz_left(in);
	if (length > MULTIPLIED)
		length = (length - MULTIPLIED) * 60000;
	else
		length = given;
	m->bytes = length ? malloc(length) : NULL;
	FUZZ_CHECK(!length || m->bytes);
	if (length)
		memset(m->bytes, how, length);
	if (length && given)
		memcpy(m->bytes, in->next, given < length ? given : length);
	in->next += given;
	p->data = m->bytes;
	p->caplen = (uint32_t)length;
	if (!(how & 8))
		return;
	m->meta =
		(struct bpe_meta){ .flags = p->wirelen, .pid = how, .trace_tag = p->interface_id };
	memcpy(m->meta.interface_name, "fuzz", 4);
	p->meta = &m->meta;
}

/* ---- What comes out ---- */

/* Compares the parsers of single packets with the batch. */
static void check_parse(const struct bpe_batch *b, uint32_t i)
{
	struct bpe_layers l;
	struct bpe_key k;
	struct bpe_tunnel t;
	struct bpe_tcp_options o;
	uint8_t *exact = malloc(b->caplen[i] + !b->caplen[i]);

	FUZZ_CHECK(exact != NULL);
	memcpy(exact, b->data[i], b->caplen[i]);
	const int link = b->layers[i].link_type;
	const int r = bpe_parse(exact, b->caplen[i], b->wirelen[i], link, &l, &k);
	FUZZ_CHECK(r == 0 || r == 1);
	FUZZ_CHECK(!layers_wrong(&l, &k, b->caplen[i], (uint32_t)link));
	FUZZ_CHECK(l.network == b->layers[i].network && l.transport == b->layers[i].transport &&
		   l.end == b->layers[i].end && l.proto == b->layers[i].proto);
	FUZZ_CHECK(bpe_parse_outermost(exact, b->caplen[i], b->wirelen[i], link, &l, &k) >= 0);
	FUZZ_CHECK(bpe_parse_tunnel(exact, b->caplen[i], b->wirelen[i], link, &t) >= 0);
	FUZZ_CHECK(bpe_parse_tcp_options(exact, b->caplen[i], &b->layers[i], &o) >= 0);
	FUZZ_CHECK(bpe_parse_tcp_options(exact, b->caplen[i], &l, &o) >= 0);
	free(exact);
}

/* Compares packet i with the pushed packet. */
static void check_pushed(const struct run *r, const struct bpe_batch *b, uint32_t i)
{
	const struct made *m = &r->waiting[r->first];
	uint32_t caplen = m->packet.caplen;
	struct bpe_meta meta;

	if (caplen > r->options.snaplen)
		caplen = r->options.snaplen;
	FUZZ_CHECK(b->caplen[i] == caplen && b->wirelen[i] == m->packet.wirelen);
	FUZZ_CHECK(!caplen || !memcmp(b->data[i], m->bytes, caplen));
	FUZZ_CHECK(b->time_ns[i] == m->packet.time_ns);
	FUZZ_CHECK(b->interface_id[i] == m->packet.interface_id);
	FUZZ_CHECK(b->layers[i].link_type ==
		   (m->packet.link_type < 0 ? 1 : (uint32_t)m->packet.link_type));
	const int told = bpe_batch_meta(b, i, &meta);
	FUZZ_CHECK(told == (m->packet.meta || m->packet.direction));
	FUZZ_CHECK(!m->packet.meta ||
		   (meta.pid == m->meta.pid && meta.trace_tag == m->meta.trace_tag &&
			   !strcmp(meta.interface_name, "fuzz")));
}

/* Takes out all packets. */
static void drain_capture(struct run *r)
{
	struct bpe_batch b;
	int n;

	while ((n = bpe_capture_next(r->capture, &b, -1, NULL)) > 0)
		for (uint32_t i = 0; i < b.count; i++) {
			check_parse(&b, i);
			r->read++;
			if (!r->keeps_all)
				continue;
			FUZZ_CHECK(r->count);
			check_pushed(r, &b, i);
			free_made(&r->waiting[r->first]);
			r->first = (r->first + 1) % MOST_WAITING;
			r->count--;
		}
	FUZZ_CHECK(n == 0 || n == BPE_E_END);
	r->over |= n == BPE_E_END;
	FUZZ_CHECK(r->over || !r->keeps_all || !r->count);
}

/* ---- What goes in ---- */

/* Returns true for a call with a wrong packet. */
static bool is_call_wrong(const struct run *r)
{
	for (uint32_t i = 0; i < r->calls; i++)
		if (r->call[i].packet.direction > BPE_DIRECTION_OUT)
			return true;
	return false;
}

/* Pushes the call, in as many calls as the buffer wants. */
static void push_call(struct run *r)
{
	struct bpe_packet packets[MOST_CALL];
	struct bpe_error e;
	uint32_t done = 0;

	for (uint32_t i = 0; i < r->calls; i++) {
		packets[i] = r->call[i].packet;
		packets[i].meta = packets[i].meta ? &r->call[i].meta : NULL;
	}
	const bool wrong = is_call_wrong(r);
	while (done < r->calls && !r->over) {
		const int n = bpe_capture_push(r->capture, packets + done, r->calls - done, &e);

		FUZZ_CHECK((n == BPE_E_ARGUMENT) == (wrong && !done));
		if (n < 0)
			break;
		for (int k = 0; k < n; k++, done++, r->count += r->keeps_all)
			if (r->keeps_all)
				r->waiting[(r->first + r->count) % MOST_WAITING] = r->call[done];
			else
				free_made(&r->call[done]);
		r->taken += (uint64_t)n;
		if (done < r->calls)
			drain_capture(r);
	}
	for (; done < r->calls; done++)
		free_made(&r->call[done]);
	r->calls = 0;
}

static void check_push_books(struct run *r)
{
	struct bpe_stats s;

	bpe_capture_stats(r->capture, &s);
	FUZZ_CHECK(s.kernel_received == r->taken && s.read_packets == r->read);
	FUZZ_CHECK(r->taken == s.read_packets + s.filtered + s.kernel_dropped);
	FUZZ_CHECK(r->options.max_packets || !s.kernel_dropped);
}

void fuzz_push(const uint8_t *bytes, size_t n)
{
	static const uint32_t snaplens[4] = { BPE_MAX_SNAPLEN, 96, 20, 1 };
	struct fuzz_input in = { bytes, bytes + n };
	struct run *r = calloc(1, sizeof *r);
	const uint8_t kind = fuzz_u8(&in);
	struct bpe_error e;

	FUZZ_CHECK(r && (r->waiting = calloc(MOST_WAITING, sizeof *r->waiting)));
	bpe_options_init(&r->options);
	r->options.push = true;
	r->options.buffer_bytes = 1;
	r->options.snaplen = snaplens[kind & 3];
	r->options.direction = (kind >> 2 & 3) % 3;
	r->options.filter_expression = kind & 16 ? "udp or inbound" : NULL;
	r->options.max_packets = kind & 32 ? 5 : 0;
	r->keeps_all = !r->options.direction && !r->options.filter_expression;
	FUZZ_CHECK(bpe_capture_open(&r->options, &r->capture, &e) == BPE_OK);
	while (fuzz_left(&in)) {
		const uint8_t how = fuzz_u8(&in);

		make_packet(r, &in, how);
		if (how & 192 || r->calls == MOST_CALL)
			push_call(r);
		if (how & 128 || r->count > MOST_WAITING / 2)
			drain_capture(r);
	}
	push_call(r);
	FUZZ_CHECK(r->over || bpe_capture_push_end(r->capture, &e) == BPE_OK);
	drain_capture(r);
	FUZZ_CHECK(r->over);
	check_push_books(r);
	bpe_capture_close(r->capture);
	for (; r->count; r->count--, r->first = (r->first + 1) % MOST_WAITING)
		free_made(&r->waiting[r->first]);
	free(r->waiting);
	free(r);
}
