/* SPDX-License-Identifier: MIT */
/* Printed names of numbers, for reports and records.  The public functions are declared in
 * bpfengine.h.  Stateless. */
#ifndef BPEI_ETHERTYPE_NAMES_H
#define BPEI_ETHERTYPE_NAMES_H

#include <stdint.h>

/* Returns the name of an ethertype that has no counter of its own, as "lldp"; NULL: unknown. */
const char *bpei_ethertype_name(uint32_t type);

#endif
