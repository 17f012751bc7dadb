#include "oci/blob_read.hpp"

#include <algorithm>
#include <limits>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::oci {
namespace {

constexpr unsigned kMaxResumes = 100;

/// Thrown through the transport once we have what we want.
struct Enough {};

class BlobRead {
 public:
  BlobRead(Session& session,
           const Descriptor& blob,
           std::uint64_t offset,
           std::uint64_t length,
           const Sink& sink)
      : session_(session), blob_(blob), offset_(offset), length_(length), sink_(sink) {}

  void run() {
    bool stuck = false;
    for (unsigned resumes = 0;; ++resumes) {
      const std::uint64_t before = done_;
      try {
        attempt(stuck ? http::OnFault::retry : http::OnFault::pass_on);
        if (done_ == length_) {
          return;
        }
        end_of_body(before);
      } catch (const Enough&) {
        return;
      } catch (const NetworkError& error) {
        const bool hopeless = !error.retryable() || error.status() != 0;
        if (hopeless || resumes == kMaxResumes || (stuck && done_ == before)) {
          throw;
        }
      }
      // Without progress the next attempt is the one that backs off and counts its tries.
      stuck = done_ == before;
    }
  }

 private:
  bool whole() const { return offset_ == 0 && length_ == blob_.size_bytes; }

  void attempt(http::OnFault on_fault) {
    const std::uint64_t start = offset_ + done_;
    http::Request request;
    request.url = session_.url("blobs/" + blob_.digest.to_string());
    request.on_fault = on_fault;
    request.max_response_bytes = std::numeric_limits<std::uint64_t>::max();
    const bool ranged = start != 0 || !whole();
    if (ranged) {
      request.headers.set("Range", fmt::format("bytes={}-{}", start, offset_ + length_ - 1));
    }
    request.into = [&](const http::Response& head) { return sink_for(head); };
    const Exchanged exchanged = session_.send(request, Access::pull);
    status_ = exchanged.response.status;
    if (status_ != 200 && !(ranged && status_ == 206)) {
      session_.refuse(exchanged, Access::pull);
    }
  }

  /// The body ended by itself, with less than we asked for. Servers may shorten a range; a whole
  /// body that is short is a lie.
  void end_of_body(std::uint64_t before) const {
    if (status_ == 200 || done_ == before) {
      throw IntegrityError(fmt::format("blob {} ends after {} of {} bytes",
                                       blob_.digest.to_string(),
                                       offset_ + done_,
                                       blob_.size_bytes));
    }
  }

  Sink sink_for(const http::Response& head) {
    const std::uint64_t first = head.status == 206 ? range_start(head) : 0;
    const std::uint64_t wanted = offset_ + done_;
    if (first > wanted) {
      throw NetworkError(
          fmt::format("{} sent bytes from {} on, not from {}", session_.host(), first, wanted));
    }
    return [this, skip = wanted - first, partial = head.status == 206](ByteView chunk) mutable {
      const auto skipped = std::min<std::uint64_t>(skip, chunk.size());
      skip -= skipped;
      take(chunk.subspan(static_cast<std::size_t>(skipped)), partial);
    };
  }

  void take(ByteView chunk, bool partial) {
    const std::uint64_t rest = length_ - done_;
    const bool longer = chunk.size() > rest;
    chunk = chunk.first(static_cast<std::size_t>(std::min<std::uint64_t>(chunk.size(), rest)));
    if (!chunk.empty()) {
      sink_(chunk);
      done_ += chunk.size();
    }
    if (longer && whole()) {
      throw IntegrityError(fmt::format(
          "blob {} is longer than its {} bytes", blob_.digest.to_string(), blob_.size_bytes));
    }
    if (done_ == length_ && !whole() && (longer || !partial)) {
      throw Enough();
    }
  }

  /// `bytes FIRST-LAST/SIZE` (RFC 9110 §14.4)
  std::uint64_t range_start(const http::Response& head) const {
    const std::string text = head.headers.get("Content-Range").value_or("");
    std::string_view rest = text;
    if (rest.starts_with("bytes ")) {
      rest.remove_prefix(6);
      if (const auto first = http::parse_size(rest.substr(0, rest.find('-')))) {
        return *first;
      }
    }
    throw NetworkError(
        fmt::format("{} sent a part with Content-Range '{}'", session_.host(), printable(text)));
  }

  Session& session_;
  const Descriptor& blob_;
  std::uint64_t offset_;
  std::uint64_t length_;
  const Sink& sink_;
  std::uint64_t done_ = 0;
  int status_ = 0;
};

}  // namespace

void read_blob(Session& session,
               const Descriptor& blob,
               std::uint64_t offset,
               std::uint64_t length,
               const Sink& sink) {
  if (offset > blob.size_bytes || length > blob.size_bytes - offset) {
    throw FormatError(fmt::format(
        "bytes {} to {} of a blob of {} bytes", offset, offset + length, blob.size_bytes));
  }
  if (length != 0 || (offset == 0 && blob.size_bytes == 0)) {
    BlobRead(session, blob, offset, length, sink).run();
  }
}

}  // namespace seed::oci
