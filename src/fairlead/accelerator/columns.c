/* Numbers and times are written here, for printf and strftime would take as long as all the rest. */
#include "columns.h"

#include <string.h>
#include <time.h>

char *put_number(char *to, uint64_t value, int width, char fill) {
    char digits[COLUMN_ROOM];
    int count = 0;
    do
        digits[count++] = (char)('0' + value % 10);
    while (value /= 10);
    while (width-- > count)
        *to++ = fill;
    while (count)
        *to++ = digits[--count];
    return to;
}

char *put_hexadecimal(char *to, uint64_t value) {
    int shift = 60;
    while (shift && !(value >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        *to++ = "0123456789abcdef"[value >> shift & 15];
    return to;
}

static char *put_two(char *to, int value) {
    *to++ = (char)('0' + value / 10);
    *to++ = (char)('0' + value % 10);
    return to;
}

struct date {
    int year, month, day;
};

/* The date of a day since the epoch, of which none is negative; counts from the March of the year 0 on. */
static struct date date_of(int64_t day) {
    int64_t days = day + 719468;
    int era = (int)(days / 146097);
    int of_era = (int)(days % 146097);
    int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * year + year / 4 - year / 100);
    int month = (5 * of_year + 2) / 153;
    struct date date = {
        .year = era * 400 + year + (month >= 10),
        .month = month < 10 ? month + 2 : month - 10,
        .day = of_year - (153 * month + 2) / 5 + 1,
    };
    return date;
}

char *put_modified(char *to, int64_t time) {
    struct date date = date_of(time / 86400);
    int second = (int)(time % 86400);
    to = put_number(to, (uint64_t)date.year, 4, '0');
    to = put_two(to, date.month + 1);
    to = put_two(to, date.day);
    to = put_two(to, second / 3600);
    to = put_two(to, second / 60 % 60);
    return put_two(to, second % 60);
}

bool write_date(char *to, int64_t minute, bool utc, bool recent) {
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct date date;
    int hours, minutes;
    if (utc) {
        date = date_of(minute / 1440);
        hours = (int)(minute / 60 % 24);
        minutes = (int)(minute % 60);
    } else {
        time_t time = (time_t)minute * 60;
        struct tm parts;
        if (!localtime_r(&time, &parts))
            return false;
        date = (struct date){.year = parts.tm_year + 1900, .month = parts.tm_mon, .day = parts.tm_mday};
        hours = parts.tm_hour;
        minutes = parts.tm_min;
    }
    memcpy(to, months[date.month], 3);
    to[3] = ' ';
    to = put_number(to + 4, (uint64_t)date.day, 2, ' ');
    *to++ = ' ';
    if (recent) {
        to = put_two(to, hours);
        *to++ = ':';
        to = put_two(to, minutes);
    } else {
        to = put_number(to, (uint64_t)date.year, 5, ' ');
    }
    *to = 0;
    return true;
}
