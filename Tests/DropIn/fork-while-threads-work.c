/* A process forks while other threads create and free contexts, and the child creates one as well. The child has none
 * of these threads: it would hang if one of them held a lock of the library at that moment.
 * Not under the thread sanitizer: with it, Swift's own runtime takes a lock whenever a global is used. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>

static atomic_bool over;

static void use(void)
{
    struct tevent_context *ev = tevent_context_init_byname(NULL, "epoll");
    tevent_thread_proxy_create(ev);
    talloc_free(ev);
}

static void *work(void *unused)
{
    while (!over) use();
    return unused;
}

int main(void)
{
    pthread_t threads[2];
    int hung = 0;
    talloc_disable_null_tracking();
    use();
    for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 500 && hung == 0; i++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            alarm(10);
            use();
            _exit(0);
        }
        waitpid(child, &status, 0);
        if (!WIFEXITED(status)) hung++;
    }
    over = true;
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    printf("%s\n", hung == 0 ? "no child hung" : "a child hung");
    return 0;
}
