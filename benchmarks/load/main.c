/* The load generator: one row of the benchmarks for each call.
 *
 *   load ROW key=value...
 *
 * ROW is one of those below. It prints JSON lines: "begin" when it is about to measure, "hold" where the harness shall look (idle), "end" with what was measured, or "error"; after
 * "begin" and "hold" it waits for an empty line on standard input. Whatever a server answers that the row does not
 * expect, and every wrong number of octets or entries, is an error.
 */
#include "load.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    void (*run)(const struct options *options);
} rows[] = {
    {"bulk", row_bulk},           {"small", row_small},   {"login", row_login},
    {"noop", row_noop},           {"pipelined", row_pipelined}, {"noop-bulk", row_noop_bulk},
    {"latency", row_latency},
    {"listing", row_listing},     {"first", row_first},   {"idle", row_idle},     {"await", row_await},
    {"tls-small", row_tls_small}, {"tls-login", row_tls_login},
};

static void late(int signal) {
    (void)signal;
    fail("time limit of the cell");
}

static void parse(struct options *options, const char *argument) {
    const char *value = strchr(argument, '=');
    if (!value)
        fail("not key=value: %s", argument);
    size_t length = (size_t)(value++ - argument);
#define IS(key) (length == sizeof key - 1 && !memcmp(argument, key, length))
    if (IS("port"))
        options->server.sin_port = htons((uint16_t)atoi(value));
    else if (IS("source"))
        inet_pton(AF_INET, value, &options->source);
    else if (IS("user"))
        options->user = value;
    else if (IS("password"))
        options->password = value;
    else if (IS("verb"))
        options->verb = value;
    else if (IS("path"))
        options->path = value;
    else if (IS("size"))
        options->size = atoll(value);
    else if (IS("sessions"))
        options->sessions = atoi(value);
    else if (IS("threads"))
        options->threads = atoi(value);
    else if (IS("seconds"))
        options->seconds = atof(value);
    else if (IS("pace"))
        options->pace = atof(value);
    else if (IS("repeat"))
        options->repeat = atoi(value);
    else if (IS("limit"))
        options->limit = atoi(value);
    else if (IS("tls"))
        options->tls = atoi(value);
    else
        fail("unknown key: %s", argument);
#undef IS
}

int main(int count, char **arguments) {
    struct options options = {.user = "bench", .password = "bench", .verb = "RETR", .path = "file", .sessions = 1,
                              .threads = 1, .seconds = 1, .pace = 2000, .repeat = 1, .limit = 60};
    options.server.sin_family = AF_INET;
    inet_pton(AF_INET, "127.0.0.1", &options.server.sin_addr);
    inet_pton(AF_INET, "127.1.0.1", &options.source);
    if (count < 2)
        fail("usage: load ROW key=value...");
    for (int i = 2; i < count; i++)
        parse(&options, arguments[i]);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, late);
    alarm((unsigned)options.limit);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].name, arguments[1])) {
            rows[i].run(&options);
            return 0;
        }
    fail("no such row: %s", arguments[1]);
}
