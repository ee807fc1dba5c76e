/* SPDX-License-Identifier: MIT */
/* macOS: two fake Ethernets (bsd/net/if_fake.c in xnu), which are each other's peer.  Only names
 * that are free are taken. */
#include "pair_ifconfig.h"

#include <net/if.h>
#include <string.h>
#include <unistd.h>

const char pair_kind[] = "feth";
const char *const pair_filter = "ether src 02:62:70:66:62:01";

#define FIRST 7100

/* The first free number from `number` on; the one behind it, or 0. */
static int create(char name[16], int number)
{
	char answer[64];
	for (; number < FIRST + 200; number++) {
		snprintf(name, 16, "feth%d", number);
		if (!if_nametoindex(name))
			return ifconfig(answer, sizeof answer, name, "create", NULL) ? number + 1
										     : 0;
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
	int next = create(q.send, FIRST);
	if (!next)
		return pair_refused("ifconfig feth create");
	if (!create(q.receive, next)) {
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
