/* SPDX-License-Identifier: MIT */
/* Features of the drivers beyond plain capturing, on the scripted double: changes of the filter,
 * directions, macOS's extended headers, compression and flight recorder.  Also records as the real
 * drivers made them.  A plain program. */
#include "bpf_harness.h"

/* ---- Filters ---- */

static const struct bpe_insn only_odd[] = { { 0x20, 0, 0, 42 }, { 0x45, 0, 1, 1 },
	{ 0x06, 0, 0, 262144 }, { 0x06, 0, 0, 0 } };
static const struct bpe_insn modulo[] = { { 0x20, 0, 0, 42 }, { 0x94, 0, 0, 2 }, { 0x15, 0, 1, 1 },
	{ 0x06, 0, 0, 100 }, { 0x06, 0, 0, 0 } };

static void check_filter_changes(const struct bpei_bpf_abi *abi) BPEI_READER
{
	struct reader *r = start_reader(abi);
	struct bpe_options o = harness_options();
	what = "a filter in the kernel";
	o.filter = only_odd;
	o.filter_length = 4;
	EXPECT(open_it(r, o) == BPE_OK);
	r->gaps = true;
	uint32_t n = send_traffic(r, 2 * SECOND, MS, 40, 64);
	read_until(r, 3 * SECOND);
	ask_stats(r);
	EXPECT(r->seen == 20 && !r->wrong && kernel_received(r) == n &&
		bpei_counter_get(&r->device->filtered) == 0);
	finish_reader(r);

	r = start_reader(abi);
	const bool knows = bpei_kernels[abi->system].mod_xor;
	what = "MOD: in the kernel where it knows it, else here";
	o.filter = modulo;
	o.filter_length = 5;
	EXPECT(open_it(r, o) == BPE_OK);
	r->gaps = true;
	send_traffic(r, 2 * SECOND, MS, 40, 200);
	read_until(r, 3 * SECOND);
	EXPECT(r->seen == 20 && !r->wrong &&
		bpei_counter_get(&r->device->filtered) == (knows ? 0 : 20) &&
		(notices[0] == 0) == knows);
	finish_reader(r);

	static struct bpe_insn many[1002] = { { 0x20, 0, 0,
		42 } }; /* packets 0, 3, 6 ...: too many instructions for a kernel */
	for (uint32_t i = 0; i < 500; i++)
		many[1 + 2 * i] = (struct bpe_insn){ 0x15, 0, 1, 3 * i },
			     many[2 + 2 * i] = (struct bpe_insn){ 0x06, 0, 0, 100 };
	many[1001] = (struct bpe_insn){ 0x06, 0, 0, 0 };
	EXPECT(!bpei_filter_check(many, 1002));
	for (int running = 0; running < 2; running++) {
		r = start_reader(abi);
		what = running ? "a program that is too long, while running"
			       : "a program that is too long";
		o = harness_options();
		if (!running) {
			o.filter = many;
			o.filter_length = 1002;
		}
		EXPECT(open_it(r, o) == BPE_OK);
		r->gaps = true;
		if (running)
			EXPECT(bpei_device_set_filter(r->device, many, 1002, &r->error) == BPE_OK);
		EXPECT(r->d.model.node[0].program_length == 512 &&
			strstr(notices, "wider filter of 512 instructions"));
		n = send_traffic(r, 2 * SECOND, MS, 40, 200);
		read_until(r, 3 * SECOND);
		EXPECT(r->seen == 14 && !r->wrong &&
			bpei_counter_get(&r->device->filtered) == n - 14);
		finish_reader(r);
	}

	r = start_reader(abi);
	what = "what is filtered here is not cut before";
	o = harness_options();
	o.snaplen = 50;
	static const struct bpe_insn far[] = { { 0x30, 0, 0, 120 }, { 0x94, 0, 0, 2 },
		{ 0x06, 0, 0, 1000 } };
	o.filter = far;
	o.filter_length = 3;
	EXPECT(open_it(r, o) == BPE_OK);
	n = send_traffic(r, 2 * SECOND, MS, 10, 200);
	read_until(r, 3 * SECOND);
	EXPECT(r->seen == n && !r->wrong && r->columns.caplen[0] == 50);
	finish_reader(r);

	r = start_reader(abi);
	what = "the snapshot length is the kernel's, too";
	o = harness_options();
	o.snaplen = 60;
	EXPECT(open_it(r, o) == BPE_OK);
	send_traffic(r, 2 * SECOND, MS, 5, 200);
	read_until(r, 3 * SECOND);
	EXPECT(r->seen == 5 && !r->wrong && r->d.model.node[0].program_length == 1 &&
		r->d.model.node[0].program[0].k == 60);
	finish_reader(r);

	r = start_reader(abi);
	what = "another filter while packets of the old one lie in the kernel";
	EXPECT(open_it(r, harness_options()) == BPE_OK);
	r->gaps = true;
	n = send_traffic(r, 2 * SECOND, 1000, 10, 64);
	r->d.now_ns = 2100 * MS;
	EXPECT(bpei_device_fill(r->device, &r->block, 0, &r->error) ==
		1); /* a block in hand, not walked yet */
	send_traffic(r, 2200 * MS, 1000, 10, 64);
	r->d.now_ns = 2300 * MS;
	uint32_t got = 0;
	EXPECT(bpei_device_fill(r->device, &r->block, 0, &r->error) >= 0);
	EXPECT(bpei_device_set_filter(r->device, only_odd, 4, &r->error) == BPE_OK);
	take_block(r);
	got = r->seen;
	send_traffic(r, 2400 * MS, 1000, 10, 64);
	read_until(r, 3 * SECOND);
	EXPECT(got == 5 && !r->wrong && r->seen == 10 && (r->expected & 1) == 0);
	EXPECT(bpei_device_set_filter(r->device, NULL, 0, &r->error) == BPE_OK);
	send_traffic(r, 3100 * MS, MS, 10, 64);
	read_until(r, 4 * SECOND);
	EXPECT(r->seen == 20 && !r->wrong);
	finish_reader(r);
}

/* ---- Features of some systems ---- */

static void check_directions(const struct bpei_bpf_abi *abi) BPEI_READER
{
	for (uint32_t way = 0; way < 3; way++) {
		struct reader *r = start_reader(abi);
		struct bpe_options o = harness_options();
		what = "direction";
		o.direction = way;
		EXPECT(open_it(r, o) == BPE_OK);
		r->gaps = true;
		send_traffic(r, 2 * SECOND, MS, 30, 64);
		for (uint32_t i = 0; i < 10; i++)
			r->d.event[i * 3].outgoing = true;
		read_until(r, 3 * SECOND);
		const uint32_t wanted = way == BPE_DIRECTION_IN ? 20 : 10;
		EXPECT(r->seen == (way == BPE_DIRECTION_BOTH ? 30 : wanted) && !r->wrong);
		if (abi->layout->flags)
			EXPECT(r->outgoing == (way == BPE_DIRECTION_IN ? 0u : 10u));
		finish_reader(r);
	}
	if (abi->system != BPEI_MACOS)
		return;
	struct reader *r = start_reader(abi);
	struct bpe_options o = harness_options();
	what = "direction before macOS 14";
	r->d.model.version = 13;
	o.direction = BPE_DIRECTION_OUT;
	EXPECT(open_it(r, o) == BPE_E_UNSUPPORTED);
	o.direction = BPE_DIRECTION_IN;
	EXPECT(open_it(r, o) == BPE_OK && r->d.model.node[0].direction == 1);
	finish_reader(r);
}

static void check_macos_features(const struct bpei_bpf_abi *abi) BPEI_READER
{
	if (abi->system != BPEI_MACOS)
		return;
	static const uint32_t versions[] = { 0, 14, 12, 9 };
	for (int v = 0; v < 4; v++) {
		struct reader *r = start_reader(abi);
		struct bpe_options o = harness_options();
		what = "extended headers";
		r->d.model.version = versions[v];
		o.process = true;
		EXPECT(open_it(r, o) == BPE_OK && r->device->has_meta);
		send_traffic(r, 2 * SECOND, MS, 20, 64);
		for (uint32_t i = 0; i < 10; i++) {
			r->d.event[i * 2].outgoing = true;
			r->d.event[i * 2].pid = 77;
		}
		r->d.now_ns = 3 * SECOND;
		EXPECT(bpei_device_fill(r->device, &r->block, 0, &r->error) == 1);
		uint32_t n = bpei_device_walk(r->device, &r->block, &r->columns, BPE_BATCH);
		uint32_t named = 0;
		struct bpe_batch batch = bpei_batch_view(&r->columns, 0, n, 0);
		for (uint32_t i = 0; i < n; i++) {
			struct bpe_meta m;
			EXPECT(bpe_batch_meta(&batch, i, &m) == 1 && m.flags & BPE_META_DIRECTION &&
				(m.flags & BPE_META_OUT) == (i & 1 ? 0 : BPE_META_OUT));
			if (m.flags & BPE_META_PROCESS)
				named += m.pid == 77 && !strcmp(m.comm, "daemon") &&
					 m.service_class == 600;
		}
		check_packets(r, n);
		EXPECT(n == 20 && named == 10 && r->outgoing == 10 && !r->wrong);
		finish_reader(r);
	}
	for (int on = 0; on < 2; on++) {
		struct reader *r = start_reader(abi);
		struct bpe_options o = harness_options();
		what = on ? "prefix compression is undone"
			  : "prefix compression that is switched off";
		o.header_compression = true;
		r->d.model.compression_enabled = on;
		EXPECT(open_it(r, o) == BPE_OK && (notices[0] == 0) == (on != 0));
		uint32_t n = send_traffic(r, 2 * SECOND, 1000, 3000, 64);
		read_until(r, 4 * SECOND);
		EXPECT(r->seen == n && !r->wrong && !bpei_counter_get(&r->device->torn_blocks));
		finish_reader(r);
	}
	struct reader *low = start_reader(abi);
	struct bpe_options small = harness_options();
	what = "a burst while auto pauses: half a buffer ends the pause";
	small.buffer_bytes = 16384;
	EXPECT(open_it(low, small) == BPE_OK);
	low->d.read_cost_ns = 2000;
	uint32_t sent = send_traffic(low, 2 * SECOND, 500000, 30, 64) +
			send_traffic(low, 2020 * MS, 2000, 1000, 64);
	read_until(low, 3 * SECOND);
	ask_stats(low);
	EXPECT(low->seen == sent && !low->wrong && !kernel_dropped(low));
	finish_reader(low);

	struct reader *r = start_reader(abi);
	struct bpe_options o = harness_options();
	what = "flight recorder: the oldest are dropped";
	o.head_drop = true;
	o.buffer_bytes = 4096;
	EXPECT(open_it(r, o) == BPE_OK);
	r->gaps = true;
	uint32_t n = send_traffic(r, 2 * SECOND, 1000, 500, 64);
	r->d.now_ns = 3 * SECOND;
	read_until(r, 4 * SECOND);
	ask_stats(r);
	EXPECT(r->expected == n && r->seen + kernel_dropped(r) == n && kernel_dropped(r) > 300 &&
		!r->wrong);
	finish_reader(r);
}

static void check_served_node(const struct bpei_bpf_abi *abi) BPEI_READER
{
	struct reader *r = start_reader(abi);
	struct bpe_options o = harness_options();
	what = "a served node whose long reads come in pieces";
	r->d.read_most = 1u << 20;
	o.buffer_bytes = 0;
	o.bpf_device = abi->device;
	EXPECT(open_it(r, o) == BPE_OK);
	uint32_t n = send_traffic(r, 2 * SECOND, MS, 50, 64);
	read_until(r, 3 * SECOND);
	EXPECT(!r->end && r->seen == n && !r->wrong &&
		(notices[0] == 0) == (abi->most_buffer <= 1u << 20));
	finish_reader(r);
}

/* Checks frames that read() of the real drivers' code gave, byte by byte (xnu-11417 and
 * NetBSD 1.203, both run). */
static void check_real_records(void) BPEI_READER
{
	static const char macos[] =
		"e7c3036b12ae03003d0000003d0000001200020000000099020000000098"
		"88b5"
		"1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c00"
		"e7c3036b12ae03003c0000003c0000001200020000000099020000000098"
		"88b5"
		"2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b";
	static const char comp[] =
		"ebc3036b1fa105003d0000003d00000016000000000002000000009902000000009888b51e1f202122232425262728292a2b2c2d2e2f30313233343536373839"
		"3a3b3c3d3e3f404142434445464748494a4b4c00ebc3036b20a10500150000003d0000001600280000003939"
		"3a3b3c3d3e3f404142434445464748494a4b4c00"
		"ebc3036b20a10500180000003c0000001600240000003435363639393a3b3c3d3e3f404142434445464748494a4b";
	uint8_t bytes[512], whole[512];
	size_t n = 0;
	bpei_counter torn = { 0 };
	struct bpei_columns c;
	if (bpei_columns_new(&c, BPE_BATCH) < 0)
		exit(2);
	what = "records of the real macOS driver";
	for (const char *h = macos; h[0] && h[1]; h += 2)
		bytes[n++] = (uint8_t)strtoul((char[]){ h[0], h[1], 0 }, NULL, 16);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	struct bpei_bpf_walk how = { .layout = &bpei_layout_macos,
		.link_type = 1,
		.snaplen = 65535,
		.plain = true,
		.torn_blocks = &torn };
	struct bpei_block b = { .bytes = bytes, .length = n, .stop_offset = n };
	EXPECT(n == 158 && bpei_walk_bpf(&how, &b, &c, BPE_BATCH) == 2 && c.caplen[0] == 61 &&
		c.caplen[1] == 60 && c.data[0] == bytes + 18 && c.data[1] == bytes + 98);
	EXPECT(c.time_ns[0] == 0x6b03c3e7ll * 1000000000 + 0x03ae12 * 1000 &&
		!bpei_counter_get(&torn));
	n = 0;
	what = "compressed records of the real macOS driver";
	for (const char *h = comp; h[0] && h[1]; h += 2)
		bytes[n++] = (uint8_t)strtoul((char[]){ h[0], h[1], 0 }, NULL, 16);
	struct bpei_inflate chain = { .length = 0 };
	size_t made = bpei_inflate(&chain, bytes, n, whole, sizeof whole);
	b = (struct bpei_block){ .bytes = whole, .length = made, .stop_offset = made };
	EXPECT(n == 174 && made != BPEI_INFLATE_FAILED &&
		bpei_walk_bpf(&how, &b, &c, BPE_BATCH) == 3);
	EXPECT(c.caplen[0] == 61 && c.caplen[1] == 61 && c.caplen[2] == 60 && c.wirelen[2] == 60);
	uint8_t second[61], third[60];
	memcpy(second, c.data[0], 61);
	second[40] = 0x39;
	EXPECT(!memcmp(c.data[1], second, 61));
	memcpy(third, c.data[1], 36);
	memcpy(third + 36, bytes + 128 + 22, 24);
	EXPECT(!memcmp(c.data[2], third, 60));
#else
	(void)comp, (void)whole, (void)torn;
#endif
	bpei_columns_free(&c, BPE_BATCH);
}

/* Checks packet 1 for programs with an older and a newer struct bpe_meta.  They get the members
 * that they have, and no byte more. */
static void check_meta_sizes(const struct bpe_batch *batch, const struct bpe_meta *whole)
{
	uint8_t room[2 * sizeof *whole];
	bool good = true;

	for (size_t bytes = 0; bytes <= sizeof room; bytes++) {
		memset(room, 0xa5, sizeof room);
		good &= bpe_batch_meta_sized(batch, 1, (void *)room, bytes) == 1;
		for (size_t k = 0; k < sizeof room; k++) {
			const uint8_t common = k < sizeof *whole ? ((const uint8_t *)whole)[k] : 0;

			good &= room[k] == (k < bytes ? common : 0xa5);
		}
	}
	EXPECT(good);
}

/* Checks PKTAP headers of both versions before an Ethernet and a raw packet.  A packet with a
 * damaged header stays a PKTAP packet. */
static void check_pktap(void) BPEI_READER
{
	static uint8_t buffer[2048];
	const struct bpei_bpf_abi *abi = &bpei_bpf_abis[BPEI_MACOS];
	struct bpei_columns c;
	bpei_counter torn = { 0 };
	size_t at = 0, length = 0;
	what = "PKTAP";
	if (bpei_columns_new(&c, BPE_BATCH) < 0)
		exit(2);
	for (int k = 0; k < 4; k++) {
		uint8_t *r = buffer + at;
		uint8_t *p = r + 20;
		bool v2 = k == 1;
		uint32_t header = v2 ? 64 : 156;
		uint32_t inner = 100;
		uint32_t dlt = k == 2 ? 12 : 1;
		memset(r, 0, 20 + header);
		bpei_store32(r, 1700000000);
		bpei_store32(r + 8, header + inner);
		bpei_store32(r + 12, header + inner + 50);
		bpei_store16(r + 16, 20);
		if (v2) {
			p[0] = 64;
			p[3] = 40;
			p[4] = 44;
			p[5] = 52;
			bpei_store16(p + 6, (uint16_t)dlt);
			bpei_store32(p + 20, 700);
			bpei_store32(p + 28, 501), bpei_store32(p + 32, 502);
			bpei_store32(p + 36, 0x80000 | 2 | 0x8000);
			memcpy(p + 40, "en0", 4), memcpy(p + 44, "curl", 5),
				memcpy(p + 52, "Safari", 7);
		} else {
			/* The last header claims more bytes than the packet has. */
			bpei_store32(p, k == 3 ? 5000 : 156);
			bpei_store32(p + 4, 1), bpei_store32(p + 8, dlt);
			memcpy(p + 12, "utun4", 6);
			bpei_store32(p + 36, 1);
			bpei_store32(p + 52, 77), memcpy(p + 56, "mDNSResponder", 14);
			bpei_store32(p + 76, 600), bpei_store32(p + 84, (uint32_t)-1);
		}
		double_bytes(p + header, (uint32_t)k, inner);
		length = at + 20 + header + inner;
		at = (length + 3) & ~(size_t)3;
	}
	struct bpei_bpf_walk how = { .layout = &bpei_layout_macos,
		.link_type = 258,
		.snaplen = 65535,
		.pktap = true,
		.meta = true,
		.link_type_of = abi->link_type_of,
		.torn_blocks = &torn };
	struct bpei_block b = { .bytes = buffer, .length = length, .stop_offset = length };
	struct bpe_meta m;
	uint32_t n = bpei_walk_bpf(&how, &b, &c, BPE_BATCH);
	struct bpe_batch batch = bpei_batch_view(&c, 0, n, 0);
	EXPECT(n == 2 && b.link_type == 1 && c.caplen[0] == 100 && c.wirelen[0] == 150 &&
		c.caplen[1] == 100 && bpei_be32(c.data[1] + 42) == 1);
	EXPECT(!c.outgoing[0] && c.outgoing[1] == BPE_PKT_OUTGOING);
	EXPECT(bpe_batch_meta(&batch, 0, &m) && m.pid == 77 && !strcmp(m.comm, "mDNSResponder") &&
		m.effective_pid == -1 && !strcmp(m.interface_name, "utun4") &&
		m.service_class == 600 && m.flags == (BPE_META_DIRECTION | BPE_META_PROCESS));
	EXPECT(bpe_batch_meta(&batch, 1, &m) && m.pid == 501 && !strcmp(m.comm, "curl") &&
		m.effective_pid == 502 && !strcmp(m.effective_comm, "Safari") &&
		!strcmp(m.interface_name, "en0") &&
		m.flags == (BPE_META_DIRECTION | BPE_META_OUT | BPE_META_PROCESS |
				   BPE_META_RETRANSMIT));
	check_meta_sizes(&batch, &m);
	EXPECT(bpei_walk_bpf(&how, &b, &c, BPE_BATCH) == 1 && b.link_type == 101);
	n = bpei_walk_bpf(&how, &b, &c, BPE_BATCH);
	batch = bpei_batch_view(&c, 0, n, 0);
	EXPECT(n == 1 && b.link_type == 258 && c.caplen[0] == 256 &&
		!bpe_batch_meta(&batch, 0, &m));
	EXPECT(!bpei_walk_bpf(&how, &b, &c, BPE_BATCH) && !bpei_counter_get(&torn));
	bpei_columns_free(&c, BPE_BATCH);
}

/* Captures on "pktap": the interface is created and destroyed again, also after failures.
 */
static void check_made_pktap(const struct bpei_bpf_abi *abi) BPEI_READER
{
	struct bpe_options o = harness_options();
	o.interface_name = "bpf:pktap";
	what = "pktap is made on macOS alone";
	struct reader *r = start_reader(abi);
	r->d.is_root = true;
	int status = open_it(r, o);
	EXPECT(status == (abi->numbered ? BPE_OK : BPE_E_ABSENT) && r->d.made == abi->numbered);
	EXPECT(status < 0 || (r->device->link_type == 258 && strstr(r->device->source, "pktap0")));
	finish_reader(r);
	if (!abi->numbered)
		return;

	what = "who may not make a pktap is told what to do";
	r = start_reader(abi);
	EXPECT(open_it(r, o) == BPE_E_RIGHTS &&
		strstr(r->error.text, "sudo ifconfig pktap0 create"));
	finish_reader(r);
	what = "a made pktap goes when opening fails";
	for (uint32_t at = 1; at < 20; at++) {
		r = start_reader(abi);
		r->d.is_root = true;
		r->d.fault_at = at;
		r->d.fault_errno = EIO;
		open_it(r, o);
		finish_reader(r); /* destroys the interface */
	}
}

int main(void)
{
	bpei_role_enter(&bpei_reader_role);
	for (int s = 0; s < BPEI_SYSTEMS; s++) {
		const struct bpei_bpf_abi *abi = &bpei_bpf_abis[s];
		system_name = abi->title;
		check_filter_changes(abi);
		check_directions(abi);
		check_macos_features(abi);
		check_served_node(abi);
		check_made_pktap(abi);
	}
	system_name = "records";
	check_real_records();
	check_pktap();
	bpei_role_leave(&bpei_reader_role);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
