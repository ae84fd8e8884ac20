/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * XML for descriptors that strangers wrote. libxml2 gets UTF-8 only, whose tags were counted
 * before: it compares each attribute of an element with all others. Document types are refused, so
 * there are no entities but the five of XML itself.
 */
#include <glib/gi18n-lib.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <string.h>

#include "config/config.h"
#include "oriel-ovf-private.h"

enum {
    DEPTH_MAX = 64,
    NODES_MAX = 200000,     /* elements and attributes */
    ATTRIBUTES_MAX = 256,   /* of one element */
    TEXT_MAX = 1 << 20,     /* bytes */
    NUMBER_DIGITS_MAX = 20, /* of 2^64 */
};

/* --- Before libxml2 sees it ------------------------------------------------------------------- */

/* Behind the end of `what`, or the end of the text. */
static const char *skip_past(const char *at, const char *end, const char *what)
{
    const char *found = g_strstr_len(at, end - at, what);

    return found ? found + strlen(what) : end;
}

/* The end of a tag, or NULL if it has too many attributes. */
static const char *tag_end(const char *at, const char *end)
{
    unsigned attributes = 0;
    char quote = 0;

    for (; at < end; at++) {
        if (quote) {
            quote = *at == quote ? 0 : quote;
        } else if (*at == '>') {
            return at;
        } else if (*at == '"' || *at == '\'') {
            quote = *at;
            if (++attributes > ATTRIBUTES_MAX) {
                return NULL;
            }
        }
    }
    return end;
}

/* A sentence's end on what is wrong with the text, or NULL. */
static const char *text_problem(const char *data, gsize length)
{
    const char *at = data, *end = data + length;

    while ((at = memchr(at, '<', (gsize)(end - at)))) {
        gsize rest = (gsize)(end - at);

        if (rest >= 4 && memcmp(at, "<!--", 4) == 0) {
            at = skip_past(at + 4, end, "-->");
        } else if (rest >= 9 && memcmp(at, "<![CDATA[", 9) == 0) {
            at = skip_past(at, end, "]]>");
        } else if (rest >= 2 && memcmp(at, "<?", 2) == 0) {
            at = skip_past(at, end, "?>");
        } else if (rest >= 2 && memcmp(at, "<!", 2) == 0) {
            return _("it has a document type, which could lead to other files");
        } else if (!(at = tag_end(at, end))) {
            return _("an element in it has too many attributes");
        }
    }
    return NULL;
}

/* As UTF-8 without a mark at the beginning or zeroes at the end. */
static char *utf8_make(const char *data, gsize length, gsize *new_length)
{
    const char *charset = NULL;
    char *text;

    if (length >= 2 && (memcmp(data, "\xff\xfe", 2) == 0 || memcmp(data, "\xfe\xff", 2) == 0)) {
        charset = "UTF-16";
    }
    while (!charset && length > 0 && data[length - 1] == '\0') {
        length--;
    }
    if (length >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
        data += 3;
        length -= 3;
    }
    if (!charset && !g_utf8_validate(data, (gssize)length, NULL)) {
        charset = "ISO-8859-1";
    }
    text = charset ? g_convert(data, (gssize)length, "UTF-8", charset, NULL, new_length, NULL)
                   : g_strndup(data, length);
    if (!charset) {
        *new_length = length;
    }
    if (text && memchr(text, '\0', *new_length)) {
        g_clear_pointer(&text, g_free);
    }
    return text;
}

/* --- Parsing ---------------------------------------------------------------------------------- */

struct counting {
    guint64 nodes;
    const char *problem;
};

static void on_subset(void *data, const xmlChar *name, const xmlChar *external, const xmlChar *id)
{
    xmlParserCtxt *context = data;
    struct counting *counting = context->_private;

    counting->problem = _("it has a document type, which could lead to other files");
    xmlStopParser(context);
}

static void on_start(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespaces, const xmlChar **namespaces, int n_attributes,
                     int n_defaulted, const xmlChar **attributes)
{
    xmlParserCtxt *context = data;
    struct counting *counting = context->_private;

    counting->nodes += 1 + (guint64)n_attributes + (guint64)n_namespaces;
    if (counting->nodes > NODES_MAX) {
        counting->problem = _("it has too many elements");
    } else if (context->nodeNr >= DEPTH_MAX) {
        counting->problem = _("its elements are nested too deeply");
    }
    if (counting->problem) {
        xmlStopParser(context);
        return;
    }
    xmlSAX2StartElementNs(context, name, prefix, uri, n_namespaces, namespaces, n_attributes,
                          n_defaulted, attributes);
}

static void problem_set(GError **error, const char *name, const char *problem)
{
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                _("“%s” cannot be used as the description of an appliance: %s. Get it again from "
                  "where it was made."),
                name, problem);
}

static xmlDoc *parse(const char *text, gsize length, const char *name, GError **error)
{
    struct counting counting = { 0 };
    xmlParserCtxt *context = xmlNewParserCtxt();
    xmlDoc *document;

    context->_private = &counting;
    context->sax->internalSubset = on_subset;
    context->sax->startElementNs = on_start;
    document = xmlCtxtReadMemory(context, text, (int)length, NULL, "UTF-8",
                                 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                     XML_PARSE_NOCDATA | XML_PARSE_COMPACT);
    if (!document && !counting.problem) {
        const xmlError *cause = xmlCtxtGetLastError(context);
        g_autofree char *problem =
            g_strdup_printf(_("line %d is not correct XML"), cause ? cause->line : 1);

        problem_set(error, name, problem);
    } else if (counting.problem) {
        problem_set(error, name, counting.problem);
        g_clear_pointer(&document, xmlFreeDoc);
    }
    xmlFreeParserCtxt(context);
    return document;
}

xmlDoc *ovf_xml_read(const char *data, gsize length, const char *name, GError **error)
{
    g_autofree char *text = NULL;
    const char *problem;
    gsize text_length;

    if (length > ORIEL_OVF_BYTES_MAX) {
        problem_set(error, name, _("it is larger than 16 MiB"));
        return NULL;
    }
    text = utf8_make(data, length, &text_length);
    if (!text || text_length == 0 || text_length > 2 * (gsize)ORIEL_OVF_BYTES_MAX) {
        problem_set(error, name, _("it is not text"));
        return NULL;
    }
    problem = text_problem(text, text_length);
    if (problem) {
        problem_set(error, name, problem);
        return NULL;
    }
    return parse(text, text_length, name, error);
}

/* --- Elements --------------------------------------------------------------------------------- */

gboolean ovf_is(const xmlNode *node, const char *name)
{
    return node && node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

xmlNode *ovf_next(xmlNode *node, const char *name)
{
    while (node && !ovf_is(node, name)) {
        node = node->next;
    }
    return node;
}

xmlNode *ovf_child(const xmlNode *node, const char *name)
{
    return node ? ovf_next(node->children, name) : NULL;
}

xmlNode *ovf_below(const xmlNode *node, const char *name)
{
    for (xmlNode *child = node ? node->children : NULL; child; child = child->next) {
        xmlNode *found = ovf_is(child, name)               ? child
                         : child->type == XML_ELEMENT_NODE ? ovf_below(child, name)
                                                           : NULL;

        if (found) {
            return found;
        }
    }
    return NULL;
}

/* Takes what libxml2 allocated. */
static char *text_take(xmlChar *content)
{
    const char *bytes = (const char *)content;
    char *text = content ? g_strstrip(g_strndup(bytes, strnlen(bytes, TEXT_MAX))) : NULL;

    xmlFree(content);
    if (text && !g_utf8_validate(text, -1, NULL)) { /* cut inside a letter */
        char *valid = g_utf8_make_valid(text, -1);

        g_free(text);
        text = valid;
    }
    if (text && !*text) {
        g_clear_pointer(&text, g_free);
    }
    return text;
}

char *ovf_attribute(const xmlNode *node, const char *name)
{
    for (const xmlAttr *attribute = node ? node->properties : NULL; attribute;
         attribute = attribute->next) {
        if (strcmp((const char *)attribute->name, name) == 0) {
            return text_take(xmlNodeListGetString(node->doc, attribute->children, 1));
        }
    }
    return NULL;
}

char *ovf_text(const xmlNode *node)
{
    return node ? text_take(xmlNodeGetContent(node)) : NULL;
}

char *ovf_child_text(const xmlNode *node, const char *name)
{
    return ovf_text(ovf_child(node, name));
}

/* --- Values ----------------------------------------------------------------------------------- */

gboolean ovf_number(const char *text, guint64 maximum, guint64 *value)
{
    *value = 0;
    return text && strlen(text) <= NUMBER_DIGITS_MAX &&
           g_ascii_string_to_unsigned(text, 10, 0, maximum, value, NULL);
}

gboolean ovf_yes(const char *text)
{
    return text && (g_ascii_strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

guint64 ovf_unit(const char *text)
{
    static const struct {
        const char *name;
        guint64 bytes;
    } names[] = {
        { "byte", 1 },
        { "bytes", 1 },
        { "kilobytes", UINT64_C(1) << 10 },
        { "kb", UINT64_C(1) << 10 },
        { "megabytes", UINT64_C(1) << 20 },
        { "mb", UINT64_C(1) << 20 },
        { "gigabytes", UINT64_C(1) << 30 },
        { "gb", UINT64_C(1) << 30 },
        { "terabytes", UINT64_C(1) << 40 },
        { "tb", UINT64_C(1) << 40 },
    };
    g_autofree char *bare = NULL;
    unsigned base, exponent;
    guint64 unit = 1;
    int used = 0;

    if (!text || !*text) {
        return 1;
    }
    bare = g_ascii_strdown(text, -1);
    g_strcanon(bare, "abcdefghijklmnopqrstuvwxyz0123456789^*", ' ');
    g_auto(GStrv) words = g_strsplit(bare, " ", -1);
    g_autofree char *joined = g_strjoinv("", words);

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(joined, names[i].name) == 0) {
            return names[i].bytes;
        }
    }
    if (sscanf(joined, "byte*%2u^%2u%n", &base, &exponent, &used) != 2 || joined[used] ||
        (base != 2 && base != 10) || exponent > (base == 2 ? 50 : 15)) {
        return 0;
    }
    while (exponent-- > 0) {
        unit *= base;
    }
    return unit;
}

void ovf_note(OrielAppliance *appliance, const char *format, ...)
{
    va_list arguments;

    if (appliance->notes->len >= ORIEL_OVF_NOTES_MAX) {
        return;
    }
    va_start(arguments, format);
    g_autofree char *note = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (!g_ptr_array_find_with_equal_func(appliance->notes, note, g_str_equal, NULL)) {
        g_ptr_array_add(appliance->notes, g_steal_pointer(&note));
    }
}

char *ovf_mac(const char *text)
{
    char digits[13];
    gsize n = 0;

    for (; text && *text; text++) {
        if (g_ascii_isxdigit(*text)) {
            if (n == 12) {
                return NULL;
            }
            digits[n++] = g_ascii_tolower(*text);
        } else if (!strchr(":-. ", *text)) {
            return NULL;
        }
    }
    digits[n] = '\0';
    return n != 12 ? NULL
                   : g_strdup_printf("%.2s:%.2s:%.2s:%.2s:%.2s:%.2s", digits, digits + 2,
                                     digits + 4, digits + 6, digits + 8, digits + 10);
}
