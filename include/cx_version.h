/* The one version number; Makefile and CHANGES are checked against it. */

#ifndef CX_VERSION_H
#define CX_VERSION_H

#define CX_VERSION  "0.4.0"

#endif /* CX_VERSION_H */
