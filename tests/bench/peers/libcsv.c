// What Debian's libcsv needs to find the fields of a file and do nothing with
// them: "FIELDS SECONDS" of processor time. Compiled by peers.sh where libcsv
// is installed.
//   libcsv FILE
#include <csv.h>
#include <stdio.h>
#include <time.h>

static void
on_field(void *field, size_t len, void *context)
{
    (void)field, (void)len;
    ++*(unsigned long long *)context;
}

static void
on_row(int end, void *context)
{
    (void)end, (void)context;
}

int
main(int argc, char **argv)
{
    static char bytes[1 << 18];
    unsigned long long fields = 0;
    struct csv_parser parser;
    FILE *in = argc == 2 ? fopen(argv[1], "r") : NULL;
    size_t len;

    if (in == NULL || csv_init(&parser, CSV_STRICT) != 0)
        return 1;
    clock_t begin = clock();
    while ((len = fread(bytes, 1, sizeof bytes, in)) > 0)
        if (csv_parse(&parser, bytes, len, on_field, on_row, &fields) != len)
            return 1;
    (void)csv_fini(&parser, on_field, on_row, &fields);
    printf("%llu %.6f\n", fields,
           (double)(clock() - begin) / (double)CLOCKS_PER_SEC);
    csv_free(&parser);
    (void)fclose(in);
    return 0;
}
