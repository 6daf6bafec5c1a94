/*
 * Netlink messages made by hand, and a table to apply them to: for the tests of
 * net/netlink.c and net/table.c.
 */
#ifndef CRIER_TESTS_NET_MESSAGE_H
#define CRIER_TESTS_NET_MESSAGE_H

#include "net/internal.h"

#include <check.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1024 };

static struct net_table t;
static _Alignas(struct nlmsghdr) uint8_t room[ROOM];
static struct nlmsghdr *message = (struct nlmsghdr *)room;

static inline void table_set_up(void)
{
	memset(&t, 0, sizeof(t));
}

static inline void table_tear_down(void)
{
	net_table_done(&t);
}

/* Begins a message of a link. */
static inline struct ifinfomsg *put_link(uint16_t type, int index)
{
	struct ifinfomsg *info;

	memset(room, 0, sizeof(room));
	message = mnl_nlmsg_put_header(room);
	message->nlmsg_type = type;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifi_index = index;
	info->ifi_type = ARPHRD_ETHER;
	info->ifi_flags = IFF_UP | IFF_RUNNING;
	return info;
}

static inline void put_kinds(const char *kind, const char *master_kind)
{
	struct nlattr *nest = mnl_attr_nest_start(message, IFLA_LINKINFO);

	if (kind != NULL)
		mnl_attr_put_strz(message, IFLA_INFO_KIND, kind);
	if (master_kind != NULL)
		mnl_attr_put_strz(message, IFLA_INFO_SLAVE_KIND, master_kind);
	mnl_attr_nest_end(message, nest);
}

/* Begins a message of an address; `peer` and `local` may be NULL. */
static inline struct ifaddrmsg *put_address(uint16_t type, unsigned index,
	const char *local, const char *peer, uint8_t length)
{
	const char *texts[] = { local, peer };
	uint16_t types[] = { IFA_LOCAL, IFA_ADDRESS };
	struct ifaddrmsg *info;

	memset(room, 0, sizeof(room));
	message = mnl_nlmsg_put_header(room);
	message->nlmsg_type = type;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifa_index = index;
	info->ifa_prefixlen = length;
	info->ifa_family = AF_INET;
	for (int i = 0; i < 2; i++) {
		struct net_address a;

		if (texts[i] == NULL)
			continue;
		ck_assert_int_eq(net_address_parse(texts[i], &a), 0);
		info->ifa_family = (uint8_t)a.family;
		mnl_attr_put(message, types[i], net_address_size(&a), a.bytes);
	}
	return info;
}

/* Applies `size` bytes of the message from a buffer of just that size. */
static inline int apply_cut(size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);
	struct net_messages messages = { copy, size };
	const struct nlmsghdr *next;
	int r;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, message, size);
	while ((r = net_messages_next(&messages, &next)) > 0) {
		r = net_table_apply(&t, next);
		if (r < 0)
			break;
	}
	free(copy);
	return r;
}

static inline int apply(void)
{
	return apply_cut(message->nlmsg_len);
}

static inline void apply_good(void)
{
	ck_assert_int_eq(apply(), 0);
}

static inline bool take_changed(void)
{
	bool changed = t.changed;

	t.changed = false;
	return changed;
}

static inline void add_link(int index, const char *name, uint32_t mtu)
{
	(void)put_link(RTM_NEWLINK, index);
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	mnl_attr_put_u32(message, IFLA_MTU, mtu);
	apply_good();
}

static inline void remove_link(int index)
{
	(void)put_link(RTM_DELLINK, index);
	apply_good();
}

static inline void add_address(unsigned index, const char *text, uint8_t length)
{
	(void)put_address(RTM_NEWADDR, index, text, text, length);
	apply_good();
}

static inline void remove_address(
	unsigned index, const char *text, uint8_t length)
{
	(void)put_address(RTM_DELADDR, index, text, text, length);
	apply_good();
}

static inline const struct net_device *device(unsigned index)
{
	const struct net_entry *e = net_table_find(&t, index);

	return e == NULL ? NULL : &e->device;
}

static inline bool is_own(const char *text)
{
	struct net_address a;

	ck_assert_int_eq(net_address_parse(text, &a), 0);
	return net_own_has(t.own, &a);
}

static inline void check_text(const struct net_address *a, const char *text)
{
	char buffer[NET_ADDRESS_TEXT];

	ck_assert_str_eq(net_address_format(a, NULL, buffer), text);
}

static inline void put_whole_link(void)
{
	(void)put_link(RTM_NEWLINK, 5);
	mnl_attr_put_strz(message, IFLA_IFNAME, "fifteen-letters");
	mnl_attr_put_u32(message, IFLA_MTU, 1500);
	mnl_attr_put_u32(message, IFLA_MASTER, 7);
	mnl_attr_put_u32(message, IFLA_LINK, 6);
	mnl_attr_put_u32(message, IFLA_CARRIER_CHANGES, 2);
	mnl_attr_put(message, IFLA_ADDRESS, 6, "\2\0\0\0\0\1");
	put_kinds("veth", "bridge");
}

static inline void put_whole_address(const char *text)
{
	struct ifa_cacheinfo times = { .cstamp = 77 };

	(void)put_address(RTM_NEWADDR, 5, text, text, 24);
	mnl_attr_put_u32(message, IFA_FLAGS, IFA_F_PERMANENT);
	mnl_attr_put(message, IFA_CACHEINFO, sizeof(times), &times);
}

#endif
