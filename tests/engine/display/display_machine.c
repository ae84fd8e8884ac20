/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See display_machine.h. */
#include "display_machine.h"

static void no_lock(struct device *device)
{
}

static struct machine *machine_of_keyboard(struct device *device)
{
    return (struct machine *)((char *)device - offsetof(struct machine, keyboard));
}

static void keyboard_key(struct device *device, uint16_t code, bool down)
{
}

static unsigned keyboard_leds(struct device *device)
{
    return machine_of_keyboard(device)->lamps;
}

static const struct input_ops keyboard_ops = { .kinds = INPUT_KEYBOARD,
                                               .key = keyboard_key,
                                               .leds = keyboard_leds };
static const struct device_class keyboard_class = { .name = "keyboard", .input = &keyboard_ops };

static void tablet_pointer(struct device *device, const struct pointer_event *event)
{
    ((struct machine *)((char *)device - offsetof(struct machine, tablet)))->pointed = *event;
}

static const struct input_ops tablet_ops = { .kinds = INPUT_ABSOLUTE, .pointer = tablet_pointer };
static const struct device_class tablet_class = { .name = "tablet", .input = &tablet_ops };

/* What engine/control asks of a machine; none of these commands is given here. */
enum machine_state machine_state(struct machine *machine, enum machine_reason *reason)
{
    if (reason) {
        *reason = REASON_NONE;
    }
    return MACHINE_RUNNING;
}

const char *machine_state_name(enum machine_state state)
{
    return "running";
}

const char *machine_reason_name(enum machine_reason reason)
{
    return "none";
}

bool machine_pause(struct machine *machine, GError **error)
{
    g_assert_not_reached();
}

bool machine_resume(struct machine *machine, GError **error)
{
    g_assert_not_reached();
}

bool machine_reset(struct machine *machine, GError **error)
{
    g_assert_not_reached();
}

bool machine_power_button(struct machine *machine, GError **error)
{
    g_assert_not_reached();
}

bool machine_set_balloon(struct machine *machine, uint64_t bytes, GError **error)
{
    g_assert_not_reached();
}

void machine_stop(struct machine *machine, enum machine_reason reason)
{
    g_assert_not_reached();
}

bool machine_set_link(struct machine *machine, const char *network, bool up, GError **error)
{
    g_assert_not_reached();
}

bool machine_add_forward(struct machine *machine, const char *network, const char *forward,
                         GError **error)
{
    g_assert_not_reached();
}

bool machine_remove_forward(struct machine *machine, const char *network, const char *forward,
                            GError **error)
{
    g_assert_not_reached();
}

char *machine_list_forwards(struct machine *machine, const char *network, GError **error)
{
    g_assert_not_reached();
}

bool machine_capture(struct machine *machine, const char *network, int fd, GError **error)
{
    g_assert_not_reached();
}

bool machine_limit_drive(struct machine *machine, const char *drive, uint64_t operations,
                         uint64_t bytes, GError **error)
{
    g_assert_not_reached();
}

bool machine_limit_network(struct machine *machine, const char *network, uint64_t to_guest,
                           uint64_t from_guest, GError **error)
{
    g_assert_not_reached();
}

GVariant *machine_list_connections(struct machine *machine, const char *network, GError **error)
{
    g_assert_not_reached();
}

bool machine_insert(struct machine *machine, const char *drive, const char *path, GError **error)
{
    g_assert_not_reached();
}

bool machine_eject(struct machine *machine, const char *drive, bool force, GError **error)
{
    g_assert_not_reached();
}

bool machine_plug(struct machine *machine, const char *id, GError **error)
{
    g_assert_not_reached();
}

bool machine_unplug(struct machine *machine, const char *id, bool force, GError **error)
{
    g_assert_not_reached();
}

char *machine_config_json(struct machine *machine)
{
    g_autoptr(JsonNode) root = oriel_config_to_json(machine->config);

    return json_to_string(root, TRUE);
}

bool machine_save(struct machine *machine, GBytes *picture, GError **error)
{
    g_assert_not_reached();
}

void machine_cancel_save(struct machine *machine)
{
    g_assert_not_reached();
}

double machine_save_progress(struct machine *machine)
{
    g_assert_not_reached();
}

char *machine_crash_report(struct machine *machine)
{
    return NULL;
}

char *machine_stats(struct machine *machine)
{
    return g_strdup("{}");
}

struct console *machine_console(struct machine *machine, unsigned head)
{
    return head < machine->desktop.n ? machine->desktop.consoles[head] : NULL;
}

struct input *machine_input(struct machine *machine)
{
    return machine->input;
}

const OrielConfig *machine_config(const struct machine *machine)
{
    return machine->config;
}

const char *machine_folder(const struct machine *machine)
{
    return "/machine";
}

/* --- The machine itself ----------------------------------------------------------------------- */

void display_machine_init(struct machine *machine)
{
    machine->ops = adapter_ops;
    machine->class = (struct device_class){ .name = "adapter", .display = &machine->ops };
    machine->adapter =
        (struct adapter){ .device.class = &machine->class, .mode = { 64, 32 }, .colour = 5 };
    machine->keyboard.class = &keyboard_class;
    machine->adapter.heads = 2;
    desktop_init(&machine->desktop, &machine->adapter.device, adapter_lock, adapter_unlock);
    machine->input = input_new(no_lock, no_lock);
    input_add_device(machine->input, &machine->keyboard);
    machine->config = oriel_config_new("Bench");
}

void display_machine_add_tablet(struct machine *machine)
{
    machine->tablet.class = &tablet_class;
    input_add_device(machine->input, &machine->tablet);
}

void display_machine_clear(struct machine *machine)
{
    desktop_clear(&machine->desktop);
    input_free(machine->input);
    oriel_config_free(machine->config);
}
