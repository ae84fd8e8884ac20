/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-thumbnail.h. */
#include "machine/oriel-thumbnail.h"

#include "display/engine/oriel-engine-backend.h"
#include "base/oriel-connection.h"
#include "base/oriel-state.h"
#include "machine/oriel-small-picture.h"

enum {
    LOOK_SECONDS = 1, /* between two looks at a running machine's picture */
};

struct _OrielThumbnail {
    GtkWidget parent_instance;
    GtkImage *icon;
    GtkPicture *picture; /* in the icon's place; NULL until there is something to show */
    OrielMachineItem *item;
    gboolean seen;
    OrielDisplayBackend *backend; /* while a running machine is looked at */
    GCancellable *cancellable;    /* of connecting, or of reading the file */
    guint look;                   /* source: when the next picture may come */
};

G_DEFINE_FINAL_TYPE(OrielThumbnail, oriel_thumbnail, GTK_TYPE_WIDGET)

enum {
    PROP_ITEM = 1,
    N_PROPS,
};

static GParamSpec *properties[N_PROPS];

static void show_icon(OrielThumbnail *thumbnail)
{
    if (thumbnail->item) {
        gtk_image_set_from_icon_name(thumbnail->icon, oriel_state_system_icon(thumbnail->item));
    }
    if (thumbnail->picture) {
        gtk_picture_set_paintable(thumbnail->picture, NULL);
        gtk_widget_set_child_visible(GTK_WIDGET(thumbnail->picture), FALSE);
    }
    gtk_widget_set_child_visible(GTK_WIDGET(thumbnail->icon), thumbnail->item != NULL);
}

static void show_texture(OrielThumbnail *thumbnail, GdkTexture *texture, gboolean live)
{
    if (!thumbnail->picture) {
        thumbnail->picture = GTK_PICTURE(gtk_picture_new());
        gtk_picture_set_content_fit(thumbnail->picture, GTK_CONTENT_FIT_CONTAIN);
        gtk_picture_set_can_shrink(thumbnail->picture, TRUE);
        gtk_widget_set_parent(GTK_WIDGET(thumbnail->picture), GTK_WIDGET(thumbnail));
    }
    gtk_picture_set_paintable(thumbnail->picture, GDK_PAINTABLE(texture));
    if (live) {
        gtk_widget_remove_css_class(GTK_WIDGET(thumbnail->picture), "off");
    } else {
        gtk_widget_add_css_class(GTK_WIDGET(thumbnail->picture), "off");
    }
    gtk_widget_set_child_visible(GTK_WIDGET(thumbnail->picture), TRUE);
    gtk_widget_set_child_visible(GTK_WIDGET(thumbnail->icon), FALSE);
}

gboolean oriel_thumbnail_has_picture(OrielThumbnail *thumbnail)
{
    return thumbnail->picture && gtk_picture_get_paintable(thumbnail->picture);
}

static void stop_looking(OrielThumbnail *thumbnail)
{
    g_cancellable_cancel(thumbnail->cancellable);
    g_clear_object(&thumbnail->cancellable);
    g_clear_handle_id(&thumbnail->look, g_source_remove);
    if (thumbnail->backend) {
        g_signal_handlers_disconnect_by_data(thumbnail->backend, thumbnail);
        oriel_display_backend_close(thumbnail->backend);
        g_clear_object(&thumbnail->backend);
    }
}

static gboolean look_again(gpointer data)
{
    OrielThumbnail *thumbnail = data;

    thumbnail->look = 0;
    oriel_display_backend_frame_shown(thumbnail->backend);
    return G_SOURCE_REMOVE;
}

/* A picture on its way: from a file, or from the memory that a running machine draws into. */
struct picture {
    char *path;     /* NULL: `pixels` */
    GBytes *pixels; /* of oriel_framebuffer_get_bytes() */
    guint columns, lines, stride;
    int width, height; /* wanted, in pixels */
};

static void picture_free(gpointer data)
{
    struct picture *picture = data;

    g_free(picture->path);
    g_clear_pointer(&picture->pixels, g_bytes_unref);
    g_free(picture);
}

/* Worker thread. The task stays picture_end()'s. */
static void picture_run(gpointer data, gpointer user_data)
{
    GTask *task = data;
    const struct picture *picture = g_task_get_task_data(task);

    if (g_task_return_error_if_cancelled(task)) {
        return;
    }
    g_task_return_pointer(
        task,
        picture->path ? oriel_small_picture_read(picture->path, picture->width, picture->height)
                      : oriel_small_picture_make(picture->pixels, picture->columns, picture->lines,
                                                 picture->stride, picture->width, picture->height),
        g_object_unref);
}

static void picture_end(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = G_TASK(result);
    const struct picture *picture = g_task_get_task_data(task);
    OrielThumbnail *thumbnail = ORIEL_THUMBNAIL(source);
    g_autoptr(GdkTexture) texture = g_task_propagate_pointer(task, NULL);

    if (texture) {
        show_texture(thumbnail, texture,
                     !picture->path || oriel_machine_item_is_active(thumbnail->item));
    }
}

/* Takes the picture. All are made one after the other: many at a time would take the processors
 * from the main loop, which scrolls. */
static void picture_start(OrielThumbnail *thumbnail, struct picture *picture)
{
    static GThreadPool *pool;
    GTask *task = g_task_new(thumbnail, thumbnail->cancellable, picture_end, NULL);
    int scale = gtk_widget_get_scale_factor(GTK_WIDGET(thumbnail));

    gtk_widget_get_size_request(GTK_WIDGET(thumbnail), &picture->width, &picture->height);
    picture->width *= scale;
    picture->height *= scale;
    g_task_set_task_data(task, picture, picture_free);
    pool = pool ? pool : g_thread_pool_new(picture_run, NULL, 1, FALSE, NULL);
    g_thread_pool_push(pool, task, NULL);
}

static void frame_changed(OrielThumbnail *thumbnail)
{
    OrielFramebuffer *framebuffer = oriel_display_backend_get_framebuffer(thumbnail->backend);

    if (framebuffer) {
        struct picture *picture = g_new0(struct picture, 1);

        picture->columns = oriel_framebuffer_get_width(framebuffer);
        picture->lines = oriel_framebuffer_get_height(framebuffer);
        picture->stride = oriel_framebuffer_get_stride(framebuffer);
        picture->pixels =
            oriel_framebuffer_get_bytes(framebuffer, 0, 0, picture->columns, picture->lines);
        picture_start(thumbnail, picture);
    }
    if (!thumbnail->look) {
        thumbnail->look = g_timeout_add_seconds(LOOK_SECONDS, look_again, thumbnail);
    }
}

static void connected(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusConnection) connection = oriel_connection_open_finish(result, &error);
    OrielThumbnail *thumbnail = data;

    /* Cancelled: the thumbnail may be gone. Any other failure leaves the last picture. */
    if (!connection) {
        return;
    }
    thumbnail->backend = oriel_engine_backend_new(connection, 1);
    g_signal_connect_swapped(thumbnail->backend, "damaged", G_CALLBACK(frame_changed), thumbnail);
    g_signal_connect_swapped(thumbnail->backend, "notify::framebuffer", G_CALLBACK(frame_changed),
                             thumbnail);
    oriel_display_backend_set_visible(thumbnail->backend, TRUE);
    oriel_display_backend_start(thumbnail->backend);
}

/* Starts to show what there is to show of the item now. */
static void refresh(OrielThumbnail *thumbnail)
{
    const char *path;

    stop_looking(thumbnail);
    if (!thumbnail->item || !thumbnail->seen || !gtk_widget_get_mapped(GTK_WIDGET(thumbnail))) {
        return;
    }
    show_icon(thumbnail);
    thumbnail->cancellable = g_cancellable_new();
    path = oriel_machine_item_get_thumbnail(thumbnail->item);
    if (path) {
        struct picture *picture = g_new0(struct picture, 1);

        picture->path = g_strdup(path);
        picture_start(thumbnail, picture);
    }
    if (oriel_machine_item_get_engine(thumbnail->item)) {
        oriel_connection_open_async(thumbnail->item, thumbnail->cancellable, connected, thumbnail);
    }
}

static void oriel_thumbnail_map(GtkWidget *widget)
{
    GTK_WIDGET_CLASS(oriel_thumbnail_parent_class)->map(widget);
    refresh(ORIEL_THUMBNAIL(widget));
}

static void oriel_thumbnail_unmap(GtkWidget *widget)
{
    stop_looking(ORIEL_THUMBNAIL(widget));
    GTK_WIDGET_CLASS(oriel_thumbnail_parent_class)->unmap(widget);
}

void oriel_thumbnail_set_item(OrielThumbnail *thumbnail, OrielMachineItem *item)
{
    if (thumbnail->item == item) {
        return;
    }
    stop_looking(thumbnail);
    if (thumbnail->item) {
        g_signal_handlers_disconnect_by_data(thumbnail->item, thumbnail);
    }
    g_set_object(&thumbnail->item, item);
    if (item) {
        g_signal_connect_swapped(item, "notify::engine", G_CALLBACK(refresh), thumbnail);
        g_signal_connect_swapped(item, "notify::thumbnail", G_CALLBACK(refresh), thumbnail);
        g_signal_connect_swapped(item, "notify::config", G_CALLBACK(refresh), thumbnail);
    }
    show_icon(thumbnail);
    refresh(thumbnail);
    g_object_notify_by_pspec(G_OBJECT(thumbnail), properties[PROP_ITEM]);
}

void oriel_thumbnail_set_seen(OrielThumbnail *thumbnail, gboolean seen)
{
    if (thumbnail->seen != seen) {
        thumbnail->seen = seen;
        refresh(thumbnail);
        if (!seen) {
            show_icon(thumbnail);
        }
    }
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    g_value_set_object(value, ORIEL_THUMBNAIL(object)->item);
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
    oriel_thumbnail_set_item(ORIEL_THUMBNAIL(object), g_value_get_object(value));
}

static void oriel_thumbnail_dispose(GObject *object)
{
    OrielThumbnail *thumbnail = ORIEL_THUMBNAIL(object);

    stop_looking(thumbnail);
    if (thumbnail->item) {
        g_signal_handlers_disconnect_by_data(thumbnail->item, thumbnail);
        g_clear_object(&thumbnail->item);
    }
    g_clear_pointer((GtkWidget **)&thumbnail->icon, gtk_widget_unparent);
    g_clear_pointer((GtkWidget **)&thumbnail->picture, gtk_widget_unparent);
    G_OBJECT_CLASS(oriel_thumbnail_parent_class)->dispose(object);
}

static void oriel_thumbnail_class_init(OrielThumbnailClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    object_class->dispose = oriel_thumbnail_dispose;
    object_class->get_property = get_property;
    object_class->set_property = set_property;
    widget_class->map = oriel_thumbnail_map;
    widget_class->unmap = oriel_thumbnail_unmap;
    properties[PROP_ITEM] =
        g_param_spec_object("item", NULL, NULL, ORIEL_TYPE_MACHINE_ITEM,
                            G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties(object_class, N_PROPS, properties);
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
    gtk_widget_class_set_css_name(widget_class, "thumbnail");
    gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_PRESENTATION);
}

static void oriel_thumbnail_init(OrielThumbnail *thumbnail)
{
    thumbnail->seen = TRUE;
    thumbnail->icon = GTK_IMAGE(gtk_image_new());
    gtk_image_set_icon_size(thumbnail->icon, GTK_ICON_SIZE_LARGE);
    gtk_widget_set_parent(GTK_WIDGET(thumbnail->icon), GTK_WIDGET(thumbnail));
    gtk_widget_set_overflow(GTK_WIDGET(thumbnail), GTK_OVERFLOW_HIDDEN);
}
