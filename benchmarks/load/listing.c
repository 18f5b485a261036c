/* LIST and MLSD of large directories, and the wait for the first octet of a huge one. */
#include "load.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[1 << 18];

/* Some servers say "total 0" or list "." and ".." too. */
#define EXTRA_LINES 3

static int ask(struct control *control, const struct options *options, double *asked) {
    const char *text;
    int fd = data_open(control, options);
    *asked = now();
    control_command(control, "%s %s", options->verb, options->path);
    int code = control_reply(control, &text);
    if (code != 150 && code != 125)
        fail("%s was answered: %s", options->verb, text);
    control_acknowledge(control);
    return fd;
}

static void list(struct control *control, const struct options *options, struct result *result) {
    double asked;
    int fd = ask(control, options, &asked);
    long long lines = 0, octets = 0;
    for (;;) {
        ssize_t got = recv(fd, buffer, sizeof buffer, 0);
        if (got == 0)
            break;
        if (got < 0)
            fail("receive on the data connection: %s", strerror(errno));
        if (!octets && !result->first)
            result->first = now() - asked;
        octets += got;
        for (const char *c = buffer, *end = buffer + got; (c = memchr(c, '\n', (size_t)(end - c))); c++)
            lines++;
    }
    close(fd);
    const char *text;
    int code = control_reply(control, &text);
    if (code / 100 != 2) /* one server says 200 */
        fail("%s ended with: %s", options->verb, text);
    if (lines < options->size || lines > options->size + EXTRA_LINES)
        fail("%s brought %lld lines of %lld entries", options->verb, lines, options->size);
    result->octets += octets;
    result->operations++;
}

void row_listing(const struct options *options) {
    struct control control;
    struct result result = {0};
    control_open(&control, options, 0);
    control_login(&control, options);
    report_begin();
    double began = now();
    /* At least `repeat` listings, and more of a small directory until the time is over. */
    do
        list(&control, options, &result);
    while (result.operations < options->repeat || now() - began < options->seconds);
    result.seconds = now() - began;
    report_end(&result);
    control_close(&control);
}

/* Ends by breaking off: the server is stopped afterwards. */
void row_first(const struct options *options) {
    struct control control;
    struct result result = {0};
    control_open(&control, options, 0);
    control_login(&control, options);
    report_begin();
    double asked;
    int fd = ask(&control, options, &asked);
    ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0)
        fail("%s brought nothing: %s", options->verb, got ? strerror(errno) : "closed by the server");
    result.first = result.seconds = now() - asked;
    result.operations = 1;
    report_end(&result);
    close(fd);
    close(control.fd);
}
