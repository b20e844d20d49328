/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Request and response over a channel of an endpoint.
 *
 * A channel carries the calls of one side: its client there, its server at the
 * peer. Calls both ways take two channels. Many calls may be open at once;
 * replies come in any order and are reassembled straight into the memory of
 * their call. All memory is the caller's. nhn_endpoint_poll() does the work,
 * by steps, and calls back from within.
 *
 *     client                                        server
 *     nhn_rpc_client_call()    -- REQUEST, id -->   serve(): status and bytes now, or
 *     done() and call->result  <-- REPLY, id ---    nhn_rpc_server_reply() later
 *
 * A call ends once, with its result: a reply, a deadline, nhn_rpc_client_cancel(), or
 * -ECONNRESET as soon as the peer is known to have restarted. A reply to a call
 * that is no more is counted and dropped.
 *
 * Threads: those of the endpoint.
 */
#ifndef NHN_RPC_H
#define NHN_RPC_H

#include <nhn_endpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Why a request was refused: type of a reply with NHN_MESSAGE_REFUSED. */
enum nhn_rpc_refusal {
	NHN_RPC_TOO_LONG = 1, /**< the request is longer than the server's memory for one */
	NHN_RPC_FAILED = 2,   /**< serve() returned an error, or a reply that cannot be sent */
};

/* ---- client ---- */

/** A call. The caller's memory, as are its vectors, from nhn_rpc_client_call() to its end. */
struct nhn_rpc_call {
	/* to be set */
	uint16_t type; /**< of the request */
	const struct iovec *request;
	uint32_t requests;	   /**< parts of request */
	const struct iovec *reply; /**< where the reply's bytes go */
	uint32_t replies;	   /**< parts of reply */
	uint64_t deadline_ns;	   /**< of the endpoint's clock; NHN_NEVER_NS: none */
	/** Told of the end, if not NULL. It may begin other calls, this one too. */
	void (*done)(struct nhn_rpc_call *call);
	void *context;
	/* the answer */
	/**
	 * -EINPROGRESS until the end. 0: a reply. -ETIMEDOUT; -ECANCELED: by the own or by the
	 * server's program; -ECONNRESET: the peer restarted; -EMSGSIZE: the reply is longer than
	 * its memory; -EOPNOTSUPP: refused, status is an enum nhn_rpc_refusal
	 */
	int result;
	uint16_t status; /**< as the server gave it; its meaning is the program's */
	uint32_t length; /**< bytes of the reply, also where they were too many */
	/* private */
	uint32_t id;
	uint64_t pairing;
	struct nhn_msg_buffer buffer;
	struct iovec single[2]; /**< of nhn_rpc_call_init() */
};

/** A place for an open call. */
struct nhn_rpc_slot {
	struct nhn_rpc_call *call; /**< NULL: free */
	uint32_t id;		   /**< of its call; its low bits are the slot's index */
	uint32_t next_free;
};

/** Calls of one channel. Private but for the counters. */
struct nhn_rpc_client {
	struct nhn_endpoint *endpoint;
	uint32_t channel;
	uint32_t slot_count;
	struct nhn_rpc_slot *slots;
	uint32_t free;			/**< first free slot, slot_count: none */
	uint32_t open;			/**< calls */
	uint64_t pairing;		/**< of the open calls */
	struct nhn_rpc_call *sending;	/**< whose request is on its way */
	struct nhn_rpc_call *receiving; /**< whose reply is coming in */
	uint64_t deadline_ns;		/**< the next one, or earlier */
	struct nhn_channel_handler handler;

	uint64_t calls;	    /**< begun */
	uint64_t replies;   /**< that ended a call */
	uint64_t timeouts;  /**< calls past their deadline */
	uint64_t cancelled; /**< calls, by nhn_rpc_client_cancel() or by the server's program */
	uint64_t reset;	    /**< calls ended by a restart of the peer */
	uint64_t refused;   /**< calls, by the server */
	uint64_t late;	    /**< replies to no open call, dropped */
	uint64_t strange;   /**< messages that are no replies, dropped */
};

/**
 * Take up a channel for calls.
 * @param slots memory for the calls open at once
 * @param slot_count a power of two, at most 65536
 * @return 0 or -EINVAL
 */
int nhn_rpc_client_init(struct nhn_rpc_client *client, struct nhn_endpoint *endpoint,
			uint32_t channel, struct nhn_rpc_slot *slots, uint32_t slot_count);

/**
 * Set all of a call but done and context: a request of one part, and a place for the reply
 * of one part.
 */
void nhn_rpc_call_init(struct nhn_rpc_call *call, uint16_t type, const void *request,
		       uint32_t request_bytes, void *reply, uint32_t reply_bytes,
		       uint64_t deadline_ns);

/**
 * Begin a call.
 * @return 0: call->result tells the end. Nothing begun: -EAGAIN: no room in the channel, an
 *         earlier request is not yet sent, or no slot is free; -ENOTCONN: no peer; -EINVAL:
 *         request of more than 4 GiB - 1
 */
int nhn_rpc_client_call(struct nhn_rpc_client *client, struct nhn_rpc_call *call);

/** End an open call; its memory is free at once. done() is not called. */
void nhn_rpc_client_cancel(struct nhn_rpc_client *client, struct nhn_rpc_call *call);

/**
 * Call and wait for the end, which call->deadline_ns bounds, also the wait for a peer and
 * for room. Other channels' handlers go on meanwhile. Not from within serve() or done() of
 * this channel.
 * @return call->result; -EBUSY as nhn_endpoint_wait()
 */
int nhn_rpc_client_call_wait(struct nhn_rpc_client *client, struct nhn_rpc_call *call);

/* ---- server ---- */

/** Who is to get a reply. Copy it to reply later. */
struct nhn_rpc_token {
	uint64_t pairing;
	uint32_t id;
};

/** A request, whole, in the server's memory: the peer cannot change it. */
struct nhn_rpc_request {
	struct nhn_rpc_token token;
	uint16_t type;
	uint32_t length;
	const void *data; /**< until serve() returns */
};

/** A reply. */
struct nhn_rpc_reply {
	uint16_t status; /**< its meaning is the program's */
	const struct iovec *vector;
	uint32_t vectors;
};

/** Answers calls of one channel. Private but for the counters. */
struct nhn_rpc_server {
	struct nhn_endpoint *endpoint;
	uint32_t channel;
	int (*serve)(void *context, const struct nhn_rpc_request *request,
		     struct nhn_rpc_reply *reply);
	void *context;
	struct iovec memory; /**< for one request */
	struct nhn_msg_buffer buffer;
	bool receiving;		      /**< a request */
	bool serving;		      /**< serve() is called */
	struct nhn_message_head head; /**< of it */
	struct nhn_rpc_reply reply;
	uint64_t pairing;
	struct nhn_channel_handler handler;

	uint64_t requests; /**< served */
	uint64_t refused;  /**< longer than memory, or failed */
	uint64_t reset;	   /**< replies to a client that restarted, dropped */
	uint64_t strange;  /**< messages that are no requests, dropped */
};

/**
 * Take up a channel to serve.
 *
 * @param serve called with each request. @return 0: @p reply, all zero before, is sent as soon
 *        as there is room; its vector and bytes stay until the next call of serve(), so they
 *        are not on its stack. -EINPROGRESS: nhn_rpc_server_reply() answers later. Anything
 *        else: the request is refused, NHN_RPC_FAILED
 * @param memory for one request at a time; longer ones are refused
 */
void nhn_rpc_server_init(struct nhn_rpc_server *server, struct nhn_endpoint *endpoint,
			 uint32_t channel,
			 int (*serve)(void *context, const struct nhn_rpc_request *request,
				      struct nhn_rpc_reply *reply),
			 void *context, void *memory, size_t memory_bytes);

/**
 * Answer a request for which serve() returned -EINPROGRESS. Once each, in any order, from
 * within serve() too.
 * @return 0: sent. -EINPROGRESS: taken, its bytes stay until nhn_msg_busy() of the channel is
 *         false. -EAGAIN: no room now, or another reply is on its way. -ECONNRESET: the client
 *         restarted, or is gone: nobody waits
 */
int nhn_rpc_server_reply(struct nhn_rpc_server *server, const struct nhn_rpc_token *token,
			 const struct nhn_rpc_reply *reply);

#ifdef __cplusplus
}
#endif

#endif /* NHN_RPC_H */
