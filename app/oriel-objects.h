/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arrays of objects. */
#ifndef ORIEL_OBJECTS_H
#define ORIEL_OBJECTS_H

#include <glib-object.h>

/* An array of its own with a reference to each, for going through one that may change meanwhile. */
static inline GPtrArray *oriel_objects_hold(GPtrArray *objects)
{
    GPtrArray *copy = g_ptr_array_new_with_free_func(g_object_unref);

    for (guint i = 0; i < objects->len; i++) {
        g_ptr_array_add(copy, g_object_ref(objects->pdata[i]));
    }
    return copy;
}

#endif
