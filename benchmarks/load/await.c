/* The wait for a server that was just started: when it greets for the first time. */
#include "load.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The result's `first` is the time of the greeting on the monotonic clock. */
void row_await(const struct options *options) {
    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (!connect(fd, (const struct sockaddr *)&options->server, sizeof options->server)) {
            char greeting[4];
            if (recv(fd, greeting, sizeof greeting, MSG_WAITALL) != sizeof greeting || memcmp(greeting, "220", 3))
                fail("the server was not ready though it listened");
            struct result result = {.operations = 1, .first = now()};
            (void)!write(fd, "QUIT\r\n", 6);
            char rest[512];
            while (recv(fd, rest, sizeof rest, 0) > 0)
                ;
            close(fd);
            report_end(&result);
            return;
        }
        close(fd);
        usleep(500);
    }
}
