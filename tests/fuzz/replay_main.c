/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A main program for fuzz targets that are built without libFuzzer:
 *
 *     fuzz_NAME [--runs=N] [--seeds=FOLDER] [FILE...]
 *
 * replays the files; with none, the seeds in FOLDER and N inputs made from them by changing,
 * cutting and repeating bytes, always the same ones, as a test.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    INPUT_MAX = 65536,
    SEEDS_MAX = 256,
};

struct seed {
    uint8_t *bytes;
    size_t size;
};

static struct seed seeds[SEEDS_MAX];
static unsigned n_seeds;

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Inputs are handed over in blocks of their own size, so that a sanitizer sees every byte too far.
 */
static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    if (!copy) {
        abort();
    }
    memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int load(const char *path)
{
    static uint8_t input[INPUT_MAX];
    FILE *file = fopen(path, "rb");
    struct seed *seed = &seeds[n_seeds];

    if (!file || n_seeds == SEEDS_MAX) {
        perror(path);
        return 1;
    }
    seed->size = fread(input, 1, sizeof(input), file);
    fclose(file);
    seed->bytes = malloc(seed->size + 1);
    if (!seed->bytes) {
        abort();
    }
    memcpy(seed->bytes, input, seed->size);
    n_seeds++;
    return 0;
}

static void load_folder(const char *folder)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    char path[4096];

    while (directory && (entry = readdir(directory))) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
            load(path);
        }
    }
    if (directory) {
        closedir(directory);
    }
}

static size_t mutate(uint8_t *bytes, size_t size, uint64_t *state)
{
    static const uint8_t interesting[] = { 0x00, 0x01, 0x7f, 0x80, 0xff, '"', '{', '[', ',', '-' };

    for (uint64_t n = 1 + random_next(state) % 8; n > 0 && size > 0; n--) {
        size_t at = random_next(state) % size, length = 1 + random_next(state) % 64;

        length = length < size - at ? length : size - at;
        switch (random_next(state) % 6) {
        case 0:
            bytes[at] = (uint8_t)random_next(state);
            break;
        case 1:
            bytes[at] ^= (uint8_t)(1u << random_next(state) % 8);
            break;
        case 2:
            bytes[at] = interesting[random_next(state) % sizeof(interesting)];
            break;
        case 3: /* cut a piece out */
            memmove(bytes + at, bytes + at + length, size - at - length);
            size -= length;
            break;
        case 4: /* repeat a piece */
            if (size + length <= INPUT_MAX) {
                memmove(bytes + at + length, bytes + at, size - at);
                size += length;
            }
            break;
        default: /* cut the end off */
            size = random_next(state) % 4 == 0 ? at : size;
            break;
        }
    }
    return size;
}

static void smoke(unsigned runs)
{
    static uint8_t input[INPUT_MAX];
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

    printf("1..1\n");
    for (unsigned i = 0; i < n_seeds; i++) {
        run(seeds[i].bytes, seeds[i].size);
    }
    for (unsigned i = 0; i < runs; i++) {
        size_t size = 0;

        if (n_seeds > 0) {
            const struct seed *seed = &seeds[random_next(&state) % n_seeds];

            size = seed->size;
            memcpy(input, seed->bytes, size);
        }
        run(input, mutate(input, size, &state));
    }
    printf("ok 1 - %u seeds and %u inputs made from them\n", n_seeds, runs);
}

int main(int argc, char **argv)
{
    unsigned runs = 1000;
    int files = 0, result = 0;

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--seeds=", 8) == 0) {
            load_folder(argv[i] + 8);
        } else if (strncmp(argv[i], "--runs=", 7) == 0) {
            runs = (unsigned)strtoul(argv[i] + 7, NULL, 10);
        } else {
            files++;
            result |= load(argv[i]);
        }
    }
    if (files == 0) {
        smoke(runs);
    }
    for (unsigned i = 0; i < n_seeds; i++) {
        if (files > 0) {
            run(seeds[i].bytes, seeds[i].size);
        }
        free(seeds[i].bytes);
    }
    return result;
}
