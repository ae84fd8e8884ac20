/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The two ways to run the device fuzzer.
 *
 * Built with libFuzzer (-Dfuzzers=true): fuzz_device [--class=NAME] CORPUS... The class is the one
 * named, or the first byte of the input chooses it. fuzz_device --classes lists them.
 *
 * Built without: fuzz_device [--class=NAME] [--runs=N] [--seeds=FOLDER] [--trace] [FILE...] replays
 * the files; with none, for every class, the seeds in FOLDER/NAME and N pseudo-random inputs, as a
 * test.
 */
#include "fuzz_device.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct device_class *class_wanted;

static const char *option_value(const char *argument, const char *name)
{
    size_t n = strlen(name);

    return strncmp(argument, name, n) == 0 ? argument + n : NULL;
}

static void class_choose(const char *name)
{
    class_wanted = device_class_find(name);
    if (!class_wanted) {
        fprintf(stderr, "There is no device class “%s”. The classes are:", name);
        for (unsigned i = 0; device_classes[i]; i++) {
            fprintf(stderr, " %s", device_classes[i]->name);
        }
        fprintf(stderr, "\n");
        exit(2);
    }
}

#ifdef FUZZ_WITH_LIBFUZZER

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    for (int i = 1; i < *argc; i++) {
        const char *name = option_value((*argv)[i], "--class=");

        if (name) {
            class_choose(name);
        } else if (strcmp((*argv)[i], "--classes") == 0) {
            for (unsigned n = 0; device_classes[n]; n++) {
                puts(device_classes[n]->name);
            }
            exit(0);
        }
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned n = 0;

    if (class_wanted) {
        fuzz_device(class_wanted, data, size, NULL);
        return 0;
    }
    while (device_classes[n]) {
        n++;
    }
    if (size > 0) {
        fuzz_device(device_classes[data[0] % n], data + 1, size - 1, NULL);
    }
    return 0;
}

#else

#include <dirent.h>

#include "rig.h"

enum {
    INPUT_MAX = 65536,
    RANDOM_MAX = 512, /* bytes of a pseudo-random input */
};

static FILE *trace_to;

static int replay(const struct device_class *class, const char *path)
{
    static uint8_t input[INPUT_MAX];
    FILE *file = fopen(path, "rb");

    if (!file) {
        perror(path);
        return 1;
    }
    size_t size = fread(input, 1, sizeof(input), file);

    fclose(file);
    fuzz_device(class, input, size, trace_to);
    return 0;
}

static unsigned replay_seeds(const struct device_class *class, const char *folder)
{
    char path[4096];
    unsigned n = 0;
    struct dirent *entry;

    snprintf(path, sizeof(path), "%s/%s", folder, class->name);
    DIR *directory = opendir(path);

    while (directory && (entry = readdir(directory))) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof(path), "%s/%s/%s", folder, class->name, entry->d_name);
            n += replay(class, path) == 0;
        }
    }
    if (directory) {
        closedir(directory);
    }
    return n;
}

static void random_inputs(const struct device_class *class, unsigned runs)
{
    uint8_t input[RANDOM_MAX];

    for (unsigned run = 1; run <= runs; run++) {
        uint64_t seed = run * UINT64_C(0x9e3779b97f4a7c15);
        size_t size = 1 + rig_random(&seed) % RANDOM_MAX;

        for (size_t i = 0; i < size; i++) {
            uint64_t r = rig_random(&seed);

            input[i] = (uint8_t)(r >> 62 ? r : r & 0x0f); /* small numbers reach more */
        }
        fuzz_device(class, input, size, trace_to);
    }
}

static void smoke(const char *seeds, unsigned runs)
{
    unsigned n = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    while (device_classes[n]) {
        n++;
    }
    printf("1..%u\n", n);
    for (unsigned i = 0; i < n; i++) {
        const struct device_class *class = device_classes[i];

        if (!class_wanted || class_wanted == class) {
            unsigned replayed = seeds ? replay_seeds(class, seeds) : 0;

            random_inputs(class, runs);
            printf("ok %u - %s, %u seeds and %u random inputs\n", i + 1, class->name, replayed,
                   runs);
        } else {
            printf("ok %u - %s # SKIP another class was asked for\n", i + 1, class->name);
        }
    }
}

int main(int argc, char **argv)
{
    const char *seeds = NULL, *value;
    unsigned runs = 1000;
    bool files = false;
    int result = 0;

    for (int i = 1; i < argc; i++) {
        if ((value = option_value(argv[i], "--class="))) {
            class_choose(value);
        } else if ((value = option_value(argv[i], "--runs="))) {
            runs = (unsigned)strtoul(value, NULL, 10);
        } else if ((value = option_value(argv[i], "--seeds="))) {
            seeds = value;
        } else if (strcmp(argv[i], "--trace") == 0) {
            trace_to = stdout;
        } else if (class_wanted) {
            files = true;
            result |= replay(class_wanted, argv[i]);
        } else {
            fprintf(stderr,
                    "usage: fuzz_device [--class=NAME] [--runs=N] [--seeds=FOLDER] [--trace] "
                    "[FILE...]; files need a class before them\n");
            return 2;
        }
    }
    if (!files) {
        smoke(seeds, runs);
    }
    return result;
}

#endif
