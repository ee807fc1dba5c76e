/* SPDX-License-Identifier: MIT */
/* The filter program of a Linux socket, run on the packet of the kernel and compared with the
 * user's program on the packet as delivered.
 *
 * The kernel's packet lacks the VLAN tag and the cooked header.  The kernel knows both as ancillary
 * fields; here constants replace the loads of these fields. */
#include "device/afpacket.h"

#include "../../parity/generate.h"

#include <criterion/criterion.h>
#include <linux/filter.h>
#include <stdlib.h>

#define SIZE 120u

struct known {
	bool tagged;
	uint32_t tpid, tci, protocol, ifindex, hatype, pkttype;
};

/* Returns the kernel's verdict. */
static uint32_t run_kernel_program(const struct bpei_kernel_program *fit, const struct known *k,
	const uint8_t *data, uint32_t size)
{
	struct bpe_insn *p = malloc(fit->length * sizeof *p);
	memcpy(p, fit->program, fit->length * sizeof *p);
	for (uint32_t i = 0; i < fit->length; i++) {
		if ((p[i].code & 0xe7) != 0x20 || p[i].k < (uint32_t)SKF_AD_OFF)
			continue;
		uint32_t v = 0;
		switch (p[i].k - (uint32_t)SKF_AD_OFF) {
		case SKF_AD_VLAN_TAG_PRESENT:
			v = k->tagged;
			break;
		case SKF_AD_VLAN_TAG:
			v = k->tci;
			break;
		case SKF_AD_VLAN_TPID:
			v = k->tpid;
			break;
		case SKF_AD_PROTOCOL:
			v = k->protocol;
			break;
		case SKF_AD_IFINDEX:
			v = k->ifindex;
			break;
		case SKF_AD_HATYPE:
			v = k->hatype;
			break;
		case SKF_AD_PKTTYPE:
			v = k->pkttype;
			break;
		default:
			cr_assert_fail("an unknown field");
		}
		p[i] = (struct bpe_insn){ .code = 0x00, .k = v };
	}
	uint32_t verdict = bpei_filter_run(p, data, size, size);
	free(p);
	return verdict;
}

static uint32_t put_be16_at(uint8_t *to, uint32_t at, uint32_t v)
{
	to[at] = (uint8_t)(v >> 8);
	to[at + 1] = (uint8_t)v;
	return at + 2;
}

/* Makes an IP packet as in the kernel, behind the link header. */
static void make_network_packet(struct generator *g, uint8_t *p, struct known *k)
{
	static const uint8_t protocols[] = { 6, 17, 1, 132 };
	for (uint32_t i = 0; i < SIZE; i++)
		p[i] = (uint8_t)(generate_below(g, 3) ? generate_below(g, 8)
						      : generate_below(g, 256));
	*k = (struct known){ .tagged = generate_below(g, 2),
		.tpid = generate_below(g, 3) ? 0x8100 : 0x88a8,
		.tci = generate_below(g, 9),
		.ifindex = generate_below(g, 4),
		.hatype = generate_below(g, 2),
		.pkttype = generate_below(g, 5) };
	if (generate_below(g, 6)) {
		k->protocol = 0x0800;
		p[0] = (uint8_t)(0x45 + generate_below(g, 2));
		p[6] = p[7] = 0;
		p[9] = protocols[generate_below(g, 4)];
	} else {
		k->protocol = generate_below(g, 2) ? 0x86dd : 0x0806;
		p[0] = 0x60;
		p[6] = protocols[generate_below(g, 4)];
	}
	if (generate_below(g, 2)) {
		p[12] = p[16] = 10;
		p[13] = p[14] = p[15] = 0;
	}
}

static unsigned exact, taken, tagged_yes;

static uint32_t pick_lower(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void compare_verdicts(const struct bpei_tpacket *how, const struct bpei_filter *f,
	struct generator *g, const char *text)
{
	struct bpei_kernel_program fit;
	cr_assert_eq(bpei_tpacket_filter(how, f, &fit), BPE_OK);
	cr_expect_leq(fit.length, 4096);
	exact += fit.exact;
	taken++;
	for (int i = 0; i < 40; i++) {
		uint8_t ip[SIZE], whole[SIZE + 64], theirs[SIZE + 64];
		struct known k;
		uint32_t at = 0, there = 0;
		make_network_packet(g, ip, &k);
		if (how->cooked) { /* the layout of bpei_walk_tpacket */
			memset(whole, 0, 32);
			put_be16_at(whole, 0, k.tagged ? k.tpid : k.protocol);
			put_be16_at(whole, 6, k.ifindex);
			put_be16_at(whole, 8, k.hatype);
			whole[10] = (uint8_t)k.pkttype;
			whole[11] = 6;
			at = 20;
			if (k.tagged)
				at = put_be16_at(whole, put_be16_at(whole, at, k.tci), k.protocol);
		} else {
			for (; at < 12; at++)
				whole[at] = theirs[at] = (uint8_t)(at + generate_below(g, 2));
			there = put_be16_at(theirs, 12, k.protocol);
			if (k.tagged)
				at = put_be16_at(whole, put_be16_at(whole, at, k.tpid), k.tci);
			at = put_be16_at(whole, at, k.protocol);
		}
		memcpy(whole + at, ip, SIZE);
		memcpy(theirs + there, ip, SIZE);
		uint32_t ours = bpei_filter_run(f->program, whole, at + SIZE, at + SIZE);
		uint32_t kernels = run_kernel_program(&fit, &k, theirs, there + SIZE);
		cr_expect(!ours || kernels, "%s: refused there, taken here", text);
		if (fit.exact)
			cr_expect_eq(!ours, !kernels, "%s: taken there, refused here", text);
		if (fit.exact && ours) {
			uint32_t kept_there = pick_lower(kernels, there + SIZE);
			cr_expect_eq(kept_there + (at - there), pick_lower(ours, at + SIZE),
				"%s: another length", text);
		}
		tagged_yes += ours && k.tagged;
	}
	free(fit.program);
}

static const struct bpei_tpacket shapes[] = { { .link_type = 1 },
	{ .link_type = 276, .cooked = true } };

Test(afpacket_filter, expressions)
{
	static const char *const fixed[] = { "vlan", "vlan 5", "not vlan", "vlan 5 and udp",
		"vlan and tcp port 80", "ether[14:2] & 0xfff = 5", "len > 130",
		"len & 1 = 0 and vlan", "ether[12:4] = 0x81000005", "ether[13] = 0",
		"ether[10:4] > 9", "tcp[ip[3]] = 4", "ether[ip[3]] = 4", "ip", "arp",
		"host 10.0.0.0", "udp[2:2] < 9", "ether proto 0x88a8", "ip and len > 130" };
	char text[8192];
	for (uint32_t k = 0; k < 3000; k++) {
		struct generator g = {
			.state = k + 5, .text = text, .room = sizeof text, .sound = 1
		};
		const struct bpei_tpacket *how = &shapes[generate_below(&g, 2)];
		const uint32_t snaplen = generate_below(&g, 2) ? 60 + generate_below(&g, 90) : 0;
		const struct bpe_filter_options o = { .struct_size = sizeof o,
			.link_type = (int32_t)how->link_type,
			.snaplen = snaplen,
			.through = generate_below(&g, 4) ? 0 : BPE_THROUGH_VLAN };
		struct bpei_filter f;
		text[0] = 0;
		if (k / 2 < sizeof fixed / sizeof *fixed) {
			how = &shapes[k % 2];
			strcpy(text, fixed[k / 2]);
		} else
			generate_expression(&g);
		if (bpei_compile_for(text, &o, &bpei_kernels[BPEI_KERNEL_LINUX], 1000, &f, NULL) <
			0)
			continue;
		compare_verdicts(how, &f, &g, text);
		free(f.program), free(f.wide);
	}
	cr_expect_gt(taken, 1500);
	cr_expect_gt(
		exact, taken / 4, "%u of %u", exact, taken); /* cooked programs never are exact */
	cr_expect_gt(tagged_yes, 1000);
}

/* Checks that common filters are exact: packets are not filtered again. */
Test(afpacket_filter, common_ones_are_exact)
{
	static const char *const common[] = { "tcp port 80", "host 10.0.0.1", "vlan 5 and udp",
		"vlan", "icmp or arp", "net 10.0.0.0/8 and not port 22", "ip6 and tcp",
		"ether host 1:2:3:4:5:6", "len > 100", "tcp[tcpflags] & tcp-syn != 0",
		"ether broadcast" };
	for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
		const struct bpe_filter_options o = { .struct_size = sizeof o, .link_type = 1 };
		struct bpei_filter f;
		struct bpei_kernel_program fit;
		cr_assert_eq(bpei_compile_for(common[i], &o, &bpei_kernels[BPEI_KERNEL_LINUX], 1000,
				     &f, NULL),
			BPE_OK);
		cr_assert_eq(bpei_tpacket_filter(&shapes[0], &f, &fit), BPE_OK);
		cr_expect(fit.exact, "%s: %s", common[i], fit.why ? fit.why : "what is moved");
		free(fit.program), free(f.program);
	}
}

/* Checks the user's own programs: returns of fewer bytes, and of A. */
Test(afpacket_filter, returns)
{
	struct bpe_insn few[] = { { 0x28, 0, 0, 12 }, { 0x15, 0, 1, 0x8100 }, { 0x06, 0, 0, 50 },
		{ 0x06, 0, 0, 40 } };
	struct bpe_insn of_a[] = { { 0x30, 0, 0, 20 }, { 0x16, 0, 0, 0 } };
	struct generator g = { .state = 9 };
	for (int i = 0; i < 20; i++)
		for (int s = 0; s < 2; s++) {
			compare_verdicts(&shapes[s],
				&(struct bpei_filter){ .program = few, .length = 4 }, &g, "few");
			compare_verdicts(&shapes[s],
				&(struct bpei_filter){ .program = of_a, .length = 2 }, &g, "RET A");
		}
}

/* Checks that "any" refuses outgoing packets of loopback alone, with a filter and without: loopback
 * delivers each packet twice. */
Test(afpacket_filter, second_sights_of_loopback)
{
	const struct bpei_tpacket any = { .link_type = 276, .cooked = true, .skip_outgoing = true };
	const struct bpe_filter_options o = { .struct_size = sizeof o, .link_type = 276 };
	uint8_t ip[SIZE] = { 0x45 };
	for (int filtered = 0; filtered < 3; filtered++) {
		struct bpe_insn none[BPEI_TPACKET_NONE];
		struct bpei_filter f = { .program = NULL };
		struct bpei_kernel_program fit = { .program = none };
		if (filtered == 2) {
			cr_assert_eq(bpei_compile_for("ip", &o, &bpei_kernels[BPEI_KERNEL_LINUX],
					     1000, &f, NULL),
				BPE_OK);
			cr_assert_eq(bpei_tpacket_filter(&any, &f, &fit), BPE_OK);
		} else {
			fit.length = bpei_tpacket_filter_none(
				&any, filtered ? 60 : BPE_MAX_SNAPLEN, none);
			cr_assert_leq(fit.length, BPEI_TPACKET_NONE);
		}
		for (uint32_t pkttype = 0; pkttype < 5; pkttype++)
			for (int loopback = 0; loopback < 2; loopback++) {
				struct known k = { .protocol = 0x0800,
					.pkttype = pkttype,
					.hatype = loopback ? 772 : 1 };
				cr_expect_eq(!run_kernel_program(&fit, &k, ip, SIZE),
					loopback && pkttype == 4, "%d %u %d", filtered, pkttype,
					loopback);
			}
		if (filtered == 2)
			free(fit.program), free(f.program), free(f.wide);
	}
	const struct bpei_tpacket one = { .link_type = 1, .skip_outgoing = true };
	struct bpe_insn none[BPEI_TPACKET_NONE];
	cr_expect_eq(bpei_tpacket_filter_none(&one, BPE_MAX_SNAPLEN, none),
		0); /* the socket option refuses outgoing packets */
	cr_expect_eq(bpei_tpacket_filter_none(&one, 60, none), 1);
}

/* Checks each direction with packets for this host, for all, for others, and from this host. */
Test(afpacket_filter, directions)
{
	static const struct bpei_tpacket kinds[] = { { .link_type = 1 },
		{ .link_type = 276, .cooked = true },
		{ .link_type = 276, .cooked = true, .skip_outgoing = true }, { .link_type = 101 } };
	uint8_t frame[SIZE] = { 0x45 };
	for (size_t s = 0; s < sizeof kinds / sizeof *kinds; s++)
		for (uint32_t direction = BPE_DIRECTION_BOTH; direction <= BPE_DIRECTION_OUT;
			direction++)
			for (uint32_t pkttype = 0; pkttype < 5; pkttype++) {
				struct bpei_tpacket how = kinds[s];
				struct bpe_insn all = { 0x06, 0, 0, 100 }, none[BPEI_TPACKET_NONE];
				struct bpei_kernel_program with, without = { .program = none };
				const struct known k = {
					.protocol = 0x0800, .pkttype = pkttype, .hatype = 1
				};
				const bool wanted =
					direction == BPE_DIRECTION_BOTH ||
					(direction == BPE_DIRECTION_OUT) == (pkttype == 4);
				how.direction = direction;
				without.length = bpei_tpacket_filter_none(&how, 60, none);
				cr_assert_leq(without.length, BPEI_TPACKET_NONE);
				cr_assert_eq(bpei_tpacket_filter(&how,
						     &(struct bpei_filter){
							     .program = &all, .length = 1 },
						     &with),
					BPE_OK);
				cr_expect_eq(run_kernel_program(&with, &k, frame, SIZE) > 0, wanted,
					"%zu %u %u", s, direction, pkttype);
				cr_expect_eq(run_kernel_program(&without, &k, frame, SIZE) > 0,
					wanted, "%zu %u %u", s, direction, pkttype);
				free(with.program);
			}
}
