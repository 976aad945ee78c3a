/* drivers/serial/serial.h - the first serial port (16550 or 8250): sends by polling, receives by interrupts. */
#ifndef DRIVERS_SERIAL_H
#define DRIVERS_SERIAL_H

#include <lib/types.h>

/* Finds the port and sets it to 115200 baud, 8N1. Where there is none, serial_put does nothing from then on. */
void serial_init(void);

/* True when serial_init found a port. */
bool serial_present(void);

/* Sends a byte when the port takes it; gives up after a bounded wait. Needs no lock in the driver: the caller's. */
void serial_put(char c);

/* Has a function called for each byte that comes in from now on, with interrupts off; never where there is no port. */
void serial_listen(void (*received)(uint8_t byte));

#endif
