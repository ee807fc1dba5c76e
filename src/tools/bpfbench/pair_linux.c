/* SPDX-License-Identifier: MIT */
/* Linux: both ends of a veth, in a network namespace that this process makes for itself.  Nothing
 * else is in the namespace, and the namespace ends with the process.  Without root the namespace is
 * made inside a user namespace, if the system allows user namespaces. */
#include "pair.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

const char pair_kind[] = "veth";
const char *const pair_filter = NULL; /* without addresses and IPv6, nothing else is sent */

struct message {
	struct nlmsghdr header;
	struct ifinfomsg info;
	char room[512];
};

static struct rtattr *add_attribute(
	struct message *m, unsigned short type, const void *data, size_t n)
{
	struct rtattr *a = (void *)((char *)m + NLMSG_ALIGN(m->header.nlmsg_len));
	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(n);
	if (n)
		memcpy(RTA_DATA(a), data, n);
	m->header.nlmsg_len = NLMSG_ALIGN(m->header.nlmsg_len) + (unsigned)RTA_ALIGN(a->rta_len);
	return a;
}

static void close_attribute(struct message *m, struct rtattr *a)
{
	a->rta_len = (unsigned short)((char *)m + m->header.nlmsg_len - (char *)a);
}

/* Makes the veth by rtnetlink(7).  The peer's data are an ifinfomsg and attributes, as
 * drivers/net/veth.c reads them.  Returns 0 or an errno. */
static int make_veth(const struct pair *p)
{
	struct message m = { .header = { .nlmsg_len = NLMSG_LENGTH(sizeof m.info),
				     .nlmsg_type = RTM_NEWLINK,
				     .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL |
						    NLM_F_ACK } };
	struct ifinfomsg none = { 0 };
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer;
	add_attribute(&m, IFLA_IFNAME, p->send, strlen(p->send) + 1);
	struct rtattr *link = add_attribute(&m, IFLA_LINKINFO, NULL, 0);
	add_attribute(&m, IFLA_INFO_KIND, "veth", 4);
	struct rtattr *data = add_attribute(&m, IFLA_INFO_DATA, NULL, 0);
	struct rtattr *peer = add_attribute(&m, VETH_INFO_PEER, &none, sizeof none);
	add_attribute(&m, IFLA_IFNAME, p->receive, strlen(p->receive) + 1);
	close_attribute(&m, peer);
	close_attribute(&m, data);
	close_attribute(&m, link);
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int failed = s < 0 ? errno : 0;
	if (!failed && send(s, &m, m.header.nlmsg_len, 0) < 0)
		failed = errno;
	if (!failed && recv(s, &answer, sizeof answer, 0) < (ssize_t)sizeof answer)
		failed = EPROTO;
	if (!failed)
		failed = -answer.error.error;
	if (s >= 0)
		close(s);
	return failed;
}

static int set_link_up(const char *name)
{
	struct ifreq r = { .ifr_flags = 0 };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int failed = s < 0 ? errno : 0;
	memcpy(r.ifr_name, name, strlen(name) + 1);
	if (!failed && ioctl(s, SIOCGIFFLAGS, &r))
		failed = errno;
	r.ifr_flags |= IFF_UP;
	if (!failed && ioctl(s, SIOCSIFFLAGS, &r))
		failed = errno;
	if (s >= 0)
		close(s);
	return failed;
}

static bool write_text_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return good;
}

static int enter_namespace(void)
{
	char map[64];
	unsigned uid = geteuid();
	if (!unshare(CLONE_NEWNET))
		return 0;
	if (errno != EPERM)
		return errno;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return errno;
	snprintf(map, sizeof map, "0 %u 1", uid);
	write_text_file("/proc/self/uid_map", map);
	return 0;
}

int pair_make(struct pair *p)
{
	*p = (struct pair){ .send = "bench0", .receive = "bench1" };
	int failed = enter_namespace();
	if (failed == EPERM || failed == EACCES || failed == ENOSPC) {
		program_tell(
			"a pair of interfaces needs rights: run it with sudo (a network namespace of our own: %s)",
			strerror(failed));
		return EXIT_RIGHTS;
	}
	if (!failed) { /* before the interfaces exist, since a new interface sends IPv6 messages */
		write_text_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
		write_text_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
		failed = make_veth(p);
	}
	if (!failed)
		failed = set_link_up(p->send);
	if (!failed)
		failed = set_link_up(p->receive);
	if (failed) {
		program_tell("no veth pair: %s", strerror(failed));
		return failed == EPERM ? EXIT_RIGHTS : EXIT_SOURCE;
	}
	p->made = true;
	return 0;
}

void pair_remove(struct pair *p)
{
	p->made = false; /* the interfaces end with the namespace, when the process ends */
}

/* Reads /proc/self/net/dev, which belongs to the namespace; /sys may belong to another. */
uint64_t pair_arrived(const struct pair *p)
{
	char line[512], name[64];
	uint64_t bytes, packets, found = ABSENT;
	FILE *f = fopen("/proc/self/net/dev", "re");
	if (!f)
		return ABSENT;
	while (fgets(line, sizeof line, f))
		if (sscanf(line, " %63[^:]: %" SCNu64 " %" SCNu64, name, &bytes, &packets) == 3 &&
			!strcmp(name, p->receive))
			found = packets;
	fclose(f);
	return found;
}
