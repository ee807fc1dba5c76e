/* SPDX-License-Identifier: MIT */
/* macOS: a pair of fake Ethernets (bsd/net/if_fake.c in xnu), peers of each other.  Only free names
 * are taken. */
#include "pair_ifconfig.h"

#include <net/if.h>
#include <string.h>
#include <unistd.h>

const char pair_kind[] = "feth";
const char *const pair_filter = "ether src 02:62:70:66:62:01";

#define FIRST 7100

/* Creates an interface with the first free number from `number` on.  Returns the next number, or 0.
 */
static int create_feth(char name[16], int number)
{
	char answer[64];

	for (; number < FIRST + 200; number++) {
		snprintf(name, 16, "feth%d", number);
		if (if_nametoindex(name))
			continue;
		if (!ifconfig(answer, sizeof answer, name, "create", NULL))
			return 0;
		return number + 1;
	}
	return 0;
}

int pair_make(struct pair *p)
{
	char answer[64];
	struct pair q = { .made = false };
	*p = q;
	if (geteuid())
		return pair_refused("ifconfig feth create");
	int next = create_feth(q.send, FIRST);
	if (!next)
		return pair_refused("ifconfig feth create");
	if (!create_feth(q.receive, next)) {
		ifconfig(answer, sizeof answer, q.send, "destroy", NULL);
		return pair_refused("ifconfig feth create");
	}
	q.made = true;
	*p = q;
	if (ifconfig(answer, sizeof answer, q.send, "peer", q.receive) &&
		ifconfig(answer, sizeof answer, q.send, "up", NULL) &&
		ifconfig(answer, sizeof answer, q.receive, "up", NULL))
		return 0;
	pair_remove(p);
	return pair_refused("ifconfig peer");
}

void pair_remove(struct pair *p)
{
	char answer[64];
	if (!p->made)
		return;
	ifconfig(answer, sizeof answer, p->send, "destroy", NULL);
	ifconfig(answer, sizeof answer, p->receive, "destroy", NULL);
	p->made = false;
}
