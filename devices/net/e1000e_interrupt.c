/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Interrupts of the 82574L (datasheet sections 7.4, 10.2.4).
 *
 * A cause is a bit of ICR; it interrupts while its bit of IMS is set. Without MSI-X there is one
 * level, ICR & IMS, which is INTx or, when it rises, a message. With MSI-X five causes (two receive
 * queues, two transmit queues, everything else) have vectors by IVAR; a message is sent when a bit
 * of ICR & IMS rises, and the causes that EIAC names are then taken out of ICR and masked, so that
 * the driver only needs to set IMS again.
 *
 * ICR is cleared by reading it while an interrupt is asserted or everything is masked, and left
 * alone otherwise; CTRL_EXT.IAME masks by IAM at the same time.
 *
 * ITR and EITR set the least time between two interrupts, in units of 256 ns: one that comes too
 * early waits for a timer. RDTR and TIDV delay the first cause; later ones join it, so that RADV
 * and TADV never come to bear.
 *
 * Left out: causes that this card never has (small packets, ACK frames, receive overrun: frames
 * wait outside until there are descriptors).
 */
#include "e1000e.h"

enum {
    OTHER_CAUSES = 0x00070244, /* LSC, RXO, MDAC, SRPD, ACK, MNG */
    VECTOR_CAUSES = 0x01f00000,
    FIRST_CAUSE = 20,
    IVAR_VALID = 8,
    INTERVAL_NS = 256,
    DELAY_NS = 1024,
    INTERVAL_MAX = 0xffff,
};

static unsigned ivar_entry(struct e1000e *e1000e, unsigned cause)
{
    return *e1000e_reg(e1000e, REG_IVAR) >> 4 * (cause - FIRST_CAUSE) & 0xf;
}

static uint64_t interval_ns(struct e1000e *e1000e, unsigned timer)
{
    unsigned offset = timer == TIMER_ITR ? REG_ITR : REG_EITR + 4 * timer;

    return (uint64_t)(*e1000e_reg(e1000e, offset) & INTERVAL_MAX) * INTERVAL_NS;
}

/* True, and the interval begins anew, if an interrupt may come now; otherwise a timer runs. */
static bool may_interrupt(struct e1000e *e1000e, unsigned timer)
{
    uint64_t now = dev_now_ns(e1000e_device(e1000e)), interval = interval_ns(e1000e, timer);
    uint64_t wait = e1000e->throttle[timer] > now ? e1000e->throttle[timer] - now : 0;

    if (wait > 0 && interval > 0) {
        dev_timer_arm(e1000e_device(e1000e), timer, now + (wait < interval ? wait : interval));
        return false;
    }
    e1000e->throttle[timer] = interval > 0 ? now + interval : 0;
    e1000e_count(e1000e, STAT_IAC, 1);
    return true;
}

static void level_update(struct e1000e *e1000e)
{
    if (e1000e->active == 0) {
        pci_irq_set(&e1000e->pci, false);
    } else if (!e1000e->pci.intx_level && may_interrupt(e1000e, TIMER_ITR)) {
        pci_irq_set(&e1000e->pci, true);
    }
}

static void vector_fire(struct e1000e *e1000e, unsigned cause)
{
    uint32_t bit = 1u << cause, control = *e1000e_reg(e1000e, REG_CTRL_EXT);
    unsigned entry = ivar_entry(e1000e, cause), vector = entry & (IVAR_VALID - 1);

    if (!(entry & IVAR_VALID) || vector >= E1000E_VECTORS ||
        !(*e1000e_reg(e1000e, REG_IMS) & bit)) {
        e1000e->due &= ~bit;
        return;
    }
    if (!may_interrupt(e1000e, TIMER_EITR + vector)) {
        return;
    }
    e1000e->due &= ~bit;
    if (*e1000e_reg(e1000e, REG_EIAC) & bit) {
        *e1000e_reg(e1000e, REG_ICR) &= ~bit;
        if (!(control & CTRL_EXT_IAME)) {
            *e1000e_reg(e1000e, REG_IMS) &= ~bit;
        }
    }
    if (control & CTRL_EXT_EIAME) {
        *e1000e_reg(e1000e, REG_IMS) &= ~(*e1000e_reg(e1000e, REG_IAM) & bit);
    }
    pci_msix_notify(&e1000e->pci, vector);
}

void e1000e_interrupts_update(struct e1000e *e1000e)
{
    uint32_t active = *e1000e_reg(e1000e, REG_ICR) & *e1000e_reg(e1000e, REG_IMS);
    uint32_t rising = active & ~e1000e->active;

    e1000e->active = active;
    if (!pci_msix_enabled(&e1000e->pci)) {
        e1000e->due = 0;
        level_update(e1000e);
        return;
    }
    pci_irq_set(&e1000e->pci, false);
    e1000e->due |= rising & VECTOR_CAUSES;
    for (unsigned cause = FIRST_CAUSE; cause < FIRST_CAUSE + E1000E_VECTORS; cause++) {
        if (e1000e->due & 1u << cause) {
            vector_fire(e1000e, cause);
        }
    }
    e1000e->active = *e1000e_reg(e1000e, REG_ICR) & *e1000e_reg(e1000e, REG_IMS);
}

void e1000e_raise(struct e1000e *e1000e, uint32_t causes)
{
    if (causes == 0) {
        return;
    }
    if ((causes & OTHER_CAUSES) && pci_msix_enabled(&e1000e->pci)) {
        causes |= ICR_OTHER;
    }
    *e1000e_reg(e1000e, REG_ICR) |= causes & ICR_CAUSES;
    e1000e_interrupts_update(e1000e);
}

void e1000e_raise_later(struct e1000e *e1000e, bool transmit, uint32_t causes, uint32_t units)
{
    struct e1000e_delay *delay = &e1000e->delays[transmit];
    uint64_t now = dev_now_ns(e1000e_device(e1000e));

    if (units == 0 || pci_msix_enabled(&e1000e->pci)) {
        e1000e_raise(e1000e, causes);
        return;
    }
    if (delay->causes == 0) {
        delay->deadline = now + (uint64_t)units * DELAY_NS;
        dev_timer_arm(e1000e_device(e1000e), TIMER_RECEIVE_DELAY + transmit, delay->deadline);
    }
    delay->causes |= causes;
}

void e1000e_interrupt_timer(struct e1000e *e1000e, unsigned timer)
{
    if (timer >= TIMER_RECEIVE_DELAY) {
        struct e1000e_delay *delay = &e1000e->delays[timer - TIMER_RECEIVE_DELAY];
        uint32_t causes = delay->causes;

        *delay = (struct e1000e_delay){ .causes = 0 };
        e1000e_raise(e1000e, causes);
        return;
    }
    e1000e->throttle[timer] = 0;
    e1000e_interrupts_update(e1000e);
}

uint32_t e1000e_icr_read(struct e1000e *e1000e)
{
    uint32_t *icr = e1000e_reg(e1000e, REG_ICR), *ims = e1000e_reg(e1000e, REG_IMS);
    bool asserted = *icr & *ims;
    uint32_t value = *icr | (asserted ? ICR_INT_ASSERTED : 0);

    if (asserted && (*e1000e_reg(e1000e, REG_CTRL_EXT) & CTRL_EXT_IAME)) {
        *ims &= ~*e1000e_reg(e1000e, REG_IAM);
    }
    if (asserted || *ims == 0) {
        *icr = 0;
    }
    e1000e_interrupts_update(e1000e);
    return value;
}

void e1000e_icr_write(struct e1000e *e1000e, uint32_t value)
{
    uint32_t *icr = e1000e_reg(e1000e, REG_ICR), *ims = e1000e_reg(e1000e, REG_IMS);

    if ((*icr & *ims) && (*e1000e_reg(e1000e, REG_CTRL_EXT) & CTRL_EXT_IAME)) {
        *ims &= ~*e1000e_reg(e1000e, REG_IAM);
    }
    if (value & ICR_OTHER) {
        value |= OTHER_CAUSES;
    }
    *icr &= ~value;
    e1000e_interrupts_update(e1000e);
}

void e1000e_interrupts_reset(struct e1000e *e1000e)
{
    e1000e->active = e1000e->due = 0;
    for (unsigned i = 0; i <= E1000E_VECTORS; i++) {
        e1000e->throttle[i] = 0;
    }
    for (unsigned i = 0; i < 2; i++) {
        e1000e->delays[i] = (struct e1000e_delay){ .causes = 0 };
    }
    for (unsigned timer = 0; timer < E1000E_TIMERS; timer++) {
        dev_timer_arm(e1000e_device(e1000e), timer, TIMER_OFF);
    }
    pci_irq_set(&e1000e->pci, false);
}

/* Timers that run without need find nothing to do. */
void e1000e_interrupts_restored(struct e1000e *e1000e)
{
    struct device *device = e1000e_device(e1000e);
    uint64_t now = dev_now_ns(device);

    for (unsigned i = 0; i <= E1000E_VECTORS; i++) {
        uint64_t latest = now + (uint64_t)INTERVAL_MAX * INTERVAL_NS;

        if (e1000e->throttle[i] != 0) {
            dev_timer_arm(device, i, e1000e->throttle[i] < latest ? e1000e->throttle[i] : latest);
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        uint64_t latest = now + (uint64_t)INTERVAL_MAX * DELAY_NS;
        uint64_t deadline = e1000e->delays[i].deadline;

        if (e1000e->delays[i].causes != 0) {
            dev_timer_arm(device, TIMER_RECEIVE_DELAY + i, deadline < latest ? deadline : latest);
        }
    }
}

const struct state_field e1000e_delay_fields[] = {
    FIELD_MAX(struct e1000e_delay, causes, ICR_CAUSES),
    FIELD(struct e1000e_delay, deadline),
    FIELD_END,
};
