#include "config/done.h"

#include <stdlib.h>

void strings_done(struct config_strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->at[i]);
	free(s->at);
	*s = (struct config_strings){ 0 };
}

void filter_done(struct config_filter *f)
{
	free(f->sources);
	strings_done(&f->services);
	strings_done(&f->targets);
	free(f->sizes);
	*f = (struct config_filter){ 0 };
}

bool filter_is_empty(const struct config_filter *f)
{
	return f->n_sources == 0 && f->services.n == 0 && f->targets.n == 0 &&
	       f->n_sizes == 0;
}

void interface_done(struct config_interface *i)
{
	free(i->name);
	strings_done(&i->device);
	free(i->peers);
	*i = (struct config_interface){ 0 };
}

void use_done(struct config_use *u)
{
	filter_done(&u->allow);
	filter_done(&u->deny);
	*u = (struct config_use){ 0 };
}

void group_done(struct config_group *g)
{
	free(g->name);
	free(g->preset);
	free(g->addresses);
	free(g->ports);
	free(g->sources);
	for (size_t i = 0; i < g->n_uses; i++)
		use_done(&g->uses[i]);
	free(g->uses);
	filter_done(&g->allow);
	filter_done(&g->deny);
	free(g->notes);
	*g = (struct config_group){ 0 };
}

void preset_done(struct config_preset *p)
{
	free(p->name);
	free(p->notes);
	group_done(&p->group);
	*p = (struct config_preset){ 0 };
}

void data_done(struct config_data *d)
{
	free(d->bytes);
	free(d->written_as);
	free(d->written);
	*d = (struct config_data){ 0 };
}

void service_free(struct config_service *s)
{
	if (s == NULL)
		return;
	free(s->name);
	free(s->type);
	free(s->host);
	strings_done(&s->txt);
	free(s);
}

void announcement_done(struct config_announcement *a)
{
	free(a->name);
	data_done(&a->payload);
	service_free(a->service);
	data_done(&a->goodbye);
	*a = (struct config_announcement){ 0 };
}

void config_free(struct config *c)
{
	if (c == NULL)
		return;
	free(c->path);
	free(c->control.socket);
	free(c->control.group);
	for (size_t i = 0; i < c->n_interfaces; i++)
		interface_done(&c->interfaces[i]);
	free(c->interfaces);
	for (size_t i = 0; i < c->n_groups; i++)
		group_done(&c->groups[i]);
	free(c->groups);
	for (size_t i = 0; i < c->n_announcements; i++)
		announcement_done(&c->announcements[i]);
	free(c->announcements);
	for (size_t i = 0; i < c->n_presets; i++)
		preset_done(&c->presets[i]);
	free(c->presets);
	free(c);
}

struct config *config_ref(struct config *c)
{
	c->references++;
	return c;
}

void config_unref(struct config *c)
{
	if (c != NULL && --c->references == 0)
		config_free(c);
}

void broker_done(struct config_broker *b)
{
	free(b->url);
	free(b->host);
	*b = (struct config_broker){ 0 };
}

void site_group_done(struct config_site_group *g)
{
	free(g->name);
	filter_done(&g->publish_allow);
	filter_done(&g->publish_deny);
	filter_done(&g->take_allow);
	filter_done(&g->take_deny);
	strings_done(&g->from);
	*g = (struct config_site_group){ 0 };
}

void config_sites_free(struct config_sites *s)
{
	if (s == NULL)
		return;
	free(s->path);
	free(s->site);
	free(s->prefix);
	free(s->socket);
	for (size_t i = 0; i < s->n_brokers; i++)
		broker_done(&s->brokers[i]);
	free(s->brokers);
	free(s->tls.ca);
	free(s->tls.certificate);
	free(s->tls.key);
	strings_done(&s->plain_text);
	free(s->user);
	free(s->password);
	free(s->password_file);
	for (size_t i = 0; i < s->n_groups; i++)
		site_group_done(&s->groups[i]);
	free(s->groups);
	free(s);
}
