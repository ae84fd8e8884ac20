/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long a library of a thousand machines takes to be read, beside an empty one, and how long the
 * main loop is busy at a stretch meanwhile. `ninja -C build bench-library`.
 */
#include <stdio.h>
#include <stdlib.h>

#include "model_fixture.h"

jmp_buf test_failed;

enum {
    RUNS = 7,
    MANY = 1000,
};

static gint64 left_poll, busiest; /* microseconds */

/* The main loop is busy from the end of one poll to the beginning of the next. */
static gint poll_measured(GPollFD *fds, guint n, gint timeout)
{
    gint64 now = g_get_monotonic_time();
    gint result;

    if (left_poll > 0) {
        busiest = MAX(busiest, now - left_poll);
    }
    result = g_poll(fds, n, timeout);
    left_poll = g_get_monotonic_time();
    return result;
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void measure(guint machines)
{
    double ready[RUNS], busy[RUNS];

    for (int run = 0; run < RUNS; run++) {
        gint64 start = g_get_monotonic_time();

        left_poll = busiest = 0;
        g_autoptr(OrielMachineList) list = fixture_list();

        ready[run] = (double)(g_get_monotonic_time() - start) / 1000;
        busy[run] = (double)busiest / 1000;
        CHECK_EQ(g_list_model_get_n_items(G_LIST_MODEL(list)), machines);
    }
    qsort(ready, RUNS, sizeof(double), compare);
    qsort(busy, RUNS, sizeof(double), compare);
    printf("%4u machines: read in %.0f ms (%.0f to %.0f), main loop busy at most %.1f ms (%.1f to "
           "%.1f)\n",
           machines, ready[RUNS / 2], ready[0], ready[RUNS - 1], busy[RUNS / 2], busy[0],
           busy[RUNS - 1]);
}

int main(void)
{
    fixture_start();
    if (setjmp(test_failed) != 0) {
        fixture_end();
        return 1;
    }
    g_main_context_set_poll_func(NULL, poll_measured);
    g_free(oriel_library_folder(TRUE, NULL));
    measure(0);
    for (int i = 0; i < MANY; i++) {
        g_autofree char *name = g_strdup_printf("Machine %d", i);

        fixture_machine(name, NULL);
    }
    measure(MANY);
    fixture_end();
    return 0;
}
