/* A page of which it is known that a service that is well can serve it. */
#include "probe.h"

void
probe_keep(struct probe *p, const struct chunk *c, const struct series *series)
{
	chunk_follow(&p->chunk, buffer_slice(&c->path));
	buffer_set(&p->symbol, series->symbol);
	p->series = *series;
	p->series.symbol = buffer_slice(&p->symbol);
}

bool
probe_known(const struct probe *p)
{
	return p->chunk.path.len > 0;
}

void
probe_release(struct probe *p)
{
	chunk_release(&p->chunk);
	buffer_release(&p->symbol);
}
