/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * An endpoint: the messages of all channels of a link, by strict priority.
 *
 * A program calls nhn_endpoint_poll() in its loop. Each call does one step: the
 * control step of the link when it is due, then for the most urgent channel
 * that has something to do either a step of sending (at most NHN_MSG_STEP_BYTES
 * are copied), or it names the channel to read from. So a message of an urgent
 * channel waits for one step at most, whatever is under way on the others. Of
 * two channels of one priority the lower number goes first.
 *
 * In ten lines (doc/guides/messages has more):
 *
 *     nhn_link_init(&link, &config, &refusal);
 *     nhn_endpoint_init(&endpoint, &link, now_ns, NULL);
 *     nhn_msg_buffer_init(&buffer, &memory, 1);
 *     for (;;) {
 *             int channel = nhn_endpoint_poll(&endpoint);
 *             int ret = channel < 0 ? channel : nhn_msg_receive(&endpoint.rx[channel], &buffer);
 *
 *             if (channel >= 0 && ret == 0)
 *                     handle(&buffer.head, memory.iov_base);
 *             else if (ret == -EMSGSIZE || ret == -EINVAL)
 *                     nhn_msg_skip(&endpoint.rx[channel]);
 *     }
 *
 * Nothing here allocates or calls the kernel; only the functions named _wait do
 * not return at once. Threads: all calls on an endpoint and its link from one
 * thread at a time.
 */
#ifndef NHN_ENDPOINT_H
#define NHN_ENDPOINT_H

#include <nhn_msg.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The clock is read and the link's control step done at every so many polls. */
#define NHN_ENDPOINT_CONTROL_POLLS 256u

/** A deadline that never comes. */
#define NHN_NEVER_NS UINT64_MAX

/** Who serves a channel instead of the program: nhn_rpc.h. NULL members: nothing to do. */
struct nhn_channel_handler {
	void *context;
	/** Something can be received: one step of it. @return whether it was done */
	bool (*receive)(void *context);
	/** While waiting is set and no message is on its way: send. @return whether it was done */
	bool (*send)(void *context);
	bool waiting; /**< set by the handler: something is to be sent */
	/** Every NHN_ENDPOINT_CONTROL_POLLS. */
	void (*control)(void *context, uint64_t now_ns);
};

/** About 17 KiB. Of its fields tx and rx are the program's to use with nhn_msg.h. */
struct nhn_endpoint {
	struct nhn_msg_tx tx[NHN_CHANNELS_MAX];
	struct nhn_msg_rx rx[NHN_CHANNELS_MAX];
	struct nhn_link *link;
	uint64_t (*now_ns)(void *context);
	void *now_context;
	uint64_t now;			 /**< as last read, ns */
	uint32_t polls;			 /**< until the next control step */
	uint32_t session;		 /**< of the link, that order is for */
	uint32_t channels;		 /**< in order */
	uint32_t last_read;		 /**< channel of the last poll, if it named one */
	uint64_t last_place;		 /**< where its reader stood */
	uint8_t order[NHN_CHANNELS_MAX]; /**< channels, the most urgent first */
	const struct nhn_channel_handler *handler[NHN_CHANNELS_MAX];
};

/**
 * Take up a link that nhn_link_init() has begun.
 * @param now_ns any steady clock in nanoseconds, the same for all deadlines; called at every
 *        control step
 * @return 0; -EINVAL: a link of other channels than NHN_USE_MSG; then nothing else may be called
 */
int nhn_endpoint_init(struct nhn_endpoint *endpoint, struct nhn_link *link,
		      uint64_t (*now_ns)(void *context), void *now_context);

/** Give a channel to a handler, which must outlive the endpoint; NULL: back to the program. */
void nhn_endpoint_handle(struct nhn_endpoint *endpoint, uint32_t channel,
			 const struct nhn_channel_handler *handler);

/**
 * Do one step, after the control step when that is due.
 * @return the most urgent channel without a handler that nhn_msg_receive() or nhn_msg_peek()
 *         has something to say of. If nothing of it is taken, the others get the next step,
 *         and then it is named again. -EINPROGRESS: a
 *         step was done, of sending or by a handler. -EAGAIN: there was nothing to do
 */
int nhn_endpoint_poll(struct nhn_endpoint *endpoint);

/* The two halves of nhn_endpoint_poll(), for who polls many endpoints. */

/** One step and no control. @return as nhn_endpoint_poll() */
int nhn_endpoint_step(struct nhn_endpoint *endpoint);
/** Whether a step of sending waits for room, or one of receiving for its end. */
bool nhn_endpoint_pending(const struct nhn_endpoint *endpoint);
/** The control step of the link, and of the handlers; wants to be called as the link's does. */
void nhn_endpoint_control(struct nhn_endpoint *endpoint);

/**
 * Send a message; waits for a peer, for room, and until all of it is sent.
 *
 * Meanwhile the link's control step and other channels' sending go on; only handlers receive.
 * Two sides that wait so for each other wait until the deadline. Each turn of the wait is
 * one step.
 * @param deadline_ns of the endpoint's clock, looked at at each control step
 * @return 0; -ETIMEDOUT: given up; -EBUSY: as nhn_endpoint_wait(), given up; -ECONNRESET,
 *         -EINVAL: as nhn_msg_sendv()
 */
int nhn_endpoint_send_wait(struct nhn_endpoint *endpoint, uint32_t channel,
			   const struct nhn_message_head *head, const struct iovec *vector,
			   uint32_t vectors, uint64_t deadline_ns);

/**
 * Receive a message, waiting for it. Sending goes on meanwhile.
 * @return 0; -ETIMEDOUT: what is already in the buffer stays, a further call goes on;
 *         -EBUSY: as nhn_endpoint_wait(); -EMSGSIZE, -EINVAL, -ECANCELED, -ESTALE: as
 *         nhn_msg_receive()
 */
int nhn_endpoint_receive_wait(struct nhn_endpoint *endpoint, uint32_t channel,
			      struct nhn_msg_buffer *buffer, uint64_t deadline_ns);

/* For programs' own waits. */

/**
 * What goes on in a wait: the control step when it is due, one step of sending, one of a
 * handler's receiving. What programs receive stays where it is.
 * @return the time as last read, ns
 */
uint64_t nhn_endpoint_advance(struct nhn_endpoint *endpoint);

/**
 * A turn of a wait: nhn_endpoint_advance(), and at each control step a look at the deadline.
 * @param reading the channel that the program reads meanwhile; NHN_CHANNELS_MAX: none
 * @return 0: go on; -ETIMEDOUT; -EBUSY: the link is not up, and the program has first to read
 *         another channel: what a peer that restarted left there, or its -ESTALE
 */
int nhn_endpoint_wait(struct nhn_endpoint *endpoint, uint32_t reading, uint64_t deadline_ns);

#ifdef __cplusplus
}
#endif

#endif /* NHN_ENDPOINT_H */
