/* Records a run from C, without any library: lines of JSON, each written with one write().
 *
 *     cc -O2 -o train train.c -lm
 *     outrider run -- ./train      its console and its end are recorded, too
 *     ./train                      alone: it makes the run's folder itself; then: outrider sync .
 *
 * The format is docs/file-format.md; `outrider check FOLDER` says whether this keeps to it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static int journal = -1;      /* the segment, opened with O_APPEND */
static int torn = 0;          /* the last write was cut short: begin the next with a newline */
static long lost = 0;         /* records that could not be written since the last gap record */
static double wall_minus_monotonic;

static double clock_seconds(clockid_t which) {
    struct timespec now;
    clock_gettime(which, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Wall time taken once, plus monotonic time: a step of the clock does not reorder records. */
static double now(void) { return wall_minus_monotonic + clock_seconds(CLOCK_MONOTONIC); }

static int put(const char *line, size_t size) {
    ssize_t written;
    do {
        written = write(journal, line, size);
    } while (written < 0 && errno == EINTR);
    if (written == (ssize_t)size) {
        torn = 0;
        return 1;
    }
    if (written > 0) torn = 1;
    lost++;
    return 0;
}

/* One record: the format and its values make what follows the time. */
static void record(const char *format, ...) {
    char line[65536];
    size_t size = (size_t)snprintf(line, sizeof line, "%s{\"t\":%.6f,", torn ? "\n" : "", now());
    va_list values;
    va_start(values, format);
    size += (size_t)vsnprintf(line + size, sizeof line - size, format, values);
    va_end(values);
    if (size + 2 >= sizeof line) {
        lost++;
        return;
    }
    memcpy(line + size, "}\n", 2);
    if (put(line, size + 2) && lost > 0) {
        long count = lost;
        int length = snprintf(line, sizeof line,
                              "{\"t\":%.6f,\"k\":\"gap\",\"n\":%ld,\"why\":\"disk full\"}\n", now(), count);
        lost = 0;
        if (!put(line, (size_t)length)) lost += count;
    }
}

/* A number as JSON has it; what JSON has no number for is a word. 17 digits lose nothing. */
static const char *number(double value, char *into, size_t room) {
    if (isnan(value)) return "\"NaN\"";
    if (isinf(value)) return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    snprintf(into, room, "%.17g", value);
    return into;
}

static void read_word(const char *path, char *into, size_t room) {
    FILE *file = fopen(path, "r");
    into[0] = 0;
    if (file == NULL) return;
    if (fgets(into, (int)room, file) != NULL) into[strcspn(into, "\n")] = 0;
    fclose(file);
}

/* Field 22 of /proc/self/stat: with the pid and the boot it names this process for ever. */
static unsigned long long start_ticks(void) {
    char stat[4096];
    unsigned long long ticks = 0;
    read_word("/proc/self/stat", stat, sizeof stat);
    char *at = strrchr(stat, ')');
    for (int field = 2; at != NULL && field < 22; field++) at = strchr(at + 1, ' ');
    if (at != NULL) ticks = strtoull(at, NULL, 10);
    return ticks;
}

int main(void) {
    const char *given = getenv("OUTRIDER_RUN_DIR");
    const char *given_id = getenv("OUTRIDER_RUN_ID");
    int steps = getenv("STEPS") ? atoi(getenv("STEPS")) : 10;
    double pause = getenv("PAUSE") ? atof(getenv("PAUSE")) : 0.1;
    char folder[4096], path[8192], id[64], writer[64], boot[64], text[64];
    struct utsname machine;

    umask(077);
    wall_minus_monotonic = clock_seconds(CLOCK_REALTIME) - clock_seconds(CLOCK_MONOTONIC);
    snprintf(writer, sizeof writer, "c%ld", (long)getpid());
    if (given != NULL && given_id != NULL) {
        snprintf(folder, sizeof folder, "%s", given);
        snprintf(id, sizeof id, "%s", given_id);
    } else {
        time_t seconds = time(NULL);
        char stamp[32];
        given = NULL;
        strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime(&seconds));
        snprintf(id, sizeof id, "c-%ld", (long)getpid());
        snprintf(folder, sizeof folder, ".outrider/runs/%s-%s", stamp, id);
        mkdir(".outrider", 0700);
        mkdir(".outrider/runs", 0700);
        mkdir(folder, 0700);
        snprintf(path, sizeof path, "%s/journal", folder);
        mkdir(path, 0700);
        snprintf(path, sizeof path, "%s/run.json", folder);
        FILE *meta = fopen(path, "w");
        if (meta == NULL) return perror(path), 1;
        fprintf(meta, "{\"format\":1,\"id\":\"%s\",\"project\":\"other-languages\",\"name\":\"c\"}\n", id);
        if (fclose(meta) != 0) return perror(path), 1;
    }

    snprintf(path, sizeof path, "%s/journal/%s-000001.jsonl", folder, writer);
    journal = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (journal < 0) return perror(path), 1;
    uname(&machine);
    read_word("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    record("\"k\":\"head\",\"v\":1,\"run\":\"%s\",\"w\":\"%s\",\"n\":1,\"a\":1,\"host\":\"%s\",\"pid\":%ld,"
           "\"start\":%llu,\"boot\":\"%s\",\"role\":\"foreign\",\"primary\":%s",
           id, writer, machine.nodename, (long)getpid(), start_ticks(), boot, given ? "false" : "true");
    record("\"k\":\"config\",\"c\":{\"steps\":%d,\"language\":\"c\"}", steps);

    for (int step = 0; step < steps; step++) {
        record("\"s\":%d,\"p\":{\"square\":%lld,\"inverse\":%s}", step, (long long)step * step,
               number(1.0 / (step + 1), text, sizeof text));
        printf("step %d\n", step);
        fflush(stdout);
        usleep((useconds_t)(pause * 1e6));
    }
    record("\"s\":%d,\"p\":{\"odd\":%s}", steps, number(0.0 / 0.0, text, sizeof text));

    record("\"k\":\"summary\",\"c\":{\"best\":\"all of them\"}");
    record("\"k\":\"end\",\"w\":\"%s\",\"a\":1,\"state\":\"finished\",\"code\":0", writer);
    return 0;
}
