/* load: counts what a websocket gateway delivers. One thread, epoll, no library beyond libc.
 *
 * Opens SUBSCRIBERS websockets, sends each its subscribe text, and waits until each has READY messages. Then PUBLISHERS
 * keep-alive HTTP connections send COUNT requests, with at most WINDOW of them unfinished. A request is finished when it
 * was answered and, if there are subscribers, when every one of them has its FRAMES messages. Prints one line of JSON:
 *
 *   connect_s, connections_per_s     until all subscribers were ready
 *   seconds, deliveries_per_s, requests_per_s
 *   answer_p50_ms, answer_p99_ms     request sent until answered
 *   last_p50_ms, last_p99_ms         the n-th request sent until the last subscriber had the n-th message
 *
 * The exit status is 0 only when everything expected has arrived: 1 a wrong answer, a closed connection or a time-out,
 * 2 wrong usage. Runs on loopback only; one 127.0.0.x address for every 1,000 connections.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_PER_ADDRESS = 1000, CONNECT_BATCH = 100, EVENTS = 1024, READ_BYTES = 1 << 17, ANSWER_BYTES = 1 << 16 };
enum { CLOSE = 8, PING = 9, PONG = 10 };

/* ---- options ---- */

typedef struct {
    char *bytes;
    size_t length;
} Text;

typedef struct {
    Text *items;
    int count;
} Texts;

static struct {
    int port, subscribers, ready, publishers, requests, window, frames;
    double timeout_s;
    const char *path, *header, *expect;
    Texts subscribe, request;
} options = {
    .ready = 1, .publishers = 1, .requests = 100, .window = 1, .frames = 1, .timeout_s = 60, .path = "/ws", .header = "",
    .expect = "",
};

/* ---- small helpers ---- */

static void fail(int status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(status);
}

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory) fail(1, "out of memory");
    return memory;
}

static double now_s(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static Text read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail(2, "%s: %s", path, strerror(errno));
    Text text = {allocate(1 << 24, 1), 0};
    text.length = fread(text.bytes, 1, (1 << 24) - 1, file);
    fclose(file);
    return text;
}

static void append(Texts *texts, char *bytes, size_t length) {
    texts->items = realloc(texts->items, sizeof *texts->items * (size_t)(texts->count + 1));
    if (!texts->items) fail(1, "out of memory");
    texts->items[texts->count++] = (Text){bytes, length};
}

/* One text per line; subscriber n gets line n, and the lines are used in turn. */
static void read_lines(Texts *texts, const char *path) {
    Text all = read_file(path);
    for (char *line = strtok(all.bytes, "\n"); line; line = strtok(NULL, "\n")) append(texts, line, strlen(line));
}

/* Raw HTTP requests, one after the other; Content-Length says where each ends. They are sent in turn. */
static void read_requests(Texts *texts, const char *path) {
    Text all = read_file(path);
    char *start = all.bytes, *end = all.bytes + all.length;
    while (start < end) {
        char *head_end = strstr(start, "\r\n\r\n");
        if (!head_end) fail(2, "%s: a request without an end of its head", path);
        *head_end = 0; /* so that the search for the length stays within the head */
        char *length = strcasestr(start, "\r\ncontent-length:");
        *head_end = '\r';
        size_t size = (size_t)(head_end + 4 - start) + (length ? strtoul(length + 17, NULL, 10) : 0);
        if (size > (size_t)(end - start)) fail(2, "%s: the last request is cut off", path);
        append(texts, start, size);
        start += size;
    }
}

static int by_value(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The values are sorted afterwards. */
static double percentile(double *values, int count, double share) {
    if (!count) return 0;
    qsort(values, (size_t)count, sizeof *values, by_value);
    int index = (int)(share * count);
    return values[index < count ? index : count - 1];
}

/* ---- sockets ---- */

static int dial(int number) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (fd < 0) fail(1, "socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct linger reset = {1, 0}; /* no TIME_WAIT is left behind, so runs can follow each other */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    from.sin_addr.s_addr = htonl(0x7f000002u + (uint32_t)(number / CONNECTIONS_PER_ADDRESS));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&from, sizeof from)) fail(1, "bind: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&to, sizeof to)) fail(1, "connect to port %d: %s", options.port, strerror(errno));
    return fd;
}

/* Blocks: what is sent here is small, and the gateway reads it while it works. */
static void send_all(int fd, const char *bytes, size_t length) {
    while (length) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0) fail(1, "send: %s", strerror(errno));
        bytes += sent;
        length -= (size_t)sent;
    }
}

/* Client frames must be masked; a mask of zeros leaves the payload as it is. */
static void send_frame(int fd, int opcode, const char *payload, size_t length) {
    if (length > 0xffff) fail(2, "a subscribe text is longer than 65,535 bytes");
    char *frame = allocate(8 + length, 1);
    size_t head = length < 126 ? 2 : 4;
    frame[0] = (char)(0x80 | opcode);
    frame[1] = (char)(0x80 | (length < 126 ? length : 126));
    if (head == 4) {
        frame[2] = (char)(length >> 8);
        frame[3] = (char)length;
    }
    memcpy(frame + head + 4, payload, length);
    send_all(fd, frame, head + 4 + length);
    free(frame);
}

/* ---- one subscriber: a websocket whose payloads are counted, not kept ---- */

typedef struct {
    int fd, number;
    bool is_open;            /* the upgrade was answered */
    unsigned filled;         /* bytes in head */
    uint64_t left;           /* bytes of the present payload still to come */
    bool in_payload, is_last;
    int opcode;
    long messages;
    char head[512];          /* the upgrade's answer, then a frame's head, then a control frame's payload */
} Subscriber;

static int poll_fd;
static long total_messages;
static int ready_subscribers, open_subscribers;
static int *reached;          /* by how many subscribers the n-th message of the measurement was received */
static int finished;          /* requests answered and delivered */
static double *sent_s, *last_s, *answer_s;
static long messages_before;  /* of each subscriber, when the measurement began */
static bool is_measuring;

static int expected_messages(void) { return options.requests * options.frames; }

static void count_message(Subscriber *subscriber) {
    subscriber->messages++;
    if (!is_measuring) {
        if (subscriber->messages == options.ready) ready_subscribers++;
        return;
    }
    total_messages++;
    long index = subscriber->messages - messages_before - 1;
    if (index >= expected_messages()) fail(1, "subscriber %d got more messages than expected", subscriber->number);
    if (++reached[index] == options.subscribers && (index + 1) % options.frames == 0) {
        long request = index / options.frames;
        last_s[request] = now_s() - sent_s[request];
        finished = (int)request + 1; /* each subscriber's messages are in order, so the last ones fall in order too */
    }
}

static void end_frame(Subscriber *subscriber) {
    subscriber->in_payload = false;
    if (subscriber->opcode == PING) send_frame(subscriber->fd, PONG, subscriber->head, subscriber->filled);
    if (subscriber->opcode == CLOSE) {
        int code = subscriber->filled >= 2 ? (uint8_t)subscriber->head[0] << 8 | (uint8_t)subscriber->head[1] : 1005;
        fail(1, "subscriber %d was closed with code %d", subscriber->number, code);
    }
    if (subscriber->opcode < CLOSE && subscriber->is_last) count_message(subscriber);
    subscriber->filled = 0;
}

/* The bytes a frame's head has, as far as its first two bytes are known. */
static unsigned head_size(const Subscriber *subscriber) {
    if (subscriber->filled < 2) return 2;
    switch (subscriber->head[1] & 0x7f) {
    case 126: return 4;
    case 127: return 10;
    default: return 2;
    }
}

static void begin_payload(Subscriber *subscriber) {
    const uint8_t *head = (uint8_t *)subscriber->head;
    uint64_t length = 0;
    if (subscriber->filled == 2) length = head[1] & 0x7f;
    else for (unsigned i = 2; i < subscriber->filled; i++) length = length << 8 | head[i];
    subscriber->is_last = head[0] & 0x80;
    subscriber->opcode = head[0] & 0x0f;
    subscriber->left = length;
    subscriber->filled = 0;
    subscriber->in_payload = true;
    if (!length) end_frame(subscriber);
}

static size_t take_payload(Subscriber *subscriber, const char *bytes, size_t length) {
    size_t taken = length < subscriber->left ? length : (size_t)subscriber->left;
    if (subscriber->opcode >= CLOSE && subscriber->filled + taken <= sizeof subscriber->head) {
        memcpy(subscriber->head + subscriber->filled, bytes, taken);
        subscriber->filled += (unsigned)taken;
    }
    subscriber->left -= taken;
    if (!subscriber->left) end_frame(subscriber);
    return taken;
}

static void take_frames(Subscriber *subscriber, const char *bytes, size_t length) {
    while (length) {
        size_t taken = 1;
        if (subscriber->in_payload) {
            taken = take_payload(subscriber, bytes, length);
        } else {
            subscriber->head[subscriber->filled++] = *bytes;
            if (subscriber->filled == head_size(subscriber)) begin_payload(subscriber);
        }
        bytes += taken;
        length -= taken;
    }
}

/* Returns how many bytes belonged to the answer of the upgrade. */
static size_t take_upgrade(Subscriber *subscriber, const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (subscriber->filled == sizeof subscriber->head - 1) {
            memmove(subscriber->head + 16, subscriber->head + 17, --subscriber->filled - 16); /* keeps the status line */
        }
        subscriber->head[subscriber->filled++] = bytes[i];
        if (subscriber->filled >= 4 && !memcmp(subscriber->head + subscriber->filled - 4, "\r\n\r\n", 4)) {
            if (memcmp(subscriber->head, "HTTP/1.1 101", 12)) {
                fail(1, "the upgrade was refused: %.*s", (int)subscriber->filled, subscriber->head);
            }
            subscriber->is_open = true;
            subscriber->filled = 0;
            open_subscribers++;
            if (options.subscribe.count) {
                Text text = options.subscribe.items[subscriber->number % options.subscribe.count];
                send_frame(subscriber->fd, 1, text.bytes, text.length);
            }
            return i + 1;
        }
    }
    return length;
}

static void receive_messages(Subscriber *subscriber) {
    static char bytes[READ_BYTES];
    ssize_t got = recv(subscriber->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) fail(1, "the server dropped subscriber %d after %ld messages", subscriber->number, subscriber->messages);
    size_t used = subscriber->is_open ? 0 : take_upgrade(subscriber, bytes, (size_t)got);
    take_frames(subscriber, bytes + used, (size_t)got - used);
}

/* ---- one publisher: an HTTP connection with at most one request under way ---- */

typedef struct {
    int fd, request;         /* request: which one is under way, -1 for none */
    char *answer;
    size_t filled;
} Publisher;

static Publisher *publishers;
static int sent_requests, answered_requests;

static void publish(Publisher *publisher) {
    Text text = options.request.items[sent_requests % options.request.count];
    publisher->request = sent_requests;
    publisher->filled = 0;
    sent_s[sent_requests++] = now_s();
    send_all(publisher->fd, text.bytes, text.length);
}

static void check_answer(const Publisher *publisher, const char *body) {
    bool is_success = !memcmp(publisher->answer, "HTTP/1.1 2", 10);
    if (!is_success || !strstr(body, options.expect)) fail(1, "a request was answered: %s", publisher->answer);
}

static void receive_answer(Publisher *publisher) {
    ssize_t got = recv(publisher->fd, publisher->answer + publisher->filled, ANSWER_BYTES - 1 - publisher->filled, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) fail(1, "the server dropped a publisher");
    publisher->filled += (size_t)got;
    publisher->answer[publisher->filled] = 0;
    char *body = strstr(publisher->answer, "\r\n\r\n");
    if (!body) return;
    char *length = strcasestr(publisher->answer, "\r\ncontent-length:");
    if (!length || length > body) fail(1, "an answer without Content-Length: %s", publisher->answer);
    body += 4;
    if (publisher->filled - (size_t)(body - publisher->answer) < strtoul(length + 17, NULL, 10)) return;
    check_answer(publisher, body);
    answer_s[answered_requests++] = now_s() - sent_s[publisher->request];
    publisher->request = -1;
    if (!options.subscribers) finished = answered_requests;
}

static bool may_publish(void) {
    return sent_requests < options.requests && sent_requests - finished < options.window;
}

/* ---- the run ---- */

static void watch(int fd, void *owner) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = owner};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event)) fail(1, "epoll_ctl: %s", strerror(errno));
}

static bool is_publisher(const void *owner) {
    return (const Publisher *)owner >= publishers && (const Publisher *)owner < publishers + options.publishers;
}

static void wait_for_events(double until_s) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poll_fd, events, EVENTS, 200);
    for (int i = 0; i < count; i++) {
        if (is_publisher(events[i].data.ptr)) receive_answer(events[i].data.ptr);
        else receive_messages(events[i].data.ptr);
    }
    if (now_s() > until_s) {
        fail(1, "timed out: %d of %d subscribers ready, %d requests sent, %d answered, %ld messages received",
             ready_subscribers, options.subscribers, sent_requests, answered_requests, total_messages);
    }
}

static void connect_subscribers(Subscriber *subscribers) {
    char request[8192];
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: c3RlcGdhdGUgYmVuY2htYQ==\r\nSec-WebSocket-Version: 13\r\n%s%s\r\n",
                          options.path, options.port, options.header, *options.header ? "\r\n" : "");
    if (length >= (int)sizeof request) fail(2, "the path and header are too long");
    double until_s = now_s() + options.timeout_s;
    for (int i = 0; i < options.subscribers; i++) {
        subscribers[i] = (Subscriber){.fd = dial(i), .number = i};
        send_all(subscribers[i].fd, request, (size_t)length);
        watch(subscribers[i].fd, &subscribers[i]);
        while (i + 1 - open_subscribers >= CONNECT_BATCH) wait_for_events(until_s);
    }
    while (ready_subscribers < options.subscribers) wait_for_events(until_s);
    for (int i = 0; i < options.subscribers; i++) {
        if (subscribers[i].messages != options.ready) fail(1, "a subscriber has more than the %d messages of --ready", options.ready);
    }
}

static void connect_publishers(void) {
    for (int i = 0; i < options.publishers; i++) {
        publishers[i] = (Publisher){.fd = dial(options.subscribers + i), .request = -1, .answer = allocate(ANSWER_BYTES, 1)};
        watch(publishers[i].fd, &publishers[i]);
    }
}

static void publish_all(void) {
    double until_s = now_s() + options.timeout_s;
    while (finished < options.requests || answered_requests < options.requests) {
        for (int i = 0; i < options.publishers && may_publish(); i++) {
            if (publishers[i].request < 0) publish(&publishers[i]);
        }
        wait_for_events(until_s);
    }
}

static void report(double connect_s, double seconds) {
    int requests = options.requests, last = options.subscribers ? requests : 0;
    printf("{\"subscribers\": %d, \"publishers\": %d, \"window\": %d, \"requests\": %d, \"connect_s\": %.3f, ",
           options.subscribers, options.publishers, options.window, requests, connect_s);
    printf("\"connections_per_s\": %.0f, \"seconds\": %.4f, \"deliveries\": %ld, \"deliveries_per_s\": %.0f, ",
           options.subscribers / connect_s, seconds, total_messages, total_messages / seconds);
    printf("\"requests_per_s\": %.0f, \"answer_p50_ms\": %.3f, \"answer_p99_ms\": %.3f, ", requests / seconds,
           percentile(answer_s, requests, 0.5) * 1e3, percentile(answer_s, requests, 0.99) * 1e3);
    printf("\"last_p50_ms\": %.3f, \"last_p99_ms\": %.3f}\n", percentile(last_s, last, 0.5) * 1e3,
           percentile(last_s, last, 0.99) * 1e3);
}

static void parse_options(int count, char **arguments) {
    static const struct option known[] = {
        {"port", 1, 0, 'p'},    {"path", 1, 0, 'P'},     {"subscribers", 1, 0, 'n'}, {"subscribe", 1, 0, 's'},
        {"ready", 1, 0, 'a'},   {"header", 1, 0, 'h'},   {"publishers", 1, 0, 'c'},  {"requests", 1, 0, 'R'},
        {"count", 1, 0, 'm'},   {"window", 1, 0, 'w'},   {"frames", 1, 0, 'k'},      {"expect", 1, 0, 'e'},
        {"timeout", 1, 0, 't'}, {0, 0, 0, 0},
    };
    for (int key; (key = getopt_long(count, arguments, "", known, NULL)) != -1;) {
        switch (key) {
        case 'p': options.port = atoi(optarg); break;
        case 'P': options.path = optarg; break;
        case 'n': options.subscribers = atoi(optarg); break;
        case 's': read_lines(&options.subscribe, optarg); break;
        case 'a': options.ready = atoi(optarg); break;
        case 'h': options.header = optarg; break;
        case 'c': options.publishers = atoi(optarg); break;
        case 'R': read_requests(&options.request, optarg); break;
        case 'm': options.requests = atoi(optarg); break;
        case 'w': options.window = atoi(optarg); break;
        case 'k': options.frames = atoi(optarg); break;
        case 'e': options.expect = optarg; break;
        case 't': options.timeout_s = atof(optarg); break;
        default: exit(2);
        }
    }
    if (!options.port || !options.request.count) fail(2, "--port and --requests are needed");
    if (options.publishers < 1 || options.requests < 1 || options.window < 1 || options.frames < 1 || options.ready < 1) {
        fail(2, "--publishers, --count, --window, --frames and --ready must be at least 1");
    }
}

static void allow_many_files(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if ((rlim_t)(options.subscribers + options.publishers + 16) > limit.rlim_cur) {
        fail(2, "%d connections need more than the %lu open files allowed", options.subscribers, (unsigned long)limit.rlim_cur);
    }
}

int main(int count, char **arguments) {
    parse_options(count, arguments);
    allow_many_files();
    poll_fd = epoll_create1(0);
    publishers = allocate((size_t)options.publishers, sizeof *publishers);
    Subscriber *subscribers = allocate((size_t)options.subscribers, sizeof *subscribers);
    reached = allocate((size_t)expected_messages(), sizeof *reached);
    sent_s = allocate((size_t)options.requests, sizeof *sent_s);
    last_s = allocate((size_t)options.requests, sizeof *last_s);
    answer_s = allocate((size_t)options.requests, sizeof *answer_s);

    double start_s = now_s();
    connect_subscribers(subscribers);
    double connect_s = now_s() - start_s;
    connect_publishers();
    messages_before = options.ready;
    is_measuring = true;
    start_s = now_s();
    publish_all();
    report(connect_s, now_s() - start_s);
    return 0;
}
