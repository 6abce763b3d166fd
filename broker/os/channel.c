#include "broker/os/channel.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum sg_err
sg_os_channel_pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0
               ? SG_OK
               : SG_ERR_IO;
}

enum sg_err
sg_os_channel_room(int fd, size_t bytes)
{
    int room = (int)bytes;

    return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room) == 0
               ? SG_OK
               : SG_ERR_IO;
}

union control {
    struct cmsghdr header; // aligns
    char bytes[CMSG_SPACE(SG_OS_CHANNEL_FDS * sizeof(int))];
};

enum sg_err
sg_os_channel_send(int fd, struct sg_slice packet, const int *fds, size_t count)
{
    union { // sendmsg only reads
        const uint8_t *ours;
        void *api;
    } base = {packet.ptr};
    union control control;
    struct iovec vector = {base.api, packet.len};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    ssize_t sent;

    SG_ASSERT(count <= SG_OS_CHANNEL_FDS && packet.len > 0);
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    }
    do
        sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent == (ssize_t)packet.len)
        return SG_OK;
    switch (errno) {
    case EAGAIN:
    case ENOBUFS:
    case ETOOMANYREFS: // descriptors on their way to somebody who is slow
        return SG_ERR_BUSY;
    case EMSGSIZE:
        return SG_ERR_FULL;
    default:
        return SG_ERR_UNREACHABLE;
    }
}

static void
close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)close(fds[i]);
}

// Every descriptor that came is either handed out or closed.
static bool
take_fds(struct msghdr *message, struct sg_os_channel_fds *fds)
{
    bool fits = true;

    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t here = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < here; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            if (fds->count < fds->cap) {
                fds->fd[fds->count++] = fd;
            } else {
                (void)close(fd);
                fits = false;
            }
        }
    }
    return fits;
}

static enum sg_err
receive(int fd, struct iovec vector, size_t *len, struct sg_os_channel_fds *fds,
        int flags)
{
    struct sg_os_channel_fds none = {NULL, 0, 0};
    union control control;
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t got;

    fds = fds == NULL ? &none : fds;
    *len = fds->count = 0;
    do
        got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | flags);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN       ? SG_ERR_BUSY
               : errno == ECONNRESET ? SG_OK
                                     : SG_ERR_IO;
    bool fits = take_fds(&message, fds);
    if (!fits || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        close_all(fds->fd, fds->count);
        fds->count = 0;
        return SG_ERR_FORMAT;
    }
    *len = (size_t)got;
    return SG_OK;
}

enum sg_err
sg_os_channel_receive(int fd, void *packet, size_t cap, size_t *len,
                      struct sg_os_channel_fds *fds)
{
    return receive(fd, (struct iovec){packet, cap}, len, fds, 0);
}

enum sg_err
sg_os_channel_poll(int fd, void *packet, size_t cap, size_t *len,
                   struct sg_os_channel_fds *fds)
{
    return receive(fd, (struct iovec){packet, cap}, len, fds, MSG_DONTWAIT);
}
