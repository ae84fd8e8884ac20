/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every device class there is. A new device is one file named after it and two lines here.
 */
#include "device.h"

extern const struct device_class ahci_class;
extern const struct device_class debug_port_class;
extern const struct device_class e1000e_class;
extern const struct device_class flash_class;
extern const struct device_class fw_cfg_class;
extern const struct device_class host_bridge_class;
extern const struct device_class hpet_class;
extern const struct device_class i8042_class;
extern const struct device_class lpc_class;
extern const struct device_class nvme_class;
extern const struct device_class root_port_class;
extern const struct device_class rtc_class;
extern const struct device_class smbus_class;
extern const struct device_class uart_class;
extern const struct device_class vga_class;
extern const struct device_class virtio_balloon_class;
extern const struct device_class virtio_blk_class;
extern const struct device_class virtio_console_class;
extern const struct device_class virtio_gpu_class;
extern const struct device_class virtio_keyboard_class;
extern const struct device_class virtio_mouse_class;
extern const struct device_class virtio_net_class;
extern const struct device_class virtio_rng_class;
extern const struct device_class virtio_tablet_class;
extern const struct device_class vmgenid_class;

const struct device_class *const device_classes[] = {
    &ahci_class,
    &debug_port_class,
    &e1000e_class,
    &flash_class,
    &fw_cfg_class,
    &host_bridge_class,
    &hpet_class,
    &i8042_class,
    &lpc_class,
    &nvme_class,
    &root_port_class,
    &rtc_class,
    &smbus_class,
    &uart_class,
    &vga_class,
    &virtio_balloon_class,
    &virtio_blk_class,
    &virtio_console_class,
    &virtio_gpu_class,
    &virtio_keyboard_class,
    &virtio_mouse_class,
    &virtio_net_class,
    &virtio_rng_class,
    &virtio_tablet_class,
    &vmgenid_class,
    NULL,
};
