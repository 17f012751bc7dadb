#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/bytes.hpp"
#include "image/buffers.hpp"
#include "image/toc.hpp"
#include "oci/repository.hpp"
#include "os/file.hpp"

namespace seed::image {

/// Tars of layers that are read before they have come: a frame is fetched when somebody reads in
/// it, and goes through SHA-256 in this process before anybody sees a byte of it. Compressed frames
/// are kept in files that have holes where nothing has come yet, which several processes may share:
/// each frame is fetched by one of them. Meanwhile, when no reader waits, the rest is fetched too.
/// Thread-safe.
class LazyTars {
 public:
  struct Layer {
    oci::Descriptor descriptor;
    Toc toc;
    os::File blob;  ///< as LayerCache::open_blob gives it
  };

  /// Which frame of which layer.
  struct Key {
    std::uint32_t layer = 0;
    std::uint32_t frame = 0;
    bool operator==(const Key&) const = default;
  };

  /// Takes bytes of a layer's tar that nobody has asked for.
  using Give = std::function<void(std::size_t layer, std::uint64_t offset, ByteView bytes)>;

  /// `repository` must outlive this.
  LazyTars(oci::Repository& repository, std::vector<Layer> layers);
  ~LazyTars();

  LazyTars(const LazyTars&) = delete;
  LazyTars& operator=(const LazyTars&) = delete;

  /// Fills `into` from `offset` of a layer's tar on, waiting for what has not come. Throws what the
  /// repository throws, and IntegrityError where it gives other bytes than the toc says.
  void read(std::size_t layer, std::uint64_t offset, std::span<std::byte> into);

  /// Begins to fetch what nobody reads: the frames of `first`, which are likely to be read soon,
  /// then the rest, when no reader waits. `give` gets the frames of `first`, and each that somebody
  /// has read in. Once, and before others may know this object.
  void start(std::vector<Key> first, Give give);

  std::uint64_t fetched_bytes() const { return fetched_bytes_; }

 private:
  using Content = std::shared_ptr<const Bytes>;

  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::uint64_t>()(std::uint64_t{key.layer} << 32 | key.frame);
    }
  };

  /// Neighbours in one blob: fetched with one request.
  struct Run {
    Key first;
    std::uint32_t count = 0;
  };

  Content content(Key key);
  Content decode(Key key, ByteView frame);
  void keep(Key key, const Content& content);
  std::vector<Bytes> stored(Run run, const std::stop_token& stop);
  std::vector<Bytes> fetch(Run run, const std::stop_token& stop);
  void fill(const std::stop_token& stop, bool also_rest);
  bool fill_one(std::unique_lock<std::mutex>& lock, const std::stop_token& stop, bool also_rest);
  void bring(std::unique_lock<std::mutex>& lock, Run run, const std::stop_token& stop);
  void give(std::unique_lock<std::mutex>& lock, Key key, const Content& content);
  bool is_quiet() const;
  std::optional<Run> next_first();
  std::optional<Run> next_hint();
  std::optional<Run> next_missing();
  std::optional<Run> take_run(Key key, std::uint64_t limit_bytes);
  void put_back(Run run, bool is_stored);

  oci::Repository& repository_;
  std::vector<Layer> layers_;
  std::atomic<std::uint64_t> fetched_bytes_{0};

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::unordered_set<Key, KeyHash> busy_;    ///< being fetched or decoded
  std::vector<std::vector<bool>> stored_;    ///< by layer and frame: what need not be fetched
  std::list<std::pair<Key, Content>> used_;  ///< decoded, the last used first
  std::unordered_map<Key, decltype(used_)::iterator, KeyHash> decoded_;
  std::uint64_t kept_bytes_ = 0;
  std::deque<Key> first_;                            ///< what was said to be read first
  std::deque<Key> hints_;                            ///< what is likely to be read next
  std::deque<std::pair<Key, Content>> read_;         ///< frames that readers had decoded
  unsigned waiting_ = 0;                             ///< readers
  std::chrono::steady_clock::time_point last_read_;  ///< when one of them got what it waited for
  Key next_;                                         ///< where filling goes on
  Buffers buffers_;
  Give give_;
  std::vector<std::jthread> threads_;
};

}  // namespace seed::image
