/* SPDX-License-Identifier: MIT */
#ifndef CORE_SIPHASH_H
#define CORE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* SipHash-2-4 (Aumasson, Bernstein 2012): a keyed 64-bit hash that a stranger cannot forge. */
uint64_t siphash(const uint8_t key[static 16], const void *p, size_t n);

#endif
