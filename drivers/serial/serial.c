/*
 * drivers/serial/serial.c - the 16550 at 0x3f8. Owns its registers. Lock: the console's, held by the caller.
 * PC16550D data sheet, section 8.
 */
#include <arch/io.h>
#include <arch/pic.h>
#include <drivers/serial/serial.h>

#define PORT 0x3f8
#define DATA (PORT + 0) /* divisor, low, while DLAB is set */
#define IER  (PORT + 1) /* divisor, high, while DLAB is set */
#define FCR  (PORT + 2)
#define LCR  (PORT + 3)
#define MCR  (PORT + 4)
#define LSR  (PORT + 5)

#define IRQ_LINE     4u
#define IER_RECEIVED 0x01
#define LCR_8N1      0x03
#define LCR_DLAB     0x80
#define FCR_ON_CLEAR 0x07
#define MCR_READY    0x03 /* DTR, RTS */
#define MCR_OUT2     0x08 /* on a PC it lets the interrupt through */
#define MCR_LOOP     0x10
#define LSR_RECEIVED 0x01
#define LSR_THRE     0x20 /* the transmitter takes a byte */

/* Turns of a poll, about a microsecond each: ten times what a byte takes at 115200 baud. */
#define PATIENCE 1000

static struct {
	bool present;
	void (*received)(uint8_t byte);
} serial;

/* Waits for a bit of the line status; false when it does not come. */
static bool wait_for(uint8_t bit)
{
	for (unsigned i = 0; i < PATIENCE; i++)
		if (arch_in8(LSR) & bit)
			return true;
	return false;
}

/* Sends a byte to itself. Where there is no port, reads give 0xff. */
static bool loops_back(uint8_t byte)
{
	if (!wait_for(LSR_THRE))
		return false;
	arch_out8(DATA, byte);
	return wait_for(LSR_RECEIVED) && arch_in8(DATA) == byte;
}

void serial_init(void)
{
	arch_out8(IER, 0); /* polled: no interrupts */
	arch_out8(LCR, LCR_DLAB);
	arch_out8(DATA, 1); /* 115200 / 1 */
	arch_out8(IER, 0);
	arch_out8(LCR, LCR_8N1);
	arch_out8(FCR, FCR_ON_CLEAR);
	arch_out8(MCR, MCR_LOOP);
	serial.present = loops_back(0x5a) && loops_back(0xa5);
	arch_out8(MCR, MCR_READY);
}

bool serial_present(void)
{
	return serial.present;
}

void serial_put(char c)
{
	if (serial.present && wait_for(LSR_THRE))
		arch_out8(DATA, (uint8_t)c);
}

/* An interrupt's handler. */
static void take_received(void)
{
	while (arch_in8(LSR) & LSR_RECEIVED)
		serial.received(arch_in8(DATA));
}

void serial_listen(void (*received)(uint8_t byte))
{
	if (!serial.present)
		return;
	serial.received = received;
	irq_handler(IRQ_LINE, take_received);
	arch_out8(MCR, MCR_READY | MCR_OUT2);
	arch_out8(IER, IER_RECEIVED);
}
