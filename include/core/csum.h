/* SPDX-License-Identifier: MIT */
#ifndef CORE_CSUM_H
#define CORE_CSUM_H

#include <stddef.h>
#include <stdint.h>

/**
 * csum_inet() - The Internet checksum (RFC 1071) of @n bytes at any alignment
 *
 * Return: the value whose big-endian bytes go into the header; 0 over data that holds its right checksum.
 */
uint16_t csum_inet(const void *p, size_t n);

#endif
