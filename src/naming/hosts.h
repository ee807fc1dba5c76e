/* SPDX-License-Identifier: MIT */
/* Names of addresses, as DNS, mDNS and DHCP said them: a table for each worker, which all workers
 * read. */
#ifndef BPEI_HOSTS_H
#define BPEI_HOSTS_H

#include "bpfengine.h"

/* TTLs by which a name may be used for new flows: resolvers and programs keep names longer than
 * short TTLs, and no name is kept for more than a day. */
#define BPEI_HOSTS_TTL_LEAST_S 60u
#define BPEI_HOSTS_TTL_MOST_S 86400u
/* The least for own names (mDNS, DHCP): hosts keep addresses for longer than they say. */
#define BPEI_HOSTS_OWN_LEAST_S 3600u
/* A flow may come before the answer by this time, since workers do not wait for each other. */
#define BPEI_HOSTS_EARLY_NS 1000000000ll
/* Names which are kept for the same asker and address. */
#define BPEI_HOSTS_CANDIDATES 4u

struct bpe_flow_names;
struct bpei_hosts;

/* A name which was said. */
struct bpei_host_said {
	const uint8_t *asker;   /* of the asker, in network byte order; NULL: the name is
				 * the address's own (mDNS, LLMNR, DHCP) */
	const uint8_t *address; /* which address the name has */
	uint8_t asker_version;  /* 4 or 6 */
	uint8_t version;        /* of address: 4 or 6 */
	uint8_t source;         /* BPE_NAME_DNS, BPE_NAME_MDNS, BPE_NAME_DHCP */
	uint32_t ttl_s;
	int64_t time_ns;
	const char *name; /* at most 255 bytes */
};

/* Makes tables for so many workers with bytes of memory for each.  Returns NULL without memory. */
struct bpei_hosts *bpei_hosts_new(uint32_t workers, uint64_t bytes_each);
void bpei_hosts_free(struct bpei_hosts *hosts); /* NULL is allowed */

/* Puts a name into the worker's table.  Only the worker's own thread. */
void bpei_hosts_put(struct bpei_hosts *hosts, uint32_t worker, const struct bpei_host_said *said);

/* The question of a flow. */
struct bpei_hosts_ask {
	const uint8_t *originator, *responder; /* addresses */
	uint8_t version;                       /* 4 or 6 */
	int64_t first_ns;                      /* of the flow */
};

/* Fills server, source, others, others_count, age_ns and ttl_ns if said->source is none or worse
 * than the tables' name; fills client if empty.  Any thread; waits for nobody. */
void bpei_hosts_find(const struct bpei_hosts *hosts, const struct bpei_hosts_ask *ask,
	struct bpe_flow_names *said);

/* Names which were forgotten for want of room before their time was over.  Any thread. */
uint64_t bpei_hosts_evicted(const struct bpei_hosts *hosts, uint32_t worker);
/* Bytes of memory in use.  Any thread. */
uint64_t bpei_hosts_bytes(const struct bpei_hosts *hosts, uint32_t worker);

#endif
