/* Bulk RETR and STOR: one blocking thread for each session. Uploads go to PATH followed by the session's number. */
#include "load.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct job {
    const struct options *options;
    struct control control;
    pthread_barrier_t *start;
    int index;
    int memory;
    long long octets;
};

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
    if (sending) {
        data_send(fd, job->memory, options->size);
        job->octets += options->size;
        shutdown(fd, SHUT_WR);
    } else {
        long long got = data_drain(fd);
        if (got != options->size)
            fail("RETR brought %lld octets instead of %lld", got, options->size);
        job->octets += got;
    }
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
    }
    result.seconds = now() - began;
    report_end(&result);
    for (int i = 0; i < sessions; i++)
        control_close(&jobs[i].control);
}
