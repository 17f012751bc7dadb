#include "os/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "os/interrupt.hpp"

extern char** environ;

namespace seed::os {
namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;

  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw_errno("creating", "a pipe");
    }
    read_end = ends[0];
    write_end = ends[1];
  }

  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  ~Pipe() {
    close_read();
    close_write();
  }

  void close_read() { close_one(read_end); }

  void close_write() { close_one(write_end); }

 private:
  static void close_one(int& fd) {
    if (fd >= 0) {
      ::close(fd);
      fd = -1;
    }
  }
};

/// Ends and reaps the child if we leave early: it gets time to clean up, but not for ever.
struct Child {
  pid_t pid = -1;

  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  ~Child() {
    if (pid > 0) {
      constexpr int kTries = 100;
      constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 50'000'000};
      ::kill(pid, SIGTERM);
      for (int i = 0; i < kTries; ++i) {
        if (::waitpid(pid, nullptr, WNOHANG) != 0) {
          return;
        }
        ::nanosleep(&kPause, nullptr);
      }
      ::kill(pid, SIGKILL);
      wait();
    }
  }

  Exit wait() {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    pid = -1;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)};
  }
};

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& s : strings) {
    result.push_back(s.data());
  }
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment_block(const Command& command) {
  Environment environment = current_environment();
  for (const std::string& name : command.unset) {
    environment.erase(name);
  }
  for (const auto& [name, value] : command.extra) {
    environment[name] = value;
  }
  std::vector<std::string> block;
  for (const auto& [name, value] : environment) {
    block.push_back(name + "=" + value);
  }
  return block;
}

void spawn(const Command& command, const Pipe& in, const Pipe& out, const Pipe& err, Child& child) {
  std::vector<std::string> argv = command.argv;
  std::vector<std::string> block = environment_block(command);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(
      &actions, command.input_fd >= 0 ? command.input_fd : in.read_end, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end, 1);
  posix_spawn_file_actions_adddup2(&actions, err.write_end, 2);
  if (!command.directory.empty()) {
    posix_spawn_file_actions_addchdir_np(&actions, command.directory.c_str());
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  // We ignore SIGPIPE; a program that does not expect that would write on and on.
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int error = ::posix_spawnp(&child.pid,
                                   argv.front().c_str(),
                                   &actions,
                                   &attributes,
                                   pointers(argv).data(),
                                   pointers(block).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    child.pid = -1;
    throw Error(
        fmt::format("starting {}: {}", command.argv.front(), strerrordesc_np(error)),
        error == ENOENT ? fmt::format("install {} or add it to PATH", command.argv.front()) : "");
  }
}

/// write(2) to a program that may have closed its input: EPIPE, and no SIGPIPE even where the
/// process does not ignore that. (A pipe has no MSG_NOSIGNAL.)
ssize_t write_quietly(int fd, std::string_view text) {
  sigset_t pipe_signal;
  sigset_t before;
  sigset_t pending;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  sigpending(&pending);
  const bool was_pending = sigismember(&pending, SIGPIPE) == 1;
  ::pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const ssize_t count = ::write(fd, text.data(), text.size());
  const int error = errno;
  if (count < 0 && error == EPIPE && !was_pending) {
    constexpr timespec kNow{};
    ::sigtimedwait(&pipe_signal, nullptr, &kNow);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return count;
}

/// Feeds standard input and passes both outputs on until all three pipes are closed.
void pump(Pipe& in,
          std::string_view input,
          Pipe& out,
          const Sink& to_out,
          Pipe& err,
          const Sink& to_err) {
  std::array<std::byte, 1 << 16> buffer;
  const auto drain = [&](Pipe& pipe, const Sink& sink) {
    const ssize_t count = ::read(pipe.read_end, buffer.data(), buffer.size());
    if (count > 0) {
      sink(std::span(buffer).first(static_cast<std::size_t>(count)));
    } else if (count == 0 || errno != EINTR) {
      pipe.close_read();
    }
  };
  while (out.read_end >= 0 || err.read_end >= 0) {
    check_interrupt();
    std::array<pollfd, 3> fds{pollfd{out.read_end, POLLIN, 0},
                              pollfd{err.read_end, POLLIN, 0},
                              pollfd{in.write_end, POLLOUT, 0}};
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      continue;  // EINTR: the next turn looks for an interrupt
    }
    if (fds[0].revents != 0) {
      drain(out, to_out);
    }
    if (fds[1].revents != 0) {
      drain(err, to_err);
    }
    if (fds[2].revents != 0) {
      const ssize_t count = write_quietly(in.write_end, input);
      input.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
      if (input.empty() || (count < 0 && errno != EINTR && errno != EAGAIN)) {
        in.close_write();
      }
    }
  }
}

}  // namespace

Environment current_environment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return environment;
}

std::optional<std::string> get(const Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  if (found == environment.end() || found->second.empty()) {
    return std::nullopt;
  }
  return found->second;
}

Exit SystemRunner::run(const Command& command, const Sink& out, const Sink& err) {
  Pipe in_pipe;
  Pipe out_pipe;
  Pipe err_pipe;
  Child child;
  spawn(command, in_pipe, out_pipe, err_pipe, child);
  in_pipe.close_read();
  out_pipe.close_write();
  err_pipe.close_write();
  ::fcntl(in_pipe.write_end, F_SETFL, O_NONBLOCK);
  if (command.input.empty()) {
    in_pipe.close_write();
  }
  try {
    pump(in_pipe, command.input, out_pipe, out, err_pipe, err);
  } catch (...) {
    if (::kill(child.pid, SIGTERM) != 0 && errno == EPERM) {
      // Root's, by sudo, and so beyond our signals: it ends when nobody takes its output.
      out_pipe.close_read();
      err_pipe.close_read();
    }
    throw;
  }
  in_pipe.close_write();  // a program that closed its outputs may still wait for the end of input
  return child.wait();
}

Captured capture(Runner& runner, const Command& command, std::uint64_t limit_bytes) {
  constexpr std::size_t kErrTail = 64 << 10;
  Captured captured;
  captured.exit = runner.run(
      command,
      [&](ByteView chunk) {
        if (captured.out.size() + chunk.size() > limit_bytes) {
          throw Error(fmt::format(
              "{} printed more than {}", command.argv.front(), human_size(limit_bytes)));
        }
        captured.out += text_of(chunk);
      },
      [&](ByteView chunk) {
        captured.err += text_of(chunk);
        if (captured.err.size() > 2 * kErrTail) {
          captured.err.erase(0, captured.err.size() - kErrTail);
        }
      });
  if (captured.err.size() > kErrTail) {
    captured.err.erase(0, captured.err.size() - kErrTail);
  }
  return captured;
}

std::string to_shell(const std::vector<std::string>& argv) {
  std::string line;
  for (const std::string& word : argv) {
    const bool plain = !word.empty() && word.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789-_./:=@,+%") == std::string::npos;
    line += line.empty() ? "" : " ";
    if (plain) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) {
      line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    line += '\'';
  }
  return line;
}

std::optional<std::filesystem::path> find_program(const Environment& environment,
                                                  std::string_view program) {
  // Named, since the parts are views into it.
  const std::string path = get(environment, "PATH").value_or("");
  for (const std::string_view folder : split(path, ':')) {
    const std::filesystem::path candidate = std::filesystem::path(folder) / program;
    std::error_code code;
    if (!folder.empty() && std::filesystem::is_regular_file(candidate, code) &&
        ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
  }
  return std::nullopt;
}

}  // namespace seed::os
