// SPDX-License-Identifier: BSD-2-Clause
/*
 * community_id.c - see community_id.h. SHA-1 and base64 are nettle's.
 */
#include "community_id.h"
#include <netinet/in.h>
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <string.h>

/* Index of the endpoint that comes first by the specification. The key's own order will not
 * do: it is the order of memory words. */
static int lower_end(const struct la_key *key)
{
	int order = memcmp(key->addr[0], key->addr[1], 16);

	if (!order)
		order = memcmp(&key->port[0], &key->port[1], 2);
	return order > 0;
}

void la_community_id(const struct la_key *key, __u16 seed, char to[LA_COMMUNITY_ID_SIZE])
{
	static const __u8 proto[2] = {IPPROTO_TCP, 0};
	bool v4 = la_key_is_v4(key);
	size_t skip = v4 ? 12 : 0;
	__u8 digest[SHA1_DIGEST_SIZE];
	__be16 seed_be = la_hton16(seed);
	struct sha1_ctx sha;
	int low = lower_end(key);

	sha1_init(&sha);
	sha1_update(&sha, sizeof(seed_be), (const __u8 *)&seed_be);
	sha1_update(&sha, 16 - skip, key->addr[low] + skip);
	sha1_update(&sha, 16 - skip, key->addr[!low] + skip);
	sha1_update(&sha, sizeof(proto), proto);
	sha1_update(&sha, 2, (const __u8 *)&key->port[low]);
	sha1_update(&sha, 2, (const __u8 *)&key->port[!low]);
	sha1_digest(&sha, sizeof(digest), digest);
	memcpy(to, "1:", 2);
	base64_encode_raw(to + 2, sizeof(digest), digest);
	to[LA_COMMUNITY_ID_SIZE - 1] = '\0';
}
