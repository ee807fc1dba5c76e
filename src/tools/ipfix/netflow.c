/* SPDX-License-Identifier: MIT */
/* Uptimes of NetFlow, and the messages of v5.
 *
 * NetFlow tells times as milliseconds since the exporter started, in 32 bits, which wrap after 49.7
 * days.  The header tells the start: time of export less uptime.  After a wrap, many collectors see
 * flows end before they begin.  Therefore uptimes never wrap here; the start moves.  If a flow does
 * not fit behind the start, the next message tells another start.  Starts and times of export are
 * whole seconds, because v9 tells the time of export in seconds: collectors get the exact start. */
#include "writing.h"
#include "put.h"

#include <string.h>

#define RECORD_FIVE 48u
#define RECORDS_FIVE 30u /* most records in a message of v5 */
#define UPTIME_HALF (INT64_C(1) << 31)
/* 42.7 days: the rest is for the time from the flow's end to its export. */
#define UPTIME_MOST INT64_C(3690167000)

bool ipfix_uptime_fit(struct ipfix_encoder *e, const struct bpe_flow *flow)
{
	const int64_t first = ipfix_ms(flow->first_ns);
	const int64_t last = ipfix_ms(flow->last_ns);
	int64_t boot;

	if (first < e->boot_ms || last - e->boot_ms > UPTIME_MOST) {
		if (e->place.flow_records > 0)
			return false;
		boot = last - UPTIME_HALF;
		if (first < boot)
			boot = first;
		if (boot < last - UPTIME_MOST)
			boot = last -
			       UPTIME_MOST; /* longer than 42.7 days: the first time is cut */
		if (boot < 0)
			boot = 0;
		boot = boot / 1000 * 1000;
		if (last - boot > UPTIME_MOST)
			boot += 1000;
		e->boot_ms = boot;
	}
	if (last > e->last_ms)
		e->last_ms = last;
	return true;
}

int64_t ipfix_uptime_export(const struct ipfix_encoder *e, int64_t now_ns)
{
	int64_t ms = ipfix_ms(now_ns);

	if (e->place.flow_records > 0 && (!e->config.is_live || ms < e->last_ms))
		ms = e->last_ms;
	ms = (ms + 999) / 1000 * 1000;
	if (ms < e->boot_ms)
		return e->boot_ms;
	if (ms - e->boot_ms > UINT32_MAX)
		return e->boot_ms + (int64_t)(UINT32_MAX / 1000 * 1000);
	return ms;
}

/* Takes an equal part of the rest, rounded up, for each of the pieces. */
static uint32_t take_share(uint64_t *left, uint64_t pieces)
{
	const uint64_t share = *left / pieces + (*left % pieces != 0);

	*left -= share;
	return (uint32_t)share;
}

/* Returns how many records the counts need. */
static uint64_t count_pieces(uint64_t packets, uint64_t bytes)
{
	const uint64_t most = packets > bytes ? packets : bytes;

	return most / UINT32_MAX + (most % UINT32_MAX != 0);
}

/* Writes a record of v5. */
static void put_five(uint8_t *at, const struct ipfix_encoder *e, const struct bpe_flow *f,
	uint32_t d, const uint32_t counts[2])
{
	const int64_t first = ipfix_ms(f->first_ns) - e->boot_ms;
	const int64_t last = ipfix_ms(f->last_ns) - e->boot_ms;
	const uint32_t interface = ipfix_interface_number(f);
	const bool is_icmp = (f->flags & BPE_FLOW_ICMP) != 0;

	memset(at, 0, RECORD_FIVE);
	memcpy(at, f->addr[d], 4);
	memcpy(at + 4, f->addr[1 - d], 4);
	if (interface <= UINT16_MAX)
		put_net16(at + 12, interface);
	put_net32(at + 16, counts[0]);
	put_net32(at + 20, counts[1]);
	if (first > 0)
		put_net32(at + 24, (uint32_t)first);
	put_net32(at + 28, (uint32_t)last);
	if (!is_icmp)
		put_net16(at + 32, f->port[d]);
	put_net16(at + 34, is_icmp ? ipfix_icmp(f) : f->port[1 - d]);
	put_byte(at + 37, f->tcp_flags[d]);
	put_byte(at + 38, f->ip_proto);
}

/* Adds the records of a direction.  Returns false if some are left for the next message. */
static bool add_pieces(struct ipfix_encoder *e, const struct bpe_flow *f, uint32_t d, int *added)
{
	struct ipfix_place *place = &e->place;

	if (!e->left_packets && !e->left_bytes) {
		e->left_packets = f->packets[d];
		e->left_bytes = ipfix_octets(f, d);
	}
	do {
		uint64_t pieces = count_pieces(e->left_packets, e->left_bytes);
		uint32_t counts[2];

		if (place->flow_records == RECORDS_FIVE || e->room - place->length < RECORD_FIVE)
			return false;
		if (pieces == 0)
			pieces = 1;
		counts[0] = take_share(&e->left_packets, pieces);
		counts[1] = take_share(&e->left_bytes, pieces);
		put_five(e->buffer + place->length, e, f, d, counts);
		place->length += RECORD_FIVE;
		place->records++;
		place->flow_records++;
		(*added)++;
	} while (e->left_packets || e->left_bytes);
	return true;
}

int ipfix_five_add(struct ipfix_encoder *e, const struct bpe_flow *flow)
{
	const struct ipfix_place before = e->place;
	int added = 0;

	if (flow->ip_version != 4)
		return IPFIX_UNFIT;
	for (uint32_t d = e->left_direction; d < 2; d++) {
		if (!flow->packets[d] && (d == 1 || flow->packets[1] > 0))
			continue;
		if (add_pieces(e, flow, d, &added))
			continue;
		e->left_direction = d;
		/* Only a flow that an empty message cannot hold goes to several. */
		if (before.flow_records > 0) {
			e->place = before;
			e->left_direction = 0;
			e->left_packets = 0;
			e->left_bytes = 0;
		}
		return IPFIX_FULL;
	}
	e->left_direction = 0;
	e->flows++;
	return added;
}

void ipfix_five_header(struct ipfix_encoder *e, int64_t now_ns)
{
	const int64_t export_ms = ipfix_uptime_export(e, now_ns);
	uint8_t *at = put_net16(e->buffer, IPFIX_NETFLOW5);

	at = put_net16(at, e->place.records);
	at = put_net32(at, (uint32_t)(export_ms - e->boot_ms));
	at = put_net32(at, (uint32_t)(export_ms / 1000));
	at = put_net32(at, 0);
	at = put_net32(at, e->sequence);
	at = put_byte(at, 0);
	at = put_byte(at, e->config.domain);
	put_net16(at, 0);
}
