/* The table that fairlead ls prints, made of a machine listing (RFC 3659 section 7) as it came.
 *
 * Only what nearly all lines of all servers look like is read here. At the first line that is not so, Python makes the
 * whole table: cli/table.py, which this has to agree with. Lengths are counted in octets, so all facts have to be ASCII.
 */
#include "accelerator.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum column { PERMISSIONS, OWNER, GROUP, SIZE, MODIFIED, COLUMNS };

enum {
    LETTERS = 9,       /* of rwxr-xr-x */
    TIME_DIGITS = 14,  /* of YYYYMMDDHHMMSS */
    TIME_WIDTH = 16,   /* of YYYY-MM-DD HH:MM */
    SIZE_DIGITS = 20,  /* of proto/entry.py */
    MODE_DIGITS = 6,   /* as well */
    WIDEST = 255,      /* a table of wider columns is worth no haste */
    FIRST_ROWS = 1024,
};

#define ARROW " -> "

struct text {
    const char *at; /* NULL where it is not told */
    size_t length;
};

struct row {
    struct text name, target, column[COLUMNS];
    char kind;
    bool has_mode; /* letters are the permissions, else what the column has */
    char letters[LETTERS];
};

struct table {
    struct row *rows;
    size_t count, room;
    size_t width[COLUMNS];
    size_t length; /* of all names and targets */
    bool sorted;
};

EXPORTED struct table *fairlead_table_read(const char *octets, size_t length, size_t *size);
EXPORTED size_t fairlead_table_finish(struct table *table, char *to);

static char small(char octet) {
    return octet >= 'A' && octet <= 'Z' ? (char)(octet + ('a' - 'A')) : octet;
}

/* Whether a text begins with what is in small letters, whatever its own are. */
static bool begins(struct text text, const char *with) {
    size_t length = strlen(with);
    if (text.length < length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (small(text.at[i]) != with[i])
            return false;
    return true;
}

static bool is(struct text text, const char *other) {
    return text.length == strlen(other) && begins(text, other);
}

/* Split at the first such octet; without one, all stands before it. */
static struct text before(struct text text, char octet, struct text *rest) {
    const char *at = memchr(text.at, octet, text.length);
    struct text first = {text.at, at ? (size_t)(at - text.at) : text.length};
    size_t taken = first.length + (at != NULL);
    *rest = (struct text){text.at + taken, text.length - taken};
    return first;
}

static bool all_digits(struct text text) {
    for (size_t i = 0; i < text.length; i++)
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    return true;
}

static int number(const char *digits, int count) {
    int value = 0;
    while (count--)
        value = value * 10 + (*digits++ - '0');
    return value;
}

static bool is_time(struct text text) {
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (text.length != TIME_DIGITS || !all_digits(text))
        return false;
    int year = number(text.at, 4), month = number(text.at + 4, 2), day = number(text.at + 6, 2);
    if (!year || !month || month > 12 || !day || day > days[month - 1])
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (month == 2 && day == 29 && !leap)
        return false;
    return number(text.at + 8, 2) < 24 && number(text.at + 10, 2) < 60 && number(text.at + 12, 2) < 60;
}

/* The letters of a mode in octal, as stat.filemode has them. */
static bool read_mode(struct text text, char *letters) {
    unsigned mode = 0;
    if (text.length > MODE_DIGITS)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] < '0' || text.at[i] > '7')
            return false;
        mode = mode * 8 + (unsigned)(text.at[i] - '0');
    }
    for (int who = 0; who < 3; who++) {
        unsigned bits = mode >> (6 - 3 * who) & 7;
        bool special = mode >> (11 - who) & 1;
        letters[3 * who] = bits & 4 ? 'r' : '-';
        letters[3 * who + 1] = bits & 2 ? 'w' : '-';
        letters[3 * who + 2] = special ? "SsTt"[(who == 2 ? 2U : 0U) + (bits & 1)] : bits & 1 ? 'x' : '-';
    }
    return true;
}

static bool is_kept_apart(struct text name) {
    return (name.length == 1 || name.length == 2) && !memcmp(name.at, "..", name.length);
}

/* What a type tells; false where it tells of a heading. */
static bool read_type(struct text type, struct row *row) {
    struct text value, target;
    row->kind = '?';
    if (is(type, "cdir") || is(type, "pdir"))
        return false;
    if (!type.length || is(type, "file")) {
        row->kind = '-';
    } else if (is(type, "dir")) {
        row->kind = 'd';
    } else {
        before(type, '=', &value);
        if (begins(value, "slink") || begins(value, "symlink")) {
            row->kind = 'l';
            before(type, ':', &target);
            if (target.length)
                row->target = target;
        }
    }
    return true;
}

enum line { ROW, NOTHING, FOREIGN };

/* The facts, each with a semicolon behind it. */
static enum line read_facts(struct text facts, struct row *row) {
    struct text type = {"file", 4}, mode = {NULL, 0};
    while (facts.length) {
        struct text value, fact = before(facts, ';', &facts), label = before(fact, '=', &value);
        if (label.length == fact.length)
            return FOREIGN;
        if (is(label, "type"))
            type = value;
        else if (is(label, "size"))
            row->column[SIZE] = value;
        else if (is(label, "modify"))
            row->column[MODIFIED] = value;
        else if (is(label, "perm"))
            row->column[PERMISSIONS] = value;
        else if (is(label, "unix.owner"))
            row->column[OWNER] = value;
        else if (is(label, "unix.group"))
            row->column[GROUP] = value;
        else if (is(label, "unix.mode"))
            mode = value;
    }
    if (!read_type(type, row))
        return NOTHING;
    if (mode.length) {
        if (!read_mode(mode, row->letters))
            return FOREIGN;
        row->has_mode = true;
        row->column[PERMISSIONS] = (struct text){NULL, LETTERS}; /* rows move while they are read and sorted */
    }
    struct text *size = &row->column[SIZE], *modified = &row->column[MODIFIED];
    if (size->length > SIZE_DIGITS || !all_digits(*size))
        return FOREIGN;
    for (; size->length > 1 && *size->at == '0'; size->length--)
        size->at++;
    if (modified->length && !is_time(*modified))
        return FOREIGN;
    return ROW;
}

static enum line read_line(struct text line, struct row *row) {
    struct text facts = before(line, ' ', &row->name);
    for (int ends = 0; ends < 2 && row->name.length && row->name.at[row->name.length - 1] == '\r'; ends++)
        row->name.length--;
    if (!row->name.length || facts.length < 2 || facts.at[facts.length - 1] != ';')
        return FOREIGN;
    for (size_t i = 0; i < facts.length; i++)
        if (facts.at[i] & 0x80)
            return FOREIGN;
    enum line what = read_facts(facts, row);
    return what == ROW && is_kept_apart(row->name) ? NOTHING : what;
}

static size_t width_of(const struct row *row, int column) {
    size_t length = row->column[column].length;
    if (column == PERMISSIONS)
        return 1 + length;
    return column == MODIFIED && length ? TIME_WIDTH : length;
}

static int by_name(const struct text *one, const struct text *other) {
    size_t shared = one->length < other->length ? one->length : other->length;
    int order = memcmp(one->at, other->at, shared);
    return order ? order : (one->length > other->length) - (one->length < other->length);
}

/* Of two with one name, the one that came first goes first. */
static int in_order(const void *first, const void *second) {
    const struct row *one = first, *other = second;
    int order = by_name(&one->name, &other->name);
    return order ? order : (one->name.at > other->name.at) - (one->name.at < other->name.at);
}

static struct row *next_row(struct table *table) {
    if (table->count == table->room) {
        size_t room = table->room ? table->room * 2 : FIRST_ROWS;
        struct row *rows = reallocarray(table->rows, room, sizeof *rows);
        if (!rows)
            return NULL;
        table->rows = rows;
        table->room = room;
    }
    struct row *row = &table->rows[table->count];
    *row = (struct row){.kind = '-'};
    return row;
}

static bool read_all(struct table *table, struct text left) {
    while (left.length) {
        struct text line = before(left, '\n', &left);
        struct row *row = next_row(table);
        if (!row)
            return false;
        enum line what = read_line(line, row);
        if (what == FOREIGN)
            return false;
        if (what == NOTHING)
            continue;
        for (int column = 0; column < COLUMNS; column++) {
            size_t width = width_of(row, column);
            if (width > WIDEST)
                return false;
            if (width > table->width[column])
                table->width[column] = width;
        }
        table->length += row->name.length + (row->target.at ? strlen(ARROW) + row->target.length : 0) + 1;
        table->sorted = table->sorted && (!table->count || by_name(&row[-1].name, &row->name) <= 0);
        table->count++;
    }
    return true;
}

/* The rows of a listing that ends with a line end, and how many octets the table takes; NULL where Python has to make
 * it. The octets have to stay until it is written. */
struct table *fairlead_table_read(const char *octets, size_t length, size_t *size) {
    struct table *table = calloc(1, sizeof *table);
    if (!table)
        return NULL;
    table->sorted = true;
    if (!read_all(table, (struct text){octets, length})) {
        free(table->rows);
        free(table);
        return NULL;
    }
    if (!table->sorted)
        qsort(table->rows, table->count, sizeof *table->rows, in_order);
    size_t columns = 0;
    for (int column = 0; column < COLUMNS; column++)
        if (table->width[column])
            columns += table->width[column] + 1;
    *size = table->length + table->count * columns;
    return table;
}

/* The text with a question mark for each control character, those of two octets as well (U+0080 to U+009F). */
static char *put_masked(char *to, struct text text) {
    for (size_t i = 0; i < text.length; i++) {
        unsigned char octet = (unsigned char)text.at[i];
        bool two = octet == 0xc2 && i + 1 < text.length && ((unsigned char)text.at[i + 1] & 0xe0) == 0x80;
        *to++ = octet < 0x20 || octet == 0x7f || two ? '?' : (char)octet;
        i += two;
    }
    return to;
}

/* What a column has, without what fills it up. */
static char *put_column(char *to, const struct row *row, int column) {
    struct text text = row->column[column];
    if (column == PERMISSIONS) {
        *to++ = row->kind;
        if (row->has_mode)
            text.at = row->letters;
    }
    if (column != MODIFIED || !text.length)
        return put_masked(to, text);
    for (const char *form = "YYYY-MM-DD HH:MM"; *form; form++)
        *to++ = *form >= 'A' ? *text.at++ : *form;
    return to;
}

static char *put_filling(char *to, size_t count) {
    memset(to, ' ', count);
    return to + count;
}

static char *put_row(char *to, const struct table *table, const struct row *row) {
    for (int column = 0; column < COLUMNS; column++) {
        if (!table->width[column])
            continue;
        size_t filling = table->width[column] - width_of(row, column);
        if (column == SIZE)
            to = put_filling(to, filling);
        to = put_column(to, row, column);
        if (column != SIZE)
            to = put_filling(to, filling);
        *to++ = ' ';
    }
    to = put_masked(to, row->name);
    if (row->target.at) {
        to = put_masked(to, (struct text){ARROW, strlen(ARROW)});
        to = put_masked(to, row->target);
    }
    *to++ = '\n';
    return to;
}

/* Write the table, and let go of it; returns how many octets it has: a control character of two becomes one. */
size_t fairlead_table_finish(struct table *table, char *to) {
    char *end = to;
    for (size_t i = 0; i < table->count; i++)
        end = put_row(end, table, &table->rows[i]);
    free(table->rows);
    free(table);
    return (size_t)(end - to);
}
