/* SPDX-License-Identifier: MIT */
/* Messages of flows whose every message is read (BPEI_EACH): DNS, mDNS, LLMNR, DHCP.  Answers are
 * paired with their queries, become events, and give names to the table of hosts. */
#ifndef BPEI_DNS_PAIRS_H
#define BPEI_DNS_PAIRS_H

#include "naming/hosts.h"

/* A query without an answer becomes an event alone after this time. */
#define BPEI_DNS_WAIT_NS 10000000000ll
/* Queries which wait for an answer, at most, in a worker. */
#define BPEI_DNS_WAITING 4096u

struct bpe_dns;
struct bpei_dns_pairs;

/* Called with each event: the flow's entry in the table, the event's time, and the event, a view.
 * dns->seen tells the kinds of messages. */
typedef void (*bpei_dns_emit_fn)(
	void *user, uint32_t entry, int64_t time_ns, const struct bpe_dns *dns);

/* A message: the payload of a datagram, or the bytes behind the length of two bytes in TCP. */
struct bpei_message {
	const uint8_t *bytes;
	uint32_t n;
	uint8_t app;              /* enum bpe_app of the flow: DNS, MDNS, LLMNR, DHCP, DHCPV6 */
	uint8_t version;          /* of the addresses: 4 or 6 */
	bool cut;                 /* the capture has not all bytes of the message */
	const uint8_t *from, *to; /* addresses of sender and receiver */
	uint32_t entry;           /* of the flow, in the worker's table */
	int64_t time_ns;
};

/* Makes the pairs of a worker.  names: options.names: without BPE_NAMES_DNS nothing is put by DNS
 * and no events are emitted, without BPE_NAMES_HOSTS nothing is put by mDNS and DHCP.
 * emit: NULL: no events, and nothing is paired.  hosts is borrowed; NULL: no names are kept.
 * Returns NULL without memory. */
struct bpei_dns_pairs *bpei_dns_pairs_new(struct bpei_hosts *hosts, uint32_t worker, uint32_t names,
	bpei_dns_emit_fn emit, void *user);
void bpei_dns_pairs_free(struct bpei_dns_pairs *pairs); /* NULL is allowed; emits nothing */

/* Reads a message.  Returns whether the message was well-formed as far as captured.  The worker's
 * thread, as all functions below. */
bool bpei_dns_pairs_message(struct bpei_dns_pairs *pairs, const struct bpei_message *message);
/* Emits queries which have waited too long; cheap if there are none.  Once a batch. */
void bpei_dns_pairs_expire(struct bpei_dns_pairs *pairs, int64_t now_ns);
/* Emits the queries of a flow which ends, whose entry will be another flow's.  Before the entry is
 * freed; cheap if nothing waits. */
void bpei_dns_pairs_end(struct bpei_dns_pairs *pairs, uint32_t entry);

/* Messages which were read (bpe_stats.dns_messages).  Any thread. */
uint64_t bpei_dns_pairs_messages(const struct bpei_dns_pairs *pairs);

#endif
