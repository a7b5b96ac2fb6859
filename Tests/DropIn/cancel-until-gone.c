/* Requests with deferred callbacks that are cancelled until they are freed, as smbd does with those of a closed file. A
 * request that ends a second time calls back immediately, and the callback deferred the first time comes as well. */
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>

static struct tevent_context *ev;
static int pending;

static bool cancel(struct tevent_req *req)
{
    tevent_req_error(req, 125);
    return true;
}

static void forget(struct tevent_req *req)
{
    printf("request %d is over\n", *(int *)tevent_req_callback_data_void(req));
    talloc_free(req);
    pending--;
}

static void tell(struct tevent_req *req)
{
    uint64_t error = 0;
    enum tevent_req_state state = TEVENT_REQ_DONE;
    tevent_req_is_error(req, &state, &error);
    printf("%s: state %d, error %d\n", (char *)tevent_req_callback_data_void(req), (int)state, (int)error);
}

static void hear(struct tevent_req *req, enum tevent_req_state state)
{
    printf("%s: cleaned up in state %d\n", (char *)tevent_req_callback_data_void(req), (int)state);
}

static struct tevent_req *make(tevent_req_fn callback, void *data)
{
    int *state;
    struct tevent_req *req = tevent_req_create(ev, &state, int);
    tevent_req_set_callback(req, callback, data);
    tevent_req_set_cancel_fn(req, cancel);
    return req;
}

static void cancel_all(void)
{
    static int numbers[3] = {1, 2, 3};
    struct tevent_req *all[3];
    for (int i = 0; i < 3; i++) {
        all[i] = make(forget, &numbers[i]);
        tevent_req_defer_callback(all[i], ev);
        pending++;
    }
    while (pending > 0) {
        printf("cancelling request %d\n", pending);
        if (!tevent_req_cancel(all[pending - 1])) break;
    }
    printf("pending: %d\n", pending);
}

static void end_twice(char *name, bool deferred, bool cleaned)
{
    struct tevent_req *req = make(tell, name);
    if (cleaned) tevent_req_set_cleanup_fn(req, hear);
    if (deferred) tevent_req_defer_callback(req, ev);
    tevent_req_error(req, 1);
    if (!deferred) tevent_req_post(req, ev);
    printf("%s: ended once\n", name);
    tevent_req_error(req, 2);
    printf("%s: ended twice\n", name);
    tevent_loop_once(ev);
    printf("%s: after a turn\n", name);
    talloc_free(req);
}

int main(void)
{
    ev = tevent_context_init(NULL);
    cancel_all();
    end_twice("deferred", true, false);
    end_twice("posted", false, false);
    end_twice("deferred, with cleanup", true, true);
    end_twice("posted, with cleanup", false, true);
    talloc_free(ev);
    return 0;
}
