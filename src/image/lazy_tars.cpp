#include "image/lazy_tars.hpp"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "os/interrupt.hpp"

namespace seed::image {
namespace {

using namespace std::chrono_literals;

/// Decoded frames in memory: whoever waited for one finds it there, and who goes on in it where the
/// kernel has not been given it.
constexpr std::size_t kKeptBytes = 16 << 20;
/// Such that are to be given to the kernel.
constexpr std::size_t kMaxRead = 4;
/// Threads that fetch what nobody waits for, and of them, those that fetch what may never be read.
constexpr unsigned kFillers = 4;
constexpr unsigned kRestFillers = 2;
/// Of a blob, in one such request: what a reader waits for at worst.
constexpr std::uint64_t kRunBytes = 2 << 20;
/// How long nobody must have waited before that begins.
constexpr auto kQuiet = 100ms;

/// Thrown through the repository when nobody wants the rest.
struct Stopped {};

/// Which frames' places in the file have been written to, as its holes tell. A frame that has not
/// come whole is found out when it is read.
std::vector<bool> written_frames(const os::File& blob, const Toc& toc) {
  std::vector<bool> written(toc.frames.size(), true);
  const auto end = static_cast<off_t>(toc.frames.back().offset + toc.frames.back().size_bytes);
  std::size_t frame = 0;
  for (off_t at = 0; at < end;) {
    const off_t hole = std::min(::lseek(blob.fd(), at, SEEK_HOLE), end);
    const off_t from = hole < 0 ? at : hole;
    const off_t data = hole < 0 ? end : ::lseek(blob.fd(), hole, SEEK_DATA);
    const off_t to = data < 0 ? end : std::min(data, end);
    for (; frame < toc.frames.size() &&
           static_cast<off_t>(toc.frames[frame].offset + toc.frames[frame].size_bytes) <= from;
         ++frame) {
    }
    for (; frame < toc.frames.size() && static_cast<off_t>(toc.frames[frame].offset) < to;
         ++frame) {
      written[frame] = false;
    }
    at = to;
  }
  return written;
}

bool is_frame(const Toc::Frame& frame, ByteView bytes) {
  return bytes.size() == frame.size_bytes && Digest::of(bytes) == frame.digest;
}

}  // namespace

LazyTars::LazyTars(oci::Repository& repository, std::vector<Layer> layers)
    : repository_(repository), layers_(std::move(layers)) {
  for (const Layer& layer : layers_) {
    stored_.push_back(written_frames(layer.blob, layer.toc));
  }
}

LazyTars::~LazyTars() {
  for (std::jthread& thread : threads_) {
    thread.request_stop();
  }
  threads_.clear();
}

void LazyTars::start(std::vector<Key> first, Give give) {
  first_.assign(first.begin(), first.end());
  give_ = std::move(give);
  const os::SignalsHeld held;
  for (unsigned i = 0; i < kFillers; ++i) {
    threads_.emplace_back([this, i](const std::stop_token& stop) { fill(stop, i < kRestFillers); });
  }
}

void LazyTars::read(std::size_t layer, std::uint64_t offset, std::span<std::byte> into) {
  const Toc& toc = layers_.at(layer).toc;
  while (!into.empty()) {
    const Key key{static_cast<std::uint32_t>(layer),
                  static_cast<std::uint32_t>(offset / toc.frame_bytes)};
    const std::size_t begin = offset % toc.frame_bytes;
    const Content bytes = content(key);
    const std::size_t count = std::min(into.size(), bytes->size() - begin);
    std::copy_n(bytes->begin() + static_cast<long>(begin), count, into.begin());
    offset += count;
    into = into.subspan(count);
  }
}

LazyTars::Content LazyTars::content(Key key) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (const auto found = decoded_.find(key); found != decoded_.end()) {
      used_.splice(used_.begin(), used_, found->second);
      return found->second->second;
    }
    if (!busy_.contains(key)) {
      break;
    }
    changed_.wait(lock);
  }
  busy_.insert(key);
  ++waiting_;
  lock.unlock();
  Content content;
  try {
    content = decode(key, stored({key, 1}, {}).front());
  } catch (...) {
    lock.lock();
    --waiting_;
    put_back({key, 1}, false);
    throw;
  }
  lock.lock();
  --waiting_;
  last_read_ = std::chrono::steady_clock::now();
  keep(key, content);
  hints_.push_back({key.layer, key.frame + 1});
  if (read_.size() < kMaxRead) {
    read_.emplace_back(key, content);
  }
  put_back({key, 1}, true);
  return content;
}

LazyTars::Content LazyTars::decode(Key key, ByteView frame) {
  const auto content = buffers_.take(layers_[key.layer].toc.content_bytes(key.frame));
  decode_frame(frame, *content);
  return content;
}

void LazyTars::keep(Key key, const Content& content) {
  used_.emplace_front(key, content);
  decoded_[key] = used_.begin();
  kept_bytes_ += content->size();
  while (used_.size() > 1 && kept_bytes_ > kKeptBytes) {
    kept_bytes_ -= used_.back().second->size();
    decoded_.erase(used_.back().first);
    used_.pop_back();
  }
}

/// The frames, from the file where it has them, else from the repository, which puts them there.
std::vector<Bytes> LazyTars::stored(Run run, const std::stop_token& stop) {
  const Layer& layer = layers_[run.first.layer];
  const auto frames = std::span(layer.toc.frames).subspan(run.first.frame, run.count);
  const std::uint64_t end = frames.back().offset + frames.back().size_bytes;
  const os::RangeLock lock(layer.blob, frames.front().offset, end - frames.front().offset);
  std::vector<Bytes> found;
  for (const Toc::Frame& frame : frames) {
    Bytes bytes(frame.size_bytes);
    if (layer.blob.read_at(bytes, frame.offset) != bytes.size() || !is_frame(frame, bytes)) {
      return fetch(run, stop);
    }
    found.push_back(std::move(bytes));
  }
  return found;
}

std::vector<Bytes> LazyTars::fetch(Run run, const std::stop_token& stop) {
  const Layer& layer = layers_[run.first.layer];
  const auto frames = std::span(layer.toc.frames).subspan(run.first.frame, run.count);
  const std::uint64_t begin = frames.front().offset;
  const std::uint64_t end = frames.back().offset + frames.back().size_bytes;
  std::vector<Bytes> fetched(frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    fetched[i].reserve(frames[i].size_bytes);
  }
  std::size_t index = 0;
  const auto take = [&](ByteView part) {
    if (stop.stop_requested()) {
      throw Stopped();
    }
    fetched_bytes_ += part.size();
    while (!part.empty()) {
      Bytes& bytes = fetched[index];
      const std::size_t count =
          std::min<std::size_t>(part.size(), frames[index].size_bytes - bytes.size());
      bytes.insert(bytes.end(), part.begin(), part.begin() + static_cast<long>(count));
      part = part.subspan(count);
      if (bytes.size() == frames[index].size_bytes) {
        ++index;
      }
    }
  };
  while_doing("fetching layer " + layer.descriptor.digest.to_string(), [&] {
    repository_.get_blob_range(layer.descriptor, begin, end - begin, take);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      if (!is_frame(frames[i], fetched[i])) {
        throw IntegrityError(
            fmt::format("bytes {} to {} are not what the layer's table of contents says",
                        frames[i].offset,
                        frames[i].offset + frames[i].size_bytes),
            "the registry gives other bytes than were pushed; 'nix-seed seed --refresh' makes the "
            "seed anew");
      }
      layer.blob.write_at(fetched[i], frames[i].offset);
    }
  });
  return fetched;
}

void LazyTars::put_back(Run run, bool is_stored) {
  for (std::uint32_t i = 0; i < run.count; ++i) {
    busy_.erase({run.first.layer, run.first.frame + i});
    if (is_stored) {
      stored_[run.first.layer][run.first.frame + i] = true;
    }
  }
  changed_.notify_all();
}

/// Takes `key` and what is missing behind it, if it is missing itself.
std::optional<LazyTars::Run> LazyTars::take_run(Key key, std::uint64_t limit_bytes) {
  const std::vector<Toc::Frame>& frames = layers_[key.layer].toc.frames;
  Run run{key, 0};
  std::uint64_t bytes = 0;
  for (std::uint32_t i = key.frame; i < frames.size() && bytes < limit_bytes; ++i) {
    if (stored_[key.layer][i] || !busy_.insert({key.layer, i}).second) {
      break;
    }
    bytes += frames[i].size_bytes;
    ++run.count;
  }
  return run.count == 0 ? std::nullopt : std::optional(run);
}

/// Neighbours in one run, as far as they follow one another in the list too.
std::optional<LazyTars::Run> LazyTars::next_first() {
  std::optional<Run> run;
  std::uint64_t bytes = 0;
  while (!first_.empty() && bytes < kRunBytes) {
    const Key key = first_.front();
    if (run && key != Key{run->first.layer, run->first.frame + run->count}) {
      break;
    }
    first_.pop_front();
    if (decoded_.contains(key) || !busy_.insert(key).second) {
      if (run) {
        break;
      }
      continue;  // somebody has it, or is about to
    }
    run = run.value_or(Run{key, 0});
    ++run->count;
    bytes += layers_[key.layer].toc.frames[key.frame].size_bytes;
  }
  return run;
}

std::optional<LazyTars::Run> LazyTars::next_hint() {
  while (!hints_.empty()) {
    const Key key = hints_.front();
    hints_.pop_front();
    if (const auto run = take_run(key, 1)) {
      return run;
    }
  }
  return std::nullopt;
}

std::optional<LazyTars::Run> LazyTars::next_missing() {
  for (; next_.layer < layers_.size(); ++next_.layer, next_.frame = 0) {
    for (; next_.frame < layers_[next_.layer].toc.frames.size(); ++next_.frame) {
      if (const auto run = take_run(next_, kRunBytes)) {
        return run;
      }
    }
  }
  return std::nullopt;
}

bool LazyTars::is_quiet() const {
  return waiting_ == 0 && std::chrono::steady_clock::now() - last_read_ >= kQuiet;
}

/// Fetches, decodes and gives away what somebody is going to read. It is given when all of it is
/// there: who takes it may wait for a reader, and that one for any frame of the run.
void LazyTars::bring(std::unique_lock<std::mutex>& lock, Run run, const std::stop_token& stop) {
  std::vector<std::pair<Key, Content>> brought;
  lock.unlock();
  try {
    const std::vector<Bytes> frames = stored(run, stop);
    for (const Bytes& frame : frames) {
      brought.emplace_back(run.first, decode(run.first, frame));
      lock.lock();
      keep(run.first, brought.back().second);
      put_back({run.first, 1}, true);
      lock.unlock();
      ++run.first.frame;
      --run.count;
    }
  } catch (...) {
    lock.lock();
    put_back(run, false);
    throw;
  }
  lock.lock();
  for (const auto& [key, content] : brought) {
    give(lock, key, content);
  }
}

void LazyTars::give(std::unique_lock<std::mutex>& lock, Key key, const Content& content) {
  lock.unlock();
  give_(key.layer, std::uint64_t{key.frame} * layers_[key.layer].toc.frame_bytes, *content);
  lock.lock();
}

/// False where there is nothing to do by now.
bool LazyTars::fill_one(std::unique_lock<std::mutex>& lock,
                        const std::stop_token& stop,
                        bool also_rest) {
  if (!read_.empty()) {
    const auto [key, content] = std::move(read_.front());
    read_.pop_front();
    give(lock, key, content);
    return true;
  }
  if (const auto run = next_first()) {
    bring(lock, *run, stop);
    return true;
  }
  std::optional<Run> run = next_hint();
  if (!run && also_rest && is_quiet()) {
    run = next_missing();
  }
  if (!run) {
    return false;
  }
  lock.unlock();
  try {
    stored(*run, stop);
  } catch (...) {
    lock.lock();
    put_back(*run, false);
    throw;
  }
  lock.lock();
  put_back(*run, true);
  return true;
}

void LazyTars::fill(const std::stop_token& stop, bool also_rest) {
  std::unique_lock lock(mutex_);
  try {
    while (!stop.stop_requested()) {
      if (!fill_one(lock, stop, also_rest)) {
        changed_.wait_for(lock, stop, kQuiet, [&] { return !hints_.empty() || !read_.empty(); });
      }
    }
  } catch (const Stopped&) {
  } catch (const std::exception&) {
    // whoever reads there meets it, and says so
  }
}

}  // namespace seed::image
