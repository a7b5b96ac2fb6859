/* Messages that are sent on many times between the loops of several threads. Only ours: in libtevent an
 * immediate cannot be sent on from its own handler. */
#include <pthread.h>
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

enum { threads = 3, balls = 200, hops = 30 };

struct player {
    pthread_t thread;
    struct tevent_context *ev;
    struct tevent_thread_proxy *proxy;
    struct player *next;
    _Atomic int seen;
    bool is_over;
};

struct ball {
    int hops;
};

static struct player players[threads];
static __thread struct player *me;

static void stop(struct tevent_context *ev, struct tevent_immediate *im, void *unused) { me->is_over = true; }

static void arrive(struct tevent_context *ev, struct tevent_immediate *im, void *data)
{
    struct ball *ball = talloc_get_type_abort(data, struct ball);
    me->seen++;
    if (--ball->hops == 0) return;
    /* Create a new immediate every second time: the old one may also be sent on from its own handler. */
    if (ball->hops % 2 == 0) im = tevent_create_immediate(NULL);
    tevent_thread_proxy_schedule(me->next->proxy, &im, arrive, &ball);
}

static void *run(void *player)
{
    me = player;
    while (!me->is_over) tevent_loop_once(me->ev);
    return NULL;
}

int main(void)
{
    talloc_disable_null_tracking();
    for (int i = 0; i < threads; i++) {
        players[i].ev = tevent_context_init(NULL);
        players[i].proxy = tevent_thread_proxy_create(players[i].ev);
        players[i].next = &players[(i + 1) % threads];
    }
    for (int i = 0; i < balls; i++) {
        struct tevent_immediate *im = tevent_create_immediate(NULL);
        struct ball *ball = talloc(NULL, struct ball);
        ball->hops = hops;
        tevent_thread_proxy_schedule(players[i % threads].proxy, &im, arrive, &ball);
    }
    for (int i = 1; i < threads; i++) pthread_create(&players[i].thread, NULL, run, &players[i]);
    me = &players[0];
    while (me->seen < balls * hops / threads) tevent_loop_once(me->ev);
    for (int i = 1; i < threads; i++) {
        /* They have nothing left to send to this one; the others may still play. */
        struct tevent_immediate *im = tevent_create_immediate(NULL);
        while (players[i].seen < balls * hops / threads) {}
        tevent_thread_proxy_schedule(players[i].proxy, &im, stop, NULL);
        pthread_join(players[i].thread, NULL);
    }
    for (int i = 0; i < threads; i++) {
        printf("thread %d has seen %d\n", i, players[i].seen);
        talloc_free(players[i].ev);
    }
    return 0;
}
