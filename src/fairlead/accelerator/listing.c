/* The lines of a directory, as a layout of proto/listing/layout.py says.
 *
 * This side reads the directory and the status of each entry, and writes numbers, times and names into frames. A frame
 * is what all lines of one kind have in common: Python makes it the first time a mode, an owner, ... is met. What only
 * Python knows how to show (see foreign) it gets by name, and puts its line where it belongs.
 */
#define _GNU_SOURCE
#include "accelerator.h"
#include "columns.h"
#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum slot { NOTHING, SIZE, SIZE_COLUMN, MODIFIED, DATE, INODE, NAME, TARGET };

enum {
    SIZE_COLUMNS = 12,
    LONGEST_TEXT = 255,  /* what the length of a text in a frame can say */
    TARGET_ROOM = 4096,  /* the longest link that is read, and then some */
    FRAMES = 512,        /* remembered; a power of two */
};

#define ARROW " -> "

/* How a listing is made; lines.py has the same structure. */
struct layout {
    int64_t first_recent, end_recent; /* minutes since the epoch */
    int64_t sorted_limit;             /* the largest directory that is sorted */
    const char *hidden;               /* names that begin so are handed over */
    int32_t utc, masks, follows, bare;
};

/* What stopped fairlead_listing_fill; lines.py has the same numbers. */
enum stop {
    END,       /* no entries are left */
    FULL,      /* the next line does not fit */
    FRAMELESS, /* the entry's frame is not known; fairlead_listing_frame takes it */
    FOREIGN,   /* the entry's line is Python's */
    FAULT,     /* errno says which */
};

struct frame {
    uint64_t device, links;
    uint32_t mode, owner, group;
    uint32_t names, targets; /* how many slots for them it has */
    size_t room;             /* octets that a line takes at most, names and targets apart */
    unsigned char *octets;   /* NULL where there is no frame here */
};

struct listing {
    struct directory *directory;
    struct layout layout;
    size_t hidden_length;
    const struct entry *entry; /* the one that is worked on */
    bool held;                 /* whether it waits for room or a frame */
    size_t name_length, target_length;
    int64_t date_minute;
    char date[COLUMN_ROOM];
    struct frame frames[FRAMES];
    char target[TARGET_ROOM];
};

EXPORTED struct listing *fairlead_listing_open(int directory, const struct layout *layout);
EXPORTED int fairlead_listing_fill(struct listing *listing, char *buffer, size_t size, size_t *written);
EXPORTED const struct entry *fairlead_listing_entry(const struct listing *listing);
EXPORTED int fairlead_listing_frame(struct listing *listing, const unsigned char *octets, size_t length);
EXPORTED void fairlead_listing_close(struct listing *listing);

/* Takes over a descriptor of a directory, unless it fails (NULL and errno). */
struct listing *fairlead_listing_open(int directory, const struct layout *layout) {
    struct listing *listing = calloc(1, sizeof *listing);
    if (!listing)
        return NULL;
    listing->directory = directory_open(directory, (size_t)layout->sorted_limit, layout->bare);
    if (!listing->directory) {
        int number = errno;
        free(listing);
        errno = number;
        return NULL;
    }
    listing->layout = *layout;
    listing->hidden_length = strlen(layout->hidden);
    listing->date_minute = -1;
    return listing;
}

void fairlead_listing_close(struct listing *listing) {
    directory_close(listing->directory);
    for (size_t i = 0; i < FRAMES; i++)
        free(listing->frames[i].octets);
    free(listing);
}

const struct entry *fairlead_listing_entry(const struct listing *listing) {
    return listing->entry;
}

/* Whether the text of a link could be read and may be shown is in target_length; false where it is gone. */
static bool read_target(struct listing *listing) {
    int directory = directory_descriptor(listing->directory);
    ssize_t length = readlinkat(directory, listing->entry->name, listing->target, TARGET_ROOM);
    if (length < 0)
        return false;
    /* An absolute one would show the real tree and is never followed. */
    listing->target_length = length && listing->target[0] != '/' ? (size_t)length : 0;
    return true;
}

/* The end of the year 9999: what four digits cannot tell is Python's. */
#define CALENDAR_END 253402300800

static bool foreign(const struct listing *listing) {
    const struct entry *entry = listing->entry;
    return (S_ISLNK(entry->mode) && listing->layout.follows) || entry->modified < 0 || entry->modified >= CALENDAR_END ||
           entry->size < 0;
}

static struct frame *place_of_frame(struct listing *listing) {
    const struct entry *entry = listing->entry;
    uint64_t hash = entry->mode;
    hash = hash * 0x9E3779B97F4A7C15u + entry->owner;
    hash = hash * 0x9E3779B97F4A7C15u + entry->group;
    hash = hash * 0x9E3779B97F4A7C15u + entry->links;
    hash = hash * 0x9E3779B97F4A7C15u + entry->device;
    return &listing->frames[(hash * 0x9E3779B97F4A7C15u >> 32) & (FRAMES - 1)];
}

static const struct frame *find_frame(struct listing *listing) {
    const struct entry *entry = listing->entry;
    const struct frame *frame = place_of_frame(listing);
    bool same = frame->octets && frame->mode == entry->mode && frame->owner == entry->owner &&
                frame->group == entry->group && frame->links == entry->links && frame->device == entry->device;
    return same ? frame : NULL;
}

/* Keeps the frame of the entry that had none; 0, or -1 and errno (EINVAL where it is none). */
int fairlead_listing_frame(struct listing *listing, const unsigned char *octets, size_t length) {
    struct frame frame = {.room = 0};
    const unsigned char *at = octets, *end = octets + length;
    for (;;) {
        if (end - at < 2 || end - at < *at + 2) {
            errno = EINVAL;
            return -1;
        }
        size_t text = *at;
        enum slot slot = at[text + 1];
        at += text + 2;
        frame.room += text + (slot == NOTHING ? 0 : COLUMN_ROOM);
        frame.names += slot == NAME;
        frame.targets += slot == TARGET;
        if (slot == NOTHING && text < LONGEST_TEXT)
            break;
    }
    frame.octets = malloc(length);
    if (!frame.octets)
        return -1;
    memcpy(frame.octets, octets, length);
    frame.device = listing->entry->device;
    frame.links = listing->entry->links;
    frame.mode = listing->entry->mode;
    frame.owner = listing->entry->owner;
    frame.group = listing->entry->group;
    struct frame *place = place_of_frame(listing);
    free(place->octets);
    *place = frame;
    return 0;
}

/* Puts a name, control characters as ?. */
static char *put_name(const struct listing *listing, char *to, const char *name, size_t length) {
    if (!listing->layout.masks) {
        memcpy(to, name, length);
        return to + length;
    }
    for (const char *end = name + length; name < end; name++)
        *to++ = (unsigned char)*name < ' ' || *name == 127 ? '?' : *name;
    return to;
}

static char *put_line(const struct listing *listing, char *to, const struct frame *frame) {
    const struct entry *entry = listing->entry;
    const unsigned char *at = frame->octets;
    for (;;) {
        size_t text = *at++;
        memcpy(to, at, text);
        to += text;
        at += text;
        switch ((enum slot)*at++) {
        case SIZE:
            to = put_number(to, (uint64_t)entry->size, 0, ' ');
            break;
        case SIZE_COLUMN:
            to = put_number(to, (uint64_t)entry->size, SIZE_COLUMNS, ' ');
            break;
        case MODIFIED:
            to = put_modified(to, entry->modified);
            break;
        case DATE:
            for (const char *date = listing->date; *date; date++)
                *to++ = *date;
            break;
        case INODE:
            to = put_hexadecimal(to, entry->inode);
            break;
        case NAME:
            to = put_name(listing, to, entry->name, listing->name_length);
            break;
        case TARGET:
            if (listing->target_length) {
                memcpy(to, ARROW, strlen(ARROW));
                to = put_name(listing, to + strlen(ARROW), listing->target, listing->target_length);
            }
            break;
        case NOTHING:
            if (text < LONGEST_TEXT)
                return to;
            break;
        }
    }
}

/* Makes the date column of a minute; false where it is Python's. */
static bool date(struct listing *listing, int64_t minute) {
    const struct layout *layout = &listing->layout;
    bool recent = minute >= layout->first_recent && minute < layout->end_recent;
    listing->date_minute = write_date(listing->date, minute, layout->utc, recent) ? minute : -1;
    return listing->date_minute == minute;
}

/* Whether the entry, whose status could be had, has a line at all; the text of a link is read here. */
static bool shown(struct listing *listing) {
    const struct entry *entry = listing->entry;
    if (!listing->layout.masks && (strchr(entry->name, '\n') || strchr(entry->name, '\r')))
        return false; /* no line could carry it (RFC 3659 section 6) */
    return !S_ISLNK(entry->mode) || read_target(listing);
}

/* Comes to the next entry that has a line and holds it; END, FOREIGN, FAULT, or -1 where it is held. */
static int advance(struct listing *listing) {
    while ((listing->entry = directory_next(listing->directory))) {
        const struct entry *entry = listing->entry;
        listing->name_length = strlen(entry->name);
        listing->target_length = 0;
        if (!strncmp(entry->name, listing->layout.hidden, listing->hidden_length))
            return FOREIGN;
        if (!listing->layout.bare) {
            if (!entry->mode)
                continue;
            if (foreign(listing))
                return FOREIGN;
        }
        if (!shown(listing))
            continue;
        if (listing->target_length == TARGET_ROOM)
            return FOREIGN;
        int64_t minute = entry->modified / 60;
        if (minute != listing->date_minute && !date(listing, minute))
            return FOREIGN;
        listing->held = true;
        return -1;
    }
    return errno ? FAULT : END;
}

/* Writes lines to the buffer until something stops it; tells how many octets, and what did. */
int fairlead_listing_fill(struct listing *listing, char *buffer, size_t size, size_t *written) {
    char *to = buffer;
    int stop = -1;
    for (;;) {
        if (!listing->held && (stop = advance(listing)) >= 0)
            break;
        const struct frame *frame = find_frame(listing);
        if (!frame) {
            stop = FRAMELESS;
            break;
        }
        size_t needed = frame->room + frame->names * listing->name_length + frame->targets * listing->target_length;
        if (needed > size - (size_t)(to - buffer)) {
            stop = FULL;
            if (needed > size) { /* it never will */
                listing->held = false;
                stop = FOREIGN;
            }
            break;
        }
        to = put_line(listing, to, frame);
        listing->held = false;
    }
    *written = (size_t)(to - buffer);
    return stop;
}
