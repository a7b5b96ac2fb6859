/* The player of recordings, as text; its sources are the files in Player. */
#ifndef CPLAYER_H
#define CPLAYER_H

#include <stddef.h>

struct cplayer_text {
    const char *text;
    size_t length;
};

/* The page, with places for the rest in double braces. */
struct cplayer_text cplayer_page(void);
struct cplayer_text cplayer_style(void);
struct cplayer_text cplayer_script(void);

#endif
