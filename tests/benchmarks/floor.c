/* floor PORT: the bare loop, a yardstick. What the kernel allows when nothing else is done.
 *
 * Speaks just enough of the protocol for load.c: any GET becomes a websocket, any frame is answered with one message,
 * and any POST sends one message of 290 bytes to every websocket, each with a send of its own. Nothing is parsed,
 * stored, merged or waited for.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PAYLOAD_BYTES = 290, EVENTS = 512, BACKLOG = 4096 };

static const char UPGRADED[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
static const char DONE[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
static const char SUBSCRIBED[] = "\x81\x02ok";

static char message[4 + PAYLOAD_BYTES];
static int *websockets, websocket_count, websocket_room;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int listen_on(uint16_t port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, BACKLOG)) die("listen");
    return fd;
}

static void watch(int poll_fd, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

static void add(int fd) {
    if (websocket_count == websocket_room) {
        websocket_room = websocket_room ? 2 * websocket_room : 1024;
        websockets = realloc(websockets, sizeof *websockets * (size_t)websocket_room);
        if (!websockets) die("realloc");
    }
    websockets[websocket_count++] = fd;
}

static void drop(int fd) {
    for (int i = 0; i < websocket_count; i++) {
        if (websockets[i] == fd) websockets[i--] = websockets[--websocket_count];
    }
    close(fd);
}

/* A socket that is full would lose its message, and the measurement with it: better to say so than to measure less. */
static void send_to_all(void) {
    for (int i = 0; i < websocket_count; i++) {
        ssize_t sent = send(websockets[i], message, sizeof message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent != (ssize_t)sizeof message && errno != EPIPE && errno != ECONNRESET) die("send to a subscriber");
    }
}

static void serve(int fd) {
    static char bytes[65536];
    ssize_t got = recv(fd, bytes, sizeof bytes, 0);
    if (got <= 0) {
        drop(fd);
    } else if (!memcmp(bytes, "GET ", 4)) {
        add(fd);
        send(fd, UPGRADED, sizeof UPGRADED - 1, MSG_NOSIGNAL);
    } else if (!memcmp(bytes, "POST ", 5)) {
        send_to_all();
        send(fd, DONE, sizeof DONE - 1, MSG_NOSIGNAL);
    } else {
        send(fd, SUBSCRIBED, sizeof SUBSCRIBED - 1, MSG_NOSIGNAL);
    }
}

int main(int count, char **arguments) {
    if (count != 2) return fputs("usage: floor PORT\n", stderr), 2;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    memcpy(message, (uint8_t[]){0x81, 126, PAYLOAD_BYTES >> 8, PAYLOAD_BYTES & 0xff}, 4);
    memset(message + 4, 'x', PAYLOAD_BYTES);

    int listener = listen_on((uint16_t)atoi(arguments[1])), poll_fd = epoll_create1(0), on = 1;
    watch(poll_fd, listener);
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(poll_fd, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd != listener) {
                serve(events[i].data.fd);
                continue;
            }
            int fd = accept(listener, NULL, NULL);
            if (fd < 0) die("accept");
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            watch(poll_fd, fd);
        }
    }
}
