/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The SMBus host controller of the ICH9 (function 1f.3), with no slave on its bus: every
 * transaction ends at once with a device error, as one to an address that nobody acknowledges does.
 *
 * ICH9 datasheet (316972), chapter 18.
 *
 * Left out: slaves (memory modules' SPD among them), the memory mapped window of the same
 * registers, the controller's own slave side, SMBALERT, delivery by SMI. Nothing here fails.
 */
#include <string.h>

#include "bytes.h"
#include "pci.h"
#include "services.h"

enum {
    HOSTC = 0x40, /* configuration space */
    HOSTC_ENABLE = 1u << 0,
    HOSTC_MASK = 0x05, /* HST_EN, I2C_EN */

    HST_STS = 0x00,
    HST_CNT = 0x02,
    HST_CMD = 0x03,
    XMIT_SLVA = 0x04,
    HST_D0 = 0x05,
    HST_D1 = 0x06,
    HOST_BLOCK_DB = 0x07,
    PEC = 0x08,
    RCV_SLVA = 0x09,
    AUX_CTL = 0x0d,
    SMLINK_PIN_CTL = 0x0e,
    SMBUS_PIN_CTL = 0x0f,
    SLV_CMD = 0x11,
    REGISTERS = 0x20,

    STS_DEVICE_ERROR = 1u << 2,
    STS_FAILED = 1u << 4,
    STS_INUSE = 1u << 6,
    STS_CLEARABLE = 0xfe,
    STS_INTERRUPTS = 0x9e, /* INTR, DEV_ERR, BUS_ERR, FAILED, DS */

    CNT_INTERRUPT_ENABLE = 1u << 0,
    CNT_KILL = 1u << 1,
    CNT_START = 1u << 6,
    CNT_KEPT = 0xbf, /* START reads as 0 */

    AUX_BLOCK_BUFFER = 1u << 1, /* E32B */
    AUX_MASK = 0x03,
    PINS_IDLE = 0x07, /* clock and data high, clock not held */
    PINS_WRITABLE = 0x04,
    BLOCK_SIZE = 32,
};

struct smbus {
    struct pci_device pci;
    uint8_t status, control;
    uint8_t registers[REGISTERS]; /* those that are plain latches */
    uint8_t block[BLOCK_SIZE];
    uint8_t block_index; /* of the next HOST_BLOCK_DB access */
};

static struct smbus *to_smbus(struct device *device)
{
    return (struct smbus *)device;
}

static void interrupt_update(struct smbus *smbus)
{
    pci_irq_set(&smbus->pci,
                (smbus->control & CNT_INTERRUPT_ENABLE) && (smbus->status & STS_INTERRUPTS));
}

/* The byte that HOST_BLOCK_DB stands for now; with the 32 byte buffer, accesses walk through it. */
static uint8_t *block_byte(struct smbus *smbus)
{
    if (!(smbus->registers[AUX_CTL] & AUX_BLOCK_BUFFER)) {
        return &smbus->block[0];
    }
    uint8_t index = smbus->block_index;

    smbus->block_index = (uint8_t)((index + 1) % BLOCK_SIZE);
    return &smbus->block[index];
}

static uint64_t smbus_read(struct device *device, uint64_t offset, unsigned size)
{
    struct smbus *smbus = to_smbus(device);
    uint8_t value;

    switch (offset) {
    case HST_STS:
        value = smbus->status;
        smbus->status |= STS_INUSE; /* a semaphore: the first reader sees it free */
        return value;
    case HST_CNT:
        smbus->block_index = 0;
        return smbus->control;
    case HOST_BLOCK_DB:
        return *block_byte(smbus);
    default:
        return smbus->registers[offset];
    }
}

static void control_write(struct smbus *smbus, uint8_t value)
{
    smbus->control = value & CNT_KEPT;
    if (value & CNT_KILL) {
        smbus->status |= STS_FAILED;
    } else if ((value & CNT_START) && (smbus->pci.config[HOSTC] & HOSTC_ENABLE)) {
        smbus->status |= STS_DEVICE_ERROR;
    }
}

static void smbus_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct smbus *smbus = to_smbus(device);
    uint8_t byte = (uint8_t)value;

    switch (offset) {
    case HST_STS:
        smbus->status &= (uint8_t) ~(byte & STS_CLEARABLE);
        break;
    case HST_CNT:
        control_write(smbus, byte);
        break;
    case HOST_BLOCK_DB:
        *block_byte(smbus) = byte;
        break;
    case HST_CMD:
    case XMIT_SLVA:
    case HST_D0:
    case HST_D1:
    case PEC:
    case RCV_SLVA:
    case SLV_CMD:
        smbus->registers[offset] = byte;
        break;
    case AUX_CTL:
        smbus->registers[offset] = byte & AUX_MASK;
        break;
    case SMLINK_PIN_CTL:
    case SMBUS_PIN_CTL:
        smbus->registers[offset] = (uint8_t)((PINS_IDLE & ~PINS_WRITABLE) | (byte & PINS_WRITABLE));
        break;
    default:
        guest_error(device, "write of %#x to SMBus register %#x, which does not exist", byte,
                    (unsigned)offset);
        break;
    }
    interrupt_update(smbus);
}

static int smbus_create(struct device *device, struct dev_error *error)
{
    pci_config_writable(to_pci(device), HOSTC, 1, HOSTC_MASK);
    return 0;
}

static void smbus_reset(struct device *device, enum reset_kind kind)
{
    struct smbus *smbus = to_smbus(device);

    smbus->status = 0;
    smbus->control = 0;
    memset(smbus->registers, 0, sizeof(smbus->registers));
    smbus->registers[RCV_SLVA] = 0x44;
    smbus->registers[SMLINK_PIN_CTL] = PINS_IDLE;
    smbus->registers[SMBUS_PIN_CTL] = PINS_IDLE;
    memset(smbus->block, 0, sizeof(smbus->block));
    smbus->block_index = 0;
}

static const struct region_desc smbus_regions[] = {
    { .name = "SMBus host",
      .space = REGION_PIO,
      .size = REGISTERS,
      .base = REGION_UNPLACED,
      .read_sizes = SIZE_1,
      .write_sizes = SIZE_1,
      .read = smbus_read,
      .write = smbus_write },
};

static const struct state_field smbus_fields[] = {
    FIELD_STRUCT(struct smbus, pci, pci_fields),
    FIELD(struct smbus, status),
    FIELD(struct smbus, control),
    FIELD_ARRAY(struct smbus, registers),
    FIELD_ARRAY(struct smbus, block),
    FIELD_MAX(struct smbus, block_index, BLOCK_SIZE - 1),
    FIELD_END,
};

static const struct pci_info smbus_pci = {
    .vendor = 0x8086,
    .device = 0x2930,
    .revision = 2,
    .class_code = 0x0c0500,
    .multifunction = true,
    .interrupt_pin = 1,
    .bars[4] = { .kind = PCI_BAR_PIO, .size = REGISTERS },
};

const struct device_class smbus_class = {
    .name = "ich9-smbus",
    .version = 1,
    .state_size = sizeof(struct smbus),
    .description = "ICH9 SMBus host controller with an empty bus",
    .regions = smbus_regions,
    .n_regions = 1,
    .fields = smbus_fields,
    .pci = &smbus_pci,
    .create = smbus_create,
    .reset = smbus_reset,
};
