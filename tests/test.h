/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests in C that print TAP. A test file is: TEST(name) { ... CHECK(...); } ... TEST_MAIN(one,
 * two). A failed check says where and what, and ends its test, not the program.
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test {
    const char *name;
    void (*run)(void);
};

extern jmp_buf test_failed;

__attribute__((format(printf, 3, 4), noreturn)) static inline void
test_fail(const char *file, int line, const char *format, ...)
{
    char text[1000];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    printf("# %s:%d: %s\n", file, line, text);
    fprintf(stderr, "%s:%d: %s\n", file, line, text); /* what the runner shows */
    longjmp(test_failed, 1);
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            test_fail(__FILE__, __LINE__, "not true: %s", #condition);                             \
        }                                                                                          \
    } while (0)

#define CHECK_EQ(actual, expected)                                                                 \
    do {                                                                                           \
        uint64_t actual_ = (uint64_t)(actual), expected_ = (uint64_t)(expected);                   \
        if (actual_ != expected_) {                                                                \
            test_fail(__FILE__, __LINE__, "%s is %#" PRIx64 ", expected %s = %#" PRIx64, #actual,  \
                      actual_, #expected, expected_);                                              \
        }                                                                                          \
    } while (0)

#define CHECK_STR(actual, expected)                                                                \
    do {                                                                                           \
        const char *actual_ = (actual), *expected_ = (expected);                                   \
        if (!actual_ || !expected_ || strcmp(actual_, expected_) != 0) {                           \
            test_fail(__FILE__, __LINE__, "%s is \"%s\", expected \"%s\"", #actual,                \
                      actual_ ? actual_ : "(none)", expected_ ? expected_ : "(none)");             \
        }                                                                                          \
    } while (0)

#define TEST(name) static void name(void)

static inline int test_main(const struct test *tests, size_t n)
{
    volatile int failures = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("1..%zu\n", n);
    for (volatile size_t i = 0; i < n; i++) {
        if (setjmp(test_failed) == 0) {
            tests[i].run();
            printf("ok %zu - %s\n", i + 1, tests[i].name);
        } else {
            failures++;
            printf("not ok %zu - %s\n", i + 1, tests[i].name);
        }
    }
    return failures > 0;
}

/* TEST_MAIN({ "name", function }, ...) */
#define TEST_MAIN(...)                                                                             \
    jmp_buf test_failed;                                                                           \
    int main(void)                                                                                 \
    {                                                                                              \
        static const struct test tests[] = { __VA_ARGS__ };                                        \
        return test_main(tests, sizeof(tests) / sizeof(tests[0]));                                 \
    }
#define T(function)                                                                                \
    {                                                                                              \
#function, function                                                                        \
    }

#endif
