/* SPDX-License-Identifier: MIT */
/* -L, -D and -J: the interfaces, for people or as JSON; stateless. */
#include "answers.h"

#include <net/if.h>
#include <string.h>

static const char *interface_state(const struct bpe_interface *i)
{
	if (!(i->flags & BPE_IF_UP))
		return "down";
	/* an interface without an index has no carrier to report */
	return i->flags & BPE_IF_RUNNING || !i->index ? "up" : "up, no carrier";
}

static const char *interface_link_type(const struct bpe_interface *i)
{
	const char *name = bpe_link_type_name(i->link_type);

	return name ? name : "unknown";
}

/* Prints a line, with a number unless the number is 0. */
static void print_interface_line(const struct bpe_interface *i, int number)
{
	char address[48], text[256];

	if (number)
		printf("%d.", number);

	printf("%-16s %-14s %-12s", program_visible(text, sizeof text, i->name), interface_state(i),
		interface_link_type(i));
	if (i->mtu)
		printf(" mtu %u", i->mtu);
	if (i->has_mac)
		printf(" %02x:%02x:%02x:%02x:%02x:%02x", i->mac[0], i->mac[1], i->mac[2], i->mac[3],
			i->mac[4], i->mac[5]);
	for (int k = 0; k < i->address_count; k++)
		printf(" %s/%u",
			cli_address(address, sizeof address, i->addresses[k].addr,
				i->addresses[k].family),
			i->addresses[k].prefix);
	if (i->description[0])
		printf(" (%s)", program_visible(text, sizeof text, i->description));
	printf("\n");
}

static void print_interface_json(const struct bpe_interface *i, int number)
{
	char address[48];

	printf("{\"number\":%d,\"name\":", number);
	program_print_json(stdout, i->name);
	printf(",\"description\":");
	program_print_json(stdout, i->description);
	printf(",\"index\":%u,\"state\":\"%s\"", i->index, interface_state(i));
	printf(",\"loopback\":%s", i->flags & BPE_IF_LOOPBACK ? "true" : "false");
	printf(",\"promiscuous\":%s", i->flags & BPE_IF_PROMISCUOUS ? "true" : "false");
	printf(",\"linktype\":\"%s\",\"mtu\":%u,", interface_link_type(i), i->mtu);
	if (i->has_mac)
		printf("\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\",", i->mac[0], i->mac[1],
			i->mac[2], i->mac[3], i->mac[4], i->mac[5]);
	printf("\"addresses\":[");
	for (int k = 0; k < i->address_count; k++)
		printf("%s\"%s/%u\"", k ? "," : "",
			cli_address(address, sizeof address, i->addresses[k].addr,
				i->addresses[k].family),
			i->addresses[k].prefix);
	printf("]}");
}

static void print_interfaces_json(const struct bpe_interface *all, int n)
{
	printf("[");
	for (int i = 0; i < n; i++) {
		if (i)
			printf(",\n");
		print_interface_json(&all[i], i + 1);
	}
	printf("]\n");
}

static int list_all(const struct cli *c)
{
	struct bpe_interface *all;
	struct bpe_error error;
	const int n = bpe_interfaces_list(&all, &error);

	if (n < 0) {
		program_tell("%s", error.text);
		return EXIT_ERROR;
	}
	if (c->json)
		print_interfaces_json(all, n);
	for (int i = 0; i < n && !c->json; i++)
		print_interface_line(&all[i], c->numbered ? i + 1 : 0);
	bpe_interfaces_free(all);
	return program_end_output("the list") ? EXIT_GOOD : EXIT_ERROR;
}

int cli_listed_link_type(const char *name, bool *found)
{
	struct bpe_interface *all = NULL;
	struct bpe_error error;
	const int n = bpe_interfaces_list(&all, &error);
	int link = -1;

	*found = false;
	for (int i = 0; i < n; i++)
		if (!strcmp(all[i].name, name)) {
			*found = true;
			link = all[i].link_type;
		}
	if (n >= 0)
		bpe_interfaces_free(all);
	return link;
}

/* Prints the link types (-L -i NAME) or the clocks (-J) of an interface.  Returns the exit code. */
static int list_of_interface(const struct cli *c)
{
	const char *name = c->engine.interface_name;
	const struct bpe_error absent = {
		.status = BPE_E_ABSENT, .step = "open", .text = "no such interface"
	};
	char shown[256];
	bool found;

	if (!name)
		name = cli_first_interface();
	const int link = cli_listed_link_type(name, &found);
	const char *link_name = bpe_link_type_name(link);

	program_visible(shown, sizeof shown, name);
	if (!found)
		return cli_explain_failure(c, &absent);
	if (c->list_clocks)
		printf("Time stamp types of %s: host\n", shown);
	else
		printf("Link types of %s (choose with -y):\n%s\n", shown,
			link_name ? link_name : "known once the interface is open");
	return program_end_output("the list") ? EXIT_GOOD : EXIT_ERROR;
}

int cli_list_interfaces(const struct cli *c)
{
	if (c->list_clocks || (c->list && c->engine.interface_name))
		return list_of_interface(c);
	return list_all(c);
}
