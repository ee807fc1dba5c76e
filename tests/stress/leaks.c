/* SPDX-License-Identifier: MIT */
/* leaks [CYCLES]: opens and closes each level again and again, and leaves opens half-way by wrong
 * options, missing files, missing descriptors and missing memory.  After each, exactly as many
 * allocations, mapped bytes, descriptors and threads are alive as before.  The memory of the whole
 * process stays bounded, too, for what the C library keeps.  A plain program for Linux; sanitizers
 * add their own proof. */
#include "alloc_count.h"
#include "bpfengine.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

/* gcc and clang tell a sanitized build each in its own way.  A sanitizer's allocator keeps freed
 * memory, so resident memory tells nothing there. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED
#endif

#define WARM_UP 8u
#define SOURCE "synth:count=20,flows=4,seed=1"

static unsigned passed, failed;
static char savefile[] = "/tmp/bpfengine-leaks-XXXXXX";

static void expect_equal(bool good, const char *name, const char *what, long before, long now)
{
	if (good) {
		passed++;
		return;
	}
	failed++;
	printf("FAILED %s: %s: %ld, before %ld\n", name, what, now, before);
}

/* ---- Counts ---- */

struct alive {
	long allocations, mapped, descriptors, threads, resident_kib;
};

/* Returns the number of entries of a folder, "." and ".." and the open folder included. */
static long count_entries(const char *path)
{
	DIR *folder = opendir(path);
	long n = 0;

	while (folder && readdir(folder))
		n++;
	if (folder)
		closedir(folder);
	return n;
}

static long read_resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (file && fscanf(file, "%*s %ld", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Counts all.  The kernel may list a thread for a moment after the thread was joined. */
static struct alive count_alive(long threads_wanted)
{
	struct alive a = { .threads = count_entries("/proc/self/task") };

	for (int tries = 0; a.threads != threads_wanted && tries < 5000; tries++) {
		usleep(1000);
		a.threads = count_entries("/proc/self/task");
	}
	pthread_mutex_lock(&alloc_mutex);
	a.allocations = (long)alloc_count;
	a.mapped = (long)alloc_mapped;
	pthread_mutex_unlock(&alloc_mutex);
	a.descriptors = count_entries("/proc/self/fd");
	a.resident_kib = read_resident_kib();
	return a;
}

static void compare_alive(const char *name, const struct alive *before)
{
	const struct alive now = count_alive(before->threads);

	expect_equal(now.allocations == before->allocations, name, "allocations",
		before->allocations, now.allocations);
	expect_equal(
		now.mapped == before->mapped, name, "mapped bytes", before->mapped, now.mapped);
	expect_equal(now.descriptors == before->descriptors, name, "descriptors",
		before->descriptors, now.descriptors);
	expect_equal(now.threads == before->threads, name, "threads", before->threads, now.threads);
#ifndef IS_SANITIZED
	/* 100 bytes a cycle would be a megabyte in 10,000; arenas of threads come late. */
	expect_equal(now.resident_kib < before->resident_kib + 8192, name, "resident KiB",
		before->resident_kib, now.resident_kib);
#endif
}

/* ---- Cycles ---- */

static void add_batch_count(void *user, const struct bpe_batch *batch)
{
	*(uint64_t *)user += batch->count;
}

static void take_flow(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	(void)user;
	(void)flow;
	(void)worker;
}

static struct bpe_options small_options(const char *source)
{
	struct bpe_options o;

	bpe_options_init(&o);
	o.interface_name = source;
	o.block_bytes = 4096;
	o.max_flows = 64;
	o.fixed_seed = true;
	return o;
}

/* Returns the status of an engine that was opened, run and closed. */
static int run_small_engine(struct bpe_options *o, bool starts)
{
	uint64_t packets = 0;
	struct bpe_engine *e;

	o->on_batch = add_batch_count;
	o->user = &packets;
	int status = bpe_engine_open(o, &e, NULL);

	if (status < 0)
		return status;
	if (starts)
		status = bpe_engine_run(e, 0, NULL);
	bpe_engine_close(e);
	return status;
}

static int cycle_engine(void)
{
	struct bpe_options o = small_options(SOURCE);

	o.on_flow = take_flow;
	o.filter_expression = "ip or ip6";
	return run_small_engine(&o, true);
}

static int cycle_engine_workers(void)
{
	struct bpe_options o = small_options(SOURCE);

	o.workers = 2;
	o.ring_slots = 64;
	o.spread = BPE_SPREAD_HOST;
	o.on_record = take_flow;
	o.record_ring_bytes = 4096;
	o.on_flow_open = take_flow;
	return run_small_engine(&o, true);
}

static int cycle_engine_unstarted(void)
{
	struct bpe_options o = small_options(SOURCE);

	o.workers = 2;
	o.ring_slots = 64;
	o.on_record = take_flow;
	o.record_ring_bytes = 4096;
	return run_small_engine(&o, false);
}

static int run_capture(const struct bpe_options *o)
{
	struct bpe_capture *c;
	struct bpe_batch b;
	int status = bpe_capture_open(o, &c, NULL);

	if (status < 0)
		return status;
	if (bpe_capture_set_expression(c, "udp or tcp port 80", NULL) == BPE_E_MEMORY)
		status = BPE_E_MEMORY;
	while (bpe_capture_next(c, &b, -1, NULL) > 0)
		continue;
	bpe_capture_close(c);
	return status;
}

static int cycle_capture(void)
{
	struct bpe_options o = small_options(NULL);

	o.max_flows = 1000000; /* the default: a capture without flows would tell others */
	o.file = savefile;
	o.filter_expression = "ip";
	return run_capture(&o);
}

static int cycle_capture_flows(void)
{
	struct bpe_options o = small_options(SOURCE);

	o.flow_table = true;
	o.on_flow = take_flow;
	return run_capture(&o);
}

static int cycle_engine_pull(void)
{
	struct bpe_options o = small_options(SOURCE);
	const struct bpe_flow *flow;
	struct bpe_engine *e;

	o.pull_records = true;
	o.record_ring_bytes = 4096;
	int status = bpe_engine_open(&o, &e, NULL);

	if (status < 0)
		return status;
	status = bpe_engine_start(e, NULL);
	while (status == BPE_OK && bpe_engine_next_record(e, &flow, NULL) != BPE_E_END)
		usleep(50);
	bpe_engine_close(e);
	return status;
}

static int cycle_capture_push(void)
{
	static const uint8_t frame[60] = { [12] = 0x08, [14] = 0x45, [17] = 46, [23] = 17 };
	const struct bpe_packet packet = {
		.data = frame, .caplen = sizeof frame, .wirelen = sizeof frame, .link_type = -1
	};
	struct bpe_options o = small_options(NULL);
	struct bpe_capture *c;
	struct bpe_batch b;

	o.push = true;
	o.flow_table = true;
	const int status = bpe_capture_open(&o, &c, NULL);

	if (status < 0)
		return status;
	bpe_capture_push(c, &packet, 1, NULL);
	bpe_capture_push_end(c, NULL);
	while (bpe_capture_next(c, &b, -1, NULL) > 0)
		continue;
	bpe_capture_close(c);
	return BPE_OK;
}

static int cycle_filter(void)
{
	static const char expression[] = "tcp port 80 and (host 10.0.0.1 or net 2001:db8::/32)";
	struct bpe_filter_options options;
	struct bpe_insn *program;
	uint32_t length;
	char *text;

	bpe_filter_options_init(&options);
	options.through = BPE_THROUGH_VLAN;
	int status = bpe_filter_compile_with(expression, &options, &program, &length, NULL);

	if (status < 0)
		return status;
	bpe_filter_free(program);
	status = bpe_filter_explain("udp", &options, &text, NULL);
	if (status >= 0)
		bpe_filter_text_free(text);
	return status;
}

static int cycle_interfaces(void)
{
	struct bpe_interface *interfaces;
	const int n = bpe_interfaces_list(&interfaces, NULL);

	if (n >= 0)
		bpe_interfaces_free(interfaces);
	return n < 0 ? n : BPE_OK;
}

/* Adds a record, and again if no memory was there: the columns must be unharmed. */
static int add_or_repeat(struct bpe_columns *columns, const struct bpe_flow *flow)
{
	const int status = bpe_columns_add(columns, flow);

	if (status == BPE_E_MEMORY && bpe_columns_add(columns, flow) < 0)
		return BPE_E_STATE;
	return status;
}

/* Returns whether the array has `rows` rows, and each has the text "www" as the 85th column. */
static bool has_all_names(const struct ArrowArray *array, int64_t rows)
{
	const struct ArrowArray *names = array->children[84];
	const int32_t *offsets = names->buffers[1];
	bool good = array->length == rows && names->length == rows && !names->null_count;

	for (int64_t row = 0; good && row < rows; row++)
		good = offsets[row + 1] - offsets[row] == 3 &&
		       !memcmp((const char *)names->buffers[2] + offsets[row], "www", 3);
	return good;
}

/* Gathers more rows than the first room of columns, with values that come late. */
static int cycle_columns(void)
{
	struct bpe_flow f = { .version = BPE_FLOW_VERSION, .size = sizeof f, .ip_version = 4 };
	struct ArrowSchema schema;
	struct ArrowArray array;
	struct bpe_columns *columns;
	int status = bpe_columns_open(&columns, NULL);

	if (status < 0)
		return status;
	strcpy(f.names.server, "www");
	for (int row = 0; row < 1100; row++) {
		f.tcp_state = row > 500;
		f.flags = row > 900 ? BPE_FLOW_HEALTH : 0;
		const int added = add_or_repeat(columns, &f);

		status = added < status ? added : status;
	}
	const int taken = bpe_columns_take(columns, &schema, &array);

	status = taken < status ? taken : status;
	if (taken < 0 && bpe_columns_take(columns, &schema, &array) < 0)
		abort();
	if (!has_all_names(&array, 1100))
		status = BPE_E_STATE;
	array.release(&array);
	schema.release(&schema);
	bpe_columns_close(columns);
	return status;
}

struct level {
	const char *name;
	int (*cycle)(void);
	uint32_t part; /* of the cycles: 1 of so many */
};
static const struct level levels[] = {
	{ "engine without workers", cycle_engine, 1 },
	{ "engine with workers", cycle_engine_workers, 1 },
	{ "engine that is not started", cycle_engine_unstarted, 10 },
	{ "capture", cycle_capture, 1 },
	{ "capture with flows", cycle_capture_flows, 1 },
	{ "engine with records to take", cycle_engine_pull, 10 },
	{ "capture of pushed packets", cycle_capture_push, 10 },
	{ "columns", cycle_columns, 50 },
	{ "filter", cycle_filter, 1 },
	{ "interfaces", cycle_interfaces, 10 },
};
#define LEVELS (sizeof levels / sizeof *levels)

static void count_cycle_leaks(const struct level *level, uint32_t cycles)
{
	uint32_t good = 0;

	for (uint32_t k = 0; k < WARM_UP; k++)
		level->cycle();
	const struct alive before = count_alive(count_entries("/proc/self/task"));

	for (uint32_t k = 0; k < cycles; k++)
		good += level->cycle() == BPE_OK;
	expect_equal(good == cycles, level->name, "good cycles", cycles, good);
	compare_alive(level->name, &before);
}

/* ---- Opens that fail half-way ---- */

/* Lets the first, the second ... request for memory or a thread fail, until a cycle asks for no
 * more.  A missing thread is BPE_E_IO. */
static void check_without_memory(const struct level *level)
{
	const struct alive before = count_alive(count_entries("/proc/self/task"));
	uint64_t n = 0;
	uint32_t other = 0, without = 0;

	for (;;) {
		alloc_asked = 0;
		alloc_fails_at = ++n;
		const int status = level->cycle();
		const bool is_through = alloc_asked < n;

		alloc_fails_at = 0;
		without += status == BPE_E_MEMORY;
		other += status < 0 && status != BPE_E_MEMORY && status != BPE_E_IO;
		if (is_through || n > 5000)
			break;
	}
	expect_equal(n > 1 && n <= 5000, level->name, "requests that failed", 1, (long)n);
	expect_equal(without > 0, level->name, "BPE_E_MEMORY", 1, without);
	expect_equal(!other, level->name, "other errors without memory", 0, other);
	compare_alive(level->name, &before);
}

/* Lets the first, the second ... descriptor fail. */
static void check_without_descriptors(const struct level *level)
{
	const struct alive before = count_alive(count_entries("/proc/self/task"));
	const int next = dup(0);
	struct rlimit old, limit;
	uint32_t refused = 0;

	close(next);
	getrlimit(RLIMIT_NOFILE, &old);
	limit = old;
	for (rlim_t k = 0; k < 12; k++) {
		limit.rlim_cur = (rlim_t)next + k;
		setrlimit(RLIMIT_NOFILE, &limit);
		refused += level->cycle() < 0;
		setrlimit(RLIMIT_NOFILE, &old);
	}
	expect_equal(
		refused > 0 && refused < 12, level->name, "opens without descriptors", 1, refused);
	compare_alive(level->name, &before);
}

/* Options that fail, each with the place where opening ends. */
static void spoil_options(struct bpe_options *o, uint32_t k)
{
	static const struct bpe_insn endless[] = { { 0x05, 0, 0, 9 } };

	if (k < 3) {
		static const char *const files[] = { "/nonexistent/file.pcap", "/tmp",
			"/proc/self/status" };

		o->interface_name = NULL;
		o->file = files[k];
	}
	if (k == 3)
		o->interface_name = "no-such-iface";
	if (k == 4)
		o->interface_name = "synth:flows=x";
	if (k == 5)
		o->filter_expression = "tcp and";
	if (k == 6) {
		o->filter = endless;
		o->filter_length = 1;
	}
	if (k == 7)
		o->link_type = 101;
	if (k == 8)
		o->direction = BPE_DIRECTION_IN;
	if (k == 9) {
		o->flows = false;
		o->on_record = take_flow;
	}
	if (k == 10) {
		o->spread = BPE_SPREAD_HOST;
		o->spread_networks = "10.0.0.0/8,x";
	}
	if (k == 11)
		o->interface_name = "bpf:en0";
}

enum { SPOILED = 12 };

static void check_wrong_options(uint32_t cycles)
{
	for (uint32_t k = 0; k < SPOILED; k++) {
		struct bpe_options o = small_options(SOURCE);
		const struct alive before = count_alive(count_entries("/proc/self/task"));
		uint32_t opened = 0;
		char name[32];

		snprintf(name, sizeof name, "wrong options %u", k);
		spoil_options(&o, k);
		for (uint32_t i = 0; i < cycles; i++) {
			struct bpe_engine *e = NULL;
			struct bpe_capture *c = NULL;

			opened += bpe_engine_open(&o, &e, NULL) >= 0;
			opened += bpe_capture_open(&o, &c, NULL) >= 0;
		}
		expect_equal(!opened, name, "opened", 0, opened);
		compare_alive(name, &before);
	}
}

/* Writes 64 packets of 60 bytes as a savefile. */
static bool write_udp_savefile(void)
{
	static const uint32_t header[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1 };
	uint8_t frame[60] = { [12] = 0x08, [14] = 0x45, [17] = 46, [23] = 17, [26] = 10 };
	const int fd = mkstemp(savefile);
	bool good = fd >= 0 && write(fd, header, sizeof header) == (ssize_t)sizeof header;

	for (uint32_t k = 0; good && k < 64; k++) {
		const uint32_t record[4] = { 1700000000 + k, 0, sizeof frame, sizeof frame };

		good = write(fd, record, sizeof record) == (ssize_t)sizeof record &&
		       write(fd, frame, sizeof frame) == (ssize_t)sizeof frame;
	}
	if (fd >= 0)
		close(fd);
	return good;
}

int main(int argc, char **argv)
{
	const uint32_t cycles = argc > 1 ? (uint32_t)atoi(argv[1]) : 10000;

	if (!write_udp_savefile()) {
		printf("cannot write %s\n", savefile);
		return 1;
	}
	for (size_t k = 0; k < LEVELS; k++) {
		count_cycle_leaks(&levels[k], cycles / levels[k].part);
		check_without_memory(&levels[k]);
		if (strcmp(levels[k].name, "filter") != 0 && strcmp(levels[k].name, "columns") != 0)
			check_without_descriptors(&levels[k]);
	}
	check_wrong_options(cycles / 10);
	unlink(savefile);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
