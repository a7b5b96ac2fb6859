/* Work shared among threads: each counts the primes in its part, and sends the number to the main thread's loop. */
#include <pthread.h>
#include <stdio.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

enum { WORKERS = 10, PART = 10000 };

struct worker {
    struct tevent_thread_proxy *inbox;
    int number;
};

struct result {
    int number, primes;
};

static int primes[WORKERS], results;

/* Runs on the main thread's loop, whichever worker finishes first. */
static void collect(struct tevent_context *ev, struct tevent_immediate *immediate, void *data)
{
    struct result *result = talloc_get_type_abort(data, struct result);
    primes[result->number] = result->primes;
    results++;
}

static bool is_prime(int number)
{
    if (number < 2) return false;
    for (int divisor = 2; divisor * divisor <= number; divisor++) {
        if (number % divisor == 0) return false;
    }
    return true;
}

/* Everything that a worker does. */
static void *work(void *data)
{
    const struct worker *worker = data;
    struct result *result = talloc_zero(NULL, struct result);
    struct tevent_immediate *immediate = tevent_create_immediate(NULL);
    result->number = worker->number;
    for (int i = 0; i < PART; i++) result->primes += is_prime(worker->number * PART + i);
    tevent_thread_proxy_schedule(worker->inbox, &immediate, collect, &result);
    return NULL;
}

int main(void)
{
    talloc_disable_null_tracking();
    struct tevent_context *ev = tevent_context_init(NULL);
    struct tevent_thread_proxy *inbox = tevent_thread_proxy_create(ev);
    pthread_t threads[WORKERS];
    struct worker workers[WORKERS];
    if (inbox == NULL) return 1;

    for (int i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){inbox, i};
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0) return 1;
    }
    while (results < WORKERS) {
        if (tevent_loop_once(ev) != 0) return 1;
    }
    int together = 0;
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
        printf("from %d to %d: %d\n", i * PART, (i + 1) * PART - 1, primes[i]);
        together += primes[i];
    }
    printf("together: %d\n", together);
    talloc_free(ev);
    return 0;
}
