/* SPDX-License-Identifier: MIT */
/* Pushed packets: lengths, link types, metadata and directions come out as pushed, at the engine
 * level and at the capture level. */
#include "push_case.h"

#include <string.h>

Test(push, takes_none_of_a_call_with_a_wrong_packet, .timeout = 550)
{
	struct bpe_packet packets[3] = { make_udp(0), make_udp(1), make_udp(2) };
	struct bpe_error error = { 0 };
	struct bpe_options o;

	init_push(&o);
	struct bpe_engine *e = open_push(&o);
	packets[2].data = NULL;
	cr_assert_eq(bpe_engine_push(e, packets, 3, 0, &error), BPE_E_ARGUMENT);
	cr_assert(strstr(error.text, "packet 2: data is NULL"), "%s", error.text);
	packets[2] = make_udp(2);
	packets[2].link_type = 65536;
	cr_assert_eq(bpe_engine_push(e, packets, 3, 0, &error), BPE_E_ARGUMENT);
	packets[2].link_type = -2;
	cr_assert_eq(bpe_engine_push(e, packets, 3, 0, &error), BPE_E_ARGUMENT);
	packets[2].link_type = -1;
	packets[2].direction = 3;
	cr_assert_eq(bpe_engine_push(e, packets, 3, 0, &error), BPE_E_ARGUMENT);
	cr_assert_eq(bpe_engine_push(e, NULL, 1, 0, &error), BPE_E_ARGUMENT);
	cr_assert_eq(bpe_engine_push(e, packets, SIZE_MAX, 0, &error), BPE_E_ARGUMENT);
	cr_assert_eq(bpe_engine_push_sized(e, packets, 8, sizeof(struct bpe_meta), 1, 0, &error),
		BPE_E_ARGUMENT);
	cr_assert_eq(bpe_engine_push_end(e, NULL), BPE_OK);
	cr_assert_eq(bpe_engine_start(e, NULL), BPE_OK);
	cr_assert_eq(finish_push(e).kernel_received, 0);
	bpe_engine_close(e);
}

/* Checks the lengths of the packets of takes_lengths_as_they_are. */
static void check_lengths(void *user, const struct bpe_batch *b)
{
	static const uint32_t caplen[4] = { 0, sizeof udp, sizeof udp, 100 };
	static const uint32_t wirelen[4] = { 60, 0, 10, BPE_MAX_SNAPLEN + 5 };

	cr_assert_eq(b->count, 4);
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(b->caplen[i], caplen[i]);
		cr_assert_eq(b->wirelen[i], wirelen[i]);
		cr_assert(b->layers[i].end <= b->caplen[i]);
	}
	cr_assert(!memcmp(b->data[3], user, 100));
}

Test(push, takes_lengths_as_they_are, .timeout = 550)
{
	struct bpe_packet p[4] = { make_udp(0), make_udp(1), make_udp(2), make_udp(3) };
	uint8_t *longest = malloc(BPE_MAX_SNAPLEN + 5);
	struct bpe_options o;

	cr_assert(longest != NULL);
	memset(longest, 0x5a, BPE_MAX_SNAPLEN + 5);
	p[0].data = NULL;
	p[0].caplen = 0;
	p[0].wirelen = 60;
	p[1].wirelen = 0;
	p[2].wirelen = 10;
	p[3].data = longest;
	p[3].caplen = p[3].wirelen = BPE_MAX_SNAPLEN + 5;
	init_push(&o);
	o.snaplen = 100;
	o.buffer_bytes = 1; /* the least that is possible */
	o.on_batch = check_lengths;
	o.user = longest;
	const struct bpe_stats s = run_packets(&o, p, 4);
	cr_assert_eq(s.read_packets, 4);
	cr_assert_eq(s.captured_bytes, 2 * sizeof udp + 100);
	free(longest);
}

static void note_link_types(void *user, const struct bpe_batch *b)
{
	uint32_t *of = user;

	for (uint32_t i = 0; i < b->count; i++) {
		const struct bpe_layers *l = &b->layers[i];

		cr_assert_eq(l->link_type, b->layers[0].link_type);
		if (l->proto == BPE_PROTO_UDP)
			of[l->link_type == 1 ? 0 : 1]++;
		of[2] += l->proto == BPE_PROTO_LINKTYPE;
	}
}

Test(push, mixes_link_types, .timeout = 550)
{
	struct bpe_packet p[300];
	uint32_t of[3] = { 0 }; /* Ethernet, raw IP, unknown */
	struct bpe_options o;

	for (uint32_t i = 0; i < 300; i++) {
		p[i] = make_udp(i);
		p[i].link_type = i % 3 == 0 ? 1 : -1;
		p[i].data += i % 3 == 1 ? 14 : 0;
		p[i].caplen -= i % 3 == 1 ? 14 : 0;
		if (i % 3 == 2)
			p[i].link_type = 65000;
	}
	init_push(&o);
	o.link_type = 101; /* raw IP: the default */
	o.on_batch = note_link_types;
	o.user = of;
	const struct bpe_stats s = run_packets(&o, p, 300);
	cr_assert_eq(of[0], 100);
	cr_assert_eq(of[1], 100);
	cr_assert_eq(of[2], 100);
	cr_assert_eq(s.flows_opened, 1);
	o.link_type = 65536;
	struct bpe_engine *none = NULL;
	cr_assert_eq(bpe_engine_open(&o, &none, NULL), BPE_E_ARGUMENT);
}

/* What the handlers of has_metadata saw. */
struct seen {
	uint32_t metas, out, in, flows, outgoing;
};

static void check_metadata(void *user, const struct bpe_batch *b)
{
	struct seen *seen = user;
	struct bpe_meta m;

	for (uint32_t i = 0; i < b->count; i++) {
		seen->outgoing += !!(b->layers[i].flags & BPE_PKT_OUTGOING);
		if (!bpe_batch_meta(b, i, &m))
			continue;
		seen->metas++;
		if (m.flags & BPE_META_DIRECTION)
			seen->out += !!(m.flags & BPE_META_OUT);
		seen->in += (m.flags & (BPE_META_DIRECTION | BPE_META_OUT)) == BPE_META_DIRECTION;
		if (b->interface_id[i] != 7)
			continue;
		cr_assert_eq(m.pid, 42);
		cr_assert_eq(m.trace_tag, 9);
		cr_assert_str_eq(m.interface_name, "wan");
		cr_assert_eq(strlen(m.comm), sizeof m.comm - 1);
	}
}

static void check_metadata_flow(void *user, const struct bpe_flow *f, uint32_t worker)
{
	struct seen *seen = user;
	(void)worker;

	seen->flows++;
	cr_assert(f->flags & BPE_FLOW_INTERFACE_ID);
	cr_assert_eq(f->interface_id, 7);
	cr_assert_str_eq(f->interface_name, "wan");
	cr_assert_eq(f->pid, 42);
}

Test(push, has_metadata_interfaces_and_directions, .timeout = 550)
{
	struct bpe_packet p[4] = { make_udp(0), make_udp(1), make_udp(2), make_udp(3) };
	struct bpe_meta meta = { .flags = BPE_META_PROCESS | BPE_META_DIRECTION | BPE_META_OUT,
		.pid = 42,
		.interface_name = "wan",
		.trace_tag = 9 };
	struct seen seen = { 0 };
	struct bpe_options o;

	memset(meta.comm, 'x', sizeof meta.comm); /* without a terminating 0 */
	p[0].interface_id = 7;
	p[0].meta = &meta;                 /* says: out */
	p[1].direction = BPE_DIRECTION_IN; /* and no metadata */
	p[2].interface_id = 7;
	p[2].meta = &meta;
	p[2].direction = BPE_DIRECTION_IN; /* goes before the metadata's direction */
	init_push(&o);
	o.process = true;
	o.on_batch = check_metadata;
	o.on_flow = check_metadata_flow;
	o.user = &seen;
	struct bpe_stats s = run_packets(&o, p, 4);
	cr_assert_eq(seen.metas, 3);
	cr_assert_eq(seen.out, 1);
	cr_assert_eq(seen.in, 2);
	cr_assert_eq(seen.outgoing, 1);
	cr_assert_eq(seen.flows, 1);
	cr_assert_eq(s.inbound_packets, 2);
	cr_assert_eq(s.outbound_packets, 1);
	o.direction = BPE_DIRECTION_OUT;
	s = run_packets(&o, p, 4);
	cr_assert_eq(s.read_packets, 1);
	cr_assert_eq(s.filtered, 3);
	o.direction = BPE_DIRECTION_IN; /* all but sent packets */
	o.on_flow = NULL;
	s = run_packets(&o, p, 4);
	cr_assert_eq(s.read_packets, 3);
	cr_assert_eq(s.filtered, 1);
	o.direction = BPE_DIRECTION_BOTH;
	o.filter_expression = "inbound and udp";
	s = run_packets(&o, p, 4);
	cr_assert_eq(s.read_packets, 2);
	cr_assert_eq(s.filtered, 2);
}

Test(push, counts_what_max_packets_leaves, .timeout = 550)
{
	struct bpe_packet *packets = make_many_udp(1000);
	struct bpe_options o;

	init_push(&o);
	o.max_packets = 300;
	const struct bpe_stats s = run_packets(&o, packets, 1000);
	cr_assert_eq(s.read_packets, 300);
	cr_assert_eq(s.kernel_received, 1000);
	cr_assert_eq(s.kernel_dropped, 700);
	cr_assert_eq(s.kernel_known & (BPE_KNOWN_RECEIVED | BPE_KNOWN_DROPPED),
		BPE_KNOWN_RECEIVED | BPE_KNOWN_DROPPED);
	free(packets);
}

Test(push, takes_structures_of_other_headers, .timeout = 550)
{
	struct {
		struct bpe_packet p;
		uint64_t newer;
	} wide[3] = { { .newer = 0 } };
	struct {
		const uint8_t *data;
		int64_t time_ns;
		uint32_t caplen, wirelen;
	} narrow[3];
	struct bpe_error error = { 0 };
	struct bpe_options o;

	init_push(&o);
	struct bpe_engine *e = open_push(&o);
	for (uint32_t i = 0; i < 3; i++) {
		wide[i].p = make_udp(i);
		memcpy(&narrow[i], &wide[i].p, sizeof *narrow);
	}
	cr_assert_eq(bpe_engine_push_sized(e, (const void *)narrow, sizeof *narrow,
			     sizeof(struct bpe_meta), 3, 0, &error),
		3, "%s", error.text);
	cr_assert_eq(bpe_engine_push_sized(
			     e, &wide->p, sizeof *wide, sizeof(struct bpe_meta), 3, 0, &error),
		3, "%s", error.text);
	wide[2].newer = 1;
	cr_assert_eq(bpe_engine_push_sized(
			     e, &wide->p, sizeof *wide, sizeof(struct bpe_meta), 3, 0, &error),
		BPE_E_UNSUPPORTED);
	cr_assert(strstr(error.text, "newer header"));
	cr_assert_eq(bpe_engine_push_end(e, NULL), BPE_OK);
	cr_assert_eq(bpe_engine_start(e, NULL), BPE_OK);
	const struct bpe_stats s = finish_push(e);
	cr_assert_eq(s.read_packets, 6);
	cr_assert_eq(s.flow_packets, 6); /* the link type of the narrow packets is the default */
	bpe_engine_close(e);
}

Test(push, feeds_a_capture, .timeout = 550)
{
	struct bpe_packet *packets = make_many_udp(MANY);
	struct bpe_capture *c = NULL;
	struct bpe_error error = { 0 };
	struct bpe_batch b;
	struct bpe_stats s;
	struct bpe_options o;
	uint64_t read = 0;
	size_t pushed = 0;
	int n;

	init_push(&o);
	o.buffer_bytes = 1;
	cr_assert_eq(bpe_capture_open(&o, &c, &error), BPE_OK, "%s", error.text);
	cr_assert_eq(bpe_capture_fd(c), -1);
	cr_assert_eq(bpe_capture_next(c, &b, -1, &error), 0); /* does not wait */
	while (pushed < MANY) {
		n = bpe_capture_push(c, packets + pushed, MANY - pushed, &error);
		cr_assert(n > 0, "%d: %s", n, error.text);
		pushed += (size_t)n;
		if (pushed == MANY)
			cr_assert_eq(bpe_capture_push_end(c, &error), BPE_OK);
		while ((n = bpe_capture_next(c, &b, -1, &error)) > 0) {
			cr_assert_eq(b.time_ns[0], START_NS + (int64_t)read);
			read += (uint64_t)n;
		}
		cr_assert_eq(n, pushed == MANY ? BPE_E_END : 0);
	}
	cr_assert_eq(read, MANY);
	cr_assert_eq(bpe_capture_push(c, packets, 1, &error), BPE_E_STATE);
	bpe_capture_stats(c, &s);
	cr_assert_eq(s.read_packets, MANY);
	cr_assert_eq(s.kernel_received, MANY);
	cr_assert_eq(s.kernel_dropped, 0);
	bpe_capture_close(c);
	o.push = false;
	o.interface_name = "synth:count=1";
	cr_assert_eq(bpe_capture_open(&o, &c, &error), BPE_OK);
	cr_assert_eq(bpe_capture_push(c, packets, 1, &error), BPE_E_STATE);
	cr_assert_eq(bpe_capture_push_end(c, &error), BPE_E_STATE);
	bpe_capture_close(c);
	free(packets);
}

Test(push, is_one_source_of_several, .timeout = 550)
{
	struct bpe_engine *e = NULL;
	struct bpe_error error = { 0 };
	struct bpe_options o;

	init_push(&o);
	o.file = "x.pcap";
	cr_assert_eq(bpe_engine_open(&o, &e, &error), BPE_E_ARGUMENT);
	cr_assert(strstr(error.text, "exactly one source"));
	o.file = NULL;
	o.memory_bytes = 5;
	cr_assert_eq(bpe_engine_open(&o, &e, &error), BPE_E_ARGUMENT);
	o.memory_bytes = 0;
	o.push = false;
	o.push_live = true;
	o.interface_name = "synth";
	cr_assert_eq(bpe_engine_open(&o, &e, &error), BPE_E_ARGUMENT);
	o.push_live = false;
	o.interface_name = NULL;
	cr_assert_eq(bpe_engine_open(&o, &e, &error), BPE_E_ARGUMENT);
	init_push(&o);
	o.buffer_bytes = UINT64_MAX;
	cr_assert_eq(bpe_engine_open(&o, &e, &error), BPE_E_MEMORY);
	cr_assert(!e);
}
