/* The accelerator: what Python is too slow for, in plain C without Python's headers, called through ctypes.
 *
 * Whatever it does, Python can do as well and does where there was no compiler. ctypes lets other threads of Python run
 * meanwhile. Structures and numbers that both sides know stand in __init__.py (the version), lines.py and
 * proto/listing/layout.py once more; tests hold them to each other. Whoever changes one of them, or a function that is
 * exported, raises ACCELERATOR_VERSION, so that a library that was compiled before is left alone.
 */
#ifndef FAIRLEAD_ACCELERATOR_H
#define FAIRLEAD_ACCELERATOR_H

#define ACCELERATOR_VERSION 9

#define EXPORTED __attribute__((visibility("default")))

#endif
