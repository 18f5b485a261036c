/* The dialogue with the harness: JSON lines out, an empty line in to go on. */
#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double own_cpu_before;

double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double own_cpu(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void say(const char *line, size_t length) {
    if (write(STDOUT_FILENO, line, length) != (ssize_t)length)
        _exit(1);
}

static void await_harness(void) {
    char byte;
    while (read(STDIN_FILENO, &byte, 1) == 1)
        if (byte == '\n')
            return;
    _exit(1);
}

void report_begin(void) {
    static const char line[] = "{\"event\":\"begin\"}\n";
    say(line, sizeof line - 1);
    await_harness();
    own_cpu_before = own_cpu();
}

void report_hold(void) {
    static const char line[] = "{\"event\":\"hold\"}\n";
    say(line, sizeof line - 1);
    await_harness();
}

void report_end(const struct result *result) {
    char line[512];
    int length = snprintf(line, sizeof line,
                          "{\"event\":\"end\",\"operations\":%lld,\"octets\":%lld,\"seconds\":%.9f,\"first\":%.9f,"
                          "\"side_octets\":%lld,\"resumed\":%lld,\"load_cpu\":%.6f}\n",
                          result->operations, result->octets, result->seconds, result->first, result->side_octets,
                          result->resumed, own_cpu() - own_cpu_before);
    say(line, (size_t)length);
}

void fail(const char *format, ...) {
    char message[512], line[1200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    size_t length = (size_t)snprintf(line, sizeof line, "{\"event\":\"error\",\"message\":\"");
    for (const char *c = message; *c; c++) {
        if (*c == '"' || *c == '\\')
            line[length++] = '\\';
        line[length++] = (unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f ? '?' : *c;
    }
    length += (size_t)snprintf(line + length, sizeof line - length, "\"}\n");
    say(line, length);
    _exit(1);
}
