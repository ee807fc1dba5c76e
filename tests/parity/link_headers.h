/* SPDX-License-Identifier: MIT */
/* Link headers for made packets, of every link type that filters know. */
#ifndef LINK_HEADERS_H
#define LINK_HEADERS_H

#include <stdint.h>

/* Writes a header of the link type that announces the ethertype to h, of 200 bytes.  Returns the
 * header's length. */
uint32_t make_link_type_header(int link, uint8_t *h, uint32_t type);

#endif
