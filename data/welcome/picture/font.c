/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Strokes become line segments; a pixel is covered as far as the pen reaches over it. */
#include "font.h"
#include "canvas.h"
#include "glyphs.h"

#define SEGMENTS 128
#define CURVE    8   /* segments of a quarter ellipse */
#define CACHE    224 /* letters kept as pictures */
#define PICTURES (96 * 1024)
#define DESCENT  3.5f
#define ASCENT   11.5f

const struct font font_title = { 6.4f, 5.2f, 13.0f };
const struct font font_heading = { 1.5f, 1.9f, 4.0f };
const struct font font_body = { 1.1f, 1.45f, 3.1f };

struct segment {
    float x0, y0, x1, y1;
};

/* A letter of one size as coverage, `above` rows of it over the baseline. */
struct picture {
    const struct font *font;
    char letter;
    int left, above, width, height;
    float advance;
    uint8_t *coverage;
};

static struct picture cache[CACHE];
static unsigned cached;
static uint8_t pictures[PICTURES];
static unsigned pictures_used;
static struct segment segments[SEGMENTS];
static unsigned segment_count;

static float number(const char **text)
{
    float sign = 1, value = 0, place = 1;

    while (**text == ' ')
        ++*text;
    if (**text == '-') {
        sign = -1;
        ++*text;
    }
    for (; **text >= '0' && **text <= '9'; ++*text)
        value = value * 10 + (float)(**text - '0');
    if (**text == '.') {
        for (++*text; **text >= '0' && **text <= '9'; ++*text)
            value += (float)(**text - '0') * (place /= 10);
    }
    return sign * value;
}

/* Whole units fall on whole pixels, which keeps straight lines sharp in small text. */
static float scaled_number(const char **text, float scale)
{
    float value = number(text), scaled = value * scale;

    if (value != (float)(int)value)
        return scaled;
    return (float)(int)(scaled + (scaled < 0 ? -0.5f : 0.5f));
}

static void segment_add(float x0, float y0, float x1, float y1)
{
    if (segment_count < SEGMENTS)
        segments[segment_count++] = (struct segment){ x0, y0, x1, y1 };
}

/* A quarter of an ellipse is a rational curve of second degree with this weight in the middle. */
static void curve_add(float x0, float y0, float cx, float cy, float x1, float y1)
{
    const float weight = 0.70710678f;
    float from_x = x0, from_y = y0;

    for (int i = 1; i <= CURVE; i++) {
        float t = (float)i / CURVE, u = 1 - t;
        float a = u * u, b = 2 * weight * u * t, c = t * t, sum = a + b + c;
        float x = (a * x0 + b * cx + c * x1) / sum, y = (a * y0 + b * cy + c * y1) / sum;
        segment_add(from_x, from_y, x, y);
        from_x = x;
        from_y = y;
    }
}

static void strokes_to_segments(const char *strokes, float scale)
{
    float x = 0, y = 0;

    segment_count = 0;
    while (*strokes) {
        char command = *strokes++;
        float cx = 0, cy = 0, to_x, to_y;
        if (command == 'c') {
            cx = scaled_number(&strokes, scale);
            cy = scaled_number(&strokes, scale);
        }
        to_x = scaled_number(&strokes, scale);
        to_y = scaled_number(&strokes, scale);
        if (command == 'l')
            segment_add(x, y, to_x, to_y);
        else if (command == 'c')
            curve_add(x, y, cx, cy, to_x, to_y);
        x = to_x;
        y = to_y;
    }
}

static float segment_distance_squared(const struct segment *s, float x, float y)
{
    float dx = s->x1 - s->x0, dy = s->y1 - s->y0, px = x - s->x0, py = y - s->y0;
    float t = (px * dx + py * dy) / (dx * dx + dy * dy + 1e-9f);

    t = t < 0 ? 0 : t > 1 ? 1 : t;
    px -= t * dx;
    py -= t * dy;
    return px * px + py * py;
}

static void picture_draw(struct picture *picture, const struct glyph *glyph)
{
    const struct font *font = picture->font;

    strokes_to_segments(glyph->strokes, font->scale);
    for (int row = 0; row < picture->height; row++) {
        for (int column = 0; column < picture->width; column++) {
            float x = (float)(column + picture->left), y = (float)(picture->above - row);
            float nearest = 1e9f;
            for (unsigned i = 0; i < segment_count; i++) {
                float distance = segment_distance_squared(&segments[i], x, y);
                nearest = distance < nearest ? distance : nearest;
            }
            picture->coverage[row * picture->width + column] =
                (uint8_t)coverage_of(font->pen / 2 + 0.5f - square_root(nearest));
        }
    }
}

static const struct glyph *glyph_find(char letter)
{
    for (unsigned i = 0; i < glyph_count; i++) {
        if (glyphs[i].letter == letter)
            return &glyphs[i];
    }
    return 0;
}

/* NULL for letters that the typeface lacks, and when there is no room left. */
static const struct picture *picture_find(const struct font *font, char letter)
{
    const struct glyph *glyph;
    struct picture *picture;
    unsigned size;

    for (unsigned i = 0; i < cached; i++) {
        if (cache[i].font == font && cache[i].letter == letter)
            return &cache[i];
    }
    glyph = glyph_find(letter);
    if (!glyph || cached == CACHE)
        return 0;
    picture = &cache[cached];
    picture->font = font;
    picture->letter = letter;
    picture->left = -(int)(font->pen + 1.5f);
    picture->above = (int)(ASCENT * font->scale + font->pen);
    picture->width = (int)(glyph->width * font->scale) - 2 * picture->left + 1;
    picture->height = picture->above + (int)(DESCENT * font->scale + font->pen);
    picture->advance = glyph->width * font->scale + font->spacing;
    size = (unsigned)(picture->width * picture->height);
    if (size > PICTURES - pictures_used)
        return 0;
    picture->coverage = pictures + pictures_used;
    pictures_used += size;
    cached++;
    picture_draw(picture, glyph);
    return picture;
}

static void picture_put(const struct picture *picture, int x, int y, uint32_t color)
{
    for (int row = 0; row < picture->height; row++) {
        int canvas_y = y - picture->above + row;
        if (canvas_y < 0 || canvas_y >= CANVAS_HEIGHT)
            continue;
        for (int column = 0; column < picture->width; column++) {
            unsigned coverage = picture->coverage[row * picture->width + column];
            int canvas_x = x + picture->left + column;
            if (coverage && canvas_x >= 0 && canvas_x < CANVAS_WIDTH)
                canvas[canvas_y][canvas_x] = color_mix(canvas[canvas_y][canvas_x], color, coverage);
        }
    }
}

float text_draw(float x, int y, const struct font *font, uint32_t color, const char *text)
{
    for (; *text; text++) {
        const struct picture *picture = picture_find(font, *text);
        if (!picture)
            continue;
        picture_put(picture, (int)(x + 0.5f), y, color);
        x += picture->advance;
    }
    return x;
}

float text_width(const struct font *font, const char *text)
{
    float width = 0;

    for (; *text; text++) {
        const struct picture *picture = picture_find(font, *text);
        if (picture)
            width += picture->advance;
    }
    return width ? width - font->spacing : 0;
}
