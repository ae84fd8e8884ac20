/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Machines on /dev/kvm that are saved and go on, within one process; and what hostile states come
 * to. */
#include "machine_fixture.h"
#include "test.h"

#include <glib/gstdio.h>
#include <string.h>
#include <zlib.h>

#include "bytes.h"
#include "config/saved.h"
#include "machine/machine_saved.h"
#include "snapshot/saved.h"

/* Counts in RAM and in a register, in step; prints a line whenever 14 bits have gone round, and "!"
 * if the two differ. */
PAYLOAD(counter, "xorw %ax, %ax\n"
                 "movw %ax, %ds\n"
                 "xorl %ebx, %ebx\n"
                 "movl %ebx, 0x500\n"
                 "movw $0x402, %dx\n"
                 "3: incl 0x500\n"
                 "incl %ebx\n"
                 "cmpl %ebx, 0x500\n"
                 "je 4f\n"
                 "movb $'!', %al\n"
                 "outb %al, %dx\n"
                 "4: testw $0x3fff, %bx\n"
                 "jnz 3b\n"
                 "movb $'.', %al\n"
                 "outb %al, %dx\n"
                 "movb $10, %al\n"
                 "outb %al, %dx\n"
                 "jmp 3b\n");

static void config_write(struct fixture *f)
{
    CHECK(oriel_config_save(f->config, f->folder, NULL));
}

static void machine_end(struct fixture *f)
{
    machine_free(f->machine);
    f->machine = NULL;
}

/* The machine again, from what it saved. False with *error set if that is refused. */
static bool go_on(struct fixture *f, bool paused, GError **error)
{
    struct saved *saved = saved_open(f->folder, f->config, error);
    bool good;

    if (!saved) {
        return false;
    }
    g_string_truncate(f->log, 0);
    fixture_make(f);
    good = machine_start_saved(f->machine, saved, paused, error);
    saved_free(saved);
    return good;
}

TEST(goes_on_many_times)
{
    struct fixture *f = fixture_prepare(counter, counter_end);
    g_autoptr(GError) error = NULL;

    config_write(f);
    fixture_make(f);
    CHECK(machine_start(f->machine, false, &error));
    for (unsigned i = 0; i < 10; i++) {
        CHECK(fixture_wait_text(f, ".\n"));
        CHECK(machine_save(f->machine, NULL, &error));
        CHECK(fixture_wait_state(f, MACHINE_STOPPED));
        CHECK_EQ(f->reason, REASON_SAVED);
        machine_end(f);
        CHECK(oriel_saved_exists(f->folder));
        if (!go_on(f, false, &error)) {
            test_fail(__FILE__, __LINE__, "%s", error->message);
        }
        CHECK(!oriel_saved_exists(f->folder));
    }
    CHECK(fixture_wait_text(f, ".\n"));
    CHECK(!strchr(f->log->str, '!'));
    fixture_free(f);
}

TEST(time_goes_on_from_where_it_was)
{
    struct fixture *f = fixture_prepare(counter, counter_end);
    g_autoptr(GError) error = NULL;
    guint64 before;

    config_write(f);
    fixture_make(f);
    CHECK(machine_start(f->machine, false, &error));
    CHECK(fixture_wait_text(f, ".\n"));
    CHECK(machine_pause(f->machine, &error));
    before = fixture_figure(f, "uptime-ms");
    CHECK(machine_save(f->machine, NULL, &error));
    machine_end(f);
    CHECK(go_on(f, true, &error));
    CHECK(fixture_wait_state(f, MACHINE_PAUSED));
    CHECK_EQ(fixture_figure(f, "uptime-ms"), before);
    CHECK_EQ(f->log->len, 0);
    CHECK(machine_resume(f->machine, &error));
    CHECK(fixture_wait_text(f, ".\n"));
    CHECK(fixture_figure(f, "uptime-ms") >= before);
    fixture_free(f);
}

TEST(can_be_saved_before_it_has_run)
{
    struct fixture *f = fixture_prepare(counter, counter_end);
    g_autoptr(GError) error = NULL;

    config_write(f);
    fixture_make(f);
    CHECK(machine_start(f->machine, true, &error));
    if (!machine_save(f->machine, NULL, &error)) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    machine_end(f);
    CHECK(go_on(f, false, &error));
    CHECK(fixture_wait_text(f, ".\n"));
    fixture_free(f);
}

/* MSRs that KVM keeps but does not list. */
TEST(memory_types_and_machine_checks_are_saved)
{
    static const struct {
        uint32_t msr;
        uint64_t value;
    } msrs[] = {
        { 0x200, 0x80000000 },         /* MTRR_PHYSBASE0: from 2 GiB on, uncached */
        { 0x201, 0xf80000800 },        /* MTRR_PHYSMASK0: 2 GiB, valid */
        { 0x250, 0x0606060606060606 }, /* MTRR_FIX64K_00000 */
        { 0x259, 0x0505050505050505 }, /* MTRR_FIX16K_A0000 */
        { 0x26f, 0x0101010101010101 }, /* MTRR_FIX4K_F8000 */
        { 0x2ff, 0xc06 },              /* MTRR_DEF_TYPE: on, write-back */
        { 0x400, UINT64_MAX },         /* MC0_CTL */
    };
    struct fixture *f = fixture_prepare(counter, counter_end);
    uint64_t value;

    config_write(f);
    fixture_make(f);
    CHECK(machine_start(f->machine, true, NULL));
    for (unsigned i = 0; i < G_N_ELEMENTS(msrs); i++) {
        CHECK(vcpu_msr_set(&f->machine->vcpus.all[0], msrs[i].msr, msrs[i].value));
    }
    CHECK(machine_save(f->machine, NULL, NULL));
    machine_end(f);
    CHECK(go_on(f, true, NULL));
    for (unsigned i = 0; i < G_N_ELEMENTS(msrs); i++) {
        CHECK(vcpu_msr_get(&f->machine->vcpus.all[0], msrs[i].msr, &value));
        CHECK_EQ(value, msrs[i].value);
    }
    fixture_free(f);
}

/* Serial input is in the machine's buffer or in the port, whenever it comes. */
TEST(serial_input_waits_while_it_stands_still)
{
    struct fixture *f = fixture_prepare(counter, counter_end);
    struct serial *serial;

    config_write(f);
    fixture_make(f);
    serial = &f->machine->serials.ports[0];
    CHECK(machine_start(f->machine, false, NULL));
    CHECK(fixture_wait_text(f, ".\n"));
    CHECK(machine_pause(f->machine, NULL));
    CHECK_EQ(machine_serial_input(f->machine, 0, "ab", 2), 2);
    CHECK_EQ(serial->in->len, 2);
    CHECK(machine_save(f->machine, NULL, NULL));
    machine_end(f);
    CHECK(go_on(f, true, NULL));
    serial = &f->machine->serials.ports[0];
    CHECK_EQ(serial->in->len, 2);
    CHECK(machine_resume(f->machine, NULL));
    CHECK_EQ(serial->in->len, 1); /* the port without FIFOs holds the other */
    fixture_free(f);
}

TEST(cancelled_save_lets_it_run)
{
    struct fixture *f = fixture_prepare(counter, counter_end);
    g_autoptr(GError) error = NULL;

    config_write(f);
    fixture_make(f);
    CHECK(machine_start(f->machine, false, &error));
    CHECK(fixture_wait_text(f, ".\n"));
    machine_cancel_save(f->machine);
    CHECK(!machine_save(f->machine, NULL, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE));
    CHECK_EQ(machine_state(f->machine, NULL), MACHINE_RUNNING);
    CHECK(!oriel_saved_exists(f->folder));
    g_string_truncate(f->log, 0);
    CHECK(fixture_wait_text(f, ".\n"));
    g_clear_error(&error);
    CHECK(machine_save(f->machine, NULL, &error)); /* the next one is not cancelled */
    fixture_free(f);
}

TEST(only_running_and_paused_machines_are_saved)
{
    struct fixture *f = fixture_prepare(counter, counter_end);
    g_autoptr(GError) error = NULL;

    config_write(f);
    fixture_make(f);
    CHECK(!machine_save(f->machine, NULL, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE));
    g_clear_error(&error);
    CHECK(machine_start(f->machine, false, &error));
    machine_trouble(f->machine, PENDING_CRASH, REASON_KVM, "It crashes for this test.");
    CHECK(fixture_wait_state(f, MACHINE_CRASHED));
    CHECK(!machine_save(f->machine, NULL, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE));
    CHECK(strstr(error->message, "crashed"));
    g_clear_error(&error);
    machine_stop(f->machine, REASON_USER);
    CHECK(!machine_save(f->machine, NULL, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE));
    CHECK(!oriel_saved_exists(f->folder));
    fixture_free(f);
}

/* --- Hostile states ------------------------------------------------------------------------- */

/* The file `state` of a saved machine, changed in some place, with all checksums right. */
static void state_put(struct fixture *f, const guint8 *state, gsize length)
{
    g_autofree char *path = g_build_filename(f->folder, "saved", "state", NULL);
    g_autofree char *manifest = g_build_filename(f->folder, "saved", "manifest.json", NULL);
    g_autofree char *text = NULL;
    g_autofree char *crc = g_strdup_printf("\"crc32\" : %lu", crc32(0, state, (uInt)length));
    g_autoptr(GRegex) regex = g_regex_new("\"crc32\" : [0-9]+", 0, 0, NULL);
    g_autofree char *changed = NULL;

    CHECK(g_file_set_contents(path, (const char *)state, (gssize)length, NULL));
    CHECK(g_file_get_contents(manifest, &text, NULL, NULL));
    changed = g_regex_replace_literal(regex, text, -1, 0, crc, 0, NULL);
    CHECK(g_file_set_contents(manifest, changed, -1, NULL));
}

static void folder_copy(const char *from, const char *to)
{
    g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);
    const char *name;

    g_mkdir(to, 0700);
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *source = g_build_filename(from, name, NULL);
        g_autofree char *target = g_build_filename(to, name, NULL);
        g_autofree char *bytes = NULL;
        gsize length;

        CHECK(g_file_get_contents(source, &bytes, &length, NULL));
        CHECK(g_file_set_contents(target, bytes, (gssize)length, NULL));
    }
}

/* Changes some bytes of some sections and mends their checksums. */
static void state_change(guint8 *state, gsize length, GRand *random)
{
    gsize at = 16;

    while (at + 64 <= length) {
        guint32 n = load_le32(state + at + 52);

        for (guint i = 0; n > 0 && i < 3 && g_rand_int_range(random, 0, 8) == 0; i++) {
            state[at + 64 + g_rand_int(random) % n] = (guint8)g_rand_int(random);
        }
        /* device_save() has a checksum of its own. */
        if (strncmp((const char *)state + at, "device", 16) == 0 && n > 16) {
            guint32 crc = 0xffffffff;

            for (guint32 i = 16; i < n; i++) {
                crc ^= state[at + 64 + i];
                for (unsigned bit = 0; bit < 8; bit++) {
                    crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
                }
            }
            store_le32(state + at + 64 + 12, ~crc);
        }
        store_le32(state + at + 56, (guint32)crc32(0, state + at + 64, n));
        at += 64 + n;
    }
}

TEST(hostile_states_do_no_harm)
{
    struct fixture *f = fixture_prepare(counter, counter_end);
    g_autofree char *saved = g_build_filename(f->folder, "saved", NULL);
    g_autofree char *good = g_build_filename(f->folder, "good", NULL);
    g_autofree char *path = g_build_filename(good, "state", NULL);
    g_autofree guint8 *state = NULL;
    g_autoptr(GRand) random = g_rand_new_with_seed(3);
    gsize length;
    unsigned refused = 0;

    config_write(f);
    fixture_make(f);
    CHECK(machine_start(f->machine, false, NULL));
    CHECK(fixture_wait_text(f, ".\n"));
    CHECK(machine_save(f->machine, NULL, NULL));
    machine_end(f);
    folder_copy(saved, good);
    CHECK(g_file_get_contents(path, (char **)&state, &length, NULL));
    for (unsigned i = 0; i < 150; i++) {
        g_autofree guint8 *changed = g_memdup2(state, length);
        g_autoptr(GError) error = NULL;

        CHECK(oriel_saved_exists(f->folder) || (folder_copy(good, saved), true));
        state_change(changed, length, random);
        state_put(f, changed, length);
        if (go_on(f, false, &error)) {
            fixture_run(f, 5); /* it may crash, but only itself */
        } else {
            refused++;
            CHECK(error && error->domain == ORIEL_ERROR &&
                  strstr(error->message, "--discard-saved"));
            CHECK(oriel_saved_exists(f->folder));
        }
        if (f->machine) {
            machine_end(f);
        }
    }
    CHECK(refused > 10);
    oriel_saved_retire(f->folder, NULL);
    oriel_saved_clean(f->folder);
    folder_copy(good, saved);
    CHECK(go_on(f, false, NULL));
    CHECK(fixture_wait_text(f, ".\n"));
    fixture_free(f);
}

/* The section of a state; a state without it fails the test. */
static guint8 *section_find(guint8 *state, gsize length, const char *kind, const char *name)
{
    for (gsize at = 16; at + 64 <= length; at += 64 + load_le32(state + at + 52)) {
        if (strcmp((char *)state + at, kind) == 0 && strcmp((char *)state + at + 16, name) == 0) {
            return state + at;
        }
    }
    test_fail(__FILE__, __LINE__, "no section %s %s", kind, name);
}

/* An ejected medium is no reason for a machine to stand still, unlike a reset. */
TEST(goes_on_after_an_eject_that_was_saved)
{
    struct fixture *f = fixture_prepare(counter, counter_end);
    g_autofree char *path = g_build_filename(f->folder, "saved", "state", NULL);
    g_autofree guint8 *state = NULL;
    guint8 *section;
    gsize length;

    config_write(f);
    fixture_make(f);
    CHECK(machine_start(f->machine, false, NULL));
    CHECK(fixture_wait_text(f, ".\n"));
    CHECK(machine_save(f->machine, NULL, NULL));
    machine_end(f);
    CHECK(g_file_get_contents(path, (char **)&state, &length, NULL));
    section = section_find(state, length, "machine", "state");
    store_le32(section + 64 + SAVED_STATE_PENDING, PENDING_EJECT);
    store_le32(section + 56, (guint32)crc32(0, section + 64, SAVED_STATE_SIZE));
    state_put(f, state, length);
    CHECK(go_on(f, false, NULL));
    CHECK(fixture_wait_text(f, ".\n"));
    fixture_free(f);
}

/* A part of the state that is not there at all. */
TEST(missing_sections_are_refused)
{
    struct fixture *f = fixture_prepare(counter, counter_end);
    g_autofree char *path = g_build_filename(f->folder, "saved", "state", NULL);
    g_autofree guint8 *state = NULL;
    gsize length, at = 16;

    config_write(f);
    fixture_make(f);
    CHECK(machine_start(f->machine, false, NULL));
    CHECK(fixture_wait_text(f, ".\n"));
    CHECK(machine_save(f->machine, NULL, NULL));
    machine_end(f);
    CHECK(g_file_get_contents(path, (char **)&state, &length, NULL));
    while (at + 64 <= length) {
        g_autofree guint8 *changed = g_memdup2(state, length);
        g_autoptr(GError) error = NULL;
        bool optional = strcmp((char *)state + at, "drive") == 0 ||
                        strcmp((char *)state + at, "serial") == 0 ||
                        strcmp((char *)state + at, "tasks") == 0 ||
                        strcmp((char *)state + at, "vcpu-xcrs") == 0 ||
                        strcmp((char *)state + at + 16, "generation") == 0;

        changed[at]++; /* another kind */
        state_put(f, changed, length);
        if (!optional) {
            CHECK(!go_on(f, false, &error));
            CHECK(error && strstr(error->message, "--discard-saved"));
            if (f->machine) {
                machine_end(f);
            }
        }
        at += 64 + load_le32(state + at + 52);
    }
    state_put(f, state, length);
    CHECK(go_on(f, false, NULL));
    CHECK(fixture_wait_text(f, ".\n"));
    fixture_free(f);
}

jmp_buf test_failed;

int main(void)
{
    static const struct test tests[] = {
        T(goes_on_many_times),
        T(time_goes_on_from_where_it_was),
        T(can_be_saved_before_it_has_run),
        T(memory_types_and_machine_checks_are_saved),
        T(serial_input_waits_while_it_stands_still),
        T(cancelled_save_lets_it_run),
        T(only_running_and_paused_machines_are_saved),
        T(hostile_states_do_no_harm),
        T(goes_on_after_an_eject_that_was_saved),
        T(missing_sections_are_refused),
    };

    fixture_need_kvm();
    return test_main(tests, G_N_ELEMENTS(tests));
}
