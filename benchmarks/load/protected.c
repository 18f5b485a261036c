/* Small files and logins under TLS: a blocking thread for each session, each file with its own EPSV and handshake. */
#include "load.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct job {
    const struct options *options;
    struct control control;
    pthread_barrier_t *start;
    int index;
    double deadline;
    struct result result;
};

static char payload[65536];

static void small(struct job *job) {
    const struct options *options = job->options;
    struct control *control = &job->control;
    const char *text;
    bool sending = options->verb[0] == 'S';
    long long moved = 0;
    int fd = data_open(control, options);
    if (sending)
        control_command(control, "STOR %s%d-%lld", options->path, job->index, job->result.operations);
    else
        control_command(control, "RETR %s", options->path);
    int code = control_reply(control, &text);
    if (code != 150 && code != 125)
        fail("%s was answered: %s", options->verb, text);
    control_acknowledge(control);
    void *tls = tls_begin(fd, control->tls);
    job->result.resumed += tls_resumed(tls);
    if (sending) {
        tls_send(tls, payload, (size_t)options->size);
        moved = options->size;
    } else {
        char data[65536];
        size_t got;
        while ((got = tls_receive(tls, data, sizeof data)))
            moved += (long long)got;
    }
    tls_end(tls, fd);
    close(fd);
    code = control_reply(control, &text);
    if (code != 226 && code != 250)
        fail("%s ended with: %s", options->verb, text);
    if (moved != options->size)
        fail("%s moved %lld octets instead of %lld", options->verb, moved, options->size);
    job->result.octets += moved;
}

static void login(struct job *job) {
    control_open(&job->control, job->options, job->index);
    control_login(&job->control, job->options);
    control_close(&job->control);
}

static void *run_small(void *argument) {
    struct job *job = argument;
    pthread_barrier_wait(job->start);
    do {
        small(job);
        job->result.operations++;
    } while (now() < job->deadline);
    return NULL;
}

static void *run_login(void *argument) {
    struct job *job = argument;
    pthread_barrier_wait(job->start);
    do {
        login(job);
        job->result.operations++;
    } while (now() < job->deadline);
    return NULL;
}

static void run(const struct options *options, void *(*work)(void *), bool stay) {
    int sessions = options->sessions;
    struct job *jobs = calloc((size_t)sessions, sizeof *jobs);
    pthread_t *threads = calloc((size_t)sessions, sizeof *threads);
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, (unsigned)sessions + 1);
    for (int i = 0; i < sessions; i++) {
        jobs[i] = (struct job){.options = options, .start = &start, .index = i};
        if (stay) {
            control_open(&jobs[i].control, options, i);
            control_login(&jobs[i].control, options);
        }
        pthread_create(&threads[i], NULL, work, &jobs[i]);
    }
    report_begin();
    double began = now();
    for (int i = 0; i < sessions; i++)
        jobs[i].deadline = began + options->seconds;
    pthread_barrier_wait(&start);
    struct result result = {0};
    for (int i = 0; i < sessions; i++) {
        pthread_join(threads[i], NULL);
        result.operations += jobs[i].result.operations;
        result.octets += jobs[i].result.octets;
        result.resumed += jobs[i].result.resumed;
    }
    result.seconds = now() - began;
    report_end(&result);
    for (int i = 0; stay && i < sessions; i++)
        control_close(&jobs[i].control);
}

void row_tls_small(const struct options *options) {
    if (options->size > (long long)sizeof payload)
        fail("files of this row have at most %zu octets", sizeof payload);
    memset(payload, 'x', sizeof payload);
    run(options, run_small, true);
}

void row_tls_login(const struct options *options) {
    run(options, run_login, false);
}
