#include "proto/proto.h"

static int inspect_mdns(const void *datagram, size_t size, struct proto_view *v)
{
	int error = mdns_inspect(datagram, size, &v->mdns);

	if (error == 0)
		v->kind = v->mdns.kind;
	return error;
}

static int inspect_ssdp(const void *datagram, size_t size, struct proto_view *v)
{
	int error = ssdp_parse(datagram, size, &v->ssdp);

	if (error == 0)
		v->kind = v->ssdp.kind;
	return error;
}

static int inspect_wsd(struct wsd_parser *wsd, const void *datagram,
	size_t size, struct proto_view *v)
{
	int error = wsd_parse(wsd, datagram, size, &v->wsd);

	if (error == 0)
		v->kind = v->wsd.kind;
	return error;
}

int proto_inspect(enum proto_payload payload, struct wsd_parser *wsd,
	const void *datagram, size_t size, struct proto_view *ret)
{
	struct proto_view v;
	int error = 0;

	v.payload = payload;
	switch (payload) {
	case PROTO_NONE:
		v.kind = PROTO_UNKNOWN;
		break;
	case PROTO_MDNS:
		error = inspect_mdns(datagram, size, &v);
		break;
	case PROTO_SSDP:
		error = inspect_ssdp(datagram, size, &v);
		break;
	case PROTO_WSD:
		error = inspect_wsd(wsd, datagram, size, &v);
		break;
	}
	if (error == 0)
		*ret = v;
	return error;
}
