// receive - deliveries of the subscription that a handle is attached to.
#pragma once

#include "adapters/client/session.h"

// Waits a little for the answers to receipts that were sent, then forgets what
// was being received; *.part stays for a resume.
void sg_receive_close(struct statgate *handle);
