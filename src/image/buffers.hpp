#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/bytes.hpp"

namespace seed::image {

/// Buffers of about one size that are used again and again: the system takes long to give fresh
/// memory, and as long to take it back. Thread-safe; buffers may outlive this.
class Buffers {
 public:
  /// One of `size_bytes`, with any content.
  std::shared_ptr<Bytes> take(std::size_t size_bytes) {
    Bytes bytes;
    {
      const std::lock_guard lock(spare_->mutex);
      if (!spare_->buffers.empty()) {
        bytes = std::move(spare_->buffers.back());
        spare_->buffers.pop_back();
      }
    }
    bytes.resize(size_bytes);
    return {new Bytes(std::move(bytes)), [spare = spare_](Bytes* used) {
              const std::unique_ptr<Bytes> owned(used);
              const std::lock_guard lock(spare->mutex);
              if (spare->buffers.size() < kSpare) {
                spare->buffers.push_back(std::move(*owned));
              }
            }};
  }

 private:
  static constexpr std::size_t kSpare = 4;

  struct Spare {
    std::mutex mutex;
    std::vector<Bytes> buffers;
  };

  std::shared_ptr<Spare> spare_ = std::make_shared<Spare>();
};

}  // namespace seed::image
