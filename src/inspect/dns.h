/* SPDX-License-Identifier: MIT */
/* DNS messages (RFC 1035): also messages of mDNS (RFC 6762) and LLMNR (RFC 4795).  Pure functions
 * of a message.  The readers of inspect.h (bpei_read_dns and others) recognise the flow; the
 * functions here read each message of the flow. */
#ifndef BPEI_DNS_H
#define BPEI_DNS_H

#include "inspect/inspect.h"

/* The header of a message, and the wire form of a name with the final 0. */
#define BPEI_DNS_HEADER 12u
#define BPEI_DNS_WIRE 255u

/* Types of records which the engine reads. */
#define BPEI_DNS_A 1u
#define BPEI_DNS_NS 2u
#define BPEI_DNS_CNAME 5u
#define BPEI_DNS_SOA 6u
#define BPEI_DNS_PTR 12u
#define BPEI_DNS_MX 15u
#define BPEI_DNS_TXT 16u
#define BPEI_DNS_AAAA 28u
#define BPEI_DNS_SRV 33u
#define BPEI_DNS_DNAME 39u
#define BPEI_DNS_OPT 41u
#define BPEI_DNS_SVCB 64u
#define BPEI_DNS_HTTPS 65u

/* Flags of a header's second word. */
#define BPEI_DNS_RESPONSE 0x8000u
#define BPEI_DNS_TRUNCATED 0x0200u

/* A message which bpei_dns_open has found to be well-formed as far as `n` reaches. */
struct bpei_dns_message {
	const uint8_t *bytes;
	uint32_t n;
	uint16_t id, flags;
	uint16_t counts[4];    /* questions, answers, authorities, additional records */
	uint32_t records;      /* offset of the first record, behind the questions */
	uint16_t type, class_; /* of the first question; 0: none */
	uint32_t question;     /* offset of the first question's name; 0: none */
};

/* A record.  Offsets are into the message. */
struct bpei_dns_record {
	uint16_t type, class_; /* mDNS: the highest bit of class_ is the cache-flush bit */
	uint32_t ttl;          /* seconds; a TTL with the highest bit set is 0 (RFC 2181, 8) */
	uint32_t owner;        /* offset of the name */
	uint32_t data;         /* offset of RDATA */
	uint16_t data_bytes;
	uint8_t section; /* 1: answer, 2: authority, 3: additional */
};

/* A walk over the records of all sections. */
struct bpei_dns_walk {
	const struct bpei_dns_message *message;
	uint32_t at;
	uint32_t left[4]; /* records which are still to come, by section; [0] is unused */
	bool bad;         /* the message ended within a record, or a record is malformed */
};

/* Reads the header and the questions.  Returns false, with *message unspecified, if these are
 * malformed or cut off. */
bool bpei_dns_open(struct bpei_dns_message *message, const uint8_t *bytes, uint32_t n);
/* Starts a walk over the message's records. */
void bpei_dns_walk_init(struct bpei_dns_walk *walk, const struct bpei_dns_message *message);
/* Returns true with the next record, whose name and RDATA lie within the message. */
bool bpei_dns_walk_next(struct bpei_dns_walk *walk, struct bpei_dns_record *record);

/* Copies the name at offset `at` without compression: labels with their lengths, and the final 0.
 * Returns the bytes (1 to BPEI_DNS_WIRE), or 0 if the name is malformed: a pointer which does not
 * point backward, more than 127 labels, more than 255 bytes, or bytes behind the end.  `behind`
 * (NULL: unwanted) becomes the offset behind the name. */
uint32_t bpei_dns_name(const struct bpei_dns_message *message, uint32_t at,
	uint8_t wire[BPEI_DNS_WIRE], uint32_t *behind);
/* Writes a name's wire form as text (RFC 1035, 5.1): "www.example.com", "." for the root.  Dots
 * and special characters within labels become \., control bytes and spaces \DDD; valid UTF-8
 * stays.  A long text is cut off between characters.  Returns whether all of it fitted. */
bool bpei_dns_name_text(char *to, size_t room, const uint8_t *wire);
/* Returns whether two names in wire form are equal, without regard to the case of ASCII. */
bool bpei_dns_name_equal(const uint8_t *a, const uint8_t *b);
/* Writes RDATA as text: types which are listed above in their own form, others as "\# n hex"
 * (RFC 3597).  Malformed RDATA also is written in the second form.  A long text is cut. */
void bpei_dns_data_text(char *to, size_t room, const struct bpei_dns_message *message,
	const struct bpei_dns_record *record);
/* Fills an event from a message: header, question and answers; seen by the response bit; rtt_ns
 * is -1. */
void bpei_dns_fill(struct bpe_dns *dns, const struct bpei_dns_message *message);

/* Readers (inspect.h), all with the verdict EACH.  app tells the kind. */
enum bpei_verdict bpei_read_dns(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_mdns(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_llmnr(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_dhcp(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_dhcp6(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said);

#endif
