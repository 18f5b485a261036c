/* Numbers and times as listings have them; each put_ function returns where it ended. */
#ifndef FAIRLEAD_COLUMNS_H
#define FAIRLEAD_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>

enum { COLUMN_ROOM = 24 }; /* octets that a number or a time takes at most */

/* A decimal number, to the right in so many columns. */
char *put_number(char *to, uint64_t value, int width, char fill);

char *put_hexadecimal(char *to, uint64_t value);

/* YYYYMMDDHHMMSS of seconds since the epoch, which are not negative. */
char *put_modified(char *to, int64_t time);

/* The date column and a zero, for a minute since the epoch, which is not negative: with the time where that is recent,
 * else with the year. False where the machine's calendar does not reach it. */
bool write_date(char *to, int64_t minute, bool utc, bool recent);

#endif
