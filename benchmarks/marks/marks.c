/* Tells callgrind, in which a program runs, where a stretch begins whose instructions count, and where it ends. */
#include <valgrind/callgrind.h>

void begin(void);
void end(const char *name);

void begin(void) {
    CALLGRIND_ZERO_STATS;
}

void end(const char *name) {
    CALLGRIND_DUMP_STATS_AT(name);
}
