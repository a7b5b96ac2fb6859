/* The clients of every echo server: one process with a bare epoll loop, which is faster than any server. */
#include "CBench.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { MESSAGE_SIZE = 64, WORDS = MESSAGE_SIZE / sizeof(uint64_t) };

/* A connection with one message at a time. */
struct connection {
    int descriptor;
    /* How many bytes of it have come back. */
    size_t received;
    uint64_t sent[WORDS], echo[WORDS];
};

static int epoll;
static struct connection *connections;
static uint64_t random_state;

static void connect_all(int port, int count)
{
    epoll = epoll_create1(EPOLL_CLOEXEC);
    connections = calloc(count, sizeof(*connections));
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < count; i++) {
        int descriptor = connections[i].descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bench_check(connect(descriptor, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
        int on = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        bench_set_nonblocking(descriptor);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
        bench_check(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0, "epoll_ctl");
    }
}

/* Sends a message that is unlike all others. */
static void send_message(struct connection *connection)
{
    for (int i = 0; i < WORDS; i++) connection->sent[i] = bench_random(&random_state);
    connection->received = 0;
    ssize_t sent = send(connection->descriptor, connection->sent, MESSAGE_SIZE, MSG_NOSIGNAL);
    bench_check(sent == MESSAGE_SIZE, "send");
}

/* Whether the whole message has come back. */
static bool receive_echo(struct connection *connection)
{
    char *rest = (char *)connection->echo + connection->received;
    ssize_t count = recv(connection->descriptor, rest, MESSAGE_SIZE - connection->received, 0);
    if (count < 0 && errno == EAGAIN) return false;
    bench_check(count > 0, "recv");
    connection->received += count;
    if (connection->received < MESSAGE_SIZE) return false;
    errno = EBADMSG;
    bench_check(memcmp(connection->sent, connection->echo, MESSAGE_SIZE) == 0, "echo");
    return true;
}

/* Exchanges this many messages in total, over all connections at the same time. */
static void exchange(int count, long messages)
{
    long unsent = messages - count;
    for (int i = 0; i < count; i++) send_message(&connections[i]);
    while (messages > 0) {
        struct epoll_event ready[64];
        int found = epoll_wait(epoll, ready, 64, -1);
        for (int i = 0; i < found; i++) {
            struct connection *connection = ready[i].data.ptr;
            if (!receive_echo(connection)) continue;
            messages--;
            if (unsent-- > 0) send_message(connection);
        }
    }
}

static int64_t processor_time(pid_t process)
{
    clockid_t clock;
    struct timespec time;
    bench_check(clock_getcpuclockid(process, &clock) == 0 && clock_gettime(clock, &time) == 0, "clock_gettime");
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Measures a server that has accepted all clients beforehand, and prints the figure. */
static void measure(pid_t server, int port, struct bench_clients clients)
{
    connect_all(port, clients.connections);
    exchange(clients.connections, clients.connections);
    int64_t time = -bench_now();
    int64_t cpu = -processor_time(server);
    exchange(clients.connections, clients.messages);
    cpu += processor_time(server);
    time += bench_now();
    printf("%.3f\n", clients.measures_cpu ? (double)cpu / clients.messages : 1e6 * clients.messages / time);
    fflush(stdout);
}

static volatile pid_t client;

/* Ends this process as the clients ended. */
static void clients_ended(int number)
{
    int status;
    if (waitpid(client, &status, WNOHANG) == client) _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

void bench_start_clients(int port, struct bench_clients clients)
{
    sigset_t child_ends, old;
    sigemptyset(&child_ends);
    sigaddset(&child_ends, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_ends, &old);
    signal(SIGCHLD, clients_ended);
    pid_t server = getpid();
    fflush(stdout);
    client = fork();
    bench_check(client >= 0, "fork");
    if (client == 0) {
        /* If the server dies, so do its clients. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != server) _exit(1);
        measure(server, port, clients);
        _exit(0);
    }
    sigprocmask(SIG_UNBLOCK, &child_ends, NULL);
}
