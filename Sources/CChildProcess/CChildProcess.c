#define _GNU_SOURCE
#include "CChildProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void close_both(int fds[2])
{
    if (fds[0] >= 0) close(fds[0]);
    if (fds[1] >= 0) close(fds[1]);
}

static int spawn(pid_t *pid, const char *path, char *const argv[], char *const envp[],
                 const char *directory, const int standard[3])
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t all, none;

    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);

    posix_spawn_file_actions_init(&files);
    for (int fd = 0; fd < 3; fd++) posix_spawn_file_actions_adddup2(&files, standard[fd], fd);
    if (directory != NULL) posix_spawn_file_actions_addchdir_np(&files, directory);

    int error = posix_spawn(pid, path, &files, &attributes, argv, envp);

    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return error;
}

int child_start(struct started_child *child, const char *path, char *const argv[], char *const envp[],
                const char *directory)
{
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    int error = 0;

    for (int fd = 0; fd < 3 && error == 0; fd++) {
        if (pipe2(pipes[fd], O_CLOEXEC) != 0) error = errno;
    }
    if (error == 0) {
        const int standard[3] = {pipes[0][0], pipes[1][1], pipes[2][1]};
        error = spawn(&child->pid, path, argv, envp, directory, standard);
    }
    if (error == 0) {
        child->exit_fd = (int)syscall(SYS_pidfd_open, child->pid, 0); /* close-on-exec by default */
        if (child->exit_fd < 0) {
            error = errno;
            kill(child->pid, SIGKILL);
            waitpid(child->pid, NULL, 0);
        }
    }
    if (error != 0) {
        for (int fd = 0; fd < 3; fd++) close_both(pipes[fd]);
        return error;
    }

    close(pipes[0][0]);
    close(pipes[1][1]);
    close(pipes[2][1]);
    child->input = pipes[0][1];
    child->output = pipes[1][0];
    child->error = pipes[2][0];
    fcntl(child->input, F_SETFL, O_NONBLOCK);
    fcntl(child->output, F_SETFL, O_NONBLOCK);
    fcntl(child->error, F_SETFL, O_NONBLOCK);
    return 0;
}

pid_t child_fork(unsigned seconds)
{
    pid_t pid = fork();

    if (pid == 0) alarm(seconds);
    return pid;
}

ssize_t child_write(int fd, const void *bytes, size_t count)
{
    /* The reader may have exited. Block SIGPIPE for this thread only, and take it if it was raised. */
    sigset_t broken, before, pending;
    const struct timespec now = {0, 0};

    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &broken, &before);
    ssize_t written = write(fd, bytes, count);
    int error = errno;
    if (written < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE)) {
        sigtimedwait(&broken, NULL, &now);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return written;
}

void child_reap(pid_t pid, int *exit_code, int *signal_number)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    *exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    *signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}
