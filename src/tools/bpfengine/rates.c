/* SPDX-License-Identifier: MIT */
/* Packets and bits a second between two readings of the counters (cli.h).  The caller owns the
 * state. */
#include "cli.h"

#define ROOM (sizeof((struct cli_rates *)0)->at / sizeof *((struct cli_rates *)0)->at)

void cli_rates_take(struct cli_rates *r, struct bpe_stats *s, uint64_t span_ns)
{
	/* the reading that is compared with; all 0: the start */
	uint64_t ns = 0;
	uint64_t packets = 0;
	uint64_t bytes = 0;

	for (uint32_t back = 1; back <= r->count && back <= ROOM; back++) {
		const uint32_t k = (r->count - back) % ROOM;

		if (s->elapsed_ns - r->at[k].ns < span_ns && back < ROOM)
			continue;
		ns = r->at[k].ns;
		packets = r->at[k].packets;
		bytes = r->at[k].bytes;
		break;
	}
	const uint32_t now = r->count++ % ROOM;
	r->at[now].ns = s->elapsed_ns;
	r->at[now].packets = s->read_packets;
	r->at[now].bytes = s->wire_bytes;

	const double seconds = (double)(s->elapsed_ns - ns) * 1e-9;
	s->packets_per_second = 0;
	s->bits_per_second = 0;
	if (seconds <= 0)
		return;
	s->packets_per_second = (uint64_t)((double)(s->read_packets - packets) / seconds);
	s->bits_per_second = (uint64_t)((double)(s->wire_bytes - bytes) * 8 / seconds);
}
