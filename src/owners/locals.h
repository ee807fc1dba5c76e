/* SPDX-License-Identifier: MIT */
/* The addresses of this host, as getifaddrs(3) tells; read anew at most once a second. */
#ifndef BPEI_OWNERS_LOCALS_H
#define BPEI_OWNERS_LOCALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpei_local {
	uint8_t addr[16];
	uint8_t ip_version;
};

struct bpei_locals {
	struct bpei_local *of;
	size_t count, room;
	int64_t read_ns; /* 0: never */
};

/* Adds an address of 4 or 16 bytes.  Returns false without memory. */
bool bpei_locals_add(struct bpei_locals *locals, const uint8_t *addr, uint8_t ip_version);
/* Reads all addresses, unless that was done less than a second before now_ns. */
void bpei_locals_read(struct bpei_locals *locals, int64_t now_ns);
/* Returns whether the address is this host's: loopback, or of an interface. */
bool bpei_locals_have(const struct bpei_locals *locals, const uint8_t *addr, uint8_t ip_version);
/* Returns whether packets to the address go to many hosts: multicast, broadcast to all. */
bool bpei_is_address_of_many(const uint8_t *addr, uint8_t ip_version);
void bpei_locals_free(struct bpei_locals *locals);

#endif
