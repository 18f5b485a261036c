/* The limit: how fast a server can be on this machine that does only what the benchmarks ask for. */
#ifndef FAIRLEAD_BENCH_LIMIT_H
#define FAIRLEAD_BENCH_LIMIT_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum role { ACCEPTOR, CONTROL, LISTENER, DATA };
enum work { NOTHING, RETRIEVE, STORE, LIST, MLSD };

struct session;

/* What epoll hands back: which descriptor of which session became ready. */
struct endpoint {
    enum role role;
    int fd;
    struct session *session;
};

struct session {
    struct endpoint control, listener, data; /* fd -1 while there is none; the listener is kept for the session */
    char *rest;         /* the beginning of a command whose end has not come */
    size_t filled;
    enum work work;
    bool watched;       /* the data connection is in epoll */
    int file;
    off_t offset, size;
    int pipe[2];
    DIR *directory;
    char *text;         /* of a listing, from `sent` to `written` */
    size_t sent, written;
    char *path;         /* while something is transferred */
};

#define TEXT_SIZE ((size_t)1 << 18)

extern int epoll;
extern bool durable;

/* session.c */
void session_open(int fd);
void session_ready(struct session *session);   /* the control connection can be read */
void session_accept(struct session *session);  /* the listener has a data connection */
void session_say(struct session *session, const char *text, size_t length); /* flushed by the end of the event */
void session_flush(struct session *session);
#define SAY(session, literal) session_say(session, literal "\r\n", sizeof literal + 1)

/* transfer.c */
void transfer_begin(struct session *session);    /* the data connection stands: go as far as possible at once */
void transfer_continue(struct session *session); /* the data connection is ready again */
void transfer_drop(struct session *session);
void transfer_watch(struct session *session, unsigned events);
void transfer_done(struct session *session);

/* listing.c */
bool listing_open(struct session *session);
void listing_send(struct session *session);
void listing_close(struct session *session);

#endif
