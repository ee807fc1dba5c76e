/* SPDX-License-Identifier: MIT */
/* Uses every structure that the library is told the size of.  neighbours.py compiles the program
 * with the header, an older header and a newer header, and runs each with the library.
 *
 * Each structure stands between guards, in memory of exactly the structure's size.  Printed lines
 * are about members of all three headers.  With -DNEWER each growing structure ends with
 * later[3]. */
#include <bpfengine.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUARD 64
#define FILL 0xa5
#define FEW 5

static unsigned failures;

static void check_that(bool good, const char *what, int line)
{
	if (good)
		return;
	fprintf(stderr, "line %d: %s\n", line, what);
	failures++;
}
#define CHECK(condition) check_that(condition, #condition, __LINE__)

/* The memory of guarded_room, to be checked and freed at the end. */
static struct {
	uint8_t *memory;
	size_t bytes;
} rooms[64];
static size_t room_count;

/* Returns `bytes` of memory filled with FILL, between two guards. */
static void *guarded_room(size_t bytes)
{
	uint8_t *memory = malloc(bytes + 2 * GUARD);

	if (!memory || room_count == sizeof rooms / sizeof *rooms)
		abort();
	memset(memory, FILL, bytes + 2 * GUARD);
	rooms[room_count].memory = memory;
	rooms[room_count++].bytes = bytes;
	return memory + GUARD;
}

static void check_guards(void)
{
	for (size_t k = 0; k < room_count; k++) {
		const uint8_t *end = rooms[k].memory + GUARD + rooms[k].bytes;
		size_t wrong = 0;

		for (size_t i = 0; i < GUARD; i++)
			wrong += (rooms[k].memory[i] != FILL) + (end[i] != FILL);
		if (wrong)
			fprintf(stderr, "%zu guard bytes around %zu bytes overwritten\n", wrong,
				rooms[k].bytes);
		failures += wrong != 0;
	}
}

static void free_rooms(void)
{
	for (size_t k = 0; k < room_count; k++)
		free(rooms[k].memory);
}

/* Check the members of the newer header alone. */
#ifdef NEWER
#define CHECK_LATER(s) CHECK(!(s)->later[0] && !(s)->later[1] && !(s)->later[2])
#define CHECK_HAS_NOT(view) CHECK(!BPE_HAS(view, later))
#else
#define CHECK_LATER(s) CHECK((s) != NULL)
#define CHECK_HAS_NOT(view) CHECK((view)->size >= sizeof *(view))
#endif

/* Sums of the handlers; with 0 workers only on_record has another thread. */
static struct {
	uint64_t packets, flows, records, dumped, texts, layers;
	struct bpe_flow *copy;
	struct bpe_columns *columns;
} seen;

static uint64_t fold_text(uint64_t sum, const char *text)
{
	while (*text)
		sum = sum * 31 + (uint8_t)*text++;
	return sum;
}

/* Checks a copy of a record.  Texts about the copy are equal to texts about the view. */
static void take_record(const struct bpe_flow *flow)
{
	char line[BPE_FORMAT_BYTES], same[BPE_FORMAT_BYTES], id[BPE_COMMUNITY_ID_BYTES];
	const int n = bpe_flow_format(flow, BPE_FORMAT_JSON, line, sizeof line);

	memset(seen.copy, FILL, sizeof *seen.copy);
	bpe_flow_copy(seen.copy, flow);
	CHECK_LATER(seen.copy);
	CHECK_HAS_NOT(flow);
	CHECK(BPE_HAS(seen.copy, keep_alives));
	CHECK(seen.copy->size == (sizeof *seen.copy < flow->size ? sizeof *seen.copy : flow->size));
	CHECK(n > 0 && bpe_flow_format(seen.copy, BPE_FORMAT_JSON, same, sizeof same) == n);
	CHECK(!strcmp(line, same));
	CHECK(bpe_flow_community_id(seen.copy, 0, id) == 1);
	CHECK(!bpe_columns_add(seen.columns, flow) && !bpe_columns_add(seen.columns, seen.copy));
	seen.texts = fold_text(seen.texts, line);
	seen.texts = fold_text(seen.texts, id);
	seen.texts = fold_text(seen.texts, bpe_flow_conn_state(seen.copy));
}

/* Takes the rows of both forms of each record: their columns are the library's. */
static void check_columns(void)
{
	const uint64_t rows = bpe_columns_rows(seen.columns);
	struct ArrowSchema schema;
	struct ArrowArray array;

	CHECK(rows && !bpe_columns_take(seen.columns, &schema, &array));
	CHECK((uint64_t)array.length == rows && array.n_children == schema.n_children);
	array.release(&array);
	schema.release(&schema);
	bpe_columns_close(seen.columns);
}

static void see_batch(void *user, const struct bpe_batch *batch)
{
	struct bpe_flow *flow = user;
	struct bpe_layers layers;
	struct bpe_key key;

	CHECK(BPE_HAS(batch, table));
	CHECK_HAS_NOT(batch);
	for (uint32_t i = 0; i < batch->count; i++) {
		memset(flow, FILL, sizeof *flow);
		if (bpe_batch_flow(batch, i, flow) > 0) {
			CHECK_LATER(flow);
			seen.packets += flow->packets[0] + flow->packets[1];
		}
		if (bpe_batch_layers(batch, i, BPE_LAYERS_INNERMOST, &layers, &key) == 1)
			seen.layers += layers.payload + key.port[0];
	}
}

static void see_flow(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	(void)user, (void)worker;
	take_record(flow);
	seen.flows++;
}

/* Runs on the engine's output thread, after the packets. */
static void see_record(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	(void)user, (void)worker;
	if (flow) {
		CHECK_HAS_NOT(flow);
		seen.records += flow->packets[0] + flow->packets[1];
	}
}

static struct bpe_options *make_options(const char *source)
{
	struct bpe_options *options = guarded_room(sizeof *options);

	bpe_options_init(options);
	CHECK_LATER(options);
	CHECK(options->struct_size == sizeof *options && options->workers == BPE_WORKERS_AUTO);
	options->interface_name = source;
	options->fixed_seed = true;
	return options;
}

static void print_statistics(struct bpe_engine *engine)
{
	struct bpe_stats *stats = guarded_room(sizeof *stats);
	struct bpe_worker_stats *worker = guarded_room(sizeof *worker);
	struct bpe_interface_stats *source = guarded_room(sizeof *source);
	const struct bpe_stat *list;
	size_t count;

	bpe_engine_stats(engine, stats);
	CHECK_LATER(stats);
	CHECK(bpe_engine_worker_stats(engine, 0, worker) == BPE_OK);
	CHECK_LATER(worker);
	CHECK(bpe_engine_interfaces(engine, source, 1) == 1);
	CHECK_LATER(source);
	printf("packets %" PRIu64 " of %" PRIu64 ", worker %" PRIu64 "\n", stats->delivered_packets,
		stats->read_packets, worker->packets);
	list = bpe_stat_list(&count);
	CHECK(count > 30);
	for (size_t i = 0; i < count; i++)
		CHECK(list[i].offset + list[i].bytes * list[i].count <= sizeof *stats);
}

static void print_protocol_names(struct bpe_engine *engine)
{
	struct bpe_protocol *protocols = guarded_room(FEW * sizeof *protocols);
	const size_t n = bpe_engine_protocols(engine, protocols, FEW);

	for (size_t i = 0; i < n && i < FEW; i++) {
		CHECK_LATER(&protocols[i]);
		printf("protocol %s\n", protocols[i].name);
	}
}

/* Asks the engine, or else the capture. */
static void print_five_flows(struct bpe_engine *engine, struct bpe_capture *capture)
{
	struct bpe_flow *flows = guarded_room(FEW * sizeof *flows);
	struct bpe_flow_totals *totals = guarded_room(sizeof *totals);
	struct bpe_error error = { .status = 0 };
	int n;

	if (engine)
		n = bpe_engine_largest_flows(
			engine, BPE_ORDER_PACKETS, INT64_MIN, flows, FEW, totals, &error);
	else
		n = bpe_capture_largest_flows(
			capture, BPE_ORDER_BYTES, INT64_MIN, flows, FEW, totals, &error);
	CHECK(n == FEW && totals->packet_ns > 0);
	CHECK_LATER(totals);
	for (int i = 0; i < n; i++) {
		CHECK_LATER(&flows[i]);
		printf("flow %u %" PRIu64 "\n", flows[i].port[0], flows[i].packets[0]);
	}
	CHECK(!engine || bpe_engine_top_flows(engine, flows, FEW) == FEW);
}

static void run_whole_engine(void)
{
	struct bpe_options *options = make_options("synth:count=3000,flows=200,seed=3");
	struct bpe_engine *engine = NULL;
	struct bpe_error error = { .status = 0 };

	options->workers = 0;
	options->user = guarded_room(sizeof(struct bpe_flow));
	seen.copy = guarded_room(sizeof *seen.copy);
	CHECK(bpe_columns_open(&seen.columns, NULL) == BPE_OK);
	options->on_batch = see_batch;
	options->on_flow = see_flow;
	options->on_record = see_record;
	CHECK(bpe_engine_open(options, &engine, &error) == BPE_OK);
	if (!engine) {
		fprintf(stderr, "%s\n", error.text);
		return;
	}
	CHECK(bpe_engine_run(engine, 0, &error) == BPE_OK);
	print_statistics(engine);
	print_protocol_names(engine);
	print_five_flows(engine, NULL);
	bpe_engine_close(engine);
	printf("seen %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", seen.packets,
		seen.flows, seen.records, seen.texts, seen.layers);
}

/* Takes every record of a run as a view. */
static void pull_all_records(void)
{
	struct bpe_options *options = make_options("synth:count=500,flows=40,seed=7");
	const struct bpe_flow *flow = NULL;
	struct bpe_engine *engine = NULL;
	struct bpe_error error = { .status = 0 };
	uint64_t packets = 0;
	int n = 0;

	options->pull_records = true;
	CHECK(bpe_engine_open(options, &engine, &error) == BPE_OK);
	CHECK(engine && bpe_engine_start(engine, &error) == BPE_OK);
	while (engine && (n = bpe_engine_next_record(engine, &flow, &error)) >= 0)
		if (n) {
			take_record(flow);
			packets += flow->packets[0] + flow->packets[1];
		}
	CHECK(n == BPE_E_END);
	bpe_engine_close(engine);
	printf("pulled %" PRIu64 "\n", packets);
}

/* Asks for everything about packet i of a batch of the program's own. */
static uint64_t ask_packet(const struct bpe_batch *batch, uint32_t i, struct bpe_flow *flow)
{
	struct bpe_layers layers = { .flags = 0 };
	struct bpe_tcp_options options = { .present = 0 };
	struct bpe_tunnel tunnel;
	struct bpe_key key;
	uint64_t sum = batch->wirelen[i];

	if (bpe_batch_layers(batch, i, BPE_LAYERS_OUTERMOST, &layers, &key) == 1)
		sum += key.port[1];
	CHECK(layers.payload == batch->layers[i].payload && layers.flags == batch->layers[i].flags);
	CHECK(bpe_batch_tunnel(batch, i, &tunnel) == 0);
	if (bpe_batch_tcp_options(batch, i, &options) == 1)
		sum += options.mss;
	memset(flow, FILL, sizeof *flow);
	if (bpe_batch_flow(batch, i, flow) > 0) {
		CHECK_LATER(flow);
		sum += flow->packets[0];
	}
	return sum;
}

static void run_whole_capture(void)
{
	struct bpe_options *options = make_options("synth:count=1000,flows=20,seed=5");
	struct bpe_batch *batch = guarded_room(sizeof *batch);
	struct bpe_meta *meta = guarded_room(sizeof *meta);
	struct bpe_flow *flow = guarded_room(sizeof *flow);
	struct bpe_stats *stats = guarded_room(sizeof *stats);
	struct bpe_capture *capture = NULL;
	struct bpe_error error = { .status = 0 };
	uint64_t bytes = 0;
	int asked = 0;
	int n;

	options->flow_table = true;
	options->on_flow = see_flow;
	CHECK(bpe_capture_open(options, &capture, &error) == BPE_OK);
	if (!capture)
		return;
	while ((n = bpe_capture_next(capture, batch, -1, &error)) > 0) {
		CHECK_LATER(batch);
		CHECK(batch->count == (uint32_t)n && batch->size <= sizeof *batch);
		for (int i = 0; i < n; i++)
			bytes += ask_packet(batch, (uint32_t)i, flow);
		CHECK(bpe_batch_meta(batch, 0, meta) == 0);
		if (bytes > 100000 && !asked++)
			print_five_flows(NULL, capture);
	}
	CHECK(n == BPE_E_END);
	bpe_capture_stats(capture, stats);
	CHECK_LATER(stats);
	CHECK(asked > 0);
	printf("capture: sum %" PRIu64 ", %" PRIu64 " packets, %" PRIu64 " flows\n", bytes,
		stats->read_packets, seen.flows);
	bpe_capture_close(capture);
}

/* Returns FEW packets of one UDP flow, with metadata where the header has the member. */
static struct bpe_packet *make_own_packets(const uint8_t *frame, uint32_t bytes)
{
	struct bpe_packet *packets = guarded_room(FEW * sizeof *packets);

	for (uint32_t i = 0; i < FEW; i++) {
		bpe_packet_init(&packets[i]);
		CHECK_LATER(&packets[i]);
		CHECK(packets[i].link_type == -1 && !packets[i].data);
		packets[i].data = frame;
		packets[i].time_ns = 1000000 + (int64_t)i;
		packets[i].caplen = bytes;
		packets[i].wirelen = bytes + i;
		packets[i].interface_id = 7;
	}
#ifndef OLDER
	struct bpe_meta *meta = guarded_room(sizeof *meta);

	memset(meta, 0, sizeof *meta);
	meta->flags = BPE_META_PROCESS;
	meta->pid = 77;
	packets[1].meta = meta;
#endif
	return packets;
}

/* Pushes packets to a capture, which must give each of them back, and to an engine. */
static void push_own_packets(void)
{
	static const uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 46,
		0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 53, 1, 0, 0, 26, 0, 0 };
	struct bpe_packet *packets = make_own_packets(frame, sizeof frame);
	struct bpe_options *options = make_options(NULL);
	struct bpe_batch *batch = guarded_room(sizeof *batch);
	struct bpe_capture *capture = NULL;
	struct bpe_engine *engine = NULL;
	struct bpe_error error = { .status = 0 };
	int n = 0;

	options->push = true;
	CHECK(bpe_capture_open(options, &capture, &error) == BPE_OK);
	CHECK(capture && bpe_capture_push(capture, packets, FEW, &error) == FEW);
	CHECK(capture && bpe_capture_push_end(capture, &error) == BPE_OK);
	CHECK(capture && (n = bpe_capture_next(capture, batch, 0, &error)) == FEW);
	for (int i = 0; i < n; i++)
		printf("pushed %u %" PRId64 " %u\n", batch->wirelen[i], batch->time_ns[i],
			batch->key[i].port[0] + batch->interface_id[i]);
	bpe_capture_close(capture);
	options->on_flow = see_flow;
	options->workers = 0;
	CHECK(bpe_engine_open(options, &engine, &error) == BPE_OK);
	CHECK(engine && bpe_engine_push(engine, packets, FEW, 0, &error) == FEW);
#ifdef NEWER
	packets[FEW - 1].later[2] = 1;
	CHECK(bpe_engine_push(engine, packets, FEW, 0, &error) == BPE_E_UNSUPPORTED);
#endif
	CHECK(engine && bpe_engine_push_end(engine, &error) == BPE_OK);
	CHECK(engine && bpe_engine_run(engine, 0, &error) == BPE_OK);
	bpe_engine_close(engine);
	printf("flows with the pushed %" PRIu64 "\n", seen.flows);
}

static void compile_filter(void)
{
	struct bpe_filter_options *options = guarded_room(sizeof *options);
	struct bpe_error error = { .status = 0 };
	struct bpe_insn *program = NULL;
	uint32_t length = 0;
	char *text = NULL;

	bpe_filter_options_init(options);
	CHECK_LATER(options);
	CHECK(options->link_type == 1);
	CHECK(bpe_filter_compile_with("tcp port 80", options, &program, &length, &error) == BPE_OK);
	CHECK(bpe_filter_explain("tcp port 80", options, &text, &error) == BPE_OK);
	printf("filter of %u instructions, %zu letters\n", length, text ? strlen(text) : 0);
	bpe_filter_free(program);
	bpe_filter_text_free(text);
}

static void list_interfaces(void)
{
	struct bpe_interface *list = NULL;
	struct bpe_error error = { .status = 0 };
	const int n = bpe_interfaces_list(&list, &error);

	CHECK(n > 0);
	for (int i = 0; i < n; i++)
		CHECK_LATER(&list[i]);
	printf("interface %s\n", n > 0 ? list[n - 1].name : "none");
	bpe_interfaces_free(list);
}

/* Writes a batch and packets to a file in memory's stead, and prints the books. */
static void write_own_packets(void)
{
	static const uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6 };
	struct bpe_writer_options *options = guarded_room(sizeof *options);
	struct bpe_write_interface *interface = guarded_room(sizeof *interface);
	struct bpe_written *stats = guarded_room(sizeof *stats);
	struct bpe_stats *counts = guarded_room(sizeof *counts);
	struct bpe_packet *packets = make_own_packets(frame, sizeof frame);
	struct bpe_batch batch = { .size = sizeof batch, .count = 1 };
	struct bpe_layers layers = { .link_type = 113 };
	const uint32_t id = 4;
	struct bpe_writer *writer = NULL;
	struct bpe_error error = { .status = 0 };

	bpe_writer_options_init(options);
	CHECK_LATER(options);
	options->path = "/dev/null";
	CHECK(bpe_writer_open(options, &writer, &error) == BPE_OK);
	bpe_write_interface_init(interface);
	CHECK_LATER(interface);
	interface->interface_id = 7;
	interface->name = "seven";
	CHECK(writer && bpe_writer_interface(writer, interface) == BPE_OK);
	batch.layers = &layers;
	batch.interface_id = &id;
	CHECK(bpe_batch_interface(&batch, 0, interface) == 0);
	CHECK_LATER(interface);
	CHECK(interface->link_type == 113 && interface->interface_id == 4);
	for (int i = 0; writer && i < FEW; i++)
		CHECK(bpe_writer_packet(writer, &packets[i], NULL) == BPE_OK);
	memset(counts, 0, sizeof *counts);
	CHECK(writer && bpe_writer_counts(writer, 7, counts) == BPE_OK);
	if (writer)
		bpe_writer_stats(writer, stats);
	CHECK_LATER(stats);
	printf("offered %" PRIu64 "\n", stats->offered);
	CHECK(bpe_writer_close(writer, &error) == BPE_OK);
}

/* Sets members of the newer header alone; the library must refuse them. */
static void set_later_members(void)
{
#ifdef NEWER
	struct bpe_options *options = make_options("synth:count=10");
	struct bpe_filter_options how;
	struct bpe_engine *engine = NULL;
	struct bpe_capture *capture = NULL;
	struct bpe_error error = { .status = 0 };
	struct bpe_insn *program = NULL;
	uint32_t length = 0;

	options->later[1] = 1;
	CHECK(bpe_engine_open(options, &engine, &error) == BPE_E_UNSUPPORTED && !engine);
	CHECK(strstr(error.text, "newer header") != NULL);
	CHECK(bpe_capture_open(options, &capture, &error) == BPE_E_UNSUPPORTED && !capture);
	bpe_filter_options_init(&how);
	how.later[0] = 1;
	CHECK(bpe_filter_compile_with("ip", &how, &program, &length, &error) == BPE_E_UNSUPPORTED);
#endif
}

int main(void)
{
	run_whole_engine();
	pull_all_records();
	run_whole_capture();
	push_own_packets();
	compile_filter();
	list_interfaces();
	write_own_packets();
	set_later_members();
	check_guards();
	check_columns();
	free_rooms();
	return failures != 0;
}
