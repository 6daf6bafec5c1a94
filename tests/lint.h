/*
 * lint: what the macros of libraries come to, for cppcheck alone, which is not
 * given their headers. Only what it cannot read the code without.
 */
#define DL_FOREACH(head, e)         for (e = head; e; e = e->next)
#define DL_FOREACH_SAFE(head, e, t) for (e = head; e && (t = e->next, 1); e = t)
#define HASH_ITER(hh, head, e, t)                                              \
	for (e = head, t = hash_next(head); e; e = t, t = hash_next(t))
#define HASH_FIND(hh, head, key, size, e) e = hash_find(head, key, size)
#define json_array_foreach(array, i, value)                                    \
	for (i = 0; i < json_array_size(array) &&                              \
		    (value = json_array_get(array, i));                        \
		i++)
#define json_object_foreach(object, key, value)                                \
	for (key = json_first(object);                                         \
		key && (value = json_value(object, key));                      \
		key = json_next(object, key))
