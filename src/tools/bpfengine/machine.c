/* SPDX-License-Identifier: MIT */
/* The interfaces of this machine, for answers (answers.h); stateless. */
#include "answers.h"

#include <ctype.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Lists the interfaces.  Returns their number; 0 if the list cannot be had. */
static int list_machine(struct bpe_interface **all)
{
	struct bpe_error error;
	const int n = bpe_interfaces_list(all, &error);

	return n < 0 ? 0 : n;
}

bool cli_is_interface(const char *name)
{
	struct bpe_interface *all = NULL;
	const int n = list_machine(&all);
	bool found = *name && if_nametoindex(name);

	for (int i = 0; i < n; i++)
		found |= !strcmp(all[i].name, name);
	bpe_interfaces_free(all);
	return found;
}

/* Returns how useful an interface is as an example: the higher, the better. */
static int example_rank(const struct bpe_interface *i)
{
	if (!i->index)
		return 0;
	if (i->flags & BPE_IF_LOOPBACK)
		return 1;
	return i->flags & BPE_IF_UP ? 3 : 2;
}

const char *cli_first_interface(void)
{
	static char name[64];
	struct bpe_interface *all = NULL;
	const int n = list_machine(&all);
	int best = 0;

	snprintf(name, sizeof name, "eth0");
	for (int i = 0; i < n; i++) {
		if (example_rank(&all[i]) <= best)
			continue;
		best = example_rank(&all[i]);
		snprintf(name, sizeof name, "%s", all[i].name);
	}
	bpe_interfaces_free(all);
	return name;
}

const char *cli_interface_names(char *to, size_t room)
{
	struct bpe_interface *all = NULL;
	const int n = list_machine(&all);
	size_t used = 0;
	int shown = 0;

	*to = 0;
	for (int rank = 3; rank >= 0; rank--)
		for (int i = 0; i < n && shown < 8; i++) {
			if (example_rank(&all[i]) != rank || used >= room)
				continue;
			used += (size_t)snprintf(
				to + used, room - used, "%s%s", shown++ ? ", " : "", all[i].name);
		}
	bpe_interfaces_free(all);
	return to;
}

/* Returns the number of letters to change; a swap of two letters counts once. */
static size_t name_distance(const char *a, const char *b)
{
	const size_t n = strlen(a);
	size_t swapped = 0;
	size_t changed = 0;

	if (n == strlen(b))
		for (size_t k = 0; k < n; k++) {
			if (a[k] == b[k])
				continue;
			changed++;
			if (k + 1 < n && a[k] == b[k + 1] && a[k + 1] == b[k]) {
				swapped++;
				k++;
			}
		}
	if (swapped == 1 && changed == 1)
		return 1;
	return edit_distance(a, b) ? edit_distance(a, b) + 1 : 0;
}

/* Returns whether a name differs from another in the digits only: both are proper names then. */
static bool has_same_letters(const char *a, const char *b)
{
	while (*a && *b && !isdigit((unsigned char)*a) && *a == *b) {
		a++;
		b++;
	}
	return isdigit((unsigned char)*a) && isdigit((unsigned char)*b);
}

const char *cli_nearest_interface(char *to, size_t room, const char *name)
{
	struct bpe_interface *all = NULL;
	const int n = list_machine(&all);
	size_t least = 3;

	*to = 0;
	for (int i = 0; i < n; i++) {
		size_t distance = name_distance(name, all[i].name);

		if (!strcasecmp(name, all[i].name))
			distance = 0;
		if (distance >= least || has_same_letters(name, all[i].name))
			continue;
		least = distance;
		snprintf(to, room, "%s", all[i].name);
	}
	bpe_interfaces_free(all);
	return to;
}

const char *cli_interface_of_address(char *to, size_t room, const char *address)
{
	struct bpe_interface *all = NULL;
	const int n = list_machine(&all);
	char text[48];

	*to = 0;
	for (int i = 0; i < n; i++)
		for (int k = 0; k < all[i].address_count; k++) {
			const struct bpe_address *a = &all[i].addresses[k];

			if (!strcmp(cli_address(text, sizeof text, a->addr, a->family), address))
				snprintf(to, room, "%s", all[i].name);
		}
	bpe_interfaces_free(all);
	return to;
}

int cli_interface_number(char *to, size_t room, const char *number)
{
	struct bpe_interface *all = NULL;
	const int n = list_machine(&all);
	uint64_t index;

	*to = 0;
	if (parse_whole(number, 1, (uint64_t)n, &index))
		snprintf(to, room, "%s", all[index - 1].name);
	bpe_interfaces_free(all);
	return n;
}
