/* SPDX-License-Identifier: MIT */
/* Counts of what went wrong with a connection, which few flows need: a hash table by entry number,
 * anomalies.c.  Errors by ICMP are counted here for flows of any protocol. */
#ifndef BPEI_FLOW_ANOMALIES_H
#define BPEI_FLOW_ANOMALIES_H

#include "flow/marks.h"

/* Up to ANOMALY_KEEP_ALIVE the bit of this number is the packet's mark (BPE_MARK_*). */
enum bpei_anomaly {
	ANOMALY_RETRANSMISSION,
	ANOMALY_FAST,
	ANOMALY_SPURIOUS,
	ANOMALY_OUT_OF_ORDER,
	ANOMALY_ZERO_WINDOW,
	ANOMALY_LOST,
	ANOMALY_UNSEEN,
	ANOMALY_KEEP_ALIVE,
	ANOMALY_ICMP_ERROR,
	ANOMALY_DUPLICATE,
	ANOMALY_COUNT
};

#define BPEI_FINGERPRINTS 16u

/* resume_flags: what is known of resume_seq.  RESUME_SYN: the handshake's ACK will tell. */
enum { RESUME_PLACE = 1, RESUME_SYN = 2, RESUME_FIN = 4 };

/* All arrays are by end. */
struct bpei_tcp_anomalies {
	uint32_t entry;      /* number + 1; 0: free */
	uint32_t hole[2][2]; /* from, to: sequence numbers skipped and not sent since */
	uint16_t count[ANOMALY_COUNT][2];
	uint32_t resume_seq[2];  /* after a segment outside of the stream (window.c): number at
				  * which the stream may resume */
	uint8_t resume_flags[2]; /* RESUME_; 0: resume_seq is unused */
	bool probed[2];          /* the end's last segment was a keep-alive */
	int64_t top_ns[2];       /* while a hole is open: when the highest number was sent */
	int64_t hole_ns[2];      /* when the hole was opened */
	uint8_t watched[2];      /* segments of the end that are still kept in fingerprints */
	uint8_t fingerprint_tail;
	uint32_t fingerprints[BPEI_FINGERPRINTS]; /* a ring, of both ends */
};
_Static_assert(sizeof(struct bpei_tcp_anomalies) == 176, "head comment of table.h");

/* Returns the number of elements for so many flows. */
uint32_t bpei_anomalies_size(uint64_t max_flows);

/* Returns an odd number for bpei_anomalies_home, made of the seed. */
uint64_t bpei_anomalies_key(uint64_t seed);

/* Returns the home of an entry in a table of that size: multiply-shift with a random factor
 * (Dietzfelbinger et al., 1997).  Numbers chosen without knowing the factor collide as seldom as
 * any. */
uint32_t bpei_anomalies_home(uint64_t key, uint32_t size, uint32_t entry);

/* Returns the entry's anomalies; NULL: none.  Good until the next drop. */
struct bpei_tcp_anomalies *bpei_anomalies_find(const struct bpei_table *t, uint32_t entry);

/* Returns the entry's anomalies, made if need be; NULL: no room. */
struct bpei_tcp_anomalies *bpei_anomalies_get(struct bpei_table *t, uint32_t entry);

/* Frees the entry's anomalies, if any. */
void bpei_anomalies_drop(struct bpei_table *t, uint32_t entry);

/* Adds 1 to a count of the end.  a: the entry's anomalies, or NULL if there are none.  Returns the
 * entry's anomalies afterwards; NULL: no room, and the flow is marked STATE_CUT. */
struct bpei_tcp_anomalies *bpei_anomaly_count(struct bpei_table *t, uint32_t entry,
	struct bpei_tcp_anomalies *a, uint32_t end, enum bpei_anomaly what);

#endif
