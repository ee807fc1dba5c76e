/* SPDX-License-Identifier: MIT */
/* Explanations: the lines for terms of every kind, the cost, and the lines about kernels. */
#include "filter/kernel.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *get_explanation(const char *expression, struct bpe_filter_options o)
{
	char *text = NULL;
	struct bpe_error e = { 0 };
	cr_assert_eq(bpe_filter_explain(expression, &o, &text, &e), BPE_OK, "%s: %s", expression,
		e.text);
	return text;
}

Test(explain, words)
{
	static const struct {
		const char *expression, *words;
		int link;
	} cases[] = { { "", "  everything\n", 1 }, { "tcp", "  TCP\n", 1 },
		{ "icmp", "  ICMP over IPv4\n", 1 },
		{ "tcp port 80", "  TCP from or to port 80\n", 1 },
		{ "src host 10.0.0.1", "  from host 10.0.0.1 (IPv4, ARP or RARP)\n", 1 },
		{ "dst net 10.0.0.0/8", "  to network 10.0.0.0/8 (IPv4, ARP or RARP)\n", 1 },
		{ "host fe80::1", "  from or to host fe80::1 (IPv6)\n", 1 },
		{ "ip src and dst host 10.0.0.1", "  from and to host 10.0.0.1 (IPv4)\n", 1 },
		{ "ether src 1:2:3:4:5:6", "  from Ethernet address 1:2:3:4:5:6\n", 1 },
		{ "udp dst portrange 5-9", "  UDP to ports 5-9\n", 1 },
		{ "ip proto \\tcp", "  the protocol over IPv4 is tcp\n", 1 },
		{ "ether proto 0x88cc", "  the link header says 0x88cc follows\n", 1 },
		{ "ip protochain 6", "  protocol 6 is among the first headers over IPv4\n", 1 },
		{ "not tcp", "  not: TCP\n", 1 },
		{ "tcp and udp or icmp",
			"  any of\n    all of\n      TCP\n      UDP\n    ICMP over IPv4\n", 1 },
		{ "not (tcp or arp)", "  none of what follows:\n    any of\n      TCP\n      ARP\n",
			1 },
		{ "port 80 or 443",
			"  any of\n    TCP, UDP or SCTP from or to port 80\n    TCP, UDP or SCTP from or to port 443\n",
			1 },
		{ "less 90 and greater 60",
			"  all of\n    at most 90 bytes long\n    at least 60 bytes long\n", 1 },
		{ "ether broadcast", "  to the link's broadcast address\n", 1 },
		{ "ip multicast", "  to a multicast address of IPv4\n", 1 },
		{ "vlan 5",
			"  with a VLAN tag (802.1Q, 802.1ad) of VLAN 5; what follows is looked for behind it\n",
			1 },
		{ "mpls 7 and ip",
			"    with an MPLS label 7; what follows is looked for behind it\n    IPv4\n",
			1 },
		{ "pppoes", "  in a PPPoE session; what", 1 },
		{ "vxlan 9", "  in VXLAN, network 9; what", 1 },
		{ "tcp[13] & 2 != 0",
			"  where tcp[13] & 2 != 0; in TCP over IPv4, no later fragments\n", 1 },
		{ "(ip[8] + ip[9]) > 7", "  where (ip[8] + ip[9]) > 7; in IPv4\n", 1 },
		{ "len > 7", "  where len > 7\n", 1 },
		{ "inner(tcp port 80)", "  behind one encapsulation: (tcp port 80)\n", 1 },
		{ "llc ui", "  with an LLC header: ui\n", 1 },
		{ "stp", "  the spanning tree protocol\n", 1 },
		{ "type mgt subtype beacon", "  802.11 frames: type mgt subtype beacon\n", 105 },
		{ "pid 77 and proc curl", "    of process: 77\n    of a process called: curl\n",
			258 },
		{ "svc BK", "  of service class: BK\n", 258 }, { "dir in", "dir in\n", 258 },
		{ "inbound", "  received by this host\n", 113 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text = get_explanation(cases[i].expression,
			(struct bpe_filter_options){
				.struct_size = sizeof(struct bpe_filter_options),
				.link_type = cases[i].link });
		cr_expect(strstr(text, cases[i].words), "%s is explained so:\n%s",
			cases[i].expression, text);
		cr_expect(strstr(text, "\nCost\n") && strstr(text, "\nWhere it runs\n"));
		bpe_filter_text_free(text);
	}
}

Test(explain, long_rows_are_cut)
{
	char expression[8192] = "host 10.0.0.0";
	size_t used = strlen(expression);
	for (int i = 1; i < 100; i++)
		used += (size_t)snprintf(
			expression + used, sizeof expression - used, " or 10.0.0.%d", i);
	char *text = get_explanation(expression,
		(struct bpe_filter_options){
			.struct_size = sizeof(struct bpe_filter_options), .link_type = 1 });
	cr_expect(strstr(text,
			  "host 10.0.0.11 (IPv4, ARP or RARP)\n    ... and 88 more like these\n") &&
			  !strstr(text, "10.0.0.12"),
		"%s", text);
	bpe_filter_text_free(text);
}

Test(explain, cost_and_kernels)
{
	char *text = get_explanation(
		"ip", (struct bpe_filter_options){ .struct_size = sizeof(struct bpe_filter_options),
			      .link_type = 1 }); /* ldh, jeq, ret, ret */
	cr_expect(strstr(text,
			  "  4 instructions; a packet takes 3 to 3, with at most 1 load from it\n"),
		"%s", text);
	cr_expect(
		strstr(text,
			"macOS, FreeBSD, NetBSD, OpenBSD: the kernel does all of it, in 4 of at most 512 instructions\n"),
		"%s", text);
	bpe_filter_text_free(text);
	text = get_explanation("ip[8] % 7 = 3",
		(struct bpe_filter_options){ .struct_size = sizeof(struct bpe_filter_options),
			.link_type = 1,
			.kernel = "macos" });
	cr_expect(strstr(text, "  macOS: the kernel does all of it") && !strstr(text, "Linux") &&
			  !strstr(text, "savefiles"),
		"%s", text);
	bpe_filter_text_free(text);
	text = get_explanation("pid 5",
		(struct bpe_filter_options){ .struct_size = sizeof(struct bpe_filter_options),
			.link_type = 258,
			.kernel = "macos" });
	cr_expect(strstr(text, "wider filter") && strstr(text, "only when they are read"), "%s",
		text);
	bpe_filter_text_free(text);
	text = get_explanation("tcp port 80",
		(struct bpe_filter_options){ .struct_size = sizeof(struct bpe_filter_options),
			.link_type = 1,
			.through = BPE_THROUGH_VLAN | BPE_THROUGH_GRE | BPE_THROUGH_IPV6_EXT });
	cr_expect(strstr(text, "or match so behind one or two of: a VLAN tag, GRE\n") &&
			  strstr(text, "up to 4 extension headers"),
		"%s", text);
	bpe_filter_text_free(text);
}

Test(explain, wrong_expressions_give_the_usual_errors)
{
	char *text = NULL;
	struct bpe_error e;
	const struct bpe_filter_options o = { .struct_size = sizeof o, .link_type = 1 };
	const struct bpe_filter_options beos = {
		.struct_size = sizeof beos, .link_type = 1, .kernel = "beos"
	};
	const struct bpe_filter_options usb = { .struct_size = sizeof usb, .link_type = 189 };

	cr_expect_eq(bpe_filter_explain("tcp prt 80", &o, &text, &e), BPE_E_ARGUMENT);
	cr_expect(strstr(e.text, "^^^"));
	cr_expect_eq(bpe_filter_explain("tcp", &beos, &text, &e), BPE_E_ARGUMENT);
	cr_expect_eq(bpe_filter_explain("tcp", &usb, &text, &e), BPE_E_UNSUPPORTED);
	cr_expect_eq(bpe_filter_explain("tcp", NULL, &text, &e), BPE_E_ARGUMENT);
	cr_expect_eq(bpe_filter_explain(NULL, &o, &text, &e), BPE_E_ARGUMENT);
	cr_expect_null(text);
}
