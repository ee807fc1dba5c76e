/* SPDX-License-Identifier: MIT */
/* Flow records as the table "flows" of an SQLite database (--flows NAME.sqlite), in the target's
 * sender process.
 *
 * Records gather as columns, and a transaction inserts them after BATCH_NS or BATCH_ROWS rows.  A
 * record counts as sent when the transaction is committed.  The database is in WAL mode while it is
 * written, so readers are served meanwhile; at the end the mode is the usual again.
 * Failures: a database with another writer is tried again, and the rows wait.  A
 * failed transaction, as on a full disk, is rolled back: the records count as failed, and the
 * next is tried.
 * Hazard: SQLite opens files by their path.  So the database is opened once rights are given up. */
#include "tools/export/export.h"
#include "tools/tables/place.h"
#include "tools/tables/tables.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define APPLICATION 0x62706665 /* "bpfe" */
#define BATCH_ROWS 4096u
#define BATCH_NS INT64_C(1000000000)
#define BUSY_MS 50
#define STATEMENT_ROOM 16384u
#define BEGUN_KEPT 0 /* of books->kept: 1 once the table is there, which a new sender keeps */

#ifndef SQLITE_OPEN_NOFOLLOW
#define SQLITE_OPEN_NOFOLLOW 0
#endif

struct sqlite_sink {
	struct table_place place;
	char path[PATH_MAX];
	bool appends;
	sqlite3 *db;
	sqlite3_stmt *insert;
	struct bpe_columns *columns;
	int64_t first_ns; /* CLOCK_MONOTONIC: of the oldest waiting row; 0: none */
	bool is_locked;   /* another program writes just now */
	struct ArrowSchema schema;
};

static const char *const sqlite_names[] = { "append", NULL };

static int check_sqlite(const struct export_address *address, char *why, size_t room)
{
	uint64_t appends = 0;

	return export_parameters_check(address, sqlite_names, why, room) ||
			       export_number(address, "append", 0, 1, &appends, why, room)
		       ? -1
		       : 0;
}

/* Writes the path from the root, since SQLite opens files by the path. */
static int find_whole_path(struct sqlite_sink *s, char *why, size_t room)
{
	const char *slash = strrchr(s->place.path, '/');
	char folder[PATH_MAX] = ".";
	char whole[PATH_MAX];

	if (slash)
		snprintf(folder, sizeof folder, "%.*s",
			(int)(slash == s->place.path ? 1 : slash - s->place.path), s->place.path);
	if (!realpath(folder, whole) || snprintf(s->path, sizeof s->path, "%.4000s/%.90s", whole,
						s->place.folder.name) >= PATH_MAX) {
		snprintf(why, room, "%s", strerror(errno));
		return -1;
	}
	return 0;
}

static int prepare_sqlite(struct export_sender *sender)
{
	struct sqlite_sink *s = calloc(1, sizeof *s);
	uint64_t appends = 0;

	if (!s) {
		snprintf(sender->why, sizeof sender->why, "no memory");
		return -1;
	}
	sender->state = s;
	s->place.fd = -1;
	s->place.folder.directory = -1;
	s->place.folder.fd = -1;
	s->place.direct.directory = -1;
	s->place.direct.fd = -1;
	if (export_number(
		    sender->address, "append", 0, 1, &appends, sender->why, sizeof sender->why))
		return -1;
	s->appends = appends;
	if (table_place_find(
		    &s->place, sender->address->path, false, sender->why, sizeof sender->why))
		return -1;
	return find_whole_path(s, sender->why, sizeof sender->why);
}

/* ---- Opening ---- */

/* Writes why the database cannot be used.  Returns -1. */
static int refuse_database(struct export_sender *sender, const char *what)
{
	struct sqlite_sink *s = sender->state;

	snprintf(sender->why, sizeof sender->why, "%s: %s", what,
		s->db ? sqlite3_errmsg(s->db) : "no memory");
	return -1;
}

/* Returns the first number of a query, or -1. */
static int64_t query_number(sqlite3 *db, const char *text)
{
	sqlite3_stmt *q = NULL;
	int64_t number = -1;

	if (sqlite3_prepare_v2(db, text, -1, &q, NULL) == SQLITE_OK &&
		sqlite3_step(q) == SQLITE_ROW)
		number = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return number;
}

/* Appends a text to a statement. */
static void append_sql(char *to, size_t *used, const char *text)
{
	const size_t n = strlen(text);

	if (*used + n >= STATEMENT_ROOM)
		return;
	memcpy(to + *used, text, n + 1);
	*used += n;
}

/* Writes the statement for the table, or for a row.  Names of columns
 * are of letters, digits and "_". */
static void write_statement(const struct ArrowSchema *schema, bool creates, char *to)
{
	size_t used = 0;

	append_sql(to, &used, creates ? "CREATE TABLE flows(" : "INSERT INTO flows VALUES(");
	for (int64_t k = 0; k < schema->n_children; k++) {
		const struct ArrowSchema *c = schema->children[k];

		append_sql(to, &used, k ? "," : "");
		if (!creates) {
			append_sql(to, &used, "?");
			continue;
		}
		append_sql(to, &used, "\"");
		append_sql(to, &used, c->name);
		append_sql(to, &used, *c->format == 'u' ? "\" TEXT" : "\" INTEGER");
		append_sql(to, &used, c->flags & ARROW_FLAG_NULLABLE ? "" : " NOT NULL");
	}
	append_sql(to, &used, ")");
}

/* Returns whether the table has the columns of the schema, in their order. */
static bool has_same_columns(sqlite3 *db, const struct ArrowSchema *schema)
{
	sqlite3_stmt *q = NULL;
	int64_t k = 0;
	bool is_same = true;

	if (sqlite3_prepare_v2(db, "PRAGMA table_info(flows)", -1, &q, NULL) != SQLITE_OK)
		return false;
	for (; sqlite3_step(q) == SQLITE_ROW; k++) {
		const char *name = (const char *)sqlite3_column_text(q, 1);

		is_same = is_same && name && k < schema->n_children &&
			  !strcmp(name, schema->children[k]->name);
	}
	sqlite3_finalize(q);
	return is_same && k == schema->n_children;
}

/* Checks that the database is empty or this program's.  Returns 0, or -1 and why. */
static int check_database(struct export_sender *sender)
{
	struct sqlite_sink *s = sender->state;
	const int64_t tables = query_number(s->db, "SELECT count(*) FROM sqlite_master");

	if (tables < 0)
		return refuse_database(sender, "it is no database that can be read");
	if (!tables || query_number(s->db, "PRAGMA application_id") == APPLICATION)
		return 0;
	snprintf(sender->why, sizeof sender->why,
		"it is another program's database, which stays as it is: name another file");
	return -1;
}

/* Makes the table, unless rows are appended to a table.  Returns 0, or -1 and why. */
static int make_flow_table(struct export_sender *sender)
{
	struct sqlite_sink *s = sender->state;
	static const char table[] = "SELECT count(*) FROM sqlite_master WHERE name = 'flows'";
	const bool keeps = s->appends || atomic_load_explicit(&sender->books->kept[BEGUN_KEPT],
						 memory_order_relaxed);
	const bool is_there = query_number(s->db, table) > 0;
	char text[STATEMENT_ROOM];

	if (is_there && keeps && has_same_columns(s->db, &s->schema))
		return 0;
	if (is_there && keeps) {
		snprintf(sender->why, sizeof sender->why,
			"its table has other columns, of another version of bpfengine: name another"
			" file");
		return -1;
	}
	write_statement(&s->schema, true, text);
	if (sqlite3_exec(s->db, "BEGIN IMMEDIATE; DROP TABLE IF EXISTS flows;", NULL, NULL, NULL) ||
		sqlite3_exec(s->db, text, NULL, NULL, NULL) ||
		sqlite3_exec(s->db,
			"PRAGMA application_id = 1651533413; PRAGMA user_version = 1; COMMIT", NULL,
			NULL, NULL))
		return refuse_database(sender, "the table is not made");
	return 0;
}

static int open_database(struct export_sender *sender)
{
	struct sqlite_sink *s = sender->state;
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW;
	char text[STATEMENT_ROOM];

	if (sqlite3_open_v2(s->path, &s->db, flags, NULL) != SQLITE_OK)
		return refuse_database(sender, "it is not opened");
	sqlite3_busy_timeout(s->db, BUSY_MS * 20);
	/* Before the first change: a database of another program stays as it is. */
	if (check_database(sender))
		return -1;
	if (sqlite3_exec(s->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", NULL,
		    NULL, NULL) != SQLITE_OK)
		return refuse_database(sender, "it cannot be written");
	if (make_flow_table(sender))
		return -1;
	sqlite3_busy_timeout(s->db, BUSY_MS);
	write_statement(&s->schema, false, text);
	if (sqlite3_prepare_v2(s->db, text, -1, &s->insert, NULL) != SQLITE_OK)
		return refuse_database(sender, "no statement");
	return 0;
}

static int open_sqlite(struct export_sender *sender)
{
	struct sqlite_sink *s = sender->state;
	const mode_t before = umask(s->place.folder.root ? 0177 : 022);

	if (bpe_columns_open(&s->columns, NULL) != BPE_OK ||
		bpe_columns_take(s->columns, &s->schema, NULL) != BPE_OK) {
		snprintf(sender->why, sizeof sender->why, "no memory");
		umask(before);
		return -1;
	}
	int failed = table_place_choose(&s->place, sender->why, sizeof sender->why);
	if (!failed)
		failed = open_database(sender);
	/* SQLite gives its other files the mode of the database. */
	umask(before);
	if (failed)
		return -1;
	atomic_store_explicit(&sender->books->kept[BEGUN_KEPT], 1, memory_order_relaxed);
	atomic_store_explicit(&sender->books->is_connected, 1, memory_order_relaxed);
	return 0;
}

/* ---- Rows ---- */

/* Binds a value of a column. */
static int bind_value(
	sqlite3_stmt *insert, int at, char format, const struct ArrowArray *a, int64_t row)
{
	const uint8_t *validity = a->null_count ? a->buffers[0] : NULL;
	const void *values = a->buffers[1];
	const int32_t *offsets = values;
	const uint8_t *bits = values;

	if (validity && !(validity[row / 8] >> row % 8 & 1))
		return sqlite3_bind_null(insert, at);
	switch (format) {
	case 'u':
		return sqlite3_bind_text(insert, at,
			a->buffers[2] ? (const char *)a->buffers[2] + offsets[row] : "",
			offsets[row + 1] - offsets[row], SQLITE_STATIC);
	case 'b':
		return sqlite3_bind_int(insert, at, bits[row / 8] >> row % 8 & 1);
	case 'C':
		return sqlite3_bind_int(insert, at, bits[row]);
	case 'S':
		return sqlite3_bind_int(insert, at, ((const uint16_t *)values)[row]);
	case 'i':
		return sqlite3_bind_int(insert, at, ((const int32_t *)values)[row]);
	case 'I':
		return sqlite3_bind_int64(insert, at, ((const uint32_t *)values)[row]);
	default: /* L, l, t: 64 bits, counters below 2^63 */
		return sqlite3_bind_int64(insert, at, ((const int64_t *)values)[row]);
	}
}

/* Inserts the rows of an array.  Returns SQLITE_OK, or the first failure. */
static int insert_rows(struct sqlite_sink *s, const struct ArrowArray *array)
{
	for (int64_t row = 0; row < array->length; row++) {
		int code = SQLITE_OK;

		for (int k = 0; k < array->n_children && code == SQLITE_OK; k++)
			code = bind_value(s->insert, k + 1, *s->schema.children[k]->format,
				array->children[k], row);
		if (code == SQLITE_OK)
			code = sqlite3_step(s->insert);
		if (code == SQLITE_DONE)
			code = SQLITE_OK;
		sqlite3_reset(s->insert);
		if (code != SQLITE_OK)
			return code;
	}
	return SQLITE_OK;
}

/* Tells a failure, and counts rows as failed. */
static void fail_batch(struct export_sender *sender, uint64_t rows, const char *why)
{
	export_add(&sender->books->failed, rows);
	atomic_store_explicit(&sender->books->is_connected, 0, memory_order_relaxed);
	export_say(sender, "rows are not written: %s; they are counted as failed", why);
}

/* Begins a transaction.  A database with another writer is tried again later. */
static bool begin_batch(struct export_sender *sender)
{
	struct sqlite_sink *s = sender->state;
	const int code = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	s->is_locked = code == SQLITE_BUSY || code == SQLITE_LOCKED;
	if (s->is_locked)
		export_say(sender, "another program writes the database; waiting");
	return !s->is_locked;
}

/* Writes the gathered rows in a transaction. */
static void insert_batch(struct export_sender *sender)
{
	struct sqlite_sink *s = sender->state;
	const uint64_t rows = bpe_columns_rows(s->columns);
	struct ArrowArray array;

	if (!rows || !begin_batch(sender))
		return;
	s->first_ns = 0;
	if (bpe_columns_take(s->columns, NULL, &array) != BPE_OK) {
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
		return; /* no memory: the rows wait */
	}
	int code = insert_rows(s, &array);
	if (code == SQLITE_OK)
		code = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
	if (code != SQLITE_OK) {
		fail_batch(sender, rows, sqlite3_errmsg(s->db));
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	} else {
		export_add(&sender->books->sent, rows);
		export_add(&sender->books->messages, 1);
		atomic_store_explicit(&sender->books->is_connected, 1, memory_order_relaxed);
	}
	sqlite3_clear_bindings(s->insert);
	array.release(&array);
}

static bool is_sqlite_ready(struct export_sender *sender)
{
	const struct sqlite_sink *s = sender->state;

	return bpe_columns_rows(s->columns) < BATCH_ROWS;
}

static void record_sqlite(struct export_sender *sender, const struct bpe_flow *flow)
{
	struct sqlite_sink *s = sender->state;

	if (bpe_columns_add(s->columns, flow) != BPE_OK) {
		export_add(&sender->books->failed, 1);
		return;
	}
	if (!s->first_ns)
		s->first_ns = table_monotonic_ns();
	if (bpe_columns_rows(s->columns) >= BATCH_ROWS)
		insert_batch(sender);
}

static int work_sqlite(struct export_sender *sender, int64_t now_ns, bool is_idle)
{
	struct sqlite_sink *s = sender->state;

	(void)is_idle;
	if (!bpe_columns_rows(s->columns))
		return -1;
	if (now_ns - s->first_ns >= BATCH_NS || s->is_locked)
		insert_batch(sender);
	return s->is_locked ? 100 : 200;
}

static void finish_sqlite(struct export_sender *sender, int64_t until_ns)
{
	struct sqlite_sink *s = sender->state;

	insert_batch(sender);
	while (bpe_columns_rows(s->columns) && table_monotonic_ns() < until_ns) {
		table_sleep_ms(20);
		insert_batch(sender);
	}
	const uint64_t rows = bpe_columns_rows(s->columns);
	if (rows)
		fail_batch(sender, rows, "another program writes the database");
	sqlite3_finalize(s->insert);
	s->insert = NULL;
	/* With readers the mode stays. */
	sqlite3_exec(s->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
}

static void close_sqlite(struct export_sender *sender)
{
	struct sqlite_sink *s = sender->state;

	if (!s)
		return;
	sqlite3_finalize(s->insert);
	sqlite3_close(s->db);
	if (s->schema.release)
		s->schema.release(&s->schema);
	bpe_columns_close(s->columns);
	table_place_close(&s->place);
	free(s);
	sender->state = NULL;
}

const struct export_sink sqlite_sink = {
	.scheme = "sqlite",
	.usage = "--flows NAME.sqlite",
	.check = check_sqlite,
	.prepare = prepare_sqlite,
	.open = open_sqlite,
	.is_ready = is_sqlite_ready,
	.record = record_sqlite,
	.work = work_sqlite,
	.finish = finish_sqlite,
	.close = close_sqlite,
};
