/* SPDX-License-Identifier: MIT */
/* Options: defaults and checks; version, build and sizes of structures.  Pure. */
#include "api/options.h"

#include "arch/arch_list.h"
#include "base/error.h"
#include "base/sized.h"
#include "filter/filter.h"
#include "packet/spread.h"

#include <string.h>

_Static_assert(BPE_TIMEOUT_COUNT <= BPE_TIMEOUT_ROOM, "there is room for every kind of flow");

void bpe_options_init_sized(struct bpe_options *options, size_t bytes)
{
	const struct bpe_options defaults = { .struct_size = (uint32_t)bytes,
		.snaplen = BPE_MAX_SNAPLEN,
		.link_type = -1,
		.workers = BPE_WORKERS_AUTO,
		.flows = true,
		.max_flows = 1000000,
		.flow_idle_ns = 300000000000,
		.flow_closed_ns = 10000000000 };

	bpei_sized_give(options, bytes, &defaults, sizeof defaults);
}

void bpe_packet_init_sized(struct bpe_packet *packet, size_t bytes)
{
	const struct bpe_packet defaults = { .link_type = -1 };

	bpei_sized_give(packet, bytes, &defaults, sizeof defaults);
}

const char *bpe_version(void)
{
	return BPE_VERSION;
}

#ifdef BPEI_HAVE_AFPACKET
#define BUILD_DEVICES ", devices=savefile,synth,push,af_packet,bpf"
#else
#define BUILD_DEVICES ", devices=savefile,synth,push,bpf"
#endif
#ifdef BPEI_HAVE_ZLIB
#define BUILD_GZIP ",gzip"
#else
#define BUILD_GZIP ""
#endif
#ifdef BPEI_HAVE_ZSTD
#define BUILD_ZSTD ",zstd"
#else
#define BUILD_ZSTD ""
#endif
#ifdef BPEI_HAVE_LZ4
#define BUILD_LZ4 ",lz4"
#else
#define BUILD_LZ4 ""
#endif
#ifdef BPEI_HAVE_LZMA
#define BUILD_XZ ",xz"
#else
#define BUILD_XZ ""
#endif
#if defined(__clang__)
#define BUILD_COMPILER ", clang " __clang_version__
#elif defined(__GNUC__)
#define BUILD_COMPILER ", gcc " __VERSION__
#else
#define BUILD_COMPILER ""
#endif
#define BUILD_FILES ", files=plain" BUILD_GZIP BUILD_ZSTD BUILD_LZ4 BUILD_XZ
#define BUILD_INFO(name, names)                                                                    \
	"arch=" name ", kernels=" names BUILD_DEVICES BUILD_FILES BUILD_COMPILER

const char *bpe_build_info(void)
{
#define BUILD_OF(name) { #name, BUILD_INFO(#name, BPEI_BACKEND_NAMES) },
	static const struct {
		const char *name, *info;
	} builds[] = { BUILD_OF(scalar) BPEI_VECTOR_BACKENDS(BUILD_OF) };
#undef BUILD_OF
	const char *name = bpei_backend_get()->name;

	if (strcmp(BPEI_ARCH_TEXT, "all"))
		return BUILD_INFO(BPEI_ARCH_TEXT, BPEI_ARCH_TEXT);
	for (size_t k = 0; k < sizeof builds / sizeof *builds; k++)
		if (!strcmp(builds[k].name, name))
			return builds[k].info;
	return builds[0].info;
}

size_t bpe_struct_size(const char *name)
{
	static const struct {
		const char *name;
		size_t bytes;
	} sizes[] = {
#define SIZE(name) { #name, sizeof(struct name) }
		SIZE(bpe_error),
		SIZE(bpe_layers),
		SIZE(bpe_key),
		SIZE(bpe_batch),
		SIZE(bpe_tunnel),
		SIZE(bpe_flow_names),
		SIZE(bpe_dns),
		SIZE(bpe_dns_answer),
		SIZE(bpe_event),
		SIZE(bpe_crypto),
		SIZE(bpe_owner_question),
		SIZE(bpe_owner_answer),
		SIZE(bpe_tcp_options),
		SIZE(bpe_meta),
		SIZE(bpe_packet),
		SIZE(bpe_flow),
		SIZE(bpe_insn),
		SIZE(bpe_options),
		SIZE(bpe_stats),
		SIZE(bpe_worker_stats),
		SIZE(bpe_interface_stats),
		SIZE(bpe_protocol),
		SIZE(bpe_stat),
		SIZE(bpe_flow_totals),
		SIZE(bpe_flow_question),
		SIZE(bpe_filter_options),
		SIZE(bpe_address),
		SIZE(bpe_interface),
		SIZE(bpe_source),
		SIZE(bpe_write_interface),
		SIZE(bpe_written_file),
		SIZE(bpe_writer_options),
		SIZE(bpe_written),
#undef SIZE
	};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		if (!strcmp(sizes[i].name, name))
			return sizes[i].bytes;
	return 0;
}

/* Checks the source, and how packets are read.  Returns BPE_OK, or BPE_E_ARGUMENT with *error
 * filled, as do the checks below. */
static int check_source_options(const struct bpe_options *o, struct bpe_error *error)
{
	const int sources =
		!!o->interface_name + !!o->file + !!o->memory + o->push + !!o->source_count;

	if (o->memory_bytes && !o->memory)
		return bpei_fail(error, BPE_E_ARGUMENT, "memory", 0,
			"memory_bytes is %zu, and memory is NULL", o->memory_bytes);
	if (sources != 1)
		return bpei_fail(error, BPE_E_ARGUMENT, "options", 0,
			"exactly one source is wanted: interface_name, file, memory, push or sources");
	if (!o->sources != !o->source_count)
		return bpei_fail(error, BPE_E_ARGUMENT, "sources", 0,
			"sources needs both the array and source_count");
	if (o->push_live && !o->push)
		return bpei_fail(error, BPE_E_ARGUMENT, "push", 0, "push_live needs push");
	if (!o->snaplen || o->snaplen > BPE_MAX_SNAPLEN)
		return bpei_fail(error, BPE_E_ARGUMENT, "snaplen", 0,
			"snaplen must be 1 to %d, not %u", BPE_MAX_SNAPLEN, o->snaplen);
	if (o->overload > BPE_OVERLOAD_DROP)
		return bpei_fail(error, BPE_E_ARGUMENT, "overload", 0,
			"overload is wait or drop, not %u", o->overload);
	if (o->priority > BPE_PRIORITY_REALTIME)
		return bpei_fail(error, BPE_E_ARGUMENT, "priority", 0,
			"priority is normal, high or realtime, not %u", o->priority);
	if (o->fanout > BPE_FANOUT_QM)
		return bpei_fail(error, BPE_E_ARGUMENT, "fanout", 0,
			"fanout is none, hash, lb, cpu or qm, not %u", o->fanout);
	if (o->fanout_group > (o->fanout ? 65535u : 0))
		return bpei_fail(error, BPE_E_ARGUMENT, "fanout", 0,
			"fanout_group is 0 to 65535 and needs fanout, not %u", o->fanout_group);
	if (o->duplicates > BPE_DUPLICATES_IGNORE)
		return bpei_fail(error, BPE_E_ARGUMENT, "duplicates", 0,
			"duplicates is tell or ignore, not %u", o->duplicates);
	if (o->read_mode > BPE_READ_PACED || o->read_interval_ns < 0 ||
		o->direction > BPE_DIRECTION_OUT)
		return bpei_fail(error, BPE_E_ARGUMENT, "read mode", 0,
			"read_mode, read_interval_ns or direction is none of theirs");
	return BPE_OK;
}

static int check_filter_options(const struct bpe_options *o, struct bpe_error *error)
{
	if (!o->filter != !o->filter_length)
		return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0,
			"a filter needs both its instructions and their number");
	if (o->filter && o->filter_expression)
		return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0,
			"a filter is a program or an expression, not both");
	const char *why = o->filter ? bpei_filter_check(o->filter, o->filter_length) : NULL;

	if (why)
		return bpei_fail(
			error, BPE_E_ARGUMENT, "filter", 0, "this is no BPF program: %s", why);
	return BPE_OK;
}

static int check_flow_options(const struct bpe_options *o, struct bpe_error *error)
{
	const uint32_t ring = o->record_ring_bytes;

	if (o->max_flows > 0x7fffffffu)
		return bpei_fail(
			error, BPE_E_ARGUMENT, "max_flows", 0, "at most %u flows", 0x7fffffffu);
	for (int k = 0; k < BPE_TIMEOUT_COUNT; k++)
		if (o->flow_timeout_ns[k] < 0)
			return bpei_fail(error, BPE_E_ARGUMENT, "flow_timeout_ns", 0,
				"time-out %s is below 0", bpe_timeout_name(k));
	for (int k = BPE_TIMEOUT_COUNT; k < BPE_TIMEOUT_ROOM; k++)
		if (o->flow_timeout_ns[k])
			return bpei_fail(error, BPE_E_UNSUPPORTED, "flow_timeout_ns", 0,
				"library " BPE_VERSION
				" has no kind of time-out with the number %d: leave it 0",
				k);
	if (o->record_overload > BPE_RECORD_WAIT)
		return bpei_fail(error, BPE_E_ARGUMENT, "record_overload", 0,
			"record_overload is auto, drop or wait, not %u", o->record_overload);
	if (o->pull_records && o->on_record)
		return bpei_fail(error, BPE_E_ARGUMENT, "pull_records", 0,
			"records go to on_record or are taken with pull_records, not both");
	if (ring && (ring < 4096 || ring > 1u << 30 || ring & (ring - 1)))
		return bpei_fail(error, BPE_E_ARGUMENT, "record_ring_bytes", 0,
			"record_ring_bytes must be a power of two from 4096 to 2^30, not %u", ring);
	if (o->flow_active_ns < 0)
		return bpei_fail(
			error, BPE_E_ARGUMENT, "flow_active_ns", 0, "flow_active_ns is below 0");
	if (o->flow_update_ns < 0)
		return bpei_fail(
			error, BPE_E_ARGUMENT, "flow_update_ns", 0, "flow_update_ns is below 0");
	return BPE_OK;
}

/* Copies the caller's options.  Members that an older caller does not have get their defaults. */
static int copy_options(
	struct bpe_options *copy, const struct bpe_options *given, struct bpe_error *error)
{
	if (!given)
		return bpei_fail(error, BPE_E_ARGUMENT, "options", 0,
			"no options: begin with bpe_options_init");
	bpe_options_init(copy);
	return bpei_sized_take(copy, sizeof *copy, given, "bpe_options_init", error);
}

static int check_backend(struct bpe_error *error)
{
	char why[BPEI_UNFIT_TEXT];
	const enum bpei_unfit unfit = bpei_backend_check(why, sizeof why);

	if (unfit == BPEI_FITS)
		return BPE_OK;
	return bpei_fail(error, BPE_E_UNSUPPORTED,
		unfit == BPEI_UNFIT_WANTED ? "BPFENGINE_ARCH" : "arch", 0, "%s", why);
}

int bpei_options_check(
	struct bpe_options *copy, const struct bpe_options *given, struct bpe_error *error)
{
	struct bpei_spread spread;
	struct bpe_options o;
	int status = copy_options(&o, given, error);

	if (status == BPE_OK)
		status = check_source_options(&o, error);
	if (status == BPE_OK)
		status = check_filter_options(&o, error);
	if (status == BPE_OK)
		status = check_flow_options(&o, error);
	if (status == BPE_OK)
		status = bpei_spread_init(&spread, &o, error);
	if (status == BPE_OK)
		status = check_backend(error);
	if (status == BPE_OK)
		*copy = o;
	return status;
}
