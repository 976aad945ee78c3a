/*
 * fs/tty.c - the console as a terminal. Owns its settings and what was typed: a ring of characters, those of finished
 * lines first. Lock: interrupts off around the ring, for a handler fills it.
 *
 *	| read already | lines, each with \n or END behind it | the line that is typed |
 *	             from                                    line                    to
 */
#include <arch/irq.h>
#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/signal.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <fs/file.h>
#include <fs/pipe.h>
#include <fs/tty.h>
#include <fs/up.h>
#include <kernel/syscall.h>
#include <kernel/wait.h>
#include <lib/string.h>
#include <mm/usercopy.h>

#define RING 1024u  /* characters; a power of two */
#define END  0x100u /* stands for VEOF: ends a line, and is not read */

static struct {
	struct termios settings;
	struct winsize window;
	int32_t group; /* that the characters for signals are sent to */
	uint16_t ring[RING];
	uint32_t from, line, to; /* they only grow */
	struct wait_queue queue;
} tty;

static const struct termios initial = {
	.c_iflag = ICRNL | IXON,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = B38400 | CS8 | CREAD | HUPCL,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.c_cc = {[VINTR] = 3,
		 [VQUIT] = 28,
		 [VERASE] = 127,
		 [VKILL] = 21,
		 [VEOF] = 4,
		 [VMIN] = 1,
		 [VSUSP] = 26},
};

void tty_init(void)
{
	memset(&tty, 0, sizeof(tty));
	tty.settings = initial;
	tty.window = (struct winsize){.ws_row = 25, .ws_col = 80};
	wait_queue_init(&tty.queue);
}

static bool has(uint32_t flag)
{
	return tty.settings.c_lflag & flag;
}

static bool is_control(uint8_t c)
{
	return (c < 32 && c != '\n' && c != '\t') || c == 127;
}

static void echo(uint8_t c)
{
	char shown[2] = {'^', (char)(c ^ 0x40)};

	if (c == '\n')
		console_write("\r\n", 2);
	else if (is_control(c) && has(ECHOCTL))
		console_write(shown, 2);
	else
		console_write((const char *)&c, 1);
}

/* Takes the last character of the line that is typed off the screen, too. */
static void erase(void)
{
	uint8_t c = (uint8_t)tty.ring[--tty.to % RING];

	if (has(ECHO))
		console_write("\b \b\b \b", is_control(c) ? 6 : 3);
}

static void wake_readers(void)
{
	wake_all(&tty.queue);
	wake_all(&poll_queue);
}

/* One that sends a signal; what was typed is forgotten. */
static bool is_signal(uint8_t c)
{
	const uint8_t *cc = tty.settings.c_cc;
	int signo = 0;

	if (!has(ISIG) || !c)
		return false;
	if (c == cc[VINTR])
		signo = SIGINT;
	else if (c == cc[VQUIT])
		signo = SIGQUIT;
	else if (c == cc[VSUSP])
		signo = SIGTSTP;
	if (!signo)
		return false;
	if (has(ECHO))
		echo(c);
	tty.from = tty.line = tty.to;
	if (tty.group)
		signal_group(tty.group, signo);
	return true;
}

/* One that corrects the line. */
static bool is_correction(uint8_t c)
{
	const uint8_t *cc = tty.settings.c_cc;

	if (!has(ICANON) || !c || (c != cc[VERASE] && c != '\b' && c != cc[VKILL]))
		return false;
	while (tty.to != tty.line) {
		erase();
		if (c != cc[VKILL])
			break;
	}
	return true;
}

/* One that is typed. A full ring keeps the place for the end of the line. */
static void add(uint8_t c)
{
	bool end = has(ICANON) && c && c == tty.settings.c_cc[VEOF];

	if (tty.to - tty.from >= RING - (c != '\n' && !end))
		return;
	if (has(ECHO) && !end)
		echo(c);
	tty.ring[tty.to++ % RING] = end ? END : c;
	if (has(ICANON) && c != '\n' && !end)
		return;
	tty.line = tty.to;
	wake_readers();
}

void tty_input(uint8_t byte)
{
	uint32_t state = arch_irq_save();

	if (byte == '\r' && tty.settings.c_iflag & ICRNL)
		byte = '\n';
	if (!is_signal(byte) && !is_correction(byte))
		add(byte);
	arch_irq_restore(state);
}

/* Takes characters of one line, or what there is, n at most; stores how many. False: an end, and nothing more. */
static uint32_t take(char *to, uint32_t n, bool *more)
{
	uint32_t state = arch_irq_save(), taken = 0;

	*more = true;
	while (*more && taken < n && tty.from != tty.line) {
		uint16_t c = tty.ring[tty.from % RING];

		tty.from++;
		if (c != END)
			to[taken++] = (char)c;
		*more = !has(ICANON) || (c != END && c != '\n');
	}
	*more = *more && tty.from != tty.line;
	arch_irq_restore(state);
	return taken;
}

/* Waits until there is something to read. */
static int wait_for_input(const struct file *f)
{
	uint32_t state = arch_irq_save();
	int err = 0;

	/* With interrupts off from the look to the sleep: nobody wakes in between. */
	while (!err && tty.from == tty.line)
		err = f->flags & O_NONBLOCK ? -EAGAIN : wait_on(&tty.queue);
	if (tty.from != tty.line)
		err = 0;
	arch_irq_restore(state);
	return err == -EINTR ? -ERESTARTSYS : err;
}

static int32_t read_console(struct file *f, struct uio *u, uint64_t at)
{
	uint32_t done = 0;
	char text[128];
	bool more = true;
	int err;

	(void)at;
	if (!u->left || (!has(ICANON) && !tty.settings.c_cc[VMIN] && tty.from == tty.line))
		return 0;
	err = wait_for_input(f);
	if (err)
		return err;
	while (more && u->left) {
		uint32_t n = take(text, u->left < sizeof(text) ? u->left : sizeof(text), &more);
		uint32_t copied = uio_to_user(u, text, n);

		done += copied;
		if (copied < n)
			return done ? (int32_t)done : -EFAULT;
	}
	return (int32_t)done;
}

/* Writes text as the settings say: \n becomes \r\n. */
static void put(const char *text, uint32_t n)
{
	uint32_t begin = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (text[i] != '\n' || (tty.settings.c_oflag & (OPOST | ONLCR)) != (OPOST | ONLCR))
			continue;
		console_write(text + begin, i - begin);
		console_write("\r\n", 2);
		begin = i + 1;
	}
	console_write(text + begin, n - begin);
}

static int32_t write_console(struct file *f, struct uio *u, uint64_t at)
{
	uint32_t done = 0, all = u->left;
	char text[64]; /* the console writes with interrupts off: less than a tick at 115200 baud */

	(void)f;
	(void)at;
	while (done < all) {
		uint32_t n = all - done < sizeof(text) ? all - done : sizeof(text);
		uint32_t copied = uio_from_user(u, text, n);

		put(text, copied);
		done += copied;
		if (copied < n || (done < all && current_pause()))
			break;
	}
	return done || !all ? (int32_t)done : -EFAULT;
}

static int set(const struct termios *new, bool forget)
{
	uint32_t state = arch_irq_save();

	if (forget)
		tty.from = tty.line = tty.to;
	tty.settings = *new;
	/* Without lines all that is typed can be read. */
	if (!has(ICANON))
		tty.line = tty.to;
	arch_irq_restore(state);
	wake_readers();
	return 0;
}

static int32_t set_from_user(vaddr_t argument, bool forget)
{
	struct termios new;

	return copy_from_user(&new, argument, sizeof(new)) ? -EFAULT : set(&new, forget);
}

static int32_t set_group(vaddr_t argument)
{
	int32_t group;

	if (copy_from_user(&group, argument, sizeof(group)))
		return -EFAULT;
	if (group < 0)
		return -EINVAL;
	tty.group = group;
	return 0;
}

static int32_t ioctl_console(struct file *f, uint32_t request, vaddr_t argument)
{
	int32_t group = tty.group ? tty.group : current_group();
	uint32_t ready = tty.line - tty.from;

	(void)f;
	switch (request) {
	case TCGETS:
		return copy_to_user(argument, &tty.settings, sizeof(tty.settings));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_from_user(argument, request == TCSETSF);
	case TIOCGWINSZ:
		return copy_to_user(argument, &tty.window, sizeof(tty.window));
	case TIOCSWINSZ:
		return copy_from_user(&tty.window, argument, sizeof(tty.window));
	case TIOCGPGRP:
		return copy_to_user(argument, &group, sizeof(group));
	case TIOCSPGRP:
		return set_group(argument);
	case FIONREAD:
		return copy_to_user(argument, &ready, sizeof(ready));
	case TIOCSCTTY:
	case TCFLSH:
		return 0;
	default:
		return -ENOTTY;
	}
}

static uint32_t poll_console(struct file *f)
{
	(void)f;
	return POLLOUT | POLLWRNORM | (tty.from != tty.line ? POLLIN | POLLRDNORM : 0);
}

const struct file_ops console_ops = {
	.read = read_console,
	.write = write_console,
	.ioctl = ioctl_console,
	.poll = poll_console,
	.is_stream = true,
};
