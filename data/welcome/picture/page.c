/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "page.h"
#include "canvas.h"
#include "font.h"
#include "screen.h"
#include "text.h"

#define LEFT          544
#define RIGHT         976
#define VALUES        (LEFT + 108)
#define ROW           24
#define TITLE_Y       128
#define FACTS_Y       212
#define DEVICES_Y     (FACTS_Y + 7 * ROW + 40)
#define DEVICE_ROW    21
#define DEVICES_MOST  7
#define CARD_Y        600
#define CARD_HEIGHT   68
#define BUTTONS_Y     688
#define BUTTON_HEIGHT 30
#define NOTICE_Y      742

#define INK           0x24343D
#define QUIET         0x7C8587
#define ACCENT        0x2F7F79
#define RULE          0xCFC4B2
#define CARD          0xFBF8F2
#define ALARM         0xB4573C

struct button {
    const char *keys, *label;
    int x, width;
};

static struct button buttons[BUTTONS] = {
    [BUTTON_LIGHT] = { FONT_LEFT " " FONT_RIGHT, "Light", 0, 0 },
    [BUTTON_WIND] = { FONT_UP " " FONT_DOWN, "Wind", 0, 0 },
    [BUTTON_RESTART] = { "R", "Restart", 0, 0 },
    [BUTTON_OFF] = { "S", "Shut down", 0, 0 },
};

static uint32_t wall_color(int y)
{
    return color_mix(0xF4EEE3, 0xE4DACA, (unsigned)y * 255 / CANVAS_HEIGHT);
}

static void wall_fill(struct rect rect)
{
    for (int y = rect.y; y < rect.y + rect.height; y++) {
        for (int x = rect.x; x < rect.x + rect.width; x++)
            canvas[y][x] = wall_color(y);
    }
}

void page_wall(void)
{
    wall_fill((struct rect){ 0, 0, CANVAS_WIDTH, CANVAS_HEIGHT });
}

static void rule(int y)
{
    canvas_fill_rounded((struct rect){ LEFT, y, RIGHT - LEFT, 1 }, 0, RULE, 255);
}

static void heading(int y, const char *text)
{
    text_draw(LEFT, y, &font_heading, ACCENT, text);
}

/* Draws as much of the text as fits between x and the right edge. */
static void text_fit(float x, int y, uint32_t color, const char *text)
{
    char cut[96];
    unsigned length = 0;

    for (; text[length] && length < sizeof(cut) - 1; length++)
        cut[length] = text[length];
    cut[length] = '\0';
    while (length && x + text_width(&font_body, cut) > RIGHT)
        cut[--length] = '\0';
    text_draw(x, y, &font_body, color, cut);
}

static void fact(unsigned row, const char *label, const char *value)
{
    int y = FACTS_Y + ROW * (int)(row + 1) + 4;

    text_draw(LEFT, y, &font_body, QUIET, label);
    text_fit(VALUES, y, INK, value);
}

static void draw_facts(const struct machine *machine)
{
    char starts[48];

    heading(FACTS_Y, "This machine");
    fact(0, "Processor", machine->processor);
    fact(1, "Memory", machine->memory);
    fact(2, "Disk", machine->disk);
    fact(3, "Display", machine->display);
    fact(4, "Firmware", machine->firmware);
    if (machine->starts == 1)
        text_format(starts, sizeof(starts), "for the first time");
    else
        text_format(starts, sizeof(starts), "%u times, by the count on its disk", machine->starts);
    fact(5, "Started", machine->starts ? starts : "not counted, the disk cannot be written");
    fact(6, "Clock", "");
}

static void draw_devices(const struct machine *machine)
{
    unsigned shown = machine->device_count;
    char place[16];

    if (shown > DEVICES_MOST)
        shown = DEVICES_MOST - 1;
    heading(DEVICES_Y, "Its devices");
    for (unsigned i = 0; i < shown; i++) {
        const struct machine_device *device = &machine->devices[i];
        int y = DEVICES_Y + 5 + DEVICE_ROW * (int)(i + 1);
        text_format(place, sizeof(place), "%02x.%u", device->device, device->function);
        text_draw(LEFT, y, &font_body, QUIET, place);
        text_fit(LEFT + 64, y, INK, device->name);
    }
    if (shown < machine->device_count) {
        char more[32];
        text_format(more, sizeof(more), "and %u more", machine->device_count - shown);
        text_draw(LEFT + 64, DEVICES_Y + 5 + DEVICE_ROW * (int)(shown + 1), &font_body, QUIET,
                  more);
    }
}

static void draw_card(void)
{
    struct rect card = { LEFT - 16, CARD_Y, RIGHT - LEFT + 32, CARD_HEIGHT };

    canvas_shadow(card, 10, 9, 38);
    canvas_fill_rounded(card, 10, CARD, 255);
    text_draw(LEFT, CARD_Y + 28, &font_body, QUIET, "Keyboard");
    text_draw(LEFT, CARD_Y + 52, &font_body, QUIET, "Pointer");
}

static void draw_button(enum page_button which, bool alarm)
{
    struct button *button = &buttons[which];
    float cap = text_width(&font_body, button->keys) + 18;
    struct rect key = { button->x, BUTTONS_Y, (int)cap, BUTTON_HEIGHT - 2 };
    struct rect below = { key.x, key.y + 2, key.width, key.height };

    canvas_fill_rounded(below, 6, alarm ? 0x8C3F2A : 0xC6BAA6, 255);
    canvas_fill_rounded(key, 6, alarm ? ALARM : CARD, 255);
    text_draw((float)button->x + 9, BUTTONS_Y + 20, &font_body, alarm ? CARD : INK, button->keys);
    text_draw((float)button->x + cap + 8, BUTTONS_Y + 20, &font_body, alarm ? ALARM : INK,
              button->label);
}

/* The keys with equal space between them, over the whole width. */
static void place_buttons(void)
{
    float x = LEFT, space = RIGHT - LEFT;

    for (unsigned i = 0; i < BUTTONS; i++) {
        buttons[i].width = (int)(text_width(&font_body, buttons[i].keys) + 26 +
                                 text_width(&font_body, buttons[i].label));
        space -= (float)buttons[i].width;
    }
    for (unsigned i = 0; i < BUTTONS; i++) {
        buttons[i].x = (int)x;
        x += (float)buttons[i].width + space / (BUTTONS - 1);
    }
}

void page_draw(const struct machine *machine)
{
    text_draw(LEFT, TITLE_Y, &font_title, INK, "Oriel");
    text_draw(LEFT, TITLE_Y + 36, &font_body, QUIET,
              "A computer in a window. This one is running.");
    rule(TITLE_Y + 54);
    draw_facts(machine);
    draw_devices(machine);
    draw_card();
    place_buttons();
    for (unsigned i = 0; i < BUTTONS; i++)
        draw_button(i, false);
}

static void card_value(int y, const char *text)
{
    struct rect rect = { VALUES - 4, y - 17, RIGHT - VALUES + 8, 23 };

    canvas_fill_rounded(rect, 0, CARD, 255);
    text_fit(VALUES, y, INK, text);
    screen_show(rect);
}

static void fact_change(unsigned row, const char *value)
{
    int y = FACTS_Y + ROW * (int)(row + 1) + 4;
    struct rect rect = { VALUES - 4, y - 17, RIGHT - VALUES + 8, 23 };

    wall_fill(rect);
    text_fit(VALUES, y, INK, value);
    screen_show(rect);
}

void page_clock(const struct clock *clock)
{
    static const char *const months[] = { "January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December" };
    char text[64];

    text_format(text, sizeof(text), "%u %s %u, %02u:%02u:%02u", clock->day,
                months[(clock->month + 11) % 12], clock->year, clock->hour, clock->minute,
                clock->second);
    fact_change(6, text);
}

void page_display(const struct machine *machine)
{
    fact_change(3, machine->display);
}

void page_keys(const char *text)
{
    card_value(CARD_Y + 28, text);
}

void page_pointer(int x, int y, unsigned buttons_down)
{
    char text[64];

    text_format(text, sizeof(text), "%u, %u %s%s%s", (unsigned)x, (unsigned)y,
                buttons_down & 1 ? " left" : "", buttons_down & 4 ? " middle" : "",
                buttons_down & 2 ? " right" : "");
    card_value(CARD_Y + 52, text);
}

void page_notice(const char *text, enum page_button again)
{
    struct rect rect = { LEFT - 4, BUTTONS_Y - 2, RIGHT - LEFT + 12, CANVAS_HEIGHT - BUTTONS_Y };

    wall_fill(rect);
    for (unsigned i = 0; i < BUTTONS; i++)
        draw_button(i, i == again);
    text_draw(LEFT, NOTICE_Y, &font_body, again == BUTTON_NONE ? QUIET : ALARM, text);
    screen_show(rect);
}

enum page_button page_button_at(int x, int y)
{
    for (unsigned i = 0; i < BUTTONS; i++) {
        if (x >= buttons[i].x && x < buttons[i].x + buttons[i].width && y >= BUTTONS_Y &&
            y < BUTTONS_Y + BUTTON_HEIGHT)
            return i;
    }
    return BUTTON_NONE;
}
