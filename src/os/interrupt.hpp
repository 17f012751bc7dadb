#pragma once

namespace seed::os {

/// SIGINT, SIGTERM and SIGHUP set a flag; SIGPIPE is ignored. Called once, by app.
void install_interrupt_handlers();

/// Throws Interrupted once a signal has asked us to stop. Long loops call it.
void check_interrupt();

}  // namespace seed::os
