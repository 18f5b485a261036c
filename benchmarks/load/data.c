/* Data connections: the call, the receipt without a copy, the sending from memory without a copy. */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

int data_call(const struct control *control, const struct options *options, int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail("socket: %s", strerror(errno));
    int yes = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr = control->source};
    struct sockaddr_in peer = options->server;
    peer.sin_port = htons((uint16_t)port);
    if (bind(fd, (struct sockaddr *)&source, sizeof source) < 0)
        fail("bind of a data connection: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&peer, sizeof peer) < 0)
        fail("connect to the data port %d: %s", port, strerror(errno));
    return fd;
}

int data_open(struct control *control, const struct options *options) {
    const char *text;
    control_send(control, "EPSV\r\n", 6);
    if (control_reply(control, &text) != 229)
        fail("EPSV was answered: %s", text);
    return data_call(control, options, port_of_229(text));
}

long long data_drain(int fd) {
    long long octets = 0;
    for (;;) {
        /* MSG_TRUNC: the kernel throws the octets away, nothing is copied and no buffer is needed. */
        ssize_t got = recv(fd, NULL, (size_t)16 << 20, MSG_TRUNC);
        if (got == 0)
            return octets;
        if (got < 0)
            fail("receive on the data connection after %lld octets: %s", octets, strerror(errno));
        octets += got;
    }
}

void data_send(int fd, int memory, long long size) {
    while (size) {
        off_t offset = 0;
        while (size && offset < (off_t)MEMORY_SIZE) {
            size_t want = MEMORY_SIZE - (size_t)offset;
            if ((long long)want > size)
                want = (size_t)size;
            ssize_t sent = sendfile(fd, memory, &offset, want);
            if (sent <= 0)
                fail("send on the data connection with %lld octets to go: %s", size, strerror(errno));
            size -= sent;
        }
    }
}

int memory_file(size_t size) {
    static unsigned char block[1 << 16];
    uint32_t state = 2463534242u;
    for (size_t i = 0; i < sizeof block; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        block[i] = (unsigned char)state;
    }
    int fd = memfd_create("upload", MFD_CLOEXEC);
    if (fd < 0)
        fail("memfd_create: %s", strerror(errno));
    for (size_t done = 0; done < size; done += sizeof block)
        if (write(fd, block, sizeof block) != (ssize_t)sizeof block)
            fail("write to memory: %s", strerror(errno));
    return fd;
}
