/* SPDX-License-Identifier: MIT */
/* Savefiles through the device contract: every format and byte order, every cut, as a file, through
 * a pipe and in memory. */
#include "device/device.h"
#include "filebuild.h"

#include "records/batch.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct got {
	uint32_t packets, link_type[64], interface_id[64], caplen[64], wirelen[64];
	int64_t time_ns[64];
	int end;
	struct bpe_error error;
	bool wrong;
};

static char path[64];

static void name_file(void)
{
	snprintf(path, sizeof path, "/tmp/bpe-savefile-%ld", (long)getpid());
}

static void remove_savefile(void)
{
	unlink(path);
}
TestSuite(savefile, .init = name_file, .fini = remove_savefile);

/* Returns true if n bytes lie in the program's memory. */
static bool is_in_memory(const struct bpe_options *o, const uint8_t *bytes, uint32_t n)
{
	const uint8_t *memory = o->memory;
	return bytes >= memory && bytes + n <= memory + o->memory_bytes;
}

static struct got read_source(const struct bpe_options *o)
{
	struct got g = { .packets = 0 };
	struct bpei_device *d;
	struct bpei_columns c;
	struct bpei_block b = { .memory = NULL };
	const uint8_t *last = NULL;
	g.end = bpei_device_open(o, &d, &g.error);
	if (g.end < 0)
		return g;
	cr_assert_eq(bpei_columns_new(&c, BPE_BATCH), BPE_OK);
	if (!d->maps_blocks) {
		b.memory_bytes = d->block_bytes;
		b.memory = malloc(b.memory_bytes);
	}
	bpei_role_enter(&bpei_reader_role);
	while ((g.end = bpei_device_fill(d, &b, -1, &g.error)) > 0) {
		uint32_t n;
		while ((n = bpei_device_walk(d, &b, &c, 3))) /* few at a time */
			for (uint32_t i = 0; i < n; i++) {
				uint32_t k = g.packets++;
				cr_assert(k < 64);
				g.link_type[k] = b.link_type;
				g.interface_id[k] = c.interface_id[i];
				g.caplen[k] = c.caplen[i];
				g.wirelen[k] = c.wirelen[i];
				g.time_ns[k] = c.time_ns[i];
				g.wrong |= o->memory && !is_in_memory(o, c.data[i], c.caplen[i]);
				for (uint32_t j = 0; j < c.caplen[i]; j++)
					g.wrong |= c.data[i][j] != (uint8_t)k;
			}
		bpei_device_done(d, &b);
		last = b.bytes;
	}
	g.wrong |= b.bytes != last; /* a fill without packets leaves the block */
	cr_assert_eq(bpei_device_fill(d, &b, -1, NULL), g.end); /* repeated at each call */
	bpei_role_leave(&bpei_reader_role);
	free(b.memory);
	bpei_columns_free(&c, BPE_BATCH);
	bpei_device_close(d);
	return g;
}

static struct got read_all_packets(uint32_t snaplen)
{
	struct bpe_options o;
	bpe_options_init(&o);
	o.file = path;
	o.snaplen = snaplen;
	return read_source(&o);
}

static void write_file(const uint8_t *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	cr_assert(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
	close(fd);
}

struct feed {
	const uint8_t *bytes;
	size_t n, step;
};

static void *feed_pipe(void *arg)
{
	struct feed *f = arg;
	int fd = open(path, O_WRONLY);
	for (size_t at = 0; at < f->n; at += f->step)
		if (write(fd, f->bytes + at, f->n - at < f->step ? f->n - at : f->step) < 0)
			break;
	close(fd);
	return NULL;
}

static struct got read_fifo(const uint8_t *bytes, size_t n, size_t step)
{
	pthread_t t;
	struct feed f = { bytes, n, step };
	unlink(path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(pthread_create(&t, NULL, feed_pipe, &f), 0);
	struct got g = read_all_packets(BPE_MAX_SNAPLEN);
	pthread_join(t, NULL);
	unlink(path);
	return g;
}

static uint32_t whole_before(const struct image *f, size_t cut)
{
	uint32_t n = 0;
	while (n < f->packets && f->whole[n] <= cut)
		n++;
	return n;
}

static void every_cut(const struct image *f, size_t header)
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t cut = 0; cut <= f->length; cut++) {
		write_file(f->bytes, cut);
		struct got g = read_all_packets(BPE_MAX_SNAPLEN);
		if (cut < header) {
			cr_assert_eq(g.end, BPE_E_FORMAT, "cut %zu: %d", cut, g.end);
			continue;
		}
		cr_assert_eq(
			g.packets, whole_before(f, cut), "cut %zu: %u packets", cut, g.packets);
		cr_assert(!g.wrong);
		cr_assert(g.end == BPE_E_END || g.end == BPE_E_TORN);
		if (whole_before(f, cut) && f->whole[whole_before(f, cut) - 1] == cut)
			cr_assert_eq(g.end, BPE_E_END);
		if (cut % 5)
			continue;
		struct got p = read_fifo(f->bytes, cut, cut % 7 + 1);
		cr_assert_eq(p.packets, g.packets, "cut %zu by pipe: %u packets", cut, p.packets);
		cr_assert_eq(p.end, g.end);
		cr_assert(!p.wrong);
	}
}

/* The packets that open has read are given before the pipe has more. */
Test(savefile, a_silent_pipe_gives_what_it_has, .timeout = 550)
{
	struct bpei_device *d;
	struct bpei_columns c;
	struct bpe_options o;
	struct bpei_block b = { .memory = NULL };
	uint8_t file[44] = { 0 };

	memcpy(file, (uint32_t[]){ 0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1 }, 24);
	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		memcpy(file + 4, (uint16_t[]){ 2, 4 }, 4);
	memcpy(file + 24, (uint32_t[]){ 1, 1, 4, 4 }, 16);
	bpe_options_init(&o);
	o.file = path;
	cr_assert_eq(mkfifo(path, 0600), 0);
	const int writer = open(path, O_RDWR);
	cr_assert(writer >= 0 && write(writer, file, sizeof file) == sizeof file);
	cr_assert_eq(bpei_device_open(&o, &d, NULL), BPE_OK);
	cr_assert_eq(bpei_columns_new(&c, BPE_BATCH), BPE_OK);
	b.memory_bytes = d->block_bytes;
	b.memory = malloc(b.memory_bytes);
	bpei_role_enter(&bpei_reader_role);
	cr_assert_eq(bpei_device_fill(d, &b, 0, NULL), 1);
	cr_assert_eq(bpei_device_walk(d, &b, &c, BPE_BATCH), 1);
	bpei_device_done(d, &b);
	cr_assert_eq(bpei_device_fill(d, &b, 0, NULL), 0);
	bpei_role_leave(&bpei_reader_role);
	free(b.memory);
	bpei_columns_free(&c, BPE_BATCH);
	bpei_device_close(d);
	close(writer);
}

Test(savefile, pcap_in_every_form_cut_everywhere, .timeout = 550)
{
	for (int form = 0; form < 6; form++) {
		static const uint32_t magics[] = { 0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34 };
		static struct image f;
		uint32_t magic = magics[form / 2];
		uint32_t more = magic == 0xa1b2cd34 ? 8 : 0;
		memset(&f, 0, sizeof f);
		f.big = form % 2;
		pcap_header(&f, magic, 4, 65535, 105);
		for (uint32_t i = 0; i < 5; i++)
			pcap_packet(&f, 1000 + i, 999999, i * 9, i * 10, more);
		write_file(f.bytes, f.length);
		struct got g = read_all_packets(BPE_MAX_SNAPLEN);
		cr_assert_eq(g.packets, 5);
		cr_assert(!g.wrong);
		cr_assert_eq(g.link_type[4], 105);
		cr_assert_eq(
			g.time_ns[3], 1003000000000 + (magic == 0xa1b23c4d ? 999999 : 999999000));
		cr_assert_eq(g.caplen[4], 36);
		cr_assert_eq(g.wirelen[4], 40);
		every_cut(&f, 24);
	}
}

Test(savefile, pcap_quirks)
{
	static struct image f;
	pcap_header(&f, 0xa1b2c3d4, 2, 65535, 1); /* version 2.2: the lengths are exchanged */
	put_number(&f, 1, 4), put_number(&f, 2, 4), put_number(&f, 9, 4), put_number(&f, 4, 4),
		put_bytes(&f, 4, 0), packet_done(&f);
	write_file(f.bytes, f.length);
	struct got g = read_all_packets(BPE_MAX_SNAPLEN);
	cr_assert_eq(g.packets, 1);
	cr_assert_eq(g.caplen[0], 4);
	cr_assert_eq(g.wirelen[0], 9);

	memset(&f, 0, sizeof f);
	pcap_header(
		&f, 0xa1b2c3d4, 4, 10, 1 | 0x14000000); /* more captured than the snapshot length
							   says; frame check sequence bits */
	pcap_packet(&f, UINT32_MAX, UINT32_MAX, 30, 30, 0);
	pcap_packet(&f, 1, 1, 30, 30, 0);
	write_file(f.bytes, f.length);
	g = read_all_packets(7);
	cr_assert_eq(g.packets, 2);
	cr_assert_eq(g.link_type[0], 1);
	cr_assert_eq(g.caplen[1], 7);
	g = read_all_packets(BPE_MAX_SNAPLEN);
	cr_assert_eq(g.caplen[1], 10);
	cr_assert_eq(g.wirelen[1], 30);
	cr_assert(!g.wrong);

	memset(&f, 0, sizeof f);
	pcap_header(&f, 0xa1b2c3d4, 4, 65535, 1);
	pcap_packet(&f, 1, 1, 30, 30, 0);
	put_number(&f, 0, 8), put_number(&f, 262145, 4), put_number(&f, 262145, 4);
	write_file(f.bytes, f.length);
	g = read_all_packets(BPE_MAX_SNAPLEN);
	cr_assert_eq(g.packets, 1);
	cr_assert_eq(g.end, BPE_E_FORMAT);
	cr_assert_not_null(strstr(g.error.text, "byte 70"));
	f.bytes[4] = 3; /* version 3 */
	write_file(f.bytes, f.length);
	cr_assert_eq(read_all_packets(BPE_MAX_SNAPLEN).end, BPE_E_FORMAT);
}

static void ng_image(struct image *f)
{
	ng_section(f, false);
	ng_interface(f, 1, 0, -1, 0);
	ng_interface(f, 101, 0, 9, 1000);
	ng_packet(f, 6, 0, 1000000, 20, 20);
	ng_packet(f, 6, 1, 5, 21, 99);
	size_t at = ng_begin(f, 0x0bad); /* unknown */
	put_bytes(f, 10, 0xff);
	ng_end(f, at);
	ng_packet(f, 2, 1, 6, 22, 22);
	ng_section(f, true);
	ng_interface(f, 113, 16, 0x80 | 10, 0);
	ng_packet(f, 3, 0, 0, 16, 40);
	ng_packet(f, 6, 0, 2048 + 512, 3, 3);
	ng_interface(f, 1, 0, 12, -1);
	ng_packet(f, 6, 1, 3000000000000 + 1999, 0, 0);
}

Test(savefile, pcapng_sections_interfaces_times, .timeout = 550)
{
	static struct image f;
	static const uint32_t links[] = { 1, 101, 101, 113, 113, 1 };
	static const uint32_t ids[] = { 0, 1, 1, 2, 2, 3 };
	static const uint32_t caplens[] = { 20, 21, 22, 16, 3, 0 };
	static const int64_t times[] = { 1000000000, 1000000000005, 1000000000006,
		1000000000006 /* no time: time of the last packet */, 2500000000, 2000000001 };
	ng_image(&f);
	write_file(f.bytes, f.length);
	struct got g = read_all_packets(BPE_MAX_SNAPLEN);
	cr_assert_eq(g.end, BPE_E_END, "%s", g.error.text);
	cr_assert_eq(g.packets, 6);
	cr_assert(!g.wrong);
	for (int k = 0; k < 6; k++) {
		cr_assert_eq(g.link_type[k], links[k]);
		cr_assert_eq(g.interface_id[k], ids[k]);
		cr_assert_eq(g.caplen[k], caplens[k]);
		cr_assert_eq(g.time_ns[k], times[k], "packet %d: %lld", k, (long long)g.time_ns[k]);
	}
	cr_assert_eq(g.wirelen[3], 40);
	every_cut(&f, 28);
}

Test(savefile, pcapng_extreme_times)
{
	static struct image f;
	ng_section(&f, false);
	static const struct {
		int resolution;
		int64_t offset;
		uint64_t time;
		int64_t ns;
	} rows[] = {
		{ 6, 0, UINT64_MAX, INT64_MAX },
		{ 0, 0, UINT64_MAX, INT64_MAX },
		{ 0, 5, 7, 12000000000 },
		{ 19, 0, UINT64_MAX, 1844674407 },
		{ 0x80 | 63, 0, UINT64_MAX, 1999999999 },
		{ 0x80 | 32, 0, 3ull << 31, 1500000000 },
		{ 9, INT64_MAX, 1, INT64_MAX },
		{ 9, -3, 1, -2999999999 },
		{ 3, 0, 1234, 1234000000 },
	};
	for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ng_interface(&f, 1, 0, rows[i].resolution, rows[i].offset);
	for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ng_packet(&f, 6, i, rows[i].time, 1, 1);
	write_file(f.bytes, f.length);
	struct got g = read_all_packets(BPE_MAX_SNAPLEN);
	cr_assert_eq(g.packets, sizeof rows / sizeof *rows);
	for (uint32_t i = 0; i < g.packets; i++)
		cr_assert_eq(g.time_ns[i], rows[i].ns, "row %u: %lld", i, (long long)g.time_ns[i]);
}

Test(savefile, pcapng_damage_is_told_after_what_is_sound)
{
	for (int kind = 0; kind < 7; kind++) {
		static struct image f;
		memset(&f, 0, sizeof f);
		ng_section(&f, kind & 1);
		ng_interface(&f, 1, 0, -1, 0);
		ng_packet(&f, 6, 0, 1, 4, 4);
		size_t at = f.length;
		ng_packet(&f, 6, kind == 0 ? 9 : 0, 1, 4, 4);
		size_t end = f.length;
		f.length = at + 4;
		if (kind == 1)
			put_number(&f, 8, 4); /* shorter than the header */
		if (kind == 2)
			put_number(&f, (uint32_t)(end - at) + 1, 4); /* not a multiple of 4 */
		if (kind == 3)
			put_number(&f, 0x7ffffff0, 4); /* endless */
		f.length = end - 4;
		if (kind == 4)
			put_number(&f, 16, 4); /* the two lengths differ */
		f.length = at + 20;
		if (kind == 5)
			put_number(&f, 100, 4); /* a packet longer than the block */
		f.length = end;
		if (kind == 6) {
			ng_interface(&f, 1, 0, 127, 0);
			f.packets--;
		}
		write_file(f.bytes, f.length);
		struct got g = read_all_packets(BPE_MAX_SNAPLEN);
		cr_assert_eq(g.end, BPE_E_FORMAT, "kind %d: %d", kind, g.end);
		cr_assert_eq(g.packets, kind == 6 ? 2 : 1, "kind %d: %u", kind, g.packets);
		cr_assert_not_null(strstr(g.error.text, "damaged at byte"));
	}
}

/* Reads a file of 64 packets of 200 bytes in blocks of 4 KiB.  After the first block the file's
 * length changes to n, with the bytes of the whole file.  Returns the end of the reading. */
static int change_length(size_t n, uint32_t *packets, struct bpe_error *error)
{
	static struct image f;
	struct bpei_device *d;
	struct bpei_columns c;
	struct bpe_options o;
	memset(&f, 0, sizeof f);
	pcap_header(&f, 0xa1b2c3d4, 4, 65535, 1);
	for (uint32_t i = 0; i < 64; i++)
		pcap_packet(&f, i, 0, 200, 200, 0);
	cr_assert_eq(f.length, 24 + 64 * 216);
	write_file(f.bytes, n > f.whole[59] ? f.whole[59] : f.length);
	bpe_options_init(&o);
	o.file = path;
	o.block_bytes = 4096;
	cr_assert_eq(bpei_device_open(&o, &d, error), BPE_OK);
	cr_assert_eq(bpei_columns_new(&c, BPE_BATCH), BPE_OK);
	struct bpei_block b = { .memory = malloc(d->block_bytes), .memory_bytes = d->block_bytes };
	bpei_role_enter(&bpei_reader_role);
	int r;
	for (bool first = true; (r = bpei_device_fill(d, &b, -1, error)) > 0; first = false) {
		for (uint32_t k; (k = bpei_device_walk(d, &b, &c, BPE_BATCH));)
			*packets += k;
		if (first)
			write_file(f.bytes, n);
	}
	bpei_role_leave(&bpei_reader_role);
	free(b.memory);
	bpei_columns_free(&c, BPE_BATCH);
	bpei_device_close(d);
	return r;
}

Test(savefile, a_file_cut_while_it_is_read_is_torn_and_one_that_grows_is_read_on)
{
	struct bpe_error error;
	uint32_t packets = 0;
	cr_assert_eq(change_length(24 + 50 * 216, &packets, &error), BPE_E_TORN,
		"cut between two records");
	cr_assert_not_null(strstr(error.text, "shrank to"), "%s", error.text);
	cr_assert(packets < 64 && packets >= 35, "%u", packets);
	packets = 0;
	cr_assert_eq(change_length(24 + 50 * 216 + 7, &packets, &error), BPE_E_TORN,
		"cut within a record");
	cr_assert_eq(packets, 50);
	packets = 0;
	cr_assert_eq(
		change_length(24 + 64 * 216, &packets, &error), BPE_E_END, "grown by four records");
	cr_assert_eq(packets, 64);
}

Test(savefile, what_is_no_savefile)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *told;
	} rows[] = {
		{ "", 0, "empty" },
		{ "hello world", 11, "neither" },
		{ "abc", 3, "truncated" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		write_file((const uint8_t *)rows[i].bytes, rows[i].n);
		struct got g = read_all_packets(BPE_MAX_SNAPLEN);
		cr_assert_eq(g.end, BPE_E_FORMAT);
		cr_assert_not_null(strstr(g.error.text, rows[i].told), "%s", g.error.text);
	}
	unlink(path);
	cr_assert_eq(read_all_packets(BPE_MAX_SNAPLEN).end, BPE_E_ABSENT);
	mkdir(path, 0700);
	cr_assert_eq(read_all_packets(BPE_MAX_SNAPLEN).end, BPE_E_FORMAT);
	rmdir(path);
}

/* ---- In memory ---- */

/* Room for a savefile between two pages without access. */
struct guarded {
	uint8_t *all, *room;
	size_t page, bytes;
};

static struct guarded map_guarded(void)
{
	struct guarded g = { .page = (size_t)sysconf(_SC_PAGESIZE) };
	g.bytes = (sizeof(struct image) + g.page - 1) / g.page * g.page;
	g.all = mmap(NULL, g.bytes + 2 * g.page, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
	cr_assert(g.all != MAP_FAILED);
	g.room = g.all + g.page;
	return g;
}

static void protect_room(const struct guarded *g, int protection)
{
	cr_assert_eq(mprotect(g->room, g->bytes, protection), 0);
}

/* Puts the bytes to the end of the room or to its beginning, and protects them from writing. */
static struct bpe_options place_savefile(
	const struct guarded *g, const uint8_t *bytes, size_t n, bool to_end)
{
	struct bpe_options o;
	uint8_t *to = to_end ? g->room + g->bytes - n : g->room;
	protect_room(g, PROT_READ | PROT_WRITE);
	memset(g->room, 0xee, g->bytes);
	memcpy(to, bytes, n);
	protect_room(g, PROT_READ);
	bpe_options_init(&o);
	o.memory = to;
	o.memory_bytes = n;
	return o;
}

/* Reads every prefix at both ends of the room, in blocks longer and shorter than a record.  The
 * packets and the end are the same as from a file on disk. */
static void every_prefix(const struct image *f, size_t header)
{
	const struct guarded room = map_guarded();
	for (size_t cut = 0; cut <= f->length; cut++) {
		write_file(f->bytes, cut);
		const struct got file = read_all_packets(BPE_MAX_SNAPLEN);
		for (int way = 0; way < 4; way++) {
			struct bpe_options o = place_savefile(&room, f->bytes, cut, way & 1);
			o.block_bytes = way & 2 ? 16 : 0;
			const struct got g = read_source(&o);
			cr_assert_eq(g.end, file.end, "cut %zu: %d, not %d", cut, g.end, file.end);
			cr_assert_eq(g.packets, cut < header ? 0 : whole_before(f, cut),
				"cut %zu: %u packets", cut, g.packets);
			cr_assert(!g.wrong, "cut %zu", cut);
			cr_assert(!memcmp(g.time_ns, file.time_ns, sizeof g.time_ns));
			cr_assert(!memcmp(g.wirelen, file.wirelen, sizeof g.wirelen));
			cr_assert(g.end == BPE_E_END || strstr(g.error.text, "savefile in memory"));
		}
	}
	munmap(room.all, room.bytes + 2 * room.page);
}

Test(savefile, memory_cut_everywhere, .timeout = 550)
{
	static struct image pcap[2], ng;
	for (int big = 0; big < 2; big++) {
		pcap[big].big = big;
		pcap_header(&pcap[big], 0xa1b23c4d, 4, 65535, 105);
		for (uint32_t i = 0; i < 5; i++)
			pcap_packet(&pcap[big], 1000 + i, 999999, i * 9, i * 10, 0);
		every_prefix(&pcap[big], 24);
	}
	ng_image(&ng);
	every_prefix(&ng, 28);
}

Test(savefile, memory_is_one_source_and_has_bytes, .timeout = 550)
{
	static const char *const told[] = { "exactly one source", "exactly one source",
		"exactly one source", "memory is NULL", "exactly one source", "is empty" };
	static struct image f;
	for (int row = 0; row < 6; row++) {
		struct bpe_engine *e = NULL;
		struct bpe_capture *c = NULL;
		struct bpe_error error = { 0 };
		struct bpe_options o;
		const int status = row == 5 ? BPE_E_FORMAT : BPE_E_ARGUMENT;
		bpe_options_init(&o);
		o.memory = row == 3 || row == 4 ? NULL : f.bytes;
		o.memory_bytes = row < 4 ? sizeof f.bytes : 0;
		o.file = row == 0 ? path : NULL;
		o.interface_name = row == 1 ? "synth:count=1" : NULL;
		o.push = row == 2;
		cr_assert(bpe_engine_open(&o, &e, &error) == status && !e, "row %d", row);
		cr_assert(strstr(error.text, told[row]), "row %d: %s", row, error.text);
		cr_assert(bpe_capture_open(&o, &c, &error) == status && !c, "row %d", row);
		cr_assert(strstr(error.text, told[row]), "row %d: %s", row, error.text);
	}
}

/* Takes access to the memory away after each close.  The captures read nothing, a part and all; the
 * engines read all and a part.  An open fails at last. */
Test(savefile, memory_is_not_touched_after_close, .timeout = 550)
{
	static const uint64_t packets[] = { 0, 1, 6, 6, 2 };
	static struct image f;
	const struct guarded room = map_guarded();
	struct bpe_engine *e = NULL;
	struct bpe_error error = { 0 };
	ng_image(&f);
	for (int row = 0; row < 5; row++) {
		struct bpe_options o = place_savefile(&room, f.bytes, f.length, true);
		struct bpe_capture *c = NULL;
		struct bpe_stats s = { 0 };
		struct bpe_batch b;
		o.max_packets = row == 4 ? 2 : 0;
		if (row < 3) {
			cr_assert_eq(bpe_capture_open(&o, &c, &error), BPE_OK, "%s", error.text);
			int n = row ? bpe_capture_next(c, &b, -1, &error) : 0;
			cr_assert_eq(n, row ? 1 : 0); /* the next has another link type */
			while (row == 2 && n >= 0)
				n = bpe_capture_next(c, &b, -1, &error);
			bpe_capture_stats(c, &s);
			bpe_capture_close(c);
		} else {
			cr_assert_eq(bpe_engine_open(&o, &e, &error), BPE_OK, "%s", error.text);
			cr_assert_eq(bpe_engine_run(e, 0, &error), BPE_OK, "%s", error.text);
			bpe_engine_stats(e, &s);
			bpe_engine_close(e);
		}
		protect_room(&room, PROT_NONE);
		cr_assert_eq(s.read_packets, packets[row], "row %d", row);
	}
	struct bpe_options o = place_savefile(&room, f.bytes, 20, true);
	e = NULL;
	cr_assert(bpe_engine_open(&o, &e, &error) == BPE_E_FORMAT && !e);
	protect_room(&room, PROT_NONE);
	cr_assert(strstr(error.text, "truncated"), "%s", error.text);
	munmap(room.all, room.bytes + 2 * room.page);
}
