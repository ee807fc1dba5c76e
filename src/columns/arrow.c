/* SPDX-License-Identifier: MIT */
/* Rows and their schema as the structures of Arrow's C data interface.
 *
 * Buffers move to the array without a copy.  Only bitmaps that several columns share are copied.
 * Each child owns buffers, so a child may be moved out of the array and live on.  Columns without
 * any value share zeroed memory, which the last holder frees. */
#include "base/error.h"
#include "columns/columns.h"

#include <stdlib.h>
#include <string.h>

/* Zeroed memory of several children. */
struct shared_zeros {
	uint32_t holders;
	void *memory; /* of calloc */
	void *zeros;  /* aligned */
};

/* Memory of a child. */
struct column_hold {
	struct bpei_columns_store *store;
	uint32_t column;
	const void *buffers[3];
	void *owned[3];
	struct shared_zeros *shared; /* NULL: none */
};

struct columns_batch {
	struct ArrowArray children[BPEI_COLUMN_COUNT];
	struct ArrowArray *pointers[BPEI_COLUMN_COUNT];
	const void *buffers[1]; /* of the struct array: all rows are valid */
};

struct columns_schema {
	struct ArrowSchema children[BPEI_COLUMN_COUNT];
	struct ArrowSchema *pointers[BPEI_COLUMN_COUNT];
};

static struct column_hold *hold_of(const struct ArrowArray *child)
{
	return (struct column_hold *)child->private_data;
}

static void leave_zeros(struct shared_zeros *shared)
{
	if (!shared || __atomic_sub_fetch(&shared->holders, 1, __ATOMIC_ACQ_REL))
		return;
	free(shared->memory);
	free(shared);
}

static void free_hold(struct column_hold *hold)
{
	if (!hold)
		return;
	for (uint32_t k = 0; k < 3; k++)
		bpei_columns_give_back(hold->store, BPEI_SLOT(hold->column, k), hold->owned[k]);
	bpei_columns_store_leave(hold->store);
	leave_zeros(hold->shared);
	free(hold);
}

static void release_column(struct ArrowArray *array)
{
	free_hold(hold_of(array));
	array->release = NULL;
}

static void release_batch(struct ArrowArray *array)
{
	for (int64_t i = 0; i < array->n_children; i++)
		if (array->children[i]->release)
			array->children[i]->release(array->children[i]);
	free(array->private_data);
	array->release = NULL;
}

static void release_field(struct ArrowSchema *schema)
{
	free(schema->private_data);
	schema->release = NULL;
}

static void release_schema(struct ArrowSchema *schema)
{
	for (int64_t i = 0; i < schema->n_children; i++)
		if (schema->children[i]->release)
			schema->children[i]->release(schema->children[i]);
	free(schema->private_data);
	schema->release = NULL;
}

static uint64_t count_bits(const uint64_t *bits, uint64_t rows)
{
	uint64_t n = 0;

	for (uint64_t k = 0; k < (rows + 63) / 64; k++)
		n += (uint64_t)__builtin_popcountll(bits[k]);
	return n;
}

/* Returns zeroed memory for any buffer of `rows` rows, with one holder; NULL without memory. */
static struct shared_zeros *make_zeros(uint64_t rows)
{
	struct shared_zeros *shared = calloc(1, sizeof *shared);

	if (!shared)
		return NULL;
	shared->memory = calloc(rows + 1 + 2 * BPEI_COLUMN_ALIGN / 8, 8);
	if (!shared->memory) {
		free(shared);
		return NULL;
	}
	shared->zeros = (char *)shared->memory +
			(BPEI_COLUMN_ALIGN - (uintptr_t)shared->memory % BPEI_COLUMN_ALIGN);
	shared->holders = 1;
	return shared;
}

/* Zeroes the bytes behind `bytes` up to a whole line, since readers load whole lines. */
static void zero_padding(void *memory, size_t bytes)
{
	memset((char *)memory + bytes, 0,
		(BPEI_COLUMN_ALIGN - bytes % BPEI_COLUMN_ALIGN) % BPEI_COLUMN_ALIGN);
}

/* Gives the child a copy of the bits of rows with a value. */
static bool copy_known(const struct bpe_columns *c, uint32_t group, struct ArrowArray *child,
	struct column_hold *h)
{
	const uint64_t known = c->known[group] ? count_bits(c->known[group], c->rows) : 0;

	child->null_count = (int64_t)(c->rows - known);
	if (!child->null_count)
		return true;
	if (!known) {
		h->buffers[0] = h->shared->zeros;
		return true;
	}
	const size_t bytes = (c->rows + 63) / 64 * 8;

	h->owned[0] = bpei_columns_alloc(h->store, BPEI_SLOT(h->column, 0), bytes);
	if (!h->owned[0])
		return false;
	memcpy(h->owned[0], c->known[group], bytes);
	zero_padding(h->owned[0], bytes);
	h->buffers[0] = h->owned[0];
	return true;
}

/* Sets the buffers of a column of numbers or flags. */
static bool describe_numbers(const struct bpe_columns *c, struct bpei_column *column,
	const struct bpei_column_plan *plan, struct ArrowArray *child)
{
	struct column_hold *const h = hold_of(child);
	const size_t bytes =
		plan->kind == BPEI_COLUMN_FLAG ? (c->rows + 63) / 64 * 8 : c->rows * plan->bytes;

	child->n_buffers = 2;
	h->buffers[1] = column->filled ? column->values : h->shared->zeros;
	if (column->filled && plan->kind == BPEI_COLUMN_NUMBER && column->filled < c->rows)
		memset((char *)column->values + column->filled * plan->bytes, 0,
			(c->rows - column->filled) * plan->bytes);
	if (column->filled)
		zero_padding(column->values, bytes);
	return plan->known == BPEI_KNOWN_ALWAYS || copy_known(c, plan->known, child, h);
}

/* Sets the buffers of a column of texts. */
static void describe_texts(
	const struct bpe_columns *c, struct bpei_column *column, struct ArrowArray *child)
{
	struct column_hold *const h = hold_of(child);

	child->n_buffers = 3;
	if (!column->filled) {
		child->null_count = (int64_t)c->rows;
		for (int k = 0; k < 3; k++)
			h->buffers[k] = h->shared->zeros;
		return;
	}
	bpei_column_pad_text(column, c->rows);
	child->null_count = (int64_t)(c->rows - count_bits(column->valid, c->rows));
	if (child->null_count)
		h->buffers[0] = column->valid;
	h->buffers[1] = column->offsets;
	h->buffers[2] = column->values;
	zero_padding(column->offsets, (c->rows + 1) * sizeof(int32_t));
	zero_padding(column->values, (size_t)column->offsets[c->rows]);
}

/* Describes a column's buffers in a child.  Returns false without memory. */
static bool describe_column(
	struct bpe_columns *c, uint32_t i, struct ArrowArray *child, struct shared_zeros *shared)
{
	const struct bpei_column_plan *plan = &bpei_column_plans[i];
	struct column_hold *const h = calloc(1, sizeof *h);

	if (!h)
		return false;
	h->store = c->store;
	h->column = i;
	bpei_columns_store_hold(c->store);
	h->shared = shared;
	__atomic_add_fetch(&shared->holders, 1, __ATOMIC_RELAXED);
	child->length = (int64_t)c->rows;
	child->buffers = h->buffers;
	child->private_data = h;
	child->release = release_column;
	if (plan->kind == BPEI_COLUMN_NUMBER || plan->kind == BPEI_COLUMN_FLAG)
		return describe_numbers(c, &c->columns[i], plan, child);
	describe_texts(c, &c->columns[i], child);
	return true;
}

/* Makes the array of the rows; buffers stay the columns'.  Returns NULL without memory. */
static struct columns_batch *make_batch(struct bpe_columns *c)
{
	struct columns_batch *batch = calloc(1, sizeof *batch);
	struct shared_zeros *shared = batch ? make_zeros(c->rows) : NULL;
	bool good = shared;

	for (uint32_t i = 0; good && i < BPEI_COLUMN_COUNT; i++) {
		batch->pointers[i] = &batch->children[i];
		good = describe_column(c, i, &batch->children[i], shared);
	}
	leave_zeros(shared);
	if (good)
		return batch;
	for (uint32_t i = 0; batch && i < BPEI_COLUMN_COUNT; i++)
		free_hold(hold_of(&batch->children[i]));
	free(batch);
	return NULL;
}

/* Moves the buffers to the children, and empties the columns. */
static void move_buffers(struct bpe_columns *c, struct columns_batch *batch)
{
	for (uint32_t i = 0; i < BPEI_COLUMN_COUNT; i++) {
		struct column_hold *const h = hold_of(&batch->children[i]);
		struct bpei_column *const column = &c->columns[i];

		if (column->offsets) {
			h->owned[0] = column->valid;
			h->owned[2] = column->offsets;
		}
		h->owned[1] = column->values;
		*column = (struct bpei_column){ 0 };
	}
	bpei_columns_forget(c);
}

/* Returns Arrow's encoding of a pair of metadata, of malloc; NULL without memory. */
static char *encode_help(const char *help)
{
	static const char key[] = "description";
	const int32_t numbers[2] = { 1, sizeof key - 1 };
	const int32_t length = (int32_t)strlen(help);
	char *const metadata =
		malloc(sizeof numbers + sizeof key - 1 + sizeof length + (size_t)length);

	if (!metadata)
		return NULL;
	char *at = metadata;

	memcpy(at, numbers, sizeof numbers);
	at += sizeof numbers;
	memcpy(at, key, sizeof key - 1);
	at += sizeof key - 1;
	memcpy(at, &length, sizeof length);
	memcpy(at + sizeof length, help, (size_t)length);
	return metadata;
}

/* Returns the schema's fields, or NULL without memory. */
static struct columns_schema *make_fields(void)
{
	struct columns_schema *fields = calloc(1, sizeof *fields);
	bool good = fields;

	for (uint32_t i = 0; good && i < BPEI_COLUMN_COUNT; i++) {
		const struct bpei_column_plan *plan = &bpei_column_plans[i];
		struct ArrowSchema *const field = &fields->children[i];
		char *const metadata = encode_help(plan->help);
		const bool is_text =
			plan->kind != BPEI_COLUMN_NUMBER && plan->kind != BPEI_COLUMN_FLAG;

		fields->pointers[i] = field;
		field->format = plan->format;
		field->name = plan->name;
		field->metadata = metadata;
		field->private_data = metadata;
		field->release = release_field;
		if (is_text || plan->known != BPEI_KNOWN_ALWAYS)
			field->flags = ARROW_FLAG_NULLABLE;
		good = metadata;
	}
	if (good)
		return fields;
	for (uint32_t i = 0; fields && i < BPEI_COLUMN_COUNT; i++)
		free(fields->children[i].private_data);
	free(fields);
	return NULL;
}

/* Fills *schema.  Returns false without memory. */
static bool give_schema(struct ArrowSchema *schema)
{
	struct columns_schema *const fields = make_fields();

	if (!fields)
		return false;
	memset(schema, 0, sizeof *schema);
	schema->format = "+s";
	schema->name = "";
	schema->n_children = BPEI_COLUMN_COUNT;
	schema->children = fields->pointers;
	schema->private_data = fields;
	schema->release = release_schema;
	return true;
}

static void give_array(struct ArrowArray *array, struct columns_batch *batch, uint64_t rows)
{
	memset(array, 0, sizeof *array);
	array->length = (int64_t)rows;
	array->n_buffers = 1;
	array->buffers = batch->buffers;
	array->n_children = BPEI_COLUMN_COUNT;
	array->children = batch->pointers;
	array->private_data = batch;
	array->release = release_batch;
}

int bpe_columns_take(
	struct bpe_columns *columns, struct ArrowSchema *schema, struct ArrowArray *array)
{
	const uint64_t rows = columns->rows;
	struct columns_batch *batch = NULL;
	struct ArrowSchema made;

	if (schema && !give_schema(&made))
		return BPE_E_MEMORY;
	if (array) {
		bpei_columns_flush(columns);
		batch = make_batch(columns);
	}
	if (array && !batch) {
		if (schema)
			made.release(&made);
		return BPE_E_MEMORY;
	}
	if (schema)
		*schema = made;
	if (array) {
		move_buffers(columns, batch);
		give_array(array, batch, rows);
	}
	return BPE_OK;
}
