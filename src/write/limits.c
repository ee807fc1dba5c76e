/* SPDX-License-Identifier: MIT */
/* When a file ends (limits.h); stateless. */
#include "write/limits.h"

#include <string.h>

#define SECOND_NS INT64_C(1000000000)

/* Returns the first multiple of every_ns in local time behind now_ns. */
static int64_t find_boundary(int64_t every_ns, int64_t now_ns, int32_t local_offset_s)
{
	const int64_t local = now_ns + local_offset_s * SECOND_NS;
	int64_t into = local % every_ns;

	if (into < 0)
		into += every_ns;
	if (now_ns > INT64_MAX - every_ns)
		return INT64_MAX;
	return now_ns - into + every_ns;
}

void bpei_limits_begin(struct bpei_limit_state *state, const struct bpei_limits *limits,
	int64_t now_ns, int32_t local_offset_s)
{
	memset(state, 0, sizeof *state);
	state->opened_ns = now_ns;
	state->ends_ns = INT64_MAX;
	if (limits->every_ns <= 0)
		return;
	if (!limits->from_start)
		state->ends_ns = find_boundary(limits->every_ns, now_ns, local_offset_s);
	else if (now_ns <= INT64_MAX - limits->every_ns)
		state->ends_ns = now_ns + limits->every_ns;
}

/* Returns true if the file has no room for next_bytes. */
static bool lacks_room(
	const struct bpei_limits *limits, const struct bpei_limit_state *state, uint64_t next_bytes)
{
	if (!limits->bytes || !state->packets)
		return false;
	if (state->bytes >= limits->bytes || state->tail > limits->bytes - state->bytes)
		return true;
	return next_bytes > limits->bytes - state->bytes - state->tail;
}

bool bpei_limits_reached(const struct bpei_limits *limits, const struct bpei_limit_state *state,
	uint64_t next_bytes, int64_t now_ns)
{
	if (limits->every_ns > 0) {
		if (now_ns >= state->ends_ns)
			return true;
		if (now_ns < state->opened_ns && state->opened_ns - now_ns > limits->every_ns)
			return true;
	}
	if (!next_bytes)
		return false;
	if (limits->packets && state->packets >= limits->packets)
		return true;
	return lacks_room(limits, state, next_bytes);
}
