/*
 * fs/procfs.c - /proc. Owns nothing that lasts: its files are made when a path comes along, and go with the last who
 * uses them. A text is made by the first read from its beginning, and stays as it was for that open file.
 */
#include <fs/file.h>
#include <fs/procfs.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/slab.h>

#define TEXT_FIRST 1024u
#define TEXT_MOST  (4u << 20)

/* Numbers of its files: the root's, self's, then as many for each process as it can have. */
enum { NUMBER_ROOT = 1, NUMBER_SELF, NUMBER_FIRST };
#define NUMBER_OF(pid, what) (NUMBER_FIRST + (uint32_t)(pid) * (PROC_TEXTS + 1) + (what))
#define NUMBER_OF_DIR(pid)   NUMBER_OF(pid, PROC_TEXTS)

/* The directory of a process and the root go on with their files behind this place. */
#define PLACE_SELF  (DIR_FIRST_PLACE + PROC_TEXTS)
#define PLACE_FIRST (PLACE_SELF + 1)

static const char *const names[PROC_TEXTS] = {
	[PROC_MAPS] = "maps",       [PROC_STATUS] = "status",   [PROC_STAT] = "stat",
	[PROC_STATM] = "statm",     [PROC_CMDLINE] = "cmdline", [PROC_COMM] = "comm",
	[PROC_TABLES] = "tables",   [PROC_MEMINFO] = "meminfo", [PROC_UPTIME] = "uptime",
	[PROC_VERSION] = "version",
};

static bool is_name(const char *name, uint32_t length, const char *wanted)
{
	return strlen(wanted) == length && !memcmp(name, wanted, length);
}

/* Reads a number without zeros in front; 0 for anything else. */
static int32_t pid_of(const char *name, uint32_t length)
{
	int32_t pid = 0;

	if (!length || length > 9 || name[0] == '0')
		return 0;
	for (uint32_t i = 0; i < length; i++) {
		if (name[i] < '0' || name[i] > '9')
			return 0;
		pid = pid * 10 + name[i] - '0';
	}
	return pid;
}

/* Makes a file of /proc; it has no content of its own. */
static struct inode *make(uint32_t mode, uint32_t number)
{
	struct inode *i = inode_create(0, 0);

	if (!i)
		return NULL;
	i->mode = mode;
	i->device = PROC_DEVICE;
	i->number = number;
	i->links = 1;
	return i;
}

static int make_text(enum proc_text what, int32_t pid, struct inode **out)
{
	struct inode *i = make(S_IFREG | 0444, NUMBER_OF(pid, what));

	if (!i)
		return -ENOMEM;
	i->ops = &proc_text_ops;
	i->text.pid = pid;
	i->text.what = what;
	*out = i;
	return 0;
}

static int lookup_text(const char *name, uint32_t length, int32_t pid, struct inode **out)
{
	uint32_t from = pid ? 0 : PROC_TEXTS_OF_ALL, to = pid ? PROC_TEXTS_OF_ALL : PROC_TEXTS;

	for (uint32_t what = from; what < to; what++)
		if (is_name(name, length, names[what]))
			return make_text((enum proc_text)what, pid, out);
	return -ENOENT;
}

/* Fills in the text at a place of a directory, if it has one there or behind. */
static bool next_text(uint64_t place, int32_t pid, struct listed *out)
{
	uint32_t from = pid ? 0 : PROC_TEXTS_OF_ALL, to = pid ? PROC_TEXTS_OF_ALL : PROC_TEXTS;
	uint64_t what = place - DIR_FIRST_PLACE < from ? from : place - DIR_FIRST_PLACE;

	if (what >= to)
		return false;
	*out = (struct listed){.name = names[what],
			       .length = (uint32_t)strlen(names[what]),
			       .mode = S_IFREG,
			       .number = NUMBER_OF(pid, (uint32_t)what),
			       .next = DIR_FIRST_PLACE + what + 1};
	return true;
}

/* A process's directory. */

static bool process_is_there(int32_t pid)
{
	return proc_next(pid - 1) == pid;
}

static int lookup_of_process(struct inode *dir, const char *name, uint32_t length, struct inode **out)
{
	int32_t pid = (int32_t)((dir->number - NUMBER_FIRST) / (PROC_TEXTS + 1));

	return process_is_there(pid) ? lookup_text(name, length, pid, out) : -ENOENT;
}

static bool next_of_process(struct inode *dir, uint64_t place, struct listed *out)
{
	int32_t pid = (int32_t)((dir->number - NUMBER_FIRST) / (PROC_TEXTS + 1));

	return process_is_there(pid) && next_text(place, pid, out);
}

static const struct dir_ops process_ops = {.lookup = lookup_of_process, .next = next_of_process};

/* The root. */

static int make_self(struct inode **out)
{
	char target[16];
	struct inode *i;
	int err;

	text_format(target, sizeof(target), "%d", proc_self());
	err = inode_create_link(target, &i);
	if (err)
		return err;
	i->device = PROC_DEVICE;
	i->number = NUMBER_SELF;
	i->links = 1;
	*out = i;
	return 0;
}

static int make_process(struct inode *root, int32_t pid, struct inode **out)
{
	struct inode *i = make(S_IFDIR | 0555, NUMBER_OF_DIR(pid));

	if (!i)
		return -ENOMEM;
	i->links = 2;
	i->dir.ops = &process_ops;
	i->dir.parent = root;
	inode_get(root);
	*out = i;
	return 0;
}

static int lookup_in_root(struct inode *dir, const char *name, uint32_t length, struct inode **out)
{
	int32_t pid = pid_of(name, length);

	if (pid)
		return process_is_there(pid) ? make_process(dir, pid, out) : -ENOENT;
	if (is_name(name, length, "self"))
		return make_self(out);
	return lookup_text(name, length, 0, out);
}

static bool next_in_root(struct inode *dir, uint64_t place, struct listed *out)
{
	static char digits[16]; /* until the next name is asked for */
	int32_t pid;

	(void)dir;
	if (next_text(place, 0, out))
		return true;
	if (place <= PLACE_SELF) {
		*out = (struct listed){"self", 4, S_IFLNK, NUMBER_SELF, PLACE_FIRST};
		return true;
	}
	pid = place - PLACE_FIRST > INT32_MAX ? 0 : proc_next((int32_t)(place - PLACE_FIRST));
	if (!pid)
		return false;
	*out = (struct listed){.name = digits,
			       .length = (uint32_t)text_format(digits, sizeof(digits), "%d", pid),
			       .mode = S_IFDIR,
			       .number = NUMBER_OF_DIR(pid),
			       .next = PLACE_FIRST + (uint32_t)pid};
	return true;
}

static const struct dir_ops root_ops = {.lookup = lookup_in_root, .next = next_in_root};

struct inode *procfs_create(void)
{
	struct inode *i = inode_create(S_IFDIR | 0555, 0);

	if (i) {
		i->device = PROC_DEVICE;
		i->number = NUMBER_ROOT;
		i->dir.ops = &root_ops;
	}
	return i;
}

/* Its files. */

/* Makes the text, however long it is. 0, -ESRCH or -ENOMEM. */
static int make_whole_text(struct file *f)
{
	const struct inode *i = f->inode;
	uint32_t size = TEXT_FIRST;

	while (size <= TEXT_MOST) {
		char *text = kmalloc(size);
		int32_t length;

		if (!text)
			return -ENOMEM;
		length = proc_print((enum proc_text)i->text.what, i->text.pid, text, size);
		if (length >= 0 && (uint32_t)length <= size) {
			kmfree(f->text);
			f->text = text;
			f->text_length = (uint32_t)length;
			return 0;
		}
		kmfree(text);
		if (length < 0)
			return length;
		while (size < (uint32_t)length)
			size *= 2;
	}
	return -ENOMEM;
}

static int32_t read_text(struct file *f, struct uio *u, uint64_t at)
{
	uint32_t n, copied;
	int err = !f->text || !at ? make_whole_text(f) : 0;

	if (err)
		return err;
	if (at >= f->text_length || !u->left)
		return 0;
	n = u->left < f->text_length - at ? u->left : f->text_length - (uint32_t)at;
	copied = uio_to_user(u, f->text + at, n);
	return copied ? (int32_t)copied : -EFAULT;
}

const struct file_ops proc_text_ops = {.read = read_text};
