/* A driver's library as the sampler meets it where there is no GPU: NVML's C interface, two GPUs.
 *
 * Written from the published interface (nvml.h: names, arguments, layouts and numbers only), for the
 * functions that are asked. What its GPUs report is fixed, but for a file beside it, `<library>.state`:
 *
 *     process GPU PID BYTES     a process that holds memory on that GPU
 *     xid GPU NUMBER            an Xid error, reported once
 *     lost GPU                  that GPU has fallen off the bus
 *
 * When somebody waits for a further event after all of the file's were reported, it writes how many
 * there were into `<library>.reported`: by then the one before has been taken in.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SUCCESS = 0, INVALID = 2, NOT_SUPPORTED = 3, SMALL = 7, TIMEOUT = 10, GPU_IS_LOST = 15 };
enum { GPUS = 2, XID_EVENT = 8, SM = 1, MEMORY = 2 };

typedef struct { int index; } gpu_t;
typedef struct { unsigned int gpu, memory; } use_t;
typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned int pid; unsigned long long bytes; unsigned int gpu_instance, compute_instance; } process_t;
typedef struct { gpu_t *gpu; unsigned long long type, data; unsigned int gpu_instance, compute_instance; } event_t;

static gpu_t gpus[GPUS] = {{0}, {1}};
static int listened[GPUS];
static int reported;

static FILE *beside(const char *suffix, const char *mode)
{
    Dl_info self;
    char path[4096];
    dladdr(&reported, &self);
    snprintf(path, sizeof path, "%s%s", self.dli_fname, suffix);
    return fopen(path, mode);
}

static int is_lost(const gpu_t *gpu)
{
    char line[256];
    int index, found = 0;
    FILE *state = beside(".state", "r");
    while (state && fgets(line, sizeof line, state))
        found |= sscanf(line, "lost %d", &index) == 1 && index == gpu->index;
    if (state) fclose(state);
    return found;
}

#define ASKED(gpu) if (is_lost(gpu)) return GPU_IS_LOST

int nvmlInitWithFlags(unsigned int flags) { (void)flags; return SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }

const char *nvmlErrorString(int code)
{
    return code == NOT_SUPPORTED ? "Not Supported" : code == GPU_IS_LOST ? "GPU is lost" : "Unknown Error";
}

int nvmlSystemGetDriverVersion(char *text, unsigned int length) { snprintf(text, length, "570.124.06"); return SUCCESS; }
int nvmlSystemGetCudaDriverVersion(int *version) { *version = 12080; return SUCCESS; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = GPUS; return SUCCESS; }

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, gpu_t **gpu)
{
    if (index >= GPUS) return INVALID;
    *gpu = &gpus[index];
    return SUCCESS;
}

int nvmlDeviceGetIndex(gpu_t *gpu, unsigned int *index) { *index = gpu->index; return SUCCESS; }
int nvmlDeviceGetName(gpu_t *gpu, char *text, unsigned int length) { (void)gpu; snprintf(text, length, "Stand-in 9000"); return SUCCESS; }
int nvmlDeviceGetUUID(gpu_t *gpu, char *text, unsigned int length) { snprintf(text, length, "GPU-%d", gpu->index); return SUCCESS; }
int nvmlDeviceGetEnforcedPowerLimit(gpu_t *gpu, unsigned int *milliwatts) { (void)gpu; *milliwatts = 700000; return SUCCESS; }

int nvmlDeviceGetMemoryInfo(gpu_t *gpu, memory_t *memory)
{
    ASKED(gpu);
    memory->total = 80ULL << 30;
    memory->used = (20ULL + gpu->index) << 30;
    memory->free = memory->total - memory->used;
    return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(gpu_t *gpu, use_t *use)
{
    ASKED(gpu);
    use->gpu = 90 + gpu->index;
    use->memory = 30;
    return SUCCESS;
}

int nvmlDeviceGetPowerUsage(gpu_t *gpu, unsigned int *milliwatts) { ASKED(gpu); *milliwatts = 350500; return SUCCESS; }

int nvmlDeviceGetTemperature(gpu_t *gpu, unsigned int sensor, unsigned int *celsius)
{
    ASKED(gpu);
    if (sensor != 0) return INVALID;
    *celsius = 55 + gpu->index;
    return SUCCESS;
}

int nvmlDeviceGetClockInfo(gpu_t *gpu, unsigned int clock, unsigned int *mhz)
{
    ASKED(gpu);
    if (clock != SM && clock != MEMORY) return INVALID;
    *mhz = clock == SM ? 1980 : 2619;
    return SUCCESS;
}

/* Software thermal slowdown on the second; the first is held back by its power cap only. */
int nvmlDeviceGetCurrentClocksThrottleReasons(gpu_t *gpu, unsigned long long *reasons)
{
    ASKED(gpu);
    *reasons = gpu->index ? 0x20 : 0x4;
    return SUCCESS;
}

/* The first has no such memory. */
int nvmlDeviceGetTotalEccErrors(gpu_t *gpu, unsigned int kind, unsigned int counter, unsigned long long *count)
{
    ASKED(gpu);
    if (gpu->index == 0) return NOT_SUPPORTED;
    if (kind != 1 || counter != 0) return INVALID;
    *count = 0;
    return SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(gpu_t *gpu, unsigned int *count, process_t *processes)
{
    char line[256];
    unsigned int pid, found = 0, room = *count;
    int index;
    unsigned long long bytes;
    FILE *state;
    ASKED(gpu);
    state = beside(".state", "r");
    while (state && fgets(line, sizeof line, state)) {
        if (sscanf(line, "process %d %u %llu", &index, &pid, &bytes) != 3 || index != gpu->index) continue;
        if (processes && found < room) {
            process_t one = {pid, bytes, UINT32_MAX, UINT32_MAX};
            processes[found] = one;
        }
        found++;
    }
    if (state) fclose(state);
    *count = found;
    return found > room ? SMALL : SUCCESS;
}

int nvmlEventSetCreate(void **set) { *set = listened; return SUCCESS; }
int nvmlEventSetFree(void *set) { (void)set; return SUCCESS; }

int nvmlDeviceRegisterEvents(gpu_t *gpu, unsigned long long kinds, void *set)
{
    if (set != listened || kinds != XID_EVENT) return INVALID;
    listened[gpu->index] = 1;
    return SUCCESS;
}

static int next_xid(event_t *event)
{
    char line[256];
    int index, xid, seen = 0, found = 0;
    FILE *state = beside(".state", "r");
    while (!found && state && fgets(line, sizeof line, state)) {
        if (sscanf(line, "xid %d %d", &index, &xid) != 2 || !listened[index] || seen++ < reported) continue;
        event_t one = {&gpus[index], XID_EVENT, xid, UINT32_MAX, UINT32_MAX};
        *event = one;
        reported++;
        found = 1;
    }
    if (state) fclose(state);
    return found;
}

int nvmlEventSetWait_v2(void *set, event_t *event, unsigned int milliseconds)
{
    struct timespec pause = {0, 10000000};
    if (set != listened) return INVALID;
    if (reported) {
        FILE *told = beside(".reported", "w");
        if (told) { fprintf(told, "%d", reported); fclose(told); }
    }
    for (unsigned int waited = 0; waited < milliseconds; waited += 10) {
        if (next_xid(event)) return SUCCESS;
        if (is_lost(&gpus[0]) || is_lost(&gpus[1])) return GPU_IS_LOST;
        nanosleep(&pause, NULL);
    }
    return TIMEOUT;
}
