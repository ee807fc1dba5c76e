/* SPDX-License-Identifier: MIT */
/* -L: the interfaces, for people or as JSON; stateless. */
#include "cli.h"

static const char *state(const struct bpe_interface *i)
{
	return !(i->flags & BPE_IF_UP)                  ? "down"
	       : i->flags & BPE_IF_RUNNING || !i->index ? "up"
							: "up, no carrier";
}

static const char *link_type(const struct bpe_interface *i)
{
	const char *name = bpe_link_type_name(i->link_type);
	return name ? name : "unknown";
}

static void print_line(const struct bpe_interface *i)
{
	char a[48], text[256];
	printf("%-16s %-14s %-12s", program_visible(text, sizeof text, i->name), state(i),
		link_type(i));
	if (i->mtu)
		printf(" mtu %u", i->mtu);
	if (i->has_mac)
		printf(" %02x:%02x:%02x:%02x:%02x:%02x", i->mac[0], i->mac[1], i->mac[2], i->mac[3],
			i->mac[4], i->mac[5]);
	for (int k = 0; k < i->address_count; k++)
		printf(" %s/%u",
			cli_address(a, sizeof a, i->addresses[k].addr, i->addresses[k].family),
			i->addresses[k].prefix);
	if (i->description[0])
		printf(" (%s)", program_visible(text, sizeof text, i->description));
	printf("\n");
}

static void json(const struct bpe_interface *i)
{
	char a[48];
	printf("{\"name\":");
	program_print_json(stdout, i->name);
	printf(",\"description\":");
	program_print_json(stdout, i->description);
	printf(",\"index\":%u,\"state\":\"%s\",\"loopback\":%s,\"promiscuous\":%s,\"linktype\":\"%s\",\"mtu\":%u,",
		i->index, state(i), i->flags & BPE_IF_LOOPBACK ? "true" : "false",
		i->flags & BPE_IF_PROMISCUOUS ? "true" : "false", link_type(i), i->mtu);
	if (i->has_mac)
		printf("\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\",", i->mac[0], i->mac[1],
			i->mac[2], i->mac[3], i->mac[4], i->mac[5]);
	printf("\"addresses\":[");
	for (int k = 0; k < i->address_count; k++)
		printf("%s\"%s/%u\"", k ? "," : "",
			cli_address(a, sizeof a, i->addresses[k].addr, i->addresses[k].family),
			i->addresses[k].prefix);
	printf("]}");
}

int cli_list(bool as_json)
{
	struct bpe_interface *all;
	struct bpe_error error;
	int n = bpe_interfaces_list(&all, &error);
	if (n < 0) {
		program_tell("%s", error.text);
		return EXIT_ERROR;
	}
	if (as_json)
		printf("[");
	for (int i = 0; i < n; i++) {
		if (as_json && i)
			printf(",\n");
		if (as_json)
			json(&all[i]);
		else
			print_line(&all[i]);
	}
	if (as_json)
		printf("]\n");
	bpe_interfaces_free(all);
	return program_end_output("the list") ? EXIT_GOOD : EXIT_ERROR;
}
