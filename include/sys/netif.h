/* SPDX-License-Identifier: MIT */
/*
 * What this machine is called, where it can be reached, and by which port it goes out. Calls: socket(AF_NETLINK), send,
 * recv, close, uname, getpeername, getsockname, getsockopt(SO_BINDTODEVICE), ioctl(SIOCGIFNAME), open, read, access.
 */
#ifndef SYS_NETIF_H
#define SYS_NETIF_H

#include "core/addr.h"
#include "core/ns.h"

/* Addresses of this machine's interfaces, as many as fit; link-local IPv6 ones carry their scope. Return: how many. */
size_t netif_addresses(struct addr *v, size_t cap);

/* The host name; nothing where there is none. */
void netif_put_host(struct text *t);

struct netif_link {
	char name[16];
	bool wireless;
	int64_t bits_per_second; /* of the port, as its driver says; UNKNOWN where it does not, or where there is no port */
};

/**
 * netif_link_of() - The interface that a connected socket sends by
 *
 * The kernel's routing table is asked: to an address of our own it is "lo", whichever interface has that address.
 * Return: false where it does not tell.
 */
bool netif_link_of(int fd, struct netif_link *ret);

/**
 * netif_link_read() - What a folder like /sys/class/net says of @link->name
 *
 * Tunnels, bridges, VLANs and pairs of virtual interfaces (veth says 10 Gbit/s) have no port of their own: UNKNOWN.
 */
void netif_link_read(const char *folder, struct netif_link *link);

#endif
