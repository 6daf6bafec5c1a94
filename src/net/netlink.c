#include "net/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* Those from 30 on have neither hosts nor a broadcast address (RFC 3021). */
enum { BROADCAST_LONGEST = 30 };

int net_messages_next(struct net_messages *m, const struct nlmsghdr **ret)
{
	const struct nlmsghdr *message = m->at;
	size_t step;

	if (m->left == 0)
		return 0;
	/* Not mnl_nlmsg_ok(): it takes a length of 2^31 or more for less. */
	if (m->left < sizeof(*message) ||
		message->nlmsg_len < sizeof(*message) ||
		message->nlmsg_len > m->left)
		return -EBADMSG;
	step = NLMSG_ALIGN((size_t)message->nlmsg_len);
	/* The last one may lack its padding. */
	if (step > m->left)
		step = m->left;
	m->at = (const uint8_t *)m->at + step;
	m->left -= step;
	*ret = message;
	return 1;
}

/* Attributes by their type. */
struct attributes {
	const struct nlattr **at;
	size_t n;
};

static int collect(const struct nlattr *attribute, void *data)
{
	struct attributes *all = data;
	uint16_t type = mnl_attr_get_type(attribute);

	if (type < all->n)
		all->at[type] = attribute;
	return MNL_CB_OK;
}

/* The payload of a message behind its fixed part, in attributes. */
static int read_attributes(
	const struct nlmsghdr *message, size_t fixed, struct attributes ret)
{
	size_t size = message->nlmsg_len - sizeof(*message);
	const uint8_t *payload = mnl_nlmsg_get_payload(message);

	if (size < fixed)
		return -EBADMSG;
	/* Not mnl_attr_parse(), which reads into the padding at the end. */
	(void)mnl_attr_parse_payload(
		payload + fixed, size - fixed, collect, &ret);
	return 0;
}

/* An absent attribute leaves `ret` as it is, here and below. */
static int get_u32(const struct nlattr *attribute, uint32_t *ret)
{
	if (attribute == NULL)
		return 0;
	if (mnl_attr_get_payload_len(attribute) != sizeof(*ret))
		return -EBADMSG;
	*ret = mnl_attr_get_u32(attribute);
	return 0;
}

/* Cuts off what is too long, and returns the whole length. */
static size_t get_text(const struct nlattr *attribute, char *ret, size_t size)
{
	size_t length, kept;

	if (attribute == NULL)
		return 0;
	length = strnlen(mnl_attr_get_payload(attribute),
		mnl_attr_get_payload_len(attribute));
	kept = length < size ? length : size - 1;
	memcpy(ret, mnl_attr_get_payload(attribute), kept);
	ret[kept] = '\0';
	return length;
}

static int get_address(const struct nlattr *attribute, sa_family_t family,
	unsigned index, struct net_address *ret)
{
	struct net_address a = { .family = family };

	if (attribute == NULL)
		return 0;
	if (mnl_attr_get_payload_len(attribute) != net_address_size(&a))
		return -EBADMSG;
	memcpy(a.bytes, mnl_attr_get_payload(attribute), net_address_size(&a));
	if (family == AF_INET6 && net_address_is_link_local(&a))
		a.scope = index;
	*ret = a;
	return 0;
}

static void get_hardware_address(
	const struct nlattr *attribute, struct net_identity *ret)
{
	size_t size;

	if (attribute == NULL)
		return;
	size = mnl_attr_get_payload_len(attribute);
	if (size > sizeof(ret->address))
		size = sizeof(ret->address);
	memcpy(ret->address, mnl_attr_get_payload(attribute), size);
	ret->n_address = size;
}

/* IP hears nothing on these (kernel-facts 3.1), but does on those of a VRF. */
static bool is_port_kind(const char *kind)
{
	return strcmp(kind, "bridge") == 0 || strcmp(kind, "bond") == 0 ||
	       strcmp(kind, "team") == 0;
}

static void get_info(const struct nlattr *attribute, struct net_device *ret)
{
	const struct nlattr *at[IFLA_INFO_SLAVE_KIND + 1] = { NULL };
	struct attributes all = { at, MNL_ARRAY_SIZE(at) };
	char master_kind[sizeof(ret->kind)] = "";

	if (attribute == NULL)
		return;
	(void)mnl_attr_parse_nested(attribute, collect, &all);
	(void)get_text(at[IFLA_INFO_KIND], ret->kind, sizeof(ret->kind));
	(void)get_text(
		at[IFLA_INFO_SLAVE_KIND], master_kind, sizeof(master_kind));
	ret->is_port = ret->master != 0 && is_port_kind(master_kind);
}

static int read_link(const struct ifinfomsg *info, const struct nlattr **at,
	struct net_link *ret)
{
	struct net_device *device = &ret->device;
	struct net_identity *identity = &ret->identity;
	size_t length;

	device->index = (unsigned)info->ifi_index;
	device->flags = info->ifi_flags;
	identity->type = info->ifi_type;
	length = get_text(at[IFLA_IFNAME], device->name, sizeof(device->name));
	if (info->ifi_index <= 0 || length == 0 ||
		length >= sizeof(device->name))
		return -EBADMSG;
	if (get_u32(at[IFLA_MTU], &device->mtu) < 0 ||
		get_u32(at[IFLA_MASTER], &device->master) < 0 ||
		get_u32(at[IFLA_LINK], &identity->parent) < 0 ||
		get_u32(at[IFLA_CARRIER_CHANGES], &identity->carrier_changes) <
			0)
		return -EBADMSG;
	get_hardware_address(at[IFLA_ADDRESS], identity);
	get_info(at[IFLA_LINKINFO], device);
	return 0;
}

static int apply_link(struct net_table *t, const struct nlmsghdr *message)
{
	const struct nlattr *at[IFLA_CARRIER_CHANGES + 1] = { NULL };
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct net_link link = { .device.index = 0 };
	int r;

	r = read_attributes(message, sizeof(*info),
		(struct attributes){ at, MNL_ARRAY_SIZE(at) });
	if (r < 0)
		return r;
	/*
	 * Other families say little: AF_BRIDGE's RTM_DELLINK means that a port
	 * left its bridge (kernel-facts 5.5), AF_INET6 has flags alone. So do
	 * the events of wireless drivers, which are of no family.
	 */
	if (info->ifi_family != AF_UNSPEC || at[IFLA_WIRELESS] != NULL)
		return 0;
	if (message->nlmsg_type == RTM_DELLINK) {
		net_table_remove_link(t, (unsigned)info->ifi_index);
		return 0;
	}
	r = read_link(info, at, &link);
	if (r < 0)
		return r;
	return net_table_set_link(t, &link);
}

/*
 * The kernel hears the computed one also where `ip addr add` without `brd` left
 * the attribute out (kernel-facts 4.4). Where a DHCP client gave a /32 its own
 * address for a broadcast address, it is none.
 */
static void set_broadcast(struct net_device_address *a, bool has_peer)
{
	uint32_t mask;

	if (a->local.address.family != AF_INET || has_peer ||
		a->local.length > BROADCAST_LONGEST) {
		memset(&a->broadcast, 0, sizeof(a->broadcast));
		return;
	}
	if (net_address_is_set(&a->broadcast) &&
		!net_address_is_broadcast(&a->broadcast))
		return;
	mask = (uint32_t)(UINT64_C(0xffffffff) >> a->local.length);
	a->broadcast.family = AF_INET;
	a->broadcast.v4.s_addr = a->local.address.v4.s_addr | htonl(mask);
}

static void set_flags(struct net_device_address *a, uint32_t flags)
{
	bool tentative = (flags & IFA_F_TENTATIVE) != 0 &&
			 (flags & IFA_F_OPTIMISTIC) == 0;

	a->duplicate = (flags & IFA_F_DADFAILED) != 0;
	a->usable = !tentative && !a->duplicate;
	a->deprecated = (flags & IFA_F_DEPRECATED) != 0;
}

/*
 * IFA_LOCAL is the address and IFA_ADDRESS the peer, or the address again; one
 * of them may be absent (IPv6 without a peer, IPv4 with the peer 0.0.0.0).
 */
static int read_address(const struct ifaddrmsg *info, const struct nlattr **at,
	struct net_device_address *ret)
{
	const struct nlattr *local = at[IFA_LOCAL], *peer = at[IFA_ADDRESS];
	sa_family_t family = info->ifa_family;
	uint32_t flags = info->ifa_flags;
	struct ifa_cacheinfo times;

	if (local == NULL)
		local = peer;
	if (peer == NULL)
		peer = local;
	if (get_address(local, family, info->ifa_index, &ret->local.address) <
			0 ||
		get_address(peer, family, info->ifa_index,
			&ret->on_link.address) < 0 ||
		get_address(at[IFA_BROADCAST], family, info->ifa_index,
			&ret->broadcast) < 0 ||
		get_u32(at[IFA_FLAGS], &flags) < 0)
		return -EBADMSG;
	if (info->ifa_prefixlen > 8 * net_address_size(&ret->local.address))
		return -EBADMSG;
	ret->local.length = info->ifa_prefixlen;
	ret->on_link.length = info->ifa_prefixlen;
	if (at[IFA_CACHEINFO] != NULL) {
		if (mnl_attr_get_payload_len(at[IFA_CACHEINFO]) < sizeof(times))
			return -EBADMSG;
		memcpy(&times, mnl_attr_get_payload(at[IFA_CACHEINFO]),
			sizeof(times));
		ret->created = times.cstamp;
	}
	set_flags(ret, flags);
	return 0;
}

static bool is_point_to_point(const struct net_table *t, unsigned index,
	const struct net_device_address *a)
{
	const struct net_entry *e = net_table_find(t, index);

	if (!net_address_equal(&a->local.address, &a->on_link.address))
		return true;
	return e != NULL && (e->device.flags & IFF_POINTOPOINT) != 0;
}

static int apply_address(struct net_table *t, const struct nlmsghdr *message)
{
	const struct nlattr *at[IFA_FLAGS + 1] = { NULL };
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct net_device_address a = { .usable = false };
	int r;

	r = read_attributes(message, sizeof(*info),
		(struct attributes){ at, MNL_ARRAY_SIZE(at) });
	if (r < 0)
		return r;
	if (info->ifa_family != AF_INET && info->ifa_family != AF_INET6)
		return 0;
	/* The kernel leaves out 0.0.0.0, which can be given to a device. */
	if (at[IFA_LOCAL] == NULL && at[IFA_ADDRESS] == NULL)
		return 0;
	r = read_address(info, at, &a);
	if (r < 0)
		return r;
	if (message->nlmsg_type == RTM_DELADDR) {
		net_table_remove_address(t, info->ifa_index, &a);
		return 0;
	}
	set_broadcast(&a, is_point_to_point(t, info->ifa_index, &a));
	return net_table_set_address(t, info->ifa_index, &a);
}

int net_table_apply(struct net_table *t, const struct nlmsghdr *message)
{
	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return apply_link(t, message);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return apply_address(t, message);
	default:
		return 0;
	}
}
