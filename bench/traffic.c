/* SPDX-License-Identifier: MIT */
/* traffic -n PACKETS -F FLOWS [-s SEED] [-S BYTES|imix] [-U] -o FILE: writes a pcap
 * file of made-up but well-formed traffic, the same by the same seed: the files of
 * docs/performance.md.
 *
 * Flows: 60 % TCP, 22 % UDP, 15 % DNS, 2.5 % ICMP, 0.5 % ARP; 70 % IPv4; 5 % in a VLAN, 0.5 % in
 * two.  2 % of the UDP flows send each datagram as two fragments.  TCP has a handshake, data and
 * acknowledgements, and both FINs; shorter flows are scans, refusals and resets; 0.5 % of the data
 * segments are sent again.  Flow lengths are Pareto's (1.2), so few flows carry much of the
 * traffic; packets come in trains.  Checksums are right.  -S is the frame's size; longer headers
 * need more (IPv6 and TCP: 74).  imix: 60, 590, 1514 bytes as 7 to 4 to 1.
 * -U: no locality: TCP alone, each packet of a flow drawn uniformly, nothing sent twice, no FIN. */
#include "traffic.h"

#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TCP, UDP, DNS, ICMP, ARP, KINDS };
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
#define SPAN_NS UINT64_C(60000000000) /* from the first to the last packet */
enum { NOISE = 65536, START = 1700000000, FRAGMENTED = 128, FIRST_PART = 56, SECOND_PART = 64 };

struct flow {
	uint32_t length, sent; /* packets in all, and sent so far */
	uint32_t seq[2];       /* next sequence numbers of client and server */
};

struct event { /* a packet to be sent */
	uint64_t ns;
	uint32_t flow;
};

struct identity {
	enum kind kind;
	bool ip6, fragments;
	int tags;
	uint16_t vlan[2], port[2];
	uint32_t host[2];
};

/* A packet at work. */
struct packet {
	struct identity id;
	uint8_t *frame, *network, *transport, *payload, *end;
	uint32_t number; /* of the flow */
	uint32_t step;   /* packets of the flow before */
	bool back;       /* from the server */
	bool second;     /* the second of two fragments */
	int flags;       /* of TCP */
};

static uint64_t seed = 1;
static uint32_t flow_count = 1000;
static uint32_t packet_count = 10000;
static uint32_t fixed_size; /* 0: imix */
static bool uniform;
static uint8_t noise[NOISE + 2048];
static struct flow *flows;
static struct event *events;

/* ---- What a flow is ---- */

/* Returns the kind of a flow by its draw of 1,000. */
static enum kind name_kind(uint32_t draw)
{
	if (draw < 600)
		return TCP;
	if (draw < 820)
		return UDP;
	if (draw < 970)
		return DNS;
	return draw < 995 ? ICMP : ARP;
}

/* Returns the fixed properties of a flow, computed from the number. */
static struct identity identify_flow(uint32_t number)
{
	static const uint16_t tcp[16] = { 443, 443, 443, 443, 443, 443, 443, 80, 80, 80, 80, 22, 25,
		993, 8080, 3306 };
	static const uint16_t udp[8] = { 443, 443, 443, 3480, 3480, 8801, 0, 0 };
	uint64_t s = (seed * 0x2545f4914f6cdd1du) ^ number;
	const uint32_t k = take_below(&s, 1000);
	const uint32_t t = take_below(&s, 1000);
	struct identity d = { .kind = TCP };

	if (!uniform)
		d.kind = name_kind(k);
	d.ip6 = take_below(&s, 100) < 30 && d.kind != ARP;
	d.tags = t < 5 ? 2 : t < 55;
	d.vlan[0] = (uint16_t)(100 + take_below(&s, 64));
	d.vlan[1] = (uint16_t)(1 + take_below(&s, 4000));
	d.fragments = d.kind == UDP && take_below(&s, 100) < 2;
	d.host[0] = take_below(&s, flow_count / 4 + 16);
	d.host[1] = take_below(&s, flow_count / 20 + 16);
	d.port[0] = (uint16_t)(32768 + take_below(&s, 28000));
	if (d.kind == TCP)
		d.port[1] = tcp[take_below(&s, 16)];
	else
		d.port[1] = d.kind == DNS ? 53 : udp[take_below(&s, 8)];
	if (!d.port[1])
		d.port[1] = (uint16_t)(1024 + take_below(&s, 31000));
	return d;
}

/* Returns the TCP flags of packet k of n, and 0 for the middle of the connection.  *back: the
 * server sends. */
static int choose_flags(uint32_t k, uint32_t n, bool *back)
{
	*back = k == 1;
	if (k == 0)
		return SYN;
	if (n == 2)
		return RST | ACK;
	if (k == 1)
		return SYN | ACK;
	if (n < 7) {
		*back = false;
		return k == n - 1 && n > 3 ? RST : ACK;
	}
	if (k == n - 2)
		*back = true;
	if (k == n - 2 || k == n - 3)
		return FIN | ACK;
	return k == 2 || k == n - 1 ? ACK : 0;
}

/* ---- Frames ---- */

static uint8_t *join_bytes(uint8_t *p, const void *bytes, size_t n)
{
	memcpy(p, bytes, n);
	return p + n;
}

/* Writes a DNS message.  Returns its end. */
static uint8_t *compose_dns(uint8_t *p, const struct packet *t)
{
	uint8_t *q = p + 12;

	memset(p, 0, 12);
	store_short(p, t->number & 65535);
	store_short(p + 2, t->back ? 0x8180 : 0x0100);
	p[5] = 1;
	p[7] = t->back;
	*q = (uint8_t)snprintf((char *)q + 1, 16, fixed_size ? "%x" : "host%x", t->number % 4096);
	q += 1 + *q;
	q = fixed_size ? join_bytes(q, "\2io\0\0\1\0\1", 8)
		       : join_bytes(q, "\7example\3net\0\0\1\0\1", 17);
	if (!t->back)
		return q;
	q = join_bytes(q, "\300\14\0\1\0\1\0\0\1\54\0\4\300\0\2", 15);
	*q = t->number & 255;
	return q + 1;
}

/* Writes a host's address.  Addresses are scattered: some readers hash their first bytes. */
static void compose_address(uint8_t *p, const struct packet *t, bool server)
{
	uint64_t s = (uint64_t)t->id.host[server] << 1 | server;
	const uint64_t x = draw_bits(&s);

	if (t->id.ip6) {
		store_long(p, 0x20010db8);
		store_long(p + 4, (uint32_t)x & 0xff00ff);
		store_long(p + 8, (uint32_t)draw_bits(&s));
		p += 12;
	}
	store_long(p, (uint32_t)(x >> 32));
	if (!t->id.ip6)
		p[0] = (uint8_t)(11 + p[0] % 100);
}

static void compose_ethernet(const struct packet *t)
{
	const struct identity *d = &t->id;
	uint8_t *p = t->frame;

	for (int e = 0; e < 2; e++) {
		store_short(p + e * 6, 0x0200);
		store_long(p + e * 6 + 2, d->host[e ? t->back : !t->back] & 0xffff);
	}
	for (int k = 0; k < d->tags; k++) {
		store_short(p + 12 + 4 * k, d->tags == 2 && !k ? 0x88a8 : 0x8100);
		store_short(p + 14 + 4 * k, d->vlan[k]);
	}
	if (d->kind == ARP)
		store_short(t->network - 2, 0x0806);
	else
		store_short(t->network - 2, d->ip6 ? 0x86dd : 0x0800);
}

/* Writes a request or reply of ARP.  Returns the frame's length: size, if there is room. */
static uint32_t compose_arp(const struct packet *t, uint32_t size)
{
	uint8_t *p = t->network;
	const uint32_t least = (uint32_t)(p - t->frame) + 46;

	memset(p, 0, 46);
	memcpy(p, "\0\1\10\0\6\4\0", 7);
	p[7] = (uint8_t)(1 + t->back);
	memcpy(p + 8, t->frame + 6, 6);
	compose_address(p + 14, t, t->back);
	if (t->back)
		memcpy(p + 18, t->frame, 6);
	compose_address(p + 24, t, !t->back);
	return least > size ? least : size;
}

/* Writes IP's header.  Returns the sum of the pseudo header's addresses. */
static uint32_t compose_ip(const struct packet *t, uint8_t protocol)
{
	const struct identity *d = &t->id;
	uint8_t *p = t->network;
	uint8_t *addresses = p + (d->ip6 ? 8 : 12);
	const uint32_t bytes = (uint32_t)(t->end - p);

	if (d->ip6) {
		store_long(p, 0x60000000 | (t->number & 0xfffff));
		store_short(p + 4, bytes - 40);
		p[6] = d->fragments ? 44 : protocol;
		p[7] = t->back ? 56 : 64;
		if (d->fragments)
			store_short(p + 42, t->second ? SECOND_PART : 1); /* or more to come */
	} else {
		store_short(p, 0x4500);
		store_short(p + 2, bytes);
		if (d->fragments) {
			store_short(p + 4, t->number * 64 + t->step / 2);
			store_short(p + 6, t->second ? 8 : 0x2000);
		} else {
			store_short(p + 4, t->number * 7 + t->step);
			store_short(p + 6, 0x4000);
		}
		p[8] = t->back ? 56 : 64;
		p[9] = protocol;
		store_short(p + 10, 0);
	}
	compose_address(addresses, t, t->back);
	compose_address(addresses + (d->ip6 ? 16 : 4), t, !t->back);
	if (!d->ip6)
		store_short(p + 10, finish_sum(sum_shorts(p, 20, 0)));
	return sum_shorts(addresses, d->ip6 ? 32 : 8, 0);
}

static uint8_t *compose_tcp(const struct packet *t, struct flow *f, uint64_t *s)
{
	uint8_t *p = t->transport;
	const uint32_t body = (uint32_t)(t->end - t->payload);

	store_long(p + 4, f->seq[t->back]);
	store_long(p + 8, t->flags & ACK ? f->seq[!t->back] : 0);
	store_short(p + 12, (uint32_t)((t->payload - p) / 4 << 12 | t->flags));
	store_short(p + 14, 65000);
	store_long(p + 16, 0);
	if (t->payload - p > 20)
		memcpy(p + 20, "\2\4\5\264\1\1\4\2\1\3\3\7", 12);
	if (!body || uniform || take_below(s, 200)) /* else the segment comes again */
		f->seq[t->back] += body + !!(t->flags & (SYN | FIN));
	return p + 16;
}

static uint8_t *compose_udp(const struct packet *t)
{
	uint8_t *p = t->transport;

	store_short(p + 4, t->id.fragments ? FRAGMENTED : (uint32_t)(t->end - p));
	store_short(p + 6, 0);
	return p + 6;
}

static uint8_t *compose_icmp(const struct packet *t)
{
	uint8_t *p = t->transport;

	if (t->id.ip6)
		p[0] = (uint8_t)(128 + t->back);
	else
		p[0] = t->back ? 0 : 8;
	p[1] = p[2] = p[3] = 0;
	store_short(p + 4, t->id.port[0]);
	store_short(p + 6, t->step / 2);
	return p + 2;
}

/* Writes the transport's header and checksum.  addresses: their sum. */
static void compose_transport(
	const struct packet *t, struct flow *f, uint64_t *s, uint8_t protocol, uint32_t addresses)
{
	const uint32_t bytes = (uint32_t)(t->end - t->transport);
	uint32_t pseudo = addresses + protocol + bytes;
	uint8_t *check;

	if (t->second)
		return;
	store_short(t->transport, t->id.port[t->back]);
	store_short(t->transport + 2, t->id.port[!t->back]);
	if (t->id.kind == TCP) {
		check = compose_tcp(t, f, s);
	} else if (t->id.kind == ICMP) {
		check = compose_icmp(t);
		if (!t->id.ip6)
			pseudo = 0;
	} else {
		check = compose_udp(t);
		if (t->id.fragments)
			pseudo = sum_shorts(noise + FIRST_PART, SECOND_PART, pseudo + SECOND_PART);
	}
	store_short(check, finish_sum(sum_shorts(t->transport, bytes, pseudo)));
}

/* Chooses direction and flags.  Returns the bytes of the payload, or -1 if the size decides. */
static int choose_direction(struct packet *t, const struct flow *f, uint32_t size, uint64_t *s)
{
	if (t->id.kind != TCP) {
		if (t->id.fragments) {
			t->second = t->step & 1;
			t->id.fragments = t->second || t->step + 1 < f->length;
		} else {
			t->back = t->id.kind == UDP ? take_below(s, 3) == 0 : t->step & 1;
		}
		return -1;
	}
	t->flags = choose_flags(t->step, f->length, &t->back);
	if (t->flags)
		return 0;
	t->back = take_below(s, 3) != 0; /* two thirds of the data come from the server */
	t->flags = size == 60 ? ACK : ACK | PSH;
	if (fixed_size || size != 60)
		return -1;
	t->back = !t->back;
	return 0;
}

/* Writes the payload and sets its end. */
static void compose_payload(struct packet *t, int body, uint32_t size, uint64_t *s)
{
	uint8_t *p = t->payload;

	if (t->id.kind == DNS) {
		t->end = compose_dns(p, t);
		return;
	}
	if (body < 0) {
		body = (int)size - (int)(p - t->frame);
		body = body < 0 ? 0 : body;
		const uint8_t *from = noise + (t->second ? FIRST_PART : 0);

		if (t->id.fragments)
			body = t->second ? (int)SECOND_PART : (int)FIRST_PART;
		else
			from = noise + take_below(s, NOISE);
		memcpy(p, from, (size_t)body);
		if (t->id.kind == TCP && t->id.port[1] == 80 && !t->back && body > 60)
			memcpy(p, "GET /index.html HTTP/1.1\r\nHost: example.net\r\n\r\n", 47);
	}
	t->end = p + body;
}

/* Returns the size of a frame by its draw of 12. */
static uint32_t choose_size(uint32_t draw)
{
	if (fixed_size)
		return fixed_size;
	if (draw < 7)
		return 60;
	return draw < 11 ? 590 : 1514;
}

/* Writes a flow's next packet.  Returns its length. */
static uint32_t compose_packet(uint8_t *frame, uint32_t number, uint64_t *s)
{
	struct flow *f = &flows[number];
	struct packet t = { .id = identify_flow(number), .frame = frame, .number = number };
	const uint32_t size = choose_size(take_below(s, 12));
	const uint8_t protocols[KINDS] = { 6, 17, 17, t.id.ip6 ? 58 : 1, 0 };
	const uint8_t protocol = protocols[t.id.kind];

	t.step = f->sent++;
	t.network = frame + 14 + 4 * t.id.tags;
	t.transport = t.network + (t.id.ip6 ? 40 : 20);

	const int body = choose_direction(&t, f, size, s);

	compose_ethernet(&t);
	if (t.id.kind == ARP)
		return compose_arp(&t, size);
	if (t.id.fragments && t.id.ip6) {
		t.transport[0] = protocol;
		t.transport[1] = 0;
		store_long(t.transport + 4, number * 64 + t.step / 2);
		t.transport += 8;
	}
	t.payload = t.transport + 8;
	if (t.second)
		t.payload = t.transport;
	else if (t.id.kind == TCP)
		t.payload = t.transport + (t.flags & SYN && !fixed_size ? 32 : 20);
	compose_payload(&t, body, size, s);
	compose_transport(&t, f, s, protocol, compose_ip(&t, protocol));

	uint32_t length = (uint32_t)(t.end - frame);

	for (; length < (fixed_size ? fixed_size : 60); length++) /* Ethernet's padding */
		frame[length] = 0;
	return length;
}

/* ---- The file ---- */

/* Chooses flow lengths: DNS and ARP have two packets, others share the rest by Pareto's weights. */
static void choose_lengths(uint64_t *s)
{
	float *weight = calloc(flow_count, sizeof *weight);
	double total = 0;
	uint32_t rest = packet_count;
	uint32_t given = 0;
	uint32_t last = 0;

	if (!weight)
		exit(1);
	for (uint32_t i = 0; i < flow_count; i++) {
		const enum kind kind = identify_flow(i).kind;

		flows[i].length = kind == DNS || kind == ARP ? 2 : 1;
		rest -= flows[i].length;
		if (flows[i].length == 2)
			continue;
		weight[i] = (float)fmin(pow(1 - draw_unit(s), -1 / 1.2), 5000);
		total += (double)weight[i];
		last = i;
	}
	for (uint32_t i = 0; i < flow_count; i++) {
		const uint32_t more = (uint32_t)(rest * ((double)weight[i] / total));

		flows[i].length += more;
		given += more;
	}
	flows[last].length += rest - given;
	free(weight);
}

static int order_events(const void *a, const void *b)
{
	const struct event *x = a;
	const struct event *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return (x->flow > y->flow) - (x->flow < y->flow);
}

/* Gives each flow a start and a duration, and between them trains 10 us apart, with pauses. */
static void choose_times(uint64_t *s)
{
	struct event *e = events;
	const double span = SPAN_NS;

	for (uint32_t i = 0; i < flow_count; i++) {
		const double start = draw_unit(s) * span;
		const double u = draw_unit(s);
		const double pause = (span - start) * u * u / flows[i].length;
		double t = start;

		flows[i].seq[0] = (uint32_t)draw_bits(s);
		flows[i].seq[1] = (uint32_t)draw_bits(s);
		for (uint32_t k = 0; k < flows[i].length; k++, e++) {
			*e = (struct event){ (uint64_t)t, i };
			t += take_below(s, 3) ? 2 * draw_unit(s) * pause : 10e3;
		}
	}
	qsort(events, packet_count, sizeof *events, order_events);
}

/* Draws each packet's flow uniformly. */
static void choose_uniformly(uint64_t *s)
{
	const uint64_t step = SPAN_NS / packet_count;

	for (uint32_t i = 0; i < packet_count; i++)
		events[i] = (struct event){ i * step, take_below(s, flow_count) };
	for (uint32_t i = 0; i < flow_count; i++) {
		flows[i].length = UINT32_MAX;
		flows[i].seq[0] = (uint32_t)draw_bits(s);
		flows[i].seq[1] = (uint32_t)draw_bits(s);
	}
}

/* Returns 0, or 1 if the file could not be written. */
static int save_traffic(FILE *out, uint64_t *s)
{
	const uint32_t head[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1 };
	static uint8_t frame[4096];

	setvbuf(out, NULL, _IOFBF, 1 << 20);
	fwrite(head, sizeof head, 1, out);
	for (uint32_t i = 0; i < packet_count; i++) {
		const uint64_t ns = events[i].ns;
		const uint32_t length = compose_packet(frame, events[i].flow, s);
		const uint32_t record[4] = { START + (uint32_t)(ns / 1000000000),
			(uint32_t)(ns / 1000 % 1000000), length, length };

		fwrite(record, sizeof record, 1, out);
		fwrite(frame, length, 1, out);
	}
	return fclose(out) != 0;
}

/* Reads the options.  Returns the file's name, or NULL if they are wrong. */
static const char *read_traffic_options(int argc, char **argv)
{
	const char *path = NULL;

	for (int c; (c = getopt(argc, argv, "n:F:s:S:o:U")) != -1;) {
		const uint64_t number = optarg ? strtoull(optarg, NULL, 10) : 0;

		if (c == '?')
			return NULL;
		if (c == 'n')
			packet_count = (uint32_t)number;
		else if (c == 'F')
			flow_count = (uint32_t)number;
		else if (c == 's')
			seed = number;
		else if (c == 'S')
			fixed_size = (uint32_t)number; /* imix: 0 */
		else if (c == 'o')
			path = optarg;
		else
			uniform = true;
	}
	if (!flow_count || packet_count / flow_count < 2 || fixed_size > 1514)
		return NULL;
	return fixed_size && fixed_size < 60 ? NULL : path;
}

int main(int argc, char **argv)
{
	const char *path = read_traffic_options(argc, argv);
	FILE *out = path ? fopen(path, "wb") : NULL;
	uint64_t s = seed;

	if (!out) {
		fprintf(stderr,
			"usage: traffic -n PACKETS -F FLOWS [-s SEED] [-S 60..1514|imix] [-U] -o FILE\n"
			"PACKETS: at least two for each flow\n");
		return 2;
	}
	flows = calloc(flow_count, sizeof *flows);
	events = malloc(packet_count * sizeof *events);
	if (!flows || !events)
		return perror("traffic"), 1;
	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (uint8_t)draw_bits(&s);
	if (uniform) {
		choose_uniformly(&s);
	} else {
		choose_lengths(&s);
		choose_times(&s);
	}
	if (save_traffic(out, &s))
		return perror(path), 1;
	return 0;
}
