/* SPDX-License-Identifier: MIT */
/* The formats of an event's line: a function a format, and what they share.  Pure. */
#ifndef BPEI_FORMAT_EVENTS_H
#define BPEI_FORMAT_EVENTS_H

#include "format/parts.h"

/* Bits of the second word of DNS's header (RFC 1035, 4.1.1; RFC 4035, 3.2). */
#define BPEI_DNS_QR 0x8000u
#define BPEI_DNS_AA 0x0400u
#define BPEI_DNS_TC 0x0200u
#define BPEI_DNS_RD 0x0100u
#define BPEI_DNS_RA 0x0080u
#define BPEI_DNS_AD 0x0020u
#define BPEI_DNS_CD 0x0010u

/* Each writes an event as a line, without the line's end. */
void bpei_event_json(struct bpei_writer *w, const struct bpe_event *event);
void bpei_event_zeek(struct bpei_writer *w, const struct bpe_event *event);
void bpei_event_eve(struct bpei_writer *w, const struct bpe_event *event);
void bpei_event_ecs(struct bpei_writer *w, const struct bpe_event *event);

/* ---- events_text.c ---- */

/* Writes `name`, the type's name or e.g. TYPE1234, and a quote. */
void bpei_event_write_dns_type(
	struct bpei_writer *w, const char *name, const char *unknown, uint16_t type);
/* Writes `name`, a text from the wire and nothing else; nothing for "". */
void bpei_event_write_text(struct bpei_writer *w, const char *name, const char *text, size_t most);
/* Writes the set flags of DNS's header as an array of strings. */
void bpei_event_write_dns_flags(struct bpei_writer *w, const char *name, uint16_t flags);
/* Writes ,"rcode":"NXDOMAIN"; name: all before the value's quote.  unknown: before a number. */
void bpei_event_write_rcode(
	struct bpei_writer *w, const char *name, const char *unknown, uint8_t rcode);

/* The parts of an SSH version string (RFC 4253, 4.2). */
struct bpei_ssh_version {
	const char *proto, *software; /* "2.0", "OpenSSH_9.6"; NULL: no version string */
	size_t proto_bytes, software_bytes;
};
struct bpei_ssh_version bpei_event_ssh_version(const char *banner, size_t most);

#endif
