/* SPDX-License-Identifier: MIT */
/* Functions that the parts of the encoder share. */
#ifndef IPFIX_WRITING_H
#define IPFIX_WRITING_H

#include "elements.h"
#include "encoder.h"

#define IPFIX_TEXT_MOST 255    /* bytes of a text, without the length */
#define IPFIX_RECORD_MOST 1100 /* bytes of any record, checked by a test */

/* Writes a flow's record of direction d at a place with room for encoder->record_most bytes.
 * Returns the end. */
uint8_t *ipfix_record_write(uint8_t *at, const struct ipfix_encoder *encoder,
	const struct bpe_flow *flow, uint32_t shape, uint32_t d);
/* Writes what both directions of a flow share; before its records. */
void ipfix_own_begin(struct ipfix_own *own, const struct bpe_flow *flow);
/* Writes the fields of our own profile for direction d.  Returns the end. */
uint8_t *ipfix_own_put(
	uint8_t *at, const struct ipfix_own *own, const struct bpe_flow *flow, uint32_t d);
/* Returns an upper limit of the bytes of a record, by config. */
uint32_t ipfix_record_most(const struct ipfix_config *config);
/* Writes at most 255 bytes of a text, with the length in front (RFC 7011, 7), as valid UTF-8.
 * Returns the end, at most 258 bytes further. */
uint8_t *ipfix_text_put(uint8_t *at, const char *text, size_t most);
/* Copies a text as valid UTF-8: bytes of no character become "?".  Returns the bytes copied. */
size_t ipfix_text_copy(uint8_t *at, const char *text, size_t most);
/* Returns the number of the interface in records; 0: unknown. */
uint32_t ipfix_interface_number(const struct bpe_flow *flow);
/* Returns whether the flow is of ICMP or ICMPv6. */
bool ipfix_is_icmp(const struct bpe_flow *flow);
/* Returns the number of a process; 0: unknown. */
uint32_t ipfix_pid(int32_t pid);
/* Returns the ICMP type and code, or 0. */
uint32_t ipfix_icmp(const struct bpe_flow *flow);
/* Returns bytes of IP, or of the wire if lengths were not counted. */
uint64_t ipfix_octets(const struct bpe_flow *flow, uint32_t d);
/* Returns milliseconds since 1970; times before are 0. */
int64_t ipfix_ms(int64_t ns);
/* Returns flowEndReason; 0: the flow goes on, and no period is over. */
uint32_t ipfix_end_reason(const struct bpe_flow *flow);

/* Returns room for n bytes of a data record in a set, or NULL if the message has none. */
uint8_t *ipfix_set_reserve(struct ipfix_encoder *encoder, uint32_t set_id, uint32_t n);
/* Counts n bytes, written behind ipfix_set_reserve. */
void ipfix_set_commit(struct ipfix_encoder *encoder, uint32_t n);
/* Ends the open set, if a set is open. */
void ipfix_set_close(struct ipfix_encoder *encoder);

/* Writes a template or an options record.  Returns false if the message has no room. */
bool ipfix_template_write(struct ipfix_encoder *encoder, uint32_t template);
bool ipfix_option_write(struct ipfix_encoder *encoder, uint32_t option);
bool ipfix_interface_write(struct ipfix_encoder *encoder, uint32_t seen);
/* Returns the number of option records, without interfaces. */
uint32_t ipfix_option_count(const struct ipfix_config *config);

/* Moves the uptimes of a NetFlow message so that the flow fits.  Returns false if the message must
 * be finished first. */
bool ipfix_uptime_fit(struct ipfix_encoder *encoder, const struct bpe_flow *flow);
/* Returns the time of export in ms, a whole second, for a NetFlow header. */
int64_t ipfix_uptime_export(const struct ipfix_encoder *encoder, int64_t now_ns);

/* NetFlow v5 (netflow5.c); as ipfix_add and ipfix_finish. */
#define NETFLOW5_HEADER 24u
int ipfix_five_add(struct ipfix_encoder *encoder, const struct bpe_flow *flow);
void ipfix_five_header(struct ipfix_encoder *encoder, int64_t now_ns);

#endif
