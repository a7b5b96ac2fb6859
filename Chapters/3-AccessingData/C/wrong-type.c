/* Asking for data by a wrong type: gently, which returns NULL, and firmly, which ends the program. */
#include <stdio.h>
#include <string.h>
#include <tevent.h>
#include <unistd.h>

struct foo_state {
    int x;
};

/* What a caller needs again. */
struct extra {
    int y;
};

/* Another type, which looks the same in memory. */
struct price {
    int cents;
};

static void look(struct tevent_req *req)
{
    void *data = tevent_req_callback_data_void(req);
    struct extra *extra = talloc_get_type(data, struct extra);
    struct price *price = talloc_get_type(data, struct price);
    if (extra != NULL)
        printf("'%s' is extra: %d\n", talloc_get_name(data), extra->y);
    else if (price != NULL)
        printf("'%s' is a price: %d\n", talloc_get_name(data), price->cents);
    else
        printf("'%s' is neither\n", talloc_get_name(data));
}

static void insist(struct tevent_req *req)
{
    struct price *price = tevent_req_callback_data(req, struct price);
    printf("this is never said: %p\n", (void *)price);
}

/* Creates a request that ends at once, so that its callback is called. */
static void ask(TALLOC_CTX *memory, tevent_req_fn callback, void *data)
{
    struct foo_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct foo_state);
    tevent_req_set_callback(req, callback, data);
    tevent_req_done(req);
}

/* Called instead of abort(). Skips the location in the source, which precedes the message. */
static void talloc_ends_it(const char *reason)
{
    const char *words = strstr(reason, "Type mismatch");
    printf("%s\n", words != NULL ? words : reason);
    fflush(stdout);
    _exit(0);
}

int main(void)
{
    TALLOC_CTX *memory = talloc_named_const(NULL, 0, "main");
    struct extra *extra = talloc(memory, struct extra);
    struct price *price = talloc(memory, struct price);
    if (extra == NULL || price == NULL) return 1;
    extra->y = 9;
    price->cents = 250;

    ask(memory, look, extra);
    ask(memory, look, price);
    ask(memory, look, talloc_strdup(memory, "a text"));
    talloc_set_abort_fn(talloc_ends_it);
    ask(memory, insist, extra);
    return 1;
}
