/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A PCI Express root port: a bridge from bus 0 to a link with one slot. What lies behind it answers
 * on its secondary bus; the windows are registers that the guest's bus scan sets and reads back,
 * they filter nothing (see pci.c).
 *
 * PCI-to-PCI Bridge Architecture 1.2, section 3.2; PCI Express Base 2.0, section 6.7 (hot plug) and
 * 7.8 (capability structure; 7.8.9 ff. slot, 7.8.12 ff. root registers).
 *
 * With option "hotplug" cards come and go while the machine runs. The slot has an attention button,
 * indicators and power control. A card that comes shows as a change of presence together with the
 * button, on which systems turn the slot on. A card that shall go is announced by the button; the
 * system lets go of it, turns power and its indicator off, and only then the card goes. Each write
 * to the control register completes at once and says so. Events interrupt by MSI, or INTA without.
 *
 * Left out: electromechanical interlock, manual retention latch, power faults, power management
 * events, AER, ACS; a slot that is off still answers, because systems ask it nothing. Without
 * "hotplug" the slot's control register is read-only and nothing here raises an interrupt. A slot
 * number out of range is refused at creation.
 */
#include "root_port.h"

#include <errno.h>

#include "bytes.h"
#include "pci.h"
#include "services.h"

enum {
    PCIE_FLAGS = 0x02,
    LINK_CAPABILITIES = 0x0c,
    LINK_STATUS = 0x12,
    SLOT_CAPABILITIES = 0x14,
    SLOT_CONTROL = 0x18,
    SLOT_STATUS = 0x1a,
    ROOT_CONTROL = 0x1c,

    HEADER_TYPE = 0x0e,
    HEADER_MULTIFUNCTION = 0x80,

    FLAGS_SLOT_IMPLEMENTED = 0x0100,
    LINK_ACTIVE_REPORTING = 1u << 20,
    LINK_ACTIVE = 1u << 13,
    SLOT_NUMBER_SHIFT = 19,
    SLOT_NUMBER_MAX = 0x1fff,
    /* Attention button, power controller, attention and power indicators, surprise, hot plug. */
    SLOT_HOTPLUG = 0x0001 | 0x0002 | 0x0008 | 0x0010 | 0x0020 | 0x0040,

    CONTROL_BUTTON_ENABLE = 0x0001,
    CONTROL_PRESENCE_ENABLE = 0x0008,
    CONTROL_COMPLETED_ENABLE = 0x0010,
    CONTROL_INTERRUPT_ENABLE = 0x0020,
    CONTROL_ATTENTION_OFF = 0x00c0,
    CONTROL_INDICATOR = 0x0300, /* power indicator: on, blinking, off */
    CONTROL_INDICATOR_ON = 0x0100,
    CONTROL_INDICATOR_OFF = 0x0300,
    CONTROL_POWER_OFF = 0x0400,
    CONTROL_LINK_ENABLE = 0x1000,
    CONTROL_MASK = CONTROL_BUTTON_ENABLE | CONTROL_PRESENCE_ENABLE | CONTROL_COMPLETED_ENABLE |
                   CONTROL_INTERRUPT_ENABLE | CONTROL_ATTENTION_OFF | CONTROL_INDICATOR |
                   CONTROL_POWER_OFF | CONTROL_LINK_ENABLE,

    STATUS_BUTTON = 0x0001,
    STATUS_PRESENCE_CHANGED = 0x0008,
    STATUS_COMPLETED = 0x0010,
    STATUS_PRESENCE = 0x0040,
    STATUS_LINK_CHANGED = 0x0100,
    STATUS_EVENTS =
        STATUS_BUTTON | STATUS_PRESENCE_CHANGED | STATUS_COMPLETED | STATUS_LINK_CHANGED,

    ROOT_CONTROL_MASK = 0x000f, /* error and PME interrupt enables */
};

struct root_port {
    struct pci_device pci;
    uint32_t slot;
    bool hotplug, multifunction;
    bool occupied;
    bool asked; /* the card shall go as soon as the slot is off */
};

static uint8_t *pcie(struct root_port *port, unsigned offset)
{
    return port->pci.config + port->pci.capability_pcie + offset;
}

static void events_signal(struct root_port *port)
{
    unsigned control = load_le16(pcie(port, SLOT_CONTROL));
    unsigned status = load_le16(pcie(port, SLOT_STATUS));
    unsigned wanted =
        control & (CONTROL_BUTTON_ENABLE | CONTROL_PRESENCE_ENABLE | CONTROL_COMPLETED_ENABLE);

    if (control & CONTROL_LINK_ENABLE) {
        wanted |= STATUS_LINK_CHANGED;
    }
    pci_irq_set(&port->pci, (control & CONTROL_INTERRUPT_ENABLE) && (status & wanted));
}

static void event_add(struct root_port *port, unsigned events)
{
    unsigned status = load_le16(pcie(port, SLOT_STATUS));

    store_le16(pcie(port, SLOT_STATUS), (uint16_t)(status | events));
    events_signal(port);
}

static bool is_off(struct root_port *port)
{
    unsigned control = load_le16(pcie(port, SLOT_CONTROL));

    return (control & CONTROL_POWER_OFF) && (control & CONTROL_INDICATOR) == CONTROL_INDICATOR_OFF;
}

static void presence_show(struct root_port *port)
{
    unsigned status = load_le16(pcie(port, SLOT_STATUS)) & ~(unsigned)STATUS_PRESENCE;
    unsigned link = load_le16(pcie(port, LINK_STATUS)) & ~(unsigned)LINK_ACTIVE;

    store_le16(pcie(port, SLOT_STATUS),
               (uint16_t)(status | (port->occupied ? STATUS_PRESENCE : 0)));
    if (port->hotplug) {
        store_le16(pcie(port, LINK_STATUS), (uint16_t)(link | (port->occupied ? LINK_ACTIVE : 0)));
    }
}

/* --- From outside ----------------------------------------------------------------------------- */

void root_port_insert(struct device *device)
{
    struct root_port *port = (struct root_port *)device;

    port->occupied = true;
    port->asked = false;
    presence_show(port);
    event_add(port, STATUS_PRESENCE_CHANGED | STATUS_BUTTON);
}

void root_port_remove(struct device *device)
{
    struct root_port *port = (struct root_port *)device;

    port->occupied = false;
    port->asked = false;
    presence_show(port);
    event_add(port, STATUS_PRESENCE_CHANGED | STATUS_LINK_CHANGED);
}

bool root_port_ask(struct device *device)
{
    struct root_port *port = (struct root_port *)device;

    if (is_off(port)) {
        return true;
    }
    port->asked = true;
    event_add(port, STATUS_BUTTON);
    return false;
}

/* --- Class functions -------------------------------------------------------------------------- */

static void root_port_config(struct device *device, unsigned offset, unsigned size)
{
    struct root_port *port = (struct root_port *)device;
    unsigned at = port->pci.capability_pcie + (unsigned)SLOT_CONTROL;

    if (!port->hotplug || offset >= at + 4 || offset + size <= at) {
        return;
    }
    if (offset >= at + 2) {
        events_signal(port);
        return;
    }
    event_add(port, STATUS_COMPLETED);
    if (port->asked && is_off(port)) {
        device->services->request(device, REQUEST_UNPLUG, port->slot);
    }
}

static void root_port_reset(struct device *device, enum reset_kind kind)
{
    struct root_port *port = (struct root_port *)device;

    port->asked = false;
    presence_show(port);
    if (port->hotplug) {
        store_le16(pcie(port, SLOT_CONTROL),
                   CONTROL_ATTENTION_OFF |
                       (port->occupied ? CONTROL_INDICATOR_ON
                                       : CONTROL_INDICATOR_OFF | CONTROL_POWER_OFF));
    }
}

static int root_port_create(struct device *device, struct dev_error *error)
{
    struct root_port *port = (struct root_port *)device;
    struct pci_device *pci = &port->pci;
    unsigned at = pci->capability_pcie;
    uint16_t flags = load_le16(pci->config + at + PCIE_FLAGS);

    pci_config_set(pci, at + PCIE_FLAGS, 2, flags | FLAGS_SLOT_IMPLEMENTED);
    pci_config_set(pci, at + SLOT_CAPABILITIES, 4,
                   port->slot << SLOT_NUMBER_SHIFT | (port->hotplug ? SLOT_HOTPLUG : 0));
    pci_config_writable(pci, at + ROOT_CONTROL, 2, ROOT_CONTROL_MASK);
    if (port->multifunction) {
        pci->config[HEADER_TYPE] |= HEADER_MULTIFUNCTION;
    }
    if (port->hotplug) {
        pci_config_set(pci, at + LINK_CAPABILITIES, 4,
                       load_le32(pci->config + at + LINK_CAPABILITIES) | LINK_ACTIVE_REPORTING);
        pci_config_writable(pci, at + SLOT_CONTROL, 2, CONTROL_MASK);
        store_le16(pci->clear_mask + at + SLOT_STATUS, STATUS_EVENTS);
    }
    return 0;
}

static int root_port_validate(struct device *device, struct dev_error *error)
{
    struct root_port *port = (struct root_port *)device;

    if (((load_le16(pcie(port, SLOT_STATUS)) & STATUS_PRESENCE) != 0) != port->occupied ||
        (port->asked && !(port->hotplug && port->occupied))) {
        dev_error_set(error, "The saved state of “%s” has another card in its slot.", device->name);
        return -EINVAL;
    }
    return 0;
}

static const struct option_desc root_port_options[] = {
    { "slot", OPTION_U32, offsetof(struct root_port, slot), 0, SLOT_NUMBER_MAX, "0",
      "number of the physical slot, unique in the machine" },
    { "occupied", OPTION_BOOL, offsetof(struct root_port, occupied), 0, 0, "false",
      "whether a card is in the slot" },
    { "hotplug", OPTION_BOOL, offsetof(struct root_port, hotplug), 0, 0, "false",
      "whether cards come and go while the machine runs" },
    { "multifunction", OPTION_BOOL, offsetof(struct root_port, multifunction), 0, 0, "false",
      "whether the port is the first of several functions of one device" },
    { NULL },
};

static const struct state_field root_port_fields[] = {
    FIELD_STRUCT(struct root_port, pci, pci_fields),
    FIELD(struct root_port, asked),
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
    .reset = root_port_reset,
    .on_config = root_port_config,
    .validate = root_port_validate,
};
