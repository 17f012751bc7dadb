#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace seed::os {

/// Objects of git in a folder of our own, with no work tree, index or branches. Objects are named
/// by 40 hex digits. Not thread-safe.
class GitObjects {
 public:
  /// Makes an empty store in `folder`, which must not exist.
  explicit GitObjects(const std::filesystem::path& folder);
  ~GitObjects();
  GitObjects(const GitObjects&) = delete;
  GitObjects& operator=(const GitObjects&) = delete;

  /// Reads on in the repository that `inside` lies in, which is never written to.
  void read_also(const std::filesystem::path& inside);

  bool has(const std::string& id) const;

  struct Commit {
    std::string tree;
    std::vector<std::string> parents;
    std::string email;      ///< the committer's
    std::int64_t time = 0;  ///< the committer's
  };

  /// Throws Error where the commit is not here.
  Commit commit(const std::string& id) const;

  /// The commit and all before it. Throws Error where one of them is not here.
  std::uint64_t count_commits(const std::string& id) const;

  /// Whether `ancestor` is `commit` or before it; both are here. Throws Error where what is
  /// between them is not.
  bool is_ancestor(const std::string& ancestor, const std::string& commit) const;

  struct Entry {
    std::string id;
    bool is_file = false;  ///< neither a folder, a link nor another repository
  };

  /// What the tree has at `path`; nothing where it has nothing, or the folder is not here.
  std::optional<Entry> find(const std::string& tree, const std::string& path) const;

  /// Throws Error where it is not here or is longer.
  std::string blob(const std::string& id, std::uint64_t limit_bytes) const;

  std::string add_blob(std::string_view content);

  /// `tree` (empty: none) with the file at `path` replaced or added; its mode stays. Returns the
  /// trees that are new, the root first.
  std::vector<std::string> add_tree(const std::string& tree,
                                    const std::string& path,
                                    const std::string& blob);

  struct NewCommit {
    std::string tree;
    std::vector<std::string> parents;  ///< need not be here
    std::string name;                  ///< author's and committer's
    std::string email;
    std::int64_t time = 0;
    std::string message;
  };

  std::string add_commit(const NewCommit& commit);

  /// The bytes of a pack with exactly these objects.
  std::string pack(const std::vector<std::string>& ids) const;

  /// The bytes of a pack with the commit and all before it, without what `there` (empty: nothing)
  /// has. Throws Error where one of them is not here, as in a clone without history, and where the
  /// pack is longer.
  std::string pack_history(const std::string& commit,
                           const std::string& there,
                           std::uint64_t limit_bytes) const;

  /// Takes the bytes of a pack as they come; its objects are here after finish().
  class PackWriter {
   public:
    explicit PackWriter(GitObjects& objects);
    ~PackWriter();
    PackWriter(const PackWriter&) = delete;
    PackWriter& operator=(const PackWriter&) = delete;
    void write(ByteView chunk);
    void finish();

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace seed::os
