// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_service.c - what lastack tells the service manager that started it (sd_notify(3)).
 */
#include "lab.h"
#include "observer.h"
#include <criterion/criterion.h>

/* The observer is the manager: la_observer_start() has waited for READY=1. */
Test(service, the_manager_is_told_of_beginning_and_end)
{
	const char *const options[] = {NULL};
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs;

	cr_assert(lab);
	obs = la_observer_start(lab, LA_LAB_SERVER, "eth0", NULL, options);
	cr_assert(obs);
	cr_expect_eq(la_observer_stop(obs), 0);
	cr_expect(la_observer_notifies(obs, "STOPPING=1"));
	la_observer_free(obs);
	la_lab_free(lab);
}
