/* SPDX-License-Identifier: MIT */
/* Writers: what an engine reads is written and read again; books balance; wrong calls are refused.
 */
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

static void make_folder(void)
{
	strcpy(folder, "/tmp/bpfengine_writer_XXXXXX");
	cr_assert(mkdtemp(folder) != NULL);
}

static void remove_folder(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -r %s", folder);
	cr_assert(system(command) == 0);
}

static const char *name_written_file(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void check_writer_books(const struct bpe_written *s)
{
	uint64_t unwritten = 0;

	for (int k = 0; k < BPE_UNWRITTEN_ROOM; k++)
		unwritten += s->unwritten[k];
	cr_assert(s->offered == s->written + unwritten + s->waiting);
}

/* Sums by which two runs over the same packets are compared. */
struct sums {
	uint64_t packets, captured, wire, times, bytes;
};

static void add_batch_sums(struct sums *sums, const struct bpe_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++) {
		sums->packets++;
		sums->captured += batch->caplen[i];
		sums->wire += batch->wirelen[i];
		sums->times = sums->times * 31 + (uint64_t)batch->time_ns[i];
		for (uint32_t k = 0; k < batch->caplen[i]; k++)
			sums->bytes = sums->bytes * 31 + batch->data[i][k];
	}
}

struct copying {
	struct bpe_writer *writer;
	struct sums sums;
};

static void copy_batch(void *user, const struct bpe_batch *batch)
{
	struct copying *c = user;

	cr_assert(!batch->flow && !batch->marks && batch->source);
	cr_assert(bpe_writer_batch(c->writer, batch, 0, batch->count) == BPE_OK);
	add_batch_sums(&c->sums, batch);
}

/* Reads a source with an engine, which writes it through on_read. */
static struct sums write_source(
	const char *source, const struct bpe_writer_options *wo, int32_t workers)
{
	struct bpe_options options;
	struct bpe_engine *engine = NULL;
	struct bpe_error error = { 0 };
	struct bpe_written stats;
	struct copying c = { 0 };

	cr_assert(bpe_writer_open(wo, &c.writer, &error) == BPE_OK, "%s", error.text);
	bpe_options_init(&options);
	options.interface_name = source;
	options.workers = workers;
	options.on_read = copy_batch;
	options.user = &c;
	cr_assert(bpe_engine_open(&options, &engine, &error) == BPE_OK, "%s", error.text);
	cr_assert(bpe_engine_run(engine, 0, &error) == BPE_OK);
	bpe_engine_close(engine);
	bpe_writer_stats(c.writer, &stats);
	check_writer_books(&stats);
	cr_assert(stats.offered == c.sums.packets);
	cr_assert(bpe_writer_close(c.writer, &error) == BPE_OK, "%s", error.text);
	return c.sums;
}

static struct sums read_back(const char *path)
{
	struct bpe_options options;
	struct bpe_capture *capture = NULL;
	struct bpe_batch batch;
	struct bpe_error error = { 0 };
	struct sums sums = { 0 };
	int n;

	bpe_options_init(&options);
	options.file = path;
	cr_assert(bpe_capture_open(&options, &capture, &error) == BPE_OK, "%s", error.text);
	while ((n = bpe_capture_next(capture, &batch, -1, &error)) > 0)
		add_batch_sums(&sums, &batch);
	cr_assert(n == BPE_E_END, "%s", error.text);
	bpe_capture_close(capture);
	return sums;
}

Test(writer, what_is_read_is_written, .init = make_folder, .fini = remove_folder)
{
	static const struct {
		const char *name;
		uint32_t format;
		int32_t workers;
	} cases[] = { { "a.pcapng", BPE_WRITE_AUTO, 0 }, { "b.pcapng", BPE_WRITE_AUTO, 2 },
		{ "c.pcap", BPE_WRITE_PCAP_NS, 0 }, { "d.bin", BPE_WRITE_PCAPNG, 1 } };

	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct bpe_writer_options wo;

		bpe_writer_options_init(&wo);
		wo.path = name_written_file(cases[k].name);
		wo.format = cases[k].format;
		const struct sums out = write_source(
			"synth:count=20000,flows=50,seed=3,size=imix", &wo, cases[k].workers);
		const struct sums in = read_back(name_written_file(cases[k].name));

		cr_assert(out.packets == 20000);
		cr_assert(!memcmp(&in, &out, sizeof in), "%s", cases[k].name);
	}
}

Test(writer, microseconds_are_cut, .init = make_folder, .fini = remove_folder)
{
	struct bpe_writer_options wo;

	bpe_writer_options_init(&wo);
	wo.path = name_written_file("x.pcap");
	const struct sums out = write_source("synth:count=300,seed=3", &wo, 0);
	const struct sums in = read_back(name_written_file("x.pcap"));

	cr_assert(in.packets == 300 && in.bytes == out.bytes && in.wire == out.wire);
}

Test(writer, packets_of_the_program, .init = make_folder, .fini = remove_folder)
{
	static const uint8_t bytes[61] = { 1, 2, 3 };
	struct bpe_packet packet;
	struct bpe_writer *writer = NULL;
	struct bpe_writer_options wo;
	struct bpe_written stats;
	struct bpe_error error = { 0 };

	bpe_writer_options_init(&wo);
	wo.path = name_written_file("p.pcapng");
	wo.snaplen = 50;
	cr_assert(bpe_writer_open(&wo, &writer, &error) == BPE_OK, "%s", error.text);
	bpe_packet_init(&packet);
	packet.data = bytes;
	packet.time_ns = 1000000000123456789;
	packet.wirelen = 1500;
	for (uint32_t n = 0; n <= sizeof bytes; n++) {
		packet.caplen = n;
		packet.interface_id = n % 3;
		packet.link_type = n % 2 ? 101 : -1;
		cr_assert(
			bpe_writer_packet(writer, &packet, n == 7 ? "a comment" : NULL) == BPE_OK);
	}
	packet.link_type = 70000;
	cr_assert(bpe_writer_packet(writer, &packet, NULL) == BPE_E_ARGUMENT);
	packet.link_type = 1;
	packet.data = NULL;
	cr_assert(bpe_writer_packet(writer, &packet, NULL) == BPE_E_ARGUMENT);
	bpe_writer_stats(writer, &stats);
	cr_assert(stats.offered == 62);
	check_writer_books(&stats);
	cr_assert(bpe_writer_close(writer, &error) == BPE_OK);
	const struct sums in = read_back(name_written_file("p.pcapng"));

	cr_assert(in.packets == 62 && in.wire == 62 * 1500);
	cr_assert(in.captured == 50 * 51 / 2 + 11 * 50);
}

Test(writer, pcap_holds_one_link_type, .init = make_folder, .fini = remove_folder)
{
	static const uint8_t bytes[20];
	struct bpe_packet packet;
	struct bpe_writer *writer = NULL;
	struct bpe_writer_options wo;
	struct bpe_written stats;
	struct bpe_error error = { 0 };

	bpe_writer_options_init(&wo);
	wo.path = name_written_file("p.pcap");
	cr_assert(bpe_writer_open(&wo, &writer, &error) == BPE_OK);
	bpe_packet_init(&packet);
	packet.data = bytes;
	packet.caplen = packet.wirelen = sizeof bytes;
	for (uint32_t n = 0; n < 10; n++) {
		packet.interface_id = n;
		packet.link_type = n == 4 || n == 9 ? 101 : 113;
		cr_assert(bpe_writer_packet(writer, &packet, NULL) == BPE_OK);
	}
	bpe_writer_stats(writer, &stats);
	cr_assert(stats.unwritten[BPE_UNWRITTEN_LINK] == 2);
	check_writer_books(&stats);
	cr_assert(bpe_writer_close(writer, &error) == BPE_OK);
	cr_assert(read_back(name_written_file("p.pcap")).packets == 8);
}

Test(writer, a_full_device_is_told)
{
	static const uint8_t bytes[1000];
	struct bpe_packet packet;
	struct bpe_writer *writer = NULL;
	struct bpe_writer_options wo;
	struct bpe_written stats;
	struct bpe_error error = { 0 };
	const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	if (full < 0)
		return; /* this system has no /dev/full */
	bpe_writer_options_init(&wo);
	wo.fd = full;
	wo.no_thread = true;
	wo.packet_buffered = true;
	cr_assert(bpe_writer_open(&wo, &writer, &error) == BPE_OK);
	bpe_packet_init(&packet);
	packet.data = bytes;
	packet.caplen = packet.wirelen = sizeof bytes;
	for (uint32_t n = 0; n < 10; n++)
		cr_assert(bpe_writer_packet(writer, &packet, NULL) == BPE_E_IO);
	cr_assert(bpe_writer_tick(writer) == BPE_E_IO);
	bpe_writer_stats(writer, &stats);
	cr_assert(stats.unwritten[BPE_UNWRITTEN_ERROR] == 10 && !stats.written);
	check_writer_books(&stats);
	cr_assert(bpe_writer_close(writer, &error) == BPE_E_IO && strstr(error.text, "write"));
	close(full);
}
