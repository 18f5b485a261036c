/* Sessions that are logged in and do nothing, held while the harness reads the server's memory. */
#include "load.h"

#include <stdlib.h>
#include <unistd.h>

void row_idle(const struct options *options) {
    struct control *controls = calloc((size_t)options->sessions, sizeof *controls);
    struct result result = {.operations = options->sessions};
    report_begin();
    double began = now();
    for (int i = 0; i < options->sessions; i++) {
        control_open(&controls[i], options, i);
        control_login(&controls[i], options);
    }
    result.seconds = now() - began;
    report_hold();
    for (int i = 0; i < options->sessions; i++) {
        control_command(&controls[i], "PWD");
        control_expect(&controls[i], 257, "PWD of an idle session");
    }
    report_end(&result);
    for (int i = 0; i < options->sessions; i++)
        close(controls[i].fd);
}
