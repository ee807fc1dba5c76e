/* SPDX-License-Identifier: MIT */
/* What Apple's driver was seen to do (bsd/net/bpf.c of xnu-11417, run) and its model must do, too:
 * answers that need traffic, and so have no place in the list of bpf_driver.c.  A plain program. */
#include "bpf_harness.h"

#include <unistd.h>

enum { DLT_EN10MB = 1, DLT_RAW = 12, DLT_PKTAP = 149 };

static struct bpf_double *d;
static uint8_t frame[2048], got[8192];

static int call_macos(enum bpei_bpf_call c, void *argument)
{
	return d->sys.ioctl(d->sys.context, DOUBLE_FD, d->model.abi->call[c], argument);
}

static int set_macos(enum bpei_bpf_call c, uint32_t v)
{
	return call_macos(c, &v);
}

static uint32_t ask_macos(enum bpei_bpf_call c)
{
	uint32_t v = 0xdead;
	EXPECT(call_macos(c, &v) == 0);
	return v;
}

static int attach_macos(const char *name)
{
	char ifreq[32] = "";
	snprintf(ifreq, 16, "%s", name);
	return call_macos(BPEI_BIOCSETIF, ifreq);
}

static void begin_macos(const char *about)
{
	what = about;
	d = calloc(1, sizeof *d);
	if (!d)
		exit(2);
	double_init(d, &bpei_bpf_abis[BPEI_MACOS]);
	EXPECT(d->sys.open(d->sys.context, "/dev/bpf0") == DOUBLE_FD);
	d->sys.nonblocking(d->sys.context, DOUBLE_FD, true);
}

static void end_macos(void)
{
	d->sys.close(d->sys.context, DOUBLE_FD);
	double_free(d);
	free(d);
}

static void tap_macos(uint32_t size, uint32_t dlt)
{
	struct model_packet p = {
		.data = frame, .caplen = size, .wirelen = size, .dlt = dlt, .time_ns = d->wall_ns
	};
	model_tap(&d->model, d->interface, &p, d->now_ns);
}

static ssize_t read_node_fully(uint32_t size)
{
	return d->sys.read(d->sys.context, DOUBLE_FD, got, size);
}

/* ---- Requests ---- */

static void what_it_tells(void)
{
	uint64_t compressed[7] = { 1, 1, 1, 1, 1, 1, 1 };
	begin_macos("what is asked for only");
	EXPECT(ask_macos(BPEI_BIOCGSEESENT) == 1 && ask_macos(BPEI_BIOCGDIRECTION) == 3);
	EXPECT(set_macos(BPEI_BIOCSSEESENT, 0) == 0 && ask_macos(BPEI_BIOCGDIRECTION) == 1);
	EXPECT(set_macos(BPEI_BIOCSDIRECTION, 2) == 0 && ask_macos(BPEI_BIOCGSEESENT) == 1);
	EXPECT(set_macos(BPEI_BIOCSDIRECTION, 0) == 0 && ask_macos(BPEI_BIOCGSEESENT) == 0);
	EXPECT(ask_macos(BPEI_BIOCGWANTPKTAP) == 0 && set_macos(BPEI_BIOCSWANTPKTAP, 1) == 0);
	EXPECT(ask_macos(BPEI_BIOCGWANTPKTAP) == 1);
	EXPECT(ask_macos(BPEI_BIOCGHDRCMPLT) == 0 && set_macos(BPEI_BIOCSHDRCMPLT, 1) == 0);
	EXPECT(ask_macos(BPEI_BIOCGHDRCMPLT) == 1);
	EXPECT(call_macos(BPEI_BIOCGHDRCOMPSTATS, compressed) == 0 && !compressed[0] &&
		!compressed[6]);
	EXPECT(ask_macos(BPEI_BIOCGNOTSTAMP) == 0 && set_macos(BPEI_BIOCSNOTSTAMP, 1) == 0);
	EXPECT(ask_macos(BPEI_BIOCGNOTSTAMP) == 1 && set_macos(BPEI_BIOCSPKTHDRV2, 1) == 0);
	EXPECT(attach_macos("en0") == 0 && set_macos(BPEI_BIOCSDIRECTION, 3) == 0);
	tap_macos(60, 0);
	EXPECT(read_node_fully(4096) == 78 && !bpei_load32(got) && !bpei_load32(got + 4));
	end_macos();
}

static void a_return_of_x(void)
{
	const struct bpe_insn insns[] = { { 0x0e, 0, 0, 0 } };
	struct {
		uint32_t length;
		const struct bpe_insn *insns;
	} program = { 1, insns };
	uint32_t counts[2] = { 0, 0 };
	begin_macos("RET|X is taken, and matches nothing");
	EXPECT(attach_macos("en0") == 0 && call_macos(BPEI_BIOCSETF, &program) == 0);
	tap_macos(60, 0);
	EXPECT(read_node_fully(4096) == -EAGAIN);
	EXPECT(call_macos(BPEI_BIOCGSTATS, counts) == 0 && counts[0] == 1 && !counts[1]);
	end_macos();
}

static uint32_t list_dlts(uint32_t *to)
{
	uint8_t list[12] = { 0 };
	bpei_store32(list, 8);
	memcpy(list + 4, &to, sizeof to);
	EXPECT(call_macos(BPEI_BIOCGDLTLIST, list) == 0);
	return bpei_load32(list);
}

static void pktap_is_hidden(void)
{
	uint32_t dlt[8] = { 0 };
	for (uint32_t wants = 0; wants < 2; wants++) {
		begin_macos(
			wants ? "PKTAP for who asked for it" : "without BIOCSWANTPKTAP no PKTAP");
		struct model_interface *t = model_add(&d->model, "pktap0", DLT_PKTAP, 0);
		t->dlt[1] = DLT_RAW;
		t->dlts = 2;
		EXPECT(set_macos(BPEI_BIOCSWANTPKTAP, wants) == 0 && attach_macos("pktap0") == 0);
		EXPECT(ask_macos(BPEI_BIOCGDLT) == (wants ? DLT_PKTAP : DLT_RAW));
		EXPECT(list_dlts(dlt) == 1 + wants && dlt[0] == (wants ? DLT_PKTAP : DLT_RAW));
		EXPECT(set_macos(BPEI_BIOCSDLT, DLT_PKTAP) == 0);
		EXPECT(ask_macos(BPEI_BIOCGDLT) == (wants ? DLT_PKTAP : DLT_RAW));
		end_macos();
	}
}

/* ---- Records ---- */

static uint32_t next_complen(uint32_t size)
{
	tap_macos(size, 0);
	return read_node_fully(4096) >= 22 ? got[18] : 0xdead;
}

static void compressed_prefixes(void)
{
	static const struct {
		uint32_t size, first, second;
	} frames[] = { { 253, 252, 252 }, { 257, 0, 0 }, { 512, 0, 0 }, { 516, 0, 4 },
		{ 520, 4, 8 }, { 1500, 8, 220 } };
	begin_macos("a prefix is at most (caplen & 0xff) bytes of both packets");
	EXPECT(set_macos(BPEI_BIOCSHDRCOMP, 1) == 0 && attach_macos("en0") == 0);
	next_complen(252);
	EXPECT(next_complen(252) == 252);
	for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
		EXPECT(next_complen(frames[i].size) == frames[i].first);
		EXPECT(next_complen(frames[i].size) == frames[i].second);
	}
	end_macos();
}

static void a_header_as_long_as_the_buffer(void)
{
	uint32_t counts[2], size;
	begin_macos("a header as long as the buffer keeps the record");
	size = 66;
	EXPECT(call_macos(BPEI_BIOCSBLEN, &size) == 0 && set_macos(BPEI_BIOCSEXTHDR, 1) == 0);
	EXPECT(attach_macos("en0") == 0);
	tap_macos(60, 0);
	EXPECT(read_node_fully(66) == 66 && !bpei_load32(got + 8) && bpei_load32(got + 12) == 60);
	end_macos();
	begin_macos("a longer header loses it without a count");
	size = 65;
	EXPECT(call_macos(BPEI_BIOCSBLEN, &size) == 0 && set_macos(BPEI_BIOCSEXTHDR, 1) == 0);
	EXPECT(attach_macos("en0") == 0);
	tap_macos(60, 0);
	EXPECT(read_node_fully(65) == -EAGAIN && call_macos(BPEI_BIOCGSTATS, counts) == 0);
	EXPECT(counts[0] == 1 && counts[1] == 0);
	end_macos();
}

static void bytes_behind_the_header(void)
{
	static const struct {
		enum bpei_bpf_call switched;
		uint32_t at, hdrlen;
	} kinds[] = { { BPEI_BIOCSEXTHDR, 64, 66 }, { BPEI_BIOCSHDRCOMP, 20, 22 } };
	for (int k = 0; k < 2; k++) {
		begin_macos(k ? "bytes 20 and 21 of a compressed record are stale"
			      : "bytes 64 and 65 of an extended record are stale");
		EXPECT(set_macos(kinds[k].switched, 1) == 0 && attach_macos("en0") == 0);
		memset(d->model.node[0].store, 0x5a, 4096);
		tap_macos(60, 0);
		EXPECT(read_node_fully(4096) == 60 + kinds[k].hdrlen);
		EXPECT(bpei_load16(got + 16) == kinds[k].hdrlen);
		EXPECT(got[kinds[k].at] == 0x5a && got[kinds[k].at + 1] == 0x5a);
		EXPECT(!memcmp(got + kinds[k].hdrlen, frame, 60));
		end_macos();
	}
}

/* ---- Taps and readiness ---- */

static void taps_without_a_link_type(void)
{
	begin_macos("a tap that names no link type is the primary one's");
	d->interface->dlt[1] = DLT_RAW;
	d->interface->dlts = 2;
	EXPECT(attach_macos("en0") == 0 && set_macos(BPEI_BIOCSDLT, DLT_RAW) == 0);
	tap_macos(60, 0);
	EXPECT(read_node_fully(4096) == -EAGAIN);
	tap_macos(60, DLT_RAW);
	EXPECT(read_node_fully(4096) > 0);
	EXPECT(set_macos(BPEI_BIOCSDLT, DLT_EN10MB) == 0);
	tap_macos(60, DLT_RAW);
	EXPECT(read_node_fully(4096) == -EAGAIN);
	tap_macos(60, 0);
	EXPECT(read_node_fully(4096) == 78);
	end_macos();
}

static void the_low_water_mark(void)
{
	int wake[2];
	uint32_t size = 96;
	struct bpei_bpf_waiter waiter;
	bpei_bpf_waiter_init(&waiter);
	begin_macos("NOTE_LOWAT above the buffer means the buffer");
	EXPECT(pipe(wake) == 0 && call_macos(BPEI_BIOCSBLEN, &size) == 0 &&
		attach_macos("en0") == 0);
	EXPECT(set_macos(BPEI_BIOCIMMEDIATE, 1) == 0);
	tap_macos(60, 0);
	EXPECT(d->sys.wait(d->sys.context, &waiter, DOUBLE_FD, wake[0], 1000, MS) == 0);
	EXPECT(d->sys.wait(d->sys.context, &waiter, DOUBLE_FD, wake[0], 78, MS) ==
		BPEI_WAIT_DEVICE);
	EXPECT(read_node_fully(96) == 78);
	tap_macos(78, 0);
	EXPECT(d->sys.wait(d->sys.context, &waiter, DOUBLE_FD, wake[0], 1000, MS) ==
		BPEI_WAIT_DEVICE);
	d->sys.wait_end(d->sys.context, &waiter);
	close(wake[0]), close(wake[1]);
	end_macos();
}

int main(void)
{
	for (uint32_t i = 0; i < sizeof frame; i++)
		frame[i] = (uint8_t)(i * 7 + 1);
	system_name = "macOS";
	what_it_tells();
	a_return_of_x();
	pktap_is_hidden();
	compressed_prefixes();
	a_header_as_long_as_the_buffer();
	bytes_behind_the_header();
	taps_without_a_link_type();
	the_low_water_mark();
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
