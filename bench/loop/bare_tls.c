/*
 * TLS echo on a bare epoll loop: OpenSSL and nothing else, as the floor of the TLS rows.
 *
 *     bare_tls CERTIFICATE KEY
 *
 * Tells its port in one line of JSON and serves until it is ended. One read and one write a message
 * where the message fits the buffers: OpenSSL reads ahead of the record that it needs, and what it
 * writes is gathered and sent at once. No timers, no protocols, no transports.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CHUNK = 128 * 1024,
    /* A chunk and what its records add to it. */
    GATHERED = 2 * CHUNK,
    EVENTS = 512,
    BACKLOG = 4096,
};

struct connection {
    int descriptor;
    SSL *tls;
    BIO *gathering;
    unsigned watched;
};

static char buffer[CHUNK];

static void fail(const char *what) {
    perror(what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* The events to wait for after OpenSSL could not go on; 0 where it never will. */
static unsigned wanted(const struct connection *connection, int outcome) {
    switch (SSL_get_error(connection->tls, outcome)) {
    case SSL_ERROR_WANT_READ:
        return EPOLLIN;
    case SSL_ERROR_WANT_WRITE:
        return EPOLLOUT;
    default:
        return 0;
    }
}

/* Sends what is gathered; gives the events to wait for. */
static unsigned flushed(const struct connection *connection) {
    if (BIO_flush(connection->gathering) > 0)
        return EPOLLIN;
    return BIO_should_retry(connection->gathering) ? EPOLLOUT : 0;
}

/* Does what can be done without waiting; gives the events to wait for, 0 to close. */
static unsigned turn(struct connection *connection) {
    if (connection->watched == EPOLLOUT) {
        unsigned events = flushed(connection);
        if (events != EPOLLIN)
            return events;
    }
    if (!SSL_is_init_finished(connection->tls)) {
        int outcome = SSL_accept(connection->tls);
        if (outcome <= 0)
            return wanted(connection, outcome);
    }
    int length = 0, outcome = 1;
    do {
        outcome = SSL_read(connection->tls, buffer + length, CHUNK - length);
        if (outcome > 0)
            length += outcome;
    } while (outcome > 0 && length < CHUNK && SSL_has_pending(connection->tls));
    if (length > 0 && SSL_write(connection->tls, buffer, length) != length)
        return 0;
    unsigned events = length > 0 ? flushed(connection) : EPOLLIN;
    return outcome > 0 || wanted(connection, outcome) ? events : 0;
}

static struct connection *greet(int listener, SSL_CTX *context) {
    int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct connection *connection = malloc(sizeof *connection);
    if (descriptor < 0 || !connection)
        fail("accept");
    int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL *tls = SSL_new(context);
    BIO *plain = BIO_new_socket(descriptor, BIO_CLOSE);
    BIO *gathering = BIO_new(BIO_f_buffer());
    if (!tls || !plain || !gathering || !BIO_set_write_buffer_size(gathering, GATHERED))
        fail("OpenSSL");
    BIO_up_ref(plain);
    BIO_push(gathering, plain);
    SSL_set_bio(tls, plain, gathering);
    *connection = (struct connection){descriptor, tls, gathering, EPOLLIN};
    return connection;
}

static void serve(int listener, SSL_CTX *context) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    struct epoll_event ready[EVENTS];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(epoll, ready, EVENTS, -1);
        for (int index = 0; index < count; index++) {
            struct connection *connection = ready[index].data.ptr;
            if (!connection) {
                connection = greet(listener, context);
                event = (struct epoll_event){.events = EPOLLIN, .data.ptr = connection};
                epoll_ctl(epoll, EPOLL_CTL_ADD, connection->descriptor, &event);
                continue;
            }
            /* What the last connection left behind is nothing of this one's. */
            ERR_clear_error();
            unsigned events = turn(connection);
            if (!events) {
                epoll_ctl(epoll, EPOLL_CTL_DEL, connection->descriptor, NULL);
                SSL_free(connection->tls);
                free(connection);
            } else if (events != connection->watched) {
                connection->watched = events;
                event = (struct epoll_event){.events = events, .data.ptr = connection};
                epoll_ctl(epoll, EPOLL_CTL_MOD, connection->descriptor, &event);
            }
        }
    }
}

int main(int count, char **words) {
    if (count != 3) {
        fputs("usage: bare_tls CERTIFICATE KEY\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context || SSL_CTX_use_certificate_chain_file(context, words[1]) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, words[2], SSL_FILETYPE_PEM) != 1)
        fail("certificate");
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, GATHERED);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) ||
        listen(listener, BACKLOG) ||
        getsockname(listener, (struct sockaddr *)&address, &length))
        fail("listen");
    printf("{\"port\": %d}\n", ntohs(address.sin_port));
    fflush(stdout);
    serve(listener, context);
}
