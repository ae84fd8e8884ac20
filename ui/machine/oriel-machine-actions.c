/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-machine-actions.h. */
#include "machine/oriel-machine-actions.h"

#include <glib/gi18n.h>

#include "base/oriel-message.h"
#include "base/oriel-state.h"

/* What an asynchronous command keeps: the widget may go away before the answer comes. */
typedef struct {
    GWeakRef widget;
    OrielMachineItem *item;
    OrielCommand command;
} Call;

static Call *call_new(GtkWidget *widget, OrielMachineItem *item)
{
    Call *call = g_new0(Call, 1);

    g_weak_ref_init(&call->widget, widget);
    call->item = g_object_ref(item);
    return call;
}

static void call_free(gpointer data)
{
    Call *call = data;

    g_weak_ref_clear(&call->widget);
    g_object_unref(call->item);
    g_free(call);
}

static char *failure_heading(OrielCommand command, const char *name)
{
    switch (command) {
    case ORIEL_COMMAND_PAUSE:
        return g_strdup_printf(_("Could Not Pause “%s”"), name);
    case ORIEL_COMMAND_RESUME:
        return g_strdup_printf(_("Could Not Resume “%s”"), name);
    case ORIEL_COMMAND_RESET:
        return g_strdup_printf(_("Could Not Reset “%s”"), name);
    case ORIEL_COMMAND_SHUT_DOWN:
        return g_strdup_printf(_("Could Not Shut Down “%s”"), name);
    case ORIEL_COMMAND_SAVE:
        return g_strdup_printf(_("Could Not Save “%s”"), name);
    case ORIEL_COMMAND_POWER_OFF:
    case ORIEL_COMMAND_KILL:
        break;
    }
    return g_strdup_printf(_("Could Not Power Off “%s”"), name);
}

static void commanded(GObject *source, GAsyncResult *result, gpointer data)
{
    Call *call = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GtkWidget) widget = g_weak_ref_get(&call->widget);

    if (!oriel_machine_item_command_finish(call->item, result, &error) && widget) {
        g_autofree char *heading =
            failure_heading(call->command, oriel_machine_item_get_name(call->item));

        oriel_message_error(widget, heading, error);
    }
    call_free(call);
}

void oriel_machine_actions_command(GtkWidget *widget, OrielMachineItem *item, OrielCommand command)
{
    Call *call = call_new(widget, item);

    call->command = command;
    oriel_machine_item_command_async(item, command, NULL, commanded, call);
}

static void started(GObject *source, GAsyncResult *result, gpointer data)
{
    Call *call = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GtkWidget) widget = g_weak_ref_get(&call->widget);

    if (!oriel_machine_item_start_finish(call->item, result, &error) && widget) {
        g_autofree char *heading =
            g_strdup_printf(_("Could Not Start “%s”"), oriel_machine_item_get_name(call->item));

        oriel_message_error(widget, heading, error);
    }
    call_free(call);
}

void oriel_machine_actions_start(GtkWidget *widget, OrielMachineItem *item, gboolean discard_saved)
{
    oriel_machine_item_start_async(item, discard_saved, NULL, started, call_new(widget, item));
}

/* One group of actions on one item. */
typedef struct {
    GtkWidget *widget; /* borrowed: the group lives in it */
    OrielMachineItem *item;
    GSimpleActionGroup *group; /* borrowed */
} Actions;

static void actions_free(gpointer data, GObject *group)
{
    Actions *actions = data;

    g_signal_handlers_disconnect_by_data(actions->item, actions);
    g_object_unref(actions->item);
    g_free(actions);
}

static void act_start(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    Actions *actions = data;

    oriel_machine_actions_start(actions->widget, actions->item, FALSE);
}

static void confirmed_discard(gpointer data)
{
    Call *call = data;
    g_autoptr(GtkWidget) widget = g_weak_ref_get(&call->widget);

    if (widget) {
        oriel_machine_actions_start(widget, call->item, TRUE);
    }
}

static void confirmed_command(gpointer data)
{
    Call *call = data;
    g_autoptr(GtkWidget) widget = g_weak_ref_get(&call->widget);

    if (widget) {
        oriel_machine_actions_command(widget, call->item, call->command);
    }
}

static void act_discard_saved(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    Actions *actions = data;
    g_autofree char *heading =
        g_strdup_printf(_("Start “%s” Afresh?"), oriel_machine_item_get_name(actions->item));

    oriel_message_confirm(actions->widget, heading,
                          _("What it was doing when it was saved is lost. Its disks are kept."),
                          _("_Start Afresh"), confirmed_discard,
                          call_new(actions->widget, actions->item), call_free);
}

static void command_with_question(Actions *actions, OrielCommand command, char *heading,
                                  const char *body, const char *label)
{
    Call *call = call_new(actions->widget, actions->item);

    call->command = command;
    oriel_message_confirm(actions->widget, heading, body, label, confirmed_command, call,
                          call_free);
    g_free(heading);
}

static void act_reset(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    Actions *actions = data;

    if (oriel_machine_item_get_state(actions->item) == ORIEL_MACHINE_STATE_CRASHED) {
        oriel_machine_actions_command(actions->widget, actions->item, ORIEL_COMMAND_RESET);
        return;
    }
    command_with_question(
        actions, ORIEL_COMMAND_RESET,
        g_strdup_printf(_("Reset “%s”?"), oriel_machine_item_get_name(actions->item)),
        _("It restarts at once, as with the reset button of a computer. What is not saved in it "
          "is lost."),
        _("_Reset"));
}

static void act_power_off(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    Actions *actions = data;

    if (oriel_machine_item_get_state(actions->item) == ORIEL_MACHINE_STATE_CRASHED) {
        oriel_machine_actions_command(actions->widget, actions->item, ORIEL_COMMAND_POWER_OFF);
        return;
    }
    command_with_question(
        actions, ORIEL_COMMAND_POWER_OFF,
        g_strdup_printf(_("Power Off “%s”?"), oriel_machine_item_get_name(actions->item)),
        _("It is switched off at once, as if its plug were pulled. What is not saved in it is "
          "lost."),
        _("_Power Off"));
}

static void act_end(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    Actions *actions = data;

    command_with_question(
        actions, ORIEL_COMMAND_KILL,
        g_strdup_printf(_("Force “%s” to Stop?"), oriel_machine_item_get_name(actions->item)),
        _("Its process is ended at once. What is not saved in the machine is lost."),
        _("_Force Stop"));
}

static void act_pause(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    Actions *actions = data;
    gboolean paused = oriel_machine_item_get_state(actions->item) == ORIEL_MACHINE_STATE_PAUSED;

    oriel_machine_actions_command(actions->widget, actions->item,
                                  paused ? ORIEL_COMMAND_RESUME : ORIEL_COMMAND_PAUSE);
}

static void act_resume(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    Actions *actions = data;

    oriel_machine_actions_command(actions->widget, actions->item, ORIEL_COMMAND_RESUME);
}

static void act_shut_down(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    Actions *actions = data;

    oriel_machine_actions_command(actions->widget, actions->item, ORIEL_COMMAND_SHUT_DOWN);
}

static void act_save(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    Actions *actions = data;

    oriel_machine_actions_command(actions->widget, actions->item, ORIEL_COMMAND_SAVE);
}

/* What the window does: win.machine-NAME with the folder. */
static void act_hand_on(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    Actions *actions = data;
    g_autofree char *name = g_strconcat("win.machine-", g_action_get_name(G_ACTION(action)), NULL);

    gtk_widget_activate_action(actions->widget, name, "s",
                               oriel_machine_item_get_folder(actions->item));
}

#define STATE(name) (1u << ORIEL_MACHINE_STATE_##name)
#define OFF         (STATE(STOPPED) | STATE(SAVED))
#define UP          (STATE(RUNNING) | STATE(PAUSED))
#define KNOWN       (OFF | UP | STATE(STARTING) | STATE(SAVING) | STATE(STOPPING) | STATE(CRASHED))
#define ANY         (~0u)

/* In which states an action makes sense. */
static const struct {
    const char *name;
    void (*activate)(GSimpleAction *action, GVariant *parameter, gpointer data);
    guint states;
} table[] = {
    { "start", act_start, OFF },
    { "discard-saved", act_discard_saved, STATE(SAVED) },
    { "pause", act_pause, UP },
    { "resume", act_resume, STATE(PAUSED) },
    { "shut-down", act_shut_down, STATE(RUNNING) },
    { "reset", act_reset, UP | STATE(STOPPING) | STATE(CRASHED) },
    { "power-off", act_power_off, UP | STATE(STOPPING) | STATE(CRASHED) },
    { "save", act_save, UP },
    { "end", act_end, STATE(LOST) },
    { "open", act_hand_on, ANY & ~STATE(PENDING) },
    { "open-window", act_hand_on, KNOWN },
    { "settings", act_hand_on, KNOWN },
    { "clone", act_hand_on, STATE(STOPPED) },
    { "export", act_hand_on, STATE(STOPPED) },
    { "rename", act_hand_on, STATE(STOPPED) },
    { "delete", act_hand_on, OFF | STATE(DAMAGED) },
    { "forget", act_hand_on, STATE(UNAVAILABLE) },
    { "show-folder", act_hand_on, KNOWN | STATE(DAMAGED) | STATE(LOST) },
    { "show-log", act_hand_on, KNOWN | STATE(DAMAGED) | STATE(LOST) },
    { "add-launcher", act_hand_on, KNOWN },
    { "insert-cd", act_hand_on, OFF | UP },
    { "eject-cd", act_hand_on, OFF | UP },
};

/* Whether the machine has a CD drive, and whether one has a CD in it. */
static void drives_look(OrielMachineItem *item, gboolean *drive, gboolean *medium)
{
    const OrielConfig *config = oriel_machine_item_get_config(item);

    *drive = *medium = FALSE;
    for (guint i = 0; config && i < config->drives->len; i++) {
        const OrielDrive *found = g_ptr_array_index(config->drives, i);

        if (found->kind == ORIEL_DRIVE_CDROM) {
            *drive = TRUE;
            *medium |= found->path != NULL;
        }
    }
}

static void action_limit(Actions *actions, const char *name, gboolean possible)
{
    GAction *action = g_action_map_lookup_action(G_ACTION_MAP(actions->group), name);

    if (!possible) {
        g_simple_action_set_enabled(G_SIMPLE_ACTION(action), FALSE);
    }
}

/* One that is tried is in no library, starts once, and keeps nothing. */
static gboolean is_for_trial(guint number)
{
    return table[number].activate != act_hand_on && table[number].activate != act_start &&
           table[number].activate != act_save;
}

static void states_follow(Actions *actions)
{
    gboolean trial = oriel_machine_item_is_trial(actions->item);
    OrielMachineState state = oriel_machine_item_get_state(actions->item);
    gboolean drive, medium;

    for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
        GAction *action = g_action_map_lookup_action(G_ACTION_MAP(actions->group), table[i].name);

        g_simple_action_set_enabled(G_SIMPLE_ACTION(action), ((table[i].states >> state) & 1) &&
                                                                 (!trial || is_for_trial(i)));
    }
    drives_look(actions->item, &drive, &medium);
    action_limit(actions, "insert-cd", drive);
    action_limit(actions, "eject-cd", medium);
    /* The engine does not reset one whose disk keeps it from ending what it has begun. */
    action_limit(actions, "reset", !oriel_state_waits_for_disk(actions->item));
    g_action_group_change_action_state(G_ACTION_GROUP(actions->group), "pause",
                                       g_variant_new_boolean(state == ORIEL_MACHINE_STATE_PAUSED));
}

/* The state only follows the machine; asking for a change is activating. */
static void pause_state_changed(GSimpleAction *action, GVariant *value, gpointer data)
{
    g_simple_action_set_state(action, value);
}

void oriel_machine_actions_insert(GtkWidget *widget, OrielMachineItem *item)
{
    g_autoptr(GSimpleActionGroup) group = g_simple_action_group_new();
    Actions *actions = g_new0(Actions, 1);

    *actions = (Actions){ widget, g_object_ref(item), group };
    for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
        gboolean stateful = g_str_equal(table[i].name, "pause");
        g_autoptr(GSimpleAction) action =
            stateful
                ? g_simple_action_new_stateful(table[i].name, NULL, g_variant_new_boolean(FALSE))
                : g_simple_action_new(table[i].name, NULL);

        g_signal_connect(action, "activate", G_CALLBACK(table[i].activate), actions);
        if (stateful) {
            g_signal_connect(action, "change-state", G_CALLBACK(pause_state_changed), NULL);
        }
        g_action_map_add_action(G_ACTION_MAP(group), G_ACTION(action));
    }
    g_signal_connect_swapped(item, "notify::state", G_CALLBACK(states_follow), actions);
    g_signal_connect_swapped(item, "notify::config", G_CALLBACK(states_follow), actions);
    g_object_weak_ref(G_OBJECT(group), actions_free, actions);
    states_follow(actions);
    gtk_widget_insert_action_group(widget, "machine", G_ACTION_GROUP(group));
}
