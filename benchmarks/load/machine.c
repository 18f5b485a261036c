/* Many sessions driven by a few threads, each with its own epoll. */
#include "machine.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct share {
    struct session *sessions;
    int first, count;
    double deadline;
    pthread_barrier_t *ready;
    start_function start;
    step_function step;
    long long operations;
    double ended;
};

void machine_watch(struct session *session, int fd, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = session};
    if (epoll_ctl(session->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        fail("epoll_ctl: %s", strerror(errno));
}

static void *drive(void *argument) {
    struct share *share = argument;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        fail("epoll_create1: %s", strerror(errno));
    pthread_barrier_wait(share->ready);
    int active = share->count;
    for (int i = 0; i < share->count; i++) {
        struct session *session = &share->sessions[share->first + i];
        session->epoll = epoll;
        session->active = true;
        share->start(session);
    }
    while (active) {
        struct epoll_event events[64];
        int ready = epoll_wait(epoll, events, 64, 10000);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            fail("nothing came from the server for 10 seconds");
        for (int i = 0; i < ready; i++) {
            struct session *session = events[i].data.ptr;
            if (!session->active || !share->step(session))
                continue;
            share->operations++;
            if (now() < share->deadline)
                share->start(session);
            else {
                session->active = false;
                active--;
            }
        }
    }
    share->ended = now();
    close(epoll);
    return NULL;
}

void machine_run(struct session *sessions, const struct options *options, start_function start, step_function step,
                 struct result *result) {
    int threads = options->threads < options->sessions ? options->threads : options->sessions;
    struct share *shares = calloc((size_t)threads, sizeof *shares);
    pthread_t *ids = calloc((size_t)threads, sizeof *ids);
    pthread_barrier_t ready;
    pthread_barrier_init(&ready, NULL, (unsigned)threads + 1);
    report_begin();
    double began = now();
    for (int i = 0; i < threads; i++) {
        int first = options->sessions * i / threads;
        int after = options->sessions * (i + 1) / threads;
        shares[i] = (struct share){.sessions = sessions, .first = first, .count = after - first, .ready = &ready,
                                   .deadline = began + options->seconds, .start = start, .step = step};
        pthread_create(&ids[i], NULL, drive, &shares[i]);
    }
    pthread_barrier_wait(&ready);
    double ended = began;
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        result->operations += shares[i].operations;
        if (shares[i].ended > ended)
            ended = shares[i].ended;
    }
    for (int i = 0; i < options->sessions; i++)
        result->octets += sessions[i].octets;
    result->seconds = ended - began;
}
