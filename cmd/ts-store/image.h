#ifndef TS_IMAGE_H
#define TS_IMAGE_H

#include "load.h"

/*
 * When all bars of a series are committed: counts what the table holds between the first and the
 * last of them that the API did not send, and what it holds before them, in the series' image;
 * deletes the former where that is asked for and safe. What goes wrong is told, and counts nothing.
 * PG_OK; or as load_batch().
 */
enum outcome image_look(struct load *, struct series *);

#endif
