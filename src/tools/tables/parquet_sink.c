/* SPDX-License-Identifier: MIT */
/* Flow records as Parquet files (--flows NAME.parquet), in the target's sender process.
 *
 * Records gather as columns, and become a row group of GROUP_ROWS.  A file is complete or absent:
 * the name is NAME.part until the footer is on the disk.  A record counts as sent when the file is
 * complete, so the records of a dead sender count as lost.
 * Files: the first of a run replaces
 * the file of the name; later files take free names.
 * Failures: a group that cannot be written is cut off, and the records count as failed.  The next
 * group is tried again.  A footer without room is tried each second; meanwhile the sink takes no
 * records. */
#include "tools/export/export.h"
#include "tools/tables/parquet.h"
#include "tools/tables/place.h"
#include "tools/tables/tables.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GROUP_ROWS 65536u
#define NS_A_SECOND INT64_C(1000000000)
#define FILES_KEPT 0 /* of books->kept: complete files */

struct parquet_sink {
	struct table_place place;
	struct table_rotation rotation;
	struct bpe_columns *columns;
	struct parquet_file *file; /* NULL: none is open */
	uint64_t written;          /* rows of the file, in groups */
	int64_t ends_ns;           /* when the file ends; INT64_MAX: by no time */
	int64_t latest_ns;         /* the latest end of a flow */
	int64_t again_ns;          /* CLOCK_MONOTONIC: when a failed end is tried again; 0: none */
	bool is_ending;            /* the file's end has begun, and failed so far */
};

static const char *const parquet_names[] = { "size", "every", "rows", NULL };

/* Reads the target's words. */
static int read_rotation(
	const struct export_address *address, struct table_rotation *r, char *why, size_t room)
{
	uint64_t every_ns = 0;

	*r = (struct table_rotation){ 0 };
	if (export_parameters_check(address, parquet_names, why, room) ||
		export_number(address, "size", 1, INT64_MAX, &r->bytes, why, room) ||
		export_number(address, "every", 1, INT64_MAX, &every_ns, why, room) ||
		export_number(address, "rows", 1, INT64_MAX, &r->rows, why, room))
		return -1;
	r->every_ns = (int64_t)every_ns;
	return 0;
}

static int check_parquet(const struct export_address *address, char *why, size_t room)
{
	struct table_rotation rotation;

	return read_rotation(address, &rotation, why, room);
}

static int prepare_parquet(struct export_sender *sender)
{
	struct parquet_sink *s = calloc(1, sizeof *s);
	char *why = sender->why;

	if (!s) {
		snprintf(why, sizeof sender->why, "no memory");
		return -1;
	}
	sender->state = s;
	s->place.fd = -1;
	s->place.folder.directory = -1;
	s->place.folder.fd = -1;
	s->place.direct.directory = -1;
	s->place.direct.fd = -1;
	if (read_rotation(sender->address, &s->rotation, why, sizeof sender->why))
		return -1;
	s->place.rotates = s->rotation.bytes || s->rotation.rows || s->rotation.every_ns;
	return table_place_find(&s->place, sender->address->path, true, why, sizeof sender->why);
}

static uint64_t count_files(const struct export_sender *sender)
{
	return atomic_load_explicit(&sender->books->kept[FILES_KEPT], memory_order_relaxed);
}

/* Returns whether the file at hand may replace a file: the first of the run. */
static bool is_first_file(const struct export_sender *sender)
{
	return !count_files(sender);
}

static void set_connected(struct export_sender *sender, bool is_connected)
{
	atomic_store_explicit(&sender->books->is_connected, is_connected, memory_order_relaxed);
}

static int write_parquet(void *user, const void *bytes, size_t n)
{
	return table_place_write(user, bytes, n);
}

/* Writes the start of a file.  Returns 0, or an errno and why. */
static int start_file(struct export_sender *sender, char *why, size_t room)
{
	struct parquet_sink *s = sender->state;
	const struct parquet_options options = { .write = write_parquet, .user = &s->place };
	struct ArrowSchema schema;

	if (bpe_columns_take(s->columns, &schema, NULL) != BPE_OK) {
		snprintf(why, room, "no memory");
		return ENOMEM;
	}
	const int failed = parquet_open(&s->file, &options, &schema, why, room);
	schema.release(&schema);
	return failed;
}

/* Opens the next file.  Returns 0, or an errno and why. */
static int begin_table_file(struct export_sender *sender, char *why, size_t room)
{
	struct parquet_sink *s = sender->state;
	const int64_t begun_ns = sender->is_live || !s->latest_ns ? table_clock_ns() : s->latest_ns;

	int failed = table_place_begin(
		&s->place, count_files(sender) + 1, begun_ns, is_first_file(sender), why, room);
	if (failed)
		return failed;
	failed = start_file(sender, why, room);
	if (failed) {
		table_place_drop(&s->place);
		return failed;
	}
	s->written = 0;
	s->is_ending = false;
	s->again_ns = 0;
	s->ends_ns = s->rotation.every_ns ? naming_next(begun_ns, s->rotation.every_ns) : INT64_MAX;
	set_connected(sender, true);
	return 0;
}

static int open_parquet(struct export_sender *sender)
{
	struct parquet_sink *s = sender->state;

	if (bpe_columns_open(&s->columns, NULL) != BPE_OK) {
		snprintf(sender->why, sizeof sender->why, "no memory");
		return -1;
	}
	if (table_place_choose(&s->place, sender->why, sizeof sender->why))
		return -1;
	/* Of a savefile, the name has the time of a flow, so the file begins with the first. */
	if (!sender->is_live && s->place.rotates)
		return 0;
	return begin_table_file(sender, sender->why, sizeof sender->why) ? -1 : 0;
}

static void fail_rows(struct export_sender *sender, uint64_t rows, int failed, const char *what)
{
	if (!rows)
		return;
	export_add(&sender->books->failed, rows);
	export_say(sender, "%s: %s; the records of this part are counted as failed", what,
		strerror(failed));
}

/* Writes the gathered rows as a group. */
static void write_rows(struct export_sender *sender)
{
	struct parquet_sink *s = sender->state;
	const uint64_t rows = bpe_columns_rows(s->columns);
	struct ArrowArray array;
	char why[200];
	int failed = 0;

	if (!rows)
		return;
	if (!s->file)
		failed = begin_table_file(sender, why, sizeof why);
	if (bpe_columns_take(s->columns, NULL, &array) != BPE_OK)
		return; /* no memory: the rows wait */
	if (!failed)
		failed = parquet_group(s->file, &array);
	array.release(&array);
	if (!failed) {
		s->written += rows;
		export_add(&sender->books->messages, 1);
		set_connected(sender, true);
		return;
	}
	if (s->file)
		table_place_cut(&s->place, parquet_bytes(s->file));
	set_connected(sender, false);
	fail_rows(sender, rows, failed, "rows are not written");
}

/* Ends the file: the footer, the name.  A failure is tried again later. */
static void end_file(struct export_sender *sender)
{
	struct parquet_sink *s = sender->state;

	if (!s->file)
		return;
	int failed = parquet_finish(s->file);
	const off_t bytes = failed ? 0 : lseek(s->place.fd, 0, SEEK_CUR);
	if (!failed)
		failed = table_place_complete(&s->place, is_first_file(sender));
	if (failed) {
		table_place_cut(&s->place, parquet_bytes(s->file));
		if (!s->is_ending)
			export_say(sender, "the end of a file is not written: %s; trying again",
				strerror(failed));
		s->is_ending = true;
		s->again_ns = table_monotonic_ns() + NS_A_SECOND;
		set_connected(sender, false);
		return;
	}
	export_add(&sender->books->sent, s->written);
	export_add(&sender->books->bytes, (uint64_t)bytes);
	export_add(&sender->books->kept[FILES_KEPT], 1);
	parquet_close(s->file);
	s->file = NULL;
	s->is_ending = false;
	s->again_ns = 0;
	s->written = 0;
}

static void rotate_parquet(struct export_sender *sender)
{
	struct parquet_sink *s = sender->state;

	if (s->place.is_direct) {
		export_say(sender, "no new file: user %lu may make none in the folder",
			(unsigned long)geteuid());
		return;
	}
	write_rows(sender);
	end_file(sender);
}

/* Rotates the file if a limit is reached. */
static void rotate_if_due(struct export_sender *sender, int64_t now_ns)
{
	struct parquet_sink *s = sender->state;
	const struct table_rotation *r = &s->rotation;
	const uint64_t rows = bpe_columns_rows(s->columns);

	if (!s->file || s->is_ending)
		return;
	if (now_ns < s->ends_ns && (!r->rows || s->written + rows < r->rows) &&
		(!r->bytes || parquet_bytes(s->file) < r->bytes))
		return;
	/* A time without records makes no file. */
	if (!s->written && !rows && now_ns >= s->ends_ns)
		s->ends_ns = naming_next(now_ns, r->every_ns);
	else
		rotate_parquet(sender);
}

static bool is_parquet_ready(struct export_sender *sender)
{
	const struct parquet_sink *s = sender->state;

	return !s->is_ending;
}

static void record_parquet(struct export_sender *sender, const struct bpe_flow *flow)
{
	struct parquet_sink *s = sender->state;
	char why[200];

	if (flow->last_ns > s->latest_ns)
		s->latest_ns = flow->last_ns;
	if (!sender->is_live && s->rotation.every_ns && s->file)
		rotate_if_due(sender, s->latest_ns);
	if (!s->file && !s->is_ending && begin_table_file(sender, why, sizeof why))
		export_say(sender, "no file: %s", why);
	int status = bpe_columns_add(s->columns, flow);
	if (status == BPE_E_MEMORY) {
		write_rows(sender);
		status = bpe_columns_add(s->columns, flow);
	}
	if (status != BPE_OK)
		export_add(&sender->books->failed, 1);
	const uint64_t rows = bpe_columns_rows(s->columns);
	if (rows >= GROUP_ROWS)
		write_rows(sender);
	if (s->rotation.rows || s->rotation.bytes)
		rotate_if_due(sender, INT64_MIN);
}

static int work_parquet(struct export_sender *sender, int64_t now_ns, bool is_idle)
{
	struct parquet_sink *s = sender->state;

	(void)is_idle;
	if (s->is_ending && now_ns >= s->again_ns)
		end_file(sender);
	if (sender->is_live && s->rotation.every_ns)
		rotate_if_due(sender, table_clock_ns());
	return s->is_ending || s->rotation.every_ns ? 200 : -1;
}

static void finish_parquet(struct export_sender *sender, int64_t until_ns)
{
	struct parquet_sink *s = sender->state;
	char why[200];

	write_rows(sender);
	if (!s->file && is_first_file(sender) && begin_table_file(sender, why, sizeof why))
		export_say(sender, "no file: %s", why);
	/* No empty file follows the last file. */
	if (s->file && !s->written && !is_first_file(sender)) {
		parquet_close(s->file);
		s->file = NULL;
		table_place_drop(&s->place);
	}
	end_file(sender);
	while (s->is_ending && table_monotonic_ns() < until_ns) {
		table_sleep_ms(100);
		end_file(sender);
	}
	if (!s->is_ending)
		return;
	fail_rows(sender, s->written, ENOSPC, "a file has no end");
	s->written = 0;
}

static void close_parquet(struct export_sender *sender)
{
	struct parquet_sink *s = sender->state;

	if (!s)
		return;
	parquet_close(s->file);
	bpe_columns_close(s->columns);
	table_place_close(&s->place);
	free(s);
	sender->state = NULL;
}

const struct export_sink parquet_sink = {
	.scheme = "parquet",
	.usage = "--flows NAME.parquet",
	.check = check_parquet,
	.prepare = prepare_parquet,
	.open = open_parquet,
	.is_ready = is_parquet_ready,
	.record = record_parquet,
	.work = work_parquet,
	.reopen = rotate_parquet,
	.finish = finish_parquet,
	.close = close_parquet,
};
