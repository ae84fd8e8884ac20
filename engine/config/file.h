/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of a machine's folder, for the files of engine/config/. Any thread. */
#ifndef ENGINE_CONFIG_FILE_H
#define ENGINE_CONFIG_FILE_H

#include <unistd.h>

#include "config.h"

#define FILE_NAME     "machine.json"
#define FILE_NEW      "machine.json.new"
#define REVISIONS     "revisions"
#define REVISION_NEW  "new.json"
#define REVISION_NAME "%08u.json"
#define REVISION_GOOD "worked.json"

static inline void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}
#define AUTO_CLOSE __attribute__((cleanup(close_fd))) int

/* Appends a regular file of bounded size. 0 or an errno value. */
int config_file_read(int directory, const char *name, GString *into);
/* A new file with its content on disk; its name is durable only once the folder is synced. */
int config_file_write(int directory, const char *name, const char *data, gsize length);
/* The machine's folder, held by one saver at a time until it is closed; -1 with *error set. */
int config_folder_open_locked(const char *folder, GError **error);
/* As machine.json is written. g_free(). */
char *config_text(const OrielConfig *config);
/* Keeps the present machine.json, whose content is `data`, as the newest revision. 0 or errno. */
int config_revision_keep(int directory, const char *folder, const GString *data);

#endif
