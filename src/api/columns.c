/* SPDX-License-Identifier: MIT */
/* Fills columns from an engine.  A record without memory waits in the columns, and is the first of
 * the next call. */
#include "columns/columns.h"

#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>

/* Adds the record that waits since the last call.  Returns 1, 0 without a record, or
 * BPE_E_MEMORY. */
static int add_waiting(struct bpe_columns *c)
{
	if (!c->has_waiting)
		return 0;
	const int status = bpe_columns_add(c, &c->waiting);

	if (status < 0)
		return status;
	c->has_waiting = false;
	return 1;
}

/* Adds the next record.  Returns 1, 0 without a record, or a status. */
static int add_next(struct bpe_columns *c, struct bpe_engine *engine, struct bpe_error *error)
{
	const struct bpe_flow *flow;
	const int found = bpe_engine_next_record(engine, &flow, error);

	if (found != 1)
		return found;
	const int status = bpe_columns_add(c, flow);

	if (status == BPE_E_MEMORY) {
		bpe_flow_copy(&c->waiting, flow);
		c->has_waiting = true;
	}
	if (status == BPE_OK)
		return 1;
	return bpei_fail(error, status, "columns", 0,
		"no room for a record beside %" PRIu64 " rows: take the rows, then go on", c->rows);
}

/* Waits for a record.  Returns BPE_OK, BPE_E_BUSY after a signal, or BPE_E_IO. */
static int wait_for_record(const struct bpe_engine *engine, struct bpe_error *error)
{
	struct pollfd p = { .fd = bpe_engine_records_fd(engine), .events = POLLIN };

	if (poll(&p, 1, -1) >= 0)
		return BPE_OK;
	if (errno == EINTR)
		return bpei_fail(error, BPE_E_BUSY, "poll", 0, "a signal ended the wait: go on");
	return bpei_fail(error, BPE_E_IO, "poll", errno, "waiting for a record failed");
}

/* Returns 0 after a run without a failure, or the failure's status. */
static int64_t end_of_run(struct bpe_engine *engine, struct bpe_error *error)
{
	bpe_engine_wait(engine, -1);
	const int status = bpe_engine_result(engine, error);

	return status < 0 ? status : 0;
}

/* Adds the next record, after a wait if `waits`.  Returns 1, 0 without a record, or a status. */
static int add_or_wait(
	struct bpe_columns *c, struct bpe_engine *engine, bool waits, struct bpe_error *error)
{
	for (;;) {
		int status = add_next(c, engine, error);

		if (status || !waits)
			return status;
		status = wait_for_record(engine, error);
		if (status < 0)
			return status;
	}
}

int64_t bpe_columns_fill(struct bpe_columns *columns, struct bpe_engine *engine, uint64_t most,
	struct bpe_error *error)
{
	if (!most || most > INT64_MAX)
		return bpei_fail(error, BPE_E_ARGUMENT, "columns", 0,
			"most is %" PRIu64 ": ask for 1 row or more", most);
	int status = add_waiting(columns);

	if (status < 0)
		return bpei_fail(error, status, "columns", 0, "no memory for a row: take the rows");
	uint64_t taken = (uint64_t)status;

	do {
		status = add_or_wait(columns, engine, !taken, error);
		taken += status == 1;
	} while (status == 1 && taken < most);
	if (taken)
		return (int64_t)taken;
	return status == BPE_E_END ? end_of_run(engine, error) : status;
}
