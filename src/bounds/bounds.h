/*
 * bounds: what keeps that which grows within its bound. The folder's one
 * header for others.
 *
 * Pools of items of one size, quotas that share a bound fairly among those who
 * fill it, and the keyed hash that nobody on the network can make collide.
 * Pure state: no descriptor, no clock.
 */
#ifndef CRIER_BOUNDS_BOUNDS_H
#define CRIER_BOUNDS_BOUNDS_H

#include "bounds/pool.h"
#include "bounds/quota.h"
#include "bounds/siphash.h"

#endif
