/* NOOP: one at a time, many in flight, and while another session pulls a large file, of one session or of many. */
#include "load.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 100 /* NOOPs in one send; two batches are under way at a time */
#define LINE 6    /* octets of one */

static long long ping(struct control *control, double deadline) {
    long long operations = 0;
    do {
        for (int i = 0; i < 16; i++) {
            control_send(control, "NOOP\r\n", LINE);
            control_expect(control, 200, "NOOP");
        }
        operations += 16;
    } while (now() < deadline);
    return operations;
}

void row_noop(const struct options *options) {
    struct control control;
    struct result result = {0};
    control_open(&control, options, 0);
    control_login(&control, options);
    report_begin();
    double began = now();
    result.operations = ping(&control, began + options->seconds);
    result.seconds = now() - began;
    report_end(&result);
    control_close(&control);
}

/* Counts the replies of one more receipt; every line must begin with 200. `at` is the place within the line. */
static int count(struct control *control, size_t *at) {
    static const char expected[] = "200 ";
    ssize_t got = recv(control->fd, control->buffer, sizeof control->buffer, 0);
    if (got <= 0)
        fail("receive on the control connection: %s", got ? strerror(errno) : "closed by the server");
    int lines = 0;
    const char *c = control->buffer, *end = c + got;
    while (c < end) {
        while (*at < 4 && c < end)
            if (*c++ != expected[(*at)++])
                fail("a pipelined NOOP was not answered by 200");
        const char *newline = memchr(c, '\n', (size_t)(end - c));
        if (!newline)
            break;
        c = newline + 1;
        *at = 0;
        lines++;
    }
    return lines;
}

void row_pipelined(const struct options *options) {
    static char batch[BATCH * LINE];
    for (int i = 0; i < BATCH; i++)
        memcpy(batch + i * LINE, "NOOP\r\n", LINE);
    struct control control;
    struct result result = {0};
    control_open(&control, options, 0);
    control_login(&control, options);
    report_begin();
    double began = now(), deadline = began + options->seconds;
    size_t at = 0;
    long long flying = 0;
    bool over = false;
    while (!over || flying) {
        while (!over && flying <= BATCH) {
            control_send(&control, batch, sizeof batch);
            flying += BATCH;
        }
        int lines = count(&control, &at);
        flying -= lines;
        result.operations += lines;
        over = over || now() >= deadline;
    }
    result.seconds = now() - began;
    report_end(&result);
    control.start = control.end = 0;
    control_close(&control);
}

struct bulk {
    const struct options *options;
    struct control control;
    atomic_bool stop;
    atomic_llong octets;
};

static void *pull(void *argument) {
    struct bulk *bulk = argument;
    while (!atomic_load(&bulk->stop)) {
        const char *text;
        int fd = data_open(&bulk->control, bulk->options);
        control_command(&bulk->control, "RETR %s", bulk->options->path);
        int code = control_reply(&bulk->control, &text);
        if (code != 150 && code != 125)
            fail("RETR was answered: %s", text);
        ssize_t got;
        while ((got = recv(fd, NULL, (size_t)16 << 20, MSG_TRUNC)) > 0) {
            atomic_fetch_add(&bulk->octets, got);
            if (atomic_load(&bulk->stop)) {
                close(fd);
                return NULL;
            }
        }
        close(fd);
        code = control_reply(&bulk->control, &text);
        if (code != 226 && code != 250)
            fail("RETR ended with: %s", text);
    }
    return NULL;
}

void row_noop_bulk(const struct options *options) {
    struct bulk bulk = {.options = options};
    struct control control;
    struct result result = {0};
    control_open(&control, options, 0);
    control_login(&control, options);
    control_open(&bulk.control, options, 1);
    control_login(&bulk.control, options);
    pthread_t thread;
    pthread_create(&thread, NULL, pull, &bulk);
    while (!atomic_load(&bulk.octets))
        usleep(1000);
    report_begin();
    long long before = atomic_load(&bulk.octets);
    double began = now();
    result.operations = ping(&control, began + options->seconds);
    result.seconds = now() - began;
    result.side_octets = atomic_load(&bulk.octets) - before;
    report_end(&result);
    atomic_store(&bulk.stop, true);
    pthread_join(thread, NULL);
    close(bulk.control.fd);
    control_close(&control);
}

static int ascending(const void *a, const void *b) {
    double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

/* Sessions take turns with a NOOP each, so many a second at most: how long do they wait for it?
 * The slowest hundredth waits for `first` or longer. With a size, another session pulls the file meanwhile. */
void row_latency(const struct options *options) {
    struct control *controls = calloc((size_t)options->sessions, sizeof *controls);
    size_t most = (size_t)(options->seconds * options->pace) + 1, done = 0;
    useconds_t pause = (useconds_t)(1e6 / options->pace);
    double *waits = calloc(most, sizeof *waits);
    struct bulk bulk = {.options = options};
    struct result result = {0};
    pthread_t thread;
    for (int i = 0; i < options->sessions; i++) {
        control_open(&controls[i], options, i);
        control_login(&controls[i], options);
    }
    if (options->size) {
        control_open(&bulk.control, options, options->sessions);
        control_login(&bulk.control, options);
        pthread_create(&thread, NULL, pull, &bulk);
        while (!atomic_load(&bulk.octets))
            usleep(1000);
    }
    report_begin();
    long long before = atomic_load(&bulk.octets);
    double began = now();
    for (int turn = 0; done < most && now() < began + options->seconds; turn = (turn + 1) % options->sessions) {
        double sent = now();
        control_send(&controls[turn], "NOOP\r\n", LINE);
        control_expect(&controls[turn], 200, "NOOP");
        waits[done++] = now() - sent;
        usleep(pause);
    }
    result.operations = (long long)done;
    result.seconds = now() - began;
    result.side_octets = atomic_load(&bulk.octets) - before;
    qsort(waits, done, sizeof *waits, ascending);
    result.first = waits[done - 1 - done / 100];
    report_end(&result);
    if (options->size) {
        atomic_store(&bulk.stop, true);
        pthread_join(thread, NULL);
        close(bulk.control.fd);
    }
    for (int i = 0; i < options->sessions; i++)
        control_close(&controls[i]);
}
