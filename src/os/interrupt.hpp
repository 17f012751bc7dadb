#pragma once

#include <csignal>

namespace seed::os {

/// SIGINT, SIGTERM and SIGHUP set a flag; SIGPIPE is ignored. Called once, by app.
void install_interrupt_handlers();

/// Throws Interrupted once a signal has asked us to stop. Long loops call it.
void check_interrupt();

/// While it lives, threads that are started hear of no signal: those are for the one that waits for
/// programs.
class SignalsHeld {
 public:
  SignalsHeld();
  ~SignalsHeld();

  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace seed::os
