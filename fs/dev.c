/* fs/dev.c - the devices that are no more than a number: null, zero, full, random. The console is fs/tty.c's. */
#include <fs/file.h>
#include <kernel/random.h>

#define DEVICE(major, minor) ((uint32_t)(major) << 8 | (minor))

static int32_t read_nothing(struct file *f, struct uio *u, uint64_t at)
{
	(void)f;
	(void)u;
	(void)at;
	return 0;
}

static int32_t write_away(struct file *f, struct uio *u, uint64_t at)
{
	(void)f;
	(void)at;
	return (int32_t)u->left;
}

static int32_t read_zeros(struct file *f, struct uio *u, uint64_t at)
{
	uint32_t n = u->left, done = n ? uio_zero(u, n) : 0;

	(void)f;
	(void)at;
	return done || !n ? (int32_t)done : -EFAULT;
}

static int32_t write_full(struct file *f, struct uio *u, uint64_t at)
{
	(void)f;
	(void)at;
	(void)u;
	return -ENOSPC;
}

static int32_t read_random(struct file *f, struct uio *u, uint64_t at)
{
	uint8_t bytes[256];
	uint32_t done = 0, n = u->left;

	(void)f;
	(void)at;
	while (done < n) {
		uint32_t piece = n - done < sizeof(bytes) ? n - done : (uint32_t)sizeof(bytes), copied;

		random_bytes(bytes, piece);
		copied = uio_to_user(u, bytes, piece);
		done += copied;
		if (copied < piece)
			break;
	}
	return done || !n ? (int32_t)done : -EFAULT;
}

static const struct file_ops null_ops = {.read = read_nothing, .write = write_away};
static const struct file_ops zero_ops = {.read = read_zeros, .write = write_away};
static const struct file_ops full_ops = {.read = read_zeros, .write = write_full};
static const struct file_ops random_ops = {.read = read_random, .write = write_away};

const struct file_ops *device_ops(uint32_t rdev)
{
	switch (rdev) {
	case DEVICE(1, 3):
		return &null_ops;
	case DEVICE(1, 5):
		return &zero_ops;
	case DEVICE(1, 7):
		return &full_ops;
	case DEVICE(1, 8):
	case DEVICE(1, 9):
		return &random_ops;
	case DEVICE(4, 64): /* ttyS0 */
	case DEVICE(5, 0):  /* tty */
	case DEVICE(5, 1):  /* console */
		return &console_ops;
	default:
		return NULL;
	}
}

bool file_is_zero(const struct file *f)
{
	return f->ops == &zero_ops;
}
