#include "trust/copy.hpp"

#include <algorithm>
#include <mutex>
#include <set>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "os/parallel.hpp"
#include "trust/discovery.hpp"

namespace seed::trust {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 4;
constexpr std::size_t kMaxManifests = 1000;

bool is_index(const oci::Descriptor& descriptor) {
  return descriptor.media_type == oci::kIndexType || descriptor.media_type == oci::kDockerListType;
}

class Copier {
 public:
  Copier(oci::Repository& from, oci::Repository& to, const CopyOptions& options)
      : from_(from), to_(to), options_(options) {}

  CopyReceipt copy(const Digest& digest) {
    copy_tree(digest, 0);
    // Evidence follows what it is about, and precedes every tag.
    const std::vector<Digest> subjects(done_.begin(), done_.end());
    for (const Digest& subject : subjects) {
      copy_referrers(subject);
    }
    return std::move(receipt_);
  }

 private:
  void copy_tree(const Digest& digest, int depth) {
    if (depth > kMaxDepth || done_.size() > kMaxManifests) {
      throw FormatError(
          fmt::format("{} has more manifests below it than anyone makes", name(digest)));
    }
    if (!done_.insert(digest).second) {
      return;
    }
    const oci::RawManifest raw = read(digest);
    if (is_index(raw.descriptor)) {
      for (const oci::Descriptor& child : oci::parse_index(raw.bytes).manifests) {
        copy_tree(child.digest, depth + 1);
      }
    } else {
      copy_blobs(oci::parse_manifest(raw.bytes));
    }
    while_doing(fmt::format("writing {} to {}", digest.to_string(), to_.name()),
                [&] { to_.put_manifest(raw.descriptor.media_type, raw.bytes, std::nullopt); });
    ++receipt_.manifests;
  }

  void copy_referrers(const Digest& subject) {
    auto list = from_.referrers(subject, "");
    if (list.size() > kMaxCandidates) {
      receipt_.left.push_back(fmt::format("{} of the {} that refer to {}",
                                          list.size() - kMaxCandidates,
                                          list.size(),
                                          name(subject)));
      list.erase(list.begin() + kMaxCandidates, list.end());
    }
    for (const oci::Descriptor& referrer : list) {
      if (!done_.insert(referrer.digest).second) {
        continue;
      }
      try {
        copy_referrer(referrer.digest);
        ++receipt_.referrers;
      } catch (const FormatError& error) {
        // Whoever may push can attach anything: what is no artifact is no evidence either.
        receipt_.left.push_back(
            fmt::format("{}: {}", referrer.digest.to_string(), error.message()));
      }
    }
  }

  void copy_referrer(const Digest& digest) {
    const oci::RawManifest raw = read(digest);
    if (is_index(raw.descriptor)) {
      throw FormatError("an index that refers to an image");
    }
    const oci::Manifest manifest = oci::parse_manifest(raw.bytes);
    if (!manifest.subject) {
      throw FormatError("it has no subject");
    }
    copy_blobs(manifest);
    to_.put_raw_referrer(raw.bytes);
  }

  oci::RawManifest read(const Digest& digest) {
    auto raw = from_.get_manifest(digest);
    if (!raw) {
      throw FormatError(fmt::format("{} is not there", name(digest)),
                        "it was deleted, or never pushed as a whole: push it again");
    }
    return *std::move(raw);
  }

  void copy_blobs(const oci::Manifest& manifest) {
    std::vector<oci::Descriptor> blobs = manifest.layers;
    blobs.push_back(manifest.config);
    std::erase_if(blobs,
                  [&](const oci::Descriptor& blob) { return !blobs_.insert(blob.digest).second; });
    os::for_each_index(
        blobs.size(), options_.connections, [&](std::size_t i) { copy_blob(blobs[i]); });
  }

  void copy_blob(const oci::Descriptor& blob) {
    const bool there = to_.has_blob(blob);
    if (!there) {
      while_doing(fmt::format("copying {}", blob.digest.to_string()), [&] { send(blob); });
    }
    const std::lock_guard lock(mutex_);
    receipt_.blobs_there += there ? 1 : 0;
    receipt_.blobs_sent += there ? 0 : 1;
    receipt_.bytes_sent += there ? 0 : blob.size_bytes;
  }

  void send(const oci::Descriptor& blob) {
    const fs::path path = options_.scratch / ("copy-" + blob.digest.hex());
    try {
      auto file = os::File::create(path, 0600);
      from_.get_blob(blob, [&](ByteView chunk) { file.write(chunk); });
      file.close();
      to_.put_blob(blob, path, options_.mount_from);
    } catch (...) {
      std::error_code ignored;
      fs::remove(path, ignored);
      throw;
    }
    std::error_code ignored;
    fs::remove(path, ignored);
  }

  std::string name(const Digest& digest) const { return from_.name() + "@" + digest.to_string(); }

  oci::Repository& from_;
  oci::Repository& to_;
  const CopyOptions& options_;
  std::set<Digest> done_;
  std::set<Digest> blobs_;
  std::mutex mutex_;
  CopyReceipt receipt_;
};

}  // namespace

CopyReceipt copy_artifact(oci::Repository& from,
                          oci::Repository& to,
                          const Digest& digest,
                          const CopyOptions& options) {
  os::make_dirs(options.scratch);
  return Copier(from, to, options).copy(digest);
}

}  // namespace seed::trust
