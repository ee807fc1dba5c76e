/* SPDX-License-Identifier: MIT */
/* A namer without a flow table: packets are made here, and the entry of each is named. */
#ifndef NAMER_HARNESS_H
#define NAMER_HARNESS_H

#include "naming/watch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define ENTRIES 4096u
#define SECOND INT64_C(1000000000)

static struct bpei_namer *namer;
static uint32_t ids[ENTRIES + 1];
static int64_t now_ns;
static uint32_t told; /* events, as bits of enum bpe_event_kind */

/* A packet to be sent. */
struct packet {
	uint32_t entry; /* also makes the addresses */
	uint32_t end;   /* 0: the originator sends */
	uint32_t seq, ack;
	uint8_t flags;       /* TCP */
	bool udp, vlan, ip6; /* else TCP, without, IPv4 */
	uint16_t port;       /* of the responder; 0: 443 */
	const void *payload;
	uint32_t n;
	uint32_t captured; /* bytes of the payload that are captured, if is_cut */
	bool is_cut;
};

/* Returns the end: the originator has the lower address. */
static int end_of_flow(
	const struct bpei_table *table, uint32_t entry, const struct bpe_key *key, uint32_t end)
{
	(void)table;
	(void)entry;
	(void)key;
	return (int)end;
}

static void mark_event(
	void *user, uint32_t kind, uint32_t entry, int64_t time_ns, const struct bpe_dns *dns)
{
	(void)user;
	(void)entry;
	(void)time_ns;
	(void)dns;
	told |= 1u << kind;
}

static void make_namer(uint32_t names, uint64_t bytes)
{
	const struct bpei_namer_options options = { .names = names,
		.bytes = bytes,
		.quic_per_second = 1000,
		.seed = 1234567,
		.end_of = end_of_flow,
		.emit = mark_event };

	memset(ids, 0, sizeof ids);
	now_ns = 1000 * SECOND;
	told = 0;
	namer = bpei_namer_new(&options);
	cr_assert_not_null(namer);
	bpei_namer_ids(namer, NULL, ids, ENTRIES + 1);
}

static void store_be16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void store_be32(uint8_t *to, uint32_t value)
{
	store_be16(to, value >> 16);
	store_be16(to + 2, value & 0xffff);
}

/* Writes the packet's bytes.  Returns their number on the wire. */
static uint32_t write_named_packet(const struct packet *p, uint8_t *bytes)
{
	const uint32_t transport = p->udp ? 8 : 20;
	const uint32_t length = transport + p->n;
	const uint32_t port = p->port ? p->port : 443;
	uint8_t *at = bytes + 12;

	memset(bytes, 0, 100);
	if (p->vlan) {
		store_be16(at, 0x8100);
		store_be16(at + 2, 7);
		at += 4;
	}
	store_be16(at, p->ip6 ? 0x86dd : 0x0800);
	at += 2;
	for (int k = 0; k < 2; k++) { /* 10.x.x.1 and 10.x.x.2 */
		const uint32_t end = k ? !p->end : p->end;
		const uint32_t address = 0x0a000001 + (p->entry << 8) + end;

		store_be32(at + (p->ip6 ? 20 + 16 * k : 12 + 4 * k), address);
	}
	if (p->ip6) {
		at[0] = 0x60;
		store_be16(at + 4, length);
		at[6] = p->udp ? 17 : 6;
		at[7] = 64;
		at += 40;
	} else {
		at[0] = 0x45;
		store_be16(at + 2, 20 + length);
		at[8] = 64;
		at[9] = p->udp ? 17 : 6;
		at += 20;
	}
	store_be16(at, p->end ? port : 40000);
	store_be16(at + 2, p->end ? 40000 : port);
	if (p->udp) {
		store_be16(at + 4, length);
	} else {
		store_be32(at + 4, p->seq);
		store_be32(at + 8, p->ack);
		at[12] = 0x50;
		at[13] = p->flags;
	}
	if (p->n)
		memcpy(at + transport, p->payload, p->n);
	return (uint32_t)(at + transport - bytes) + p->n;
}

/* Sends up to BPE_BATCH packets in a batch. */
static void send_named_batch(const struct packet *packets, uint32_t n)
{
	static uint8_t bytes[BPE_BATCH][66000];
	const uint8_t *data[BPE_BATCH];
	int64_t time_ns[BPE_BATCH];
	uint32_t caplen[BPE_BATCH], wirelen[BPE_BATCH], hash[BPE_BATCH], flow[BPE_BATCH];
	struct bpe_layers layers[BPE_BATCH];
	struct bpe_key key[BPE_BATCH];
	const struct bpe_batch batch = { .size = sizeof batch,
		.count = n,
		.data = data,
		.time_ns = time_ns,
		.caplen = caplen,
		.wirelen = wirelen,
		.layers = layers,
		.key = key,
		.hash = hash,
		.flow = flow };

	for (uint32_t k = 0; k < n; k++) {
		const struct packet *const p = &packets[k];

		wirelen[k] = write_named_packet(p, bytes[k]);
		caplen[k] = wirelen[k];
		if (p->is_cut)
			caplen[k] = wirelen[k] - p->n + p->captured;
		data[k] = bytes[k];
		time_ns[k] = now_ns++;
		hash[k] = 1;
		flow[k] = p->entry;
		cr_assert_eq(bpe_parse(bytes[k], caplen[k], wirelen[k], 1, &layers[k], &key[k]), 1);
	}
	bpei_namer_batch(namer, &batch, now_ns);
}

static void send_named(struct packet p)
{
	send_named_batch(&p, 1);
}

/* Returns the names of an entry. */
static const struct bpe_flow_names *names_of(uint32_t entry)
{
	static struct bpe_flow record;

	memset(&record, 0, sizeof record);
	record.ip_version = 4;
	record.first_ns = now_ns;
	bpei_namer_fill(namer, entry, &record);
	return &record.names;
}

/* Ends a flow, as the table does. */
static void end_flow(uint32_t entry)
{
	if (ids[entry])
		bpei_namer_close(namer, entry);
	if (ids[entry])
		bpei_namer_drop(namer, entry);
}

/* Ends all flows.  Nothing is left of any. */
static void free_namer(void)
{
	for (uint32_t k = 0; k < ENTRIES; k++)
		end_flow(k);
	bpei_namer_age(namer, now_ns);
	cr_assert_eq(namer->watches.used, 0);
	cr_assert_eq(namer->chunks.used, 0);
	cr_assert_eq(namer->slabs.pool.used, 0);
	cr_assert_eq(namer->slabs.texts.used, 0);
	cr_assert_eq(namer->oldest, 0);
	cr_assert_eq(namer->newest, 0);
	cr_assert_eq(bpei_counter_get(&namer->counts.pending), 0);
	bpei_namer_free(namer);
	namer = NULL;
}

/* Sends the handshake of a connection. */
static void send_named_handshake(uint32_t entry, uint32_t client, uint32_t server)
{
	send_named((struct packet){ .entry = entry, .seq = client - 1, .flags = 2 });
	send_named((struct packet){
		.entry = entry, .end = 1, .seq = server - 1, .ack = client, .flags = 0x12 });
	send_named((struct packet){ .entry = entry, .seq = client, .ack = server, .flags = 0x10 });
}

#endif
