/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attach.c - choose a hook, make a link, say so. See attach.h.
 *
 * ingress: XDP if it was asked for or is free, else tc. egress: tc. tc programs go first
 * (BPF_F_BEFORE): a program before us that lets a packet pass finally would hide it, while
 * ours always passes it on to the next one.
 */
#include "attach.h"
#include "bpf_log.h"
#include "clsact.h"
#include "options.h"
#include "privilege.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Linux 6.6; not in the headers of Debian 12. */
static const enum bpf_attach_type tcx_types[] = {
	[LA_INGRESS] = (enum bpf_attach_type)46, /* BPF_TCX_INGRESS */
	[LA_EGRESS] = (enum bpf_attach_type)47,	 /* BPF_TCX_EGRESS */
};

/* As in BPF_PROG_ATTACH of the kernel's uapi: before all programs that are there. */
#define TCX_BEFORE (1U << 3)

/* The kernel takes no more programs on one tcx hook. */
#define TCX_MAX 64

static const char cannot[] = "cannot attach";

enum place_state {
	PLACE_ATTACHED,
	PLACE_REFUSED, /* the reason has been said */
	PLACE_GONE,    /* only its name is still of use, for records that come late */
};

/* One interface and what hangs on it. */
struct place {
	struct la_netdev dev;
	enum place_state state;
	int xdp;    /* link, or -1 */
	int tcx[2]; /* links by enum la_direction, or -1 */
	struct la_clsact clsact;
};

struct la_attach {
	const struct la_loader *loader;
	struct place *places; /* by rising ifindex */
	unsigned int count;
};

/* What a choice means for ingress. */
static const struct {
	const char *name;
	__u32 xdp_flags; /* 0: no XDP */
	bool or_tc;	 /* without XDP, tc will do */
	bool clsact;
} choices[] = {
	[LA_CHOICE_AUTO] = {"native XDP", XDP_FLAGS_DRV_MODE, true, false},
	[LA_CHOICE_XDP] = {"native XDP", XDP_FLAGS_DRV_MODE, false, false},
	[LA_CHOICE_XDP_GENERIC] = {"generic XDP", XDP_FLAGS_SKB_MODE, false, false},
	[LA_CHOICE_TC] = {NULL, 0, true, false},
	[LA_CHOICE_TC_LEGACY] = {NULL, 0, true, true},
};

static const enum la_prog tc_progs[2][2] = {
	/* by direction, then by whether there is an Ethernet header */
	[LA_INGRESS] = {LA_PROG_TC_INGRESS_L3, LA_PROG_TC_INGRESS},
	[LA_EGRESS] = {LA_PROG_TC_EGRESS_L3, LA_PROG_TC_EGRESS},
};

__u32 la_attach_needs(const struct la_netdev *dev, enum la_hook_choice choice)
{
	__u32 needs = 1U << tc_progs[LA_EGRESS][dev->ethernet];

	if (choices[choice].xdp_flags && dev->ethernet)
		needs |= 1U << LA_PROG_XDP;
	if (choices[choice].or_tc)
		needs |= 1U << tc_progs[LA_INGRESS][dev->ethernet];
	return needs;
}

struct la_attach *la_attach_new(const struct la_loader *loader)
{
	struct la_attach *attach = calloc(1, sizeof(*attach));

	if (attach)
		attach->loader = loader;
	else
		la_fail(LA_EXIT_RUNTIME, cannot, NULL, strerror(ENOMEM), NULL);
	return attach;
}

static void close_link(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void place_clear(struct place *place)
{
	close_link(&place->xdp);
	close_link(&place->tcx[LA_INGRESS]);
	close_link(&place->tcx[LA_EGRESS]);
	la_clsact_remove(&place->clsact);
}

/* What the kernel says of a link; zeros if it says nothing. */
static struct bpf_link_info link_info(int fd)
{
	struct bpf_link_info info = {0};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		memset(&info, 0, sizeof(info));
	return info;
}

/* The kernel's number of a link, for bpftool; 0 if it does not tell. */
static __u32 link_id(int fd)
{
	return link_info(fd).id;
}

/* Writes `"name" (id N)`, or without the name if we may not look at the program. */
static void describe_prog(__u32 id, char *text, size_t size)
{
	struct bpf_prog_info info = {0};
	__u32 info_size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &info_size))
		snprintf(text, size, "\"%s\" (id %u)", info.name, id);
	else
		snprintf(text, size, "program id %u", id);
	if (fd >= 0)
		close(fd);
}

/* The program that has the XDP hook in whatever mode; 0: it is free. */
static __u32 xdp_owner(int ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (bpf_xdp_query(ifindex, 0, &query))
		return 0;
	return query.drv_prog_id   ? query.drv_prog_id
	       : query.skb_prog_id ? query.skb_prog_id
	       : query.hw_prog_id  ? query.hw_prog_id
				   : query.prog_id;
}

/* Says why the kernel did not take an XDP program. */
static void explain_xdp(const struct la_netdev *dev, int err, char *why, size_t size)
{
	switch (err) {
	case -EOPNOTSUPP:
		snprintf(why, size, "the driver has no native XDP");
		break;
	case -EINVAL:
	case -ERANGE:
	case -E2BIG:
	case -ENOMEM:
		snprintf(why, size, "the driver refuses XDP: %s, perhaps for the MTU of %d",
			 strerror(-err), dev->mtu);
		break;
	default:
		snprintf(why, size, "the driver refuses XDP: %s", strerror(-err));
	}
}

/*
 * Tries XDP. Returns 0, or -errno with the reason in why; -EBUSY: somebody else is there.
 */
static int attach_xdp(struct place *place, int prog_fd, __u32 flags, char *why, size_t size)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	__u32 owner = xdp_owner(place->dev.ifindex);
	char prog[80];
	int fd;

	if (!place->dev.ethernet) {
		snprintf(why, size, "no Ethernet header, so no XDP");
		return -EOPNOTSUPP;
	}
	if (owner) {
		describe_prog(owner, prog, sizeof(prog));
		snprintf(why, size, "XDP is taken by %s", prog);
		return -EBUSY;
	}
	fd = bpf_link_create(prog_fd, place->dev.ifindex, BPF_XDP, &opts);
	if (fd < 0) {
		explain_xdp(&place->dev, fd, why, size);
		return fd;
	}
	place->xdp = fd;
	return 0;
}

/* Attaches one direction to tc: tcx if the kernel has it, else clsact. Returns 0 or -errno. */
static int attach_tc(struct place *place, enum la_direction direction, int prog_fd, bool clsact)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = TCX_BEFORE);
	int fd;

	if (!clsact) {
		fd = bpf_link_create(prog_fd, place->dev.ifindex, tcx_types[direction], &opts);
		if (fd >= 0)
			place->tcx[direction] = fd;
		if (fd != -EINVAL) /* EINVAL: this kernel does not know such a hook */
			return fd < 0 ? fd : 0;
	}
	return la_clsact_add(&place->clsact, direction, prog_fd);
}

/* Adds `tcx ingress (id 5)` or `clsact ingress (pref 1 handle 1)` to the line. */
static void describe_tc(const struct place *place, enum la_direction direction, FILE *line)
{
	const char *name = direction == LA_INGRESS ? "ingress" : "egress";

	if (place->tcx[direction] >= 0)
		fprintf(line, "tcx %s (id %u)", name, link_id(place->tcx[direction]));
	else
		fprintf(line, "clsact %s (pref %u handle %u)", name,
			place->clsact.filter[direction].pref,
			place->clsact.filter[direction].handle);
}

/* Says in one line what was chosen and why; for clsact in another one what a kill leaves. */
static void announce(const struct place *place, enum la_hook_choice choice, const char *why)
{
	char remedy[300] = "";

	fprintf(stderr, "lastack: %s: %s%s", place->dev.name, why, *why ? ", using " : "");
	if (place->xdp >= 0)
		fprintf(stderr, "%s ingress (id %u)", choices[choice].name, link_id(place->xdp));
	else
		describe_tc(place, LA_INGRESS, stderr);
	fputs(", ", stderr);
	describe_tc(place, LA_EGRESS, stderr);
	fputc('\n', stderr);
	la_clsact_remedy(&place->clsact, place->dev.name, remedy, sizeof(remedy));
	if (*remedy)
		fprintf(stderr,
			"lastack: %s: if lastack is killed, filters stay; remove them: %s\n",
			place->dev.name, remedy);
}

/* Reports a refused hook. */
static void report(const struct la_netdev *dev, int err, const char *why, const char *todo)
{
	if (err == -EPERM || err == -EACCES)
		la_fail_privilege(cannot, dev->name);
	else
		la_fail(LA_EXIT_RUNTIME, cannot, dev->name, why, todo);
}

static void report_tc(const struct la_netdev *dev, int err)
{
	if (err == -EBUSY)
		report(dev, err, "it has an ingress qdisc, which leaves no room for tc egress",
		       "replace it by clsact, or use a kernel with tcx (Linux 6.6)");
	else
		report(dev, err, strerror(-err), NULL);
}

/* An interface may come back as another kind, with or without Ethernet header. */
static bool all_loaded(const struct la_netdev *dev, const struct la_loader *loader,
		       enum la_hook_choice choice)
{
	__u32 needs = la_attach_needs(dev, choice);

	for (enum la_prog prog = 0; prog < LA_PROG_MAX; prog++)
		if (needs & 1U << prog && la_loader_prog(loader, prog) < 0)
			return false;
	return true;
}

/* Puts all hooks on an interface. Returns 0, or -errno with the reason on stderr. */
static int place_fill(struct place *place, const struct la_loader *loader,
		      enum la_hook_choice choice)
{
	bool clsact = choices[choice].clsact;
	char why[160] = "";
	int err = 0;

	if (!all_loaded(&place->dev, loader, choice)) {
		report(&place->dev, -ENOENT, "it is of another kind than what was there at start",
		       "start lastack again");
		return -ENOENT;
	}
	if (choices[choice].xdp_flags)
		err = attach_xdp(place, la_loader_prog(loader, LA_PROG_XDP),
				 choices[choice].xdp_flags, why, sizeof(why));
	if (err && (err == -EPERM || !choices[choice].or_tc)) {
		report(&place->dev, err, why, "--hook auto or tc does without XDP");
		return err;
	}
	err = 0;
	for (enum la_direction way = LA_INGRESS; !err && way <= LA_EGRESS; way++) {
		enum la_prog prog = tc_progs[way][place->dev.ethernet];

		if (way == LA_EGRESS || place->xdp < 0)
			err = attach_tc(place, way, la_loader_prog(loader, prog), clsact);
	}
	if (err)
		report_tc(&place->dev, err);
	else
		announce(place, choice, why);
	return err;
}

/* The first place whose interface has this index or a higher one. */
static unsigned int lower_bound(const struct la_attach *attach, int ifindex)
{
	unsigned int low = 0, high = attach->count;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (attach->places[middle].dev.ifindex < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct place *find_place(const struct la_attach *attach, int ifindex)
{
	unsigned int at = lower_bound(attach, ifindex);

	if (at == attach->count || attach->places[at].dev.ifindex != ifindex)
		return NULL;
	return &attach->places[at];
}

/* The place of an interface of this index, that of a gone one or a new one. NULL: no memory. */
static struct place *make_place(struct la_attach *attach, int ifindex)
{
	unsigned int at = lower_bound(attach, ifindex);
	struct place *places = attach->places;

	if (at < attach->count && places[at].dev.ifindex == ifindex)
		return &places[at];
	places = realloc(places, (attach->count + 1) * sizeof(*places));
	if (!places)
		return NULL;
	memmove(&places[at + 1], &places[at], (attach->count - at) * sizeof(*places));
	attach->places = places;
	attach->count++;
	return &places[at];
}

int la_attach_add(struct la_attach *attach, const struct la_netdev *dev, enum la_hook_choice choice)
{
	struct place *place = make_place(attach, dev->ifindex);

	if (!place)
		return la_fail(LA_EXIT_RUNTIME, cannot, dev->name, strerror(ENOMEM), NULL), -1;
	*place = (struct place){.dev = *dev, .xdp = -1, .tcx = {-1, -1}};
	la_clsact_init(&place->clsact, dev->ifindex);
	if (place_fill(place, attach->loader, choice)) {
		place->state = PLACE_REFUSED;
		place_clear(place);
		return -1;
	}
	la_bpf_log_forget();
	return 0;
}

bool la_attach_knows(const struct la_attach *attach, int ifindex)
{
	const struct place *place = find_place(attach, ifindex);

	return place && place->state != PLACE_GONE;
}

/* True if tcx of an interface of this namespace has a program of this id. */
static bool tcx_has(int ifindex, enum la_direction direction, __u32 prog)
{
	__u32 ids[TCX_MAX], count = TCX_MAX;

	if (bpf_prog_query(ifindex, tcx_types[direction], 0, NULL, ids, &count))
		return false;
	for (__u32 i = 0; i < count; i++)
		if (ids[i] == prog)
			return true;
	return false;
}

/*
 * True if our egress program, which every place has, hangs on the interface that has this
 * index here. A link does not tell: it stays on an interface that moves to another namespace.
 */
static bool place_holds(const struct place *place)
{
	int link = place->tcx[LA_EGRESS];

	if (link < 0)
		return la_clsact_holds(&place->clsact, LA_EGRESS);
	return tcx_has(place->dev.ifindex, LA_EGRESS, link_info(link).prog_id);
}

static void place_leave(struct place *place, const char *why)
{
	if (place->state == PLACE_ATTACHED)
		fprintf(stderr, "lastack: %s: %s\n", place->dev.name, why);
	place->state = PLACE_GONE;
	place_clear(place);
}

static void place_check(struct place *place)
{
	char name[IF_NAMESIZE];

	if (!la_netdev_name(place->dev.ifindex, name)) {
		place_leave(place, "the interface is gone");
		return;
	}
	if (place->state == PLACE_ATTACHED && !place_holds(place)) {
		place_leave(place, "its programs are gone");
		return;
	}
	if (!strcmp(name, place->dev.name))
		return;
	if (place->state == PLACE_ATTACHED)
		fprintf(stderr, "lastack: %s: is now called %s\n", place->dev.name, name);
	memcpy(place->dev.name, name, sizeof(name));
}

/* Forgets names of which the late records have come by now: those of the lowest indices. */
static void forget_names(struct la_attach *attach)
{
	unsigned int gone = 0, kept = 0;

	for (unsigned int i = 0; i < attach->count; i++)
		gone += attach->places[i].state == PLACE_GONE;
	for (unsigned int i = 0; i < attach->count; i++) {
		if (attach->places[i].state == PLACE_GONE && gone > LA_ATTACH_GONE_MAX)
			gone--;
		else
			attach->places[kept++] = attach->places[i];
	}
	attach->count = kept;
}

void la_attach_check(struct la_attach *attach)
{
	for (unsigned int i = 0; i < attach->count; i++)
		if (attach->places[i].state != PLACE_GONE)
			place_check(&attach->places[i]);
	forget_names(attach);
	la_bpf_log_forget();
}

unsigned int la_attach_count(const struct la_attach *attach)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < attach->count; i++)
		count += attach->places[i].state == PLACE_ATTACHED;
	return count;
}

const char *la_attach_ifname(__u32 ifindex, void *ctx)
{
	const struct place *place = find_place(ctx, (int)ifindex);

	return place ? place->dev.name : NULL;
}

void la_attach_detach(struct la_attach *attach)
{
	for (unsigned int i = 0; i < attach->count; i++)
		place_clear(&attach->places[i]);
}

void la_attach_free(struct la_attach *attach)
{
	if (!attach)
		return;
	la_attach_detach(attach);
	free(attach->places);
	free(attach);
}
