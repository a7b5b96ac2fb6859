#include "CPlayer.h"

/* The files of the player in the order of Player/order.txt; Tests/TeventRecordingTests check that none is missing. */

/* `#embed` is C23. */
#pragma clang diagnostic ignored "-Wc23-extensions"

static const char page[] = {
#embed "../../Player/player.html"
};

static const char style[] = {
#embed "../../Player/player.css"
};

static const char script[] = {
#embed "../../Player/words.js"
};

struct cplayer_text cplayer_page(void) { return (struct cplayer_text){page, sizeof page}; }
struct cplayer_text cplayer_style(void) { return (struct cplayer_text){style, sizeof style}; }
struct cplayer_text cplayer_script(void) { return (struct cplayer_text){script, sizeof script}; }
