// channel - packets and descriptors between two of our processes.
//
// A SOCK_SEQPACKET pair: one call, one packet, whole or not at all.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "broker/base/check.h"
#include "broker/base/err.h"
#include "broker/base/slice.h"

enum { SG_OS_CHANNEL_FDS = 253 }; // what the kernel takes with one packet

SG_MUST_CHECK enum sg_err sg_os_channel_pair(int ends[2]);
// Packets up to this many bytes are sure to pass; set on both ends.
SG_MUST_CHECK enum sg_err sg_os_channel_room(int fd, size_t bytes);
// fds stay the caller's. SG_ERR_UNREACHABLE: the other end is gone;
// SG_ERR_BUSY: it does not read; SG_ERR_FULL: over what the room allows.
SG_MUST_CHECK enum sg_err sg_os_channel_send(int fd, struct sg_slice packet,
                                             const int *fds, size_t count);
// Room for the descriptors that come with a packet.
struct sg_os_channel_fds {
    int *fd;
    size_t cap, count; // count is set by each receive
};
// *len 0 and SG_OK: the other end closed. fds received belong to the caller;
// more than fds->cap (fds NULL: any), or a packet over cap: SG_ERR_FORMAT and
// all are closed.
SG_MUST_CHECK enum sg_err sg_os_channel_receive(int fd, void *packet,
                                                size_t cap, size_t *len,
                                                struct sg_os_channel_fds *fds);
// The same without waiting: SG_ERR_BUSY when nothing is there.
SG_MUST_CHECK enum sg_err sg_os_channel_poll(int fd, void *packet, size_t cap,
                                             size_t *len,
                                             struct sg_os_channel_fds *fds);
