/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making, resetting and freeing device instances; their options. See devices/include/device.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "pci.h"
#include "services.h"

void dev_error_set(struct dev_error *error, const char *format, ...)
{
    va_list arguments;

    if (!error) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(error->message, sizeof(error->message), format, arguments);
    va_end(arguments);
}

const struct device_class *device_class_find(const char *name)
{
    for (unsigned i = 0; device_classes[i]; i++) {
        if (strcmp(device_classes[i]->name, name) == 0) {
            return device_classes[i];
        }
    }
    return NULL;
}

static bool number_parse(const char *text, uint64_t *value)
{
    char *end;

    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    *value = strtoull(text, &end, 0);
    return errno == 0 && *end == '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/* Text form 8-4-4-4-12; the bytes in the order they are written. */
static bool uuid_parse(const char *text, uint8_t uuid[16])
{
    unsigned n = 0;

    for (; *text && n < 16; text++) {
        if (*text == '-') {
            continue;
        }
        int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

        if (low < 0) {
            return false;
        }
        uuid[n++] = (uint8_t)(high << 4 | low);
        text++;
    }
    return n == 16 && *text == '\0';
}

static int option_set(struct device *device, const struct option_desc *option, const char *text,
                      struct dev_error *error)
{
    char *member = (char *)device + option->offset;
    uint64_t number = 0;

    switch (option->type) {
    case OPTION_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
            dev_error_set(error, "%s: option “%s” is “%s”; it must be true or false.", device->name,
                          option->name, text);
            return -EINVAL;
        }
        *(bool *)member = strcmp(text, "true") == 0;
        return 0;
    case OPTION_U32:
    case OPTION_U64:
        if (!number_parse(text, &number) || number < option->minimum || number > option->maximum) {
            dev_error_set(error, "%s: option “%s” is “%s”; it must be a number from %llu to %llu.",
                          device->name, option->name, text, (unsigned long long)option->minimum,
                          (unsigned long long)option->maximum);
            return -EINVAL;
        }
        if (option->type == OPTION_U32) {
            *(uint32_t *)member = (uint32_t)number;
        } else {
            *(uint64_t *)member = number;
        }
        return 0;
    case OPTION_STRING:
        if (strlen(text) >= option->maximum) {
            dev_error_set(error, "%s: option “%s” is longer than %llu bytes; shorten it.",
                          device->name, option->name, (unsigned long long)option->maximum - 1);
            return -EINVAL;
        }
        strcpy(member, text);
        return 0;
    case OPTION_UUID:
        if (!uuid_parse(text, (uint8_t *)member)) {
            dev_error_set(error, "%s: option “%s” is “%s”, which is no UUID.", device->name,
                          option->name, text);
            return -EINVAL;
        }
        return 0;
    }
    return -EINVAL;
}

static int options_apply(struct device *device, const struct option_value *values, size_t n_values,
                         struct dev_error *error)
{
    const struct option_desc *options = device->class->options;
    int result = 0;

    for (const struct option_desc *o = options; o && o->name && result == 0; o++) {
        if (o->fallback) {
            result = option_set(device, o, o->fallback, error);
        }
    }
    for (size_t i = 0; i < n_values && result == 0; i++) {
        const struct option_desc *o = options;

        while (o && o->name && strcmp(o->name, values[i].name) != 0) {
            o++;
        }
        if (!o || !o->name) {
            dev_error_set(error, "%s: there is no option “%s”.", device->name, values[i].name);
            return -EINVAL;
        }
        result = option_set(device, o, values[i].value, error);
    }
    return result;
}

struct device *device_new(const struct device_class *class, const char *name,
                          const struct services *services, void *host,
                          const struct option_value *values, size_t n_values,
                          struct dev_error *error)
{
    struct device *device = calloc(1, class->state_size);

    if (!device) {
        abort(); /* a fixed, small size: the host is beyond help */
    }
    device->class = class;
    device->services = services;
    device->host = host;
    snprintf(device->name, sizeof(device->name), "%s", name);
    if (options_apply(device, values, n_values, error) != 0 ||
        (class->pci && pci_create(to_pci(device), error) != 0) ||
        (class->create && class->create(device, error) != 0)) {
        free(device);
        return NULL;
    }
    device_reset(device, RESET_COLD);
    return device;
}

void device_free(struct device *device)
{
    if (!device) {
        return;
    }
    if (device->class->destroy) {
        device->class->destroy(device);
    }
    free(device);
}

void device_reset(struct device *device, enum reset_kind kind)
{
    const struct device_class *class = device->class;

    for (unsigned i = 0; i < class->n_timers; i++) {
        dev_timer_arm(device, i, TIMER_OFF);
    }
    for (unsigned i = 0; i < class->n_irqs; i++) {
        dev_irq_set(device, i + (class->pci ? 1 : 0), false);
    }
    if (class->pci) {
        pci_reset(to_pci(device));
    }
    if (class->reset) {
        class->reset(device, kind);
    }
}
