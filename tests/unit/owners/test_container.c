/* SPDX-License-Identifier: MIT */
/* Names of containers in texts of /proc/PID/cgroup, as recorded. */
#include "owners/container.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define ID "4f1c9ee3a2b07d5fb8d91c3a6e0457f2b1a9c8d7e6f5041322314455667788aa"
#define INNER "ffffffffffffffffffffffffffffffffffffffffffffffffffffffff00000000"

struct recorded_text {
	const char *text, *name;
};
static const struct recorded_text recorded[] = {
	/* no container: a service, a session, the kernel's own */
	{ "0::/system.slice/ssh.service\n", "" },
	{ "0::/user.slice/user-1000.slice/session-3.scope\n", "" },
	{ "0::/\n", "" },
	{ "", "" },
	{ "0::/system.slice/docker.service\n", "" },
	{ "0::/system.slice/containerd.service\n", "" },
	/* Docker: the cgroup driver systemd, and cgroupfs with version 1 */
	{ "0::/system.slice/docker-" ID ".scope\n", "docker:4f1c9ee3a2b0" },
	{ "12:cpu,cpuacct:/docker/" ID "\n1:name=systemd:/docker/" ID "\n", "docker:4f1c9ee3a2b0" },
	{ "0::/docker/" ID "/init.scope\n", "docker:4f1c9ee3a2b0" },
	/* Podman: of root, and of a user */
	{ "0::/machine.slice/libpod-" ID ".scope/container\n", "podman:4f1c9ee3a2b0" },
	{ "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope\n",
		"podman:4f1c9ee3a2b0" },
	{ "0::/libpod_parent/libpod-" ID "\n", "podman:4f1c9ee3a2b0" },
	/* Kubernetes: containerd, CRI-O, and the driver cgroupfs */
	{ "0::/kubepods.slice/kubepods-pod1234.slice/cri-containerd-" ID ".scope\n",
		"containerd:4f1c9ee3a2b0" },
	{ "0::/kubepods.slice/kubepods-pod1234.slice/crio-" ID ".scope\n", "crio:4f1c9ee3a2b0" },
	{ "0::/kubepods/besteffort/pod0f6c2f1e-1111-2222-3333-444455556666/" ID "\n",
		"k8s:4f1c9ee3a2b0" },
	{ "0::/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:" ID "\n",
		"containerd:4f1c9ee3a2b0" },
	{ "0::/system.slice/nerdctl-" ID ".scope\n", "containerd:4f1c9ee3a2b0" },
	/* LXC and Incus */
	{ "0::/lxc.payload.web01/system.slice/nginx.service\n", "lxc:web01" },
	{ "10:memory:/lxc/web01/init.scope\n", "lxc:web01" },
	/* systemd-nspawn and machines, whose dashes are escaped */
	{ "0::/machine.slice/systemd-nspawn@build\\x2darm.service/payload\n", "machine:build-arm" },
	{ "0::/machine.slice/machine-debian\\x2d12.scope\n", "machine:debian-12" },
	/* a container in a container: the inner one */
	{ "0::/docker/" ID "/docker/" INNER "\n", "docker:ffffffffffff" },
	/* control bytes */
	{ "0::/lxc/a\033[31mb/x\n", "lxc:a?[31mb" },
	/* too short for an id */
	{ "0::/docker/4f1c9ee3\n", "" },
	{ "no colons at all\n", "" },
	{ "0:", "" },
};

Test(container, recorded_texts)
{
	for (size_t k = 0; k < sizeof recorded / sizeof *recorded; k++) {
		char name[64] = "x";

		bpei_container_name(recorded[k].text, strlen(recorded[k].text), name, sizeof name);
		cr_expect_str_eq(name, recorded[k].name, "%s", recorded[k].text);
	}
}

Test(container, a_text_that_ends_anywhere)
{
	const char *whole = "0::/kubepods/pod1/crio-" ID ".scope\n";

	for (size_t n = 0; n <= strlen(whole); n++) {
		char *exact = malloc(n + 1);
		char name[64];

		memcpy(exact, whole, n);
		bpei_container_name(exact, n, name, sizeof name);
		cr_expect(!name[0] || !strcmp(name, "crio:4f1c9ee3a2b0"), "%s", name);
		free(exact);
	}
}

Test(container, a_long_name_is_cut)
{
	char text[256] = "0::/lxc/";
	char name[64];

	memset(text + 8, 'n', 200);
	bpei_container_name(text, strlen(text), name, sizeof name);
	cr_expect_eq(strlen(name), sizeof name - 1);
}
