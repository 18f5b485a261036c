/* Which library this is, so that Python never calls one that was compiled from other sources. */
#include "accelerator.h"

EXPORTED int fairlead_version(void);

int fairlead_version(void) {
    return ACCELERATOR_VERSION;
}
