/* SPDX-License-Identifier: MIT */
/* The traffic of the synth device.  The state is a slot for each conversation; the caller of
 * bpei_synth_gen_new owns the generator.
 *
 * A slot follows a script.  TCP has a handshake, data both ways with right sequence numbers and
 * some segments sent twice, and ends with FINs, a reset, or a refusal.  DNS has a query and an
 * answer. Datagram streams and echoes run for a while.  ARP has a request and a reply.  At the end
 * of a script the slot begins anew from another port, so connections come and go for ever.  Each
 * slot has a separate client address: no two slots share a flow.  Clients: 10.0.0.0/8,
 * 2001:db8::/32 (RFC 3849); servers: 198.18.0.0/15 (RFC 2544).  Checksums are right: payloads are
 * prefixes of a table of noise with known partial sums. */
#include "device/synth_gen.h"

#include "base/bytes.h"
#include "names/numbers.h"

#include <stdlib.h>
#include <string.h>

enum conversation {
	TCP_WHOLE,
	TCP_REFUSED,
	TCP_RESET,
	UDP_STREAM,
	UDP_DNS,
	ICMP_ECHO,
	ARP_REQUEST
};
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { LEAST_FRAME = 60 }; /* Ethernet's minimum, without the check sequence */
enum { ECHO_STEPS = 8, PING_PONG_STEPS = 2 };

struct slot {
	uint32_t number, generation;
	uint32_t seq[2];
	uint16_t client_port, server_port;
	uint16_t step, data; /* steps done; data packets in the middle of the script */
	uint16_t vlan;       /* 0: untagged */
	uint8_t kind, ipv6;  /* kind: enum conversation */
};

#define NOISE_BYTES 1600u
#define SPLITMIX_STEP 0x9e3779b97f4a7c15u

struct bpei_synth_gen {
	struct bpei_synth_options options;
	struct bpei_synth_truth truth;
	uint64_t random;
	uint8_t noise[NOISE_BYTES];
	uint32_t sums[NOISE_BYTES / 2 + 1]; /* of the noise's first 2k bytes, big-endian words */
	struct slot slots[];
};

/* A packet of a conversation. */
struct segment {
	bool back;       /* from the server */
	bool data;       /* has a payload */
	bool last;       /* of the script */
	bool again;      /* a retransmission will follow */
	uint8_t flags;   /* of TCP */
	uint32_t header; /* bytes of the TCP, UDP or ICMP header */
	uint32_t full;   /* bytes of a frame with data */
};

/* ---- Randomness ---- */

/* Returns splitmix64's final mix of z. */
static uint64_t mix_synth(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t draw_synth(struct bpei_synth_gen *g)
{
	g->random += SPLITMIX_STEP;
	return mix_synth(g->random);
}

/* Scales the random number r to 0 .. n - 1. */
static uint32_t scale_below(uint32_t r, uint32_t n)
{
	return (uint32_t)((uint64_t)r * n >> 32);
}

/* ---- Scripts ---- */

/* Chooses the kind: `k` of a thousand is fixed for the slot, `form` of a hundred is not. */
static enum conversation choose_kind(uint32_t k, uint32_t form)
{
	if (k < 600) {
		if (form < 4)
			return TCP_REFUSED;
		return form < 8 ? TCP_RESET : TCP_WHOLE;
	}
	if (k < 820)
		return UDP_STREAM;
	if (k < 970)
		return UDP_DNS;
	return k < 995 ? ICMP_ECHO : ARP_REQUEST;
}

static uint16_t choose_server_port(enum conversation kind, uint64_t fixed)
{
	static const uint16_t tcp_ports[8] = { 443, 443, 443, 443, 80, 22, 993, 8080 };
	static const uint16_t udp_ports[4] = { 443, 443, 3478, 8801 };

	if (kind == UDP_DNS)
		return 53;
	return kind == UDP_STREAM ? udp_ports[fixed >> 20 & 3] : tcp_ports[fixed >> 20 & 7];
}

/* Returns the number of data packets: mostly few, 1 to about 600, 17 on the average. */
static uint16_t choose_data_packets(uint32_t x)
{
	uint32_t n = 2 + (x & 15);

	if ((x >> 4 & 15) == 0)
		n += (x >> 8) % 200;
	if ((x >> 4 & 255) == 0x10)
		n += 400;
	return (uint16_t)n;
}

/* Begins the slot's next conversation. */
static void begin_conversation(struct bpei_synth_gen *g, struct slot *s)
{
	const uint64_t fixed = mix_synth(g->options.seed * 0x2545f4914f6cdd1du ^ s->number);
	const uint64_t r = draw_synth(g);
	const uint64_t q = draw_synth(g);
	const bool tagged = scale_below((uint32_t)(mix_synth(fixed) >> 32), 100) < g->options.vlan;
	const bool wants_ipv6 = scale_below((uint32_t)(fixed >> 32), 100) < g->options.ipv6;

	s->generation++;
	s->step = 0;
	s->kind = (uint8_t)choose_kind(
		scale_below((uint32_t)fixed, 1000), scale_below((uint32_t)r, 100));
	s->ipv6 = wants_ipv6 && s->kind != ARP_REQUEST;
	s->vlan = tagged ? (uint16_t)(100 + s->number % 64) : 0;
	s->client_port =
		(uint16_t)(32768 + (s->generation * 7919u + (uint32_t)fixed % 28000) % 28000);
	s->server_port = choose_server_port(s->kind, fixed);
	s->seq[0] = (uint32_t)q;
	s->seq[1] = (uint32_t)(q >> 32);
	s->data = choose_data_packets((uint32_t)(r >> 40));
	if (s->kind != ARP_REQUEST)
		g->truth.flows++;
	if (s->kind <= TCP_RESET)
		g->truth.tcp_opened++;
}

/* Begins the handshake: SYN, SYN-ACK (or the refusal), ACK. */
static void step_handshake(struct bpei_synth_gen *g, struct slot *s, struct segment *t)
{
	t->back = s->step == 1;
	t->flags = ACK;
	if (s->step == 0)
		t->flags = SYN;
	else if (s->step == 1)
		t->flags = SYN | ACK;
	if (s->kind == TCP_REFUSED && s->step == 1) {
		t->flags = RST | ACK;
		t->last = true;
		g->truth.tcp_refused++;
	}
}

/* Ends the connection with a reset, or with the client's FIN, the server's, and the last ACK. */
static void step_close(struct bpei_synth_gen *g, struct slot *s, uint32_t r, struct segment *t)
{
	const uint32_t k = s->step - 3u - s->data;

	if (s->kind == TCP_RESET && k == 0) {
		t->back = r & 1;
		t->flags = RST | ACK;
		t->last = true;
		g->truth.tcp_reset++;
		return;
	}
	t->back = k == 1;
	t->last = k == 2;
	t->flags = t->last ? ACK : FIN | ACK;
	if (t->last)
		g->truth.tcp_closed++;
}

/* Makes the next step of a TCP script. */
static void step_tcp(struct bpei_synth_gen *g, struct slot *s, uint32_t r, struct segment *t)
{
	t->data = s->step >= 3 && s->step < 3u + s->data;
	if (t->data) {
		t->back = r % 3 != 0;
		t->flags = r & 0x100 ? PSH | ACK : ACK;
	} else if (s->step < 3) {
		step_handshake(g, s, t);
	} else {
		step_close(g, s, r, t);
	}
	t->again = t->data && scale_below(r << 13 | r >> 19, 1000) < g->options.retransmit;
	t->header = t->flags & SYN ? 32 : 20;
}

/* Returns the length of a frame with data: the option's, or 7:4:1 of 60, 590 and 1514 bytes. */
static uint32_t choose_frame_length(const struct bpei_synth_gen *g, uint32_t r)
{
	const uint32_t twelfth = scale_below(r << 7 | r >> 25, 12);

	if (g->options.size)
		return g->options.size;
	if (twelfth < 7)
		return 60;
	return twelfth < 11 ? 590 : 1514;
}

static struct segment next_segment(struct bpei_synth_gen *g, struct slot *s, uint32_t r)
{
	struct segment t = {
		.back = s->step & 1, .data = true, .header = 8, .full = choose_frame_length(g, r)
	};

	if (s->kind <= TCP_RESET) {
		step_tcp(g, s, r, &t);
	} else if (s->kind == UDP_STREAM) {
		t.back = r % 3 == 0 && s->step;
		t.last = s->step >= s->data;
	} else {
		const uint32_t steps = s->kind == ICMP_ECHO ? ECHO_STEPS : PING_PONG_STEPS;

		t.last = s->step + 1u >= steps;
	}
	return t;
}

/* ---- Frames ---- */

static void write_ipv4_address(uint8_t *p, const struct slot *s, bool server)
{
	if (server)
		bpei_put_be32(p, 0xc6120000u | (uint32_t)(mix_synth(s->number) & 0x1ffff));
	else
		bpei_put_be32(p, 0x0a000000u | (s->number & 0xffffff));
}

static void write_ipv6_address(uint8_t *p, const struct slot *s, bool server)
{
	memset(p, 0, 16);
	bpei_put_be32(p, 0x20010db8);
	p[4] = server ? 0x5e : 0xc1;
	if (server)
		bpei_put_be32(p + 12, (uint32_t)(mix_synth(s->number) & 0xfffff) + 1);
	else
		bpei_put_be32(p + 12, s->number + 1);
}

/* Returns the sum of n / 2 big-endian words; n is even. */
static uint32_t sum_words(const uint8_t *p, uint32_t n)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < n; i += 2)
		sum += bpei_be16(p + i);
	return sum;
}

/* Returns the sum of n bytes, with a 0 behind an odd number. */
static uint32_t sum_bytes(const uint8_t *p, uint32_t n)
{
	uint32_t odd = n & 1 ? (uint32_t)p[n - 1] << 8 : 0;

	return sum_words(p, n & ~1u) + odd;
}

static uint16_t fold_checksum(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Writes the first n bytes of the noise to p.  Returns the sum of the bytes. */
static uint32_t write_payload(const struct bpei_synth_gen *g, uint8_t *p, uint32_t n)
{
	uint32_t odd = n & 1 ? (uint32_t)g->noise[n - 1] << 8 : 0;

	memcpy(p, g->noise, n);
	return g->sums[n / 2] + odd;
}

/* Writes a DNS query or answer.  Returns the length. */
static uint32_t write_dns(uint8_t *p, const struct slot *s, bool answer)
{
	memset(p, 0, 12);
	bpei_put_be16(p, s->client_port);
	bpei_put_be16(p + 2, answer ? 0x8180 : 0x0100);
	p[5] = 1;
	p[7] = answer;
	memcpy(p + 12, "\4host\7example\3net\0\0\1\0\1", 23);
	if (!answer)
		return 12 + 23;
	memcpy(p + 35, "\300\14\0\1\0\1\0\0\1\54\0\4\306\22\0\1", 16);
	return 35 + 16;
}

/* Writes an ARP request, broadcast, or reply.  Returns the length. */
static uint32_t write_arp(uint8_t *p, uint8_t *frame, const struct slot *s, bool answer)
{
	memcpy(p, "\0\1\10\0\6\4\0", 7);
	p[7] = answer ? 2 : 1;
	memcpy(p + 8, frame + 6, 6);
	write_ipv4_address(p + 14, s, answer);
	memset(p + 18, 0, 6);
	if (answer)
		memcpy(p + 18, frame, 6);
	else
		memset(frame, 0xff, 6);
	write_ipv4_address(p + 24, s, !answer);
	return 28;
}

/* Writes the Ethernet header with the tag.  Returns the place behind the header. */
static uint8_t *write_ethernet(uint8_t *p, const struct slot *s, bool back)
{
	uint8_t *l3 = p + 14 + (s->vlan ? 4 : 0);
	uint16_t type = s->ipv6 ? TYPE_IP6 : TYPE_IP4;

	memset(p, 0, 12);
	p[0] = 2;
	p[6] = 2;
	bpei_put_be32(p + (back ? 8 : 2), s->number);
	p[back ? 1 : 7] = 0xc1;
	p[back ? 7 : 1] = 0x5e;
	bpei_put_be32(p + (back ? 2 : 8), s->number);
	if (s->vlan) {
		bpei_put_be16(p + 12, TYPE_VLAN);
		bpei_put_be16(p + 14, s->vlan);
	}
	bpei_put_be16(l3 - 2, s->kind == ARP_REQUEST ? TYPE_ARP : type);
	return l3;
}

/* Writes the IP header.  Returns the sum of the pseudo header. */
static uint32_t write_ip(
	uint8_t *p, const struct slot *s, bool back, uint8_t proto, uint32_t length)
{
	if (s->ipv6) {
		bpei_put_be32(p, 0x60000000);
		bpei_put_be16(p + 4, (uint16_t)length);
		p[6] = proto;
		p[7] = back ? 57 : 64;
		write_ipv6_address(p + 8, s, back);
		write_ipv6_address(p + 24, s, !back);
		return sum_words(p + 8, 32) + length + proto;
	}
	bpei_put_be16(p, 0x4500);
	bpei_put_be16(p + 2, (uint16_t)(20 + length));
	bpei_put_be16(p + 4, (uint16_t)(s->generation * 31 + s->step));
	bpei_put_be16(p + 6, 0x4000);
	p[8] = back ? 57 : 64;
	p[9] = proto;
	bpei_put_be16(p + 10, 0);
	write_ipv4_address(p + 12, s, back);
	write_ipv4_address(p + 16, s, !back);
	bpei_put_be16(p + 10, fold_checksum(sum_words(p, 20)));
	return sum_words(p + 12, 8) + length + proto;
}

static void write_ports(uint8_t *l4, const struct slot *s, bool back)
{
	bpei_put_be16(l4, back ? s->server_port : s->client_port);
	bpei_put_be16(l4 + 2, back ? s->client_port : s->server_port);
}

/* Writes the TCP header and moves the sequence number on; `sum`: of pseudo header and payload. */
static void write_tcp(struct bpei_synth_gen *g, uint8_t *l4, struct slot *s,
	const struct segment *t, uint32_t body, uint32_t sum)
{
	write_ports(l4, s, t->back);
	bpei_put_be32(l4 + 4, s->seq[t->back]);
	bpei_put_be32(l4 + 8, t->flags & ACK ? s->seq[!t->back] : 0);
	l4[12] = (uint8_t)(t->header / 4 << 4);
	l4[13] = t->flags;
	bpei_put_be16(l4 + 14, 64240);
	bpei_put_be32(l4 + 16, 0);
	if (t->header > 20) /* MSS 1460, SACK permitted, window scale 7 */
		memcpy(l4 + 20, "\2\4\5\264\1\1\4\2\1\3\3\7", 12);
	bpei_put_be16(l4 + 16, fold_checksum(sum + sum_words(l4, t->header)));
	if (t->again)
		g->truth.tcp_retransmitted++;
	else
		s->seq[t->back] += body + !!(t->flags & (SYN | FIN));
}

static void write_udp(
	uint8_t *l4, const struct slot *s, const struct segment *t, uint32_t body, uint32_t sum)
{
	write_ports(l4, s, t->back);
	bpei_put_be16(l4 + 4, (uint16_t)(8 + body));
	bpei_put_be16(l4 + 6, 0);
	const uint16_t check = fold_checksum(sum + sum_words(l4, 8));
	bpei_put_be16(l4 + 6, check ? check : 0xffff);
}

/* Writes an echo request or reply.  `sum` begins with the pseudo header's, which ICMP for IPv4 does
 * not have. */
static void write_icmp(const struct bpei_synth_gen *g, uint8_t *l4, const struct slot *s,
	const struct segment *t, uint32_t body, uint32_t sum)
{
	if (s->ipv6)
		l4[0] = t->back ? 129 : 128;
	else
		l4[0] = t->back ? 0 : 8;
	l4[1] = 0;
	bpei_put_be16(l4 + 2, 0);
	bpei_put_be16(l4 + 4, s->client_port);
	bpei_put_be16(l4 + 6, s->step / 2);
	if (!s->ipv6)
		sum = write_payload(g, l4 + 8, body);
	bpei_put_be16(l4 + 2, fold_checksum(sum + sum_words(l4, 8)));
}

static uint8_t choose_proto(const struct slot *s)
{
	if (s->kind <= TCP_RESET)
		return IP_TCP;
	if (s->kind != ICMP_ECHO)
		return IP_UDP;
	return s->ipv6 ? IP_ICMP6 : IP_ICMP;
}

/* Returns the bytes of noise which fill the frame behind `headers`, at least 1. */
static uint32_t noise_length(const struct segment *t, uint32_t headers)
{
	if (!t->data)
		return 0;
	return t->full > headers ? t->full - headers : 1;
}

/* Writes an IP packet at l3.  Returns the frame's length. */
static uint32_t write_packet(
	struct bpei_synth_gen *g, uint8_t *p, uint8_t *l3, struct slot *s, const struct segment *t)
{
	uint8_t *l4 = l3 + (s->ipv6 ? 40 : 20);
	const uint8_t proto = choose_proto(s);
	const uint32_t before = (uint32_t)(l4 - p) + t->header;
	uint32_t body, sum;

	if (s->kind == UDP_DNS) {
		body = write_dns(l4 + 8, s, t->back);
		sum = write_ip(l3, s, t->back, proto, t->header + body);
		sum += sum_bytes(l4 + 8, body);
	} else {
		body = noise_length(t, before);
		sum = write_ip(l3, s, t->back, proto, t->header + body);
		sum += write_payload(g, l4 + t->header, body);
	}
	if (proto == IP_TCP)
		write_tcp(g, l4, s, t, body, sum);
	else if (proto == IP_UDP)
		write_udp(l4, s, t, body, sum);
	else
		write_icmp(g, l4, s, t, body, sum);
	return before + body;
}

uint32_t bpei_synth_gen_next(struct bpei_synth_gen *g, uint8_t *p)
{
	const uint64_t random = draw_synth(g);
	struct slot *s = &g->slots[scale_below((uint32_t)random, g->options.flows)];
	uint32_t length;

	if (!s->generation)
		begin_conversation(g, s);
	const struct segment t = next_segment(g, s, (uint32_t)(random >> 32));
	uint8_t *l3 = write_ethernet(p, s, t.back);
	if (s->kind == ARP_REQUEST) {
		length = (uint32_t)(l3 - p) + write_arp(l3, p, s, t.back);
		g->truth.arp_packets++;
	} else {
		length = write_packet(g, p, l3, s, &t);
	}
	const uint32_t frame = length < LEAST_FRAME ? LEAST_FRAME : length;
	if (frame > length)
		memset(p + length, 0, frame - length);
	g->truth.packets++;
	g->truth.wire_bytes += frame;
	if (t.last)
		begin_conversation(g, s);
	else if (!t.again)
		s->step++;
	return frame;
}

/* ---- Life ---- */

/* Fills the noise and the partial sums. */
static void make_noise(struct bpei_synth_gen *g)
{
	uint64_t noise = 42;

	for (size_t i = 0; i < sizeof g->noise; i++) {
		noise += SPLITMIX_STEP;
		g->noise[i] = (uint8_t)(mix_synth(noise) >> 24);
	}
	for (size_t k = 0; k < sizeof g->noise / 2; k++)
		g->sums[k + 1] = g->sums[k] + bpei_be16(g->noise + 2 * k);
}

struct bpei_synth_gen *bpei_synth_gen_new(const struct bpei_synth_options *o)
{
	struct bpei_synth_gen *g = calloc(1, sizeof *g + o->flows * sizeof *g->slots);

	if (!g)
		return NULL;
	g->options = *o;
	g->random = mix_synth(o->seed + 0x1234567);
	make_noise(g);
	for (uint32_t i = 0; i < o->flows; i++)
		g->slots[i].number = i;
	return g;
}

void bpei_synth_gen_free(struct bpei_synth_gen *g)
{
	free(g);
}

const struct bpei_synth_truth *bpei_synth_gen_truth(const struct bpei_synth_gen *g)
{
	return &g->truth;
}
