/* SPDX-License-Identifier: MIT */
/* Recognises DNS, mDNS and LLMNR by the first message of a direction.  Stateless.
 *
 * The three share their form, so a port tells which of them a message is.  On any port but
 * theirs a message must be DNS to the last byte: a header without odd bits, a question, and records
 * which fill the rest (strict).  On their own ports a message may be cut or have malformed
 * records behind the questions. */
#include "inspect/dns.h"

#include "base/bytes.h"

#define PORT_DNS 53u
#define PORT_NBNS 137u
#define PORT_MDNS 5353u
#define PORT_LLMNR 5355u

/* Bits of the flags. */
#define FLAG_AUTHORITATIVE 0x0400u
#define FLAG_RECURSION 0x0100u
#define FLAG_AVAILABLE 0x0080u
#define FLAG_ZERO 0x0040u
#define LLMNR_FLAGS 0x870fu

/* A question and a record take at least so many bytes. */
#define QUESTION_LEAST 5u
#define RECORD_LEAST 11u
/* Bytes within which a message's first question ends. */
#define QUESTION_ENDS (BPEI_DNS_HEADER + BPEI_DNS_WIRE + 4u)

static bool has_port(const struct bpei_stream *stream, uint16_t port)
{
	return stream->port[0] == port || stream->port[1] == port;
}

/* Returns whether a header fits a message of `length` bytes, which may be cut. */
static bool is_dns_header(const uint8_t *bytes, uint32_t length, bool strict)
{
	const uint32_t flags = bpei_be16(bytes + 2);
	const uint32_t opcode = flags >> 11 & 15u;
	const uint32_t questions = bpei_be16(bytes + 4);
	const uint32_t answers = bpei_be16(bytes + 6);
	const uint32_t others = (uint32_t)bpei_be16(bytes + 8) + bpei_be16(bytes + 10);
	const uint32_t least = BPEI_DNS_HEADER + questions * QUESTION_LEAST;

	if (opcode > 5 || opcode == 3)
		return false;
	if (!strict)
		return questions <= 16 && (questions || flags & BPEI_DNS_RESPONSE);
	if (questions != 1 || flags & FLAG_ZERO)
		return false;
	if (least + (answers + others) * RECORD_LEAST > length)
		return false;
	if (flags & BPEI_DNS_RESPONSE)
		return true;
	/* Notifies and updates are left to the ports of DNS. */
	return !opcode && !answers && others <= 4 &&
	       !(flags & (15u | FLAG_AUTHORITATIVE | FLAG_AVAILABLE | BPEI_DNS_TRUNCATED));
}

/* Returns whether a class is used in questions or records: IN, CH, HS, NONE, ANY. */
static bool is_dns_class(uint32_t class_)
{
	return class_ == 1 || class_ == 3 || class_ == 4 || class_ == 254 || class_ == 255;
}

/* Returns whether a type is assigned, or is for private use (RFC 6895). */
static bool is_dns_type(uint32_t type)
{
	return (type >= 1 && type <= 110) || (type >= 249 && type <= 263) || type == 32768 ||
	       type == 32769 || type >= 65280;
}

/* Returns whether a name has only visible ASCII in the labels. */
static bool is_visible_name(const uint8_t *wire)
{
	for (; *wire; wire += 1 + *wire)
		for (uint32_t i = 1; i <= *wire; i++)
			if (wire[i] <= ' ' || wire[i] >= 0x7f)
				return false;
	return true;
}

/* Returns whether a question is of NetBIOS (RFC 1002): a label of 32 letters from A to P. */
static bool is_netbios_name(const struct bpei_dns_message *message)
{
	const uint8_t *name = message->bytes + message->question;

	if (!message->question || *name != 32)
		return false;
	for (uint32_t i = 1; i <= 32; i++)
		if (name[i] < 'A' || name[i] > 'P')
			return false;
	return message->type == 32 || message->type == 33;
}

/* Returns whether all records are well-formed; strict: of known types and classes, and up to the
 * message's last byte. */
static bool are_dns_records(const struct bpei_dns_message *message, bool strict)
{
	uint8_t wire[BPEI_DNS_WIRE];
	struct bpei_dns_record record;
	struct bpei_dns_walk walk;

	bpei_dns_walk_init(&walk, message);
	while (bpei_dns_walk_next(&walk, &record)) {
		if (!bpei_dns_name(message, record.owner, wire, NULL))
			return false;
		if (record.type == BPEI_DNS_OPT || !strict)
			continue;
		if (!is_dns_type(record.type) || !is_dns_class(record.class_))
			return false;
	}
	return !walk.bad && (!strict || walk.at == message->n);
}

/* Returns whether the bytes are a whole message which is DNS beyond doubt. */
static bool is_dns_beyond_doubt(const uint8_t *bytes, uint32_t n)
{
	uint8_t wire[BPEI_DNS_WIRE];
	struct bpei_dns_message message;

	if (n < BPEI_DNS_HEADER + QUESTION_LEAST || !is_dns_header(bytes, n, true))
		return false;
	if (!bpei_dns_open(&message, bytes, n) || is_netbios_name(&message))
		return false;
	if (!is_dns_type(message.type) || !is_dns_class(message.class_))
		return false;
	if (!bpei_dns_name(&message, message.question, wire, NULL) || !is_visible_name(wire))
		return false;
	return are_dns_records(&message, true);
}

/* Returns whether the bytes, on a port of DNS, are a message with well-formed questions.  Records
 * may be cut or malformed if the question has a usual type and class. */
static bool is_dns_on_port(const uint8_t *bytes, uint32_t n)
{
	struct bpei_dns_message message;

	if (n < BPEI_DNS_HEADER || !is_dns_header(bytes, n, false))
		return false;
	if (!bpei_dns_open(&message, bytes, n) || is_netbios_name(&message))
		return false;
	if (!message.question)
		return are_dns_records(&message, false);
	return is_dns_class(message.class_ & 0x7fffu) &&
	       (is_dns_type(message.type) || are_dns_records(&message, false));
}

/* Returns the bytes of the first datagram. */
static uint32_t first_datagram(const struct bpei_stream *stream)
{
	return stream->datagrams ? stream->ends[0] : 0;
}

/* Recognises the length and the message of DNS over TCP. */
static enum bpei_verdict read_dns_segment(struct bpei_stream *stream, bool on_port)
{
	const uint32_t n = stream->n;
	uint32_t length = 0;
	uint32_t enough = 0;

	if (n < 2 + BPEI_DNS_HEADER && !on_port)
		return BPEI_NOT;
	stream->want = 2 + BPEI_DNS_HEADER;
	if (n < 2)
		return BPEI_MORE;
	length = bpei_be16(stream->bytes);
	if (length < BPEI_DNS_HEADER)
		return BPEI_NOT;
	if (n < 2 + BPEI_DNS_HEADER)
		return BPEI_MORE;
	if (!is_dns_header(stream->bytes + 2, length, !on_port))
		return BPEI_NOT;
	enough = 2 + length;
	if (on_port && length > QUESTION_ENDS)
		enough = 2 + QUESTION_ENDS;
	if (enough > BPEI_STREAM_MOST)
		return BPEI_NOT;
	if (n < enough) {
		stream->want = enough;
		return stream->last ? BPEI_NOT : BPEI_MORE;
	}
	if (length > n - 2)
		length = n - 2;
	if (!on_port)
		return is_dns_beyond_doubt(stream->bytes + 2, length) ? BPEI_EACH : BPEI_NOT;
	return is_dns_on_port(stream->bytes + 2, length) ? BPEI_EACH : BPEI_NOT;
}

enum bpei_verdict bpei_read_dns(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said)
{
	const bool on_port = has_port(stream, PORT_DNS);
	const uint32_t n = first_datagram(stream);
	enum bpei_verdict verdict = BPEI_NOT;

	(void)in;
	if (has_port(stream, PORT_NBNS))
		return BPEI_NOT;
	if (!stream->ends)
		verdict = read_dns_segment(stream, on_port);
	else if (on_port ? is_dns_on_port(stream->bytes, n) : is_dns_beyond_doubt(stream->bytes, n))
		verdict = BPEI_EACH;
	if (verdict == BPEI_EACH)
		said->app = BPE_APP_DNS;
	return verdict;
}

enum bpei_verdict bpei_read_mdns(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said)
{
	const uint32_t n = first_datagram(stream);
	struct bpei_dns_message message;
	uint32_t questions = 0;

	(void)in;
	if (n < BPEI_DNS_HEADER || !has_port(stream, PORT_MDNS))
		return BPEI_NOT;
	/* Opcode and code are zero when sent (RFC 6762, 18), recursion is not desired. */
	if (bpei_be16(stream->bytes + 2) & 0x790fu)
		return BPEI_NOT;
	questions = bpei_be16(stream->bytes + 4);
	if (questions > 255 || (!questions && !bpei_be16(stream->bytes + 6)))
		return BPEI_NOT;
	if (!bpei_dns_open(&message, stream->bytes, n) || !are_dns_records(&message, false))
		return BPEI_NOT;
	if (questions && !is_dns_class(message.class_ & 0x7fffu))
		return BPEI_NOT;
	said->app = BPE_APP_MDNS;
	return BPEI_EACH;
}

enum bpei_verdict bpei_read_llmnr(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said)
{
	const uint32_t n = first_datagram(stream);
	struct bpei_dns_message message;

	(void)in;
	if (n < BPEI_DNS_HEADER + QUESTION_LEAST || !has_port(stream, PORT_LLMNR))
		return BPEI_NOT;
	if (bpei_be16(stream->bytes + 2) & ~LLMNR_FLAGS || bpei_be16(stream->bytes + 4) != 1)
		return BPEI_NOT;
	if (!bpei_dns_open(&message, stream->bytes, n) || !is_dns_class(message.class_))
		return BPEI_NOT;
	if (!is_dns_type(message.type) || !are_dns_records(&message, true))
		return BPEI_NOT;
	said->app = BPE_APP_LLMNR;
	return BPEI_EACH;
}
