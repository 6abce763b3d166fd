// serve - one inspector's life: shut in, take one job, answer, end.
#pragma once

// Never returns. socket: one end of a SOCK_SEQPACKET pair whose other end
// statgated holds.
_Noreturn void sg_serve_one(int socket);
