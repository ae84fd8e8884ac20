/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The welcome machine: a page that shows what the virtual computer is made of and lets its user
 * try keyboard, pointer, restart and shutdown. It also reports on the first serial port, one line
 * an event, each beginning with "welcome: ":
 *
 *   starts N               how often this disk was started, 0 when it could not be written
 *   ready                  the page is on the screen
 *   key NAME               a key was pressed
 *   pointer X Y BUTTONS    a button changed, or the pointer moved in the last second
 *   screen WIDTH HEIGHT    the picture took the size that the monitor now prefers
 *   again NAME             "restart" or "off" happens when the same key is pressed again
 *   restart, off           it happens now
 */
#include "console.h"
#include "input.h"
#include "kernel.h"
#include "machine.h"
#include "page.h"
#include "power.h"
#include "scene.h"
#include "screen.h"
#include "text.h"

#define KEYS_SHOWN  28
#define AGAIN_TICKS (5 * TICKS)

static struct machine machine;
static enum daytime daytime;
static unsigned wind = 2;
static char typed[KEYS_SHOWN + 1];
static unsigned typed_count;
static int pointer_x, pointer_y; /* on the screen */
static unsigned pointer_buttons;
static bool pointer_moved;
static enum page_button again = BUTTON_NONE;
static unsigned again_ticks;

/* Called by start.S. */
_Noreturn void welcome_main(void);

static const char *const hint = "Type, move the pointer, or press one of these keys.";

static enum daytime daytime_of(unsigned hour)
{
    return hour < 6 || hour >= 21 ? DAYTIME_NIGHT
           : hour < 10            ? DAYTIME_MORNING
           : hour < 17            ? DAYTIME_DAY
                                  : DAYTIME_EVENING;
}

static void notice_clear(void)
{
    if (again == BUTTON_NONE)
        return;
    again = BUTTON_NONE;
    page_notice(hint, BUTTON_NONE);
}

static void restart(void)
{
    console_print("restart\n");
    power_restart();
}

static void shut_down(void)
{
    console_print("off\n");
    page_notice("Shutting down.", BUTTON_OFF);
    power_off();
}

/* What ends the session wants its key twice, because keys are also there to be typed. */
static void press_twice(enum page_button button)
{
    if (again == button) {
        if (button == BUTTON_OFF)
            shut_down();
        else
            restart();
        return;
    }
    again = button;
    again_ticks = AGAIN_TICKS;
    page_notice(button == BUTTON_OFF ? "Press S again to shut this machine down."
                                     : "Press R again to restart this machine.",
                button);
    console_print("again %s\n", button == BUTTON_OFF ? "off" : "restart");
}

static void change_light(int step)
{
    daytime = (daytime + (unsigned)(DAYTIMES + step)) % DAYTIMES;
    scene_daytime(daytime);
}

static void change_wind(int step)
{
    if ((step > 0 && wind < SCENE_WIND) || (step < 0 && wind > 0))
        wind += (unsigned)step;
    scene_wind(wind);
}

/* Shows the keys pressed last: characters as they are, other keys by name. */
static void key_echo(unsigned key)
{
    const char *name = key_name(key);
    bool character = key > ' ' && key < 0x7F;
    char text[16];
    unsigned length = 0;

    text_format(text, sizeof(text), character ? "%s" : key == ' ' ? " " : " %s ", name);
    while (text[length])
        length++;
    while (typed_count + length > KEYS_SHOWN) {
        for (unsigned i = 0; i < typed_count; i++)
            typed[i] = typed[i + 1];
        typed_count--;
    }
    for (unsigned i = 0; i < length; i++)
        typed[typed_count++] = text[i];
    typed[typed_count] = '\0';
    page_keys(typed[0] == ' ' ? typed + 1 : typed);
    console_print("key %s\n", name);
}

static void key_pressed(unsigned key)
{
    key_echo(key);
    switch (key) {
    case 'r':
    case 'R':
        press_twice(BUTTON_RESTART);
        return;
    case 's':
    case 'S':
        press_twice(BUTTON_OFF);
        return;
    case KEY_LEFT:
        change_light(-1);
        break;
    case KEY_RIGHT:
        change_light(1);
        break;
    case KEY_UP:
        change_wind(1);
        break;
    case KEY_DOWN:
        change_wind(-1);
        break;
    }
    notice_clear();
}

static void button_clicked(enum page_button button)
{
    switch (button) {
    case BUTTON_LIGHT:
        change_light(1);
        break;
    case BUTTON_WIND:
        wind = (wind + 1) % (SCENE_WIND + 1);
        scene_wind(wind);
        break;
    case BUTTON_RESTART:
    case BUTTON_OFF:
        press_twice(button);
        return;
    default:
        break;
    }
    notice_clear();
}

static void pointer_report(void)
{
    console_print("pointer %u %u %u\n", (unsigned)pointer_x, (unsigned)pointer_y, pointer_buttons);
    pointer_moved = false;
}

static int clamp(int value, int most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

static void pointer_place(int x, int y)
{
    struct rect screen = screen_size();

    pointer_x = clamp(x, screen.width - 1);
    pointer_y = clamp(y, screen.height - 1);
}

static void pointer_changed(const struct input *input)
{
    unsigned pressed = input->buttons & ~pointer_buttons;
    bool changed = input->buttons != pointer_buttons;

    pointer_place(pointer_x + input->dx, pointer_y + input->dy);
    pointer_buttons = input->buttons;
    pointer_moved = true;
    if (changed)
        pointer_report();
    if (pressed & 1) {
        int x = pointer_x, y = pointer_y;
        screen_to_canvas(&x, &y);
        button_clicked(page_button_at(x, y));
    }
}

static void take_input(void)
{
    struct input input;
    bool pointed = false;

    while (input_take(&input)) {
        if (input.key != KEY_NONE)
            key_pressed(input.key);
        if (input.moved) {
            pointer_changed(&input);
            pointed = true;
        }
    }
    if (pointed) {
        screen_point(pointer_x, pointer_y);
        page_pointer(pointer_x, pointer_y, pointer_buttons);
    }
}

static void screen_changed(void)
{
    struct rect screen = screen_size();

    machine_display(&machine);
    page_display(&machine);
    pointer_place(pointer_x, pointer_y);
    screen_point(pointer_x, pointer_y);
    console_print("screen %u %u\n", (unsigned)screen.width, (unsigned)screen.height);
}

static void each_second(void)
{
    struct clock clock = machine_clock();

    page_clock(&clock);
    if (screen_follow())
        screen_changed();
    if (pointer_moved)
        pointer_report();
    if (power_button())
        shut_down();
}

static void start(void)
{
    struct clock clock;

    console_start();
    if (!screen_start()) {
        console_print("no display that this program knows\n");
        power_start();
        power_off();
    }
    machine_find(&machine);
    clock = machine_clock();
    daytime = daytime_of(clock.hour);
    page_wall();
    scene_start(daytime);
    page_draw(&machine);
    screen_show_all();
    page_clock(&clock);
    page_keys("");
    page_notice(hint, BUTTON_NONE);
    pointer_place(screen_size().width / 2, screen_size().height / 2);
    screen_point(pointer_x, pointer_y);
    page_pointer(pointer_x, pointer_y, 0);
    power_start();
    input_start();
    interrupts_start();
    console_print("starts %u\n", machine.starts);
    console_print("ready\n");
}

_Noreturn void welcome_main(void)
{
    unsigned ticks_seen = 0, since_second = 0, inputs_seen = 0, buttons_seen = 0;

    start();
    for (;;) {
        unsigned ticks, inputs;

        wait_for_interrupt();
        inputs = irq_count[IRQ_KEYBOARD] + irq_count[IRQ_MOUSE];
        if (inputs != inputs_seen) {
            inputs_seen = inputs;
            take_input();
        }
        if (irq_count[IRQ_SCI] != buttons_seen) {
            buttons_seen = irq_count[IRQ_SCI];
            if (power_button())
                shut_down();
        }
        ticks = irq_count[IRQ_TIMER] - ticks_seen;
        if (!ticks)
            continue;
        ticks_seen += ticks;
        scene_step(ticks);
        since_second += ticks;
        if (since_second >= TICKS) {
            since_second %= TICKS;
            take_input();
            each_second();
        }
        if (again != BUTTON_NONE) {
            again_ticks -= ticks < again_ticks ? ticks : again_ticks;
            if (!again_ticks)
                notice_clear();
        }
    }
}
