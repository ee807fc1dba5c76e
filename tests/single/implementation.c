/* SPDX-License-Identifier: MIT */
/* The file of a program with the implementation.  The header is included first.  The program's
 * names behind the header equal names in the engine's sources and must not collide. */
#define BPFENGINE_IMPLEMENTATION
#include "bpfengine_single.h"
#include "bpfengine_single.h"

#define LANES "my own"
#define TEXT(x) "my own"
enum { LINK_NULL, LINK_ETHERNET, PLAIN, TAGGED };
struct list {
	struct list *next;
};
struct block {
	const char *text;
};
typedef struct block row;
extern int parse, load, grow, find, walk, make, set;
int parse, load, grow, find, walk, make, set;
int fill(struct list *list, row *of);
int fill(struct list *list, row *of)
{
	of->text = LANES TEXT(none);
	return list->next != NULL ? LINK_ETHERNET : TAGGED;
}
