/* SPDX-License-Identifier: MIT */
/* Facts about the system's interfaces: the names of their hardware and their netmasks. */
#ifndef BPEI_INTERFACES_H
#define BPEI_INTERFACES_H

#include "bpfengine.h"

/* macOS: "Wi-Fi", "Thunderbolt Bridge", as System Settings shows them.  The two frameworks are
 * loaded for the time of the call, so the library itself needs none; paths as for dlopen(3).
 * Returns how many names were found. */
int bpei_list_frameworks(const char *core_foundation, const char *system_configuration,
	struct bpe_interface *all, int count);

struct sockaddr;

/* Returns how many bits of a netmask of getifaddrs(3) are set; `family`: the address's family,
 * since the mask's family may be 0. The BSDs and macOS trim a mask's trailing zero bytes (xnu,
 * in_socktrim): `sa_len` says how many bytes are there, and the bytes behind them belong to
 * something else. */
uint8_t bpei_netmask_prefix(const struct sockaddr *mask, int family);

/* Returns how many bits are set in the first `given` of a netmask's bytes, of which an address has
 * `whole`. */
uint8_t bpei_netmask_bits(const uint8_t *bytes, size_t given, size_t whole);

#endif
