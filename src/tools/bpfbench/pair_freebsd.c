/* SPDX-License-Identifier: MIT */
/* FreeBSD: epair(4).  Both ends are made at once.  ifconfig prints the name of the first end,
 * "epair0a". */
#include "pair_ifconfig.h"

#include <string.h>
#include <unistd.h>

const char pair_kind[] = "epair";
const char *const pair_filter = "ether src 02:62:70:66:62:01";

int pair_make(struct pair *p)
{
	char name[64], answer[64];
	*p = (struct pair){ .made = false };
	if (geteuid())
		return pair_refused("ifconfig epair create");
	if (!ifconfig(name, sizeof name, "epair", "create", NULL))
		return pair_refused("ifconfig epair create");
	size_t n = strlen(name);
	if (n < 7 || n >= sizeof p->send || strncmp(name, "epair", 5) || name[n - 1] != 'a')
		return pair_refused("the name of the new epair");
	memcpy(p->send, name, n + 1);
	memcpy(p->receive, name, n + 1);
	p->receive[n - 1] = 'b';
	p->made = true;
	if (ifconfig(answer, sizeof answer, p->send, "up", NULL) &&
		ifconfig(answer, sizeof answer, p->receive, "up", NULL))
		return 0;
	pair_remove(p);
	return pair_refused("ifconfig up");
}

void pair_remove(struct pair *p)
{
	char answer[64];
	if (p->made)
		ifconfig(answer, sizeof answer, p->send, "destroy", NULL); /* destroys both ends */
	p->made = false;
}
