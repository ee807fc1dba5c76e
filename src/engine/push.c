/* SPDX-License-Identifier: MIT */
/* Pushing packets into an engine: who may, and when; stateless.  The push device does the rest. */
#include "engine/engine.h"

#include "base/error.h"
#include "device/push.h"

/* Refuses an engine with another source. */
static int check_push_source(const struct bpe_engine *e, struct bpe_error *error)
{
	if (e->options.push)
		return BPE_OK;
	return bpei_fail(error, BPE_E_STATE, "push", 0,
		"the source is %s: set options.push to push packets", e->input.device->source);
}

int bpei_engine_push(struct bpe_engine *e, const struct bpei_push_input *input, int64_t timeout_ns,
	struct bpe_error *error)
{
	const bool runs = bpei_counter_get(&e->started_ns) != 0;
	int status = check_push_source(e, error);

	if (status < 0)
		return status;
	if (bpei_query_is_own_thread(e))
		return bpei_fail(error, BPE_E_STATE, "push", 0,
			"a handler may not push into its own engine: it would wait for itself");
	status = bpei_push_put(e->input.device, input, runs ? timeout_ns : 0, error);
	if (!status && input->n && !runs && timeout_ns)
		return bpei_fail(error, BPE_E_STATE, "push", 0,
			"the buffer is full, and the engine has not been started");
	return status;
}

int bpei_engine_push_end(struct bpe_engine *e, struct bpe_error *error)
{
	const int status = check_push_source(e, error);

	return status < 0 ? status : bpei_push_finish(e->input.device, BPEI_PUSH_ENDED, error);
}
