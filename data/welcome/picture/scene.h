/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window with a view of a lake: clouds and a boat move, the light changes with the hour. */
#ifndef WELCOME_SCENE_H
#define WELCOME_SCENE_H

#include "canvas.h"

#define SCENE_X      36
#define SCENE_Y      52
#define SCENE_WIDTH  460
#define SCENE_HEIGHT 664

enum daytime { DAYTIME_MORNING, DAYTIME_DAY, DAYTIME_EVENING, DAYTIME_NIGHT, DAYTIMES };

/* Draws window and view; the wall must be on the canvas already. */
void scene_start(enum daytime daytime);

/* Lets the light turn to another time of day, and names it. */
void scene_daytime(enum daytime daytime);

/* Moves everything on by so many ticks of the timer and shows it. */
void scene_step(unsigned ticks);

/* How fast the wind moves the clouds and the boat: 0 (calm) to SCENE_WIND. */
#define SCENE_WIND 4
void scene_wind(unsigned wind);

#endif
