/* SPDX-License-Identifier: MIT */
/* Names of Ethernet addresses.  Stateless; as thread-safe as the system's ether_hostton(3). */
#ifndef BPEI_ETHERS_H
#define BPEI_ETHERS_H

#include <stdbool.h>
#include <stdint.h>

/* Finds an Ethernet address by a name in ethers(5).  Returns false for an unknown name. */
bool bpei_ether_name(const char *name, uint8_t mac[6]);

#endif
