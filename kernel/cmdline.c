/* kernel/cmdline.c - reads the command line. Owns kernel_options. Pure but for that. */
#include <kernel/cmdline.h>
#include <lib/string.h>

struct kernel_options kernel_options;

/* One word of the line. */
struct word {
	const char *text;
	size_t length;
};

static bool word_is(struct word w, const char *text)
{
	return w.length == strlen(text) && !strncmp(w.text, text, w.length);
}

/* True for "key=..."; then *value is what follows. */
static bool word_has_key(struct word w, const char *key, struct word *value)
{
	size_t length = strlen(key);

	if (w.length <= length || strncmp(w.text, key, length) || w.text[length] != '=')
		return false;
	*value = (struct word){w.text + length + 1, w.length - length - 1};
	return true;
}

static bool read_number(struct word w, uint32_t *number)
{
	uint32_t sum = 0;

	if (!w.length)
		return false;
	for (size_t i = 0; i < w.length; i++) {
		uint32_t digit = (uint32_t)(uint8_t)w.text[i] - '0';

		if (digit > 9 || sum > (UINT32_MAX - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	*number = sum;
	return true;
}

/* What is too long is left out: a part of a path would be another one. */
static bool read_whole(struct word w, char *to, size_t size)
{
	return w.length < size && string_copy(to, size, w.text, w.length);
}

static bool read_test(struct word value, struct kernel_options *o)
{
	o->test = true;
	o->list = word_is(value, "list");
	return string_copy(o->only, sizeof(o->only), o->list ? "" : value.text, value.length);
}

/* Of programs: which comes first, and what it may have. */
static bool read_program_word(struct word w, struct kernel_options *o)
{
	struct word value;
	uint32_t number;

	if (word_has_key(w, "init", &value))
		return read_whole(value, o->init, sizeof(o->init));
	if (word_has_key(w, "quota", &value))
		return read_number(value, &o->quota);
	if (word_has_key(w, "log", &value) && word_is(value, "calls"))
		return o->log_calls = true;
	if (!word_has_key(w, "overcommit", &value) || !read_number(value, &number) || number > 2)
		return false;
	o->overcommit = number;
	return true;
}

static bool read_argument(struct word w, struct kernel_options *o)
{
	bool fits = o->argument_count < CMDLINE_ARGUMENTS &&
		    read_whole(w, o->argument[o->argument_count], sizeof(o->argument[0]));

	o->argument_count += fits;
	return fits;
}

static bool read_word(struct word w, struct kernel_options *o)
{
	struct word value;

	if (word_is(w, "test"))
		return o->test = true;
	if (word_is(w, "bench"))
		return o->bench = true;
	if (word_is(w, "exit"))
		return o->exit = true;
	if (word_has_key(w, "test", &value))
		return read_test(value, o);
	if (word_has_key(w, "seed", &value))
		return read_number(value, &o->seed);
	if (word_has_key(w, "cpu", &value) && word_is(value, "486"))
		return o->as_486 = true;
	if (word_has_key(w, "selftest", &value) && word_is(value, "off"))
		return o->no_selftest = true;
	return read_program_word(w, o);
}

void cmdline_parse(const char *line, struct kernel_options *options)
{
	bool (*read)(struct word, struct kernel_options *) = read_word;

	*options = (struct kernel_options){.test = false};
	while (*line) {
		struct word w = {line, 0};

		while (w.text[w.length] && w.text[w.length] != ' ')
			w.length++;
		line += w.length ? w.length : 1;
		if (w.length == 2 && read == read_word && word_is(w, "--"))
			read = read_argument;
		else if (w.length && !read(w, options))
			options->not_known++;
	}
}
