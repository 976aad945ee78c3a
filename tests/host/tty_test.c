/* tests/host/tty_test.c - the console as a terminal: lines, corrections, signals, settings. */
#include "calls.h"

#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/signal.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <fs/tty.h>

KTEST_SETUP(tty)
{
	calls_begin();
	EXPECT_EQ(uopen("/dev/console", O_RDWR | O_NONBLOCK), 0);
}

KTEST_TEARDOWN(tty)
{
	calls_end();
}

static void type(const char *s)
{
	while (*s)
		tty_input((uint8_t)*s++);
}

static bool shows(const char *text)
{
	bool same = up_console_length == strlen(text) && !memcmp(up_console, text, up_console_length);

	if (!same)
		ktest_fail("the console shows %.*s", (int)up_console_length, up_console);
	up_console_length = 0;
	return same;
}

static bool reads(const char *text)
{
	int32_t got = CALL(sys_read, 0, U, 100);

	return got == (int32_t)strlen(text) && ueq(U, text);
}

KTEST(tty, a_line_is_read_when_it_is_finished)
{
	type("ab");
	EXPECT_EQ(CALL(sys_read, 0, U, 100), -EAGAIN);
	type("c\rsecond\n");
	EXPECT(reads("abc\n"));
	EXPECT_EQ(CALL(sys_read, 0, U, 3), 3);
	EXPECT(reads("ond\n"));
	EXPECT_EQ(CALL(sys_read, 0, U, 100), -EAGAIN);
	EXPECT(shows("abc\r\nsecond\r\n"));
	type("\37 \t~\n");
	EXPECT(shows("^_ \t~\r\n"));
	EXPECT(reads("\37 \t~\n"));
}

KTEST(tty, lines_are_corrected_while_they_are_typed)
{
	type("\177abx\177c\n");
	EXPECT(reads("abc\n"));
	EXPECT(shows("abx\b \bc\r\n"));
	type("wrong\1\25right\n");
	EXPECT(reads("right\n"));
	EXPECT(shows("wrong^A\b \b\b \b\b \b\b \b\b \b\b \b\b \bright\r\n"));
	type("done\n\177\n");
	EXPECT(reads("done\n"));
	EXPECT(reads("\n"));
}

KTEST(tty, the_end_is_read_as_nothing)
{
	type("\4");
	EXPECT_EQ(CALL(sys_read, 0, U, 100), 0);
	type("part\4");
	EXPECT(reads("part"));
	EXPECT_EQ(CALL(sys_read, 0, U, 100), -EAGAIN);
	type("four\4");
	EXPECT_EQ(CALL(sys_read, 0, U, 4), 4);
}

KTEST(tty, characters_send_signals_to_the_group)
{
	int32_t group = 42;

	type("x\3");
	EXPECT_EQ(up_last_signal, 0); /* nobody's terminal */
	uput(U, &group, sizeof(group));
	EXPECT_EQ(CALL(sys_ioctl, 0, TIOCSPGRP, U), 0);
	type("forgotten\3");
	EXPECT_EQ(up_last_signal, SIGINT);
	type("\34");
	EXPECT_EQ(up_last_signal, SIGQUIT);
	type("new\n");
	EXPECT(reads("new\n"));
	EXPECT_EQ(CALL(sys_ioctl, 0, TIOCGPGRP, U + 8), 0);
	EXPECT_EQ(uword(U + 8), 42);
}

KTEST(tty, a_full_line_keeps_room_for_its_end)
{
	for (unsigned i = 0; i < 2000; i++)
		type("y");
	type("\n");
	EXPECT_EQ(CALL(sys_read, 0, U, 4096), 1024);
	EXPECT_EQ(uword(U + 1020), 'y' | 'y' << 8 | 'y' << 16 | '\n' << 24);
}

KTEST(tty, its_settings_begin_as_linux_s)
{
	struct termios t;

	EXPECT_EQ(CALL(sys_ioctl, 0, TCGETS, U), 0);
	uget(&t, U, sizeof(t));
	EXPECT_EQ(t.c_iflag, ICRNL | IXON);
	EXPECT_EQ(t.c_oflag, OPOST | ONLCR);
	EXPECT_EQ(t.c_cflag, B38400 | CS8 | CREAD | HUPCL);
	EXPECT_EQ(t.c_lflag, ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN);
	EXPECT(t.c_cc[VINTR] == 3 && t.c_cc[VQUIT] == 28 && t.c_cc[VERASE] == 127 && t.c_cc[VKILL] == 21);
	EXPECT(t.c_cc[VEOF] == 4 && t.c_cc[VMIN] == 1 && t.c_cc[VTIME] == 0 && t.c_cc[VSUSP] == 26);
}

KTEST(tty, what_cannot_be_handed_over_is_lost)
{
	type("lost\nab\n");
	EXPECT_EQ(CALL(sys_read, 0, U_END, 10), -EFAULT);
	EXPECT_EQ(CALL(sys_read, 0, U_END - 1, 10), 1);
	EXPECT_EQ(CALL(sys_read, 0, U, 10), -EAGAIN);
}

static void set_flags(uint32_t off_local)
{
	struct termios t;

	EXPECT_EQ(CALL(sys_ioctl, 0, TCGETS, U), 0);
	uget(&t, U, sizeof(t));
	t.c_lflag &= ~off_local;
	uput(U, &t, sizeof(t));
	EXPECT_EQ(CALL(sys_ioctl, 0, TCSETS, U), 0);
}

KTEST(tty, without_lines_each_character_is_read)
{
	type("so far");
	set_flags(ICANON | ECHO | ISIG);
	EXPECT(reads("so far"));
	up_console_length = 0;
	type("\3\4\177");
	EXPECT(reads("\3\4\177"));
	EXPECT(shows(""));
}

KTEST(tty, what_is_written_gets_carriage_returns)
{
	EXPECT_EQ(uwrite(0, "one\ntwo\n\nend"), 12);
	EXPECT(shows("one\r\ntwo\r\n\r\nend"));
	EXPECT_EQ(CALL(sys_write, 0, U_END - 2, 10), 2);
	EXPECT_EQ(CALL(sys_write, 0, U_END, 10), -EFAULT);
	EXPECT_EQ(CALL(sys_lseek, 0, 0, SEEK_SET), -ESPIPE);
	EXPECT_EQ(CALL(sys_ioctl, 0, TIOCGWINSZ, U), 0);
	EXPECT_EQ(uword(U), 25 | 80 << 16);
	EXPECT_EQ(CALL(sys_ioctl, 0, 0x1234, U), -ENOTTY);
	EXPECT_EQ(CALL(sys_ioctl, 0, TCGETS, U_END), -EFAULT);
}

KTEST(tty, long_text_is_written_in_one_call_unless_a_signal_comes)
{
	char text[201] = "";

	memset(text, 'x', 200);
	EXPECT_EQ(uwrite(0, text), 200);
	EXPECT(shows(text));
	up_pauses = 2;
	EXPECT_EQ(uwrite(0, text), 128);
	text[128] = '\0';
	EXPECT(shows(text));
}

/* Whoever waits is woken by what is typed then. */
static bool type_meanwhile(void)
{
	type("late\n");
	return true;
}

static bool interrupt(void)
{
	return false;
}

static bool type_and_interrupt(void)
{
	type("in time\n");
	return false;
}

KTEST(tty, readers_wait)
{
	struct pollfd p = {.fd = 0, .events = POLLIN};

	EXPECT_EQ(CALL(sys_fcntl64, 0, F_SETFL, 0), 0);
	up_meanwhile = interrupt;
	EXPECT_EQ(CALL(sys_read, 0, U, 100), -ERESTARTSYS);
	uput(U, &p, sizeof(p));
	EXPECT_EQ(CALL(sys_poll, U, 1, FD(-1)), -ERESTART_RESTARTBLOCK);
	up_meanwhile = type_and_interrupt;
	EXPECT(reads("in time\n"));
	up_meanwhile = type_meanwhile;
	EXPECT_EQ(CALL(sys_poll, U, 1, FD(-1)), 1);
	EXPECT_EQ(up_wakes, 2);
	EXPECT(reads("late\n"));
	EXPECT(reads("late\n"));
}
