/* SPDX-License-Identifier: MIT */
/* flows_sqlite SOURCE [DATABASE]: keeps each flow that ends as a row of a SQLite table, "flows".
 * on_record runs on a separate thread, so a slow disk costs no packet. */
#include <bpfengine.h>
#include <sqlite3.h>
#include <stdio.h>

static sqlite3 *db;
static sqlite3_stmt *insert;
static bool is_open, is_wrong; /* a transaction is open; SQLite has failed once */

/* Inserts a record.  flow NULL: no record waits, so the transaction is written out. */
static void store_record(void *user, const struct bpe_flow *f, uint32_t worker)
{
	(void)user, (void)worker;
	if (!f == is_open) /* the first record, or the flush behind the last */
		is_wrong |= sqlite3_exec(db, f ? "BEGIN" : "COMMIT", NULL, NULL, NULL) != SQLITE_OK;
	if (!(is_open = f != NULL))
		return;
	for (int k = 0; k < 2; k++) {
		char host[BPE_ADDRESS_TEXT_BYTES];
		bpe_address_text(f->addr[k], f->ip_version, host, sizeof host);
		sqlite3_bind_text(insert, 3 + 4 * k, host, -1, SQLITE_TRANSIENT);
		sqlite3_bind_int(insert, 4 + 4 * k, f->port[k]);
		sqlite3_bind_int64(insert, 5 + 4 * k, (sqlite3_int64)f->packets[k]);
		sqlite3_bind_int64(insert, 6 + 4 * k, (sqlite3_int64)f->wire_bytes[k]);
	}
	sqlite3_bind_int64(insert, 1, f->first_ns);
	sqlite3_bind_int(insert, 2, f->ip_proto);
	is_wrong |= sqlite3_step(insert) != SQLITE_DONE;
	sqlite3_reset(insert);
}

int main(int argc, char **argv)
{
	static const char row[] = "INSERT INTO flows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
	static const char table[] = "CREATE TABLE IF NOT EXISTS flows (first_ns, proto, host, port,"
				    " packets, bytes, peer, peer_port, peer_packets, peer_bytes)";
	struct bpe_options options;
	struct bpe_engine *engine;
	struct bpe_error error;
	if (argc < 2)
		return puts("usage: flows_sqlite SOURCE [DATABASE]"), 2;
	bpe_options_init(&options);
	options.on_record = store_record;
	if (bpe_options_set_source(&options, argv[1], &error) < 0 ||
		bpe_engine_open(&options, &engine, &error) < 0)
		return fprintf(stderr, "%s\n", error.text), 1;
	is_wrong = sqlite3_open(argc > 2 ? argv[2] : "flows.db", &db) ||
		   sqlite3_exec(db, table, NULL, NULL, NULL) ||
		   sqlite3_prepare_v2(db, row, -1, &insert, NULL);
	const int status = is_wrong ? BPE_OK : bpe_engine_run(engine, 0, &error);
	if (status < 0 || is_wrong)
		fprintf(stderr, "%s\n", is_wrong ? sqlite3_errmsg(db) : error.text);
	bpe_engine_close(engine);
	sqlite3_finalize(insert);
	return sqlite3_close(db) || is_wrong || status < 0;
}
