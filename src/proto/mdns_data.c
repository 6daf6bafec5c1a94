#include "proto/mdns_internal.h"

/* Whether pieces fill the data, each behind a head of `head` bytes whose last
 * one or two (`width`) say how long it is. */
static bool are_pieces(const struct mdns_bytes *b, size_t head, size_t width)
{
	size_t at = 0;

	while (at < b->size) {
		size_t size;

		if (head > b->size - at)
			return false;
		at += head;
		size = b->at[at - 1];
		if (width == 2)
			size |= (size_t)b->at[at - 2] << 8;
		if (size > b->size - at)
			return false;
		at += size;
	}
	return true;
}

bool mdns_record_is_right(const struct mdns_item *i)
{
	if (i->type != MDNS_OPT && i->rrclass != MDNS_CLASS_IN)
		return false;
	switch (i->type) {
	case MDNS_HINFO:
	case MDNS_TXT:
		return are_pieces(&i->head, 1, 1);
	case MDNS_OPT:
		return are_pieces(&i->head, 4, 2);
	case MDNS_NSEC:
		return are_pieces(&i->tail, 2, 1);
	default:
		return true;
	}
}

static uint8_t bit(uint16_t type)
{
	return (uint8_t)(0x80 >> (type & 7));
}

bool mdns_bitmap_is_right(const struct mdns_bytes *b)
{
	return b->size > MDNS_BITMAP_HEAD && b->at[0] == 0 &&
	       b->at[1] <= MDNS_BITMAP_BITS &&
	       b->size == MDNS_BITMAP_HEAD + (size_t)b->at[1];
}

void mdns_bitmap_set(uint8_t bitmap[MDNS_BITMAP], uint16_t type)
{
	uint8_t byte = (uint8_t)(type / 8);

	bitmap[MDNS_BITMAP_HEAD + byte] |= bit(type);
	if (bitmap[1] <= byte)
		bitmap[1] = (uint8_t)(byte + 1);
}

void mdns_bitmap_clear(uint8_t bitmap[MDNS_BITMAP], uint16_t type)
{
	uint8_t byte = (uint8_t)(type / 8);

	if (byte >= bitmap[1])
		return;
	bitmap[MDNS_BITMAP_HEAD + byte] &= (uint8_t)~bit(type);
	while (bitmap[1] > 0 && bitmap[MDNS_BITMAP_HEAD + bitmap[1] - 1] == 0)
		bitmap[1]--;
}
