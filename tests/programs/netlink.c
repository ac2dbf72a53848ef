/* AF_NETLINK: what NETLINK_ROUTE tells of the loopback interface, how requests are refused, and getifaddrs. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int no(long result)
{
	return result < 0 ? -errno : result;
}

struct request {
	struct nlmsghdr header;
	unsigned char body[64];
};

static int ask(int fd, int type, int flags, int length, const void *body)
{
	struct request request = { { 16 + length, type, NLM_F_REQUEST | flags, 77, 0 } };
	memcpy(request.body, body, length);
	return no(send(fd, &request, 16 + length, 0));
}

static void hex(const unsigned char *bytes, int length)
{
	for (int i = 0; i < length; i++)
		printf("%02x", bytes[i]);
}

/* Attributes that say the same on every machine. */
static int told(int type, int attribute)
{
	if (type == RTM_NEWLINK)
		return attribute == 3 || attribute == 4 || attribute == 13 || attribute == 16 || attribute == 17 || attribute == 1 ||
		       attribute == 2 || attribute == 6 || attribute == 27 || attribute == 30 || attribute == 33 || attribute == 50 || attribute == 51;
	if (type == RTM_NEWADDR)
		return attribute != 6;
	return attribute != 12;
}

static void answers(int fd, int header)
{
	static unsigned char bytes[32768];
	for (int done = 0; !done;) {
		struct sockaddr_nl from;
		socklen_t size = sizeof from;
		int length = recvfrom(fd, bytes, sizeof bytes, MSG_DONTWAIT, (void *)&from, &size);
		if (length < 0) {
			printf("  %d\n", -errno);
			return;
		}
		struct nlmsghdr *message = (void *)bytes;
		for (; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length)) {
			printf("  type %d flags %x seq %d from %d to us %d: ", message->nlmsg_type, message->nlmsg_flags, message->nlmsg_seq, from.nl_pid,
			       message->nlmsg_pid == getpid());
			done = !(message->nlmsg_flags & NLM_F_MULTI) || message->nlmsg_type == NLMSG_DONE;
			int fixed = message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR ? 4 : header;
			hex(NLMSG_DATA(message), fixed);
			if (fixed == header) {
				struct rtattr *attribute = (void *)((char *)NLMSG_DATA(message) + NLMSG_ALIGN(header));
				int rest = message->nlmsg_len - 16 - NLMSG_ALIGN(header);
				for (; RTA_OK(attribute, rest); attribute = RTA_NEXT(attribute, rest))
					if (told(message->nlmsg_type, attribute->rta_type)) {
						printf(" %d=", attribute->rta_type);
						hex(RTA_DATA(attribute), RTA_PAYLOAD(attribute));
					}
			}
			printf("\n");
		}
	}
}

static void sockets(void)
{
	printf("stream: %d, protocol 31: %d, 32: %d, -1: %d\n", no(socket(AF_NETLINK, SOCK_STREAM, 0)), no(socket(AF_NETLINK, SOCK_RAW, 31)),
	       no(socket(AF_NETLINK, SOCK_RAW, 32)), no(socket(AF_NETLINK, SOCK_RAW, -1)));
	int one = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), two = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE);
	struct sockaddr_nl name = { AF_NETLINK }, wrong = { AF_INET };
	socklen_t size = sizeof name;
	int kind;
	getsockopt(one, SOL_SOCKET, SO_DOMAIN, &kind, &(socklen_t){ 4 });
	printf("domain %d, ", kind);
	getsockname(one, (void *)&name, &size);
	printf("unbound: %d %d %x\n", size, name.nl_pid, name.nl_groups);
	printf("short: %d, family: %d\n", no(bind(one, (void *)&name, 8)), no(bind(one, (void *)&wrong, 12)));
	printf("bind: %d\n", no(bind(one, (void *)&name, 12)));
	getsockname(one, (void *)&name, &size);
	printf("bound to our number %d\n", name.nl_pid == getpid());
	printf("taken: %d, ", no(bind(two, (void *)&name, 12)));
	name.nl_pid = 0;
	printf("automatic: %d, ", no(bind(two, (void *)&name, 12)));
	getsockname(two, (void *)&name, &size);
	printf("negative %d\n", (int)name.nl_pid < 0);
	name.nl_pid = 4711;
	printf("another number: %d\n", no(bind(two, (void *)&name, 12)));
	getpeername(two, (void *)&name, &size);
	printf("peer: %d %x\n", name.nl_pid, name.nl_groups);
	printf("listen: %d, accept: %d, shutdown: %d\n", no(listen(one, 1)), no(accept(one, NULL, NULL)), no(shutdown(one, 2)));
	printf("nothing to receive: %d\n", no(recv(one, &kind, 4, MSG_DONTWAIT)));
	struct pollfd watched = { one, POLLIN | POLLOUT };
	printf("poll: %d %x\n", poll(&watched, 1, 0), watched.revents);
	printf("empty: %d, out of band: %d\n", no(send(one, "", 0, 0)), no(send(one, "x", 1, MSG_OOB)));
	int on = 1;
	for (int option = 1; option <= 12; option++)
		printf("%d ", no(setsockopt(two, SOL_NETLINK, option, &on, 4)));
	printf("options, 13: %d, short: %d, another level: %d\n", no(setsockopt(two, SOL_NETLINK, 13, &on, 4)),
	       no(setsockopt(two, SOL_NETLINK, 10, &on, 2)), no(setsockopt(two, 6, 1, &on, 4)));
	close(one);
	close(two);
}

int main(void)
{
	setbuf(stdout, NULL);
	/* In a network of its own the interface is down at first. */
	struct ifreq interface = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int inet = socket(AF_INET, SOCK_DGRAM, 0);
	ioctl(inet, SIOCSIFFLAGS, &interface);
	close(inet);
	sockets();
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	unsigned char zero[64] = { 0 };
	printf("links: %d\n", ask(fd, RTM_GETLINK, NLM_F_DUMP, 16, zero));
	answers(fd, 16);
	printf("links, one byte: %d\n", ask(fd, RTM_GETLINK, NLM_F_DUMP, 1, zero));
	answers(fd, 16);
	for (int family = 0; family <= 10; family += family == 0 ? 2 : 8) {
		unsigned char body[64] = { family };
		printf("addresses %d: %d\n", family, ask(fd, RTM_GETADDR, NLM_F_DUMP, 8, body));
		answers(fd, 8);
	}
	unsigned char v4[64] = { AF_INET };
	printf("routes: %d\n", ask(fd, RTM_GETROUTE, NLM_F_DUMP, 12, v4));
	answers(fd, 12);
	unsigned char v6[64] = { AF_INET6 };
	printf("routes of IPv6: %d\n", ask(fd, RTM_GETROUTE, NLM_F_DUMP, 12, v6));
	answers(fd, 12);
	printf("neighbours: %d\n", ask(fd, RTM_GETNEIGH, NLM_F_DUMP, 12, v4));
	answers(fd, 12);
	unsigned char index[64] = { 0 };
	index[4] = 1;
	printf("link 1: %d\n", ask(fd, RTM_GETLINK, 0, 16, index));
	answers(fd, 16);
	index[4] = 99;
	printf("link 99: %d\n", ask(fd, RTM_GETLINK, 0, 16, index));
	answers(fd, 16);
	printf("no link: %d\n", ask(fd, RTM_GETLINK, 0, 16, zero));
	answers(fd, 16);
	printf("unknown type: %d\n", ask(fd, 500, 0, 16, zero));
	answers(fd, 16);
	printf("no request: %d\n", ask(fd, NLMSG_NOOP, NLM_F_ACK, 4, zero));
	answers(fd, 16);
	printf("short: %d\n", no(send(fd, zero, 8, 0)));
	answers(fd, 16);
	printf("to another: %d\n", no(sendto(fd, zero, 16, 0, (void *)&(struct sockaddr_nl){ AF_NETLINK, 0, 12345, 0 }, 12)));
	struct ifaddrs *all, *each;
	printf("getifaddrs: %d\n", getifaddrs(&all));
	for (each = all; each; each = each->ifa_next) {
		char text[100] = "";
		if (each->ifa_addr && each->ifa_addr->sa_family != AF_PACKET)
			getnameinfo(each->ifa_addr, each->ifa_addr->sa_family == AF_INET ? 16 : 28, text, sizeof text, NULL, 0, NI_NUMERICHOST);
		printf("  %s %d %s\n", each->ifa_name, each->ifa_addr ? each->ifa_addr->sa_family : -1, text);
	}
	struct if_nameindex *names = if_nameindex();
	printf("if_nameindex: %s %d\n", names ? names[0].if_name : "none", names ? names[0].if_index : 0);
	return 0;
}
