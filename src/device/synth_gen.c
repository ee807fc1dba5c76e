/* SPDX-License-Identifier: MIT */
/* The traffic of the synth device.  The state is one slot for each conversation; the owner is
 * whoever made the generator.
 *
 * A slot follows a script: TCP has its handshake, data both ways with right sequence numbers, some
 * segments sent twice, and ends with FINs, a reset, or a refusal; DNS asks and is answered;
 * datagram streams and echoes run for a while; ARP asks. When a script is over the slot begins anew
 * from another port, so that connections come and go for ever.  A slot's client address is its own:
 * no two slots share a flow.  Clients: 10.0.0.0/8, 2001:db8::/32 (RFC 3849); servers: 198.18.0.0/15
 * (RFC 2544). Checksums are right: payloads are prefixes of one table of noise whose partial sums
 * are known. */
#include "device/synth_gen.h"

#include "base/bytes.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum kind { TCP_WHOLE, TCP_REFUSED, TCP_RESET, UDP_STREAM, UDP_DNS, ICMP_ECHO, ARP_ASK };
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

struct slot {
	uint32_t number, generation;
	uint32_t seq[2];
	uint16_t client_port, server_port;
	uint16_t step, data; /* steps done; data packets in the middle of the script */
	uint16_t vlan;       /* 0: untagged */
	uint8_t kind, ipv6;
};

struct bpei_synth_gen {
	struct bpei_synth_options options;
	struct bpei_synth_truth truth;
	uint64_t random;
	uint8_t noise[1600];
	uint32_t sums[1600 / 2 + 1]; /* of the noise's first 2k bytes, big-endian words */
	struct slot slots[];
};

/* ---- Options ---- */

static bool number(const char *s, size_t n, uint64_t most, uint64_t *value)
{
	char digits[24], *end;
	if (!n || n >= sizeof digits || !isdigit((unsigned char)*s))
		return false;
	memcpy(digits, s, n);
	digits[n] = 0;
	unsigned long long v = strtoull(digits, &end, 10);
	if (end - digits > 19)
		return false;
	unsigned long long unit = *end == 'k'   ? 1000
				  : *end == 'M' ? 1000000
				  : *end == 'G' ? 1000000000
						: 1;
	if (unit > 1)
		end++;
	if (*end || v > most / unit)
		return false;
	*value = v * unit;
	return true;
}

const char *bpei_synth_parse(
	const char *name, struct bpei_synth_options *options, char *text, size_t room)
{
	struct bpei_synth_options o = {
		.flows = 1000, .seed = 1, .vlan = 5, .ipv6 = 30, .retransmit = 5
	};
	const char *p = name + 5;
	if (*p == ':')
		p++;
	while (*p) {
		size_t n = strcspn(p, ","), k = strcspn(p, "=,");
		const char *v = p + k + 1;
		size_t length = k < n ? n - k - 1 : 0;
		uint64_t value = 0;
#define KEY(word) (k == sizeof word - 1 && !memcmp(p, word, k))
#define TAKE(word, least, most, field, type)                                                       \
	if (KEY(word)) {                                                                           \
		if (!number(v, length, most, &value) || value + 1 < least + 1) {                   \
			snprintf(text, room,                                                       \
				"synth: %s must be a number from %llu to %llu, not \"%.*s\"",      \
				word, (unsigned long long)least, (unsigned long long)most,         \
				(int)length, v);                                                   \
			return text;                                                               \
		}                                                                                  \
		o.field = (type)value;                                                             \
	}
		if (KEY("size")) {
			if (length == 4 && !memcmp(v, "imix", 4))
				o.size = 0;
			else if (number(v, length, 1514, &value) && value >= 60)
				o.size = (uint32_t)value;
			else {
				snprintf(text, room,
					"synth: size must be imix or 60 to 1514 bytes, not \"%.*s\"",
					(int)length, v);
				return text;
			}
		} else
			TAKE("flows", 1ull, 10000000ull, flows, uint32_t)
		else TAKE("seed", 0ull, 9999999999999999999ull, seed, uint64_t) else TAKE(
			"rate", 1ull, 1000000000ull, rate, uint64_t) else TAKE("count", 1ull,
			1000000000000000ull, count, uint64_t) else TAKE("vlan", 0ull, 100ull, vlan,
			uint32_t) else TAKE("ipv6", 0ull, 100ull, ipv6,
			uint32_t) else TAKE("retransmit", 0ull, 1000ull, retransmit, uint32_t) else
		{
			snprintf(text, room,
				"synth: unknown key \"%.*s\": known are flows, size, seed, rate, count, vlan, ipv6, retransmit",
				(int)k, p);
			return text;
		}
		p += n;
		if (*p)
			p++;
	}
	*options = o;
	return NULL;
}

/* ---- Randomness ---- */

static uint64_t mix(uint64_t z) /* splitmix64's finish */
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t draw(struct bpei_synth_gen *g)
{
	return mix(g->random += 0x9e3779b97f4a7c15u);
}
static uint32_t below(uint32_t r, uint32_t n)
{
	return (uint32_t)((uint64_t)r * n >> 32);
}

/* ---- Scripts ---- */

/* The slot's next conversation. */
static void begin(struct bpei_synth_gen *g, struct slot *s)
{
	static const uint16_t tcp_ports[8] = { 443, 443, 443, 443, 80, 22, 993, 8080 },
			      udp_ports[4] = { 443, 443, 3478, 8801 };
	uint64_t fixed = mix(g->options.seed * 0x2545f4914f6cdd1du ^ s->number), r = draw(g),
		 q = draw(g);
	uint32_t k = below((uint32_t)fixed, 1000);
	uint32_t form = below((uint32_t)r, 100);
	s->generation++;
	s->step = 0;
	s->kind = k < 600   ? form < 4   ? TCP_REFUSED
			      : form < 8 ? TCP_RESET
					 : TCP_WHOLE
		  : k < 820 ? UDP_STREAM
		  : k < 970 ? UDP_DNS
		  : k < 995 ? ICMP_ECHO
			    : ARP_ASK;
	s->ipv6 = below((uint32_t)(fixed >> 32), 100) < g->options.ipv6 && s->kind != ARP_ASK;
	s->vlan = below((uint32_t)(mix(fixed) >> 32), 100) < g->options.vlan
			  ? (uint16_t)(100 + s->number % 64)
			  : 0;
	s->client_port =
		(uint16_t)(32768 + (s->generation * 7919u + (uint32_t)fixed % 28000) % 28000);
	s->server_port = s->kind == UDP_DNS      ? 53
			 : s->kind == UDP_STREAM ? udp_ports[fixed >> 20 & 3]
						 : tcp_ports[fixed >> 20 & 7];
	s->seq[0] = (uint32_t)q;
	s->seq[1] = (uint32_t)(q >> 32);
	/* Mostly short, some long: 1 to about 600 packets, 17 on the average. */
	uint32_t x = (uint32_t)(r >> 40);
	s->data = (uint16_t)(2 + (x & 15) + ((x >> 4 & 15) == 0 ? (x >> 8) % 200 : 0) +
			     ((x >> 4 & 255) == 0x10 ? 400 : 0));
	if (s->kind != ARP_ASK)
		g->truth.flows++;
	if (s->kind <= TCP_RESET)
		g->truth.tcp_opened++;
}

/* One step of a TCP script: its flags, who sends, and whether it carries data; true if it was the
 * last. */
static bool tcp_step(struct bpei_synth_gen *g, struct slot *s, uint32_t r, uint8_t *flags,
	bool *back, bool *data)
{
	uint32_t k = s->step, n = 3u + s->data;
	*data = false;
	*back = k == 1;
	*flags = k == 0 ? SYN : k == 1 ? SYN | ACK : ACK;
	if (s->kind == TCP_REFUSED && k == 1) {
		*flags = RST | ACK;
		g->truth.tcp_refused++;
		return true;
	}
	if (k >= 3 && k < n) {
		*back = r % 3 != 0;
		*flags = r & 0x100 ? PSH | ACK : ACK;
		*data = true;
	} else if (k == n && s->kind == TCP_RESET) {
		*back = r & 1;
		*flags = RST | ACK;
		g->truth.tcp_reset++;
		return true;
	} else if (k >= n) { /* the client's FIN, the server's, the last ACK */
		*back = k == n + 1;
		*flags = k == n + 2 ? ACK : FIN | ACK;
		if (k == n + 2)
			g->truth.tcp_closed++;
		return k == n + 2;
	}
	return false;
}

/* ---- Frames ---- */

static void address4(uint8_t *p, const struct slot *s, bool server)
{
	uint32_t a = server ? 0xc6120000u | (uint32_t)(mix(s->number) & 0x1ffff)
			    : 0x0a000000u | (s->number & 0xffffff);
	bpei_put_be32(p, a);
}

static void address6(uint8_t *p, const struct slot *s, bool server)
{
	memset(p, 0, 16);
	bpei_put_be32(p, 0x20010db8);
	p[4] = server ? 0x5e : 0xc1;
	bpei_put_be32(p + 12, server ? (uint32_t)(mix(s->number) & 0xfffff) + 1 : s->number + 1);
}

static uint32_t add16(const uint8_t *p, uint32_t n) /* n even */
{
	uint32_t sum = 0;
	for (uint32_t i = 0; i < n; i += 2)
		sum += bpei_be16(p + i);
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The first n bytes of the noise to p; their sum. */
static uint32_t payload(const struct bpei_synth_gen *g, uint8_t *p, uint32_t n)
{
	memcpy(p, g->noise, n);
	return g->sums[n / 2] + (n & 1 ? (uint32_t)g->noise[n - 1] << 8 : 0);
}

static uint32_t dns(uint8_t *p, const struct slot *s, bool answer) /* an even number of bytes */
{
	memset(p, 0, 12);
	bpei_put_be16(p, s->client_port);
	bpei_put_be16(p + 2, answer ? 0x8180 : 0x0100);
	p[5] = 1, p[7] = answer;
	memcpy(p + 12, "\4host\7example\3net\0\0\1\0\1", 23);
	if (!answer)
		return 12 + 23;
	memcpy(p + 35, "\300\14\0\1\0\1\0\0\1\54\0\4\306\22\0\1", 16);
	return 35 + 16;
}

static uint32_t arp(uint8_t *p, uint8_t *frame, const struct slot *s, bool answer)
{
	memcpy(p, "\0\1\10\0\6\4\0", 7);
	p[7] = answer ? 2 : 1;
	memcpy(p + 8, frame + 6, 6);
	address4(p + 14, s, answer);
	memset(p + 18, 0, 6);
	if (answer)
		memcpy(p + 18, frame, 6);
	else
		memset(frame, 0xff, 6);
	address4(p + 24, s, !answer);
	return 28;
}

static uint32_t ip_header(
	uint8_t *p, const struct slot *s, bool back, uint8_t proto, uint32_t length)
{
	if (s->ipv6) {
		bpei_put_be32(p, 0x60000000);
		bpei_put_be16(p + 4, (uint16_t)length);
		p[6] = proto;
		p[7] = back ? 57 : 64;
		address6(p + 8, s, back);
		address6(p + 24, s, !back);
		return add16(p + 8, 32) + length + proto;
	}
	bpei_put_be16(p, 0x4500);
	bpei_put_be16(p + 2, (uint16_t)(20 + length));
	bpei_put_be16(p + 4, (uint16_t)(s->generation * 31 + s->step));
	bpei_put_be16(p + 6, 0x4000);
	p[8] = back ? 57 : 64;
	p[9] = proto;
	bpei_put_be16(p + 10, 0);
	address4(p + 12, s, back);
	address4(p + 16, s, !back);
	bpei_put_be16(p + 10, fold(add16(p, 20)));
	return add16(p + 12, 8) + length + proto;
}

uint32_t bpei_synth_gen_next(struct bpei_synth_gen *g, uint8_t *p)
{
	uint64_t random = draw(g);
	struct slot *s = &g->slots[below((uint32_t)random, g->options.flows)];
	uint32_t r = (uint32_t)(random >> 32), twelfth = below(r << 7 | r >> 25, 12);
	if (!s->generation)
		begin(g, s);
	uint32_t full = g->options.size ? g->options.size
			: twelfth < 7   ? 60
			: twelfth < 11  ? 590
					: 1514;
	bool back = s->step & 1, data = true, last = false, again = false,
	     tcp = s->kind <= TCP_RESET;
	uint8_t flags = 0, *l3 = p + 14 + (s->vlan ? 4 : 0), *l4 = l3 + (s->ipv6 ? 40 : 20);
	uint32_t header = 8, body, sum, length, frame;
	uint8_t proto = tcp ? 6 : s->kind == ICMP_ECHO ? s->ipv6 ? 58 : 1 : 17;

	if (tcp) {
		last = tcp_step(g, s, r, &flags, &back, &data);
		again = data && below(r << 13 | r >> 19, 1000) < g->options.retransmit;
		header = flags & SYN ? 32 : 20;
	} else if (s->kind == UDP_STREAM) {
		back = r % 3 == 0 && s->step;
		last = s->step >= s->data;
	} else {
		last = s->step >= (s->kind == ICMP_ECHO ? 7 : 1);
	}

	memset(p, 0, 12);
	p[0] = p[6] = 2;
	bpei_put_be32(p + (back ? 8 : 2), s->number);
	p[back ? 1 : 7] = 0xc1;
	p[back ? 7 : 1] = 0x5e;
	bpei_put_be32(p + (back ? 2 : 8), s->number);
	if (s->vlan) {
		bpei_put_be16(p + 12, 0x8100);
		bpei_put_be16(p + 14, s->vlan);
	}
	bpei_put_be16(l3 - 2, s->kind == ARP_ASK ? 0x0806 : s->ipv6 ? 0x86dd : 0x0800);

	if (s->kind == ARP_ASK) {
		length = (uint32_t)(l3 - p) + arp(l3, p, s, back);
		g->truth.arp_packets++;
	} else {
		uint32_t room =
			full > (uint32_t)(l4 - p) + header ? full - (uint32_t)(l4 - p) - header : 0;
		if (s->kind == UDP_DNS)
			body = dns(l4 + 8, s, back);
		else
			body = data ? room ? room : 1 : 0;
		sum = ip_header(l3, s, back, proto, header + body);
		if (s->kind == UDP_DNS)
			sum += add16(l4 + 8, body & ~1u) +
			       (body & 1 ? (uint32_t)l4[8 + body - 1] << 8 : 0);
		else
			sum += payload(g, l4 + header, body);
		if (tcp) {
			bpei_put_be16(l4, back ? s->server_port : s->client_port);
			bpei_put_be16(l4 + 2, back ? s->client_port : s->server_port);
			bpei_put_be32(l4 + 4, s->seq[back]);
			bpei_put_be32(l4 + 8, flags & ACK ? s->seq[!back] : 0);
			l4[12] = (uint8_t)(header / 4 << 4), l4[13] = flags;
			bpei_put_be16(l4 + 14, 64240);
			bpei_put_be32(l4 + 16, 0);
			if (header > 20)
				memcpy(l4 + 20, "\2\4\5\264\1\1\4\2\1\3\3\7",
					12); /* MSS 1460, SACK permitted, window scale 7 */
			bpei_put_be16(l4 + 16, fold(sum + add16(l4, header)));
			if (again)
				g->truth.tcp_retransmitted++;
			else
				s->seq[back] += body + !!(flags & (SYN | FIN));
		} else if (proto == 17) {
			bpei_put_be16(l4, back ? s->server_port : s->client_port);
			bpei_put_be16(l4 + 2, back ? s->client_port : s->server_port);
			bpei_put_be16(l4 + 4, (uint16_t)(8 + body));
			bpei_put_be16(l4 + 6, 0);
			uint16_t check = fold(sum + add16(l4, 8));
			bpei_put_be16(l4 + 6, check ? check : 0xffff);
		} else {
			l4[0] = s->ipv6 ? back ? 129 : 128 : back ? 0 : 8, l4[1] = 0;
			bpei_put_be16(l4 + 2, 0);
			bpei_put_be16(l4 + 4, s->client_port);
			bpei_put_be16(l4 + 6, s->step / 2);
			if (!s->ipv6)
				sum = payload(
					g, l4 + 8, body); /* no pseudo header in ICMP for IPv4 */
			bpei_put_be16(l4 + 2, fold(sum + add16(l4, 8)));
		}
		length = (uint32_t)(l4 - p) + header + body;
	}
	frame = length < 60 ? 60 : length; /* Ethernet's least, without its check sequence */
	if (frame > length)
		memset(p + length, 0, frame - length);
	g->truth.packets++;
	g->truth.wire_bytes += frame;
	if (last)
		begin(g, s);
	else if (!again)
		s->step++;
	return frame;
}

struct bpei_synth_gen *bpei_synth_gen_new(const struct bpei_synth_options *o)
{
	struct bpei_synth_gen *g = calloc(1, sizeof *g + o->flows * sizeof *g->slots);
	if (!g)
		return NULL;
	g->options = *o;
	g->random = mix(o->seed + 0x1234567);
	uint64_t noise = 42;
	for (size_t i = 0; i < sizeof g->noise; i++)
		g->noise[i] = (uint8_t)(mix(noise += 0x9e3779b97f4a7c15u) >> 24);
	for (size_t k = 0; k < sizeof g->noise / 2; k++)
		g->sums[k + 1] = g->sums[k] + bpei_be16(g->noise + 2 * k);
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
