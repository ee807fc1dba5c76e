/* SPDX-License-Identifier: MIT */
/* The tables of hosts.h, for the writing part (hosts.c) and the reading part (hosts_find.c). */
#ifndef BPEI_HOSTS_TABLE_H
#define BPEI_HOSTS_TABLE_H

#include "naming/hosts.h"

#include "base/cacheline.h"
#include "base/counter.h"

#include <stdatomic.h>

#define BPEI_HOSTS_WAYS 8u

/* Kinds of names; the second and third byte of a key's kind are the addresses' versions. */
enum { BPEI_HOST_ASKED = 1, BPEI_HOST_ANYONE = 2, BPEI_HOST_OWN = 3 };

/* Words of a slot: 0 to 3 are the addresses of asker and answer; behind the fixed words comes the
 * name. */
enum {
	BPEI_HOST_KIND = 4,  /* kind, versions, source (byte 4), length of the name (byte 5) */
	BPEI_HOST_TTL = 5,   /* seconds, as answered */
	BPEI_HOST_FIRST = 6, /* times of the first and of the last answer with this name */
	BPEI_HOST_LAST = 7,
	BPEI_HOST_UNTIL = 8, /* flows which begin later do not get the name */
	BPEI_HOST_CLASH = 9, /* ANYONE: flows up to this time may be meant by another name */
	BPEI_HOST_FIXED = 10
};
#define BPEI_HOST_WORDS (BPEI_HOST_FIXED + 32u)

/* w: the table's owner  r: all workers */
struct bpei_host_slot {
	_Atomic uint64_t sequence; /* odd: being written */
	_Atomic uint64_t words[BPEI_HOST_WORDS];
};

/* A table of a worker. */
struct bpei_hosts_table {
	_Atomic uint32_t *tags; /* w: owner  r: all; [sets * ways]; 0: the slot is empty */
	struct bpei_host_slot *slots;
	uint32_t mask;         /* sets - 1 */
	bpei_counter used;     /* w: owner  r: all; slots with a name */
	bpei_counter evicted;  /* w: owner  r: all */
	BPEI_ALIGNED char end; /* the next table is on another line */
};

struct bpei_hosts {
	uint32_t workers;
	struct bpei_hosts_table *tables; /* [workers] */
};

/* A name's key, and where the key lies. */
struct bpei_host_key {
	uint64_t words[4];
	uint32_t kind, tag, set;
};

/* A copy of a slot. */
struct bpei_host_copy {
	uint64_t words[BPEI_HOST_FIXED];
	char name[257];
};

static inline uint32_t bpei_host_length(const struct bpei_host_copy *host)
{
	return host->words[BPEI_HOST_KIND] >> 40 & 0xff;
}
static inline uint8_t bpei_host_source(const struct bpei_host_copy *host)
{
	return (uint8_t)(host->words[BPEI_HOST_KIND] >> 32);
}

/* Returns the key of a name; asker is NULL for all kinds but BPEI_HOST_ASKED. */
struct bpei_host_key bpei_host_key_make(uint32_t kind, const uint8_t *asker, uint32_t asker_version,
	const uint8_t *address, uint32_t version);
/* Copies a slot which has the key; returns false if the slot has another.  Any thread. */
bool bpei_host_slot_read(const struct bpei_host_slot *slot, const struct bpei_host_key *key,
	struct bpei_host_copy *host);

#endif
