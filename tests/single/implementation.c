/* SPDX-License-Identifier: MIT */
/* The file of a program that has the implementation: included first, and then names of the
 * program's own, as they also stand in the engine's sources, which must not meet. */
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
