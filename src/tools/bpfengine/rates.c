/* SPDX-License-Identifier: MIT */
/* Packets and bits a second between two looks at the counters (cli.h).  The state is the caller's.
 */
#include "cli.h"

#define ROOM (sizeof((struct cli_rates *)0)->at / sizeof *((struct cli_rates *)0)->at)

void cli_rates_take(struct cli_rates *r, struct bpe_stats *s, uint64_t span_ns)
{
	uint64_t ns = 0, packets = 0, bytes = 0; /* of the look that is compared with; the start */
	for (uint32_t back = 1; back <= r->count && back <= ROOM; back++) {
		uint32_t k = (r->count - back) % ROOM;
		if (s->elapsed_ns - r->at[k].ns < span_ns && back < ROOM)
			continue;
		ns = r->at[k].ns, packets = r->at[k].packets, bytes = r->at[k].bytes;
		break;
	}
	uint32_t now = r->count++ % ROOM;
	r->at[now].ns = s->elapsed_ns;
	r->at[now].packets = s->read_packets;
	r->at[now].bytes = s->wire_bytes;
	double seconds = (double)(s->elapsed_ns - ns) * 1e-9;
	s->packets_per_second = s->bits_per_second = 0;
	if (seconds <= 0)
		return;
	s->packets_per_second = (uint64_t)((double)(s->read_packets - packets) / seconds);
	s->bits_per_second = (uint64_t)((double)(s->wire_bytes - bytes) * 8 / seconds);
}
