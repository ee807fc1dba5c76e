/* SPDX-License-Identifier: MIT */
/* Tests of columns that are filled from an engine: the rows are the records, the run's end is 0, a
 * damaged savefile gives a failure behind the last row, and wrong calls are refused. */
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct bpe_options fill_options(void)
{
	struct bpe_options o;

	bpe_options_init(&o);
	o.interface_name = "synth:count=20000,flows=3000,seed=9";
	o.workers = 0;
	o.fixed_seed = true;
	o.pull_records = true;
	return o;
}

static struct bpe_engine *start_to_fill(const struct bpe_options *o)
{
	struct bpe_error error = { 0 };
	struct bpe_engine *e = NULL;

	cr_assert_eq(bpe_engine_open(o, &e, &error), BPE_OK, "%s", error.text);
	cr_assert_eq(bpe_engine_start(e, &error), BPE_OK, "%s", error.text);
	return e;
}

static struct bpe_columns *open_to_fill(void)
{
	struct bpe_columns *columns;

	cr_assert_eq(bpe_columns_open(&columns, NULL), BPE_OK);
	return columns;
}

/* Returns the number of records of a run, and the sum of the hashes. */
static uint64_t sum_records(const struct bpe_options *o, uint64_t *hashes)
{
	struct bpe_engine *e = start_to_fill(o);
	const struct bpe_flow *flow;
	uint64_t records = 0;
	int found;

	*hashes = 0;
	while ((found = bpe_engine_next_record(e, &flow, NULL)) != BPE_E_END) {
		records += found == 1;
		*hashes += found == 1 ? flow->hash : 0;
	}
	bpe_engine_close(e);
	return records;
}

/* Takes the rows.  Returns the sum of the column "hash". */
static uint64_t take_hashes(struct bpe_columns *columns)
{
	struct ArrowSchema schema;
	struct ArrowArray array;
	uint64_t sum = 0;
	int64_t i = 0;

	cr_assert_eq(bpe_columns_take(columns, &schema, &array), BPE_OK);
	while (strcmp(schema.children[i]->name, "hash") != 0)
		i++;
	for (int64_t row = 0; row < array.length; row++)
		sum += ((const uint32_t *)array.children[i]->buffers[1])[row];
	array.release(&array);
	schema.release(&schema);
	return sum;
}

Test(columns_fill, the_rows_are_the_records)
{
	const struct bpe_options o = fill_options();
	uint64_t hashes;
	const uint64_t records = sum_records(&o, &hashes);
	struct bpe_engine *e = start_to_fill(&o);
	struct bpe_columns *columns = open_to_fill();
	struct bpe_error error = { 0 };
	uint64_t rows = 0;
	uint64_t sum = 0;
	int64_t n;

	while ((n = bpe_columns_fill(columns, e, 100, &error)) > 0) {
		cr_assert_leq(n, 100);
		rows += (uint64_t)n;
		cr_assert_eq(bpe_columns_rows(columns), (uint64_t)n);
		sum += take_hashes(columns);
	}
	cr_expect_eq(n, 0, "%s", error.text);
	cr_expect_gt(records, 3000);
	cr_expect_eq(rows, records);
	cr_expect_eq(sum, hashes);
	cr_expect_eq(bpe_columns_fill(columns, e, 100, &error), 0, "the end comes again");
	bpe_columns_close(columns);
	bpe_engine_close(e);
}

/* Reads a file with three packets of three flows, which ends inside the fourth. */
Test(columns_fill, a_failure_comes_behind_the_rows)
{
	uint8_t bytes[24 + 4 * (16 + 60)] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4,
		0, [16] = 0xff, [17] = 0xff, [20] = 1 };
	struct bpe_options o = fill_options();
	struct bpe_error error = { 0 };

	for (int k = 0; k < 4; k++) {
		uint8_t *packet = bytes + 24 + k * (16 + 60);

		packet[8] = 60;
		packet[12] = 60;
		packet[16 + 12] = 8;
		packet[16 + 14] = 0x45;
		packet[16 + 17] = 46;
		packet[16 + 23] = 17;
		packet[16 + 29] = (uint8_t)k;
	}
	o.interface_name = NULL;
	o.memory = bytes;
	o.memory_bytes = sizeof bytes - 5;
	struct bpe_engine *e = start_to_fill(&o);
	struct bpe_columns *columns = open_to_fill();
	int64_t n;

	while ((n = bpe_columns_fill(columns, e, 10, &error)) > 0)
		continue;
	cr_expect_eq(n, BPE_E_TORN, "%s", error.text);
	cr_expect_eq(error.status, BPE_E_TORN);
	cr_expect_eq(bpe_columns_rows(columns), 3);
	bpe_columns_close(columns);
	bpe_engine_close(e);
}

Test(columns_fill, wrong_calls_are_refused)
{
	struct bpe_options o = fill_options();
	struct bpe_columns *columns = open_to_fill();
	struct bpe_error error = { 0 };
	struct bpe_engine *e;

	o.pull_records = false;
	cr_assert_eq(bpe_engine_open(&o, &e, &error), BPE_OK);
	cr_expect_eq(bpe_columns_fill(columns, e, 0, &error), BPE_E_ARGUMENT);
	cr_expect_not_null(strstr(error.text, "1 row or more"));
	cr_expect_eq(bpe_columns_fill(columns, e, 1, &error), BPE_E_STATE);
	bpe_engine_close(e);
	bpe_columns_close(columns);
}
