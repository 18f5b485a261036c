/* limit PORT DIRECTORY [workers=N] [durable]: an FTP server on epoll without any checks; not for use.
 *
 * It knows USER PASS TYPE EPSV PASV RETR STOR NOOP PWD LIST MLSD QUIT, accepts every password and trusts its client.
 * `durable` makes it fsync each uploaded file and its directory, one after the other.
 */
#define _GNU_SOURCE
#include "limit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

int epoll;
bool durable;

static int listener(int port) {
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); /* inherited by what it accepts */
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1024) < 0) {
        perror("limit: listen");
        exit(1);
    }
    return fd;
}

static void serve(int port) {
    struct endpoint acceptor = {.role = ACCEPTOR, .fd = listener(port)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &acceptor};
    epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll, EPOLL_CTL_ADD, acceptor.fd, &event);
    for (;;) {
        /* One event at a time: a session freed by one event can then not be named by a later one of the same batch. */
        if (epoll_wait(epoll, &event, 1, -1) < 1)
            continue;
        struct endpoint *endpoint = event.data.ptr;
        switch (endpoint->role) {
        case ACCEPTOR: {
            int fd = accept4(endpoint->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd >= 0)
                session_open(fd);
            break;
        }
        case CONTROL:
            session_ready(endpoint->session);
            break;
        case LISTENER:
            session_accept(endpoint->session);
            break;
        case DATA:
            transfer_continue(endpoint->session);
            break;
        }
    }
}

int main(int count, char **arguments) {
    int workers = 1;
    if (count < 3) {
        fprintf(stderr, "usage: limit PORT DIRECTORY [workers=N] [durable]\n");
        return 2;
    }
    for (int i = 3; i < count; i++)
        if (!strncmp(arguments[i], "workers=", 8))
            workers = atoi(arguments[i] + 8);
        else if (!strcmp(arguments[i], "durable"))
            durable = true;
    if (chdir(arguments[2]) < 0) {
        perror("limit: chdir");
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i < workers; i++)
        if (!fork()) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            break;
        }
    serve(atoi(arguments[1]));
}
