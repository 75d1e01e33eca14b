/*
 * The built-in theme: the card, the tab and the pages of the module have it,
 * and a theme of a surveys file has these where it says nothing.  The widget's
 * style sheets are made of this table, too: see widget/build.sh.
 *
 * C(id, name, light, dark)  colours, as --cx-<name>; #rrggbb
 *
 * A theme of one's own gets white or black on its accent, whichever is better.
 */

#ifndef CX_THEME_H
#define CX_THEME_H


#define CX_THEME_COLOURS(C)                                                   \
    C(ACCENT, "accent", "#0b57d0", "#a8c7fa")                                 \
    C(BACKGROUND, "background", "#ffffff", "#1f1f1f")                         \
    C(TEXT, "text", "#1f1f1f", "#e3e3e3")                                     \
    C(MUTED, "muted", "#5f6368", "#c4c7c5")                                   \
    C(BORDER, "border", "#747775", "#8e918f")

#define CX_THEME_ON_LIGHT  "#ffffff"    /* on the accents */
#define CX_THEME_ON_DARK   "#000000"

#define CX_THEME_RADIUS    12           /* px */


#endif /* CX_THEME_H */
