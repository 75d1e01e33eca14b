/* Selectors of what the signals treat in another way. */

/* what shows something that is drawn, or a page of its own */
const MEDIA = "video,audio,canvas,iframe,frame,object,embed";

export const PICTURE = "img,picture,svg,map," + MEDIA;

/* answers in ways that cannot be seen from here */
export const NATIVE = "input,select,option,textarea,label," + MEDIA;

export const IGNORED = "[data-cx-ignore]";
