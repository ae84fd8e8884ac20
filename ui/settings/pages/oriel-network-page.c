/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-network-page.h. One group for each card; they are made anew whenever what they show
 * besides settings changes: the cards and their port forwards.
 */
#include "oriel-network-page.h"

#include <glib/gi18n.h>
#include <string.h>

#include "running/oriel-networks.h"
#include "settings/oriel-machine-work.h"

struct _OrielNetworkPage {
    AdwPreferencesPage parent_instance;
    AdwPreferencesGroup *add_group;
    GtkWidget *add_button, *hotplug_row;

    OrielMachineItem *item;
    OrielMachineList *list;
    OrielSettingRows *setting_rows;
    GPtrArray *groups;    /* AdwPreferencesGroup, borrowed */
    char *shown;          /* what the groups were made of */
    GtkWidget *entry_row; /* into which the forward under way was typed; a weak pointer */
};

G_DEFINE_FINAL_TYPE(OrielNetworkPage, oriel_network_page, ADW_TYPE_PREFERENCES_PAGE)

static void work_done(GtkWidget *page, const GError *error, const char *result)
{
    if (error) {
        oriel_setting_rows_tell(ORIEL_NETWORK_PAGE(page)->setting_rows, page,
                                _("Could Not Change the Network"), error);
    }
}

/* --- Port forwards ---------------------------------------------------------------------------- */

/* What was typed stays, with what is wrong with it; otherwise the page is made anew without it. */
static void forward_added(GtkWidget *page, const GError *error, const char *result)
{
    OrielNetworkPage *self = ORIEL_NETWORK_PAGE(page);

    if (self->entry_row) {
        gboolean cancelled = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

        oriel_setting_row_set_problem(self->entry_row, error && !cancelled ? error->message : NULL);
    }
}

static void forward_typed(AdwEntryRow *row, OrielNetworkPage *self)
{
    const char *network = g_object_get_data(G_OBJECT(row), "network");

    g_set_weak_pointer(&self->entry_row, GTK_WIDGET(row));
    machine_work_add_forward(GTK_WIDGET(self), self->item, network,
                             gtk_editable_get_text(GTK_EDITABLE(row)), forward_added);
}

static void action_remove_forward(GtkWidget *widget, const char *name, GVariant *parameter)
{
    const char *network, *forward;

    g_variant_get(parameter, "(&s&s)", &network, &forward);
    machine_work_remove_forward(widget, ORIEL_NETWORK_PAGE(widget)->item, network, forward,
                                work_done);
}

static void forward_show(AdwPreferencesGroup *group, const OrielNetwork *network,
                         const OrielForward *forward)
{
    g_autofree char *text = oriel_forward_text(forward);
    /* Translators: a port of this computer: protocol, address, number. */
    g_autofree char *title =
        g_strdup_printf(_("%1$s port %3$u of %2$s"), forward->udp ? "UDP" : "TCP", forward->host,
                        forward->host_port);
    /* Translators: %u is the number of a port, %s an address. */
    g_autofree char *subtitle =
        forward->guest[0]
            ? g_strdup_printf(_("Leads to port %u of %s"), forward->guest_port, forward->guest)
            : g_strdup_printf(_("Leads to port %u of the machine"), forward->guest_port);
    GtkWidget *row = adw_action_row_new();
    GtkWidget *button = gtk_button_new_from_icon_name("user-trash-symbolic");
    const char *label = _("Remove This Port Forward");

    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
    gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class(button, "flat");
    gtk_widget_set_tooltip_text(button, label);
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                   -1);
    gtk_actionable_set_action_target(GTK_ACTIONABLE(button), "(ss)", network->id, text);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "network.remove-forward");
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), button);
    adw_preferences_group_add(group, row);
}

static void forwards_show(OrielNetworkPage *self, AdwPreferencesGroup *group,
                          const OrielNetwork *network)
{
    g_autoptr(GArray) forwards =
        oriel_forwards_parse(network->forwards ? network->forwards : "", NULL);
    GtkWidget *entry = adw_entry_row_new();

    for (guint i = 0; forwards && i < forwards->len; i++) {
        forward_show(group, network, &g_array_index(forwards, OrielForward, i));
    }
    /* Translators: keep tcp:2222:22 as it is. */
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(entry),
                                  _("Add a Port Forward, Such as tcp:2222:22"));
    adw_entry_row_set_show_apply_button(ADW_ENTRY_ROW(entry), TRUE);
    g_object_set_data_full(G_OBJECT(entry), "network", g_strdup(network->id), g_free);
    g_signal_connect_object(entry, "apply", G_CALLBACK(forward_typed), self, 0);
    adw_preferences_group_add(group, entry);
}

/* --- Private networks ------------------------------------------------------------------------- */

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The private networks that other machines are in, each once, by name. g_ptr_array_unref(). */
static GPtrArray *networks_in_use(OrielNetworkPage *self)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    guint n_items = g_list_model_get_n_items(G_LIST_MODEL(self->list));

    for (guint i = 0; i < n_items; i++) {
        g_autoptr(OrielMachineItem) item = g_list_model_get_item(G_LIST_MODEL(self->list), i);
        const OrielConfig *config = item == self->item ? NULL : oriel_machine_item_get_config(item);

        for (guint j = 0; config && j < config->networks->len; j++) {
            const OrielNetwork *network = g_ptr_array_index(config->networks, j);

            if (network->mode == ORIEL_NETWORK_PRIVATE &&
                !g_ptr_array_find_with_equal_func(names, network->network, g_str_equal, NULL)) {
                g_ptr_array_add(names, g_strdup(network->network));
            }
        }
    }
    g_ptr_array_sort(names, by_name);
    return names;
}

/* Where a card goes of which only is said that its network is private: to the other machines. */
static char *network_wish(gpointer data)
{
    g_autoptr(GPtrArray) names = networks_in_use(data);

    return g_strdup(names->len ? g_ptr_array_index(names, 0) : "private");
}

static void joined(GObject *item, GAsyncResult *result, gpointer data)
{
    g_autoptr(OrielNetworkPage) self = data;
    g_autoptr(GError) error = NULL;

    if (!oriel_machine_item_set_finish(ORIEL_MACHINE_ITEM(item), result, &error)) {
        work_done(GTK_WIDGET(self), error, NULL);
    }
}

static void action_join(GtkWidget *widget, const char *name, GVariant *parameter)
{
    OrielNetworkPage *self = ORIEL_NETWORK_PAGE(widget);
    const char *card, *network;

    g_variant_get(parameter, "(&s&s)", &card, &network);
    g_autofree char *key = g_strconcat(card, ".network", NULL);
    const char *pairs[] = { key, network, NULL };

    oriel_machine_item_set_async(self->item, pairs, NULL, joined, g_object_ref(self));
}

/* The row for the name of a private network, with those of other machines to choose from. */
static GtkWidget *network_row(OrielNetworkPage *self, const char *card)
{
    g_autoptr(GPtrArray) names = networks_in_use(self);
    g_autoptr(GMenu) menu = g_menu_new();
    GtkWidget *row = adw_entry_row_new(), *button = gtk_menu_button_new();
    const char *label = _("Networks of Other Machines");

    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        g_autoptr(GMenuItem) item = g_menu_item_new(name, NULL);

        g_menu_item_set_action_and_target(item, "network.join", "(ss)", card, name);
        g_menu_append_item(menu, item);
    }
    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(button), G_MENU_MODEL(menu));
    gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class(button, "flat");
    gtk_widget_set_tooltip_text(button, label);
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                   -1);
    gtk_widget_set_visible(button, names->len > 0);
    adw_entry_row_add_suffix(ADW_ENTRY_ROW(row), button);
    return row;
}

/* --- Rows tied to settings -------------------------------------------------------------------- */

static void bind(OrielNetworkPage *self, AdwPreferencesGroup *group, GtkWidget *row,
                 const char *title, const char *key, const char *const *choices)
{
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    oriel_setting_rows_bind(self->setting_rows, row, key, choices);
    adw_preferences_group_add(group, row);
}

static GtkWidget *combo_row(const char *const *words)
{
    GtkWidget *row = adw_combo_row_new();
    g_autoptr(GtkStringList) model = gtk_string_list_new(words);

    adw_combo_row_set_model(ADW_COMBO_ROW(row), G_LIST_MODEL(model));
    adw_combo_row_set_use_subtitle(ADW_COMBO_ROW(row), TRUE);
    return row;
}

static GtkWidget *switch_row(const char *subtitle)
{
    GtkWidget *row = adw_action_row_new(), *toggle = gtk_switch_new();

    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
    adw_action_row_set_subtitle_lines(ADW_ACTION_ROW(row), 0);
    gtk_widget_set_valign(toggle, GTK_ALIGN_CENTER);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), toggle);
    adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), toggle);
    return row;
}

static void settings_show(OrielNetworkPage *self, AdwPreferencesGroup *group,
                          const OrielNetwork *card)
{
    static const char *const links[] = { "up", "down", NULL };
    static const char *const modes[] = { "user", "private", "none", NULL };
    static const char *const models[] = { "virtio", "e1000e", NULL };
    const char *const link_words[] = { _("Plugged in"), _("Unplugged"), NULL };
    const char *const mode_words[] = { _("The networks of this computer"),
                                       _("A private network of machines"), _("Nothing"), NULL };
    const char *const model_words[] = { _("Fast, for systems that know virtio"),
                                        _("Compatibility, for Windows and older systems"), NULL };
    const char *id = card->id;
    g_autofree char *link = g_strconcat(id, ".link", NULL), *mode = g_strconcat(id, ".mode", NULL);
    g_autofree char *network = g_strconcat(id, ".network", NULL);
    g_autofree char *access = g_strconcat(id, ".host-access", NULL);
    g_autofree char *model = g_strconcat(id, ".model", NULL), *mac = g_strconcat(id, ".mac", NULL);
    GtkWidget *mode_row = combo_row(mode_words), *name_row = network_row(self, id);
    GtkWidget *access_row = switch_row(
        _("Programs on it answer at 10.0.2.2, also those that only this computer can reach"));

    bind(self, group, combo_row(link_words), _("Cable"), link, links);
    bind(self, group, mode_row, _("Connected To"), mode, modes);
    oriel_setting_row_needs(mode_row, "private", network, network_wish, self);
    bind(self, group, name_row, _("Name of the Private Network"), network, NULL);
    gtk_widget_set_visible(name_row, card->mode == ORIEL_NETWORK_PRIVATE);
    bind(self, group, access_row, _("Reach This Computer"), access, NULL);
    gtk_widget_set_visible(access_row, card->mode == ORIEL_NETWORK_USER);
    bind(self, group, combo_row(model_words), _("Card Model"), model, models);
    bind(self, group, adw_entry_row_new(), _("Hardware Address"), mac, NULL);
}

/* --- The page --------------------------------------------------------------------------------- */

static void card_show(OrielNetworkPage *self, const OrielNetwork *network, guint number)
{
    AdwPreferencesGroup *group = ADW_PREFERENCES_GROUP(adw_preferences_group_new());
    /* Translators: %u counts the network cards of a machine. */
    g_autofree char *title = g_strdup_printf(_("Network Card %u"), number + 1);
    GtkWidget *button = gtk_button_new_with_mnemonic(_("_Remove"));

    adw_preferences_group_set_title(group, title);
    gtk_widget_add_css_class(button, "flat");
    gtk_actionable_set_action_target(GTK_ACTIONABLE(button), "s", network->id);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "network.remove");
    adw_preferences_group_set_header_suffix(group, button);
    settings_show(self, group, network);
    if (network->mode == ORIEL_NETWORK_USER) {
        forwards_show(self, group, network);
    }
    adw_preferences_page_add(ADW_PREFERENCES_PAGE(self), group);
    g_ptr_array_add(self->groups, group);
}

/* All that the groups show but what is tied to settings. */
static char *content(const OrielConfig *config)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; config && i < config->networks->len; i++) {
        const OrielNetwork *network = g_ptr_array_index(config->networks, i);

        g_string_append_printf(text, "\n%s %d %s", network->id, network->mode,
                               network->forwards ? network->forwards : "");
    }
    return g_strdup(text->str);
}

static void groups_show(OrielNetworkPage *self, const OrielConfig *config)
{
    g_autofree char *shown = content(config);

    if (g_strcmp0(shown, self->shown) == 0) {
        return;
    }
    g_free(self->shown);
    self->shown = g_steal_pointer(&shown);
    for (guint i = 0; i < self->groups->len; i++) {
        adw_preferences_page_remove(ADW_PREFERENCES_PAGE(self), g_ptr_array_index(self->groups, i));
    }
    g_ptr_array_set_size(self->groups, 0);
    for (guint i = 0; config && i < config->networks->len; i++) {
        card_show(self, g_ptr_array_index(config->networks, i), i);
    }
}

static void show(OrielNetworkPage *self)
{
    const OrielConfig *config = oriel_machine_item_get_config(self->item);
    gboolean still = !oriel_machine_item_is_active(self->item);
    gboolean slots = oriel_machine_item_can_plug(self->item);

    groups_show(self, config);
    for (guint i = 0; i < self->groups->len; i++) {
        const OrielNetwork *network = g_ptr_array_index(config->networks, i);
        GtkWidget *button =
            adw_preferences_group_get_header_suffix(g_ptr_array_index(self->groups, i));
        gboolean fixed = slots && network->port == 0;

        gtk_widget_set_sensitive(button, still || (slots && !fixed));
        gtk_widget_set_tooltip_text(button, fixed ? _("It is built in: shut the machine down first")
                                                  : _("Remove This Network Card"));
    }
    adw_preferences_group_set_description(
        self->add_group, still   ? NULL
                         : slots ? _("Network cards come and go while the machine runs.")
                                 : _("Shut the machine down to add or remove network cards."));
    gtk_widget_set_sensitive(self->add_button, config && (still || slots));
}

static void action_add(GtkWidget *widget, const char *name, GVariant *parameter)
{
    machine_work_add_network(widget, ORIEL_NETWORK_PAGE(widget)->item, work_done);
}

static void action_remove(GtkWidget *widget, const char *name, GVariant *parameter)
{
    machine_work_remove_network(widget, ORIEL_NETWORK_PAGE(widget)->item,
                                g_variant_get_string(parameter, NULL), work_done);
}

static void oriel_network_page_dispose(GObject *object)
{
    OrielNetworkPage *self = ORIEL_NETWORK_PAGE(object);

    g_clear_weak_pointer(&self->entry_row);
    g_clear_object(&self->item);
    g_clear_object(&self->list);
    g_clear_object(&self->setting_rows);
    G_OBJECT_CLASS(oriel_network_page_parent_class)->dispose(object);
}

static void oriel_network_page_finalize(GObject *object)
{
    OrielNetworkPage *self = ORIEL_NETWORK_PAGE(object);

    g_ptr_array_unref(self->groups);
    g_free(self->shown);
    G_OBJECT_CLASS(oriel_network_page_parent_class)->finalize(object);
}

static void oriel_network_page_class_init(OrielNetworkPageClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_network_page_dispose;
    G_OBJECT_CLASS(class)->finalize = oriel_network_page_finalize;
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/settings/oriel-network-page.ui");
    gtk_widget_class_bind_template_child(widget_class, OrielNetworkPage, add_group);
    gtk_widget_class_bind_template_child(widget_class, OrielNetworkPage, add_button);
    gtk_widget_class_bind_template_child(widget_class, OrielNetworkPage, hotplug_row);
    gtk_widget_class_install_action(widget_class, "network.add", NULL, action_add);
    gtk_widget_class_install_action(widget_class, "network.remove", "s", action_remove);
    gtk_widget_class_install_action(widget_class, "network.join", "(ss)", action_join);
    gtk_widget_class_install_action(widget_class, "network.remove-forward", "(ss)",
                                    action_remove_forward);
}

static void oriel_network_page_init(OrielNetworkPage *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    self->groups = g_ptr_array_new();
}

AdwPreferencesPage *oriel_network_page_new(OrielMachineItem *item, OrielMachineList *list,
                                           OrielSettingRows *rows)
{
    OrielNetworkPage *self = g_object_new(ORIEL_TYPE_NETWORK_PAGE, NULL);

    self->item = g_object_ref(item);
    self->list = g_object_ref(list);
    self->setting_rows = g_object_ref(rows);
    oriel_setting_rows_bind(rows, self->hotplug_row, "hotplug", NULL);
    g_signal_connect_object(item, "notify::config", G_CALLBACK(show), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(item, "notify::state", G_CALLBACK(show), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(item, "notify::waiting-keys", G_CALLBACK(show), self,
                            G_CONNECT_SWAPPED);
    show(self);
    return ADW_PREFERENCES_PAGE(self);
}
