/* SPDX-License-Identifier: MIT */
/* Stand-ins for the functions of CoreFoundation and SystemConfiguration called by the interface
 * list. The list has five interfaces: a plain interface, no BSD name, no display name, a name in
 * UTF-8, a name too long.  Every object is a text; copies and releases are counted. */
#include <string.h>

typedef const void *object;

object SCNetworkInterfaceCopyAll(void);
object SCNetworkInterfaceGetBSDName(object one);
object SCNetworkInterfaceGetLocalizedDisplayName(object one);
long CFArrayGetCount(object list);
object CFArrayGetValueAtIndex(object list, long at);
unsigned char CFStringGetCString(object text, char *to, long size, unsigned encoding);
void CFRelease(object list);
int frameworks_double_alive(void);

static const struct one {
	const char *bsd, *shown;
} ones[] = {
	{ "en0", "Wi-Fi" }, { NULL, "Modem" }, { "en5", NULL },
	{ "bridge0", "Thunderbolt-Br\xc3\xbc"
		     "cke" },
	{ "en7",
		"a name that is much, much too long for the field that it is to be put into, and would be cut in the middle of it if it were not refused by the system" }
};
static int alive;

object SCNetworkInterfaceCopyAll(void)
{
	alive++;
	return ones;
}
object SCNetworkInterfaceGetBSDName(object one)
{
	return ((const struct one *)one)->bsd;
}
object SCNetworkInterfaceGetLocalizedDisplayName(object one)
{
	return ((const struct one *)one)->shown;
}
long CFArrayGetCount(object list)
{
	return list == ones ? (long)(sizeof ones / sizeof *ones) : -1;
}
object CFArrayGetValueAtIndex(object list, long at)
{
	return (const struct one *)list + at;
}

unsigned char CFStringGetCString(object text, char *to, long size, unsigned encoding)
{
	if (encoding != 0x08000100u || (long)strlen(text) >= size)
		return 0;
	strcpy(to, text);
	return 1;
}

void CFRelease(object list)
{
	alive -= list == ones;
}
int frameworks_double_alive(void)
{
	return alive;
}
