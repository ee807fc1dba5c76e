/* SPDX-License-Identifier: MIT */
/* Refusals and notices of the BPF device, on the scripted double: pairs of options which would give
 * wrong answers, silent interfaces, limits and holders by their right names.  A plain program. */
#include "bpf_harness.h"

#include <fcntl.h>
#include <unistd.h>

enum { DLT_EN10MB = 1, DLT_RAW = 12, DLT_PKTAP = 149, LINK_RAW = 101, LINK_PKTAP = 258 };

static const struct bpei_bpf_abi *const macos = &bpei_bpf_abis[BPEI_MACOS];

static void check_refused(const char *name, int32_t link_type)
{
	struct reader *r = start_reader(macos);
	struct bpe_options o = harness_options();
	struct model_interface *t = model_add(&r->d.model, "pktap0", DLT_PKTAP, 0);
	t->dlt[1] = DLT_RAW;
	t->dlts = 2;
	model_add(&r->d.model, "rvi0", DLT_PKTAP, 0);
	r->d.is_root = r->d.model.wants_pktap = true;
	r->d.interface->dlt[1] = DLT_PKTAP;
	r->d.interface->dlts = 2;
	what = name;
	o.interface_name = name;
	o.link_type = link_type;
	o.header_compression = true;
	EXPECT(open_it(r, o) == BPE_E_ARGUMENT && strstr(r->error.text, "PKTAP"));
	EXPECT(strstr(r->error.text, "process names") && strstr(r->error.text, "leave out"));
	EXPECT(!r->d.open_descriptors);
	o.header_compression = false;
	if (strchr(name, ',') || !strcmp(name, "bpf:iptap0"))
		o.interface_name = "bpf:pktap0";
	EXPECT(open_it(r, o) == BPE_OK);
	finish_reader(r);
}

static void check_pktap_and_compression(void)
{
	static const char *const names[] = { "bpf:pktap", "pktap", "pktap0", "bpf:pktap0",
		"pktap,en0", "bpf:pktap,en0", "bpf:iptap0", "rvi0" };
	system_name = "PKTAP and compression";
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		check_refused(names[i], -1);
	check_refused("bpf:en0", LINK_PKTAP);
	check_refused("en0", DLT_PKTAP);
	struct reader *r = start_reader(macos);
	struct bpe_options o = harness_options();
	what = "compression alone, and with extended headers";
	o.header_compression = o.process = true;
	EXPECT(open_it(r, o) == BPE_OK && !notices[0]);
	finish_reader(r);
}

static void check_silent_link_type(void)
{
	system_name = "silence";
	for (int raw = 0; raw < 2; raw++) {
		struct reader *r = start_reader(macos);
		struct bpe_options o = harness_options();
		what = raw ? "RAW of an Ethernet interface is told"
			   : "RAW of a raw interface is not";
		r->d.interface->dlt[0] = raw ? DLT_EN10MB : DLT_RAW;
		r->d.interface->dlt[1] = raw ? DLT_RAW : DLT_EN10MB;
		r->d.interface->dlts = 2;
		o.link_type = LINK_RAW;
		EXPECT(open_it(r, o) == BPE_OK && r->device->link_type == LINK_RAW);
		EXPECT(!!strstr(notices, "lists RAW") == raw &&
			!!strstr(notices, "leave out") == raw);
		send_traffic(r, 2 * SECOND, MS, 5, 64);
		r->d.now_ns = 3 * SECOND;
		bpei_role_enter(&bpei_reader_role);
		int filled = bpei_device_fill(r->device, &r->block, 0, &r->error);
		bpei_role_leave(&bpei_reader_role);
		EXPECT(filled == !raw);
		finish_reader(r);
	}
}

static void check_down_interfaces(const struct bpei_bpf_abi *abi) BPEI_READER
{
	static const char *const ways[] = { "up", "down", "down, on a served node" };
	for (int way = 0; way < 3; way++) {
		struct reader *r = start_reader(abi);
		struct bpe_options o = harness_options();
		what = ways[way];
		r->d.interface->up = !way;
		if (way == 2)
			o.bpf_device = abi->device;
		EXPECT(open_it(r, o) == BPE_OK);
		const char *told = strstr(
			notices, "interface en0 is down: nothing will arrive until it is up");
		EXPECT((told != NULL) == (way == 1));
		EXPECT(bpei_counter_get(&r->device->interface_down) == (way == 1));
		r->d.interface->up = true;
		send_traffic(r, 2 * SECOND, MS, 1, 64);
		read_until(r, 3 * SECOND);
		ask_stats(r);
		EXPECT(r->seen == 1 && !bpei_counter_get(&r->device->interface_down));
		finish_reader(r);
	}
}

/* ---- Names of limits and holders ---- */

static void check_limits_by_release(void)
{
	static const struct {
		uint32_t version;
		const char *name;
	} limits[] = { { 11, "debug.bpf_maxbufsize" }, { 12, "debug.bpf_maxbufsize" },
		{ 13, "debug.bpf_bufsize_cap" }, { 14, "debug.bpf_bufsize_cap" },
		{ 15, "debug.bpf_bufsize_cap" } };
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		struct reader *r = start_reader(macos);
		struct bpe_options o = harness_options();
		bool old = limits[i].version < 13;
		what = limits[i].name;
		r->d.model.version = limits[i].version;
		r->d.model.buffer_most = old ? 512u << 10 : 32u << 20;
		o.buffer_bytes = 64u << 20;
		EXPECT(open_it(r, o) == BPE_OK && strstr(notices, limits[i].name));
		EXPECT(r->device->block_bytes == r->d.model.buffer_most);
		finish_reader(r);

		r = start_reader(macos);
		what = "head drop doubles the limit of macOS 11 and 12";
		r->d.model.version = limits[i].version;
		r->d.model.buffer_most = 512u << 10;
		o.buffer_bytes = 0;
		o.head_drop = true;
		EXPECT(open_it(r, o) == BPE_OK);
		EXPECT(r->device->block_bytes == (old ? 1024u << 10 : 512u << 10));
		finish_reader(r);
	}
}

static void check_holders(void)
{
	for (uint32_t version = 12; version < 14; version++) {
		struct reader *r = start_reader(macos);
		what = "a node that is attached to nothing, and releases that do not tell";
		r->d.model.version = version;
		r->d.model.made = 2;
		for (int i = 0; i < MODEL_NODES; i++) {
			struct model_node *n = &r->d.model.node[i];
			n->open = true;
			n->pid = 4242;
			n->on = i == 1 ? r->d.interface : NULL;
		}
		EXPECT(open_it(r, harness_options()) == BPE_E_BUSY &&
			strstr(r->error.text, "all 2 of /dev/bpf*"));
		const char *told = strstr(r->error.text, "tcpdump pid 4242, not attached; "
							 "tcpdump pid 4242 on en0");
		EXPECT((told != NULL) == (version == 13) && !strstr(r->error.text, " on ,"));
		EXPECT(strstr(r->error.text, "stop one of their holders"));
		for (int i = 0; i < MODEL_NODES; i++) {
			struct model_node *n = &r->d.model.node[i];
			n->open = false;
			n->on = NULL;
		}
		finish_reader(r);
	}
}

static void check_sizes(void)
{
	static const struct {
		size_t asked;
		const char *told;
	} plain[] = { { 8192, " 8 KiB)" }, { 100000, " 100000 bytes)" },
		{ 1 << 20, " 1024 KiB)" } };
	what = "sizes are told as they are";
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		struct reader *r = start_reader(macos);
		struct bpe_options o = harness_options();
		o.buffer_bytes = plain[i].asked;
		EXPECT(open_it(r, o) == BPE_OK && strstr(r->device->source, plain[i].told));
		finish_reader(r);
	}
	struct reader *r = start_reader(&bpei_bpf_abis[BPEI_FREEBSD]);
	struct bpe_options o = harness_options();
	r->d.model.zero_copy_enabled = true;
	o.zero_copy = true;
	o.buffer_bytes = 8192;
	EXPECT(open_it(r, o) == BPE_OK && strstr(r->device->source, " 8 KiB zero-copy"));
	EXPECT(!notices[0]);
	finish_reader(r);
}

static void check_foreign_abis(void)
{
	system_name = "another system's ABI";
	for (int is = 0; is < BPEI_SYSTEMS; is++)
		for (int said = 0; said < BPEI_SYSTEMS; said++) {
			if (is == said)
				continue;
			struct reader *r = start_reader(&bpei_bpf_abis[is]);
			struct bpe_options o = harness_options();
			what = bpei_bpf_abis[said].name;
			o.bpf_abi = what;
			o.read_mode = BPE_READ_THROUGHPUT;
			o.direction = BPE_DIRECTION_IN;
			int status = open_it(r, o);
			/* Some systems agree on all requests made here.  Every failure ends with a
			 * hint. */
			bool helps = strstr(r->error.text, "--bpf-abi") ||
				     strstr(r->error.text, "no BPF device") ||
				     strstr(r->error.text, "no /dev/bpf");
			EXPECT(status == BPE_OK || helps);
			if (said == BPEI_NETBSD)
				EXPECT(status == BPE_E_UNSUPPORTED || status == BPE_E_ABSENT);
			finish_reader(r);
		}
}

static void check_opened_for_reading(void)
{
	char path[] = "/tmp/bpf_told.XXXXXX";
	int made = mkstemp(path);
	int fd = bpei_bpf_sys_real.open(NULL, path);
	system_name = "this system";
	what = "a node is opened for reading only";
	EXPECT(made >= 0 && fd >= 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY);
	EXPECT(write(fd, "x", 1) == -1 && errno == EBADF && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
	bpei_bpf_sys_real.close(NULL, fd);
	close(made);
	unlink(path);
	what = "interfaces that are up, down, and not there";
	EXPECT(bpei_bpf_sys_real.is_up(NULL, "nosuch0")); /* unknown: taken as up */
}

int main(void)
{
	bpei_role_enter(&bpei_reader_role);
	check_pktap_and_compression();
	check_silent_link_type();
	for (int s = 0; s < BPEI_SYSTEMS; s++) {
		system_name = bpei_bpf_abis[s].title;
		check_down_interfaces(&bpei_bpf_abis[s]);
	}
	system_name = "macOS";
	check_limits_by_release();
	check_holders();
	check_sizes();
	check_foreign_abis();
	check_opened_for_reading();
	bpei_role_leave(&bpei_reader_role);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
