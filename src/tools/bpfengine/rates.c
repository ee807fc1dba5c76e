/* SPDX-License-Identifier: MIT */
/* Packets and bits a second between two readings of the counters (cli.h).  The caller owns the
 * state. */
#include "cli.h"

#define ROOM (sizeof((struct cli_rates *)0)->at / sizeof *((struct cli_rates *)0)->at)

/* Returns the seconds between two times of packets; 0 if the clock went back. */
static double packet_seconds_between(int64_t from, int64_t to)
{
	return to > from ? (double)((uint64_t)to - (uint64_t)from) * 1e-9 : 0;
}

/* Returns the growth in a second; 0 without time. */
static double rate_of_growth(uint64_t now, uint64_t before, double seconds)
{
	return seconds > 0 ? (double)(now - before) / seconds : 0;
}

void cli_rates_take(struct cli_rates *r, const struct bpe_stats *s, uint64_t span_ns,
	bool by_packet_time, struct cli_shown_rates *shown)
{
	/* the reading that is compared with; all 0: the start */
	struct cli_reading then = { .packet_ns = s->first_packet_ns };
	const struct cli_reading now = { s->elapsed_ns, s->read_packets, s->wire_bytes,
		s->last_packet_ns };

	for (uint32_t back = 1; back <= r->count && back <= ROOM; back++) {
		const struct cli_reading *at = &r->at[(r->count - back) % ROOM];

		if (now.ns - at->ns < span_ns && back < ROOM)
			continue;
		then = *at;
		break;
	}
	if (!then.packets)
		then.packet_ns = s->first_packet_ns;
	r->at[r->count++ % ROOM] = now;

	const double elapsed = (double)(now.ns - then.ns) * 1e-9;
	double seconds = elapsed;

	*shown = (struct cli_shown_rates){ .of = "" };
	if (by_packet_time) {
		seconds = packet_seconds_between(then.packet_ns, now.packet_ns);
		shown->of = "trace: ";
		shown->reading = rate_of_growth(now.packets, then.packets, elapsed);
	}
	shown->packets = rate_of_growth(now.packets, then.packets, seconds);
	shown->bits = rate_of_growth(now.bytes, then.bytes, seconds) * 8;
}
