/* SPDX-License-Identifier: MIT */
/* Opens and closes columns. */
#include "columns/columns.h"

#include "base/error.h"

#include <stdlib.h>

static void list_column(struct bpei_column_list *list, uint32_t i)
{
	list->of[list->count++] = (uint8_t)i;
}

/* Sorts the columns of the table by kind. */
static void list_columns(struct bpe_columns *c)
{
	for (uint32_t i = 0; i < BPEI_COLUMN_COUNT; i++) {
		const struct bpei_column_plan *plan = &bpei_column_plans[i];

		switch (plan->kind) {
		case BPEI_COLUMN_NUMBER:
			list_column(&c->numbers, i);
			break;
		case BPEI_COLUMN_FLAG:
			list_column(&c->flags, i);
			break;
		case BPEI_COLUMN_WORD:
			c->worded_column[plan->from] = (uint8_t)i;
			break;
		case BPEI_COLUMN_COMMUNITY:
			c->community_column = (uint8_t)i;
			break;
		default:
			list_column(&c->texts, i);
		}
	}
}

int bpe_columns_open(struct bpe_columns **columns, struct bpe_error *error)
{
	struct bpe_columns *c = calloc(1, sizeof *c);

	if (c)
		c->store = bpei_columns_store_open();
	if (c && !c->store) {
		free(c);
		c = NULL;
	}
	*columns = c;
	if (!c)
		return bpei_fail(error, BPE_E_MEMORY, "columns", 0,
			"no memory for columns of flow records: close other programs");
	list_columns(c);
	bpei_columns_fill_words(c);
	return BPE_OK;
}

uint64_t bpe_columns_rows(const struct bpe_columns *columns)
{
	return columns->rows;
}

void bpe_columns_close(struct bpe_columns *columns)
{
	if (!columns)
		return;
	bpei_columns_forget(columns);
	bpei_columns_store_close(columns->store);
	free(columns);
}
