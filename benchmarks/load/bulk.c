/* Bulk RETR and STOR: one blocking thread for each session. Uploads go to PATH followed by the session's number. */
#include "load.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct job {
    const struct options *options;
    struct control control;
    pthread_barrier_t *start;
    int index;
    int memory;
    long long octets, resumed;
};

static void send_all(void *tls, int memory, long long size) {
    static _Thread_local char *data;
    if (!data)
        data = mmap(NULL, MEMORY_SIZE, PROT_READ, MAP_SHARED, memory, 0);
    if (data == MAP_FAILED)
        fail("mmap: %s", strerror(errno));
    for (; size > 0; size -= (long long)MEMORY_SIZE)
        tls_send(tls, data, size < (long long)MEMORY_SIZE ? (size_t)size : MEMORY_SIZE);
}

static long long receive_all(void *tls) {
    char data[65536];
    long long octets = 0;
    size_t got;
    while ((got = tls_receive(tls, data, sizeof data)))
        octets += (long long)got;
    return octets;
}

static void transfer(struct job *job) {
    const struct options *options = job->options;
    const char *text;
    int fd = data_open(&job->control, options);
    bool sending = !strcmp(options->verb, "STOR");
    if (sending)
        control_command(&job->control, "STOR %s%d", options->path, job->index);
    else
        control_command(&job->control, "RETR %s", options->path);
    int code = control_reply(&job->control, &text);
    if (code != 150 && code != 125)
        fail("%s was answered: %s", options->verb, text);
    control_acknowledge(&job->control);
    void *tls = NULL;
    if (options->tls) {
        tls = tls_begin(fd, job->control.tls);
        job->resumed += tls_resumed(tls);
    }
    if (sending) {
        if (tls)
            send_all(tls, job->memory, options->size);
        else
            data_send(fd, job->memory, options->size);
        job->octets += options->size;
        if (!tls)
            shutdown(fd, SHUT_WR);
    } else {
        long long got = tls ? receive_all(tls) : data_drain(fd);
        if (got != options->size)
            fail("RETR brought %lld octets instead of %lld", got, options->size);
        job->octets += got;
    }
    if (tls)
        tls_end(tls, fd);
    close(fd);
    code = control_reply(&job->control, &text);
    if (code != 226 && code != 250)
        fail("%s ended with: %s", options->verb, text);
}

static void *run(void *argument) {
    struct job *job = argument;
    pthread_barrier_wait(job->start);
    for (int i = 0; i < job->options->repeat; i++)
        transfer(job);
    return NULL;
}

void row_bulk(const struct options *options) {
    int sessions = options->sessions;
    struct job *jobs = calloc((size_t)sessions, sizeof *jobs);
    pthread_t *threads = calloc((size_t)sessions, sizeof *threads);
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, (unsigned)sessions + 1);
    int memory = memory_file(MEMORY_SIZE);
    for (int i = 0; i < sessions; i++) {
        jobs[i] = (struct job){.options = options, .start = &start, .index = i, .memory = memory};
        control_open(&jobs[i].control, options, i);
        control_login(&jobs[i].control, options);
        pthread_create(&threads[i], NULL, run, &jobs[i]);
    }
    report_begin();
    double began = now();
    pthread_barrier_wait(&start);
    struct result result = {0};
    for (int i = 0; i < sessions; i++) {
        pthread_join(threads[i], NULL);
        result.octets += jobs[i].octets;
        result.operations += options->repeat;
        result.resumed += jobs[i].resumed;
    }
    result.seconds = now() - began;
    report_end(&result);
    for (int i = 0; i < sessions; i++)
        control_close(&jobs[i].control);
}
