/* Makes fork safe for a child, which has only one thread: at the moment of the fork all locks are free and no set-up is
 * half done, and each child first runs the functions that put its own state right. */

#include "CLinux.h"

#include <stddef.h>

/* Held while a part of the program is being set up, so that no fork happens in the middle. */
static pthread_mutex_t setup = PTHREAD_MUTEX_INITIALIZER;
/* Guards the list of locks. */
static pthread_mutex_t list = PTHREAD_MUTEX_INITIALIZER;
static struct clinux_lock *first_lock, *last_lock;
static void (*_Atomic in_child)(void);

bool clinux_parts[clinux_part_count];
uint32_t clinux_fork_count;

static void before_fork(void)
{
    pthread_mutex_lock(&setup);
    pthread_mutex_lock(&list);
    for (struct clinux_lock *lock = first_lock; lock != NULL; lock = lock->next)
        pthread_mutex_lock(&lock->mutex);
}

static void release_all(void)
{
    for (struct clinux_lock *lock = last_lock; lock != NULL; lock = lock->previous)
        pthread_mutex_unlock(&lock->mutex);
    pthread_mutex_unlock(&list);
    pthread_mutex_unlock(&setup);
}

static void after_fork_in_child(void)
{
    clinux_fork_count++;
    release_all();
    if (in_child != NULL)
        in_child();
}

__attribute__((constructor)) static void watch_forks(void)
{
    pthread_atfork(before_fork, release_all, after_fork_in_child);
}

void clinux_lock_begin(struct clinux_lock *lock)
{
    pthread_mutex_init(&lock->mutex, NULL);
    pthread_mutex_lock(&list);
    lock->next = NULL;
    lock->previous = last_lock;
    *(last_lock != NULL ? &last_lock->next : &first_lock) = lock;
    last_lock = lock;
    pthread_mutex_unlock(&list);
}

void clinux_lock_end(struct clinux_lock *lock)
{
    pthread_mutex_lock(&list);
    *(lock->previous != NULL ? &lock->previous->next : &first_lock) = lock->next;
    *(lock->next != NULL ? &lock->next->previous : &last_lock) = lock->previous;
    pthread_mutex_unlock(&list);
    pthread_mutex_destroy(&lock->mutex);
}

void clinux_set_up(enum clinux_part part, void (*function)(void))
{
    pthread_mutex_lock(&setup);
    if (!clinux_parts[part]) {
        function();
        __atomic_store_n(&clinux_parts[part], true, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&setup);
}

void clinux_in_each_child(void (*function)(void)) { in_child = function; }
