/*
 * `send: frame`: what goes to a group leaves as ready-made packets, of which
 * those of all segments take one system call.
 *
 * What one socket has on its way shares its send buffer, so a slow device
 * would hold up all others (kernel-facts 0.C). Where the buffer is full each
 * sender that meets this gets a socket of its own, for as long as it lives.
 */
#include "relay/internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Asked of the kernel for the socket of all. */
enum { FRAME_BUFFER = 4 * 1024 * 1024 };

void frames_init(struct framer *f, uint32_t first_id)
{
	*f = (struct framer){ .fd = -1, .run_fd = -1, .next_id = first_id };
}

static struct framer *framer_of(const struct sender *by)
{
	return &by->segment->channel->group->relay->framer;
}

static const struct net_address *target_of(const struct relay_segment *s)
{
	const struct net_address *target = &segment_use(s)->target;
	const struct net_address *group = &s->channel->address;

	return target->family == group->family ? target : group;
}

bool frames_wanted(const struct relay_segment *s)
{
	if (s->channel->group->c->send != CONFIG_SEND_FRAME ||
		segment_interface(s)->n_peers)
		return false;
	return s->channel->broadcast || net_address_is_multicast(target_of(s));
}

/* The address of `a`, in network byte order. */
static void put_address(const union udp_address *a, uint8_t to[16])
{
	if (a->sa.sa_family == AF_INET)
		memcpy(to, &a->in.sin_addr, sizeof(a->in.sin_addr));
	else
		memcpy(to, &a->in6.sin6_addr, sizeof(a->in6.sin6_addr));
}

static void describe(struct sender *by)
{
	const struct relay_segment *s = by->segment;

	by->flow = (struct ip_flow){
		.family = s->channel->address.family,
		.source_port = by->port,
		.destination_port = s->channel->port,
	};
	memcpy(by->flow.source, s->source.bytes, net_address_size(&s->source));
	put_address(&s->to.group, by->flow.destination);
	/* The family is one of the two. */
	(void)ip_form(&by->form, &by->flow);
	udp_frame_hardware(&s->to.group, by->hardware);
}

int frames_open(struct sender *by)
{
	struct framer *f = framer_of(by);
	int err;

	if (!f->users) {
		err = udp_frames_new(&f->batch);
		if (err < 0)
			return err;
		f->fd = udp_frame_socket(FRAME_BUFFER);
		if (f->fd < 0) {
			err = f->fd;
			f->fd = -1;
			udp_frames_free(f->batch);
			f->batch = NULL;
			return err;
		}
	}
	f->users++;
	by->has_frames = true;
	by->frame_fd = -1;
	describe(by);
	return 0;
}

void frames_close(struct sender *by)
{
	struct framer *f = framer_of(by);

	if (!by->has_frames)
		return;
	by->has_frames = false;
	if (by->frame_fd >= 0)
		(void)close(by->frame_fd);
	if (--f->users)
		return;
	(void)close(f->fd);
	if (f->run_fd >= 0)
		(void)close(f->run_fd);
	f->fd = f->run_fd = -1;
	udp_frames_free(f->batch);
	f->batch = NULL;
}

/* ---- into packets ---- */

/* On its way into the batch. */
struct packing {
	struct framer *framer;
	int fd;
	udp_frame_report_cb report;
	void *data;
};

/* The sum of a payload, whose copies for other segments need it too. */
static uint32_t sum_of(const struct packing *p, const struct outgoing *o)
{
	struct framer_sum *s =
		&p->framer->sums[(uintptr_t)o->data / 64 % FRAMER_SUMS];

	if (s->flush != p->framer->flush || s->data != o->data ||
		s->size != o->size)
		*s = (struct framer_sum){ o->data, o->size, p->framer->flush,
			ip_sum(o->data, o->size, 0) };
	return s->sum;
}

static void send_batch(struct packing *p)
{
	(void)udp_frames_send(p->framer->batch, p->fd, p->report, p->data);
}

static struct udp_frame *take(struct packing *p)
{
	struct udp_frame *x = udp_frames_take(p->framer->batch);

	if (x)
		return x;
	send_batch(p);
	return udp_frames_take(p->framer->batch);
}

static struct udp_frame *next_frame(struct packing *p, struct outgoing *o)
{
	const struct relay_segment *s = o->by->segment;
	struct udp_frame *x = take(p);

	x->device = s->index;
	x->family = s->channel->address.family;
	x->tag = o;
	return x;
}

static uint8_t ttl_of(const struct outgoing *o)
{
	return (uint8_t)(o->ttl > 0 ? o->ttl
				    : segment_use(o->by->segment)->ttl);
}

/* True of most: one packet from the segment itself to the group. */
static bool is_plain(const struct outgoing *o)
{
	const struct sender *by = o->by;

	return o->destination == &by->segment->to.group &&
	       o->port == by->port && !net_address_is_set(&o->announcer) &&
	       ip_fits(&by->form, o->size, by->segment->mtu);
}

static void pack_plain(struct packing *p, struct outgoing *o)
{
	struct udp_frame *x = next_frame(p, o);

	x->header_size = ip_fill(&o->by->form, o->size, sum_of(p, o), ttl_of(o),
		p->framer->next_id++, x->header);
	x->payload = o->data;
	x->payload_size = o->size;
	memcpy(x->hardware, o->by->hardware, sizeof(x->hardware));
}

/* Of another source or to another destination, or in pieces. */
static int pack_cut(struct packing *p, struct outgoing *o)
{
	struct ip_flow f = o->by->flow;
	struct ip_cutter cutter;
	struct ip_packet packet;
	struct udp_frame *x;
	int err;

	put_address(o->destination, f.destination);
	if (net_address_is_set(&o->announcer))
		memcpy(f.source, o->announcer.bytes,
			net_address_size(&o->announcer));
	f.source_port = o->port;
	f.ttl = ttl_of(o);
	f.id = p->framer->next_id++;
	err = ip_cut(&cutter, &f, o->data, o->size, sum_of(p, o),
		o->by->segment->mtu);
	if (err < 0)
		return err;
	while (ip_next(&cutter, &packet)) {
		x = next_frame(p, o);
		x->header_size = packet.header_size;
		memcpy(x->header, packet.header, packet.header_size);
		x->payload = packet.payload;
		x->payload_size = packet.payload_size;
		udp_frame_hardware(o->destination, x->hardware);
	}
	return 0;
}

/* Puts all packets of `o` into the batch. Returns 0 or -errno. */
static int pack(struct packing *p, struct outgoing *o)
{
	if (!is_plain(o))
		return pack_cut(p, o);
	pack_plain(p, o);
	return 0;
}

/* ---- out ---- */

/* Only what its own device holds up waits in a socket of its own. */
static int own_socket(struct sender *by)
{
	if (by->frame_fd < 0)
		by->frame_fd = udp_frame_socket(FRAME_BUFFER);
	return by->frame_fd;
}

static void not_sent(void *data, void *tag, int error)
{
	struct outgoing *o = tag;

	(void)data;
	/* Once, however many of its fragments. */
	if (o->has_failed)
		return;
	o->has_failed = true;
	outbox_not_sent(o, error);
}

/* By the socket of all: what that has no room for goes another way. */
static void not_taken(void *data, void *tag, int error)
{
	struct outgoing *o = tag;

	if (error != -EAGAIN || o->has_failed || own_socket(o->by) < 0) {
		not_sent(data, tag, error);
		return;
	}
	o->has_failed = true;
	o->by->segment->counters.sent--;
	o->by->segment->counters.sent_bytes -= o->size;
	outbox_put_again(o);
}

static void count(const struct outgoing *o)
{
	o->by->segment->counters.sent++;
	o->by->segment->counters.sent_bytes += o->size;
}

/* ---- runs ---- */

/* How many from `first` on may be taken apart further on: of one size, and no
 * more than an IP packet holds. */
static unsigned measure_run(
	const struct outgoing *first, struct iovec payloads[UDP_RUN])
{
	const struct outgoing *o;
	unsigned n = 0;

	for (o = first; o && n < UDP_RUN && o->size == first->size &&
			o->size > 0 && (n + 1) * o->size <= UDP_RUN_BYTES &&
			ttl_of(o) == ttl_of(first) && is_plain(o);
		o = o->next)
		payloads[n++] = (struct iovec){ (void *)o->data, o->size };
	return n;
}

/* Sends `n` datagrams from `first` on as one. Returns 0 or -errno. */
static int send_run(struct sender *by, const struct outgoing *first,
	const struct iovec *payloads, unsigned n)
{
	const struct relay_segment *s = by->segment;
	struct relay *r = s->channel->group->relay;
	const struct net_device *d = net_devices_by_index(r->devices, s->index);
	struct udp_frame head = { .device = s->index,
		.family = s->channel->address.family };
	uint8_t from[6];

	if (!d || !net_device_hardware(d, from))
		return -EINVAL;
	memcpy(head.hardware, by->hardware, sizeof(head.hardware));
	head.header_size = ip_fill_run(&by->form, n * first->size,
		ttl_of(first), r->framer.next_id, head.header);
	/* Each of them gets one. */
	r->framer.next_id += n;
	return udp_send_run(
		r->framer.run_fd, &head, from, payloads, n, first->size);
}

/* Opened by the first run. False: they go one by one. */
static bool takes_runs(struct sender *by)
{
	struct framer *f = framer_of(by);

	if (by->takes_no_runs)
		return false;
	if (f->run_fd < 0)
		f->run_fd = udp_run_socket(FRAME_BUFFER);
	by->takes_no_runs = f->run_fd < 0;
	return !by->takes_no_runs;
}

/* Sends the runs at the front. Returns what is left. */
static struct outgoing *send_runs(struct sender *by, struct outgoing *first)
{
	struct iovec payloads[UDP_RUN];
	struct outgoing *o = first;

	while (o) {
		unsigned n = measure_run(o, payloads);
		int err;

		if (n < UDP_RUN_LEAST || !takes_runs(by))
			break;
		err = send_run(by, o, payloads, n);
		/* The socket of all is full: they wait in one of their own. */
		if (err == -EAGAIN)
			break;
		if (err < 0 && err != -ENOBUFS) {
			by->takes_no_runs = true;
			break;
		}
		for (; n > 0; n--, o = o->next) {
			count(o);
			if (err < 0)
				outbox_not_sent(o, err);
		}
	}
	return o;
}

/* ---- the queues ---- */

static struct packing packing_of(struct framer *f, const struct sender *by)
{
	return (struct packing){
		.framer = f,
		.fd = by ? by->frame_fd : f->fd,
		.report = by ? not_sent : not_taken,
	};
}

void frames_depart(struct sender *by, struct outgoing *first)
{
	struct framer *f = framer_of(by);
	bool alone = by->frame_fd >= 0;
	struct packing p;
	struct outgoing *o, *next;
	int err;

	/* A batch is for one socket. */
	if (alone)
		frames_flush(f);
	p = packing_of(f, alone ? by : NULL);
	for (o = send_runs(by, first); o; o = next) {
		/* It may be queued anew from within. */
		next = o->next;
		o->has_failed = false;
		count(o);
		err = pack(&p, o);
		if (err < 0)
			not_sent(NULL, o, err);
	}
	if (alone)
		send_batch(&p);
}

void frames_flush(struct framer *f)
{
	struct packing p;

	f->flush++;
	if (!f->batch)
		return;
	p = packing_of(f, NULL);
	send_batch(&p);
}

static void note_error(void *data, void *tag, int error)
{
	int *first = data;

	(void)tag;
	if (!*first)
		*first = error;
}

static int send_by(struct outgoing *o, int fd)
{
	int err, first = 0;
	struct packing p = {
		.framer = framer_of(o->by),
		.fd = fd,
		.report = note_error,
		.data = &first,
	};

	/* The bytes may be others than a moment ago. */
	p.framer->flush++;
	err = pack(&p, o);
	send_batch(&p);
	p.framer->flush++;
	return err < 0 ? err : first;
}

int frames_send(struct sender *by, uint16_t port, const union udp_address *to,
	int ttl, const void *data, size_t size)
{
	struct outgoing o = {
		.by = by,
		.data = data,
		.size = size,
		.destination = to,
		.port = port,
		.ttl = ttl,
	};
	int err;

	if (by->frame_fd >= 0)
		return send_by(&o, by->frame_fd);
	err = send_by(&o, framer_of(by)->fd);
	if (err == -EAGAIN && own_socket(by) >= 0)
		err = send_by(&o, by->frame_fd);
	return err;
}
