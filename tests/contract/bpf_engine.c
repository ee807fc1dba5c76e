/* SPDX-License-Identifier: MIT */
/* The engine's BPF device on the scripted double, in all four personalities: opening, reading,
 * overload, removal, faults. A plain program; times are the double's, so nothing here waits and
 * nothing depends on the machine. */
#include "bpf_harness.h"

static void check_first_open(const struct bpei_bpf_abi *abi)
{
	struct reader *r = start_reader(abi);
	what = "opens the first free node";
	EXPECT(open_it(r, harness_options()) == BPE_OK);
	EXPECT(r->device->link_type == 1 && r->device->block_bytes == 65536 && r->device->live &&
		r->device->fd >= 0);
	EXPECT(strstr(r->device->source, "en0") && strstr(r->device->source, abi->title));
	EXPECT(r->d.model.node[0].on == r->d.interface && !r->d.model.node[0].promiscuous);
	finish_reader(r);

	r = start_reader(abi);
	what = "no such interface";
	struct bpe_options o = harness_options();
	o.interface_name = "en7";
	EXPECT(open_it(r, o) == BPE_E_ABSENT && !strcmp(r->error.step, "BIOCSETIF") &&
		strstr(r->error.text, "en7"));
	finish_reader(r);

	r = start_reader(abi);
	what = "\"any\" is told to be Linux's";
	o.interface_name = "if:any";
	EXPECT(open_it(r, o) == BPE_E_ABSENT && strstr(r->error.text, "-i pktap"));
	finish_reader(r);

	r = start_reader(abi);
	what = "unknown ABI, long name, too large a buffer";
	o = harness_options();
	o.bpf_abi = "plan9";
	EXPECT(open_it(r, o) == BPE_E_ARGUMENT && strstr(r->error.text, "netbsd"));
	o = harness_options();
	o.interface_name = "averyveryverylongname0";
	EXPECT(open_it(r, o) == BPE_E_ABSENT);
	o = harness_options();
	o.buffer_bytes = 1ull << 40;
	EXPECT(open_it(r, o) == BPE_E_ARGUMENT);
	finish_reader(r);
}

static void check_buffer_sizes(const struct bpei_bpf_abi *abi)
{
	struct bpe_options o;
	struct reader *r = start_reader(abi);
	what = "the largest buffer that the kernel gives";
	o = harness_options();
	o.buffer_bytes = 0;
	EXPECT(open_it(r, o) == BPE_OK && r->device->block_bytes == abi->most_buffer &&
		!notices[0]);
	finish_reader(r);
	r = start_reader(abi);
	what = "told when the kernel gives less than was asked for";
	o.buffer_bytes = 64u << 20;
	EXPECT(open_it(r, o) == BPE_OK && r->device->block_bytes == abi->most_buffer &&
		strstr(notices, abi->buffer_sysctl));
	finish_reader(r);
	r = start_reader(abi);
	what = "an odd limit is taken down to a multiple of eight";
	r->d.model.buffer_most = 100001;
	EXPECT(open_it(r, o) == BPE_OK && r->device->block_bytes == 100000);
	finish_reader(r);

	for (int e = 0; e < 2; e++) {
		r = start_reader(abi);
		what = "halves the buffer when there is no memory";
		r->d.model.memory = 300000;
		r->d.model.memory_errno = e ? ENOBUFS : ENOMEM;
		o = harness_options();
		o.buffer_bytes = 0;
		EXPECT(open_it(r, o) == BPE_OK && r->device->block_bytes <= 300000 &&
			r->device->block_bytes > 150000 - 8);
		finish_reader(r);
		r = start_reader(abi);
		what = "no memory at all";
		r->d.model.memory = 1;
		r->d.model.memory_errno = e ? ENOBUFS : ENOMEM;
		EXPECT(open_it(r, o) == BPE_E_MEMORY && !strcmp(r->error.step, "BIOCSETIF"));
		finish_reader(r);
	}
}

static void check_open_options(const struct bpei_bpf_abi *abi)
{
	struct bpe_options o;
	struct reader *r = start_reader(abi);
	what = "link types";
	r->d.interface->dlt[1] = 105;
	r->d.interface->dlts = 2;
	o = harness_options();
	o.link_type = 105;
	EXPECT(open_it(r, o) == BPE_OK && r->device->link_type == 105);
	bpei_device_close(r->device);
	r->device = NULL;
	o.link_type = 127;
	EXPECT(open_it(r, o) == BPE_E_ARGUMENT && strstr(r->error.text, "EN10MB, IEEE802_11") &&
		!strcmp(r->error.step, "BIOCSDLT"));
	finish_reader(r);
	r = start_reader(abi);
	r->d.interface->dlt[0] = abi->dlt_of(101);
	what = "RAW has a number of its own";
	EXPECT(open_it(r, harness_options()) == BPE_OK && r->device->link_type == 101);
	finish_reader(r);

	r = start_reader(abi);
	what = "promiscuous on request, a refusal is told and no failure";
	o = harness_options();
	o.promiscuous = true;
	EXPECT(open_it(r, o) == BPE_OK && r->d.interface->promiscuous == 1);
	finish_reader(r);

	r = start_reader(abi);
	what = "options of another system are told";
	o = harness_options();
	o.head_drop = o.process = o.zero_copy = true;
	EXPECT(open_it(r, o) == BPE_OK && strstr(notices, "zero-copy") &&
		(abi->system == BPEI_MACOS) == (strstr(notices, "macOS's") == NULL));
	finish_reader(r);
}

static void check_scanning(const struct bpei_bpf_abi *abi)
{
	if (!abi->numbered)
		return;
	struct reader *r = start_reader(abi);
	what = "busy nodes are passed, and new ones appear";
	for (int i = 0; i < 7; i++)
		model_open(&r->d.model, i, 4242);
	EXPECT(open_it(r, harness_options()) == BPE_OK && r->d.model.node[7].open);
	finish_reader(r);

	r = start_reader(abi);
	what = "all busy: who holds them";
	r->d.model.made = 2;
	for (int i = 0; i < MODEL_NODES; i++) {
		r->d.model.node[i].open = true;
		r->d.model.node[i].pid = 4242;
		r->d.model.node[i].on = r->d.interface;
	}
	EXPECT(open_it(r, harness_options()) == BPE_E_BUSY &&
		strstr(r->error.text, "tcpdump pid 4242 on en0") && strstr(r->error.text, "all 2"));
	for (int i = 0; i < MODEL_NODES; i++) {
		r->d.model.node[i].open = false;
		r->d.model.node[i].on = NULL;
	}
	finish_reader(r);

	r = start_reader(abi);
	what = "busy ones before a denied one: rights, not busy";
	model_open(&r->d.model, 0, 1), model_open(&r->d.model, 1, 1);
	r->d.denied_from = 2;
	EXPECT(open_it(r, harness_options()) == BPE_E_RIGHTS &&
		strstr(r->error.text, "/dev/bpf2") && strstr(r->error.text, "sudo"));
	finish_reader(r);

	r = start_reader(abi);
	what = "no nodes";
	r->d.model.made = 0;
	EXPECT(open_it(r, harness_options()) == BPE_E_ABSENT && strstr(r->error.text, "/dev/bpf0"));
	finish_reader(r);
}

/* Fails every call of open once, with every errno of a kernel.  The open fails with a named step,
 * or succeeds; nothing leaks, and the next open succeeds. */
static void check_faults(const struct bpei_bpf_abi *abi)
{
	static const int numbers[] = { EINVAL, ENXIO, ENOMEM, ENOBUFS, EACCES, EPERM, EIO, EBUSY,
		EFAULT, ENETDOWN, EINTR, ENOTTY, EMFILE };
	struct reader *r = start_reader(abi);
	what = "counts the calls of the ladder";
	struct bpe_options o = harness_options();
	o.promiscuous = true;
	o.direction = BPE_DIRECTION_IN;
	o.process = o.head_drop = true;
	EXPECT(open_it(r, o) == BPE_OK);
	uint32_t calls = r->d.calls;
	EXPECT(calls > 10 && calls < 60);
	finish_reader(r);
	what = "a fault at each step";
	for (uint32_t at = 1; at <= calls; at++)
		for (size_t e = 0; e < sizeof numbers / sizeof *numbers; e++) {
			r = start_reader(abi);
			r->d.fault_at = at;
			r->d.fault_errno = numbers[e];
			int status = open_it(r, o);
			EXPECT(status == BPE_OK ||
				(status < 0 && r->error.step[0] && r->error.text[0] &&
					r->error.status == status && !r->d.open_descriptors));
			if (status < 0)
				EXPECT(open_it(r, o) == BPE_OK);
			finish_reader(r);
		}
}

/* ---- Reading ---- */

static const char *const modes[] = { "auto", "throughput", "latency", "paced" };

static void check_read_modes(const struct bpei_bpf_abi *abi) BPEI_READER
{
	for (uint32_t mode = 0; mode <= BPE_READ_PACED; mode++) {
		struct bpe_options o = harness_options();
		struct reader *r = start_reader(abi);
		o.read_mode = mode;
		what = modes[mode];
		EXPECT(open_it(r, o) == BPE_OK);
		r->d.read_cost_ns = 2000;
		uint32_t n =
			send_traffic(r, 2 * SECOND, 3 * MS, 50, 64); /* idle: a packet every 3 ms */
		read_until(r, 3 * SECOND);
		EXPECT(r->seen == n && !r->wrong);
		int64_t idle_ns = r->worst_ns;
		if (mode == BPE_READ_LATENCY)
			EXPECT(idle_ns < MS / 10);
		if (mode == BPE_READ_AUTO)
			EXPECT(idle_ns <= MS + MS / 5);
		if (mode == BPE_READ_PACED)
			EXPECT(idle_ns <= 2 * MS);
		if (mode == BPE_READ_THROUGHPUT)
			EXPECT(idle_ns <= 61 * MS);
		uint32_t reads = r->d.reads;
		n += send_traffic(r, 4 * SECOND, 2000, 5000, 64); /* busy: a packet every 2 us */
		read_until(r, 5 * SECOND);
		EXPECT(r->seen == n && !r->wrong);
		if (mode != BPE_READ_LATENCY)
			EXPECT(r->d.reads - reads < 2600); /* 2 s of looks, and no read a packet */
		n += send_traffic(r, 6 * SECOND, 20 * MS, 10, 1400);
		n += send_traffic(r, 7 * SECOND, 100, 1000, 64);
		read_until(r, 8 * SECOND);
		ask_stats(r);
		EXPECT(r->seen + kernel_dropped(r) == n && kernel_received(r) == n);
		EXPECT(!r->wrong || kernel_dropped(r));
		EXPECT(!bpei_counter_get(&r->device->torn_blocks) && !r->end);
		uint64_t fills = bpei_counter_get(&r->device->filled_capacity) / 65536;
		uint64_t bytes = bpei_counter_get(&r->device->filled_bytes);
		EXPECT(fills + bpei_counter_get(&r->device->empty_reads) ==
			r->d.reads); /* every read() is counted as full or empty */
		EXPECT(fills && bytes >= r->seen * 64 && bytes <= fills * 65536);
		finish_reader(r);
	}
}

/* Checks the known counts: every system reports packets received and dropped.  Some report packets
 * accepted by the filter, none reports drops of the interface. */
static void check_known_counts(const struct bpei_bpf_abi *abi)
{
	static const uint32_t versions[] = { 0, 11, 12, 13, 15 };
	for (size_t v = 0; v < (abi->numbered ? 5 : 1); v++) {
		struct reader *r = start_reader(abi);
		what = "which of the kernel's counts are known";
		r->d.model.version = versions[v];
		EXPECT(open_it(r, harness_options()) == BPE_OK);
		uint64_t known = bpei_counter_get(&r->device->kernel_known);
		bool accepted = abi->system == BPEI_NETBSD ||
				(abi->system == BPEI_MACOS && (!versions[v] || versions[v] >= 13));
		EXPECT((known & (BPE_KNOWN_RECEIVED | BPE_KNOWN_DROPPED)) == 3);
		EXPECT(!!(known & BPE_KNOWN_ACCEPTED) == accepted);
		EXPECT(!(known & BPE_KNOWN_INTERFACE_DROPPED));
		finish_reader(r);
	}
}

static void check_overload(const struct bpei_bpf_abi *abi) BPEI_READER
{
	struct reader *r = start_reader(abi);
	struct bpe_options o = harness_options();
	what = "overload: what the kernel drops it counts, and the books balance";
	o.buffer_bytes = 4096;
	EXPECT(open_it(r, o) == BPE_OK);
	r->gaps = true;
	r->d.read_cost_ns = 300000; /* a slow reader */
	uint32_t n = send_traffic(r, 2 * SECOND, 5000, 4000, 64);
	read_until(r, 4 * SECOND);
	ask_stats(r);
	EXPECT(kernel_dropped(r) > 100 && r->seen + kernel_dropped(r) == n &&
		kernel_received(r) == n && !r->wrong);
	if (abi->system == BPEI_MACOS || abi->system == BPEI_NETBSD)
		EXPECT(bpei_counter_get(&r->device->kernel_accepted) == n);
	finish_reader(r);
	check_known_counts(abi);

	r = start_reader(abi);
	what = "32-bit counters go round";
	EXPECT(open_it(r, harness_options()) == BPE_OK);
	struct model_node *node = &r->d.model.node[0];
	uint64_t base = abi->system == BPEI_MACOS || abi->stat_width == 8 ? 0 : UINT32_MAX - 5;
	node->received += base;
	node->dropped += base;
	ask_stats(r);
	uint64_t before = kernel_received(r);
	uint64_t before_drops = kernel_dropped(r);
	node->received += 10;
	node->dropped += 7;
	ask_stats(r);
	EXPECT(kernel_received(r) - before == 10 && kernel_dropped(r) - before_drops == 7);
	finish_reader(r);
}

static void check_removal(const struct bpei_bpf_abi *abi) BPEI_READER
{
	for (uint32_t mode = 0; mode <= BPE_READ_PACED; mode++)
		for (int tail = 0; tail < 2; tail++) {
			struct reader *r = start_reader(abi);
			struct bpe_options o = harness_options();
			o.read_mode = mode;
			what = tail ? "removal with packets left" : "removal of an idle interface";
			EXPECT(open_it(r, o) == BPE_OK);
			uint32_t n = send_traffic(r, 2 * SECOND, 3 * MS, 5, 64);
			if (tail)
				n += send_traffic(r, 2500 * MS, 10, 3,
					64); /* just before: in the kernel's buffer */
			double_at(&r->d, 2500 * MS + 100, DOUBLE_REMOVE);
			read_until(r, 6 * SECOND);
			/* OpenBSD revokes the descriptor: later reads get nothing. */
			EXPECT(r->end == BPE_E_GONE && strstr(r->error.text, "en0") && !r->wrong);
			EXPECT(r->seen == n ||
				(abi->system == BPEI_OPENBSD && tail && r->seen >= n - 3));
			EXPECT(r->d.now_ns <
				4600 * MS); /* a quiet interface is checked after a second */
			finish_reader(r);
		}
	struct reader *r = start_reader(abi);
	struct bpe_options o = harness_options();
	what = "removal waited out";
	o.wait_interface = true;
	EXPECT(open_it(r, o) == BPE_OK && r->device->fd == -1);
	uint32_t n = send_traffic(r, 2 * SECOND, 3 * MS, 5, 64);
	double_at(&r->d, 2500 * MS, DOUBLE_REMOVE);
	double_at(&r->d, 7 * SECOND, DOUBLE_RETURN);
	n += send_traffic(r, 8 * SECOND, 3 * MS, 5, 64);
	read_until(r, 10 * SECOND);
	ask_stats(r);
	EXPECT(!r->end && r->seen == n && !r->wrong && strstr(notices, "went away") &&
		strstr(notices, "is back"));
	EXPECT(kernel_received(r) == n && kernel_dropped(r) == 0);
	finish_reader(r);
}

/* Checks reading under confinement.  OpenBSD's pledge(2) allows requests for counters alone;
 * FreeBSD's and macOS's confinements fail with EPERM at most. */
static void check_confined_reads(const struct bpei_bpf_abi *abi) BPEI_READER
{
	for (int kind = 0; kind < 2; kind++)
		for (uint32_t mode = 0; mode <= BPE_READ_PACED; mode++) {
			struct reader *r = start_reader(abi);
			struct bpe_options o = harness_options();
			o.read_mode = mode;
			what = "goes on where it may not ask";
			EXPECT(open_it(r, o) == BPE_OK);
			r->d.pledged_errno = kind ? EPERM : ENOSYS;
			uint32_t n = send_traffic(r, 2 * SECOND, 3 * MS, 5, 64);
			n += send_traffic(
				r, 8 * SECOND, 3 * MS, 5, 64); /* quiet for seconds between */
			read_until(r, 10 * SECOND);
			ask_stats(r);
			EXPECT(!r->end && r->seen == n && !r->wrong && kernel_received(r) == n &&
				kernel_dropped(r) == 0);
			finish_reader(r);
		}
}

static void check_read_faults(const struct bpei_bpf_abi *abi) BPEI_READER
{
	for (uint32_t mode = 0; mode <= BPE_READ_PACED; mode++) {
		struct reader *r = start_reader(abi);
		struct bpe_options o = harness_options();
		o.read_mode = mode;
		what = "signals lose nothing";
		EXPECT(open_it(r, o) == BPE_OK);
		uint32_t n = 0;
		for (int i = 0; i < 20; i++) {
			n += send_traffic(r, (2000 + i * 10) * MS, 1, 1, 64);
			double_at(&r->d, (2000 + i * 10) * MS + MS, DOUBLE_SIGNAL);
		}
		read_until(r, 4 * SECOND);
		EXPECT(!r->end && r->seen == n && !r->wrong);
		finish_reader(r);
	}
	static const struct {
		int number, status;
	} ends[] = { { EINVAL, BPE_E_IO }, { EFAULT, BPE_E_IO }, { ENXIO, BPE_E_GONE },
		{ EIO, BPE_E_GONE }, { EINTR, 0 }, { EAGAIN, 0 } };
	for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
		struct reader *r = start_reader(abi);
		what = "a read that fails";
		EXPECT(open_it(r, harness_options()) == BPE_OK);
		r->d.fault_at = r->d.calls + 1;
		r->d.fault_errno = ends[k].number;
		read_until(r, 1100 * MS);
		EXPECT(r->end == ends[k].status);
		if (r->end == BPE_E_IO)
			EXPECT(!strcmp(r->error.step, "read") &&
				r->error.sys_errno == ends[k].number);
		finish_reader(r);
	}
	struct reader *r = start_reader(abi);
	what = "woken while it waits, and does not wait when told not to";
	EXPECT(open_it(r, harness_options()) == BPE_OK);
	int64_t before = r->d.now_ns;
	EXPECT(bpei_device_fill(r->device, &r->block, 0, &r->error) == 0 && r->d.now_ns == before);
	r->device->ops->wake(r->device);
	EXPECT(bpei_device_fill(r->device, &r->block, -1, &r->error) == 0 && r->d.now_ns == before);
	finish_reader(r);
}

int main(void)
{
	bpei_role_enter(&bpei_reader_role);
	for (int s = 0; s < BPEI_SYSTEMS; s++) {
		const struct bpei_bpf_abi *abi = &bpei_bpf_abis[s];
		system_name = abi->title;
		check_first_open(abi);
		check_buffer_sizes(abi);
		check_open_options(abi);
		check_scanning(abi);
		check_faults(abi);
		check_read_modes(abi);
		check_overload(abi);
		check_removal(abi);
		check_confined_reads(abi);
		check_read_faults(abi);
	}
	bpei_role_leave(&bpei_reader_role);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
