/* LIST and MLSD in the directory's own order. */
#define _GNU_SOURCE
#include "limit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE 512 /* more than any line: names have at most 255 octets */

bool listing_open(struct session *session) {
    session->text = malloc(TEXT_SIZE);
    session->sent = session->written = 0;
    session->directory = opendir(session->path);
    return session->directory;
}

void listing_close(struct session *session) {
    if (session->directory)
        closedir(session->directory);
    session->directory = NULL;
    free(session->text);
    session->text = NULL;
}

static char *put(char *to, const char *text) {
    size_t length = strlen(text);
    memcpy(to, text, length);
    return to + length;
}

static char *put_number(char *to, unsigned long long value, int width) {
    char digits[24];
    int count = 0;
    do
        digits[count++] = (char)('0' + value % 10);
    while (value /= 10);
    while (width-- > count)
        *to++ = ' ';
    while (count)
        *to++ = digits[--count];
    return to;
}

/* "Nov 20 14:02" or, for MLSD, "20251120140203"; kept while the time stays the same. */
static const char *time_text(time_t time, bool facts) {
    static struct {
        time_t time;
        char text[32];
    } kept[2];
    if (kept[facts].time != time || !kept[facts].text[0]) {
        struct tm parts;
        gmtime_r(&time, &parts);
        strftime(kept[facts].text, sizeof kept[facts].text, facts ? "%Y%m%d%H%M%S" : "%b %e %H:%M", &parts);
        kept[facts].time = time;
    }
    return kept[facts].text;
}

static char *line(char *to, const char *name, const struct stat *status, enum work work) {
    bool directory = S_ISDIR(status->st_mode);
    if (work == MLSD) {
        to = put(to, directory ? "type=dir;size=" : "type=file;size=");
        to = put_number(to, (unsigned long long)status->st_size, 0);
        to = put(to, ";modify=");
        to = put(to, time_text(status->st_mtime, true));
        to = put(to, "; ");
    } else {
        static const char bits[] = "rwxrwxrwx";
        *to++ = directory ? 'd' : '-';
        for (int i = 0; i < 9; i++)
            *to++ = status->st_mode & (0400u >> i) ? bits[i] : '-';
        to = put_number(to, status->st_nlink, 4);
        to = put_number(to, status->st_uid, 9);
        to = put_number(to, status->st_gid, 9);
        to = put_number(to, (unsigned long long)status->st_size, 13);
        *to++ = ' ';
        to = put(to, time_text(status->st_mtime, false));
        *to++ = ' ';
    }
    to = put(to, name);
    return put(to, "\r\n");
}

/* Fills the text with the next entries; false when there are none. */
static bool fill(struct session *session) {
    char *to = session->text, *end = session->text + TEXT_SIZE - LINE;
    int fd = dirfd(session->directory);
    struct dirent *entry;
    while (to < end && (entry = readdir(session->directory))) {
        struct stat status;
        if (entry->d_name[0] == '.' && (!entry->d_name[1] || (entry->d_name[1] == '.' && !entry->d_name[2])))
            continue;
        if (!fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW))
            to = line(to, entry->d_name, &status, session->work);
    }
    session->sent = 0;
    session->written = (size_t)(to - session->text);
    return session->written;
}

void listing_send(struct session *session) {
    for (;;) {
        while (session->sent < session->written) {
            ssize_t sent = send(session->data.fd, session->text + session->sent, session->written - session->sent,
                                MSG_NOSIGNAL);
            if (sent < 0 && errno == EAGAIN) {
                transfer_watch(session, EPOLLOUT);
                return;
            }
            if (sent < 0) {
                transfer_done(session);
                return;
            }
            session->sent += (size_t)sent;
        }
        if (!fill(session))
            break;
    }
    transfer_done(session);
}
