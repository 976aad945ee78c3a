/*
 * fs/cpio.c - the reader of cpio archives. Owns nothing.
 *
 *	| header: 6 + 13 * 8 hexadecimal digits | name, 0 | to 4 | data | to 4 | next ... | "TRAILER!!!" | zeros
 */
#include <fs/cpio.h>
#include <lib/string.h>

#define MAGIC_LENGTH  6u
#define FIELDS        13u
#define HEADER_LENGTH (MAGIC_LENGTH + FIELDS * 8)
#define TRAILER       "TRAILER!!!"

enum {
	INO,
	MODE,
	UID,
	GID,
	NLINK,
	MTIME,
	SIZE,
	DEV_MAJOR,
	DEV_MINOR,
	RDEV_MAJOR,
	RDEV_MINOR,
	NAME_SIZE,
	SUM
};

static int damaged(struct cpio *c, const char *why)
{
	c->why = why;
	c->where = c->at;
	return -EINVAL;
}

static uint64_t round_up(uint64_t at)
{
	return (at + 3) & ~(uint64_t)3;
}

static bool is_magic(const char *s)
{
	return !memcmp(s, "07070", 5) && (s[5] == '1' || s[5] == '2');
}

bool cpio_is(const struct cpio *c)
{
	char magic[MAGIC_LENGTH];

	if (c->size < HEADER_LENGTH)
		return false;
	c->read(c, 0, magic, MAGIC_LENGTH);
	return is_magic(magic);
}

/* Reads a field; false where it has another character than a hexadecimal digit. */
static bool read_field(const char *digits, uint32_t *out)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < 8; i++) {
		char c = digits[i];
		uint32_t digit;

		if (c >= '0' && c <= '9')
			digit = (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return false;
		value = value << 4 | digit;
	}
	*out = value;
	return true;
}

/* Goes over zeros, which fill an archive up. -ENOENT: nothing else follows. */
static int skip_zeros(struct cpio *c)
{
	char four[4];

	while (c->at < c->size) {
		uint32_t n = c->size - c->at < 4 ? (uint32_t)(c->size - c->at) : 4;

		c->read(c, c->at, four, n);
		for (uint32_t i = 0; i < n; i++)
			if (four[i])
				return 0;
		c->at += n;
	}
	return -ENOENT;
}

static int read_header(struct cpio *c, struct cpio_member *m)
{
	char header[HEADER_LENGTH];
	uint32_t field[FIELDS];

	if (c->size - c->at < HEADER_LENGTH)
		return damaged(c, "it ends in a header");
	c->read(c, c->at, header, HEADER_LENGTH);
	if (!is_magic(header))
		return damaged(c, "a header does not begin with 070701");
	for (unsigned i = 0; i < FIELDS; i++)
		if (!read_field(header + MAGIC_LENGTH + i * 8, &field[i]))
			return damaged(c, "a header has what is no hexadecimal number");
	*m = (struct cpio_member){
		.ino = field[INO],
		.mode = field[MODE],
		.uid = field[UID],
		.gid = field[GID],
		.nlink = field[NLINK],
		.mtime = field[MTIME],
		.dev_major = field[DEV_MAJOR],
		.dev_minor = field[DEV_MINOR],
		.rdev_major = field[RDEV_MAJOR],
		.rdev_minor = field[RDEV_MINOR],
		.name_size = field[NAME_SIZE],
		.name_at = c->at + HEADER_LENGTH,
		.data_size = field[SIZE],
		.sum = field[SUM],
		.has_sum = header[5] == '2',
	};
	return 0;
}

/* Reads the name. The slashes in front go: all names begin at the root. */
static int read_name(struct cpio *c, const struct cpio_member *m, char *name)
{
	uint32_t length = m->name_size, slashes = 0;

	if (!length || length > CPIO_NAME_MOST)
		return damaged(c, "a name is empty, or longer than 4095 bytes");
	if (length > c->size - m->name_at)
		return damaged(c, "it ends in a name");
	c->read(c, m->name_at, name, length);
	if (name[length - 1] || strlen(name) != length - 1)
		return damaged(c, "a name is not as long as its header says");
	while (name[slashes] == '/')
		slashes++;
	memmove(name, name + slashes, length - slashes);
	return 0;
}

int cpio_next(struct cpio *c, struct cpio_member *m, char *name)
{
	int err = 0;

	while (!err) {
		if (c->at >= c->size)
			return damaged(c, "it ends without a trailer");
		err = read_header(c, m);
		if (!err)
			err = read_name(c, m, name);
		if (err)
			break;
		m->data_at = round_up(m->name_at + m->name_size);
		if (m->data_at > c->size || m->data_size > c->size - m->data_at)
			return damaged(c, "it ends in the data of a file");
		c->at = round_up(m->data_at + m->data_size);
		if (strcmp(name, TRAILER) != 0)
			break;
		/* Whoever knows of links by number begins anew behind it. */
		c->archive++;
		err = skip_zeros(c);
	}
	return err;
}
