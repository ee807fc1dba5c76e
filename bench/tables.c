/* SPDX-License-Identifier: MIT */
/* bench/tables FILE...: measures flows of savefiles as rows of a Parquet file, beside the same
 * flows as lines of JSON: CPU time and bytes.  For the time, flows repeat until a row group is
 * full; for the bytes, each flow counts once.  Without a savefile the flows are generated.  Each
 * flow is unpacked from a packed record before its use, as in a sender.  Both times include the
 * unpacking. */
#include "bench.h"
#include "bpfengine.h"
#include "tools/export/packed.h"
#include "tools/tables/parquet.h"

#include <string.h>
#include <time.h>

#define FLOWS_MOST 32768u
#define PACKED_BYTES (FLOWS_MOST * 1024u + EXPORT_PACKED_MOST)
#define GROUP_ROWS 65536u
#define PASSES 2u

static uint8_t *packed; /* records, one behind the other */
static uint32_t starts[FLOWS_MOST + 1];
static struct bpe_flow flow; /* unpacked last */
static uint32_t count;
static uint64_t written;
static char text[BPE_FORMAT_BYTES];

static int count_page_bytes(void *user, const void *bytes, size_t n)
{
	(void)user;
	bench_keep((uint64_t)(uintptr_t)bytes);
	written += n;
	return 0;
}

static void store_flow(void *user, const struct bpe_flow *ended, unsigned worker)
{
	(void)user;
	(void)worker;
	if (!ended || count == FLOWS_MOST || starts[count] + EXPORT_PACKED_MOST > PACKED_BYTES)
		return;
	starts[count + 1] = starts[count] + export_pack(packed + starts[count], ended);
	count++;
}

/* Returns flow k. */
static const struct bpe_flow *unpack_flow(uint32_t k)
{
	k %= count;
	if (!export_unpack(&flow, packed + starts[k], starts[k + 1] - starts[k]))
		abort();
	return &flow;
}

/* Returns the CPU time of the thread, so other processes do not count. */
static int64_t read_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Ends the program with a reason. */
static void end_bench(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/* Reads the flows of a savefile, or generated flows. */
static void read_flows(const char *file)
{
	struct bpe_options options;
	struct bpe_error error;
	struct bpe_engine *engine;

	bpe_options_init(&options);
	options.file = file;
	options.interface_name = file ? NULL : "synth:count=400000,flows=30000,seed=1";
	options.names = file ? BPE_NAMES_ALL : 0;
	options.on_record = store_flow;
	/* Some shared captures are damaged on purpose. */
	if (bpe_engine_open(&options, &engine, &error) != BPE_OK)
		return;
	bpe_engine_run(engine, -1, &error);
	bpe_engine_close(engine);
}

/* Gathers n rows. */
static void gather_rows(struct bpe_columns *columns, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++)
		if (bpe_columns_add(columns, unpack_flow(k)) != BPE_OK)
			end_bench("columns", "no memory");
}

static struct parquet_file *begin_parquet(struct bpe_columns *columns)
{
	const struct parquet_options options = { .write = count_page_bytes };
	struct ArrowSchema schema;
	struct parquet_file *file;
	char why[200];

	if (bpe_columns_take(columns, &schema, NULL) != BPE_OK ||
		parquet_open(&file, &options, &schema, why, sizeof why))
		end_bench("parquet", "no file");
	schema.release(&schema);
	return file;
}

static void write_group(struct parquet_file *file, struct bpe_columns *columns)
{
	struct ArrowArray array;

	if (bpe_columns_take(columns, NULL, &array) != BPE_OK || parquet_group(file, &array))
		end_bench("parquet", "no group");
	array.release(&array);
}

/* Measures a round of each form. */
static void measure_forms(struct bench_row *rows, int round, struct bpe_columns *columns)
{
	const double items = (double)PASSES * GROUP_ROWS;
	struct parquet_file *file = begin_parquet(columns);
	double gathering = 0;
	double writing = 0;

	int64_t from = read_cpu_ns();
	for (uint32_t k = 0; k < GROUP_ROWS; k++)
		bench_keep((uint64_t)bpe_flow_format(
			unpack_flow(k), BPE_FORMAT_JSON, text, sizeof text));
	rows[0].ns[round] = (double)(read_cpu_ns() - from) / GROUP_ROWS;
	from = read_cpu_ns();
	for (uint32_t k = 0; k < GROUP_ROWS; k++)
		bench_keep((uint64_t)(uintptr_t)unpack_flow(k));
	rows[1].ns[round] = (double)(read_cpu_ns() - from) / GROUP_ROWS;
	for (uint32_t pass = 0; pass < PASSES; pass++) {
		from = read_cpu_ns();
		gather_rows(columns, GROUP_ROWS);
		const int64_t middle = read_cpu_ns();
		write_group(file, columns);
		gathering += (double)(middle - from);
		writing += (double)(read_cpu_ns() - middle);
	}
	rows[2].ns[round] = (gathering + writing) / items;
	rows[3].ns[round] = gathering / items;
	rows[4].ns[round] = writing / items;
	parquet_close(file);
}

/* Prints the bytes of a flow in both forms, each flow once. */
static void compare_bytes(struct bpe_columns *columns)
{
	struct parquet_file *file = begin_parquet(columns);
	uint64_t lines = 0;

	for (uint32_t k = 0; k < count; k++)
		lines += (uint64_t)bpe_flow_format(
			unpack_flow(k), BPE_FORMAT_JSON, text, sizeof text);
	written = 4; /* the file's first bytes */
	gather_rows(columns, count);
	write_group(file, columns);
	parquet_finish(file);
	parquet_close(file);
	printf("%u flows: JSON %.1f bytes a flow, Parquet %.1f with the footer, ratio %.2f\n",
		count, (double)lines / count, (double)written / count,
		(double)lines / (double)written);
}

int main(int argc, char **argv)
{
	static struct bench_row rows[] = { { .name = "a line of JSON, unpacked before" },
		{ .name = "  of this, the unpacking" },
		{ .name = "a row of Parquet, unpacked before" },
		{ .name = "  of this, unpacking and bpe_columns_add" },
		{ .name = "  of this, the row group" } };
	struct bpe_columns *columns;

	packed = malloc(PACKED_BYTES);
	if (!packed || bpe_columns_open(&columns, NULL) != BPE_OK)
		end_bench("bench", "no memory");
	for (int k = 1; k < argc; k++)
		read_flows(argv[k]);
	if (argc < 2)
		read_flows(NULL);
	if (!count)
		end_bench("bench", "no flow in the savefiles");
	compare_bytes(columns);
	for (int round = 0; round < BENCH_ROUNDS; round++)
		measure_forms(rows, round, columns);
	bench_print(rows, 5, "flow");
	bpe_columns_close(columns);
	free(packed);
	return 0;
}
