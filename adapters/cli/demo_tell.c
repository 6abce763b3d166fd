#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "adapters/cli/demo.h"
#include "broker/base/check.h"

enum { QUOTE = 400 };

void
sg_demo_chapter(struct sg_demo *demo, const char *title)
{
    SG_ASSERT(demo->chapters < SG_DEMO_CHAPTERS);
    if (demo->pause && demo->chapters > 0) {
        printf("   [Enter]");
        (void)fflush(stdout);
        for (int c = getchar(); c != '\n' && c != EOF;)
            c = getchar();
    }
    demo->chapter[demo->chapters].title = title;
    demo->chapters++;
    printf("\n%zu. %s\n", demo->chapters, title);
}

static bool tell(struct sg_demo *demo, bool ok, const char *format,
                 va_list args) __attribute__((format(printf, 3, 0)));

static bool
tell(struct sg_demo *demo, bool ok, const char *format, va_list args)
{
    struct sg_demo_chapter *chapter = &demo->chapter[demo->chapters - 1];

    chapter->steps++;
    chapter->wrong += ok ? 0 : 1;
    printf("   %s ", ok ? "+" : "WRONG:");
    (void)vprintf(format, args);
    putchar('\n');
    if (!ok && demo->said != NULL)
        printf("     exit status %d\n     %.1500s\n     %.1500s\n", demo->exit,
               demo->said, demo->erred);
    (void)fflush(stdout);
    return ok;
}

bool
sg_demo_step(struct sg_demo *demo, bool ok, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)tell(demo, ok, format, args);
    va_end(args);
    return ok;
}

bool
sg_demo_must(struct sg_demo *demo, bool ok, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)tell(demo, ok, format, args);
    va_end(args);
    demo->broken = demo->broken || !ok;
    return ok;
}

void
sg_demo_note(const char *format, ...)
{
    va_list args;

    printf("   ");
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    putchar('\n');
}

void
sg_demo_quote_from(const char *text, const char *word)
{
    const char *at = text == NULL ? NULL : strstr(text, word);

    if (at == NULL)
        return;
    size_t len = strcspn(at, "\n");
    printf("       | %.*s\n", (int)(len < QUOTE ? len : QUOTE), at);
}

void
sg_demo_quote(const char *text, const char *word)
{
    const char *at = text == NULL ? NULL : strstr(text, word);

    if (at == NULL)
        return;
    while (at > text && at[-1] != '\n')
        at--;
    sg_demo_quote_from(at + strspn(at, " "), "");
}

bool
sg_demo_summary(const struct sg_demo *demo, uint64_t took_us)
{
    unsigned steps = 0, wrong = 0;

    printf("\n%-54s %5s %6s\n", "Chapter", "steps", "as told");
    for (size_t i = 0; i < demo->chapters; i++) {
        const struct sg_demo_chapter *one = &demo->chapter[i];
        printf("%2zu. %-50s %5u %6s\n", i + 1, one->title, one->steps,
               one->wrong == 0 ? "yes" : "NO");
        steps += one->steps;
        wrong += one->wrong;
    }
    printf("%u steps, %u as told, %u not, in %.1f seconds.\n", steps,
           steps - wrong, wrong, (double)took_us / 1e6);
    if (demo->broken)
        printf("The story could not be told to its end.\n");
    return wrong == 0 && !demo->broken;
}
