/* Runs the programs of a range of seeds, see differential.h. */
#include "differential.h"
#include <signal.h>
#include <unistd.h>

static void usage(void)
{
    printf("usage: differential [-v] [--only CLASS,...] [--without CLASS,...] [--with CLASS,...] FROM [TO]\n"
           "Prints what happens in the programs of the seeds. With -v, also what is called (lines that begin with #).\n"
           "classes:\n");
    print_classes();
}

/* The classes in a list of names, separated by commas. */
static unsigned classes_named(char *list)
{
    unsigned result = 0, class;
    for (char *name = strtok(list, ","); name != NULL; name = strtok(NULL, ",")) {
        if (!class_named(name, &class)) {
            fprintf(stderr, "unknown class %s, see --help\n", name);
            exit(2);
        }
        result |= class;
    }
    return result;
}

static void watchdog(int signum)
{
    (void)signum;
    static const char message[] = "the seed does not end\n";
    ssize_t written = write(STDERR_FILENO, message, sizeof(message) - 1);
    fflush(stdout);
    _exit(written > 0 ? 3 : 4);
}

int main(int argc, char **argv)
{
    unsigned long long from = 0, to = 0;
    int numbers = 0;
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "-v") == 0) {
            verbose = true;
        } else if (strcmp(argv[i], "--only") == 0 && has_value) {
            classes = classes_named(argv[++i]) | (classes & REFINEMENTS);
        } else if (strcmp(argv[i], "--without") == 0 && has_value) {
            classes &= ~classes_named(argv[++i]);
        } else if (strcmp(argv[i], "--with") == 0 && has_value) {
            classes |= classes_named(argv[++i]);
        } else if (argv[i][0] >= '0' && argv[i][0] <= '9' && numbers < 2) {
            to = strtoull(argv[i], NULL, 10);
            if (numbers++ == 0) from = to;
        } else {
            usage();
            return strcmp(argv[i], "--help") == 0 ? 0 : 2;
        }
    }
    if (numbers == 0) {
        usage();
        return 2;
    }
    /* A queue holds requests. */
    if ((classes & QUEUES) != 0) classes |= REQUESTS;
    signal(SIGALRM, watchdog);
    signal(SIGPIPE, SIG_IGN);
    if (verbose || from == to) setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned long long seed = from; seed <= to; seed++) run_seed(seed);
    return 0;
}
