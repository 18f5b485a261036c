/* TLS, by the OpenSSL that is found at run time: only its library is needed, nothing to compile or link with. */
#include "load.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CTRL_SET_READ_AHEAD = 41, ERROR_ZERO_RETURN = 6 }; /* as OpenSSL's headers have them */
#define READ_BUFFER ((size_t)256 << 10)

static struct {
    void *(*method)(void);
    void *(*context)(const void *method);
    long (*context_ctrl)(void *context, int command, long number, void *pointer);
    void (*context_buffer)(void *context, size_t size);
    void *(*make)(void *context);
    int (*set_fd)(void *tls, int fd);
    int (*connect)(void *tls);
    int (*read)(void *tls, void *data, int size);
    int (*write)(void *tls, const void *data, int size);
    int (*shutdown)(void *tls);
    int (*error)(const void *tls, int result);
    void *(*session)(void *tls);
    int (*set_session)(void *tls, void *session);
    void (*free_session)(void *session);
    int (*reused)(const void *tls);
    void (*free)(void *tls);
} ssl;

static void *context;

static void *function(void *library, const char *name) {
    void *found = dlsym(library, name);
    if (!found)
        fail("OpenSSL has no %s", name);
    return found;
}

static void load(void) {
    void *library = dlopen("libssl.so.3", RTLD_NOW);
    if (!library)
        fail("needs the Debian package libssl3");
#define FIND(member, name) *(void **)&ssl.member = function(library, name)
    FIND(method, "TLS_client_method");
    FIND(context, "SSL_CTX_new");
    FIND(context_ctrl, "SSL_CTX_ctrl");
    FIND(context_buffer, "SSL_CTX_set_default_read_buffer_len");
    FIND(make, "SSL_new");
    FIND(set_fd, "SSL_set_fd");
    FIND(connect, "SSL_connect");
    FIND(read, "SSL_read");
    FIND(write, "SSL_write");
    FIND(shutdown, "SSL_shutdown");
    FIND(error, "SSL_get_error");
    FIND(session, "SSL_get1_session");
    FIND(set_session, "SSL_set_session");
    FIND(free_session, "SSL_SESSION_free");
    FIND(reused, "SSL_session_reused");
    FIND(free, "SSL_free");
#undef FIND
    context = ssl.context(ssl.method());
    if (!context)
        fail("OpenSSL cannot begin");
    ssl.context_ctrl(context, CTRL_SET_READ_AHEAD, 1, NULL);
    ssl.context_buffer(context, READ_BUFFER);
}

void *tls_begin(int fd, void *control) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    void *tls = ssl.make(context);
    void *session = control ? ssl.session(control) : NULL;
    if (session) {
        ssl.set_session(tls, session);
        ssl.free_session(session);
    }
    ssl.set_fd(tls, fd);
    if (ssl.connect(tls) != 1)
        fail("the TLS handshake of a %s connection failed: %s", control ? "data" : "control", strerror(errno));
    return tls;
}

bool tls_resumed(const void *tls) {
    return ssl.reused(tls) == 1;
}

size_t tls_receive(void *tls, void *data, size_t size) {
    int got = ssl.read(tls, data, (int)size);
    if (got > 0)
        return (size_t)got;
    if (ssl.error(tls, got) != ERROR_ZERO_RETURN)
        fail("receive under TLS: %s", errno ? strerror(errno) : "cut without close_notify");
    return 0;
}

void tls_send(void *tls, const void *data, size_t size) {
    if (ssl.write(tls, data, (int)size) != (int)size)
        fail("send under TLS: %s", strerror(errno));
}

void tls_end(void *tls, int fd) {
    char rest[4096];
    ssl.shutdown(tls);
    shutdown(fd, SHUT_WR);
    while (recv(fd, rest, sizeof rest, 0) > 0)
        ;
    ssl.free(tls);
}

void tls_drop(void *tls) {
    ssl.shutdown(tls);
    ssl.free(tls);
}
