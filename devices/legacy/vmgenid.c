/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VM generation id: 128 bits in guest memory that change when the machine's past stops being the
 * only one (a clone, a restored snapshot), so that a guest can make its random numbers and its
 * transactions new. "Virtual Machine Generation ID" (Microsoft).
 *
 * The device has no registers: ACPI tells the guest where the id is, see vmgenid.h for the rest of
 * the way. Guests get the id as a GUID, whose first three fields are little endian. An id whose
 * page is not in RAM is not written.
 */
#include "vmgenid.h"
#include "services.h"
#include "state.h"

enum {
    ID_SIZE = 16,
};

struct vmgenid {
    struct device device;
    uint8_t uuid[ID_SIZE]; /* of this machine now; not of the state that it was restored from */
    uint64_t page;         /* guest physical address; 0: the firmware has not said */
};

/* The bytes of a GUID in memory. */
static void guid_from_uuid(const uint8_t uuid[ID_SIZE], uint8_t guid[ID_SIZE])
{
    static const uint8_t order[8] = { 3, 2, 1, 0, 5, 4, 7, 6 };

    for (unsigned i = 0; i < ID_SIZE; i++) {
        guid[i] = uuid[i < sizeof(order) ? order[i] : i];
    }
}

void vmgenid_set_page(struct device *vmgenid, uint64_t gpa)
{
    ((struct vmgenid *)vmgenid)->page = gpa;
}

static void vmgenid_on_event(struct device *device, enum device_event event)
{
    struct vmgenid *v = (struct vmgenid *)device;
    uint8_t guid[ID_SIZE];

    if (event != EVENT_GENERATION || v->page == 0) {
        return;
    }
    guid_from_uuid(v->uuid, guid);
    if (v->page > UINT64_MAX - VMGENID_OFFSET ||
        dev_ram_write(device, v->page + VMGENID_OFFSET, guid, ID_SIZE) != 0) {
        guest_error(device, "the page of the generation id at %#llx is not in RAM",
                    (unsigned long long)v->page);
    }
}

static void vmgenid_reset(struct device *device, enum reset_kind kind)
{
    ((struct vmgenid *)device)->page = 0;
}

static const struct option_desc vmgenid_options[] = {
    { "guid", OPTION_UUID, offsetof(struct vmgenid, uuid), 0, 0, NULL,
      "the generation id of the machine" },
    { NULL },
};

static const struct state_field vmgenid_fields[] = {
    FIELD(struct vmgenid, page),
    FIELD_END,
};

const struct device_class vmgenid_class = {
    .name = "vmgenid",
    .version = 1,
    .state_size = sizeof(struct vmgenid),
    .description = "virtual machine generation id",
    .options = vmgenid_options,
    .fields = vmgenid_fields,
    .reset = vmgenid_reset,
    .on_event = vmgenid_on_event,
};
