#include "app/console.hpp"

#include <cstdio>

#include "base/text.hpp"

namespace seed::app {
namespace {

/// A program that never ends its lines must not make us keep them all.
constexpr std::size_t kMaxLineBytes = 64 << 10;

}  // namespace

void write_to_streams(ci::Stream stream, std::string_view text) {
  std::FILE* file = stream == ci::Stream::out ? stdout : stderr;
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
}

Console::Console(const ci::Host& host,
                 ci::Redactor redact,
                 std::function<std::string()> nonce,
                 Write write)
    : host_(host), redact_(std::move(redact)), nonce_(std::move(nonce)), write_(std::move(write)) {}

Console::~Console() {
  end_foreign();
  const std::lock_guard lock(mutex_);
  resume_commands();
}

void Console::put_line(std::string_view line) {
  write_(ci::Stream::err, host_.harmless(redact_(line)) + "\n");
}

void Console::say(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (text.ends_with('\n')) {
    text.remove_suffix(1);
  }
  for (const std::string_view line : split(text, '\n')) {
    put_line(line);
  }
}

void Console::foreign(std::string_view chunk) {
  const std::lock_guard lock(mutex_);
  partial_ += chunk;
  std::size_t start = 0;
  for (std::size_t end = partial_.find('\n'); end != partial_.npos;
       end = partial_.find('\n', start)) {
    stop_commands();
    put_line(std::string_view(partial_).substr(start, end - start));
    start = end + 1;
  }
  partial_.erase(0, start);
  if (partial_.size() > kMaxLineBytes) {
    stop_commands();
    put_line(partial_);
    partial_.clear();
  }
}

void Console::end_foreign() {
  const std::lock_guard lock(mutex_);
  if (!partial_.empty()) {
    stop_commands();
    put_line(partial_);
    partial_.clear();
  }
}

void Console::command(const ci::Print& print) {
  const std::lock_guard lock(mutex_);
  resume_commands();
  write_(print.stream, (print.secret ? print.line : redact_(print.line)) + "\n");
}

void Console::result(std::string_view text) {
  const std::lock_guard lock(mutex_);
  write_(ci::Stream::out, redact_(text));
}

void Console::redact(ci::Redactor redactor) {
  const std::lock_guard lock(mutex_);
  redact_ = std::move(redactor);
}

void Console::control(std::string_view text) {
  const std::lock_guard lock(mutex_);
  write_(ci::Stream::err, text);
}

/// They stay stopped until there is one of ours, so that a log has few of these lines.
void Console::stop_commands() {
  if (!stopped_.empty()) {
    return;
  }
  std::string token = nonce_();
  const ci::Effects effects = host_.stop_commands(token);
  for (const ci::Effect& effect : effects) {
    write_(ci::Stream::err, std::get<ci::Print>(effect).line + "\n");
  }
  if (!effects.empty()) {
    stopped_ = std::move(token);
  }
}

void Console::resume_commands() {
  if (stopped_.empty()) {
    return;
  }
  for (const ci::Effect& effect : host_.resume_commands(stopped_)) {
    write_(ci::Stream::err, std::get<ci::Print>(effect).line + "\n");
  }
  stopped_.clear();
}

}  // namespace seed::app
