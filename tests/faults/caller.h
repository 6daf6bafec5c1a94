/*
 * caller: a client of the control socket that need not read its answer.
 */
#ifndef CRIER_TESTS_CALLER_H
#define CRIER_TESTS_CALLER_H

/* Connects to the socket and sends a request, whose `params` are "" or a comma
 * and the member. Returns the descriptor, the caller's, or -1. */
int caller(const char *path, const char *method, const char *params);

#endif
