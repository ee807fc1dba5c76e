/* SPDX-License-Identifier: MIT */
/* Stateless; as thread-safe as the system's ether_hostton(3). */
#ifndef BPEI_ETHERS_H
#define BPEI_ETHERS_H

#include <stdbool.h>
#include <stdint.h>

/* An Ethernet address by its name in ethers(5); false: there is none, or the system cannot say. */
bool bpei_ether_name(const char *name, uint8_t mac[6]);

#endif
