/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A PCI Express root port: a bridge from bus 0 to a link with one slot. What lies behind it answers
 * on its secondary bus; the windows are registers that the guest's bus scan sets and reads back,
 * they filter nothing (see pci.c).
 *
 * PCI-to-PCI Bridge Architecture 1.2, section 3.2; PCI Express Base 2.0, section 7.8 (capability
 * structure; 7.8.9 ff. slot, 7.8.12 ff. root registers).
 *
 * The slot is implemented and numbered, and says whether a card is in it. Left out: hot plug (the
 * slot does not claim to be capable of it, its control register is read-only), power management
 * events, AER, ACS. So nothing here ever raises an interrupt. A slot number out of range is refused
 * at creation.
 */
#include "bytes.h"
#include "pci.h"

enum {
    PCIE_FLAGS = 0x02,
    SLOT_CAPABILITIES = 0x14,
    SLOT_STATUS = 0x1a,
    ROOT_CONTROL = 0x1c,

    FLAGS_SLOT_IMPLEMENTED = 0x0100,
    SLOT_NUMBER_SHIFT = 19,
    SLOT_NUMBER_MAX = 0x1fff,
    SLOT_PRESENCE = 0x0040,
    ROOT_CONTROL_MASK = 0x000f, /* error and PME interrupt enables */
};

struct root_port {
    struct pci_device pci;
    uint32_t slot;
    bool occupied;
};

static int root_port_create(struct device *device, struct dev_error *error)
{
    struct root_port *port = (struct root_port *)device;
    struct pci_device *pci = &port->pci;
    unsigned at = pci->capability_pcie;
    uint16_t flags = load_le16(pci->config + at + PCIE_FLAGS);

    pci_config_set(pci, at + PCIE_FLAGS, 2, flags | FLAGS_SLOT_IMPLEMENTED);
    pci_config_set(pci, at + SLOT_CAPABILITIES, 4, port->slot << SLOT_NUMBER_SHIFT);
    pci_config_set(pci, at + SLOT_STATUS, 2, port->occupied ? SLOT_PRESENCE : 0);
    pci_config_writable(pci, at + ROOT_CONTROL, 2, ROOT_CONTROL_MASK);
    return 0;
}

static const struct option_desc root_port_options[] = {
    { "slot", OPTION_U32, offsetof(struct root_port, slot), 0, SLOT_NUMBER_MAX, "0",
      "number of the physical slot, unique in the machine" },
    { "occupied", OPTION_BOOL, offsetof(struct root_port, occupied), 0, 0, "false",
      "whether a card is in the slot" },
    { NULL },
};

static const struct state_field root_port_fields[] = {
    FIELD_STRUCT(struct root_port, pci, pci_fields),
    FIELD_END,
};

static const struct pci_info root_port_pci = {
    .vendor = 0x1b36,
    .device = 0x000c,
    .class_code = 0x060400,
    .bridge = true,
    .interrupt_pin = 1,
    .pcie = PCIE_ROOT_PORT,
    .msi_vectors = 1,
};

const struct device_class root_port_class = {
    .name = "pcie-root-port",
    .version = 1,
    .state_size = sizeof(struct root_port),
    .description = "PCI Express root port with one slot",
    .options = root_port_options,
    .fields = root_port_fields,
    .pci = &root_port_pci,
    .create = root_port_create,
};
