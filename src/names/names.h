/* SPDX-License-Identifier: MIT */
/* Printed names of numbers, for reports and records.  The public functions are declared in
 * bpfengine.h.  Stateless. */
#ifndef BPEI_ETHERTYPE_NAMES_H
#define BPEI_ETHERTYPE_NAMES_H

#include <stdint.h>

/* Returns the name of an ethertype that has no counter of its own, as "lldp"; NULL: unknown. */
const char *bpei_ethertype_name(uint32_t type);

/* Each returns NULL for an unknown number. */
const char *bpei_tls_cipher_name(uint16_t cipher);    /* "TLS_AES_128_GCM_SHA256" */
const char *bpei_tls_version_name(uint16_t version);  /* "1.3"; DTLS's numbers as well */
const char *bpei_quic_version_name(uint32_t version); /* "1", "2", "draft-29" */
const char *bpei_dns_type_name(uint16_t type);        /* "AAAA" */
const char *bpei_dns_class_name(uint16_t class_);     /* "IN" */
const char *bpei_dns_rcode_name(uint8_t rcode);       /* "NXDOMAIN" */
const char *bpei_dns_opcode_name(uint8_t opcode);     /* "QUERY" */

#endif
