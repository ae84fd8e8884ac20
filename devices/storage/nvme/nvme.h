/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the NVMe controller share.
 *
 *   nvme.c           the function on the PCI bus, controller registers, life
 *   nvme_queue.c     submission and completion queues, doorbells, interrupts
 *   nvme_shadow.c    doorbells in guest memory
 *   nvme_command.c   one command from its fetch to its completion; requests to the back end
 *   nvme_prp.c       where in guest memory the data of a command is
 *   nvme_io.c        the commands of the NVM command set
 *   nvme_admin.c     the admin commands: queues, abort, asynchronous events
 *   nvme_identify.c  the Identify data structures
 *   nvme_features.c  features
 *   nvme_log.c       log pages
 *
 * A command is copied when it is fetched and never read again. Nothing a guest wrote is kept as a
 * host pointer except the spans of a request that is with the back end, which are addresses of
 * whole, pinned RAM.
 */
#ifndef DEVICES_STORAGE_NVME_H
#define DEVICES_STORAGE_NVME_H

#include "block.h"
#include "bytes.h"
#include "pci.h"

enum {
    NVME_IO_QUEUES = 16,              /* pairs */
    NVME_QUEUES = NVME_IO_QUEUES + 1, /* the admin queue is number 0 */
    NVME_QUEUE_ENTRIES_MAX = 1024,    /* of an I/O queue */
    NVME_ADMIN_ENTRIES_MAX = 4096,    /* what AQA can say */
    NVME_COMMANDS = 256,              /* fetched and not completed, of all queues */
    NVME_EVENT_REQUESTS = 4,          /* outstanding Asynchronous Event Requests */
    NVME_BATCH = 64,                  /* requests given to the back end at once */
    NVME_SQE_SIZE = 64,
    NVME_CQE_SIZE = 16,
    NVME_PAGE = 4096, /* CC.MPS = 0, the only one there is */
    NVME_MDTS = 8,    /* a power of two of pages */
    NVME_TRANSFER_MAX = NVME_PAGE << NVME_MDTS,
    NVME_SPANS_MAX = (1 << NVME_MDTS) + 1,
    NVME_RANGES_MAX = 256,
    NVME_NSID = 1,
    NVME_NSID_ALL = -1, /* as uint32_t */
    NVME_VERSION = 0x00010400,
    NVME_REPLY_SIZE = 4096, /* of an Identify data structure */

    CC_EN = 1u << 0,
    CSTS_RDY = 1u << 0,
    CSTS_CFS = 1u << 1,
    CSTS_SHST = 3u << 2,
    CSTS_SHST_OCCURRING = 1u << 2,
    CSTS_SHST_COMPLETE = 2u << 2,

    LOG_ERROR = 0x01,
    LOG_SMART = 0x02,
    LOG_FIRMWARE = 0x03,
    LOG_CHANGED_NAMESPACES = 0x04,

    /* Bits of Asynchronous Event Configuration. */
    EVENT_CONFIG_SMART = 0xff,
    EVENT_CONFIG_NAMESPACE = 1u << 8,
    EVENT_CONFIG_FIRMWARE = 1u << 9,
};

/* Status Code Type << 8 | Status Code, NVMe 1.4 section 4.6.1. */
enum nvme_status {
    STATUS_SUCCESS = 0x000,
    STATUS_INVALID_OPCODE = 0x001,
    STATUS_INVALID_FIELD = 0x002,
    STATUS_DATA_TRANSFER_ERROR = 0x004,
    STATUS_INTERNAL_ERROR = 0x006,
    STATUS_ABORT_REQUESTED = 0x007,
    STATUS_INVALID_NAMESPACE = 0x00b,
    STATUS_COMMAND_SEQUENCE = 0x00c,
    STATUS_PRP_OFFSET_INVALID = 0x013,
    STATUS_WRITE_PROTECTED = 0x020,
    STATUS_LBA_OUT_OF_RANGE = 0x080,
    STATUS_CQ_INVALID = 0x100,
    STATUS_INVALID_QUEUE_ID = 0x101,
    STATUS_INVALID_QUEUE_SIZE = 0x102,
    STATUS_EVENT_LIMIT = 0x105,
    STATUS_INVALID_VECTOR = 0x108,
    STATUS_INVALID_LOG_PAGE = 0x109,
    STATUS_INVALID_QUEUE_DELETION = 0x10c,
    STATUS_NOT_SAVEABLE = 0x10d,
    STATUS_WRITE_FAULT = 0x280,
    STATUS_UNRECOVERED_READ = 0x281,
    STATUS_COMPARE_FAILURE = 0x285,

    STATUS_PENDING = 0xffff, /* no status yet: the command is completed later */
};

/* Asynchronous events that wait to be told, each a bit of nvme.events. */
enum nvme_event {
    EVENT_INVALID_DOORBELL_REGISTER,
    EVENT_INVALID_DOORBELL_VALUE,
    EVENT_NAMESPACE_CHANGED,
    NVME_EVENTS
};

struct nvme_sq {
    bool live;
    uint64_t base;
    uint32_t size, head, tail; /* entries */
    uint32_t cqid;
    /* Known from the commands. */
    unsigned in_flight;
    bool deleting;
    uint16_t delete_command; /* the Delete I/O Submission Queue that waits for the last one */
};

struct nvme_cq {
    bool live, phase, ien;
    uint64_t base;
    uint32_t size, head, tail;
    uint32_t iv;
    /* Known from the commands. */
    unsigned reserved; /* entries that commands under way will need */
    bool due;          /* an entry was added and no interrupt sent yet */
};

struct nvme_range {
    uint64_t offset, length; /* bytes */
};

/* A request to the back end, with what is only known while it is under way. */
struct nvme_request {
    struct block_request block; /* first */
    struct nvme_request *next;  /* of the free ones */
    struct nvme_request *all;
    uint16_t command; /* index, or NVME_COMMANDS: the flush of a shutdown */
    bool in_flight;   /* the back end has it */
    bool stale;       /* nobody waits for it any more */
    unsigned range, n_ranges;
    struct nvme_range *ranges; /* Dataset Management */
    uint8_t *compare;          /* what the medium holds */
    struct block_span own;     /* ... as a span */
    unsigned n_spans;
    uint64_t address[NVME_SPANS_MAX];
    struct block_span spans[NVME_SPANS_MAX];
};

struct nvme_command {
    bool active;
    uint8_t sqe[NVME_SQE_SIZE];
    uint32_t sqid;
    struct nvme_request *request; /* NULL until it needs one */
};

struct nvme_error {
    uint64_t count;
    uint16_t sqid, cid, status;
    uint64_t lba;
    uint32_t nsid;
};

/* Current values of the features, back to the defaults at every controller reset. */
struct nvme_features {
    uint32_t arbitration, error_recovery, coalescing, event_config;
    uint32_t temperature[2]; /* over, under */
    uint32_t vector_config[NVME_QUEUES];
    bool write_cache, write_atomicity;
};

struct nvme {
    struct pci_device pci; /* first */
    uint32_t intms, cc, csts, aqa;
    uint64_t asq, acq;
    struct nvme_sq sqs[NVME_QUEUES];
    struct nvme_cq cqs[NVME_QUEUES];
    struct nvme_command commands[NVME_COMMANDS];
    uint16_t free_commands[NVME_COMMANDS];
    unsigned n_free;
    struct nvme_features features;
    uint16_t event_requests[NVME_EVENT_REQUESTS]; /* their command identifiers */
    uint32_t n_event_requests;
    uint32_t events, events_masked; /* bits of enum nvme_event */
    bool namespace_changed;         /* in the Changed Namespace List */
    bool shadow;                    /* the host has given these two pages */
    uint64_t shadow_doorbells, event_indexes;
    uint64_t units_read, units_written, reads, writes; /* units of 512 bytes */
    struct nvme_error error;

    struct block_info info;
    unsigned block_shift;
    struct nvme_request *free, *all;
    unsigned n_in_flight, n_stale;
    bool flushing;   /* the flush of a shutdown is under way */
    bool restarting; /* loaded commands have not been executed yet: no new ones are taken */
    bool doorbell_enabled[NVME_QUEUES]; /* that of a submission queue costs no exit */
    struct block_request *batch[NVME_BATCH];
    unsigned n_batch;
};

static inline struct device *nvme_device(struct nvme *nvme)
{
    return &nvme->pci.device;
}

static inline uint32_t sqe_dword(const struct nvme_command *command, unsigned dword)
{
    return load_le32(command->sqe + dword * 4);
}

static inline uint32_t sqe_nsid(const struct nvme_command *command)
{
    return sqe_dword(command, 1);
}

/* --- nvme.c ----------------------------------------------------------------------------------- */

/* CSTS.CFS: the controller stops until it is reset. */
void nvme_fatal(struct nvme *nvme, const char *reason, uint64_t value);
/* What can be done now is done: commands are fetched, requests submitted, interrupts sent. Called
 * at the end of everything that comes from outside. */
void nvme_service(struct nvme *nvme);
/* A disable or shutdown that waited for requests may be complete now. */
void nvme_settle(struct nvme *nvme);

/* --- nvme_queue.c ----------------------------------------------------------------------------- */

extern const struct state_field nvme_sq_fields[], nvme_cq_fields[];

/* The queue of a guest's number, or NULL. */
struct nvme_sq *nvme_sq_find(struct nvme *nvme, uint32_t sqid);
struct nvme_cq *nvme_cq_find(struct nvme *nvme, uint32_t cqid);
void nvme_sq_create(struct nvme *nvme, unsigned sqid, uint64_t base, uint32_t size, uint32_t cqid);
void nvme_cq_create(struct nvme *nvme, unsigned cqid, uint64_t base, uint32_t size);
void nvme_doorbell_write(struct nvme *nvme, unsigned number, uint32_t value);
/* The host has moved its end of a live queue; false, and told as an event, if it cannot be there.
 */
bool nvme_sq_tail_set(struct nvme *nvme, unsigned sqid, uint32_t value);
bool nvme_cq_head_set(struct nvme *nvme, unsigned cqid, uint32_t value);
/* True if one more entry than are promised fits. */
bool nvme_cq_has_room(const struct nvme_cq *cq);
/* Adds an entry. There is room, or one is reserved. */
void nvme_cq_post(struct nvme *nvme, unsigned sqid, uint16_t cid, uint32_t dw0, unsigned status);
void nvme_queues_service(struct nvme *nvme);
void nvme_interrupts_update(struct nvme *nvme);
bool nvme_queues_valid(struct nvme *nvme);

/* --- nvme_shadow.c ----------------------------------------------------------------------------
 * Doorbells are numbered as in the registers: that of submission queue n is 2n, of completion queue
 * n 2n + 1. */

/* The value is in memory, not in what is written to the register. */
bool nvme_shadow_has(const struct nvme *nvme, unsigned number);
/* Takes the values of all queues. */
void nvme_shadow_look(struct nvme *nvme);
/* Asks the host to ring when one moves; true if one has moved meanwhile. */
bool nvme_shadow_rest(struct nvme *nvme);
/* A doorbell without a shadow was rung: the host shall ring it the next time, too. */
void nvme_shadow_rang(struct nvme *nvme, unsigned number, uint32_t value);
/* The doorbell begins at this value. */
void nvme_shadow_begin(struct nvme *nvme, unsigned number, uint32_t value);
/* Makes the doorbells of queues with shadows cost no exit, and the others give their value. */
void nvme_shadow_bind(struct nvme *nvme);
/* The command. */
unsigned nvme_doorbell_buffer_config(struct nvme *nvme, const struct nvme_command *command);

/* --- nvme_command.c --------------------------------------------------------------------------- */

extern const struct state_field nvme_command_fields[];

/* Takes the next entry of the queue. False: it could not be read, and the controller has stopped.
 */
bool nvme_command_fetch(struct nvme *nvme, unsigned sqid);
/* Ends a command; may end the deletion of its queue, too. */
void nvme_finish(struct nvme *nvme, unsigned index, uint32_t dw0, unsigned status);
/* The request of a command, made if there is none. */
struct nvme_request *nvme_request(struct nvme *nvme, unsigned index);
void nvme_submit(struct nvme *nvme, struct nvme_request *request);
void nvme_batch_submit(struct nvme *nvme);
void nvme_flush_for_shutdown(struct nvme *nvme);
void nvme_block_done(struct nvme *nvme, struct nvme_request *request);
/* Forgets all commands; what is with the back end becomes stale. */
void nvme_commands_abandon(struct nvme *nvme);
/* After a load: counts again; then, as soon as the device may act, restart executes them anew. */
void nvme_commands_restored(struct nvme *nvme);
void nvme_commands_restart(struct nvme *nvme);
bool nvme_commands_valid(struct nvme *nvme);
void nvme_commands_destroy(struct nvme *nvme);

/* --- nvme_prp.c ------------------------------------------------------------------------------- */

/* Finds the `length` bytes (1..NVME_TRANSFER_MAX) of the command's data and fills the request's
 * spans. */
unsigned nvme_prp_map(struct nvme *nvme, unsigned index, size_t length);
/* Copies from, or to, the front of the data. The sizes are at most those mapped. */
void nvme_copy_out(struct nvme *nvme, struct nvme_request *request, const void *bytes, size_t n);
void nvme_copy_in(struct nvme_request *request, void *bytes, size_t n);
/* Announces what a read has written. */
void nvme_spans_written(struct nvme *nvme, const struct nvme_request *request);
/* Maps and copies out: the whole of a command that returns a structure. */
unsigned nvme_reply(struct nvme *nvme, unsigned index, const void *bytes, size_t n);

/* --- nvme_io.c, nvme_admin.c, ... -------------------------------------------------------------
 * Each executes a command and returns its status, or STATUS_PENDING. *dw0 is the first dword of the
 * completion, 0 before. */
unsigned nvme_io_execute(struct nvme *nvme, unsigned index);
/* The back end has answered the request of an I/O command. */
unsigned nvme_io_continue(struct nvme *nvme, struct nvme_request *request);
unsigned nvme_admin_execute(struct nvme *nvme, unsigned index, uint32_t *dw0);
unsigned nvme_identify(struct nvme *nvme, unsigned index);
unsigned nvme_features_get(struct nvme *nvme, const struct nvme_command *command, uint32_t *dw0);
unsigned nvme_features_set(struct nvme *nvme, const struct nvme_command *command, uint32_t *dw0);
void nvme_features_reset(struct nvme *nvme);
extern const struct state_field nvme_features_fields[];
unsigned nvme_log_page(struct nvme *nvme, unsigned index);
void nvme_log_error(struct nvme *nvme, const struct nvme_command *command, unsigned status);
extern const struct state_field nvme_error_fields[];

void nvme_event(struct nvme *nvme, enum nvme_event event);
/* Tells the events that can be told now. */
void nvme_events_deliver(struct nvme *nvme);
/* The host has read the log page that goes with events. */
void nvme_events_clear(struct nvme *nvme, uint8_t log_page);

#endif
