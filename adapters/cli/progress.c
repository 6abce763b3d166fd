#include "adapters/cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "broker/os/clock.h"

enum { EVERY_US = 200000, SECOND_US = 1000000 };
#define MIB (1024.0 * 1024.0)

void
sg_progress_begin(struct sg_progress *progress, const char *doing,
                  uint64_t total)
{
    *progress = (struct sg_progress){.shown = isatty(STDERR_FILENO) == 1,
                                     .doing = doing,
                                     .total = total,
                                     .began = sg_os_clock_mono_us()};
}

void
sg_progress_at(struct sg_progress *progress, uint64_t done)
{
    uint64_t now = sg_os_clock_mono_us();

    if (!progress->shown || now < progress->looked + EVERY_US)
        return;
    progress->looked = now;
    double seconds = (double)(now - progress->began + 1) / SECOND_US;
    fprintf(stderr, "\r%s %.1f MiB", progress->doing, (double)done / MIB);
    if (progress->total != 0)
        fprintf(stderr, " of %.1f MiB, %.0f %%", (double)progress->total / MIB,
                100.0 * (double)done / (double)progress->total);
    fprintf(stderr, ", %.1f MiB/s\033[K", (double)done / MIB / seconds);
    (void)fflush(stderr);
}

void
sg_progress_end(struct sg_progress *progress)
{
    if (progress->shown && progress->looked != 0)
        fputs("\r\033[K", stderr);
    progress->looked = 0;
}
