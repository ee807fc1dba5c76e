/* SPDX-License-Identifier: MIT */
/* What the interfaces' hardware is called, where the system says so; into descriptions that are empty. */
#ifndef BPEI_LIST_H
#define BPEI_LIST_H

#include "bpfengine.h"

/* macOS: "Wi-Fi", "Thunderbolt Bridge", as System Settings shows them.  The two frameworks are loaded for the time of the call, so
 * that the library itself needs none; paths as for dlopen(3).  Returns how many names were found. */
int bpei_list_frameworks(const char *core_foundation, const char *system_configuration, struct bpe_interface *all, int count);

#endif
