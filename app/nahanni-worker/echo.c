/* SPDX-License-Identifier: BSD-3-Clause */
/* Each message goes back as it came: one copy, from ring to ring. */

#include "service.h"

bool
echo_message(struct link *link, uint32_t channel)
{
	int ret;

	if (link->to[channel] == NULL && service_begin(link, channel) != BEGINNING_MESSAGE)
		return true;
	ret = service_relay(link, channel, link, link->head[channel].id);
	if (ret == 0)
		return true;
	/* Of a peer that is gone: who comes after it did not ask. One that reads yet is
	 * waited for. */
	if (ret == -ENOTCONN && link->link.rx_state != NHN_RX_READING) {
		service_drop(link, channel);
		return true;
	}
	return false;
}
