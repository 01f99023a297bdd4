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
#include "keep.h"
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

struct la_attach {
	const struct la_loader *loader;
	struct la_persist *persist; /* NULL: all goes with the process */
	struct la_place *places;    /* by rising ifindex */
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

static void close_link(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void place_close(struct la_place *place)
{
	close_link(&place->xdp);
	close_link(&place->tcx[LA_INGRESS]);
	close_link(&place->tcx[LA_EGRESS]);
}

static void place_clear(const struct la_attach *attach, struct la_place *place)
{
	if (place->kept)
		la_keep_unpin(attach->persist, place);
	place_close(place);
	la_clsact_remove(&place->clsact);
	if (place->kept)
		la_keep_forget(place);
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
static int attach_xdp(struct la_place *place, int prog_fd, __u32 flags, char *why, size_t size)
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
static int attach_tc(struct la_place *place, enum la_direction direction, int prog_fd, bool clsact)
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
	if (place->kept)
		la_keep_note_filter(place, direction, prog_fd);
	return la_clsact_add(&place->clsact, direction, prog_fd);
}

/* Adds `tcx ingress (id 5)` or `clsact ingress (pref 1 handle 1)` to the line. */
static void describe_tc(const struct la_place *place, enum la_direction direction, FILE *line)
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
static void announce(const struct la_place *place, enum la_hook_choice choice, const char *why)
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
	if (!place->kept)
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
static int place_fill(struct la_place *place, const struct la_loader *loader,
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

static struct la_place *find_place(const struct la_attach *attach, int ifindex)
{
	unsigned int at = lower_bound(attach, ifindex);

	if (at == attach->count || attach->places[at].dev.ifindex != ifindex)
		return NULL;
	return &attach->places[at];
}

/* The place of an interface of this index, that of a gone one or a new one. NULL: no memory. */
static struct la_place *make_place(struct la_attach *attach, int ifindex)
{
	unsigned int at = lower_bound(attach, ifindex);
	struct la_place *places = attach->places;

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

/* The names of interfaces that an earlier process has left. */
static void recall_names(struct la_attach *attach)
{
	const struct la_persist_place *places = la_persist_state(attach->persist)->places;

	for (int i = 0; i < LA_PERSIST_PLACES; i++) {
		struct la_place *place =
			places[i].ifindex ? make_place(attach, places[i].ifindex) : NULL;

		if (!place)
			continue;
		*place = (struct la_place){.dev.ifindex = places[i].ifindex,
					   .state = LA_PLACE_GONE,
					   .xdp = -1,
					   .tcx = {-1, -1}};
		memcpy(place->dev.name, places[i].ifname, sizeof(places[i].ifname));
	}
}

struct la_attach *la_attach_new(const struct la_loader *loader, struct la_persist *persist)
{
	struct la_attach *attach = calloc(1, sizeof(*attach));

	if (!attach)
		return la_fail(LA_EXIT_RUNTIME, cannot, NULL, strerror(ENOMEM), NULL), NULL;
	*attach = (struct la_attach){.loader = loader, .persist = persist};
	if (persist)
		recall_names(attach);
	return attach;
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
static bool place_holds(const struct la_place *place)
{
	int link = place->tcx[LA_EGRESS];

	if (link < 0)
		return la_clsact_holds(&place->clsact, LA_EGRESS);
	return tcx_has(place->dev.ifindex, LA_EGRESS, link_info(link).prog_id);
}

static __u32 prog_id(int fd)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.id;
}

/* Lets a link run our program, if it runs another. Returns 0 or -errno. */
static int update_link(int link, int prog_fd)
{
	if (prog_fd < 0)
		return -ENOENT;
	return link_info(link).prog_id == prog_id(prog_fd) ? 0
							   : bpf_link_update(link, prog_fd, NULL);
}

/*
 * Lets the links that an earlier process has left run our programs: no packet goes by
 * without. Returns 0, or -errno: not all of them are there, or they cannot.
 */
static int place_update(const struct la_place *place, const struct la_loader *loader)
{
	int err = 0;

	if (place->xdp >= 0)
		err = update_link(place->xdp, la_loader_prog(loader, LA_PROG_XDP));
	for (enum la_direction way = LA_INGRESS; !err && way <= LA_EGRESS; way++) {
		int prog = la_loader_prog(loader, tc_progs[way][place->dev.ethernet]);

		if (place->tcx[way] >= 0)
			err = update_link(place->tcx[way], prog);
		else if (way == LA_EGRESS || place->xdp < 0)
			err = prog >= 0 && la_clsact_holds(&place->clsact, way) &&
					      place->clsact.filter[way].prog == prog_id(prog)
				      ? 0
				      : -ENOENT;
	}
	return err;
}

/*
 * Takes over what an earlier process has attached; or takes it off, if it is not whole or the
 * hooks are to be others. Returns whether it is ours now.
 */
static bool place_adopt(const struct la_attach *attach, struct la_place *place,
			enum la_hook_choice choice)
{
	place->kept = la_keep_find(attach->persist, place->dev.ifindex);
	if (!place->kept)
		return false;
	la_keep_take(attach->persist, place);
	if (place->kept->choice != choice || !place_holds(place) ||
	    place_update(place, attach->loader)) {
		place_clear(attach, place);
		return false;
	}
	memcpy(place->kept->ifname, place->dev.name, sizeof(place->dev.name));
	announce(place, choice, "attached already");
	return true;
}

/* Attaches to an interface so that it persists. Returns 0, or -1 with the reason on stderr. */
static int place_persist(const struct la_attach *attach, struct la_place *place,
			 enum la_hook_choice choice)
{
	int err;

	if (place_adopt(attach, place, choice))
		return 0;
	place->kept = la_keep_begin(attach->persist, &place->dev, (int)choice);
	if (!place->kept)
		return la_fail(LA_EXIT_RUNTIME, cannot, place->dev.name, "too many interfaces",
			       NULL),
		       -1;
	if (place_fill(place, attach->loader, choice))
		return -1;
	err = la_keep_pin(attach->persist, place);
	if (err)
		la_fail(LA_EXIT_RUNTIME, "cannot pin the links", place->dev.name, strerror(-err),
			NULL);
	return err ? -1 : 0;
}

int la_attach_add(struct la_attach *attach, const struct la_netdev *dev, enum la_hook_choice choice)
{
	struct la_place *place = make_place(attach, dev->ifindex);
	int err;

	if (!place)
		return la_fail(LA_EXIT_RUNTIME, cannot, dev->name, strerror(ENOMEM), NULL), -1;
	*place = (struct la_place){.dev = *dev, .xdp = -1, .tcx = {-1, -1}};
	la_clsact_init(&place->clsact, dev->ifindex);
	err = attach->persist ? place_persist(attach, place, choice)
			      : place_fill(place, attach->loader, choice);
	if (err) {
		place->state = LA_PLACE_REFUSED;
		place_clear(attach, place);
		return -1;
	}
	la_bpf_log_forget();
	return 0;
}

bool la_attach_has(const struct la_attach *attach, int ifindex)
{
	const struct la_place *place = find_place(attach, ifindex);

	return place && place->state == LA_PLACE_ATTACHED;
}

/* Takes off what an earlier process has left on an interface. */
static void clear_kept(struct la_attach *attach, struct la_persist_place *kept)
{
	struct la_place *place = make_place(attach, kept->ifindex);

	if (!place)
		return;
	*place = (struct la_place){.dev.ifindex = kept->ifindex,
				   .state = LA_PLACE_GONE,
				   .xdp = -1,
				   .tcx = {-1, -1},
				   .kept = kept};
	memcpy(place->dev.name, kept->ifname, sizeof(kept->ifname));
	la_clsact_init(&place->clsact, kept->ifindex);
	la_keep_take(attach->persist, place);
	place_clear(attach, place);
	fprintf(stderr, "lastack: %s: detached\n", place->dev.name);
}

void la_attach_prune(struct la_attach *attach)
{
	struct la_persist_place *places = la_persist_state(attach->persist)->places;

	for (int i = 0; i < LA_PERSIST_PLACES; i++)
		if (places[i].attached && !la_attach_has(attach, places[i].ifindex))
			clear_kept(attach, &places[i]);
	la_bpf_log_forget();
}

bool la_attach_knows(const struct la_attach *attach, int ifindex)
{
	const struct la_place *place = find_place(attach, ifindex);

	return place && place->state != LA_PLACE_GONE;
}

static void place_leave(const struct la_attach *attach, struct la_place *place, const char *why)
{
	if (place->state == LA_PLACE_ATTACHED)
		fprintf(stderr, "lastack: %s: %s\n", place->dev.name, why);
	place->state = LA_PLACE_GONE;
	place_clear(attach, place);
}

void la_attach_drop(struct la_attach *attach, int ifindex)
{
	struct la_place *place = find_place(attach, ifindex);

	if (place)
		place_leave(attach, place, "detached");
}

static void place_check(const struct la_attach *attach, struct la_place *place)
{
	char name[IF_NAMESIZE];

	if (!la_netdev_name(place->dev.ifindex, name)) {
		place_leave(attach, place, "the interface is gone");
		return;
	}
	if (place->state == LA_PLACE_ATTACHED && !place_holds(place)) {
		place_leave(attach, place, "its programs are gone");
		return;
	}
	if (!strcmp(name, place->dev.name))
		return;
	if (place->state == LA_PLACE_ATTACHED)
		fprintf(stderr, "lastack: %s: is now called %s\n", place->dev.name, name);
	memcpy(place->dev.name, name, sizeof(name));
	if (place->kept)
		memcpy(place->kept->ifname, name, sizeof(name));
}

/* Forgets names of which the late records have come by now: those of the lowest indices. */
static void forget_names(struct la_attach *attach)
{
	unsigned int gone = 0, kept = 0;

	for (unsigned int i = 0; i < attach->count; i++)
		gone += attach->places[i].state == LA_PLACE_GONE;
	for (unsigned int i = 0; i < attach->count; i++) {
		if (attach->places[i].state == LA_PLACE_GONE && gone > LA_ATTACH_GONE_MAX)
			gone--;
		else
			attach->places[kept++] = attach->places[i];
	}
	attach->count = kept;
}

void la_attach_check(struct la_attach *attach)
{
	for (unsigned int i = 0; i < attach->count; i++)
		if (attach->places[i].state != LA_PLACE_GONE)
			place_check(attach, &attach->places[i]);
	forget_names(attach);
	la_bpf_log_forget();
}

unsigned int la_attach_count(const struct la_attach *attach)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < attach->count; i++)
		count += attach->places[i].state == LA_PLACE_ATTACHED;
	return count;
}

const char *la_attach_ifname(__u32 ifindex, void *ctx)
{
	const struct la_place *place = find_place(ctx, (int)ifindex);

	return place ? place->dev.name : NULL;
}

void la_attach_detach(struct la_attach *attach)
{
	for (unsigned int i = 0; i < attach->count; i++)
		place_clear(attach, &attach->places[i]);
}

void la_attach_free(struct la_attach *attach)
{
	if (!attach)
		return;
	if (!attach->persist)
		la_attach_detach(attach);
	for (unsigned int i = 0; i < attach->count; i++)
		place_close(&attach->places[i]);
	free(attach->places);
	free(attach);
}
