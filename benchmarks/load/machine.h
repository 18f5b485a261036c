/* Many sessions driven by a few threads, each with its own epoll: what small files and logins have in common. */
#ifndef FAIRLEAD_BENCH_MACHINE_H
#define FAIRLEAD_BENCH_MACHINE_H

#include "load.h"

struct session {
    struct control control;
    const struct options *options;
    int index;
    int epoll;
    int stage;          /* the row's own */
    int data;           /* the data connection, or -1 */
    bool ended;         /* the final reply has come */
    bool waited;        /* the final reply or the end of the data did not come along with the preliminary reply */
    long long received; /* octets of the current file */
    long serial;        /* of the current operation */
    char name[256];
    long long octets;   /* of all files */
    bool active;
};

/* Starts the next operation of a session. */
typedef void (*start_function)(struct session *session);
/* Something arrived; true when the operation is done. */
typedef bool (*step_function)(struct session *session);

/* Runs sessions until the time is over and each has finished its operation; fills operations, octets, seconds. */
void machine_run(struct session *sessions, const struct options *options, start_function start, step_function step,
                 struct result *result);
void machine_watch(struct session *session, int fd, uint32_t events);

#endif
