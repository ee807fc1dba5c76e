/* SPDX-License-Identifier: MIT */
/* The address by which GoFlow2's consumers know a sensor. */
#ifndef KAFKA_SAMPLER_H
#define KAFKA_SAMPLER_H

#include <stdint.h>

/* Finds an address of this host that is no loopback address: IPv4, else IPv6 that is not
 * link-local.  Returns its bytes, 4 or 16, or 0 if there is none. */
uint8_t kafka_sampler_find(uint8_t address[16]);

#endif
