/* The load generator of the benchmarks: what its parts share. */
#ifndef FAIRLEAD_BENCH_LOAD_H
#define FAIRLEAD_BENCH_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the command line says. */
struct options {
    struct sockaddr_in server;
    struct in_addr source;   /* session i calls from source + i, so that TIME_WAIT of one does not slow another */
    const char *user;
    const char *password;
    const char *verb;        /* RETR, STOR, LIST or MLSD */
    const char *path;        /* a file or directory; for uploads the beginning of the names */
    long long size;          /* octets of each file; entries of each listing */
    int sessions;
    int threads;             /* of the load generator, for the rows of small files and logins */
    double seconds;          /* how long rows of operations per second go on */
    double pace;             /* NOOPs of all sessions in a second at most, where their latency is measured */
    int repeat;              /* how often a listing or a bulk file is transferred */
    int limit;               /* seconds until the whole run is given up */
    bool tls;                /* whether control and data connections are under TLS */
};

/* A control connection with what was received and not yet consumed. */
struct control {
    int fd;
    void *tls;               /* NULL in clear */
    struct in_addr source;
    size_t start, end;
    char buffer[16384];
};

/* What a row measured, printed as one line of JSON. */
struct result {
    long long operations;
    long long octets;
    double seconds;
    double first;            /* seconds to the first octet of a listing, or of the slowest hundredth; else 0 */
    long long side_octets;   /* octets of the bulk transfer beside NOOP */
    long long resumed;       /* data connections that resumed the TLS session of their control connection */
};

/* report.c: the dialogue with the harness, by lines on standard output and input. */
void report_begin(void);     /* "about to measure": returns when the harness has read the server's CPU time */
void report_hold(void);      /* "all is set up": returns when the harness has looked */
void report_end(const struct result *result);
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
double now(void);            /* seconds, monotonic */

/* control.c: one control connection. */
void control_open(struct control *control, const struct options *options, int index);
void control_login(struct control *control, const struct options *options);
void control_close(struct control *control);
void control_send(struct control *control, const char *text, size_t length);
void control_command(struct control *control, const char *format, ...) __attribute__((format(printf, 2, 3)));
int control_poll(struct control *control, const char **text);    /* the next whole reply's code, 0 when none is there yet */
int control_reply(struct control *control, const char **text);   /* waits for it */
void control_expect(struct control *control, int code, const char *what);
void control_acknowledge(struct control *control);
int port_of_229(const char *text);

/* data.c: data connections. */
int data_call(const struct control *control, const struct options *options, int port);
int data_open(struct control *control, const struct options *options);  /* EPSV, then the call */
long long data_drain(int fd);                                           /* octets until the end, thrown away */
void data_send(int fd, int memory, long long size);
int memory_file(size_t size);
#define MEMORY_SIZE ((size_t)16 << 20)

/* tls.c: connections under TLS, blocking ones. */
void *tls_begin(int fd, void *control);    /* resumes the session of `control`, where that is given */
bool tls_resumed(const void *tls);
size_t tls_receive(void *tls, void *data, size_t size);    /* 0 once the server has ended TLS */
void tls_send(void *tls, const void *data, size_t size);
void tls_end(void *tls, int fd);    /* says that nothing more comes, and waits for the server's end of the connection */
void tls_drop(void *tls);

/* The rows. */
void row_bulk(const struct options *options);
void row_small(const struct options *options);
void row_login(const struct options *options);
void row_tls_small(const struct options *options);
void row_tls_login(const struct options *options);
void row_noop(const struct options *options);
void row_pipelined(const struct options *options);
void row_noop_bulk(const struct options *options);
void row_latency(const struct options *options);
void row_listing(const struct options *options);
void row_first(const struct options *options);
void row_idle(const struct options *options);
void row_await(const struct options *options);

#endif
