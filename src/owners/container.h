/* SPDX-License-Identifier: MIT */
/* The container of a process, by the text of /proc/PID/cgroup; pure. */
#ifndef BPEI_OWNERS_CONTAINER_H
#define BPEI_OWNERS_CONTAINER_H

#include <stddef.h>

/* Writes "docker:0123456789ab", "podman:...", "containerd:...", "crio:...", "lxc:NAME",
 * "machine:NAME" (systemd-nspawn, libvirt) or "k8s:..."; "" if the process is in none.  Ids are cut
 * to 12 digits, as those programs show them. */
void bpei_container_name(const char *text, size_t n, char *to, size_t room);

#endif
