/* SPDX-License-Identifier: MIT */
/* A writer's options: defaults and checks.  Pure. */
#include "writer/writer_options.h"

#include "base/error.h"
#include "base/sized.h"

#include <string.h>
#include <unistd.h>

#define MEMORY_DEFAULT (UINT64_C(64) << 20)

_Static_assert(BPE_UNWRITTEN_COUNT <= BPE_UNWRITTEN_ROOM, "there is room for every cause");

void bpe_writer_options_init_sized(struct bpe_writer_options *options, size_t bytes)
{
	const struct bpe_writer_options defaults = { .struct_size = (uint32_t)bytes,
		.directory = -1,
		.fd = -1,
		.memory_bytes = MEMORY_DEFAULT };

	bpei_sized_give(options, bytes, &defaults, sizeof defaults);
}

/* Returns true if the text ends so. */
static bool has_ending(const char *text, const char *end)
{
	const size_t n = strlen(text);
	const size_t m = strlen(end);

	return n > m && !strcmp(text + n - m, end);
}

uint32_t bpei_writer_format(const struct bpe_writer_options *o)
{
	static const char *const packed[] = { ".pcap", ".pcap.zst", ".pcap.lz4", ".pcap.gz" };

	if (o->format != BPE_WRITE_AUTO)
		return o->format;
	for (size_t k = 0; o->path && k < sizeof packed / sizeof *packed; k++)
		if (has_ending(o->path, packed[k]))
			return BPE_WRITE_PCAP;
	return BPE_WRITE_PCAPNG;
}

void bpei_writer_files_options(struct bpei_files_options *files, const struct bpe_writer_options *o)
{
	static const enum bpei_name_style styles[] = { BPEI_NAMES_OWN, BPEI_NAMES_TCPDUMP,
		BPEI_NAMES_DUMPCAP, BPEI_NAMES_DUMPCAP_TIME };
	const bool is_stream = o->fd >= 0 || !strcmp(o->path, "-");
	const bool rotates = bpei_writer_rotates(o);
	const bool has_times = rotates && (o->names != BPE_NAMES_TCPDUMP || o->rotate_ns);

	enum bpei_name_style style = BPEI_NAMES_PLAIN;
	int fd = o->fd;

	if (is_stream && fd < 0)
		fd = STDOUT_FILENO;
	if (rotates)
		style = styles[o->names];
	*files = (struct bpei_files_options){ .path = o->path ? o->path : "the file",
		.directory = o->directory,
		.fd = fd,
		.style = style,
		.times = has_times,
		.ring = o->name_files,
		.part = rotates && !is_stream,
		.replace = !rotates,
		.at_once = !(o->packet_clock && has_times) && !bpei_writer_records(o),
		.pcapng = bpei_writer_format(o) == BPE_WRITE_PCAPNG,
		.ledger = o->ledger,
		.sha256 = o->sha256,
		.stop_on_error = o->on_error == BPE_WRITE_STOP,
		.keep = { .files = o->keep_files,
			.bytes = o->keep_bytes,
			.age_ns = o->keep_ns,
			.free_percent = o->keep_free_percent },
		.file_bytes = o->rotate_bytes,
		.sync_ns = o->sync_ns,
		.on_file = o->on_file,
		.on_notice = o->on_notice,
		.user = o->user };
}

bool bpei_writer_records(const struct bpe_writer_options *o)
{
	return o->recorder_bytes || o->recorder_ns;
}

bool bpei_writer_rotates(const struct bpe_writer_options *o)
{
	return o->rotate_bytes || o->rotate_packets || o->rotate_ns || o->keep_files ||
	       o->keep_bytes || o->keep_ns || o->keep_free_percent || bpei_writer_records(o);
}

/* Checks which options go together with a split. */
static int check_split_options(const struct bpe_writer_options *o, struct bpe_error *error)
{
	if (o->split > BPE_SPLIT_PROCESS)
		return bpei_fail(error, BPE_E_ARGUMENT, "split", 0,
			"split is none, flow, host or process, not %u", o->split);
	if (!o->split)
		return BPE_OK;
	if (o->fd >= 0 || !strcmp(o->path, "-"))
		return bpei_fail(error, BPE_E_ARGUMENT, "split", 0,
			"many files need a name: the standard output and fd are one file");
	if (o->anonymise_key)
		return bpei_fail(error, BPE_E_ARGUMENT, "split", 0,
			"the names of many files tell the addresses that anonymise_key replaces");
	if (bpei_writer_rotates(o) || o->stop_files || o->ledger || o->sha256)
		return bpei_fail(error, BPE_E_ARGUMENT, "split", 0,
			"a split goes with no rotation, recorder or ledger: leave rotate_, keep_,"
			" recorder_, stop_files, ledger and sha256 at their defaults");
	return BPE_OK;
}

int bpei_writer_options_check(struct bpe_writer_options *copy,
	const struct bpe_writer_options *given, struct bpe_error *error)
{
	struct bpe_writer_options o;

	if (!given)
		return bpei_fail(error, BPE_E_ARGUMENT, "options", 0,
			"no options: begin with bpe_writer_options_init");
	bpe_writer_options_init(&o);
	int status = bpei_sized_take(&o, sizeof o, given, "bpe_writer_options_init", error);

	if (status != BPE_OK)
		return status;
	if (!o.path && o.fd < 0)
		return bpei_fail(error, BPE_E_ARGUMENT, "path", 0,
			"path or fd says where packets go, and neither is set");
	if (o.path && !*o.path)
		return bpei_fail(error, BPE_E_ARGUMENT, "path", 0, "the file's name is empty");
	if (o.format > BPE_WRITE_PCAP_NS)
		return bpei_fail(error, BPE_E_ARGUMENT, "format", 0,
			"format is auto, pcapng, pcap or pcap-ns, not %u", o.format);
	if (o.compression > BPE_COMPRESSION_GZIP)
		return bpei_fail(error, BPE_E_ARGUMENT, "compression", 0,
			"compression is auto, none, zstd, lz4 or gzip, not %u", o.compression);
	if (o.on_error > BPE_WRITE_CONTINUE)
		return bpei_fail(error, BPE_E_ARGUMENT, "on_error", 0,
			"on_error is stop or continue, not %u", o.on_error);
	if (o.snaplen > BPE_MAX_SNAPLEN)
		return bpei_fail(error, BPE_E_ARGUMENT, "snaplen", 0,
			"snaplen must be at most %d, not %u", BPE_MAX_SNAPLEN, o.snaplen);
	if (o.names > BPE_NAMES_DUMPCAP_TIME)
		return bpei_fail(error, BPE_E_ARGUMENT, "names", 0,
			"names is own, tcpdump, dumpcap or dumpcap-time, not %u", o.names);
	if (o.rotate_ns < 0 || o.keep_ns < 0 || o.sync_ns < 0 || o.recorder_ns < 0)
		return bpei_fail(error, BPE_E_ARGUMENT, "rotate_ns", 0,
			"rotate_ns, keep_ns, sync_ns or recorder_ns is below 0");
	if (bpei_writer_rotates(&o) && (o.fd >= 0 || !strcmp(o.path, "-")))
		return bpei_fail(error, BPE_E_ARGUMENT, "rotate_bytes", 0,
			"files rotate under a name: the standard output and fd are one file");
	if (bpei_writer_records(&o) && (o.rotate_bytes || o.rotate_packets || o.rotate_ns))
		return bpei_fail(error, BPE_E_ARGUMENT, "recorder_bytes", 0,
			"a recorder's file ends by the time of bpe_writer_trigger: leave rotate_ 0");
	if (status == BPE_OK)
		status = check_split_options(&o, error);
	if (status == BPE_OK)
		*copy = o;
	return status;
}
