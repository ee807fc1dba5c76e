/* SPDX-License-Identifier: MIT */
/* push HOW FILE: pushes the packets of a savefile into an engine.  The program prints each flow as
 * a line of JSON, then the books as a line of JSON.
 *
 * With HOW "ahead" all packets are pushed before the engine starts.  With "stream" the engine runs
 * meanwhile, and with "workers" the engine has two workers.  With "memory" the engine reads the
 * savefile in memory.  With "capture" the program compares a capture of the savefile, packet by
 * packet, with a capture of pushed packets and with bpe_parse.  The program then prints the number
 * of packets. */
#include "base/mem.h"
#include "device/device.h"
#include "records/batch.h"
#include "records/pushed.h"
#include "records/walk_pcapng.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER (UINT64_C(256) << 20) /* all packets of any capture fit */
#define MOST_AT_ONCE 200u

struct packets {
	struct bpe_packet *of;
	struct bpe_meta *meta;
	size_t n, room;
	uint32_t link_type; /* of the file */
	bool timeless;      /* no packet has a time */
};

static void fail_run(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static void *copy_bytes(const void *from, size_t n)
{
	void *copy = malloc(n + !n);

	if (!copy)
		fail_run("malloc", "no memory");
	if (n)
		memcpy(copy, from, n);
	return copy;
}

/* ---- The savefile's packets, as the device gives them ---- */

/* Appends packet i of the columns. */
static void hold_packet(struct packets *p, const struct bpei_device *d, const struct bpei_block *b,
	const struct bpei_columns *c, uint32_t i)
{
	const char *name = bpei_names_find(&d->names, c->interface_id[i]);
	struct bpe_meta meta = { .pid = -1, .effective_pid = -1 };

	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 64;
		p->of = realloc(p->of, p->room * sizeof *p->of);
		p->meta = realloc(p->meta, p->room * sizeof *p->meta);
		if (!p->of || !p->meta)
			fail_run("realloc", "no memory");
	}
	strncpy(meta.interface_name, name, sizeof meta.interface_name - 1);
	p->meta[p->n] = meta;
	bpe_packet_init(&p->of[p->n]);
	p->of[p->n].data = copy_bytes(c->data[i], c->caplen[i]);
	p->of[p->n].time_ns = c->time_ns[i];
	p->of[p->n].caplen = c->caplen[i];
	p->of[p->n].wirelen = c->wirelen[i];
	p->of[p->n].interface_id = c->interface_id[i];
	p->of[p->n].link_type = b->link_type == p->link_type ? -1 : (int32_t)b->link_type;
	p->of[p->n].direction = d->is_directed ? c->meta[i] & BPEI_META_WAY : BPE_DIRECTION_UNKNOWN;
	p->n++;
}

static void read_savefile(const char *path, struct packets *p) BPEI_READER
{
	struct bpe_options o;
	struct bpei_device *d = NULL;
	struct bpei_columns c;
	struct bpei_block b = { 0 };
	struct bpe_error e;
	int status;

	bpe_options_init(&o);
	o.file = path;
	if (bpei_device_open(&o, &d, &e) < 0 || bpei_columns_new(&c, BPE_BATCH) < 0)
		fail_run(path, e.text);
	b.memory_bytes = d->block_bytes;
	b.memory = bpei_mem_map(b.memory_bytes, 0);
	p->link_type = d->link_type;
	while ((status = bpei_device_fill(d, &b, -1, &e)) > 0)
		for (uint32_t n; (n = bpei_device_walk(d, &b, &c, BPE_BATCH));)
			for (uint32_t i = 0; i < n; i++)
				hold_packet(p, d, &b, &c, i);
	if (status != BPE_E_END)
		fail_run(path, e.text);
	p->timeless = d->timeless;
	for (size_t i = 0; i < p->n; i++)
		if (p->meta[i].interface_name[0])
			p->of[i].meta = &p->meta[i];
	bpei_mem_unmap(b.memory, b.memory_bytes);
	bpei_columns_free(&c, BPE_BATCH);
	bpei_device_close(d);
}

static void free_packets(struct packets *p)
{
	for (size_t i = 0; i < p->n; i++)
		free((void *)(uintptr_t)p->of[i].data);
	free(p->of);
	free(p->meta);
}

/* Reads a whole file into memory of exactly the file's length. */
static uint8_t *read_file(const char *path, size_t *n)
{
	static uint8_t all[64 << 20];
	FILE *f = fopen(path, "rb");

	if (!f)
		fail_run(path, "cannot be opened");
	*n = fread(all, 1, sizeof all, f);
	fclose(f);
	return copy_bytes(all, *n);
}

/* ---- Engines ---- */

static void print_flow_line(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	static __thread char line[BPE_FORMAT_BYTES];
	(void)user;
	(void)worker;

	if (flow && bpe_flow_format(flow, BPE_FORMAT_JSON, line, sizeof line) > 0)
		fputs(line, stdout);
}

/* Prints every statistic that is a single number, by its key in the JSON report. */
static void print_push_books(struct bpe_engine *engine, const struct packets *p)
{
	struct bpe_stats s;
	size_t n;
	const struct bpe_stat *list = bpe_stat_list(&n);

	bpe_engine_stats(engine, &s);
	printf("{\"books\":1,\"timeless\":%d,\"pushed\":%zu", p->timeless, p->n);
	printf(",\"kernel_received\":%" PRIu64 ",\"kernel_dropped\":%" PRIu64, s.kernel_received,
		s.kernel_dropped);
	printf(",\"inbound\":%" PRIu64 ",\"outbound\":%" PRIu64, s.inbound_packets,
		s.outbound_packets);
	for (size_t k = 0; k < n; k++) {
		uint64_t v = 0;

		if (!list[k].key || list[k].count != 1 || list[k].bytes != sizeof v)
			continue;
		memcpy(&v, (const char *)&s + list[k].offset, sizeof v);
		printf(",\"%s\":%" PRIu64, list[k].key, v);
	}
	puts("}");
}

static struct bpe_engine *open_engine(struct bpe_options *o)
{
	struct bpe_engine *engine;
	struct bpe_error e;

	o->fixed_seed = true;
	o->hash_seed = 1;
	o->on_record = print_flow_line;
	o->record_overload = BPE_RECORD_WAIT;
	if (bpe_engine_open(o, &engine, &e) < 0)
		fail_run("open", e.text);
	return engine;
}

/* Pushes all packets, in calls of many sizes. */
static void push_all(struct bpe_engine *engine, const struct packets *p)
{
	struct bpe_error e;
	uint32_t random = 1;

	for (size_t at = 0; at < p->n;) {
		random = random * 1664525 + 1013904223;
		size_t n = 1 + (random >> 16) % MOST_AT_ONCE;
		if (n > p->n - at)
			n = p->n - at;
		const int taken = bpe_engine_push(engine, p->of + at, n, -1, &e);
		if (taken != (int)n)
			fail_run("push", taken < 0 ? e.text : "fewer were taken");
		at += n;
	}
	if (bpe_engine_push_end(engine, &e) < 0)
		fail_run("push_end", e.text);
}

static void run_pushed(const char *how, const char *path) BPEI_READER
{
	struct packets p = { 0 };
	struct bpe_options o;
	struct bpe_error e;

	read_savefile(path, &p);
	bpe_options_init(&o);
	o.push = true;
	o.link_type = p.link_type > UINT16_MAX ? -1 : (int32_t)p.link_type;
	o.workers = strcmp(how, "workers") ? 0 : 2;
	o.buffer_bytes = strcmp(how, "ahead") ? 1 : BUFFER;
	struct bpe_engine *engine = open_engine(&o);
	if (!strcmp(how, "ahead"))
		push_all(engine, &p);
	if (bpe_engine_start(engine, &e) < 0)
		fail_run("start", e.text);
	if (strcmp(how, "ahead"))
		push_all(engine, &p);
	while (!bpe_engine_wait(engine, -1))
		continue;
	if (bpe_engine_result(engine, &e) < 0)
		fail_run("run", e.text);
	print_push_books(engine, &p);
	bpe_engine_close(engine);
	free_packets(&p);
}

static void run_in_memory(const char *path)
{
	const struct packets none = { 0 };
	struct bpe_options o;
	struct bpe_error e;
	size_t n;
	uint8_t *bytes = read_file(path, &n);

	bpe_options_init(&o);
	o.memory = bytes;
	o.memory_bytes = n;
	struct bpe_engine *engine = open_engine(&o);
	if (bpe_engine_run(engine, 0, &e) < 0)
		fail_run("run", e.text);
	print_push_books(engine, &none);
	bpe_engine_close(engine);
	free(bytes);
}

/* ---- The capture level ---- */

/* A capture, and where in its batch the comparison is. */
struct side {
	struct bpe_capture *capture;
	struct bpe_batch batch;
	uint32_t at;
};

static void open_side(struct side *s, struct bpe_options *o)
{
	struct bpe_error e;

	o->fixed_seed = true;
	o->hash_seed = 1;
	if (bpe_capture_open(o, &s->capture, &e) < 0)
		fail_run("open", e.text);
	s->at = s->batch.count = 0;
}

/* Goes to the next packet.  Returns false if there is none. */
static bool advance_side(struct side *s)
{
	if (++s->at < s->batch.count)
		return true;
	s->at = 0;
	return bpe_capture_next(s->capture, &s->batch, -1, NULL) > 0;
}

static void expect_same(const char *what, const void *a, const void *b, size_t n, size_t packet)
{
	char text[64];

	if (!memcmp(a, b, n))
		return;
	snprintf(text, sizeof text, "%s of packet %zu differs", what, packet);
	fail_run("capture", text);
}

/* Compares the two captures' packets at hand, and what bpe_parse makes of the bytes. */
static void compare_sides(const struct side *a, const struct side *b, size_t packet)
{
	const struct bpe_batch *x = &a->batch;
	const struct bpe_batch *y = &b->batch;
	const uint32_t i = a->at;
	const uint32_t j = b->at;
	struct bpe_layers parsed, again;
	struct bpe_key parsed_key, again_key;

	expect_same("time", &x->time_ns[i], &y->time_ns[j], 8, packet);
	expect_same("caplen", &x->caplen[i], &y->caplen[j], 4, packet);
	expect_same("wirelen", &x->wirelen[i], &y->wirelen[j], 4, packet);
	expect_same("interface", &x->interface_id[i], &y->interface_id[j], 4, packet);
	expect_same("data", x->data[i], y->data[j], x->caplen[i], packet);
	expect_same("layers", &x->layers[i], &y->layers[j], sizeof *x->layers, packet);
	expect_same("hash", &x->hash[i], &y->hash[j], 4, packet);
	if (x->layers[i].flags & BPE_PKT_KEY)
		expect_same("key", &x->key[i], &y->key[j], sizeof *x->key, packet);
	const int r = bpe_parse(y->data[j], y->caplen[j], y->wirelen[j], y->layers[j].link_type,
		&parsed, &parsed_key);
	if (r != bpe_batch_layers(y, j, BPE_LAYERS_INNERMOST, &again, &again_key))
		fail_run("bpe_parse", "another result than bpe_batch_layers");
	parsed.flags |= again.flags & BPE_PKT_OUTGOING;
	expect_same("bpe_parse", &parsed, &again, sizeof parsed, packet);
	if (r < 1)
		return;
	again_key.tunnel = parsed_key.tunnel; /* the batch's may be an answer's */
	expect_same("key of bpe_parse", &parsed_key, &again_key, sizeof parsed_key, packet);
}

static void run_captures(const char *path) BPEI_READER
{
	struct packets p = { 0 };
	struct bpe_options o;
	struct bpe_error e;
	struct side file, own;
	size_t n = 0;

	read_savefile(path, &p);
	bpe_options_init(&o);
	o.file = path;
	open_side(&file, &o);
	o.file = NULL;
	o.push = true;
	o.link_type = p.link_type > UINT16_MAX ? -1 : (int32_t)p.link_type;
	o.buffer_bytes = BUFFER;
	open_side(&own, &o);
	if (bpe_capture_push(own.capture, p.of, p.n, &e) != (int)p.n ||
		bpe_capture_push_end(own.capture, &e) < 0)
		fail_run("push", e.text);
	while (advance_side(&file)) {
		if (!advance_side(&own))
			fail_run("capture", "fewer packets than the file has");
		compare_sides(&file, &own, n++);
	}
	if (advance_side(&own) || bpe_capture_next(own.capture, &own.batch, 0, NULL) != BPE_E_END)
		fail_run("capture", "more packets than the file has");
	printf("%zu\n", n);
	bpe_capture_close(file.capture);
	bpe_capture_close(own.capture);
	free_packets(&p);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	bpei_role_enter(&bpei_reader_role);
	if (!strcmp(argv[1], "memory"))
		run_in_memory(argv[2]);
	else if (!strcmp(argv[1], "capture"))
		run_captures(argv[2]);
	else
		run_pushed(argv[1], argv[2]);
	bpei_role_leave(&bpei_reader_role);
	return 0;
}
