#include "CPlayer.h"

/* `#embed` is C23. */
#pragma clang diagnostic ignored "-Wc23-extensions"

static const char page[] = {
#embed "../../Player/player.html"
};

static const char style[] = {
#embed "../../Player/player.css"
};

/* In the order of Player/order.txt, as a test checks. */
static const char script[] = {
#embed "../../Player/words.js" suffix(,)
#embed "../../Player/text.js" suffix(,)
#embed "../../Player/recording.js" suffix(,)
#embed "../../Player/frames.js" suffix(,)
#embed "../../Player/chronicle.js" suffix(,)
#embed "../../Player/replay.js" suffix(,)
#embed "../../Player/sentences.js" suffix(,)
#embed "../../Player/forecast.js" suffix(,)
#embed "../../Player/dom.js" suffix(,)
#embed "../../Player/panels.js" suffix(,)
#embed "../../Player/memory.js" suffix(,)
#embed "../../Player/requests.js" suffix(,)
#embed "../../Player/timeline-layout.js" suffix(,)
#embed "../../Player/timeline-drawing.js" suffix(,)
#embed "../../Player/timeline.js" suffix(,)
#embed "../../Player/predict.js" suffix(,)
#embed "../../Player/controls.js" suffix(,)
#embed "../../Player/player.js" suffix(,)
};

struct cplayer_text cplayer_page(void) { return (struct cplayer_text){page, sizeof page}; }
struct cplayer_text cplayer_style(void) { return (struct cplayer_text){style, sizeof style}; }
struct cplayer_text cplayer_script(void) { return (struct cplayer_text){script, sizeof script}; }
