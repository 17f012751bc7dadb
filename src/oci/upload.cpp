#include "oci/upload.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/registry_error.hpp"

namespace seed::oci {
namespace {

constexpr unsigned kMaxStarts = 4;
constexpr unsigned kMaxStalls = 5;

enum class Outcome { done, start_again };

/// The session is gone or in a state that only a new one gets us out of.
bool is_lost(const http::Response& response) {
  const auto errors = parse_registry_errors(response.body);
  return response.status == 404 || response.status == 416 || response.status >= 500 ||
         has_code(errors, "BLOB_UPLOAD_UNKNOWN") || has_code(errors, "BLOB_UPLOAD_INVALID") ||
         has_code(errors, "RANGE_INVALID");
}

/// `0-LAST`, how distribution says what it has; `0-0` is also what it says of nothing, and then
/// sending that byte again costs less than believing it.
std::uint64_t received(const http::Response& response, std::uint64_t otherwise) {
  std::string text = response.headers.get("Range").value_or("");
  if (text.starts_with("bytes=")) {
    text.erase(0, 6);
  }
  if (!text.starts_with("0-")) {
    return otherwise;
  }
  const auto last = http::parse_size(std::string_view(text).substr(2));
  return last && *last != 0 ? *last + 1 : 0;
}

class Upload {
 public:
  Upload(Session& session,
         const Descriptor& blob,
         const SourceAt& content,
         std::uint64_t chunk_bytes)
      : session_(session),
        blob_(blob),
        content_(content),
        scopes_(session.scopes(Access::push)),
        chunk_bytes_(chunk_bytes) {}

  Pushed run(const std::optional<std::string>& mount_from) {
    if (mount_from && *mount_from != session_.repository_name() && mount(*mount_from)) {
      return Pushed::mounted;
    }
    for (unsigned starts = 1;; ++starts) {
      if (!location_) {
        start();
      }
      if ((chunked_ ? send_chunks() : send_whole()) == Outcome::done) {
        return Pushed::sent;
      }
      // The answer to a commit may be what was lost.
      if (blob_exists(session_, blob_)) {
        return Pushed::sent;
      }
      if (starts == kMaxStarts) {
        give_up();
      }
      location_.reset();
      sent_bytes_ = 0;
    }
  }

 private:
  [[noreturn]] void give_up() {
    if (refusal_) {
      session_.refuse(*refusal_, Access::push);
    }
    throw NetworkError(
        fmt::format("{}: the connection broke {} times", session_.host(), kMaxStarts),
        "try again later",
        0,
        true);
  }

  bool mount(const std::string& from) {
    const Scopes scopes{scopes_.front(), fmt::format("repository:{}:pull", from)};
    http::Request request;
    request.method = http::Method::post;
    request.url = session_.url(fmt::format("blobs/uploads/?mount={}&from={}",
                                           percent_encode(blob_.digest.to_string()),
                                           percent_encode(from)));
    try {
      const Exchanged exchanged = session_.send(request, scopes);
      if (exchanged.response.status == 202) {
        adopt(exchanged);
      }
      return exchanged.response.status == 201;
    } catch (const NetworkError& error) {
      // No token for the other repository: then it is sent.
      if (error.status() < 400 || error.status() >= 500) {
        throw;
      }
      return false;
    }
  }

  void start() {
    http::Request request;
    request.method = http::Method::post;
    request.url = session_.url("blobs/uploads/");
    const Exchanged exchanged = session_.send(request, scopes_);
    if (exchanged.response.status != 202) {
      session_.refuse(exchanged, Access::push);
    }
    adopt(exchanged);
    if (!location_) {
      throw NetworkError(
          fmt::format("{} starts an upload and does not say where", session_.host()));
    }
    if (const auto least = exchanged.response.headers.get("OCI-Chunk-Min-Length")) {
      chunk_bytes_ =
          chunk_bytes_ == 0 ? 0 : std::max(chunk_bytes_, http::parse_size(*least).value_or(0));
    }
  }

  /// Each answer may name another place to go on at.
  void adopt(const Exchanged& exchanged) {
    if (const auto location = exchanged.response.headers.get("Location")) {
      location_ = session_.follow(exchanged.url, *location);
    }
  }

  std::string commit_url() const {
    const std::string url = location_->to_string();
    return fmt::format("{}{}digest={}",
                       url,
                       location_->target.find('?') == std::string::npos ? '?' : '&',
                       percent_encode(blob_.digest.to_string()));
  }

  Outcome committed(const Exchanged& exchanged) {
    const auto digest = exchanged.response.headers.get("Docker-Content-Digest");
    if (digest && digest->starts_with("sha256:") && *digest != blob_.digest.to_string()) {
      throw IntegrityError(fmt::format("{} stored {} where {} was sent",
                                       session_.host(),
                                       printable(*digest),
                                       blob_.digest.to_string()));
    }
    if (exchanged.response.status == 201 || blob_exists(session_, blob_)) {
      return Outcome::done;
    }
    refusal_ = exchanged;
    return Outcome::start_again;
  }

  /// What to do after an answer that is not success.
  Outcome handle(const Exchanged& exchanged) {
    refusal_ = exchanged;
    const bool renewed = exchanged.response.status == 401 && !std::exchange(renewed_, true) &&
                         session_.renew(exchanged, scopes_);
    // A proxy's limit on bodies does not hold for each of many chunks.
    const bool too_large = exchanged.response.status == 413 && !chunked_ && can_chunk();
    // A resumed upload may have been put together wrongly by the registry.
    const bool garbled =
        chunked_ && has_code(parse_registry_errors(exchanged.response.body), "DIGEST_INVALID");
    if (!renewed && !too_large && !garbled && !is_lost(exchanged.response)) {
      session_.refuse(exchanged, Access::push);
    }
    chunked_ = chunked_ || too_large;
    return Outcome::start_again;
  }

  bool can_chunk() const { return chunk_bytes_ != 0 && blob_.size_bytes > chunk_bytes_; }

  http::Request request_with_body(std::uint64_t offset, std::uint64_t length) const {
    http::Request request;
    request.headers.set("Content-Type", "application/octet-stream");
    request.body_size_bytes = length;
    request.body = [this, offset, length]() -> Source {
      return [source = content_(offset), rest = length](std::span<std::byte> buffer) mutable {
        const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), rest));
        const std::size_t count = room == 0 ? 0 : source(buffer.first(room));
        rest -= count;
        return count;
      };
    };
    request.on_fault = http::OnFault::pass_on;
    return request;
  }

  Outcome send_whole() {
    http::Request request = request_with_body(0, blob_.size_bytes);
    request.method = http::Method::put;
    request.url = commit_url();
    try {
      const Exchanged exchanged = session_.send_once(request, scopes_);
      const int status = exchanged.response.status;
      return status >= 200 && status < 300 ? committed(exchanged) : handle(exchanged);
    } catch (const NetworkError& error) {
      if (!error.retryable()) {
        throw;
      }
    }
    if (!can_chunk()) {
      return Outcome::start_again;
    }
    chunked_ = true;
    return ask_progress() ? send_chunks() : Outcome::start_again;
  }

  /// Learns how far the registry got; false where it has forgotten the session.
  bool ask_progress() {
    http::Request request;
    request.url = location_->to_string();
    const Exchanged exchanged = session_.send(request, scopes_);
    const int status = exchanged.response.status;
    if (status != 204 && status != 200 && status != 202) {
      refusal_ = exchanged;
      return false;
    }
    adopt(exchanged);
    sent_bytes_ = std::min(received(exchanged.response, 0), blob_.size_bytes);
    return true;
  }

  Outcome send_chunks() {
    unsigned stalls = 0;
    while (sent_bytes_ < blob_.size_bytes) {
      const std::uint64_t before = sent_bytes_;
      if (const auto end = send_chunk()) {
        return *end;
      }
      stalls = sent_bytes_ > before ? 0 : stalls + 1;
      if (stalls > kMaxStalls) {
        return Outcome::start_again;
      }
    }
    http::Request request;
    request.method = http::Method::put;
    request.url = commit_url();
    const Exchanged exchanged = session_.send(request, scopes_);
    const int status = exchanged.response.status;
    return status >= 200 && status < 300 ? committed(exchanged) : handle(exchanged);
  }

  /// Nothing: go on.
  std::optional<Outcome> send_chunk() {
    const std::uint64_t length = std::min(chunk_bytes_, blob_.size_bytes - sent_bytes_);
    http::Request request = request_with_body(sent_bytes_, length);
    request.method = http::Method::patch;
    request.url = location_->to_string();
    // "without bytes=": distribution-spec, "Pushing a blob in chunks"
    request.headers.set("Content-Range",
                        fmt::format("{}-{}", sent_bytes_, sent_bytes_ + length - 1));
    try {
      const Exchanged exchanged = session_.send(request, scopes_);
      const int status = exchanged.response.status;
      if (status >= 200 && status < 300) {
        adopt(exchanged);
        const std::uint64_t end = sent_bytes_ + length;
        sent_bytes_ = std::min(received(exchanged.response, end), end);
        return std::nullopt;
      }
      if (status != 416) {
        return handle(exchanged);
      }
      refusal_ = exchanged;
    } catch (const NetworkError& error) {
      if (!error.retryable()) {
        throw;
      }
    }
    return ask_progress() ? std::nullopt : std::optional(Outcome::start_again);
  }

  Session& session_;
  const Descriptor& blob_;
  const SourceAt& content_;
  Scopes scopes_;
  std::uint64_t chunk_bytes_;
  std::optional<http::Url> location_;
  std::optional<Exchanged> refusal_;
  std::uint64_t sent_bytes_ = 0;  ///< of this session, when chunked
  bool chunked_ = false;
  bool renewed_ = false;
};

}  // namespace

bool blob_exists(Session& session, const Descriptor& blob) {
  http::Request request;
  request.method = http::Method::head;
  request.url = session.url("blobs/" + blob.digest.to_string());
  // Signed addresses of storage hold for GET only, so a redirect is not followed: it says enough.
  const Exchanged exchanged =
      session.send(request, session.scopes(Access::pull), OnRedirect::pass_on);
  const http::Response& response = exchanged.response;
  if (response.status == 404) {
    return false;
  }
  if (response.status >= 300 && response.status < 400) {
    return true;
  }
  if (response.status < 200 || response.status >= 300) {
    session.refuse(exchanged, Access::pull);
  }
  const auto size = http::parse_size(response.headers.get("Content-Length").value_or(""));
  // Some leave the length of a HEAD at 0.
  if (size && *size != 0 && *size != blob.size_bytes) {
    throw IntegrityError(fmt::format("{} has {} bytes under {}, which has {}",
                                     session.host(),
                                     *size,
                                     blob.digest.to_string(),
                                     blob.size_bytes));
  }
  return true;
}

void try_upload(Session& session) {
  http::Request request;
  request.method = http::Method::post;
  request.url = session.url("blobs/uploads/");
  const Exchanged started = session.send(request, Access::push);
  if (started.response.status != 202) {
    session.refuse(started, Access::push);
  }
  if (const auto location = started.response.headers.get("Location")) {
    http::Request cancel;
    cancel.method = http::Method::del;
    cancel.url = session.follow(started.url, *location).to_string();
    try {
      session.send(cancel, Access::push);
    } catch (const NetworkError&) {
      // Not every registry lets an upload be given up; all of them forget it after a while.
    }
  }
}

Pushed upload_blob(Session& session,
                   const Descriptor& blob,
                   const SourceAt& content,
                   const std::optional<std::string>& mount_from,
                   std::uint64_t chunk_bytes) {
  if (blob_exists(session, blob)) {
    return Pushed::already_there;
  }
  return Upload(session, blob, content, chunk_bytes).run(mount_from);
}

}  // namespace seed::oci
