/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * privilege.c - reads the effective capabilities of this process. See privilege.h.
 */
#include "privilege.h"
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What lastack needs, and for what (capabilities(7)). */
static const struct {
	unsigned int cap;
	const char *name;
} needed[] = {
	{CAP_BPF, "CAP_BPF"},		  /* maps and programs */
	{CAP_NET_ADMIN, "CAP_NET_ADMIN"}, /* XDP and tc programs, attaching them */
	{CAP_PERFMON, "CAP_PERFMON"},	  /* pointer arithmetic in programs */
};

static bool has(const struct __user_cap_data_struct caps[2], unsigned int cap)
{
	return caps[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap);
}

/* Writes the names of what is missing, separated by commas. Returns how many there are. */
static int missing(char *text, size_t size)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {0};
	size_t used = 0;
	int count = 0;

	if (syscall(SYS_capget, &head, caps))
		return 0;
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed) && used < size; i++) {
		if (has(caps, needed[i].cap))
			continue;
		used += (size_t)snprintf(text + used, size - used, "%s%s", count++ ? ", " : "",
					 needed[i].name);
	}
	return count;
}

enum la_exit la_fail_privilege(const char *what, const char *on)
{
	char names[80] = "", why[120];

	if (!missing(names, sizeof(names)))
		return la_fail(LA_EXIT_RUNTIME, what, on,
			       "the kernel forbids it though no capability is missing",
			       "a container, a user namespace or lockdown mode stands in the way");
	snprintf(why, sizeof(why), "not permitted, %s missing", names);
	return la_fail(LA_EXIT_RUNTIME, what, on, why,
		       "run it with sudo, or give it CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON");
}
