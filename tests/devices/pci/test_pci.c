/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configuration space, BARs, INTx, MSI and MSI-X, with a function of this file's own. */
#include "test.h"

#include "bytes.h"
#include "fake_machine.h"
#include "pci.h"
#include "services.h"

enum {
    COMMAND = 0x04,
    STATUS = 0x06,
    BAR0 = 0x10,
    CAP_PM = 0x01,
    CAP_MSI = 0x05,
    CAP_PCIE = 0x10,
    CAP_MSIX = 0x11,
    WINDOW_SIZE = 64 << 10,
    MSIX_VECTORS = 8,
};

struct sample {
    struct pci_device pci;
    uint32_t port;
    unsigned config_writes;
};

static uint64_t port_read(struct device *device, uint64_t offset, unsigned size)
{
    return ((struct sample *)device)->port;
}

static void port_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    ((struct sample *)device)->port = (uint32_t)value;
}

static void sample_on_config(struct device *device, unsigned offset, unsigned size)
{
    ((struct sample *)device)->config_writes++;
}

static const struct region_desc sample_regions[] = {
    { .name = "msix",
      .space = REGION_MMIO,
      .size = 4096,
      .base = REGION_UNPLACED,
      .read_sizes = SIZE_4 | SIZE_8,
      .write_sizes = SIZE_4 | SIZE_8,
      .read = pci_msix_read,
      .write = pci_msix_write },
    { .name = "ports",
      .space = REGION_PIO,
      .size = 32,
      .base = REGION_UNPLACED,
      .read_sizes = SIZE_4,
      .write_sizes = SIZE_4,
      .read = port_read,
      .write = port_write },
};
static const struct memory_desc sample_memories[] = { { "vram", WINDOW_SIZE, MEMORY_RAM } };
static const struct window_desc sample_windows[] = { { "vram", 0, 0 } };
static const struct state_field sample_fields[] = {
    FIELD_STRUCT(struct sample, pci, pci_fields),
    FIELD(struct sample, port),
    FIELD_END,
};
static const struct pci_info sample_pci = {
    .vendor = 0x1234,
    .device = 0x5678,
    .subsystem_vendor = 0x1111,
    .subsystem = 0x2222,
    .revision = 3,
    .class_code = 0x0c0330,
    .interrupt_pin = 2,
    .bars = { { .kind = PCI_BAR_MMIO32, .index = 0, .size = 4096 },
              { .kind = PCI_BAR_PIO, .index = 1, .size = 32 },
              { .kind = PCI_BAR_MMIO64, .prefetchable = true, .window = true, .index = 0 } },
    .pcie = PCIE_ENDPOINT,
    .msi_vectors = 4,
    .msix_vectors = MSIX_VECTORS,
    .power_management = true,
};
static const struct device_class sample_class = {
    .name = "sample",
    .version = 1,
    .state_size = sizeof(struct sample),
    .regions = sample_regions,
    .n_regions = 2,
    .memories = sample_memories,
    .n_memories = 1,
    .windows = sample_windows,
    .n_windows = 1,
    .fields = sample_fields,
    .pci = &sample_pci,
    .on_config = sample_on_config,
};

/* A conventional function with its MSI capability at a fixed place. */
static const struct pci_info plain_pci = {
    .vendor = 0x1234,
    .device = 0x5679,
    .class_code = 0x010601,
    .interrupt_pin = 1,
    .msi_vectors = 1,
    .msi_offset = 0x50,
};
static const struct device_class plain_class = {
    .name = "plain",
    .version = 1,
    .state_size = sizeof(struct sample),
    .fields = sample_fields,
    .pci = &plain_pci,
};

static struct fake *fake;
static struct device *device;

static void setup(void)
{
    fake = fake_new(1 << 20);
    device = fake_add_class(fake, &sample_class, NULL);
}

static unsigned capability(uint8_t id)
{
    unsigned at = fake_config_read(device, 0x34, 1);

    for (unsigned steps = 0; at && steps < 48; steps++) {
        if (fake_config_read(device, at, 1) == id) {
            return at;
        }
        at = fake_config_read(device, at + 1, 1);
    }
    return 0;
}

static uint32_t bar_measure(unsigned bar)
{
    fake_config_write(device, BAR0 + 4 * bar, 4, 0xffffffff);
    return fake_config_read(device, BAR0 + 4 * bar, 4);
}

TEST(header)
{
    setup();
    CHECK_EQ(fake_config_read(device, 0x00, 4), 0x56781234);
    CHECK_EQ(fake_config_read(device, 0x08, 4), 0x0c033003);
    CHECK_EQ(fake_config_read(device, 0x2c, 4), 0x22221111);
    CHECK_EQ(fake_config_read(device, STATUS, 2), 0x0010);
    CHECK_EQ(fake_config_read(device, 0x3c, 2), 0x0200);
    for (unsigned offset = 0; offset < 4; offset++) {
        fake_config_write(device, offset, 1, 0);
    }
    CHECK_EQ(fake_config_read(device, 0x00, 4), 0x56781234);
    fake_config_write(device, COMMAND, 2, 0xffff);
    CHECK_EQ(fake_config_read(device, COMMAND, 2), 0x0547);
    CHECK_EQ(fake_config_read(device, 0x101, 1), 0); /* no extended capability */
    CHECK_EQ(fake_config_read(device, 0x1000, 4), 0xffffffff);
    fake_config_write(device, 0x1000, 4, 0);
    CHECK_EQ(((struct sample *)device)->config_writes, 5);
    CHECK(fake_save_load(device));
    fake_free(fake);
}

TEST(bars_measure)
{
    setup();
    fake_config_write(device, COMMAND, 2, 3); /* with decoding on, as careless firmware does */
    CHECK_EQ(bar_measure(0), 0xfffff000);
    CHECK_EQ(bar_measure(1), 0xffffffe1);
    CHECK_EQ(bar_measure(2), 0xffff000c);
    CHECK_EQ(fake_window_base(device, 0), REGION_UNPLACED);
    CHECK_EQ(bar_measure(3), 0xffffffff);
    CHECK_EQ(bar_measure(4), 0);
    CHECK_EQ(bar_measure(5), 0);
    CHECK_EQ(fake_region_base(device, 0), REGION_UNPLACED);
    CHECK_EQ(fake_region_base(device, 1), REGION_UNPLACED);
    CHECK_EQ(fake_window_base(device, 0), REGION_UNPLACED);
    fake_free(fake);
}

TEST(bars_move)
{
    setup();
    fake_config_write(device, BAR0, 4, 0xfe000000);
    fake_config_write(device, BAR0 + 4, 4, 0xc000);
    fake_config_write(device, BAR0 + 8, 4, 0x00010000);
    fake_config_write(device, BAR0 + 12, 4, 0x8);
    CHECK_EQ(fake_region_base(device, 0), REGION_UNPLACED); /* not decoding */
    fake_config_write(device, COMMAND, 2, 1);
    CHECK_EQ(fake_region_base(device, 0), REGION_UNPLACED);
    CHECK_EQ(fake_region_base(device, 1), 0xc000);
    fake_config_write(device, COMMAND, 2, 2);
    CHECK_EQ(fake_region_base(device, 0), 0xfe000000);
    CHECK_EQ(fake_region_base(device, 1), REGION_UNPLACED);
    CHECK_EQ(fake_window_base(device, 0), 0x800010000);
    CHECK_EQ(fake_window_length(device, 0), WINDOW_SIZE);
    fake_write(fake, 0x800010004, 4, 0xabcd);
    CHECK_EQ(fake_read(fake, 0x800010004, 4), 0xabcd);
    fake_config_write(device, BAR0, 4, 0xfe100123); /* low bits are the size's */
    CHECK_EQ(fake_region_base(device, 0), 0xfe100000);
    fake_config_write(device, BAR0 + 3, 1, 0xfd); /* byte by byte */
    CHECK_EQ(fake_region_base(device, 0), 0xfd100000);
    CHECK(fake_save_load(device));
    CHECK_EQ(fake_region_base(device, 0), 0xfd100000);
    CHECK_EQ(fake_window_base(device, 0), 0x800010000);
    fake_reset(fake, RESET_WARM);
    CHECK_EQ(fake_region_base(device, 0), REGION_UNPLACED);
    CHECK_EQ(fake_window_base(device, 0), REGION_UNPLACED);
    CHECK_EQ(fake_config_read(device, BAR0 + 8, 4), 0x0000000c);
    fake_free(fake);
}

TEST(intx)
{
    struct pci_device *pci;

    setup();
    pci = to_pci(device);
    pci_irq_set(pci, true);
    CHECK(fake_irq(device, 0));
    CHECK_EQ(fake_config_read(device, STATUS, 2), 0x0018);
    fake_config_write(device, COMMAND, 2, 1 << 10);
    CHECK(!fake_irq(device, 0));
    CHECK_EQ(fake_config_read(device, STATUS, 2), 0x0018); /* still requesting */
    CHECK(fake_save_load(device));
    CHECK(!fake_irq(device, 0));
    fake_config_write(device, COMMAND, 2, 0);
    CHECK(fake_irq(device, 0));
    fake_reset(fake, RESET_WARM);
    CHECK(!fake_irq(device, 0));
    CHECK_EQ(fake_config_read(device, STATUS, 2), 0x0010);
    CHECK_EQ(fake_msi_count(device), 0);
    fake_free(fake);
}

TEST(msi)
{
    unsigned at;
    struct pci_device *pci;

    setup();
    pci = to_pci(device);
    at = capability(CAP_MSI);
    CHECK(at > 0);
    CHECK_EQ(fake_config_read(device, at + 2, 2), 0x0184); /* 64-bit, masks, 4 vectors */
    fake_config_write(device, at + 4, 4, 0xfee01003);
    CHECK_EQ(fake_config_read(device, at + 4, 4), 0xfee01000);
    fake_config_write(device, at + 8, 4, 1);
    fake_config_write(device, at + 12, 2, 0x4043);
    fake_config_write(device, at + 2, 2, 0x0001 | 7 << 4); /* asks for more than there are */
    pci_irq_set(pci, true);
    CHECK(!fake_irq(device, 0));
    CHECK_EQ(fake_msi_count(device), 0); /* not a bus master yet */
    pci_irq_set(pci, false);
    fake_config_write(device, COMMAND, 2, 4);
    pci_irq_set(pci, true);
    pci_irq_set(pci, true); /* no edge, no message */
    CHECK_EQ(fake_msi_count(device), 1);
    CHECK_EQ(fake_msi_address(device), 0x1fee01000);
    CHECK_EQ(fake_msi_data(device), 0x4040);
    pci_msix_notify(pci, 3);
    CHECK_EQ(fake_msi_data(device), 0x4043);
    pci_msix_notify(pci, 6); /* vectors wrap at what was granted */
    CHECK_EQ(fake_msi_data(device), 0x4042);

    fake_config_write(device, at + 16, 4, 0xffffffff);
    CHECK_EQ(fake_config_read(device, at + 16, 4), 0xf);
    pci_msix_notify(pci, 1);
    pci_msix_notify(pci, 1);
    CHECK_EQ(fake_msi_count(device), 3);
    CHECK_EQ(fake_config_read(device, at + 20, 4), 2);
    CHECK(fake_save_load(device));
    fake_config_write(device, at + 16, 4, 0xd);
    CHECK_EQ(fake_msi_count(device), 4);
    CHECK_EQ(fake_msi_data(device), 0x4041);
    CHECK_EQ(fake_config_read(device, at + 20, 4), 0);
    fake_config_write(device, at + 2, 2, 0);
    CHECK(fake_irq(device, 0)); /* the level that was there all the time */
    fake_free(fake);
}

#define TABLE UINT64_C(0xfe000000)

static void msix_entry_set(unsigned vector, uint64_t address, uint32_t data, uint32_t control)
{
    fake_write(fake, TABLE + 16 * vector, 8, address);
    fake_write(fake, TABLE + 16 * vector + 8, 4, data);
    fake_write(fake, TABLE + 16 * vector + 12, 4, control);
}

TEST(msix)
{
    unsigned at;
    struct pci_device *pci;

    setup();
    pci = to_pci(device);
    at = capability(CAP_MSIX);
    CHECK_EQ(fake_config_read(device, at + 2, 2), MSIX_VECTORS - 1);
    CHECK_EQ(fake_config_read(device, at + 4, 4), 0);
    CHECK_EQ(fake_config_read(device, at + 8, 4), 2048);
    fake_map_bar(device, 0, TABLE);
    CHECK_EQ(fake_read(fake, TABLE + 12, 4), 1); /* masked after reset */
    CHECK_EQ(fake_read(fake, TABLE + 16 * MSIX_VECTORS, 8), 0);
    msix_entry_set(0, 0xfee00003, 0x30, 0);
    msix_entry_set(7, UINT64_C(0x1fee02000), 0x37, 0xfffffffe);
    CHECK_EQ(fake_read(fake, TABLE, 4), 0xfee00000);
    CHECK_EQ(fake_read(fake, TABLE + 16 * 7 + 8, 8), 0x37);
    pci_msix_notify(pci, 0);
    CHECK_EQ(fake_msi_count(device), 0); /* not enabled */
    fake_config_write(device, at + 2, 2, 0xc000);
    pci_msix_notify(pci, 7);
    CHECK_EQ(fake_msi_count(device), 0); /* function mask */
    CHECK_EQ(fake_read(fake, TABLE + 2048, 8), 0x80);
    CHECK(fake_save_load(device));
    fake_config_write(device, at + 2, 2, 0x8000);
    CHECK_EQ(fake_msi_count(device), 1);
    CHECK_EQ(fake_msi_address(device), 0x1fee02000);
    CHECK_EQ(fake_msi_data(device), 0x37);
    CHECK_EQ(fake_read(fake, TABLE + 2048, 8), 0);
    pci_msix_notify(pci, 3);
    CHECK_EQ(fake_msi_count(device), 1);
    msix_entry_set(3, 0xfee00000, 0x33, 0); /* unmasking sends what waited */
    CHECK_EQ(fake_msi_count(device), 2);
    CHECK_EQ(fake_msi_data(device), 0x33);
    pci_msix_notify(pci, MSIX_VECTORS);
    CHECK_EQ(fake_msi_count(device), 2);
    CHECK_EQ(fake_guest_errors(device), 0);
    fake_write(fake, TABLE + 2048, 4, 1);
    fake_write(fake, TABLE + 16 * MSIX_VECTORS, 4, 1);
    CHECK_EQ(fake_guest_errors(device), 2);
    fake_reset(fake, RESET_WARM);
    CHECK_EQ(fake_config_read(device, at + 2, 2), MSIX_VECTORS - 1);
    fake_free(fake);
}

TEST(power_and_express)
{
    unsigned pm, pcie;

    setup();
    pm = capability(CAP_PM);
    pcie = capability(CAP_PCIE);
    fake_config_write(device, pm + 4, 2, 0xffff);
    CHECK_EQ(fake_config_read(device, pm + 4, 2), 0x000b); /* D3hot, no soft reset */
    CHECK_EQ(fake_config_read(device, pcie + 2, 2), 0x0002);
    CHECK_EQ(fake_config_read(device, pcie + 12, 4), 0x11);
    CHECK_EQ(fake_config_read(device, pcie + 18, 2), 0x11);
    fake_free(fake);
}

TEST(fixed_capability_place)
{
    fake = fake_new(1 << 20);
    device = fake_add_class(fake, &plain_class, NULL);
    CHECK_EQ(capability(CAP_MSI), 0x50);
    CHECK_EQ(fake_config_read(device, 0x2c, 4), 0x11001af4);
    CHECK_EQ(fake_config_read(device, 0x100, 4), 0xffffffff); /* 256 bytes only */
    CHECK_EQ(pci_capability_add(to_pci(device), 0x12, 8), 0x40);
    CHECK_EQ(pci_capability_add(to_pci(device), 0x09, 16), 0x68); /* not over the fixed one */
    CHECK_EQ(capability(CAP_MSI), 0x50);
    CHECK_EQ(capability(0x12), 0x40);
    fake_free(fake);
}

TEST(refuses_bad_bar)
{
    static const struct pci_info odd_pci = { .vendor = 1,
                                             .bars = { { .kind = PCI_BAR_PIO, .size = 24 } } };
    static const struct device_class odd_class = { .name = "odd",
                                                   .version = 1,
                                                   .state_size = sizeof(struct sample),
                                                   .regions = sample_regions,
                                                   .n_regions = 2,
                                                   .pci = &odd_pci };
    struct dev_error error = { "" };

    fake = fake_new(1 << 20);
    CHECK(!fake_try_add_class(fake, &odd_class, NULL, &error));
    CHECK(strstr(error.message, "24 bytes") != NULL);
    fake_free(fake);
}

TEST(refuses_foreign_state)
{
    static uint8_t saved[65536];
    struct dev_error error = { "" };
    size_t size;

    setup();
    to_pci(device)->config[0] ^= 1;
    size = device_save(device, saved, sizeof(saved));
    to_pci(device)->config[0] ^= 1;
    CHECK(size > 0);
    CHECK(device_load(device, saved, size, &error) != 0);
    CHECK(strstr(error.message, "sample") != NULL);
    CHECK_EQ(fake_config_read(device, 0x00, 4), 0x56781234);
    fake_free(fake);
}

/* Bits of a BAR that no guest can set. */
TEST(odd_bars_of_a_state_are_placed_even)
{
    static uint8_t saved[65536];
    struct dev_error error = { "" };
    size_t size;

    setup();
    fake_map_bar(device, 0, 0xe0000000);
    fake_map_bar(device, 1, 0xc000);
    fake_map_bar(device, 2, 0x4000000000);
    to_pci(device)->config[BAR0 + 1] |= 0x0f;
    to_pci(device)->config[BAR0 + 4] |= 0x1c;
    to_pci(device)->config[BAR0 + 8] |= 0xf0;
    to_pci(device)->config[BAR0 + 9] |= 0xff;
    size = device_save(device, saved, sizeof(saved));
    CHECK(size > 0);
    CHECK_EQ(device_load(device, saved, size, &error), 0);
    device_restored(device);
    CHECK_EQ(fake_region_base(device, 0), 0xe0000000);
    CHECK_EQ(fake_region_base(device, 1), 0xc000);
    CHECK_EQ(fake_window_base(device, 0), 0x4000000000);
    fake_free(fake);
}

TEST_MAIN(T(header), T(bars_measure), T(bars_move), T(intx), T(msi), T(msix), T(power_and_express),
          T(fixed_capability_place), T(refuses_bad_bar), T(refuses_foreign_state),
          T(odd_bars_of_a_state_are_placed_even))
