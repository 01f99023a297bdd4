/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * privilege.h - which capabilities this process lacks.
 *
 * The kernel only says EPERM. This says which of the three capabilities that lastack needs
 * are missing, or that none is and something else forbids it. The loader and the attacher
 * call it after a refusal; nothing is refused beforehand, the kernel knows best.
 */
#ifndef LA_USER_PRIVILEGE_H
#define LA_USER_PRIVILEGE_H

#include "options.h"

/* Reports on stderr that what (on) was forbidden and what is lacking. */
enum la_exit la_fail_privilege(const char *what, const char *on);

#endif
