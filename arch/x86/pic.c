/*
 * arch/x86/pic.c - the 8259 interrupt controllers. Owns their masks and the handlers. Lock: none, interrupts are off.
 */
#include <arch/io.h>
#include <arch/irq.h>
#include <arch/pic.h>

#define PIC_MASTER     0x20
#define PIC_SLAVE      0xA0
#define PIC_DATA       1 /* from either of them */
#define PIC_SPURIOUS   7 /* the line that a controller names when its request went away */
#define PIC_INIT       0x11
#define PIC_SLAVE_LINE 2
#define PIC_MODE_8086  0x01
#define PIC_END        0x20
#define PIC_READ_ISR   0x0B
#define PORT_DELAY     0x80 /* of the power-on self-test: a write takes a microsecond, and does nothing else */
#define PIC_LINES      8u

static struct {
	uint32_t masked; /* a bit for each line */
	void (*handler[IRQ_LINES])(void);
	const struct trap_frame *frame;
} pic;

/* The controllers of old boards are slower than their CPU. */
static void pic_write(uint16_t port, uint8_t value)
{
	arch_out8(port, value);
	arch_out8(PORT_DELAY, 0);
}

/* The slave's lines come in through one of the master's. */
static void write_masks(void)
{
	uint32_t masked = pic.masked;

	if (masked >> PIC_LINES != 0xFF)
		masked &= ~(1u << PIC_SLAVE_LINE);
	pic_write(PIC_MASTER + PIC_DATA, (uint8_t)masked);
	pic_write(PIC_SLAVE + PIC_DATA, (uint8_t)(masked >> PIC_LINES));
}

/* The firmware lets the timer in on vector 8, where a double fault would be seen. */
void pic_init(void)
{
	pic_write(PIC_MASTER, PIC_INIT);
	pic_write(PIC_SLAVE, PIC_INIT);
	pic_write(PIC_MASTER + PIC_DATA, TRAP_IRQ_FIRST);
	pic_write(PIC_SLAVE + PIC_DATA, TRAP_IRQ_FIRST + PIC_LINES);
	pic_write(PIC_MASTER + PIC_DATA, 1 << PIC_SLAVE_LINE);
	pic_write(PIC_SLAVE + PIC_DATA, PIC_SLAVE_LINE);
	pic_write(PIC_MASTER + PIC_DATA, PIC_MODE_8086);
	pic_write(PIC_SLAVE + PIC_DATA, PIC_MODE_8086);
	pic.masked = 0xFFFF;
	write_masks();
}

void irq_handler(uint32_t line, void (*handler)(void))
{
	uint32_t state = arch_irq_save();

	pic.handler[line] = handler;
	pic.masked = handler ? pic.masked & ~(1u << line) : pic.masked | 1u << line;
	write_masks();
	arch_irq_restore(state);
}

const struct trap_frame *irq_frame(void)
{
	return pic.frame;
}

static bool in_service(uint16_t port, uint32_t line)
{
	pic_write(port, PIC_READ_ISR);
	return arch_in8(port) >> line & 1;
}

/*
 * A controller that names its last line without having it in service means none. But the slave's word came through
 * the master, whose line for the slave is in service until it is told of the end.
 */
static bool is_spurious(uint32_t line)
{
	uint16_t port = line < PIC_LINES ? PIC_MASTER : PIC_SLAVE;

	if (line % PIC_LINES != PIC_SPURIOUS || (pic.handler[line] && in_service(port, PIC_SPURIOUS)))
		return false;
	if (line >= PIC_LINES)
		pic_write(PIC_MASTER, PIC_END);
	return true;
}

void irq_call(const struct trap_frame *f, void (*handler)(void))
{
	pic.frame = f;
	handler();
	pic.frame = NULL;
}

bool pic_interrupt(const struct trap_frame *f)
{
	uint32_t line = f->vector - TRAP_IRQ_FIRST;

	if (line >= IRQ_LINES)
		return false;
	if (is_spurious(line))
		return true;
	if (!pic.handler[line])
		return false;
	if (line >= PIC_LINES)
		pic_write(PIC_SLAVE, PIC_END);
	pic_write(PIC_MASTER, PIC_END);
	irq_call(f, pic.handler[line]);
	return true;
}
