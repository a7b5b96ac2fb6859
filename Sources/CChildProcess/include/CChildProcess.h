/* Starting and reaping a child process: what Swift's Glibc module leaves out. */
#ifndef CCHILDPROCESS_H
#define CCHILDPROCESS_H
#include <sys/types.h>

/* A started child and the parent's ends of its pipes, all close-on-exec and non-blocking. */
struct started_child {
    pid_t pid;
    int exit_fd; /* readable once the child has ended */
    int input;   /* the child's standard input */
    int output;  /* the child's standard output */
    int error;   /* the child's standard error */
};

/* Starts `path` in `directory` (NULL: the current one) as the leader of its own process group, with every signal
   unblocked and at its default. Returns 0 or an errno. */
int child_start(struct started_child *child, const char *path, char *const argv[], char *const envp[],
                const char *directory);

/* Forks, without starting another program; the child is killed after so many seconds. Returns what fork() returns. */
pid_t child_fork(unsigned seconds);

/* Writes without raising SIGPIPE. Returns what write() returns. */
ssize_t child_write(int fd, const void *bytes, size_t count);

/* Reaps an ended child. Afterwards exactly one of the two is 0 or more, and the other is -1. */
void child_reap(pid_t pid, int *exit_code, int *signal_number);
#endif
