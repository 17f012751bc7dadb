#pragma once

#include <utility>

#include <unistd.h>

namespace seed::os {

/// A descriptor that is closed when this goes; -1 is none. For calls that File has no method for:
/// File opens by path and throws, this takes what the system gave.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}

  Fd(Fd&& other) noexcept : fd_(other.release()) {}

  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  ~Fd() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

  int get() const { return fd_; }

  explicit operator bool() const { return fd_ >= 0; }

  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace seed::os
