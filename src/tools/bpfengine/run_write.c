/* SPDX-License-Identifier: MIT */
/* The writing of savefiles in a run (run.h): the engine's reading thread hands each batch to the
 * writer.  Stateless. */
#include "run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { COUNTED_INTERFACES = 64 };

/* Returns whether all packets of the batch are of the interface. */
static bool is_of_interface(const struct bpe_batch *batch, uint32_t interface_id)
{
	uint32_t other = 0;

	for (uint32_t i = 0; i < batch->count; i++)
		other |= batch->interface_id[i] ^ interface_id;
	return !other;
}

/* Tells the writer of a live interface with all that the source knows, and the filter. */
static void describe_interface(struct run *r, const struct bpe_batch *batch)
{
	const struct cli *c = &r->cli;
	struct bpe_write_interface interface;
	struct bpe_insn *program = NULL;
	uint32_t length = 0;

	r->is_described = true;
	if (c->write.anonymise)
		return; /* the filter may have addresses */
	if (bpe_batch_interface(batch, 0, &interface) != 1 || c->engine.file || cli_has_several(c))
		return;
	interface.filter_text = c->filter;
	if (c->filter && !c->engine.filter_through &&
		bpe_filter_compile(c->filter, interface.link_type, c->engine.snaplen, &program,
			&length, NULL) == BPE_OK) {
		interface.filter = program;
		interface.filter_length = length;
	}
	bpe_writer_interface(c->writer, &interface);
	bpe_filter_free(program);
}

static void on_read_batch(void *user, const struct bpe_batch *batch)
{
	struct run *r = user;

	if (!r->is_described)
		describe_interface(r, batch);

	if (!r->has_several_interfaces && !is_of_interface(batch, 0))
		r->has_several_interfaces = true;
	if (r->cli.write.cutoff)
		return; /* the flow table decides first (run_record.c) */
	if (bpe_writer_batch(r->cli.writer, batch, 0, batch->count) != BPE_OK)
		bpe_engine_stop(r->engine);
}

/* Hands on the name of a complete file: to the command of -z, and to the list of -b printname:. */
static void on_written_file(void *user, const struct bpe_written_file *file)
{
	struct run *r = user;

	if (r->cli.command)
		cli_command_file(r->cli.command, file->name);
	cli_write_name(&r->cli, file->name);
}

void run_write_prepare(struct run *r)
{
	if (!r->cli.write.path)
		return;
	r->cli.engine.on_read = on_read_batch;
	if (uname(&r->system) < 0)
		r->system.sysname[0] = 0;
}

/* Fills in where the files go, and when they end. */
static void set_file_options(struct bpe_writer_options *o, const struct cli *c)
{
	static const uint32_t names[] = { BPE_NAMES_OWN, BPE_NAMES_TCPDUMP, BPE_NAMES_DUMPCAP };
	const struct write_options *w = &c->write;

	o->path = c->place.fd >= 0 ? w->path : c->place.name;
	o->directory = c->place.directory;
	o->fd = c->place.fd;
	o->names = names[w->names];
	if (w->names == CLI_NAMES_DUMPCAP && w->time_before_number)
		o->names = BPE_NAMES_DUMPCAP_TIME;
	o->name_files = (uint32_t)w->name_files;
	o->rotate_bytes = w->rotate_bytes;
	o->rotate_packets = w->rotate_packets;
	o->rotate_ns = w->rotate_ns;
	o->rotate_from_start = w->from_start;
	o->stop_files = w->stop_files;
	o->keep_files = w->keep_files;
	o->keep_bytes = w->keep_bytes;
	o->keep_ns = w->keep_ns;
	o->keep_free_percent = w->keep_free_percent;
	o->sync_ns = w->sync_ns;
	o->ledger = w->ledger == CLI_LEDGER_ON ||
		    (w->ledger == CLI_LEDGER_AUTO && cli_write_rotates(c) && !w->split);
	o->sha256 = w->sha256;
	o->recorder_bytes = w->recorder_bytes;
	o->recorder_ns = w->recorder_ns;
	o->split = w->split;
}

static void set_form_options(struct bpe_writer_options *o, const struct cli *c)
{
	const struct write_options *w = &c->write;

	o->format = w->format;
	o->compression = w->compression;
	o->compression_level = w->compression_level;
	o->hash = w->hash;
	o->packet_buffered = w->packet_buffered;
	o->on_error = w->error_continue ? BPE_WRITE_CONTINUE : BPE_WRITE_STOP;
	if (w->memory_bytes)
		o->memory_bytes = w->memory_bytes;
}

/* Returns whether packets come by the clock.  Generated packets do at a given rate alone. */
static bool comes_by_clock(const struct bpe_options *o)
{
	const char *name = o->interface_name;

	if (o->file)
		return false;
	return !name || strncmp(name, "synth", 5) != 0 || strstr(name, "rate=");
}

/* Returns whether a write may wait for another program: pipes, sockets, terminals. */
static bool may_block(const struct bpe_writer_options *o)
{
	struct stat state;

	if (o->fd < 0)
		return !strcmp(o->path, "-");
	if (fstat(o->fd, &state))
		return true;
	return !S_ISREG(state.st_mode) && (!S_ISCHR(state.st_mode) || isatty(o->fd));
}

/* Returns whether the files may be compressed. */
static bool is_packed(const struct bpe_writer_options *o)
{
	static const char *const ends[] = { ".zst", ".lz4", ".gz" };
	const size_t length = strlen(o->path);

	for (size_t k = 0; k < sizeof ends / sizeof *ends; k++)
		if (length > strlen(ends[k]) &&
			!strcmp(o->path + length - strlen(ends[k]), ends[k]))
			return o->compression != BPE_COMPRESSION_NONE;
	return o->compression > BPE_COMPRESSION_NONE;
}

int run_write_begin(struct run *r)
{
	struct cli *c = &r->cli;
	struct bpe_writer_options o;
	struct bpe_error error;
	const struct utsname *system = &r->system;
	char application[64];
	char os[2 * sizeof system->release];

	if (!c->write.path)
		return 0;
	int code = cli_write_begin(c);

	if (code)
		return code;
	bpe_writer_options_init(&o);
	set_file_options(&o, c);
	set_form_options(&o, c);
	snprintf(application, sizeof application, "bpfengine %s", bpe_version());
	o.application = application;
	o.comment = c->write.comment;
	o.wait = o.packet_clock = !comes_by_clock(&c->engine);
	/* The reading thread writes a plain file itself: bytes are warm, and no thread waits.  A
	 * pipe may block for long, and compression is work for a thread of its own. */
	o.no_thread = o.wait && !may_block(&o) && !is_packed(&o);
	/* What a savefile becomes does not depend on the machine that rewrites the file. */
	if (!c->engine.file && system->sysname[0]) {
		snprintf(os, sizeof os, "%.64s %.128s", system->sysname, system->release);
		o.os = os;
		o.hardware = system->machine;
	}
	cli_set_rewriting(&o, &c->write);
	o.on_notice = run_on_notice;
	o.on_file = on_written_file;
	o.user = r;
	if (bpe_writer_open(&o, &c->writer, &error) == BPE_OK)
		return 0;
	program_tell("%s", error.text);
	return error.status == BPE_E_ARGUMENT ? EXIT_USAGE : EXIT_ERROR;
}

/* Tells the writer the kernel's counts of each interface. */
static void count_interfaces(struct run *r)
{
	struct bpe_interface_stats list[COUNTED_INTERFACES];
	const size_t found = bpe_engine_interfaces(r->engine, list, COUNTED_INTERFACES);

	for (size_t k = 0; k < found && k < COUNTED_INTERFACES; k++) {
		const struct bpe_stats s = { .kernel_known = list[k].kernel_known,
			.kernel_received = list[k].kernel_received,
			.kernel_accepted = list[k].kernel_accepted,
			.kernel_dropped = list[k].kernel_dropped,
			.interface_dropped = list[k].interface_dropped };

		bpe_writer_counts(r->cli.writer, list[k].interface_id, &s);
	}
}

void run_write_counts(struct run *r)
{
	struct bpe_stats s;

	if (!r->cli.writer)
		return;
	bpe_writer_tick(r->cli.writer);
	/* Of merged savefiles the counts may be of interfaces without packets. */
	if (cli_has_several(&r->cli) && !r->cli.engine.file)
		count_interfaces(r);
	if (r->has_several_interfaces || cli_has_several(&r->cli))
		return;
	bpe_engine_stats(r->engine, &s);
	bpe_writer_counts(r->cli.writer, 0, &s);
}

void run_write_look(struct run *r)
{
	if (r->cli.command)
		cli_command_look(r->cli.command);
	if (!r->cli.writer)
		return;
	run_write_counts(r);
	if (!run_signals.rotates)
		return;
	run_signals.rotates = 0;
	if (bpe_writer_rotate(r->cli.writer) == BPE_E_UNSUPPORTED && !r->cli.flows &&
		!r->cli.events)
		run_tell(r, "SIGHUP ends files, and %s is none", r->cli.place.shown);
}

int run_write_finish(struct run *r)
{
	struct cli *c = &r->cli;
	struct bpe_error error;

	if (!c->writer)
		return 0;
	run_write_counts(r);
	const int status = bpe_writer_finish(c->writer, &error);

	if (c->command)
		cli_command_finish(c->command, &run_signals.stops);
	/* BPE_E_END: the reader of a pipe has seen enough. */
	if (status == BPE_OK || status == BPE_E_END)
		return 0;
	program_tell("%s", error.text);
	return EXIT_ERROR;
}

void run_write_close(struct run *r)
{
	bpe_writer_close(r->cli.writer, NULL);
	r->cli.writer = NULL;
}
