/* SPDX-License-Identifier: MIT */
/* Packets seen twice: the fingerprint of a segment, and the checks by it; duplicate.c. */
#ifndef BPEI_FLOW_DUPLICATE_H
#define BPEI_FLOW_DUPLICATE_H

#include "flow/anomalies.h"

#define FINGERPRINT_SHIFT 10    /* unit of time: 1,024 ns */
#define FINGERPRINT_WINDOW 977u /* units in a millisecond */

/* Returns a hash of the segment's headers plus the time in units.  Fingerprints of the same headers
 * differ by the difference of the times.  ip, tcp: the headers, whole. */
static inline uint32_t bpei_fingerprint(const uint8_t *ip, const uint8_t *tcp, int64_t ns)
{
	uint64_t heads;
	uint64_t numbers;
	uint64_t flags_to_checksum;

	/* IPv4: identification to checksum; IPv6: length to hop limit. */
	memcpy(&heads, ip + 4, sizeof heads);
	memcpy(&numbers, tcp + 4, sizeof numbers);
	memcpy(&flags_to_checksum, tcp + 12, sizeof flags_to_checksum);
	heads = ((heads ^ flags_to_checksum) + numbers) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(heads >> 32) + (uint32_t)((uint64_t)ns >> FINGERPRINT_SHIFT);
}

/* Returns true if two fingerprints with that difference are of the same headers, within a
 * millisecond. */
static inline bool bpei_fingerprint_is_near(uint32_t difference)
{
	return difference + FINGERPRINT_WINDOW <= 2 * FINGERPRINT_WINDOW;
}

/* Returns true if a segment may be a copy.  If false, the fingerprint only has to be kept as the
 * end's last. */
static inline bool bpei_duplicate_is_possible(
	const struct bpei_table *t, uint32_t entry, uint32_t end, uint32_t fingerprint)
{
	const bool is_near =
		bpei_fingerprint_is_near(fingerprint - t->cold[entry].fingerprint[end]);

	return is_near | (bpei_entry_flags(&t->entries[entry]) / FLAG_ANOMALIES & 1);
}

/* A TCP segment of a flow, as the analysis needs it. */
struct bpei_flow_segment {
	uint32_t entry, end; /* end: the sender */
	const struct bpei_segment *s;
	uint8_t flags; /* TCP's */
	int64_t ns;    /* flow time */
};

/* Returns true, and counts the copy, if the segment is a copy of a segment before.  Otherwise keeps
 * the fingerprint. */
bool bpei_duplicate_check(
	struct bpei_table *t, const struct bpei_flow_segment *segment, uint32_t fingerprint);

/* Returns true if a duplicate ACK that leaves no data missing may be a copy: always with IPv4's
 * identification, with IPv6 only if the connection has had copies. */
static inline bool bpei_duplicate_ack_is_plausible(const struct bpei_table *t, uint32_t entry)
{
	const struct bpei_entry *const e = &t->entries[entry];

	if ((e->key[4] >> KEY_VERSION_SHIFT & 15) == 4)
		return true;
	if (!(bpei_entry_flags(e) & FLAG_ANOMALIES))
		return false;
	const struct bpei_tcp_anomalies *const a = bpei_anomalies_find(t, entry);
	return a->count[ANOMALY_DUPLICATE][0] | a->count[ANOMALY_DUPLICATE][1];
}

/* Counts an ACK in order that is a copy of the ACK before.  Returns false, with nothing changed, if
 * copies are not reported. */
bool bpei_duplicate_count_ack(struct bpei_table *t, uint32_t entry, uint32_t end);

#endif
