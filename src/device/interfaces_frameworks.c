/* SPDX-License-Identifier: MIT */
/* macOS's names of network hardware, from SystemConfiguration (SCNetworkInterface.h:
 * SCNetworkInterfaceCopyAll, -GetBSDName, -GetLocalizedDisplayName) and CoreFoundation (CFArray.h,
 * CFString.h), found with dlopen(3).  A missing name is no error. Both frameworks stay
 * loaded: they start threads of their own and are not made to be unloaded. */
#include "device/interfaces.h"

#include <dlfcn.h>
#include <string.h>

#define UTF8 0x08000100u /* kCFStringEncodingUTF8 */

typedef const void *object; /* CFTypeRef */

struct frameworks {
	object (*all)(void);
	object (*bsd_name)(object);
	object (*display_name)(object);
	long (*count)(object);
	object (*at)(object, long);
	unsigned char (*text)(object, char *, long, unsigned);
	void (*release)(object);
};

/* Stores the address of a function of the library.  POSIX: an object pointer holds the address of a
 * function.  Returns 0 if there is none. */
static int look_up(void *library, const char *name, void *function)
{
	void *found = library ? dlsym(library, name) : NULL;
	memcpy(function, &found, sizeof found);
	return found != NULL;
}

static int load_frameworks(
	struct frameworks *f, const char *core_foundation, const char *system_configuration)
{
	void *cf = dlopen(core_foundation, RTLD_LAZY | RTLD_LOCAL);
	void *sc = dlopen(system_configuration, RTLD_LAZY | RTLD_LOCAL);

	return look_up(sc, "SCNetworkInterfaceCopyAll", &f->all) &&
	       look_up(sc, "SCNetworkInterfaceGetBSDName", &f->bsd_name) &&
	       look_up(sc, "SCNetworkInterfaceGetLocalizedDisplayName", &f->display_name) &&
	       look_up(cf, "CFArrayGetCount", &f->count) &&
	       look_up(cf, "CFArrayGetValueAtIndex", &f->at) &&
	       look_up(cf, "CFStringGetCString", &f->text) && look_up(cf, "CFRelease", &f->release);
}

int bpei_list_frameworks(const char *core_foundation, const char *system_configuration,
	struct bpe_interface *all, int count)
{
	struct frameworks f;
	int named = 0;
	object list = load_frameworks(&f, core_foundation, system_configuration) ? f.all() : NULL;
	if (!list)
		return 0;
	for (long i = 0, n = f.count(list); i < n; i++) {
		char name[sizeof all->name], shown[sizeof all->description];
		object interface = f.at(list, i);
		object bsd = f.bsd_name(interface);
		object display = f.display_name(interface);
		/* Modems have no BSD name, and some interfaces have no display name; a text which
		 * does not fit is refused. */
		if (!bsd || !display || !f.text(bsd, name, sizeof name, UTF8) ||
			!f.text(display, shown, sizeof shown, UTF8))
			continue;
		for (int k = 0; k < count; k++) {
			if (strcmp(all[k].name, name) || *all[k].description)
				continue;
			memcpy(all[k].description, shown, strlen(shown) + 1);
			named++;
		}
	}
	f.release(list);
	return named;
}
