/*
 * fs/path.c - walks along paths. Owns nothing; a walk holds references on where it is and on the symbolic links whose
 * targets it reads.
 *
 *	/a/link/c     rest: "c"               at the link: outer[0] = the path, its rest "c"
 *	   link -> x/y                        rest: "x/y"; when that is done, on with "c"
 *
 * A link behind which nothing follows takes the place of the path that led to it, so only the last part of a path ends
 * with nothing to go on with.
 */
#include <fs/path.h>
#include <lib/string.h>
#include <mm/slab.h>

int walk_begin(struct walk *w, struct inode *root, struct inode *base, const char *path)
{
	w->root = root;
	w->at = *path == '/' ? root : base;
	inode_get(w->at);
	w->rest = path;
	w->links = 0;
	w->depth = 0;
	w->outer[0].link = NULL;
	w->slash = false;
	if (!*path)
		return -ENOENT;
	return inode_is(w->at, S_IFDIR) ? 0 : -ENOTDIR;
}

void walk_end(struct walk *w)
{
	for (uint32_t i = 0; i <= w->depth; i++)
		if (w->outer[i].link)
			inode_put(w->outer[i].link);
	inode_put(w->at);
}

/* Goes to a directory whose reference it takes. */
static void go_to(struct walk *w, struct inode *i)
{
	inode_put(w->at);
	w->at = i;
}

static void go_up(struct walk *w)
{
	struct inode *parent = w->at == w->root ? w->root : w->at->dir.parent;

	inode_get(parent);
	go_to(w, parent);
}

/* Begins a link's target, and holds the link. */
static int enter(struct walk *w, struct inode *link)
{
	if (++w->links > PATH_LINKS_MOST)
		return -ELOOP;
	if (*w->rest)
		w->outer[w->depth++].rest = w->rest;
	else if (w->outer[w->depth].link)
		inode_put(w->outer[w->depth].link);
	inode_get(link);
	w->outer[w->depth].link = link;
	w->rest = link->target;
	if (*w->rest == '/') {
		inode_get(w->root);
		go_to(w, w->root);
	}
	return 0;
}

/* Ends the target of a link that was in the middle of a path. */
static void leave(struct walk *w)
{
	inode_put(w->outer[w->depth].link);
	w->rest = w->outer[--w->depth].rest;
}

/* Cuts the next component off the rest. */
static int cut(struct walk *w)
{
	const char *s = w->rest;

	while (*s && *s != '/')
		s++;
	w->last = w->rest;
	w->last_length = (uint32_t)(s - w->rest);
	w->kind = LAST_NAME;
	if (w->last[0] == '.' && w->last_length == 1)
		w->kind = LAST_DOT;
	else if (w->last[0] == '.' && w->last[1] == '.' && w->last_length == 2)
		w->kind = LAST_DOTDOT;
	if (!w->depth && *s == '/') {
		const char *end = s;

		while (*end == '/')
			end++;
		w->slash |= !*end;
	}
	while (*s == '/')
		s++;
	w->rest = s;
	return w->last_length > NAME_MAX ? -ENAMETOOLONG : 0;
}

/* Goes into a component in the middle of the path. */
static int step(struct walk *w)
{
	struct inode *next;
	int err;

	if (w->kind == LAST_DOT)
		return 0;
	if (w->kind == LAST_DOTDOT) {
		go_up(w);
		return 0;
	}
	err = dir_lookup(w->at, w->last, w->last_length, &next);
	if (err)
		return err;
	if (inode_is(next, S_IFLNK)) {
		err = enter(w, next);
		inode_put(next);
		return err;
	}
	go_to(w, next);
	return inode_is(next, S_IFDIR) ? 0 : -ENOTDIR;
}

int walk_parent(struct walk *w)
{
	int err;

	while (*w->rest == '/')
		w->rest++;
	if (!*w->rest && !w->depth) {
		w->kind = LAST_ROOT;
		return 0;
	}
	while (true) {
		if (!*w->rest) {
			leave(w);
			continue;
		}
		err = cut(w);
		if (err || (!*w->rest && !w->depth))
			return err;
		err = step(w);
		if (err)
			return err;
		while (*w->rest == '/')
			w->rest++;
	}
}

int walk_look(struct walk *w, struct inode **out)
{
	if (w->kind == LAST_NAME)
		return dir_lookup(w->at, w->last, w->last_length, out);
	*out = w->at;
	if (w->kind == LAST_DOTDOT)
		*out = w->at == w->root ? w->root : w->at->dir.parent;
	inode_get(*out);
	return 0;
}

int walk_follow(struct walk *w, struct inode *link)
{
	int err = enter(w, link);

	return err ? err : walk_parent(w);
}

/* Goes to the end of a path that begins well. */
static int find(struct walk *w, uint32_t how, struct inode **out)
{
	int err = walk_parent(w);

	while (!err) {
		struct inode *i;

		err = walk_look(w, &i);
		if (err)
			break;
		if (!inode_is(i, S_IFLNK) || !(how & PATH_FOLLOW || w->slash)) {
			*out = i;
			break;
		}
		err = walk_follow(w, i);
		inode_put(i);
	}
	return err;
}

int path_find(const struct fs_context *fs, struct inode *base, const char *path, uint32_t how,
	      struct inode **out)
{
	struct walk w;
	int err = walk_begin(&w, fs->root, base, path);

	if (!err)
		err = find(&w, how, out);
	if (!err && (how & PATH_DIRECTORY || w.slash) && !inode_is(*out, S_IFDIR)) {
		inode_put(*out);
		err = -ENOTDIR;
	}
	walk_end(&w);
	return err;
}

/* Puts a name and the slash before it in front of what is in out[*at..). */
static bool prepend(const char *name, uint32_t length, char *out, uint32_t *at)
{
	if (*at < length + 1)
		return false;
	*at -= length;
	memcpy(out + *at, name, length);
	out[--*at] = '/';
	return true;
}

/* Finds the name that a directory has in its parent, which may make its names up. */
static bool name_of(const struct inode *dir, struct listed *out)
{
	struct inode *parent = dir->dir.parent;
	uint64_t place = DIR_FIRST_PLACE;

	if (dir->entry) {
		*out = (struct listed){.name = dir->entry->name, .length = dir->entry->length};
		return true;
	}
	while (parent->dir.ops && parent->dir.ops->next(parent, place, out)) {
		if (out->number == dir->number)
			return true;
		place = out->next;
	}
	return false;
}

/* Puts the path of a directory in front of what is in out[at..size), and moves all of it to the beginning. */
static int32_t finish_path(const struct inode *root, const struct inode *dir, char *out,
			   const uint32_t span[2])
{
	uint32_t at = span[0], size = span[1];
	struct listed name;

	while (dir != root && dir->dir.parent != dir) {
		if (!name_of(dir, &name))
			return -ENOENT;
		if (!prepend(name.name, name.length, out, &at))
			return -ERANGE;
		dir = dir->dir.parent;
	}
	if (at == size - 1) {
		if (!at)
			return -ERANGE;
		out[--at] = '/';
	}
	memmove(out, out + at, size - at);
	return (int32_t)(size - at);
}

int32_t path_of_directory(const struct inode *root, const struct inode *dir, char *out, uint32_t size)
{
	out[size - 1] = '\0';
	return finish_path(root, dir, out, (uint32_t[2]){size - 1, size});
}

int32_t path_of_entry(const struct entry *e, char *out, uint32_t size)
{
	uint32_t at = size - 1;

	out[at] = '\0';
	if (!prepend(e->name, e->length, out, &at))
		return -ERANGE;
	return finish_path(NULL, e->dir, out, (uint32_t[2]){at, size});
}

void path_of_mapping(const struct mapping *m, char out[static PATH_SHOWN])
{
	const struct entry *e = inode_name_of_mapping(m);

	if (e ? path_of_entry(e, out, PATH_SHOWN) < 0 : !m->name)
		out[0] = '\0';
	else if (!e)
		memcpy(out, m->name, strlen(m->name) + 1);
}

void path_keep(const struct entry *e)
{
	static const char deleted[] = " (deleted)";
	struct inode *i = e->inode;
	char path[PATH_SHOWN], *kept;
	int32_t length;

	if (!inode_is(i, S_IFREG) || i->entry != e || (i->refs == 1 && i->mapping.refs == 1))
		return;
	length = path_of_entry(e, path, sizeof(path) - sizeof(deleted));
	kept = length < 0 ? NULL : kmalloc((uint32_t)length + sizeof(deleted));
	if (kept) {
		memcpy(kept, path, (uint32_t)length - 1);
		memcpy(kept + length - 1, deleted, sizeof(deleted));
	}
	kmfree((void *)(uintptr_t)i->mapping.name);
	i->mapping.name = kept;
}
